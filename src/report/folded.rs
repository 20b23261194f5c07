//! Ids of flows that differ only in the port, as one: `internet>ibs01:{21-23, 25}/tcp`.

use std::collections::{BTreeSet, HashMap};

use super::ranges;
use crate::site::{FlowId, IdPort};

/// Ids that lead from one start to one end.
struct Group<'a> {
    /// The first of them.
    id: &'a str,
    /// What stands before and behind the port; `None` of an id that stands alone.
    around: Option<(&'a str, &'a str)>,
    ports: BTreeSet<u16>,
    /// Ranges that stand in one id.
    spans: BTreeSet<String>,
}

/// Ids, folded where they differ only in the port, in the order in which the first of each comes.
pub(super) fn folded<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places = HashMap::new();
    for id in ids {
        let parts = parts(id);
        let key = parts.as_ref().map(|(around, _)| *around);
        let at = match key {
            Some(key) => *places.entry(key).or_insert(groups.len()),
            None => groups.len(),
        };
        if at == groups.len() {
            groups.push(Group {
                id,
                around: key,
                ports: BTreeSet::new(),
                spans: BTreeSet::new(),
            });
        }
        if let Some((_, port)) = parts {
            match port.parse() {
                Ok(port) => groups[at].ports.insert(port),
                Err(_) => groups[at].spans.insert(port.to_string()),
            };
        }
    }
    groups.iter().map(Group::written).collect()
}

impl Group<'_> {
    fn written(&self) -> String {
        match self.around {
            Some((before, behind)) if self.ports.len() + self.spans.len() > 1 => {
                let ports = listed(&self.ports, &self.spans);
                format!("{before}:{{{ports}}}/{behind}")
            }
            _ => self.id.to_string(),
        }
    }
}

/// Ports as a list to be read: `21-23, 25`. Ranges that stand for themselves come last.
pub(super) fn listed(ports: &BTreeSet<u16>, spans: &BTreeSet<String>) -> String {
    let ports: Vec<u16> = ports.iter().copied().collect();
    let ports = ranges::written(&ports).replace(',', ", ");
    let ports = Some(ports.as_str()).filter(|it| !it.is_empty());
    let spans = spans.iter().map(String::as_str);
    ports
        .into_iter()
        .chain(spans)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What stands around the port of an id, and the port; `None` where there is none.
fn parts(id: &str) -> Option<((&str, &str), &str)> {
    let port = FlowId::parse(id)?.port;
    let (before, service) = id.rsplit_once(':')?;
    let (port_text, behind) = service.rsplit_once('/')?;
    match port {
        IdPort::Ports(_) => Some(((before, behind), port_text)),
        IdPort::Swept => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_only_in_the_port_are_one() {
        let ids = [
            "internet>ibs01:443/tcp",
            "internet>cm01:1433/tcp",
            "internet>ibs01:21/tcp",
            "internet>ibs01:53/udp",
            "internet>ibs01:22/tcp",
            "internet>ibs01:49152-65535/tcp",
            "internet>ibs01:sweep/tcp",
            "internet>crl.[2001:db8::1]:80/tcp",
            "any\u{1b}thing",
        ];
        assert_eq!(
            folded(ids),
            [
                "internet>ibs01:{21-22, 443, 49152-65535}/tcp",
                "internet>cm01:1433/tcp",
                "internet>ibs01:53/udp",
                "internet>ibs01:sweep/tcp",
                "internet>crl.[2001:db8::1]:80/tcp",
                "any\u{1b}thing",
            ]
        );
    }
}
