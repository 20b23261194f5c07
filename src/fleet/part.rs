//! The part of a site file that one agent needs: the systems that its flows lead to, and no flows of others.
//!
//! What is left is a site file with brackets in the place of indentation. Each value stands in the line and column where it
//! stood. So a finding and a report name the places of the whole file. A column may be another one where a long word had no
//! quotes. Whoever cuts compares the flows of both (`same_flows`): a part that would lead to other flows is not used.

use crate::diagnostic::Problem;
use crate::plan::{self, Chosen, Plan};
use crate::site::Site;
use crate::yaml::{self, Node, Value};

/// A site file that is cut for many.
pub struct Whole(Node);

impl Whole {
    /// Reads it.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn parse(file: &[u8]) -> Result<Self, Problem> {
        yaml::parse(file).map(Self)
    }

    /// Cuts it: of `systems` those that `keep` names stay, of `flows` and `agents` what begins at one of `starts`.
    pub fn cut(&self, keep: &dyn Fn(&str) -> bool, starts: &[&str]) -> String {
        let mut text = Text::default();
        let section = |text: &mut Text, key: &Node, value: &Node| match (key.text(), &value.value) {
            (Some("systems"), Value::Map(systems)) => {
                text.go_to(value);
                let kept = systems.iter();
                let kept = kept.filter(|(name, _)| name.text().is_some_and(keep));
                text.map(kept, &|text, _, value| text.node(value));
            }
            (Some("flows"), Value::List(flows)) => {
                text.go_to(value);
                text.list(flows.iter().filter(|flow| begins_at(flow, starts)));
            }
            (Some("agents"), Value::Map(keys)) => {
                text.go_to(value);
                text.network(keys, starts);
            }
            _ => text.node(value),
        };
        match &self.0.value {
            // A bracket would take the column of the first section.
            Value::Map(sections) if sections.iter().all(|(key, _)| key.at.column == 1) => {
                for (key, value) in sections {
                    text.pair(key, value, &section);
                }
            }
            Value::Map(sections) => text.map(sections.iter(), &section),
            _ => text.node(&self.0),
        }
        text.out + "\n"
    }
}

fn begins_at(flow: &Node, starts: &[&str]) -> bool {
    let Value::Map(keys) = &flow.value else {
        return true;
    };
    let from = keys.iter().find(|(key, _)| key.text() == Some("from"));
    // Several starts, or what is no start: the reader says what is wrong.
    from.is_none_or(|(_, value)| is_one_of(value, starts))
}

/// Whether this is a start that stays, or no start at all.
fn is_one_of(node: &Node, starts: &[&str]) -> bool {
    match &node.value {
        Value::Text(start) => starts.iter().any(|it| it.eq_ignore_ascii_case(start)),
        _ => true,
    }
}

/// Values in given places.
#[derive(Default)]
struct Text {
    out: String,
    line: usize,
    /// Where the line begins.
    begins: usize,
}

/// What is written for a value that comes behind a key.
type Written<'a> = dyn Fn(&mut Text, &Node, &Node) + 'a;

impl Text {
    fn node(&mut self, node: &Node) {
        self.go_to(node);
        match &node.value {
            Value::Null | Value::Float => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Integer(value) => self.out.push_str(&value.to_string()),
            Value::Text(text) => self.text(text),
            Value::List(items) => self.list(items.iter()),
            Value::Map(pairs) => self.map(pairs.iter(), &|text, _, value| text.node(value)),
        }
    }

    /// The network of agents, without where connections begin that are not of these starts.
    fn network(&mut self, keys: &[(Node, Node)], starts: &[&str]) {
        let stays =
            |(key, value): &&(Node, Node)| key.text() != Some("hub") || is_one_of(value, starts);
        self.map(
            keys.iter().filter(stays),
            &|text, key, value| match (key.text(), &value.value) {
                (Some("from"), Value::List(from)) => {
                    text.go_to(value);
                    text.list(from.iter().filter(|it| is_one_of(it, starts)));
                }
                _ => text.node(value),
            },
        );
    }

    /// Goes on to the place of a node, as far as it is not behind it already.
    fn go_to(&mut self, node: &Node) {
        while self.line + 1 < node.at.line {
            self.out.push('\n');
            self.line += 1;
            self.begins = self.out.len();
        }
        let column = self.out[self.begins..].chars().count() + 1;
        // Without brackets of its own, a list or a map stands where its first item does.
        let begins = match first_of(node) {
            Some(first) if first == (node.at.line, node.at.column) => first.1 - 1,
            _ => node.at.column,
        };
        let missing = begins.saturating_sub(column);
        self.out.extend(std::iter::repeat_n(' ', missing));
    }

    fn list<'a>(&mut self, items: impl Iterator<Item = &'a Node>) {
        self.out.push('[');
        for (number, item) in items.enumerate() {
            self.separate(number);
            self.node(item);
        }
        self.out.push(']');
    }

    fn map<'a>(&mut self, pairs: impl Iterator<Item = &'a (Node, Node)>, written: &Written<'_>) {
        self.out.push('{');
        for (number, (key, value)) in pairs.enumerate() {
            self.separate(number);
            self.pair(key, value, written);
        }
        self.out.push('}');
    }

    fn pair(&mut self, key: &Node, value: &Node, written: &Written<'_>) {
        self.node(key);
        self.out.push_str(": ");
        written(self, key, value);
    }

    fn separate(&mut self, number: usize) {
        if number > 0 {
            self.out.push_str(", ");
        }
    }

    /// A word as it is where that is text to every reader of YAML, and in quotes where not.
    fn text(&mut self, text: &str) {
        match is_plain(text) {
            true => self.out.push_str(text),
            false => self
                .out
                .push_str(&serde_json::Value::from(text).to_string()),
        }
    }
}

/// The line and column of the first item of a list or a map.
fn first_of(node: &Node) -> Option<(usize, usize)> {
    match &node.value {
        Value::List(items) => items.first().map(|item| (item.at.line, item.at.column)),
        Value::Map(pairs) => pairs.first().map(|(key, _)| (key.at.line, key.at.column)),
        _ => None,
    }
}

/// Whether it needs no quotes: a name, an address, a network or a range of ports.
fn is_plain(text: &str) -> bool {
    const OTHER_THAN_TEXT: [&str; 9] =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !OTHER_THAN_TEXT
            .iter()
            .any(|it| text.eq_ignore_ascii_case(it));
    let is_number_like = text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || "./-".contains(c))
        && (text.contains(['/', '-']) || text.matches('.').count() > 1);
    is_name || is_number_like
}

/// A site, its flows, and those of them that start at one place.
pub(super) type Flows<'a> = (&'a Site, &'a Plan, &'a [Chosen]);

/// Whether the flows of one place are the same in a site and in a part of it, to the last word and line.
pub fn same_flows(whole: Flows<'_>, part: Flows<'_>, file: &str) -> bool {
    let entries = |(site, plan, chosen): Flows<'_>| {
        let entry = |chosen: &Chosen| {
            let mut entry = plan::entry(site, file, &plan.flows[chosen.flow]);
            entry.declared.column = 0;
            let entry = serde_json::to_string(&entry).unwrap_or_default();
            format!("{entry} {:?}", chosen.owner)
        };
        let mut all: Vec<String> = chosen.iter().map(entry).collect();
        all.sort_unstable();
        all
    };
    let (all, cut) = (entries(whole), entries(part));
    let other = all.iter().zip(&cut).find(|(one, other)| one != other);
    if let Some((one, other)) = other {
        tracing::debug!(one, other, "flows of the part are others");
    }
    all == cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "site:\n  code: PRI\n\nsystems:\n  a: { zone: x, m: 1 }\n  b:\n    zone: y\n    addresses: { default: [192.0.2.1, \"2001:db8::1\"] }\n  c: { zone: \"1\", \"t\": true, u: \"off\", v: 10.0.0.0/8 }\nflows:\n- { from: a, to: b }\n- from: b\n  to: c\n  why: what it is for\n";

    #[test]
    fn every_value_stays_in_its_place() {
        let whole = Whole::parse(FILE.as_bytes()).expect("YAML");
        let part = whole.cut(&|_| true, &["a", "b"]);
        let places = |text: &str| -> Vec<(usize, usize, String)> {
            let mut found = Vec::new();
            walk(&yaml::parse(text.as_bytes()).expect("YAML"), &mut found);
            found
        };
        assert_eq!(places(&part), places(FILE));
    }

    #[test]
    fn of_the_network_of_agents_the_own_start_stays() {
        let file = "agents: { server: n, from: [x, y, a], hub: y }\n";
        let whole = Whole::parse(file.as_bytes()).expect("YAML");
        let part = whole.cut(&|_| true, &["x", "a"]);
        let json: serde_json::Value = serde_yaml::from_str(&part).expect("YAML");
        let left = serde_json::json!({ "server": "n", "from": ["x", "a"] });
        assert_eq!(json["agents"], left);
    }

    fn walk(node: &Node, found: &mut Vec<(usize, usize, String)>) {
        match &node.value {
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    walk(key, found);
                    walk(value, found);
                }
            }
            Value::List(items) => {
                for item in items {
                    // A flow stands where it is an item.
                    found.push((item.at.line, 0, "item".to_string()));
                    walk(item, found);
                }
            }
            other => found.push((node.at.line, node.at.column, format!("{other:?}"))),
        }
    }

    #[test]
    fn systems_and_flows_of_others_are_left_out() {
        let whole = Whole::parse(FILE.as_bytes()).expect("YAML");
        let part = whole.cut(&|name| name != "b", &["A"]);
        let json: serde_json::Value = serde_yaml::from_str(&part).expect("YAML");
        assert_eq!(json["systems"]["c"]["zone"], "1");
        assert!(json["systems"].get("b").is_none());
        assert_eq!(
            json["flows"],
            serde_json::json!([{ "from": "a", "to": "b" }])
        );
    }
}
