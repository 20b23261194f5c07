//! A mail of plain text, handed to a mail server over SMTP.
//!
//! Words of others cannot make headers or end the mail: the message has one line for each, and lettre encodes the subject
//! and doubles dots. The identifier of a mail follows from the message, so one that is sent twice is known as such. With
//! `starttls` nothing but a greeting is said before TLS has begun, and a server without it is refused.
//!
//! lettre's deadline is for each step. A server that drips is left to a thread of its own when the time is over.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Protection, TlsParameters};
use lettre::transport::smtp::{self, SmtpTransport};
use lettre::{Message as Letter, Transport as _};

use super::config::{Mail, Tls};
use super::pace::Fault;
use super::{Files, Message, words};
use crate::config::sha256;
use crate::diagnostic::cut;

/// The longest subject, in bytes.
const SUBJECT: usize = 200;

/// Hands a mail over.
pub(super) fn send(
    mail: &Mail,
    files: &Files,
    timeout: Duration,
    message: &Message,
) -> Result<(), Fault> {
    let letter = letter(mail, message)
        .map_err(|why| Fault::refused(format!("the mail cannot be written: {why}")))?;
    let transport = transport(mail, files, timeout)?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = tell.send(transport.send(&letter));
    });
    let server = &mail.server.value;
    match told.recv_timeout(timeout) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(why)) => Err(fault(server, &why)),
        Err(_) => Err(Fault::later(format!(
            "{server}: not done within {timeout:?}"
        ))),
    }
}

fn letter(mail: &Mail, message: &Message) -> Result<Letter, lettre::error::Error> {
    let subject = format!("portproof {}: {}", message.about.site, message.headline);
    let auto = HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_string(),
    );
    // A clock before 1970 has no date in a mail.
    let seconds = u64::try_from(message.about.time.as_second()).unwrap_or(0);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let mut letter = Letter::builder()
        .from(mail.from.clone())
        .subject(cut(&subject, SUBJECT))
        .date(time)
        .message_id(Some(identifier(mail, message)))
        .raw_header(auto)
        .header(ContentType::TEXT_PLAIN);
    for receiver in &mail.to {
        letter = letter.to(receiver.clone());
    }
    letter.body(words::text(message))
}

/// The same for each try of a message.
fn identifier(mail: &Mail, message: &Message) -> String {
    const CHARACTERS: usize = 32;
    let hash = sha256(format!("{message:?}").as_bytes());
    let hash = &hash[..CHARACTERS];
    format!("<{hash}@{}>", mail.from.email.domain())
}

fn transport(mail: &Mail, files: &Files, timeout: Duration) -> Result<SmtpTransport, Fault> {
    let server = &mail.server.value;
    let parameters = || tls(server, files).map_err(|why| fault(server, &why));
    let protection = match mail.tls {
        Tls::Starttls => Protection::Required(parameters()?),
        Tls::Implicit => Protection::Wrapper(parameters()?),
        Tls::None => Protection::None,
    };
    let mut builder = SmtpTransport::builder_dangerous(server.as_str())
        .port(mail.port())
        .tls(protection)
        .timeout(Some(timeout));
    if let Some(user) = &mail.user {
        let Some(secret) = &files.secret else {
            return Err(Fault::refused(format!(
                "there is no password for the user `{}`",
                user.value
            )));
        };
        builder = builder.credentials(Credentials::new(user.value.clone(), secret.0.clone()));
    }
    Ok(builder.build())
}

fn tls(server: &str, files: &Files) -> Result<TlsParameters, smtp::Error> {
    let mut builder = TlsParameters::builder(server.to_string());
    for root in &files.roots {
        builder = builder.add_root_certificate(Certificate::from_der(root.to_vec())?);
    }
    builder.build_rustls()
}

/// A server's 5xx is a refusal, and so is a server without what the file asks for.
fn fault(server: &str, why: &smtp::Error) -> Fault {
    let words = format!("{server}: {why}");
    match why.is_permanent() || why.is_client() {
        true => Fault::refused(words),
        false => Fault::later(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::{About, sample_about};
    use crate::yaml::At;

    fn mail() -> Mail {
        Mail {
            server: At {
                value: "mail.corp.example".to_string(),
                at: Default::default(),
            },
            port: None,
            tls: Tls::Starttls,
            from: "portproof <portproof@corp.example>"
                .parse()
                .expect("an address"),
            to: vec!["firewalls@corp.example".parse().expect("an address")],
            user: None,
            password_file: None,
            ca: None,
        }
    }

    fn written(message: &Message) -> String {
        let letter = letter(&mail(), message).expect("a mail");
        String::from_utf8(letter.formatted()).expect("text")
    }

    /// The names of the headers.
    fn headers(written: &str) -> Vec<&str> {
        let (head, _) = written.split_once("\r\n\r\n").expect("a head");
        let lines = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']));
        lines
            .map(|line| line.split_once(':').expect("a header").0)
            .collect()
    }

    #[test]
    fn the_same_message_has_the_same_identifier_and_another_has_another() {
        let failed = Message::failed(sample_about(), "no site file");
        assert_eq!(written(&failed), written(&failed));
        let test = Message::test(sample_about());
        let id = |message| identifier(&mail(), message);
        assert_ne!(id(&failed), id(&test));
        assert!(id(&test).ends_with("@corp.example>"));
    }

    proptest::proptest! {
        #[test]
        fn no_words_make_a_header(
            site in "\\PC{0,9}(\r\nBcc: a@evil\\.example\r\n\r\n)?\\PC{0,9}",
            why in "(.|\r|\n){0,40}\r\n\\.\r\nMAIL FROM:<a@evil\\.example>\r\n(.|\r|\n){0,900}",
        ) {
            let about = About { site, ..sample_about() };
            let written = written(&Message::failed(about, &why));
            let names = headers(&written);
            let expected = [
                "From", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "To",
                "Content-Transfer-Encoding",
            ];
            proptest::prop_assert_eq!(names, expected, "{}", written);
        }
    }
}
