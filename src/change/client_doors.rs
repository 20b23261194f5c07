//! The flows of clients at changing ports, of the old file and of the new: what a run asks to tell who reaches what.

use std::collections::BTreeSet;

use super::numbers::settings;
use super::{Side, Union};
use crate::plan::{self, Flow, Target};
use crate::product::{Catalogue, Need, Role, Setting};
use crate::site::{Origin, ZoneId};
use crate::words::words;

words! {
    /// Which of the two files a number or a flow is of.
    Of {
        /// The old one.
        Old = "old",
        /// The new one.
        New = "new",
        /// Both.
        Both = "both",
    }
}

impl Of {
    /// Whether it is of the old file, or of both.
    pub fn is_old(self) -> bool {
        self != Self::New
    }

    /// Whether it is of the new file, or of both.
    pub fn is_new(self) -> bool {
        self != Self::Old
    }
}

/// A flow that clients use, as one of the files or both have it.
#[derive(Clone, Debug)]
pub struct ClientDoor {
    /// The flow in the joined site. It is required, because those clients need it.
    pub flow: Flow,
    /// Whose it is.
    pub of: Of,
    /// The roles at its end.
    pub roles: BTreeSet<Role>,
    /// Whether its port is one of the client request ports.
    pub is_client_port: bool,
    /// Whether its port is an update point's; it may be both.
    pub is_update_port: bool,
}

/// The flows that clients of a zone of the joined site use at client request ports and at update points' pairs.
pub fn client_doors(
    old: &Side<'_>,
    new: &Side<'_>,
    catalogue: &Catalogue,
    union: &Union,
    zone: ZoneId,
) -> Vec<ClientDoor> {
    let mut all = of_side(new, catalogue, zone, Of::New);
    let name = &new.site.zones[zone].name;
    let old_zone = old.site.zones.iter().position(|it| it.name == *name);
    let theirs = old_zone
        .map(|zone| of_side(old, catalogue, zone, Of::Old))
        .unwrap_or_default();
    for mut one in theirs {
        let Target::System(system) = one.flow.to else {
            continue;
        };
        let Some(system) = union.systems[system] else {
            continue;
        };
        one.flow.from = Origin::Zone(zone);
        one.flow.to = Target::System(system);
        let door = |used: &ClientDoor| (used.flow.to.clone(), used.flow.port, used.flow.protocol);
        let same = all
            .iter_mut()
            .find(|other| door(other) == door(&one) && other.roles == one.roles);
        match same {
            Some(other) => other.of = Of::Both,
            None => all.push(one),
        }
    }
    all
}

fn of_side(side: &Side<'_>, catalogue: &Catalogue, zone: ZoneId, of: Of) -> Vec<ClientDoor> {
    if !side.site.clients.contains(&zone) {
        return Vec::new();
    }
    let theirs = side.plan.flows.iter();
    let theirs = theirs.filter(|flow| {
        flow.from == Origin::Zone(zone)
            && flow.need != Need::Forbidden
            && is_required_by_a_rule(catalogue, flow)
    });
    theirs
        .filter_map(|flow| {
            let settings = settings(catalogue, flow);
            let has = |of: &[Setting]| of.iter().any(|setting| settings.contains(setting));
            let is_client_port = has(&[Setting::ClientHttp, Setting::ClientHttps]);
            let is_update_port = has(&[Setting::SoftwareUpdateHttp, Setting::SoftwareUpdateHttps]);
            (is_client_port || is_update_port).then(|| ClientDoor {
                flow: Flow {
                    need: Need::Required,
                    ..flow.clone()
                },
                of,
                roles: plan::roles(side.site, catalogue, flow),
                is_client_port,
                is_update_port,
            })
        })
        .collect()
}

/// Whether a flow is no more than optional only because few clients are left at its number.
fn is_required_by_a_rule(catalogue: &Catalogue, flow: &Flow) -> bool {
    let made = |id: &String| catalogue.rules.iter().find(|rule| rule.id == *id);
    let mut rules = flow.reason.rules.iter().filter_map(made);
    flow.need == Need::Required || rules.any(|rule| rule.planned_need() == Need::Required)
}
