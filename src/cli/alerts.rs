//! What the channels of alerts name: tokens, passwords, and authorities that are trusted.
//!
//! They are read when the file is read, so that a missing one is a finding before anything has to be told.

use std::env::VarError;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use super::credentials::certificates;
use super::handed_over::handed_over;
use super::named::{self, Kind};
use super::secrets;
use crate::alert::{Channel, Files, Secret, Way};
use crate::diagnostic::{Place, Problem};
use crate::yaml::At;

/// Reads what a channel names. Paths are taken from the folder of the file; what is wrong is added to the findings.
pub(super) fn files(channel: &Channel, folder: &Path, problems: &mut Vec<Problem>) -> Files {
    let variable = variable(&channel.name);
    let elsewhere = Elsewhere {
        in_environment: std::env::var(&variable),
        handed_over: handed_over(&format!("portproof.alert-{}", channel.name)),
        variable,
    };
    files_with(channel, folder, elsewhere, problems)
}

/// The environment variable with the secret of a channel.
fn variable(name: &str) -> String {
    format!("PORTPROOF_ALERT_{}", name.replace('-', "_").to_uppercase())
}

/// What the environment and the service manager have for a channel.
struct Elsewhere {
    variable: String,
    in_environment: Result<String, VarError>,
    handed_over: Option<PathBuf>,
}

fn files_with(
    channel: &Channel,
    folder: &Path,
    elsewhere: Elsewhere,
    problems: &mut Vec<Problem>,
) -> Files {
    let (named, ca, user) = match &channel.way {
        Way::Webhook(hook) => (&hook.token_file, &hook.ca, None),
        Way::Mail(mail) => (&mail.password_file, &mail.ca, Some(&mail.user)),
        Way::Command(_) => return Files::default(),
    };
    let before = problems.len();
    let variable = elsewhere.variable.clone();
    let secret = match user {
        // A server that asks for no user asks for no password.
        Some(None) => None,
        _ => self::secret(named.as_ref(), folder, elsewhere, problems),
    };
    if let (Some(Some(user)), None) = (user, &secret)
        && problems.len() == before
    {
        let says = format!("the channel `{}` has a user and no password", channel.name);
        let problem = Problem::error("bad-alert-file", user.at, says);
        problems.push(problem.hint(format!(
            "name a `password_file`, or set {variable}; docs/alerts.md has more"
        )));
    }
    Files {
        secret,
        roots: ca
            .as_ref()
            .map_or_else(Vec::new, |ca| roots(ca, folder, problems)),
    }
}

/// The secret: from the file that is named for it, else from the environment, else from the service manager.
fn secret(
    named: Option<&At<String>>,
    folder: &Path,
    elsewhere: Elsewhere,
    problems: &mut Vec<Problem>,
) -> Option<Secret> {
    if let Some(named) = named {
        return secret_in(&folder.join(&named.value), Some(named.at), problems);
    }
    match elsewhere.in_environment {
        Ok(text) => Some(Secret::new(text)),
        Err(VarError::NotPresent) => {
            let file = elsewhere.handed_over?;
            secret_in(&file, None, problems)
        }
        Err(VarError::NotUnicode(_)) => {
            let says = format!("what {} holds is no text", elsewhere.variable);
            let problem = Problem::error("bad-alert-file", None, says);
            problems.push(problem.hint("a secret is text in UTF-8"));
            None
        }
    }
}

fn secret_in(file: &Path, at: Option<Place>, problems: &mut Vec<Problem>) -> Option<Secret> {
    let path = file.display();
    let says = match secrets::password_of(file) {
        Ok(line) if !line.is_empty() => return Some(Secret::new(line)),
        Ok(_) => format!("the first line of `{path}` is empty"),
        Err(why) => format!("`{path}` cannot be read: {why}"),
    };
    let problem = Problem::error("bad-alert-file", at, says);
    problems.push(problem.hint(
        "a file with the secret in its first line; its path is taken from the folder of this file",
    ));
    None
}

fn roots(
    ca: &At<String>,
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<CertificateDer<'static>> {
    let path = folder.join(&ca.value);
    let read = named::read(&path, Kind::Roots)
        .map_err(|why| format!("cannot be read: {why}"))
        .and_then(|content| certificates(&content.bytes));
    let says = match read {
        Ok(found) => return found,
        Err(says) => says,
    };
    let says = format!("`{}` {says}", path.display());
    let problem = Problem::error("bad-alert-file", ca.at, says);
    problems.push(problem.hint("a PEM file with the certificate of the authority; its path is taken from the folder of this file"));
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::{Format, Target, Webhook};

    fn at(value: &str) -> At<String> {
        let value = value.to_string();
        At {
            value,
            at: Place::default(),
        }
    }

    fn hook(token_file: Option<&str>, ca: Option<&str>) -> Channel {
        let url = Target::parse("https://a.example").expect("an address");
        Channel {
            name: "chat-1".to_string(),
            way: Way::Webhook(Webhook {
                url,
                format: Format::Json,
                token_file: token_file.map(at),
                ca: ca.map(at),
            }),
            only: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    fn mail(user: Option<&str>) -> Channel {
        let address = || "a@b.example".parse().expect("an address");
        Channel {
            way: Way::Mail(crate::alert::Mail {
                server: at("mail.example"),
                port: None,
                tls: crate::alert::Tls::Starttls,
                from: address(),
                to: vec![address()],
                user: user.map(at),
                password_file: None,
                ca: None,
            }),
            ..hook(None, None)
        }
    }

    /// What was read with this folder, environment and service manager, and the findings.
    fn read(
        channel: &Channel,
        folder: &Path,
        environment: Option<&str>,
        handed_over: Option<&str>,
    ) -> (Files, Vec<String>) {
        let mut problems = Vec::new();
        let elsewhere = Elsewhere {
            variable: variable(&channel.name),
            in_environment: environment.map(str::to_string).ok_or(VarError::NotPresent),
            handed_over: handed_over.map(|name| folder.join(name)),
        };
        let files = files_with(channel, folder, elsewhere, &mut problems);
        let said = problems.into_iter().map(|it| {
            assert_eq!(it.code, "bad-alert-file");
            it.message
        });
        (files, said.collect())
    }

    #[test]
    fn a_named_file_goes_before_the_environment_and_that_before_the_service_manager() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "of the file\nmore\n").expect("written");
        std::fs::write(folder.path().join("credential"), "handed over").expect("written");
        let (named, unnamed) = (hook(Some("token"), None), hook(None, None));
        for (channel, environment, handed_over, secret) in [
            (
                &named,
                Some("of the environment"),
                None,
                Some("of the file"),
            ),
            (
                &unnamed,
                Some("of the environment"),
                Some("credential"),
                Some("of the environment"),
            ),
            (&unnamed, None, Some("credential"), Some("handed over")),
            (&unnamed, None, None, None),
        ] {
            let (files, said) = read(channel, folder.path(), environment, handed_over);
            assert_eq!(files.secret, secret.map(Secret::new));
            assert!(said.is_empty(), "{said:?}");
        }
        assert_eq!(variable("chat-1"), "PORTPROOF_ALERT_CHAT_1");
    }

    #[test]
    fn what_is_missing_is_a_finding() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("empty"), "\nsecret").expect("written");
        let (_, said) = read(
            &hook(Some("nowhere"), Some("empty")),
            folder.path(),
            None,
            None,
        );
        assert!(said[0].contains("nowhere` cannot be read"), "{said:?}");
        assert!(said[1].ends_with("holds no certificate"), "{said:?}");
        let (_, said) = read(&hook(Some("empty"), None), folder.path(), None, None);
        assert!(said[0].ends_with("is empty"), "{said:?}");
    }

    #[test]
    fn a_user_needs_a_password_and_nobody_else_does() {
        let folder = Path::new("/");
        let (_, said) = read(&mail(Some("portproof")), folder, None, None);
        assert_eq!(said, ["the channel `chat-1` has a user and no password"]);
        let (files, said) = read(&mail(None), folder, Some("secret"), None);
        assert_eq!((files.secret, said), (None, Vec::new()));
    }
}
