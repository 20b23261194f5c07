//! What a report shows as blocked.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Plan, id};
use crate::product::Need;
use crate::report::ReportDocument;
use crate::site::Site;
use crate::verdict::{Cause, Remedy};

/// The flows that a report shows as required and blocked, those aside that an exception accepts.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    blocked: BTreeMap<String, Blocked>,
    /// In words, from where, when and with which site file it was tried.
    pub vantages: Vec<String>,
    /// The SHA-256 of each site file that it was tried with.
    pub config_sha256: Vec<String>,
}

#[derive(Clone, Debug)]
struct Blocked {
    cause: Cause,
    /// The firewalls that may have stopped it; none: any on the way.
    accused: Vec<String>,
    /// The ports to let through where they are others than the flow's: those that an endpoint mapper named.
    ports: Vec<u16>,
}

impl Missing {
    /// Takes what is blocked out of a report, of one vantage or of several joined; not what an exception accepts.
    pub fn of(report: &ReportDocument) -> Self {
        let required = report
            .flows
            .iter()
            .filter(|it| it.remedy() == Some(Remedy::Permit))
            .filter(|it| it.accepted.is_none());
        let blocked = required.map(|it| {
            let blocked = Blocked {
                cause: it.cause,
                accused: it.evidence.accused(),
                ports: it.ports_named_outside(),
            };
            (it.flow.id.clone(), blocked)
        });
        let vantages = report.vantages.iter().map(|vantage| {
            let system = vantage.system.as_ref();
            let system = system.map_or(String::new(), |system| format!(" as {system}"));
            format!(
                "from {}{system} (host {}, {}, site file sha256 {})",
                vantage.zone, vantage.host, vantage.started, vantage.config_sha256
            )
        });
        let hashes = report.vantages.iter().map(|it| it.config_sha256.clone());
        Self {
            blocked: blocked.collect(),
            vantages: vantages.collect(),
            config_sha256: hashes.collect(),
        }
    }

    /// Whether it was tried with another site file.
    pub fn is_of_another_file(&self, sha256: &str) -> bool {
        self.config_sha256.iter().any(|other| other != sha256)
    }

    /// The blocked flows that a plan does not require.
    pub fn unknown_to(&self, site: &Site, plan: &Plan) -> Vec<&str> {
        let ids = || self.blocked.keys().map(String::as_str);
        let known = plan.named(site, ids().collect());
        let required: BTreeSet<String> = known
            .filter(|(_, flow)| flow.need == Need::Required)
            .map(|(id, _)| id)
            .collect();
        ids().filter(|id| !required.contains(*id)).collect()
    }

    /// The blocked flows inside IPsec: no firewall sees them, and so no rule of one would let them through.
    pub fn inside_ipsec(&self, site: &Site, plan: &Plan) -> Vec<String> {
        let flows = plan.flows.iter();
        flows
            .filter(|flow| flow.is_inside_ipsec(site))
            .map(|flow| id(site, flow))
            .filter(|id| self.blocked.contains_key(id))
            .collect()
    }

    /// In words, what was seen of a flow; `None` where it was not blocked.
    pub(super) fn words(&self, id: &str) -> Option<String> {
        let blocked = self.blocked.get(id)?;
        let by = match blocked.accused.as_slice() {
            [] => String::new(),
            accused => format!(", at {}", accused.join(" or ")),
        };
        Some(format!("blocked, {}{by}", blocked.cause))
    }

    /// The ports to let through where they are others than the flow's; else empty.
    pub(super) fn ports(&self, id: &str) -> &[u16] {
        self.blocked.get(id).map_or(&[], |it| &it.ports)
    }

    /// Whether a firewall is known to have let a flow through: it stands before all that may have stopped it.
    pub(super) fn passed(&self, id: &str, way: &[&str], firewall: &str) -> bool {
        let accused = self.blocked.get(id).map_or(&[][..], |it| &it.accused);
        let may_stop = |name: &&str| accused.iter().any(|it| it == name);
        let Some(first) = way.iter().position(may_stop) else {
            return false;
        };
        way[..first].contains(&firewall)
    }
}
