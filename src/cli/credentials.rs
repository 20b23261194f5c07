//! What the site file names for TLS: the roots that certificates may lead to, and the certificate that this host shows.
//!
//! Only `check` needs them. A command that sends nothing says what would be missing, and goes on.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::handed_over::handed_over;
use super::named::{self, Kind, Unread};
use super::secrets;
use crate::config::Config;
use crate::diagnostic::{Place, Problem, Severity};
use crate::wire::tls::client_certificate::{self, ClientCertificate, Password};

/// The environment variable with the password of the client certificate.
const PASSWORD: &str = "PORTPROOF_CLIENT_PASSWORD";
/// What it is called among the secrets that a service manager hands over.
const CREDENTIAL: &str = "portproof.client-password";

/// What a command does with the credentials of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Flows are tried with them.
    Shown,
    /// Nothing is sent: what is not at hand is a warning, because `check` will need it.
    Missed,
    /// They play no part, as those of an older site file.
    None,
}

/// The credentials of a site.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) client_certificate: Option<ClientCertificate>,
}

/// Reads the credentials, as far as they are used; what is wrong with them is added to the findings.
pub(super) fn read(
    config: &Config,
    folder: &Path,
    used: Use,
    problems: &mut Vec<Problem>,
) -> Credentials {
    match used {
        Use::Shown => {
            roots_of_the_system(problems);
            Credentials {
                roots: roots(config, folder, problems),
                client_certificate: client_certificate(config, folder, problems),
            }
        }
        Use::Missed => {
            let mut missing = Vec::new();
            roots(config, folder, &mut missing);
            look_for_client_certificate(config, folder, &mut missing);
            problems.extend(missing.into_iter().map(|problem| {
                Problem {
                    severity: Severity::Warning,
                    hint: Some(
                        "nothing is sent here, so it is not needed; `portproof check` needs it"
                            .to_string(),
                    ),
                    ..problem
                }
            }));
            Credentials::default()
        }
        Use::None => Credentials::default(),
    }
}

/// The variable may name what is in place of the system's roots, and whoever reads these has no limit. A file that is not
/// there means that there are none.
fn roots_of_the_system(problems: &mut Vec<Problem>) {
    const FILE: &str = "SSL_CERT_FILE";
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let path = Path::new(&path);
    match named::read(path, Kind::Roots) {
        Ok(_) | Err(Unread::Refused(_) | Unread::NotText) => {}
        Err(why @ (Unread::NotRegular(_) | Unread::TooLarge(_))) => problems.push(
            Problem::error(
                "bad-root",
                None,
                format!(
                    "`{}`, which {FILE} names, cannot be read: {why}",
                    path.display()
                ),
            )
            .hint("take the variable out of the environment, or have it name a PEM file"),
        ),
    }
}

fn roots(
    config: &Config,
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<CertificateDer<'static>> {
    let mut all = Vec::new();
    let mut left = Kind::Roots.limit();
    for root in &config.tls.roots {
        let wrong =
            |says: String| Problem::error("bad-root", root.at, format!("`{}` {says}", root.value));
        let bytes = match named::read(&folder.join(&root.value), Kind::Roots) {
            Ok(content) => content.bytes,
            Err(why) => {
                problems.push(
                    wrong(format!("cannot be read: {why}"))
                        .hint("the path is taken from the folder of the site file"),
                );
                continue;
            }
        };
        // Small files without number are a large one.
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            problems.push(wrong(format!(
                "cannot be read: with the roots before it, {}",
                Unread::TooLarge(Kind::Roots)
            )));
            break;
        };
        left = rest;
        match certificates(&bytes) {
            Ok(found) => all.extend(found),
            Err(says) => {
                problems.push(wrong(says).hint("a PEM file with the certificate of the authority"))
            }
        }
    }
    all
}

/// The certificates in a PEM file.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err("holds no certificate".to_string()),
        Err(error) => Err(format!("cannot be read as PEM: {error}")),
    }
}

fn client_certificate(
    config: &Config,
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Option<ClientCertificate> {
    let named = config.tls.client_certificate.as_ref()?;
    let password = match password(config, folder) {
        Ok(password) => password,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let path = folder.join(&named.value);
    let content = match named::read(&path, Kind::ClientCertificate) {
        Ok(content) => content,
        Err(why) => {
            problems.push(unread(&path, named.at, &why));
            return None;
        }
    };
    // A key that is encrypted is not had by reading it.
    if password.is_none() {
        secrets::warn_if_open(&path, Kind::ClientCertificate, &content);
    }
    let provider = rustls::crypto::ring::default_provider();
    match client_certificate::read(&content.bytes, password.as_ref(), &provider) {
        Ok(own) => Some(own),
        Err(fault) => {
            let says = format!("`{}` {}", path.display(), fault.says());
            problems
                .push(Problem::error("bad-client-certificate", named.at, says).hint(fault.hint()));
            None
        }
    }
}

/// The password: from the file that is named for it, else from the environment, else from the service manager.
fn password(config: &Config, folder: &Path) -> Result<Option<Password>, Problem> {
    let of_certificate = config.tls.client_certificate.as_ref().map(|it| it.at);
    if let Some(named) = &config.tls.client_password_file {
        return password_in(&folder.join(&named.value), Some(named.at));
    }
    match std::env::var(PASSWORD) {
        Ok(password) => Ok(Some(Password::new(password))),
        Err(std::env::VarError::NotPresent) => match handed_over(CREDENTIAL) {
            Some(file) => password_in(&file, of_certificate),
            None => Ok(None),
        },
        Err(std::env::VarError::NotUnicode(_)) => Err(Problem::error(
            "bad-client-certificate",
            of_certificate,
            format!("the password in {PASSWORD} is no text"),
        )
        .hint("a password is text in UTF-8")),
    }
}

fn password_in(file: &Path, at: Option<Place>) -> Result<Option<Password>, Problem> {
    let line = secrets::password_of(file).map_err(|why| unread(file, at, &why))?;
    Ok(Some(Password::new(line)))
}

/// Whether the files are at hand. Neither is opened as what it is: that would ask for the password.
fn look_for_client_certificate(config: &Config, folder: &Path, problems: &mut Vec<Problem>) {
    for (named, kind) in [
        (&config.tls.client_certificate, Kind::ClientCertificate),
        (&config.tls.client_password_file, Kind::Password),
    ] {
        let Some(named) = named else { continue };
        let path = folder.join(&named.value);
        if let Err(why) = named::read(&path, kind) {
            problems.push(unread(&path, named.at, &why));
        }
    }
}

fn unread(path: &Path, at: impl Into<Option<Place>>, why: &Unread) -> Problem {
    Problem::error(
        "bad-client-certificate",
        at,
        format!("`{}` cannot be read: {why}", path.display()),
    )
    .hint(
        "the path is taken from the folder of the site file; name a file that this account may \
         read",
    )
}
