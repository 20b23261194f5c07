//! The section `alerts` of a configuration file: a list of channels, each with a name and one way to reach it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

pub use lettre::message::Mailbox;
use serde_json::json;
use url::{Host, Url};

use super::{Channel, Way};
use crate::config::is_host_name;
use crate::config::keys::{self, Entries, Kind, Section as _, What, keys};
use crate::config::kinds::{
    filled, list, list_of, new_name, plain, port, section, span, text, word,
};
use crate::diagnostic::Problem;
use crate::vantage;
use crate::words::words;
use crate::yaml::{self, At, Node};

words! {
    /// What a channel is told.
    Only {
        /// Flows that are wrong now.
        Worse = "worse",
        /// Flows that are wrong no more.
        Better = "better",
        /// That a check has no report, and that there is one again.
        Failure = "failure",
    }
}

words! {
    /// What the body of a request looks like.
    Format {
        /// The message as it is.
        Json = "json",
        /// Alerts, as the API v2 of Alertmanager takes them.
        Alertmanager = "alertmanager",
        /// A text, as Slack takes it, and Mattermost and Rocket.Chat too.
        Slack = "slack",
        /// A card, as a workflow of Microsoft Teams takes it.
        Teams = "teams",
    }
}

words! {
    /// How a conversation with a mail server is protected.
    Tls {
        /// It begins in plain text, and nothing is said before TLS has begun.
        Starttls = "starttls",
        /// It begins with TLS.
        Implicit = "implicit",
        /// Not at all.
        None = "none",
    }
}

keys! {
    /// A channel, as the file has it.
    item Receiver checked by one_way {
        /// What logs call it.
        name: At<String> = new_name(), required("name: firewall-team");
        /// A web address to which each change is posted.
        webhook: Option<Webhook> = section::<Webhook>(), optional("none");
        /// A mail server, and who gets mail.
        smtp: Option<Mail> = section::<Mail>(), optional("none");
        /// A program with its arguments, without a shell. It reads the message as JSON from its standard input.
        command: Vec<At<String>> = filled("missing-key", "for example: command: [/usr/local/bin/page-us, --urgent]", list_of("a word of `command`", text())), optional("none");
        /// What it is told, of `worse`, `better` and `failure`.
        only: Vec<Only> = list(word(Only::ALL, Only::name)), optional("everything");
        /// The longest time for one message, `1s` to `5m`.
        timeout: Duration = span("1s", "5m"), default("30s");
    }
}

keys! {
    /// A web address that is told.
    item Webhook checked by webhook_fits {
        /// The address, as the receiver gives it. No redirect is followed.
        url: Target = target(), required("url: \"https://hooks.corp.example/portproof\"");
        /// What the receiver takes: `json`, `alertmanager`, `slack` or `teams`.
        format: Format = word(Format::ALL, Format::name), default("json");
        /// A file with a token in its first line, sent as `Authorization: Bearer`.
        token_file: Option<At<String>> = text(), optional("see below");
        /// A PEM file with authorities that are trusted, too.
        ca: Option<At<String>> = text(), optional("the system's");
    }
}

keys! {
    /// A mail server that is told.
    item Mail checked by mail_fits {
        /// The name of the server, or its address.
        server: At<String> = host(), required("server: mail.corp.example");
        /// Its port.
        port: Option<At<u16>> = port(), optional("587; 465 with `implicit`; 25 with `none`");
        /// How the conversation is protected: `starttls`, `implicit` or `none`.
        tls: Tls = word(Tls::ALL, Tls::name), default("starttls");
        /// The sender.
        from: Mailbox = mailbox(), required("from: portproof@corp.example");
        /// One receiver, or a list.
        to: Vec<Mailbox> = filled("missing-key", "for example: to: [firewalls@corp.example]", list(mailbox())), required("to: [firewalls@corp.example]");
        /// The user that the server asks for.
        user: Option<At<String>> = text(), optional("no login");
        /// A file with the password in its first line.
        password_file: Option<At<String>> = text(), optional("see below");
        /// A PEM file with authorities that are trusted, too.
        ca: Option<At<String>> = text(), optional("the system's");
    }
}

/// Where a webhook is. The path may be a secret, so only the host is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, without quoting it: a secret may stand in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no URL")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("begins with neither http:// nor https://");
        }
        if url.host().is_none() || url.port() == Some(0) {
            return Err("names no host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user or a password");
        }
        if url.fragment().is_some() {
            return Err("has a part behind #, which no server sees");
        }
        Ok(Self(url))
    }

    /// All of it, for the request.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What a receiver said, without the path and the query of the address: it may say them again, and they may be secrets.
    pub(super) fn hidden_in(&self, words: &str) -> String {
        let parts = [self.0.query(), Some(self.0.path())].into_iter().flatten();
        let parts = parts.filter(|part| part.len() > 1);
        parts.fold(words.to_string(), |words, part| words.replace(part, "..."))
    }

    /// Whether TLS protects what is sent.
    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is on this host.
    pub(super) fn is_here(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => is_here(name),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether others on the way can read what is sent.
    pub(super) fn is_open_to_others(&self) -> bool {
        !self.is_https() && !self.is_here()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Target({self}/..)")
    }
}

impl Mail {
    /// The port, where the file names none: those of RFC 6409 and RFC 8314, and that of servers that ask for nothing.
    pub(super) fn port(&self) -> u16 {
        let usual = match self.tls {
            Tls::Starttls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        };
        self.port.map_or(usual, |port| port.value)
    }

    /// Whether others on the way can read what is sent.
    pub(super) fn is_open_to_others(&self) -> bool {
        self.tls == Tls::None && !is_here(&self.server)
    }
}

fn is_here(host: &str) -> bool {
    vantage::is_this_host(host.trim_end_matches('.'))
}

/// The tables of `docs/alerts.md`, each by the name of its section.
pub fn tables() -> Vec<(&'static str, String)> {
    let sections = [
        ("a channel", Receiver::keys()),
        ("`webhook`", Webhook::keys()),
        ("`smtp`", Mail::keys()),
    ];
    let table = |(name, keys): (_, Vec<_>)| (name, keys::table(&keys));
    sections.map(table).into()
}

/// Reads channels from YAML that is their list, and nothing else.
///
/// Whoever has them in a file of its own calls this. The findings are as those of a site file.
pub fn channels(bytes: &[u8]) -> (Vec<Channel>, Vec<Problem>) {
    let mut problems = Vec::new();
    let all = match yaml::parse(bytes) {
        Ok(node) => read(&node, &mut problems),
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    (all, problems)
}

/// Reads the value of the key `alerts`.
///
/// A channel with a fault is left out, and its faults are added to the findings.
pub(crate) fn read(node: &Node, problems: &mut Vec<Problem>) -> Vec<Channel> {
    let all = list_of("a channel", section::<Receiver>());
    let receivers = all.read(node, &What::owner("").key("alerts"), problems);
    let mut channels: Vec<Channel> = Vec::new();
    for receiver in receivers.unwrap_or_default() {
        if channels.iter().any(|it| it.name == *receiver.name) {
            let says = format!("two channels are called `{}`", *receiver.name);
            let problem = Problem::error("alert-name-twice", receiver.name.at, says);
            problems.push(problem.hint("logs and secrets tell channels apart by their names"));
            continue;
        }
        channels.extend(channel(receiver));
    }
    channels
}

/// The JSON Schema of that value.
pub(crate) fn schema() -> serde_json::Value {
    list_of("a channel", section::<Receiver>()).schema()
}

/// What the file says of one channel; `None` where it does not say one way.
fn channel(receiver: Receiver) -> Option<Channel> {
    let command = receiver.command.into_iter().map(|it| it.value);
    let command: Vec<String> = command.collect();
    let way = match (receiver.webhook, receiver.smtp, command.is_empty()) {
        (Some(hook), None, true) => Way::Webhook(hook),
        (None, Some(mail), true) => Way::Mail(mail),
        (None, None, false) => Way::Command(command),
        _ => return None,
    };
    Some(Channel {
        name: receiver.name.value,
        way,
        only: receiver.only,
        timeout: receiver.timeout,
    })
}

fn one_way(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    const WAYS: [&str; 3] = ["webhook", "smtp", "command"];
    let given: Vec<&str> = WAYS
        .into_iter()
        .filter(|way| entries.fields.get(way).is_some())
        .collect();
    let says = match given.as_slice() {
        [_] => return never_clears(entries, problems),
        [] => "a channel has none of `webhook`, `smtp` and `command`".to_string(),
        several => format!("a channel has `{}`", several.join("` and `")),
    };
    let problem = Problem::error("alert-way", entries.fields.place(), says);
    problems
        .push(problem.hint("a channel has one of the three; write a second channel for another"));
}

/// Alertmanager has to be told what is over, or it shows it for a year.
fn never_clears(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    let format = entries
        .fields
        .get("webhook")
        .and_then(|it| it.child("format"));
    let only = entries.fields.get("only");
    let (Some("alertmanager"), Some(only)) = (format.and_then(Node::text), only) else {
        return;
    };
    let has = |word: &str| {
        yaml::one_or_list(only)
            .iter()
            .any(|it| it.text() == Some(word))
    };
    if has("worse") && !has("better") {
        let says = "`only` keeps from Alertmanager which flows are wrong no more";
        let problem = Problem::error("alert-never-clears", only.at, says);
        problems.push(
            problem
                .hint("write only: [worse, better]; Alertmanager can leave out what is resolved"),
        );
    }
}

fn webhook_fits(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    const PATH: &str = "/api/v2/alerts";
    let text = |key: &str| entries.fields.get(key).and_then(Node::text);
    let Some(url) = entries.fields.get("url") else {
        return;
    };
    let Some(target) = url.text().and_then(|it| Target::parse(it).ok()) else {
        return;
    };
    if text("format") == Some("alertmanager") && !target.0.path().ends_with(PATH) {
        let says = "the address of an Alertmanager does not lead to its API";
        let problem = Problem::error("bad-alert-url", url.at, says);
        problems.push(problem.hint(format!(
            "for example: url: \"http://alertmanager.corp.example:9093{PATH}\""
        )));
    }
    if text("token_file").is_some() && target.is_open_to_others() {
        problems.push(plain_secret(url, "the token", "an address with https://"));
    }
}

fn mail_fits(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    let get = |key: &str| entries.fields.get(key);
    let is_here = get("server").and_then(Node::text).is_some_and(is_here);
    if let (Some(user), Some("none"), false) =
        (get("user"), get("tls").and_then(Node::text), is_here)
    {
        problems.push(plain_secret(user, "the password", "tls: starttls"));
    }
    if let (Some(file), None) = (get("password_file"), get("user")) {
        let says = "a mail server has `password_file` without `user`";
        let problem = Problem::error("missing-key", file.at, says);
        problems.push(problem.hint("name the user whose password it is, as in user: portproof"));
    }
}

fn plain_secret(node: &Node, secret: &str, instead: &str) -> Problem {
    let says = format!("{secret} would be sent without TLS");
    Problem::error("plain-secret", node.at, says).hint(format!("write {instead}"))
}

fn target() -> Kind<Target> {
    plain(
        |node, what, problems| {
            let url = yaml::text(node, what, problems)?;
            let target = Target::parse(&url.value);
            if let Err(fault) = target {
                let says = format!("{what} {fault}");
                let problem = Problem::error("bad-alert-url", node.at, says);
                problems.push(
                    problem.hint("for example: url: \"https://hooks.corp.example/portproof\""),
                );
            }
            target.ok()
        },
        || json!({ "type": "string", "pattern": "^https?://" }),
    )
}

fn host() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let name = yaml::text(node, what, problems)?;
            if is_host_name(&name) || name.parse::<IpAddr>().is_ok() {
                return Some(name);
            }
            let says = format!("{what} is `{}`, which is no host name", *name);
            let problem = Problem::error("bad-host-name", node.at, says);
            problems.push(
                problem
                    .hint("for example: server: mail.corp.example; the port has a key of its own"),
            );
            None
        },
        || json!({ "type": "string" }),
    )
}

fn mailbox() -> Kind<Mailbox> {
    plain(
        |node, what, problems| {
            let text = yaml::text(node, what, problems)?;
            let mailbox = text.parse().ok();
            // lettre encodes names; a line break in one is a mistake all the same.
            let mailbox = mailbox.filter(|_| !text.contains(char::is_control));
            if mailbox.is_none() {
                let says = format!("{what} is `{}`, which is no mail address", *text);
                let problem = Problem::error("bad-mail-address", node.at, says);
                problems.push(problem.hint("for example: firewalls@corp.example"));
            }
            mailbox
        },
        || json!({ "type": "string", "pattern": "@" }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<Channel>, Vec<Problem>) {
        channels(text.as_bytes())
    }

    /// The channels of a text without a fault.
    fn good(text: &str) -> Vec<Channel> {
        let (channels, problems) = read_text(text);
        assert_eq!(problems, [], "{text}");
        channels
    }

    /// The code and line of each finding; each has a hint.
    fn findings(text: &str) -> Vec<(&'static str, usize)> {
        let (_, problems) = read_text(text);
        for problem in &problems {
            assert!(problem.hint.is_some(), "{problem:?}");
        }
        let found = problems
            .iter()
            .map(|it| (it.code, it.at.map_or(0, |at| at.line)));
        found.collect()
    }

    #[test]
    fn a_channel_is_a_name_and_one_way() {
        let all = good(
            "- { name: hook, webhook: { url: \"https://hooks.corp.example/T0/secret\" } }\n\
             - { name: mail, smtp: { server: mail.corp.example, from: a@corp.example, to: b@corp.example }, only: [worse, failure] }\n\
             - { name: page, command: [/bin/page, -u], timeout: 5s }\n",
        );
        let [hook, mail, page] = all.as_slice() else {
            panic!("{all:?}");
        };
        let Way::Webhook(webhook) = &hook.way else {
            panic!("{hook:?}");
        };
        assert_eq!(
            (webhook.format, hook.timeout),
            (Format::Json, Duration::from_secs(30))
        );
        let Way::Mail(server) = &mail.way else {
            panic!("{mail:?}");
        };
        assert_eq!((server.tls, server.port()), (Tls::Starttls, 587));
        assert_eq!(server.to, ["b@corp.example".parse().expect("an address")]);
        assert_eq!(mail.only, [Only::Worse, Only::Failure]);
        assert_eq!(
            page.way,
            Way::Command(vec!["/bin/page".to_string(), "-u".to_string()])
        );
        assert_eq!(page.timeout, Duration::from_secs(5));
    }

    #[test]
    fn the_port_of_a_mail_server_follows_from_its_protection() {
        for (more, port) in [
            ("", 587),
            (", tls: implicit", 465),
            (", tls: none", 25),
            (", tls: none, port: 2525", 2525),
        ] {
            let all = good(&format!(
                "- {{ name: a, smtp: {{ server: 192.0.2.1, from: a@b.example, to: [c@d.example]{more} }} }}"
            ));
            let Way::Mail(mail) = &all[0].way else {
                panic!("{all:?}");
            };
            assert_eq!(mail.port(), port);
        }
    }

    #[test]
    fn every_fault_is_found_with_its_place() {
        for (text, expected) in [
            ("name: a", vec![("wrong-type", 1)]),
            ("- { name: a }", vec![("alert-way", 1)]),
            (
                "- name: a\n  command: [x]\n  webhook: { url: \"https://a.example\" }",
                vec![("alert-way", 1)],
            ),
            ("- { name: A b, command: [x] }", vec![("bad-name", 1)]),
            ("- { command: [x] }", vec![("missing-key", 1)]),
            ("- { name: a, command: [] }", vec![("missing-key", 1)]),
            ("- { name: a, command: x }", vec![("wrong-type", 1)]),
            (
                "- { name: a, command: [x], timeout: 1h }",
                vec![("out-of-range", 1)],
            ),
            (
                "- { name: a, command: [x], only: [wurse] }",
                vec![("unknown-word", 1)],
            ),
            (
                "- { name: a, comand: [x] }",
                vec![("unknown-key", 1), ("alert-way", 1)],
            ),
            (
                "- { name: a, command: [x] }\n- { name: a, command: [y] }",
                vec![("alert-name-twice", 2)],
            ),
            (
                "- name: a\n  webhook: { format: json }",
                vec![("missing-key", 2)],
            ),
            (
                "- name: a\n  smtp: { from: x }",
                vec![
                    ("missing-key", 2),
                    ("bad-mail-address", 2),
                    ("missing-key", 2),
                ],
            ),
            (
                "- name: a\n  smtp: { server: \"mail:25\", from: a@b.example, to: [] }",
                vec![("bad-host-name", 2), ("missing-key", 2)],
            ),
            (
                "- name: a\n  smtp: { server: m.example, from: \"a@b.example\\nBcc: c@d.example\", to: e@f.example }",
                vec![("bad-mail-address", 2)],
            ),
            (
                "- name: a\n  smtp: { server: m.example, tls: none, user: u, from: a@b.example, to: e@f.example }",
                vec![("plain-secret", 2)],
            ),
            (
                "- name: a\n  smtp: { server: m.example, password_file: p, from: a@b.example, to: e@f.example }",
                vec![("missing-key", 2)],
            ),
            (
                "- name: a\n  webhook: { url: \"http://a.example\", token_file: t }",
                vec![("plain-secret", 2)],
            ),
            (
                "- name: a\n  webhook: { url: \"http://a.example:9093\", format: alertmanager }",
                vec![("bad-alert-url", 2)],
            ),
            (
                "- name: a\n  only: [worse]\n  webhook: { url: \"http://a.example/api/v2/alerts\", format: alertmanager }",
                vec![("alert-never-clears", 2)],
            ),
        ] {
            assert_eq!(findings(text), expected, "{text}");
        }
    }

    #[test]
    fn a_mistyped_word_is_answered_with_the_one_that_is_near() {
        for (text, near) in [
            ("- { name: a, comand: [x] }", "command"),
            ("- { name: a, command: [x], only: [wurse] }", "worse"),
            (
                "- { name: a, webhook: { url: \"https://a.example\", format: slak } }",
                "slack",
            ),
        ] {
            let (_, problems) = read_text(text);
            let hint = problems[0].hint.as_deref().expect("a hint");
            assert!(hint.contains(&format!("did you mean `{near}`?")), "{hint}");
        }
    }

    #[test]
    fn a_secret_goes_without_tls_to_this_host_only() {
        for (url, is_open) in [
            ("http://a.example", true),
            ("http://192.0.2.1", true),
            ("https://a.example", false),
            ("http://localhost:9093", false),
            ("http://127.0.0.1:9093", false),
            ("http://[::1]:9093", false),
        ] {
            let target = Target::parse(url).expect(url);
            assert_eq!(target.is_open_to_others(), is_open, "{url}");
        }
    }

    #[test]
    fn a_bad_address_is_refused_and_its_secrets_are_never_repeated() {
        for url in [
            "hooks.corp.example/s3cret",
            "ftp://a.example/s3cret",
            "https://s3cret@a.example",
            "https://a:s3cret@a.example",
            "https://a.example/#s3cret",
            "http://a.example:0/s3cret",
        ] {
            let text = format!("- {{ name: a, webhook: {{ url: \"{url}\" }} }}");
            let (channels, problems) = read_text(&text);
            assert_eq!(channels, []);
            let codes: Vec<_> = problems.iter().map(|it| it.code).collect();
            assert_eq!(codes, ["bad-alert-url"], "{url}");
            assert!(!format!("{problems:?}").contains("s3cret"));
        }
        let hook = &good("- { name: a, webhook: { url: \"https://a.example/T0/s3cret\" } }")[0];
        assert!(!format!("{hook:?}").contains("s3cret"), "{hook:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = channels(text.as_bytes());
            let _ = channels(format!("- {{ name: a, {text} }}").as_bytes());
            let _ = Target::parse(&text);
            let _ = Target::parse(&format!("https://{text}"));
        }
    }
}
