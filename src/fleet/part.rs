//! The part of a site file that one agent needs: the systems that its flows lead to, and no flows of others.
//!
//! What is left is a site file in the form of JSON, which is YAML too. Each value stands in the line in which it stood,
//! so that a finding and a report name the lines of the whole file. Whoever cuts compares the flows of both
//! (`same_flows`): a part that would lead to other flows is not used.

use crate::diagnostic::Problem;
use crate::plan::{self, Chosen, Plan};
use crate::site::Site;
use crate::yaml::{self, Node, Value};

/// Cuts a site file: of `systems` those that `keep` names stay, of `flows` and `agents` what begins at one of `starts`.
///
/// # Errors
/// When it is no YAML.
pub fn cut(file: &[u8], keep: &dyn Fn(&str) -> bool, starts: &[&str]) -> Result<String, Problem> {
    let mut node = yaml::parse(file)?;
    if let Value::Map(sections) = &mut node.value {
        for (key, value) in sections {
            match (key.text(), &mut value.value) {
                (Some("systems"), Value::Map(systems)) => {
                    systems.retain(|(name, _)| name.text().is_some_and(keep));
                }
                (Some("flows"), Value::List(flows)) => flows.retain(|flow| begins_at(flow, starts)),
                (Some("agents"), Value::Map(keys)) => leave_out_starts(keys, starts),
                _ => {}
            }
        }
    }
    let mut text = Text::default();
    text.node(&node);
    Ok(text.out + "\n")
}

/// Of the network of agents: where connections begin that are not of these starts.
fn leave_out_starts(keys: &mut Vec<(Node, Node)>, starts: &[&str]) {
    let is_known = |node: &Node| match &node.value {
        Value::Text(start) => starts.iter().any(|it| it.eq_ignore_ascii_case(start)),
        _ => true,
    };
    keys.retain(|(key, value)| key.text() != Some("hub") || is_known(value));
    for (key, value) in keys {
        if let (Some("from"), Value::List(from)) = (key.text(), &mut value.value) {
            from.retain(is_known);
        }
    }
}

fn begins_at(flow: &Node, starts: &[&str]) -> bool {
    let Value::Map(keys) = &flow.value else {
        return true;
    };
    let from = keys.iter().find(|(key, _)| key.text() == Some("from"));
    match from.map(|(_, value)| &value.value) {
        Some(Value::Text(start)) => starts.iter().any(|it| it.eq_ignore_ascii_case(start)),
        // Several starts, or what is no start: the reader says what is wrong.
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
        while self.line + 1 < node.at.line {
            self.out.push('\n');
            self.line += 1;
        }
        match &node.value {
            Value::Null | Value::Float => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Integer(value) => self.out.push_str(&value.to_string()),
            Value::Text(text) => self.text(text),
            Value::List(items) => {
                self.out.push('[');
                for (number, item) in items.iter().enumerate() {
                    self.separate(number);
                    self.node(item);
                }
                self.out.push(']');
            }
            Value::Map(pairs) => {
                self.out.push('{');
                for (number, (key, value)) in pairs.iter().enumerate() {
                    self.separate(number);
                    self.node(key);
                    self.out.push_str(": ");
                    self.node(value);
                }
                self.out.push('}');
            }
        }
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
        let part = cut(FILE.as_bytes(), &|_| true, &["a", "b"]).expect("YAML");
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
        let part = cut(file.as_bytes(), &|_| true, &["x", "a"]).expect("YAML");
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
        let part = cut(FILE.as_bytes(), &|name| name != "b", &["A"]).expect("YAML");
        let json: serde_json::Value = serde_json::from_str(&part).expect("JSON");
        assert_eq!(json["systems"]["c"]["zone"], "1");
        assert!(json["systems"].get("b").is_none());
        assert_eq!(
            json["flows"],
            serde_json::json!([{ "from": "a", "to": "b" }])
        );
    }
}
