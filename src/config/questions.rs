//! The answers that a site file leaves open: `?` in the place of a value.
//!
//! `portproof import` writes a `?` where only the user knows, and anybody may. A file with one is refused with a
//! question that says what to write there. The JSON Schema of the key has the words of it.

use serde_json::Value as Json;

use super::keys::What;
use crate::diagnostic::Problem;
use crate::yaml::{Node, Value};

/// The most questions that are asked of a file.
const MOST: usize = 1_000;

/// The keys whose values name zones.
const OF_ZONES: [&str; 5] = ["zone", "also_in", "serves", "clients", "between"];

/// Whose keys carry names, and what each is called.
const NAMED: [(&str, &str); 3] = [
    ("zones", "zone"),
    ("firewalls", "firewall"),
    ("systems", "system"),
];

/// All questions of a file, in its order.
pub(super) fn of(root: &Node, schema: &Json) -> Vec<Problem> {
    let zones = match root.child("zones").map(|zones| &zones.value) {
        Some(Value::Map(pairs)) => pairs.iter().filter_map(|(name, _)| name.text()).collect(),
        _ => Vec::new(),
    };
    let mut asked = Asked {
        zones,
        all: Vec::new(),
    };
    asked.ask(root, schema, &Key::default(), &What::owner(""));
    asked.all
}

/// The key that a value belongs to.
#[derive(Clone, Copy, Default)]
struct Key<'a> {
    name: &'a str,
    /// What it is, as the schema has it.
    about: &'a str,
}

struct Asked<'a> {
    zones: Vec<&'a str>,
    all: Vec<Problem>,
}

impl<'a> Asked<'a> {
    fn ask(&mut self, node: &'a Node, schema: &'a Json, key: &Key<'a>, what: &What) {
        match &node.value {
            _ if self.all.len() >= MOST => {}
            _ if node.is_open() => self.all.push(self.question(node, schema, key, what)),
            Value::List(items) => {
                let below = part(schema, "items");
                items
                    .iter()
                    .for_each(|item| self.ask(item, below, key, what));
            }
            Value::Map(pairs) => {
                let (known, own) = (
                    part(schema, "properties"),
                    part(schema, "additionalProperties"),
                );
                for (name, value) in pairs {
                    let name = name.text().unwrap_or_default();
                    let below = known.get(name).unwrap_or(own);
                    let of_names = NAMED.iter().find(|(section, _)| *section == key.name);
                    let key = match below["description"].as_str() {
                        Some(about) => Key { name, about },
                        None => *key,
                    };
                    let what = match of_names {
                        Some((_, one)) if known.is_null() => What::owner(format!("{one} `{name}`")),
                        _ => what.key(name),
                    };
                    self.ask(value, below, &key, &what);
                }
            }
            _ => {}
        }
    }

    fn question(&self, node: &Node, schema: &Json, key: &Key<'_>, what: &What) -> Problem {
        let mut words = Vec::new();
        words_of(schema, &mut words);
        if OF_ZONES.contains(&key.name) {
            words.extend(&self.zones);
        }
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let answer = match words.is_empty() {
            true => "the answer".to_string(),
            false => format!("one of {}", words.join(", ")),
        };
        Problem::question("unanswered", node.at, format!("what is {what}?")).hint(
            format!("write {answer} in the place of the `?`. {}", key.about)
                .trim()
                .to_string(),
        )
    }
}

/// A part of a schema, or of one of the schemas that it is any of; nothing where there is none.
fn part<'a>(schema: &'a Json, name: &str) -> &'a Json {
    let any = schema["anyOf"].as_array().into_iter().flatten();
    let mut all = std::iter::once(schema).chain(any);
    all.find_map(|it| it.get(name)).unwrap_or(&Json::Null)
}

/// The words that a value may be.
fn words_of<'a>(schema: &'a Json, words: &mut Vec<&'a str>) {
    let listed = schema["enum"].as_array().into_iter().flatten();
    words.extend(listed.filter_map(Json::as_str));
    for any in schema["anyOf"].as_array().into_iter().flatten() {
        words_of(any, words);
    }
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::diagnostic::Severity;

    /// The questions of a file, each with what would answer it.
    fn asked(text: &str) -> Vec<(String, String)> {
        let (config, problems) = config::read(text.as_bytes());
        assert!(config.is_none(), "{text}");
        let all = problems.into_iter().map(|it| {
            assert_eq!(it.severity, Severity::Question, "{}", it.message);
            assert_eq!(it.code, "unanswered");
            (it.message, it.hint.unwrap_or_default())
        });
        all.collect()
    }

    #[test]
    fn each_open_value_is_a_question_that_names_its_key_and_its_answers() {
        let asked = asked(
            "site: { code: \"?\", product: \"?\", cmg: { name: \"?\" } }\n\
             zones: { internet: {}, inside: { networks: [\"?\"] } }\n\
             firewalls: { front: { between: [internet, \"?\"] } }\n\
             clients: \"?\"\n\
             systems:\n  a: { zone: '?', names: { inside: \"?\" }, roles: [\"?\"], client_connections: \"?\" }\n\
             probing: { attempts: \"?\" }\n",
        );
        let what: Vec<&str> = asked.iter().map(|(message, _)| message.as_str()).collect();
        assert_eq!(
            what,
            [
                "what is `site.code`?",
                "what is `site.product`?",
                "what is `site.cmg.name`?",
                "what is `networks` of zone `inside`?",
                "what is `between` of firewall `front`?",
                "what is `clients`?",
                "what is `zone` of system `a`?",
                "what is `names.inside` of system `a`?",
                "what is `roles` of system `a`?",
                "what is `client_connections` of system `a`?",
                "what is `probing.attempts`?",
            ]
        );
        let hint = |message: &str| {
            let found = asked.iter().find(|(said, _)| said.contains(message));
            found.expect(message).1.as_str()
        };
        for (of, says) in [
            ("site.product", "The product: `configmgr-2007`, "),
            (
                "zone` of system",
                "write one of `internet`, `inside` in the place of the `?`. The zone where it stands.",
            ),
            ("between", "one of `internet`, `inside`"),
            ("roles", "`management-point`"),
            (
                "client_connections",
                "one of `https`, `http`, `enhanced-http` in",
            ),
            (
                "networks",
                "write the answer in the place of the `?`. One network or a list.",
            ),
            ("names.inside", "Host names by the zone that asks"),
            ("attempts", "`auto`"),
        ] {
            assert!(hint(of).contains(says), "{of}: {}", hint(of));
        }
    }

    #[test]
    fn other_findings_come_when_all_is_answered() {
        let asked = asked("site: { code: \"?\", prodct: x }\n");
        assert_eq!(asked.len(), 1, "{asked:?}");
        let text = "site: { code: \"??\", product: configmgr-2007 }\n";
        let (config, problems) = config::read(text.as_bytes());
        assert!(config.is_some());
        assert!(problems.iter().all(|it| it.severity == Severity::Error));
    }

    #[test]
    fn a_question_mark_without_quotes_is_understood_too() {
        for text in [
            "site:\n  code: PRI\nsystems:\n  a:\n    zone: ?\n    roles: [dns]\n",
            "systems:\n  a:\n    zone: ?   # where?\n",
            "clients: [?]\n",
            "clients: [ ? ]\n",
            "clients: [internet, ?]\n",
            "systems: { a: { zone: ?, roles: [dns] } }\n",
            "systems: { a: { roles: [dns], zone: ? } }\n",
            "clients: ?",
        ] {
            let asked = asked(text);
            assert_eq!(asked.len(), 1, "{text}: {asked:?}");
        }
    }

    #[test]
    fn questions_without_end_end() {
        let many = format!("clients: [{}\"?\"]\n", "\"?\",".repeat(5_000));
        assert_eq!(asked(&many).len(), super::MOST);
    }
}
