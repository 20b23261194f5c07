//! From the file to `Catalogue`: serde reads the entries, and what hangs together is checked here and in `check`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};

use super::format::{LISTS, SCHEMA, example};
use super::{Catalogue, Confidence, Keys, PortChange, PortName, extends};
use crate::diagnostic::{Place, Problem, choices, has_errors};
use crate::yaml::{self, Fields, Node, Value};

/// An entry of one of the lists.
pub(super) trait Entry: DeserializeOwned {
    /// What it is in a sentence.
    const WHAT: &'static str;

    /// Reports what no type can tell, and reads what serde left out.
    fn check(&mut self, _: &Node, _: &Ports, _: &mut Vec<Problem>) {}

    /// What is wrong with its standing after others.
    fn out_of_place(&self, _before: &[Self], _at: Place) -> Option<Problem> {
        None
    }
}

/// The ports that the file defines, by name.
pub(super) type Ports = BTreeMap<String, PortName>;

type Sources = BTreeMap<String, String>;

pub(super) fn read(bytes: &[u8]) -> Result<Catalogue, Vec<Problem>> {
    let root = yaml::parse(bytes).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let catalogue = file(&root, &mut problems);
    problems.sort_by_key(|problem| problem.at);
    match catalogue {
        Some(catalogue) if !has_errors(&problems) => Ok(catalogue),
        _ => Err(problems),
    }
}

fn file(root: &Node, problems: &mut Vec<Problem>) -> Option<Catalogue> {
    let mut keys = vec![
        "schema",
        "product",
        "name",
        "extends",
        "keys",
        "sources",
        "ports",
        "watchlist",
        "port_change",
    ];
    keys.extend(LISTS);
    let fields = Fields::of(root, "the catalogue", &keys, problems)?;
    let need = |key, problems: &mut Vec<Problem>| fields.need(key, example(key), problems);
    let schema = need("schema", problems);
    let schema = schema.and_then(|node| yaml::text(node, "`schema`", problems));
    if let Some(schema) = schema.filter(|schema| schema.value != SCHEMA) {
        let text = format!("`schema` is `{}`", schema.value);
        problems.push(
            Problem::error("unknown-word", schema.at, text)
                .hint(format!("this version reads `{SCHEMA}`")),
        );
    }
    let product = need("product", problems);
    let product = product.and_then(|node| yaml::text(node, "`product`", problems));
    let keys = fields.get("keys");
    let keys = keys.map(|node| yaml::typed::<Keys>(node, "`keys`", example, problems));
    let sources: Sources = named(
        fields.get("sources"),
        "`sources`",
        problems,
        |_, text, problems| yaml::text(text, "a source", problems).map(|text| text.value),
    );
    let base = fields.get("extends");
    let base = base.and_then(|node| extends::taken(node, problems));
    let mut ports: Ports = named(need("ports", problems), "`ports`", problems, port);
    let taken = base.iter().flat_map(|base| &base.ports);
    for (name, port) in taken {
        ports.entry(name.clone()).or_insert_with(|| port.clone());
    }
    let watchlist = match base {
        Some(_) => fields.get("watchlist"),
        None => need("watchlist", problems),
    };
    let watchlist = watchlist.map(|node| known_ports(node, &ports, problems));
    need("rules", problems);
    let mut lists = Lists {
        fields: &fields,
        sources: &sources,
        ports: &ports,
        problems,
    };
    let own = Catalogue {
        services: lists.entries("services"),
        rules: lists.entries("rules"),
        unplanned: lists.entries("unplanned"),
        passes: lists.entries("passes"),
        fingerprints: lists.entries("fingerprints"),
        client_errors: lists.entries("client_errors"),
        client_order: lists.entries("client_order"),
        topics: lists.entries("topics"),
        port_change: port_change(&mut lists),
        product: product?.value,
        keys: keys.map(Option::unwrap_or_default),
        watchlist: match (&base, watchlist) {
            (Some(_), None) => Vec::new(),
            (_, own) => own?,
        },
        ports,
    };
    let (Some(base), Some(extends)) = (base, fields.get("extends")) else {
        return Some(own);
    };
    base.report_twice(&own, extends.at, problems);
    Some(own.after(base))
}

fn port_change(lists: &mut Lists<'_>) -> PortChange {
    let fields = lists.fields.get("port_change").and_then(|node| {
        let keys = &["steps", "cannot_learn", "properties"];
        Fields::of(node, "`port_change`", keys, lists.problems)
    });
    let Some(fields) = &fields else {
        return PortChange::default();
    };
    let mut lists = Lists {
        fields,
        sources: lists.sources,
        ports: lists.ports,
        problems: lists.problems,
    };
    PortChange {
        steps: lists.entries("steps"),
        cannot_learn: lists.entries("cannot_learn"),
        properties: lists.entries("properties"),
    }
}

/// Values under names of the file's own.
fn named<T>(
    node: Option<&Node>,
    what: &str,
    problems: &mut Vec<Problem>,
    read: impl Fn(&str, &Node, &mut Vec<Problem>) -> Option<T>,
) -> BTreeMap<String, T> {
    let fields = node.and_then(|node| Fields::named(node, what, problems));
    let all = fields.iter().flat_map(Fields::all);
    all.filter_map(|(name, node)| Some((name.value.to_string(), read(name.value, node, problems)?)))
        .collect()
}

fn port(name: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<PortName> {
    let what = format!("port `{name}`");
    let mut port: PortName = yaml::typed(node, &what, example, problems)?;
    let default = node.child("default").map(yaml::one_or_list);
    let default = default.unwrap_or_default().iter();
    let default = default.flat_map(|item| yaml::ports(item, &what, problems));
    port.default = default.map(|range| range.value).collect();
    if port.setting.is_none() && port.default.is_empty() {
        problems.push(Problem::error(
            "missing-key",
            node.at,
            format!("{what} has neither `default` nor `setting`"),
        ));
    }
    Some(port)
}

/// Names of ports, of which those that the file does not define are reported.
pub(super) fn known_ports(node: &Node, ports: &Ports, problems: &mut Vec<Problem>) -> Vec<String> {
    let items = yaml::one_or_list(node).iter();
    let names = items.filter_map(|item| yaml::text(item, "a port name", problems));
    let names: Vec<_> = names.collect();
    for name in names.iter().filter(|name| !ports.contains_key(&name.value)) {
        let text = format!("`ports` does not define `{}`", name.value);
        let known = ports.keys().map(String::as_str);
        problems.push(
            Problem::error("unknown-port-name", name.at, text).hint(choices(&name.value, known)),
        );
    }
    names.into_iter().map(|name| name.value).collect()
}

/// The lists of a mapping, and what their entries refer to.
struct Lists<'a> {
    fields: &'a Fields<'a>,
    sources: &'a Sources,
    ports: &'a Ports,
    problems: &'a mut Vec<Problem>,
}

impl Lists<'_> {
    fn entries<T: Entry>(&mut self, key: &str) -> Vec<T> {
        let list = self.fields.get(key);
        let list = list.map(|node| yaml::list(node, &format!("`{key}`"), self.problems));
        let mut ids = BTreeSet::new();
        let mut entries = Vec::new();
        for node in list.unwrap_or_default() {
            self.unique(node, &mut ids);
            let node = self.cited(node, key != "rules");
            if let Some(mut entry) = yaml::typed::<T>(&node, T::WHAT, example, self.problems) {
                entry.check(&node, self.ports, self.problems);
                self.problems.extend(entry.out_of_place(&entries, node.at));
                entries.push(entry);
            }
        }
        entries
    }

    fn unique<'a>(&mut self, node: &'a Node, ids: &mut BTreeSet<&'a str>) {
        let id = node.child("id").and_then(Node::text);
        if let Some(id) = id.filter(|id| !ids.insert(id)) {
            self.problems.push(Problem::error(
                "duplicate-key",
                node.at,
                format!("two entries have the id `{id}`"),
            ));
        }
    }

    /// Puts the texts of sources in place of their keys; `false` where none are named.
    fn texts(&mut self, pairs: &mut [(Node, Node)]) -> bool {
        let mut pairs = pairs.iter_mut();
        let source = pairs.find(|(key, _)| key.text() == Some("source"));
        let Some((_, source)) = source else {
            return false;
        };
        let keys = yaml::one_or_list(source).iter();
        let keys = keys.filter_map(|item| yaml::text(item, "`source`", self.problems));
        let keys: Vec<_> = keys.collect();
        let known = |key: &&yaml::At<String>| self.sources.contains_key(&key.value);
        let unknown = keys.iter().filter(|key| !known(key)).map(|key| {
            let text = format!("`sources` does not define `{}`", key.value);
            Problem::error("unknown-source", key.at, text)
        });
        self.problems.extend(unknown);
        let texts = keys.iter().filter_map(|key| self.sources.get(&key.value));
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        // One that is not known is reported already.
        source.value = Value::Text(match texts.is_empty() {
            true => "unknown".to_string(),
            false => texts.join("; "),
        });
        true
    }

    /// The entry with the texts of its sources in place of their keys. Where it has to be `sure`, what is unconfirmed has
    /// no source, and everything else has one.
    fn cited(&mut self, node: &Node, sure: bool) -> Node {
        let mut node = node.clone();
        let confidence = node.child("confidence").cloned();
        let Value::Map(pairs) = &mut node.value else {
            return node;
        };
        let is_cited = self.texts(pairs);
        for (_, editions) in pairs
            .iter_mut()
            .filter(|(key, _)| key.text() == Some("editions"))
        {
            let Value::List(editions) = &mut editions.value else {
                continue;
            };
            for edition in editions {
                if let Value::Map(pairs) = &mut edition.value {
                    self.texts(pairs);
                }
            }
        }
        let Some(confidence) = confidence.filter(|_| sure) else {
            return node;
        };
        let is_unconfirmed = confidence.text() == Some(Confidence::Unconfirmed.name());
        if is_unconfirmed == is_cited {
            let text = match is_unconfirmed {
                true => "an unconfirmed entry names a source; what has one is not unconfirmed",
                false => "an entry names no `source`; what has none is unconfirmed",
            };
            let at = confidence.at;
            self.problems
                .push(Problem::error("confidence-without-source", at, text));
        }
        node
    }
}

/// For what is read elsewhere: serde passes over it.
pub(super) fn later<'de, D: Deserializer<'de>, T: Default>(from: D) -> Result<T, D::Error> {
    IgnoredAny::deserialize(from).map(|_| T::default())
}
