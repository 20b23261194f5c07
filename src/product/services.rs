//! Services that are no system of the site file: the names under which they are reached.

use serde::Deserialize;

use super::read::{Entry, Ports};
use super::{Cloud, Confidence, Service};
use crate::diagnostic::Problem;
use crate::yaml::Node;

/// Stands for the name of the site's CMG.
pub const CMG: &str = "{cmg}";
/// Stands for the first label of that name, with which the names of its parts begin.
pub const PREFIX: &str = "{prefix}";
/// Stands for any labels in a name.
pub const ANY: &str = "*.";

/// A service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// Which one.
    pub id: Service,
    /// What it is in a few words.
    pub is: String,
    /// Its names.
    pub hosts: Vec<ServiceHost>,
    /// How sure the names are.
    pub confidence: Confidence,
    /// Where they are documented.
    #[serde(default)]
    pub source: String,
}

/// One name of a service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceHost {
    /// The name. It may begin with `*.`, and hold `{cmg}` or `{prefix}`.
    pub name: String,
    /// The cloud that has it; `None`: each.
    #[serde(default)]
    pub cloud: Option<Cloud>,
    /// A name that a name with `*.` stands for: this one is tried.
    #[serde(default)]
    pub tries: Option<String>,
}

impl Entry for ServiceEntry {
    const WHAT: &'static str = "a service";

    fn check(&mut self, node: &Node, _: &Ports, problems: &mut Vec<Problem>) {
        for host in &self.hosts {
            let plain = host.name.replace(CMG, "cmg.example").replace(PREFIX, "cmg");
            let name = plain.strip_prefix(ANY).unwrap_or(&plain);
            let tries = host.tries.as_deref().unwrap_or(name);
            if !is_host_name(name) || !is_host_name(tries) {
                let text = format!("`{}` is no name of a service", host.name);
                problems.push(Problem::error("bad-host-name", node.at, text).hint(
                    "letters, digits, hyphens and dots; `*.` may stand before it, and `{cmg}` or \
                     `{prefix}` in it",
                ));
            }
        }
    }
}

fn is_host_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.split('.')
        .all(|label| !label.is_empty() && label.chars().all(is_plain))
}
