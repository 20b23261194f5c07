//! What no type can tell of the entries of a catalogue.

use super::http::{DRIVE, Header};
use super::read::{Entry, Ports, known_ports};
use super::{
    Asks, ChangeStep, ClientError, ClientStep, Confidence, Deaf, End, Fingerprint, Meaning, Passes,
    Property, Rule, Topic, Unplanned, Verb,
};
use crate::diagnostic::{Place, Problem, choices};
use crate::yaml::{self, Node};

/// The most paths of one role: what is asked of a server to prove it.
const MOST_FINGERPRINTS: usize = 8;
/// The most characters of a path, or of a header's value.
const LONGEST: usize = 4_096;

impl Entry for Rule {
    const WHAT: &'static str = "a rule";

    fn check(&mut self, node: &Node, ports: &Ports, problems: &mut Vec<Problem>) {
        self.check_ends(node, problems);
        match (node.child("port"), self.transport.has_ports()) {
            (Some(port), true) => self.ports = known_ports(port, ports, problems),
            (None, true) => problems.push(
                Problem::error("missing-key", node.at, "a rule lacks the key `port`")
                    .hint("for example: smb"),
            ),
            (Some(port), false) => problems.push(
                Problem::error(
                    "unknown-key",
                    port.at,
                    "a rule for a transport without ports has the key `port`",
                )
                .hint("take it out, or write `transport: tcp` or `udp`"),
            ),
            (None, false) => {}
        }
    }
}

impl Rule {
    fn check_ends(&self, node: &Node, problems: &mut Vec<Problem>) {
        let at = |key: &str| node.child(key).map_or(node.at, |child| child.at);
        let is_end = |end: &End| end.is_system() || end.is_clients() || end.service().is_some();
        if !self.to.iter().all(is_end) {
            problems.push(Problem::error(
                "unknown-word",
                at("to"),
                "`to` names zones; a rule leads to systems, services or clients",
            ));
        }
        if self.from.iter().any(|end| end.service().is_some()) {
            problems.push(Problem::error(
                "unknown-word",
                at("from"),
                "`from` names a service; nothing is known of who starts a flow there",
            ));
        }
        let of_destination = self.when.iter().find(|it| it.is_of_destination());
        if let Some(condition) = of_destination
            && !self.to.iter().all(|end| end.is_system())
        {
            let text = format!("`{condition}` asks something of a system, and `to` names others");
            problems.push(Problem::error("unknown-word", at("when"), text));
        }
        let clients = |ends: &[End]| ends.iter().any(|end| end.is_clients());
        if clients(&self.to) && !self.from.iter().all(|end| end.is_system()) {
            problems.push(Problem::error(
                "unknown-word",
                at("from"),
                "only systems start flows to clients",
            ));
        }
    }
}

impl Entry for Unplanned {
    const WHAT: &'static str = "an entry of `unplanned`";
}

impl Entry for Passes {
    const WHAT: &'static str = "an entry of `passes`";

    fn check(&mut self, node: &Node, _: &Ports, problems: &mut Vec<Problem>) {
        let headers = node.child("headers");
        if headers.is_none() && node.child("verbs").is_none() {
            problems.push(Problem::error(
                "missing-key",
                node.at,
                "an entry of `passes` has neither `verbs` nor `headers`",
            ));
        }
        let nodes = headers.map(yaml::one_or_list).unwrap_or_default();
        for (header, node) in self.headers.iter().zip(nodes) {
            if !can_be_tried(header) {
                let text = format!("`{}` is no header to try", header.name);
                problems.push(Problem::error("bad-header", node.at, text).hint(
                    "give a name of letters, digits and hyphens, and a `value` of plain characters \
                     or a `length` up to 4096",
                ));
            }
        }
    }
}

fn can_be_tried(header: &Header) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    header.name.chars().all(is_token)
        && header.value.chars().all(plain)
        && (1..=LONGEST).contains(&header.value.len())
}

impl Entry for Fingerprint {
    const WHAT: &'static str = "a fingerprint";

    fn check(&mut self, node: &Node, _: &Ports, problems: &mut Vec<Problem>) {
        let at = |key: &str| node.child(key).map_or(node.at, |child| child.at);
        // A role is proved by reading alone.
        let reading = [Verb::Get.name(), Verb::Head.name()];
        if !reading.contains(&self.verb.name()) {
            let text = format!("`verb` is `{}`, which proves no role", self.verb);
            problems.push(
                Problem::error("unknown-word", at("verb"), text)
                    .hint(choices(self.verb.name(), reading)),
            );
        }
        if let Some(drives) = node.child("drives") {
            self.drives = yaml::drives(drives, "`drives`", problems);
        }
        let plain = |c: char| c.is_ascii_graphic() && c != '#';
        let path = &self.path;
        if !path.starts_with('/') || !path.chars().all(plain) || path.len() > LONGEST {
            problems.push(
                Problem::error("bad-path", at("path"), format!("`{path}` is no path")).hint(
                    "a path begins with `/` and has neither spaces nor `#`; write others as in %20",
                ),
            );
        } else if path.contains(DRIVE) == self.drives.is_empty() {
            let text = format!("`{path}` and `drives` do not fit");
            problems
                .push(Problem::error("bad-path", node.at, text).hint(
                    "a path with `{drive}` has `drives: [C, D]` beside it, and no other has",
                ));
        }
        let statuses = self.answers.iter().flat_map(|answer| &answer.status);
        for status in statuses.filter(|status| !(200..=599).contains(*status)) {
            problems.push(Problem::error(
                "bad-status",
                at("answers"),
                format!("a status is a number from 200 to 599; this is {status}"),
            ));
        }
        // An unconfirmed path can show that something is there, and no more.
        let proves = self.answers.iter().any(|it| it.means != Meaning::Alive);
        if proves && self.confidence == Confidence::Unconfirmed {
            let text = format!("`{}` is unconfirmed and claims to prove something", self.id);
            problems.push(
                Problem::error("unconfirmed-proof", node.at, text)
                    .hint("its answers can mean `alive` only"),
            );
        }
    }

    fn out_of_place(&self, before: &[Self], at: Place) -> Option<Problem> {
        let of_role = before.iter().filter(|it| it.role == self.role).count();
        let text = format!(
            "`{}` has more than {MOST_FINGERPRINTS} fingerprints",
            self.role
        );
        (of_role == MOST_FINGERPRINTS).then(|| Problem::error("too-many-fingerprints", at, text))
    }
}

impl Entry for ClientError {
    const WHAT: &'static str = "a client error";
}

impl Entry for Topic {
    const WHAT: &'static str = "a topic";
}

impl Entry for Deaf {
    const WHAT: &'static str = "an entry of `cannot_learn`";
}

impl Entry for Property {
    const WHAT: &'static str = "a property";
}

impl Entry for ChangeStep {
    const WHAT: &'static str = "a step";

    fn check(&mut self, node: &Node, _: &Ports, problems: &mut Vec<Problem>) {
        for blank in blanks(&self.text).filter(|blank| !Self::BLANKS.contains(blank)) {
            let text = format!("`do` has the blank `{blank}`");
            problems.push(
                Problem::error("unknown-word", node.at, text)
                    .hint(format!("one of {}", Self::BLANKS.join(", "))),
            );
        }
        careful(&self.text, self.confidence, node, problems);
    }

    fn out_of_place(&self, before: &[Self], at: Place) -> Option<Problem> {
        let is_late = before.last().is_some_and(|last| last.stage > self.stage);
        let text = format!("step `{}` stands after one of a later stage", self.id);
        is_late.then(|| {
            Problem::error("step-out-of-order", at, text)
                .hint("the steps of one stage stand together: open, listen, move, close")
        })
    }
}

/// Everything in braces.
fn blanks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('{').filter_map(|(start, _)| {
        let end = text[start..].find('}')?;
        Some(&text[start..=start + end])
    })
}

/// What is unconfirmed says so in its own words, because no source stands beside it.
fn careful(text: &str, confidence: Confidence, node: &Node, problems: &mut Vec<Problem>) {
    let hedges = ["usually", "Usually", "expected"];
    if confidence == Confidence::Unconfirmed && !hedges.iter().any(|hedge| text.contains(hedge)) {
        problems.push(
            Problem::error(
                "too-sure",
                node.at,
                "an unconfirmed entry speaks as if it were known",
            )
            .hint("say that it is `usually` so, or `expected`"),
        );
    }
}

impl Entry for ClientStep {
    const WHAT: &'static str = "a step of a client";

    fn check(&mut self, node: &Node, _: &Ports, problems: &mut Vec<Problem>) {
        if self.asks == Asks::Systems && self.roles.is_empty() {
            problems.push(Problem::error(
                "missing-key",
                node.at,
                "a step of a client has neither `roles` nor `asks`",
            ));
        }
        careful(&self.does, self.confidence, node, problems);
    }
}
