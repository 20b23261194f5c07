//! One host by two names: some exports say `cm01`, others `cm01.corp.example`.
//!
//! The two become one system where exactly one full name begins with the short one, and nothing that they say contradicts.
//! Else both stay, and the file says at the short one what it may be.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::fact::Fact;
use super::system::{System, is_full};
use crate::diagnostic::some_of;

/// The most hosts that a comment names.
const MOST_NAMED: usize = 3;

/// Joins what is one host.
pub(super) fn joined(mut systems: BTreeMap<String, System>) -> Vec<System> {
    let hosts = systems.keys().filter(|host| !is_full(host));
    let shorts: Vec<String> = hosts.cloned().collect();
    for short in shorts {
        let full = full_names(&systems, &short);
        let Some(mut other) = systems.remove(&short) else {
            continue;
        };
        let one = match &full[..] {
            [one] => systems.get_mut(one),
            _ => None,
        };
        let against = one.as_deref().and_then(|one| contradiction(one, &other));
        match (one, against) {
            (Some(one), None) => {
                one.take_over(other);
                continue;
            }
            (Some(one), Some(what)) => {
                other.may_be = Some(format!("{}, whose {what} is another", one.host));
            }
            (None, _) if full.is_empty() => {}
            (None, _) => other.may_be = Some(format!("one of {}", some_of(&full, MOST_NAMED))),
        }
        systems.insert(short, other);
    }
    systems.into_values().collect()
}

/// The full names that begin with a short one.
fn full_names(systems: &BTreeMap<String, System>, short: &str) -> Vec<String> {
    let begins = format!("{short}.");
    let from = systems.range(begins.clone()..).map(|(host, _)| host);
    from.take_while(|host| host.starts_with(&begins))
        .cloned()
        .collect()
}

/// What two hosts say differently, in a few words.
fn contradiction(one: &System, other: &System) -> Option<&'static str> {
    let name = one.inside.one().filter(|name| is_full(name));
    let name = name.unwrap_or(&one.host);
    let others = other.inside.one().filter(|name| is_full(name));
    let mut common = one.addresses.iter().map(|(address, _)| address);
    let is_elsewhere = !one.addresses.is_empty()
        && !other.addresses.is_empty()
        && !common.any(|it| other.addresses.iter().any(|(known, _)| known == it));
    let all = [
        (others.is_some_and(|it| it != name), "full name"),
        (is_elsewhere, "address"),
        (differ(&one.public, &other.public), "name in the Internet"),
        (differ(&one.speaks, &other.speaks), "protocol of clients"),
        (
            differ(&one.updates_speak, &other.updates_speak),
            "protocol of updates",
        ),
        (
            differ(&one.updates.http, &other.updates.http)
                || differ(&one.updates.https, &other.updates.https),
            "pair of update ports",
        ),
        (differ(&one.forest, &other.forest), "forest"),
    ];
    let found = all.into_iter().find(|(differs, _)| *differs);
    found.map(|(_, what)| what)
}

/// Whether both say something, and not the same.
fn differ<T: PartialEq + Display>(one: &Fact<T>, other: &Fact<T>) -> bool {
    one.is_said() && other.is_said() && one.one() != other.one()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::import::{Asked, Known, read, text};

    /// A role of a server, with one property.
    fn role(name: &str, host: &str, property: (&str, i64, &str)) -> Value {
        let (of, number, text) = property;
        json!({
            "__CLASS": "SMS_SCI_SysResUse", "RoleName": name, "NetworkOSPath": format!("\\\\{host}"), "SiteCode": "PRI",
            "Props": [{ "PropertyName": of, "Value": number, "Value1": text, "Value2": "" }]
        })
    }

    /// The written file, and the warnings.
    fn written(roles: Vec<Value>) -> (String, String) {
        let export = read("x.json", Value::from(roles).to_string().as_bytes());
        let export = export.expect("an export");
        let known = Known::of(&[export], &Asked::default()).expect("a site");
        (text(&known).text, known.warnings.join("\n"))
    }

    const SCP: &str = "SMS Dmp Connector";
    const MP: &str = "SMS Management Point";
    const NOTHING: (&str, i64, &str) = ("Unused", 0, "");

    #[test]
    fn a_short_name_and_the_one_full_name_that_begins_with_it_are_one_system() {
        let (file, warnings) = written(vec![
            role(SCP, "CM01", ("Server Remote Name", 0, "CM01")),
            role(MP, "cm01.corp.example", ("SslState", 63, "")),
            role(MP, "cm011.corp.example", ("SslState", 63, "")),
        ]);
        assert!(
            file.contains("roles: [management-point, service-connection-point]"),
            "{file}"
        );
        assert!(file.contains("# Other exports name it cm01.\n"), "{file}");
        assert_eq!(file.matches("    zone: ").count(), 2, "{file}");
        assert!(file.contains("default: cm01.corp.example"), "{file}");
        assert_eq!(warnings, "");
    }

    #[test]
    fn what_contradicts_or_may_be_several_stays_apart_and_is_told() {
        let of_other_way = vec![
            role(SCP, "cm01", NOTHING),
            role(MP, "cm01", ("SslState", 0, "")),
            role(MP, "cm01.corp.example", ("SslState", 63, "")),
        ];
        let of_other_name = vec![
            role(SCP, "cm01", ("Server Remote Name", 0, "cm01.lab.example")),
            role(MP, "cm01.corp.example", NOTHING),
        ];
        let of_several = vec![
            role(SCP, "cm01", NOTHING),
            role(MP, "cm01.corp.example", NOTHING),
            role(MP, "cm01.lab.example", NOTHING),
        ];
        for (roles, systems, may_be) in [
            (
                of_other_way,
                2,
                "cm01.corp.example, whose protocol of clients is another",
            ),
            (
                of_other_name,
                2,
                "cm01.corp.example, whose full name is another",
            ),
            (of_several, 3, "one of cm01.corp.example, cm01.lab.example"),
        ] {
            let (file, warnings) = written(roles);
            assert_eq!(file.matches("    zone: ").count(), systems, "{file}");
            let comment =
                format!("# It may be the same host as {may_be}: if so, make one system of both.");
            assert_eq!(file.matches(&comment).count(), 1, "{file}");
            assert_eq!(
                warnings,
                format!("the server cm01 may be the same as {may_be}")
            );
        }
    }

    #[test]
    fn a_pull_distribution_point_finds_its_source_by_either_name() {
        let mut pull = role(
            "SMS Distribution Point",
            "dp02.corp.example",
            ("IsPullDP", 1, ""),
        );
        pull["PropLists"] =
            json!([{ "PropertyListName": "SourceDistributionPoints", "Values": ["\\\\dp01\\"] }]);
        let (file, _) = written(vec![
            pull,
            role("SMS Distribution Point", "dp01", NOTHING),
            role(SCP, "dp01.corp.example", NOTHING),
        ]);
        assert!(file.contains("pulls_from: [dp01]"), "{file}");
    }
}
