//! From the tree to `Catalogue`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Catalogue, Condition, Confidence, End, Need, PortName, Protocol, Rule, Setting, Transport,
    read_change, read_errors, read_http, read_topics,
};
use crate::diagnostic::{Problem, choices, has_errors};
use crate::yaml::{self, Fields, Node, Value};

const SCHEMA: &str = "portproof.catalogue/1";
const RULE: &[&str] = &[
    "id",
    "from",
    "to",
    "transport",
    "port",
    "protocol",
    "when",
    "need",
    "confidence",
    "why",
    "breaks",
    "source",
];

pub(super) fn read(bytes: &[u8]) -> Result<Catalogue, Vec<Problem>> {
    let root = yaml::parse(bytes).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let catalogue = file(&root, &mut problems);
    match catalogue {
        Some(catalogue) if !has_errors(&problems) => Ok(catalogue),
        _ => Err(problems),
    }
}

fn file(root: &Node, problems: &mut Vec<Problem>) -> Option<Catalogue> {
    let fields = Fields::of(
        root,
        "the catalogue",
        &[
            "schema",
            "product",
            "name",
            "sources",
            "ports",
            "watchlist",
            "rules",
            "passes",
            "fingerprints",
            "client_errors",
            "port_change",
            "client_order",
            "topics",
        ],
        problems,
    )?;
    let schema = fields
        .need("schema", SCHEMA, problems)
        .and_then(|node| yaml::text(node, "`schema`", problems));
    if let Some(schema) = schema
        && schema.value != SCHEMA
    {
        problems.push(
            Problem::error(
                "unknown-word",
                schema.at,
                format!("`schema` is `{}`", schema.value),
            )
            .hint(format!("this version reads `{SCHEMA}`")),
        );
    }
    let product = fields
        .need("product", "configmgr-2007", problems)
        .and_then(|node| yaml::text(node, "`product`", problems))?;
    let sources = fields
        .get("sources")
        .map(|node| sources(node, problems))
        .unwrap_or_default();
    let ports = fields
        .need("ports", "ports: { smb: { default: 445 } }", problems)
        .map(|node| port_names(node, problems))
        .unwrap_or_default();
    let watchlist = fields
        .need("watchlist", "watchlist: [smb]", problems)
        .map(|node| known_ports(node, &ports, problems))
        .unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::new();
    for node in fields
        .need("rules", "rules: []", problems)
        .map(|node| yaml::list(node, "`rules`", problems))
        .unwrap_or_default()
    {
        let Some(rule) = rule(node, &sources, &ports, problems) else {
            continue;
        };
        rules.push(rule);
    }
    let entries = |key: &str, problems: &mut Vec<Problem>| {
        fields
            .get(key)
            .map(|node| yaml::list(node, &format!("`{key}`"), problems))
            .unwrap_or_default()
    };
    let passes = entries("passes", problems)
        .iter()
        .filter_map(|node| read_http::passes(node, &sources, problems))
        .collect();
    let fingerprints = entries("fingerprints", problems);
    let fingerprints = read_http::fingerprints(fingerprints, &sources, problems);
    let client_errors = entries("client_errors", problems)
        .iter()
        .filter_map(|node| read_errors::client_error(node, &sources, problems))
        .collect();
    let port_change = fields
        .get("port_change")
        .and_then(|node| read_change::port_change(node, &sources, problems))
        .unwrap_or_default();
    let client_order = entries("client_order", problems)
        .iter()
        .filter_map(|node| read_change::client_step(node, &sources, problems))
        .collect();
    let topics = entries("topics", problems)
        .iter()
        .filter_map(|node| read_topics::topic(node, &sources, problems))
        .collect();
    for key in [
        "rules",
        "passes",
        "fingerprints",
        "client_errors",
        "client_order",
        "topics",
    ] {
        unique_ids(entries(key, &mut Vec::new()), problems);
    }
    Some(Catalogue {
        product: product.value,
        ports,
        watchlist,
        rules,
        passes,
        fingerprints,
        client_errors,
        port_change,
        client_order,
        topics,
    })
}

/// Reports ids that stand twice in one list.
pub(super) fn unique_ids(nodes: &[Node], problems: &mut Vec<Problem>) {
    let mut known = BTreeSet::new();
    for node in nodes {
        let Value::Map(pairs) = &node.value else {
            continue;
        };
        let ids = pairs
            .iter()
            .filter_map(|(key, id)| match (&key.value, &id.value) {
                (Value::Text(key), Value::Text(id)) if key == "id" => Some(id),
                _ => None,
            });
        for id in ids {
            if !known.insert(id) {
                problems.push(Problem::error(
                    "duplicate-key",
                    node.at,
                    format!("two entries have the id `{id}`"),
                ));
            }
        }
    }
}

fn sources(node: &Node, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let Some(fields) = Fields::named(node, "`sources`", problems) else {
        return BTreeMap::new();
    };
    fields
        .all()
        .iter()
        .filter_map(|(key, node)| {
            Some((
                key.value.to_string(),
                yaml::text(node, "a source", problems)?.value,
            ))
        })
        .collect()
}

fn port_names(node: &Node, problems: &mut Vec<Problem>) -> BTreeMap<String, PortName> {
    let Some(fields) = Fields::named(node, "`ports`", problems) else {
        return BTreeMap::new();
    };
    fields
        .all()
        .iter()
        .filter_map(|(name, node)| {
            Some((
                name.value.to_string(),
                port_name(name.value, node, problems)?,
            ))
        })
        .collect()
}

fn port_name(name: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<PortName> {
    let owner = format!("port `{name}`");
    let fields = Fields::of(node, &owner, &["setting", "default", "note"], problems)?;
    let setting = fields.get("setting").and_then(|node| {
        yaml::word(
            node,
            &owner,
            "unknown-word",
            &pairs(Setting::ALL, Setting::name),
            problems,
        )
    });
    let default = fields
        .get("default")
        .map(yaml::one_or_list)
        .unwrap_or_default();
    let default = default
        .iter()
        .flat_map(|item| yaml::ports(item, &owner, problems))
        .map(|range| range.value)
        .collect::<Vec<_>>();
    if setting.is_none() && default.is_empty() {
        problems.push(Problem::error(
            "missing-key",
            node.at,
            format!("{owner} has neither `default` nor `setting`"),
        ));
    }
    Some(PortName {
        setting: setting.map(|setting| setting.value),
        default,
    })
}

pub(super) fn pairs<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|value| (name(*value), *value)).collect()
}

fn known_ports(
    node: &Node,
    ports: &BTreeMap<String, PortName>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut names = Vec::new();
    for item in yaml::one_or_list(node) {
        let Some(name) = yaml::text(item, "a port name", problems) else {
            continue;
        };
        if !ports.contains_key(&name.value) {
            problems.push(
                Problem::error(
                    "unknown-port-name",
                    name.at,
                    format!("`ports` does not define `{}`", name.value),
                )
                .hint(choices(&name.value, ports.keys().map(String::as_str))),
            );
        }
        names.push(name.value);
    }
    names
}

fn rule(
    node: &Node,
    sources: &BTreeMap<String, String>,
    ports: &BTreeMap<String, PortName>,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let fields = Fields::of(node, "a rule", RULE, problems)?;
    let sentence = |key: &str, problems: &mut Vec<Problem>| {
        fields
            .need(key, "a text", problems)
            .and_then(|node| yaml::text(node, &format!("`{key}`"), problems))
            .map(|text| text.value)
    };
    let (id, why, breaks) = (
        sentence("id", problems),
        sentence("why", problems),
        sentence("breaks", problems),
    );
    let ends = |key: &str, problems: &mut Vec<Problem>| {
        words(
            fields.need(key, "management-point", problems),
            key,
            &End::words(),
            problems,
        )
    };
    let (from, to) = (ends("from", problems), ends("to", problems));
    if let Some(wrong) = fields
        .get("to")
        .filter(|_| to.iter().any(|end| !end.is_system()))
    {
        problems.push(Problem::error(
            "unknown-word",
            wrong.at,
            "`to` names clients or zones; a rule leads to systems",
        ));
    }
    let transport = one(
        fields.need("transport", "tcp", problems),
        "transport",
        &pairs(Transport::ALL, Transport::name),
        problems,
    );
    let protocol = one(
        fields.need("protocol", "https", problems),
        "protocol",
        &pairs(Protocol::ALL, Protocol::name),
        problems,
    );
    let need = one(
        fields.need("need", "required", problems),
        "need",
        &pairs(Need::ALL, Need::name),
        problems,
    );
    let confidence = one(
        fields.need("confidence", "documented", problems),
        "confidence",
        &pairs(Confidence::ALL, Confidence::name),
        problems,
    );
    let when = words(
        fields.get("when"),
        "when",
        &pairs(Condition::ALL, Condition::name),
        problems,
    );
    let port_names = fields
        .need("port", "smb", problems)
        .map(|node| known_ports(node, ports, problems))
        .unwrap_or_default();
    let cited = cited(&fields, sources, problems);
    Some(Rule {
        id: id?,
        from,
        to,
        transport: transport?,
        ports: port_names,
        protocol: protocol?,
        when,
        need: need?,
        confidence: confidence?,
        why: why?,
        breaks: breaks?,
        source: cited.join("; "),
    })
}

/// The texts of the sources that an entry names.
fn cited(
    fields: &Fields<'_>,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut cited = Vec::new();
    for item in fields
        .get("source")
        .map(yaml::one_or_list)
        .unwrap_or_default()
    {
        let Some(key) = yaml::text(item, "`source`", problems) else {
            continue;
        };
        match sources.get(&key.value) {
            Some(text) => cited.push(text.clone()),
            None => problems.push(Problem::error(
                "unknown-source",
                key.at,
                format!("`sources` does not define `{}`", key.value),
            )),
        }
    }
    cited
}

/// How sure an entry is, and its sources: what is unconfirmed has none, everything else has one.
pub(super) fn citation(
    fields: &Fields<'_>,
    sources: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<(Confidence, String)> {
    let node = fields.need("confidence", "documented", problems)?;
    let known = pairs(Confidence::ALL, Confidence::name);
    let confidence = one(Some(node), "confidence", &known, problems)?;
    let cited = cited(fields, sources, problems);
    let is_unconfirmed = confidence == Confidence::Unconfirmed;
    if is_unconfirmed != fields.get("source").is_none() {
        let text = if is_unconfirmed {
            "an unconfirmed entry names a source; what has one is not unconfirmed"
        } else {
            "an entry names no `source`; what has none is unconfirmed"
        };
        problems.push(Problem::error("confidence-without-source", node.at, text));
    }
    Some((confidence, cited.join("; ")))
}

pub(super) fn one<T: Copy>(
    node: Option<&Node>,
    key: &str,
    known: &[(&'static str, T)],
    problems: &mut Vec<Problem>,
) -> Option<T> {
    yaml::word(node?, &format!("`{key}`"), "unknown-word", known, problems).map(|word| word.value)
}

pub(super) fn words<T: Copy>(
    node: Option<&Node>,
    key: &str,
    known: &[(&'static str, T)],
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    node.map(yaml::one_or_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| one(Some(item), key, known, problems))
        .collect()
}
