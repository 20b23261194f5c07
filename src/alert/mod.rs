//! Telling people what changed: the channels of a check that goes on for months.
//!
//! What one run changed is one `Message`, whatever the number of flows. It is a document of its own. `headline` says in
//! one line who has to act, and `words` says all for people. A `Channel` is what a configuration file says of one
//! receiver (`config`): a web address, a mail server, or a program. `send` hands one message to one channel and blocks
//! until the receiver has taken it. Else a `Fault` says why not. The caller keeps the message until then, and asks the
//! fault how long to wait (`KEPT`). The messages of a channel are handed over in their order.
//!
//! A receiver that refuses is tried again as well, at the slowest pace. Most refusals are mended at the receiver: a
//! token, a path, a full mailbox. What happened meanwhile must not be lost.
//!
//! Messages, words, shapes of bodies, the pace and the reading of the file are pure. `web`, `mail` and `command` reach
//! out. Secrets and authorities come from files that the caller has read (`Files`). A message may reach a receiver
//! twice, where an answer was lost. So a mail has the same identifier each time, and an alert the same labels.

mod alertmanager;
mod chat;
mod command;
pub(crate) mod config;
mod headline;
mod mail;
mod message;
mod pace;
mod teams;
mod web;
mod words;

use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;

pub use config::{Format, Mail, Mailbox, Only, Receiver, Target, Tls, Webhook, channels, tables};
pub use message::{About, Entry, Message};
pub use pace::{Fault, KEPT, backoff};

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What logs and findings call it.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// What it is told; empty: everything.
    pub only: Vec<Only>,
    /// The longest time for one message.
    pub timeout: Duration,
}

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A POST to a web address.
    Webhook(Webhook),
    /// A mail.
    Mail(Mail),
    /// A program with its arguments. No shell reads them.
    Command(Vec<String>),
}

/// What stands in the files that a channel names.
#[derive(Clone, Default)]
pub struct Files {
    /// The token or the password.
    pub secret: Option<Secret>,
    /// Authorities that are trusted beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
}

/// A token or a password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Channel {
    /// Whether it is told this. A test is told to all.
    pub fn wants(&self, message: &Message) -> bool {
        let has = |only: &Only| match only {
            Only::Worse => message.raised_count() > 0,
            Only::Better => message.cleared_count() > 0,
            Only::Failure => message.failure.is_some() || message.recovered,
        };
        message.test || self.only.is_empty() || self.only.iter().any(has)
    }

    /// Whether a secret would leave this host where others can read it.
    fn would_show_a_secret(&self) -> bool {
        match &self.way {
            Way::Webhook(hook) => hook.url.is_open_to_others(),
            Way::Mail(mail) => mail.is_open_to_others(),
            Way::Command(_) => false,
        }
    }
}

/// Hands a message to a channel, and waits until it has been taken.
///
/// # Errors
/// Why it was not, and how it is to be tried again.
pub fn send(channel: &Channel, files: &Files, message: &Message) -> Result<(), Fault> {
    if files.secret.is_some() && channel.would_show_a_secret() {
        return Err(Fault::Refused(
            "the secret would be sent without TLS; nothing was sent".to_string(),
        ));
    }
    match &channel.way {
        Way::Webhook(hook) => web::post(hook, files, channel.timeout, message),
        Way::Mail(mail) => mail::send(mail, files, channel.timeout, message),
        Way::Command(words) => command::run(words, channel.timeout, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn channel(only: &[Only]) -> Channel {
        Channel {
            name: "firewalls".to_string(),
            way: Way::Command(vec!["true".to_string()]),
            only: only.to_vec(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_channel_is_told_what_it_asks_for_and_every_test() {
        let flow = sample::flow("internet>ibs01:443/tcp");
        let about = message::sample_about;
        let worse = Message::of(about(), &[&flow], &[]);
        let better = Message::of(about(), &[], &[&flow]);
        let failed = Message::failed(about(), "no site file");
        let recovered = Message::recovered(about());
        let all = [&worse, &better, &failed, &recovered];
        for (only, wanted) in [
            (&[][..], [true; 4]),
            (&[Only::Worse], [true, false, false, false]),
            (&[Only::Better], [false, true, false, false]),
            (&[Only::Failure], [false, false, true, true]),
            (&[Only::Worse, Only::Better], [true, true, false, false]),
        ] {
            let channel = channel(only);
            assert_eq!(all.map(|it| channel.wants(it)), wanted, "{only:?}");
            assert!(channel.wants(&Message::test(about())));
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let files = Files {
            secret: Some(Secret::new("s3cret")),
            roots: Vec::new(),
        };
        assert_eq!(format!("{:?}", files.secret), "Some(Secret(..))");
    }
}
