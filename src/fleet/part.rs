//! The part of a site file that one agent needs: the systems that its flows lead to, and no flows of others.
//!
//! What is left is a site file in the form of JSON, which is YAML too. Each value stands in the line in which it stood,
//! so that a finding and a report name the lines of the whole file. Whoever cuts compares the flows of both
//! (`same_flows`): a part that would lead to other flows is not used.

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
        match &self.0.value {
            Value::Map(sections) => {
                text.go_to(&self.0);
                text.map(
                    sections.iter(),
                    &|text, key, value| match (key.text(), &value.value) {
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
                    },
                );
            }
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

/// JSON in given lines.
#[derive(Default)]
struct Text {
    out: String,
    line: usize,
}

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

    /// Goes on to the line of a node.
    fn go_to(&mut self, node: &Node) {
        while self.line + 1 < node.at.line {
            self.out.push('\n');
            self.line += 1;
        }
    }

    fn list<'a>(&mut self, items: impl Iterator<Item = &'a Node>) {
        self.out.push('[');
        for (number, item) in items.enumerate() {
            self.separate(number);
            self.node(item);
        }
        self.out.push(']');
    }

    fn map<'a>(
        &mut self,
        pairs: impl Iterator<Item = &'a (Node, Node)>,
        value_of: &dyn Fn(&mut Self, &Node, &Node),
    ) {
        self.out.push('{');
        for (number, (key, value)) in pairs.enumerate() {
            self.separate(number);
            self.node(key);
            self.out.push_str(": ");
            value_of(self, key, value);
        }
        self.out.push('}');
    }

    fn separate(&mut self, number: usize) {
        if number > 0 {
            self.out.push_str(", ");
        }
    }

    fn text(&mut self, text: &str) {
        self.out
            .push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A site, its flows, and those of them that start at one place.
pub(super) type Flows<'a> = (&'a Site, &'a Plan, &'a [Chosen]);

/// Whether the flows of one place are the same in a site and in a part of it, to the last word.
pub fn same_flows(whole: Flows<'_>, part: Flows<'_>, file: &str) -> bool {
    let entries = |(site, plan, chosen): Flows<'_>| {
        let entry = |chosen: &Chosen| {
            let entry = plan::entry(site, file, &plan.flows[chosen.flow]);
            let entry = serde_json::to_string(&entry).unwrap_or_default();
            format!("{entry} {:?}", chosen.owner)
        };
        let mut all: Vec<String> = chosen.iter().map(entry).collect();
        all.sort_unstable();
        all
    };
    entries(whole) == entries(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "site:\n  code: PRI\n\nsystems:\n  a: { zone: x, n: 1 }\n  b:\n    zone: y\n  c: { zone: \"1\", t: yes }\nflows:\n  - { from: a, to: b }\n  - { from: b, to: c }\n";

    #[test]
    fn every_value_stays_in_its_line() {
        let whole = Whole::parse(FILE.as_bytes()).expect("YAML");
        let part = whole.cut(&|_| true, &["a", "b"]);
        let lines = |text: &str| -> Vec<(usize, String)> {
            let mut found = Vec::new();
            walk(&yaml::parse(text.as_bytes()).expect("YAML"), &mut found);
            found
        };
        assert_eq!(lines(&part), lines(FILE));
    }

    #[test]
    fn of_the_network_of_agents_the_own_start_stays() {
        let file = "agents: { server: n, from: [x, y, a], hub: y }\n";
        let whole = Whole::parse(file.as_bytes()).expect("YAML");
        let part = whole.cut(&|_| true, &["x", "a"]);
        let json: serde_json::Value = serde_json::from_str(&part).expect("JSON");
        let left = serde_json::json!({ "server": "n", "from": ["x", "a"] });
        assert_eq!(json["agents"], left);
    }

    fn walk(node: &Node, found: &mut Vec<(usize, String)>) {
        match &node.value {
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    walk(key, found);
                    walk(value, found);
                }
            }
            Value::List(items) => items.iter().for_each(|item| walk(item, found)),
            other => found.push((node.at.line, format!("{other:?}"))),
        }
    }

    #[test]
    fn systems_and_flows_of_others_are_left_out() {
        let whole = Whole::parse(FILE.as_bytes()).expect("YAML");
        let part = whole.cut(&|name| name != "b", &["A"]);
        let json: serde_json::Value = serde_json::from_str(&part).expect("JSON");
        assert_eq!(json["systems"]["c"]["zone"], "1");
        assert!(json["systems"].get("b").is_none());
        assert_eq!(
            json["flows"],
            serde_json::json!([{ "from": "a", "to": "b" }])
        );
    }
}
