//! What opens, what closes, what stays otherwise, and what leads elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use super::document::{Closing, Elsewhere, Leads, Moves, Needed, Opening, Retired, Staying};
use super::numbers::{Number, Numbers, is_of, words};
use crate::config::Mode;
use crate::plan::{self, Destination, Flow};
use crate::product::{Catalogue, Need, Protocol};
use crate::site::Origin;

/// The console has two services of each kind.
const SERVICES: usize = 2;

type ById<'a> = BTreeMap<String, &'a Flow>;

fn by_id<'a>(side: &Side<'a>, keep: impl Fn(&Flow) -> bool) -> ById<'a> {
    let kept = side.plan.flows.iter().filter(|flow| keep(flow));
    kept.map(|flow| (plan::id(side.site, flow), flow)).collect()
}

fn needed<'a>(side: &Side<'a>) -> ById<'a> {
    by_id(side, |flow| flow.need != Need::Forbidden)
}

fn with(
    catalogue: &Catalogue,
    flow: &Flow,
    of_clients: &BTreeSet<Number>,
    of_update_points: &BTreeSet<Number>,
) -> Moves {
    match () {
        () if is_of(catalogue, flow, of_clients) => Moves::ClientPorts,
        () if is_of(catalogue, flow, of_update_points) => Moves::UpdatePorts,
        () => Moves::Other,
    }
}

pub(super) fn opens(
    old: &Side<'_>,
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: [&Numbers; 2],
) -> Vec<Opening> {
    let before = needed(old);
    needed_now(new, catalogue, numbers, |id| !before.contains_key(id))
}

/// Flows that both need, with what they now serve too.
pub(super) fn gains(
    old: &Side<'_>,
    new: &Side<'_>,
    catalogue: &Catalogue,
    numbers: [&Numbers; 2],
) -> Vec<Opening> {
    let before = needed(old);
    let mut all = needed_now(new, catalogue, numbers, |id| before.contains_key(id));
    all.retain(|it| it.of != Moves::Other);
    all
}

/// Flows that the new file needs, those of these ids, each with the added number that it serves.
fn needed_now(
    new: &Side<'_>,
    catalogue: &Catalogue,
    [clients, update_points]: [&Numbers; 2],
    is_meant: impl Fn(&str) -> bool,
) -> Vec<Opening> {
    let (clients, update_points) = (clients.added(), update_points.added());
    let meant = needed(new).into_iter().filter(|(id, _)| is_meant(id));
    let opening = |flow| Opening {
        flow: plan::entry(new.site, new.file, flow),
        of: with(catalogue, flow, &clients, &update_points),
    };
    meant.map(|(_, flow)| opening(flow)).collect()
}

pub(super) fn closes(
    old: &Side<'_>,
    new: &Side<'_>,
    catalogue: &Catalogue,
    [clients, update_points]: [&Numbers; 2],
) -> Vec<Closing> {
    let after = needed(new);
    let (clients, update_points) = (clients.removed(), update_points.removed());
    let mut gone = needed(old);
    gone.retain(|id, _| !after.contains_key(id));
    // What the new file plans there and does not need, it forbids.
    let ids = gone.keys().map(String::as_str);
    let forbidden = new.plan.known(new.site, ids.collect());
    let closing = |(id, flow): (&String, &&Flow)| Closing {
        flow: plan::entry(old.site, old.file, flow),
        of: with(catalogue, flow, &clients, &update_points),
        forbidden: forbidden.contains(id),
    };
    gone.iter().map(closing).collect()
}

pub(super) fn stays(old: &Side<'_>, new: &Side<'_>) -> Vec<Staying> {
    let why = |flow: &Flow| Needed {
        need: flow.need,
        protocol: flow.protocol,
        rules: flow.reason.rules.clone(),
    };
    let before = needed(old);
    let both = needed(new)
        .into_iter()
        .filter_map(|(id, flow)| Some((why(before.get(&id)?), why(flow), id)));
    both.filter(|(old, new, _)| old != new)
        .map(|(old, new, id)| Staying { id, old, new })
        .collect()
}

/// Flows that both need, for which a firewall needs other rules.
pub(super) fn elsewhere(old: &Side<'_>, new: &Side<'_>) -> Vec<Elsewhere> {
    let before = needed(old);
    let both = needed(new)
        .into_iter()
        .filter_map(|(id, flow)| Some((leads(old, before.get(&id)?), leads(new, flow), id)));
    both.filter(|(old, new, _)| old != new)
        .map(|(old, new, id)| Elsewhere { id, old, new })
        .collect()
}

fn leads(side: &Side<'_>, flow: &Flow) -> Leads {
    let entry = plan::entry(side.site, side.file, flow);
    let starts_at = match flow.from {
        Origin::System(system) => side.site.systems[system].addresses_for(flow.start(side.site)),
        Origin::Zone(_) => &[],
    };
    Leads {
        from: entry.from.zone,
        from_addresses: sorted(starts_at),
        to: Destination {
            addresses: sorted(&entry.to.addresses),
            ..entry.to
        },
        own_port: entry.own_port,
        ipsec: entry.ipsec,
        crosses: entry.crosses,
    }
}

/// The order in which a file gives addresses is no difference.
fn sorted<T: ToString>(addresses: &[T]) -> Vec<String> {
    let all: BTreeSet<String> = addresses.iter().map(ToString::to_string).collect();
    all.into_iter().collect()
}

/// Numbers that the new file no longer has.
pub(super) fn retire(new: &Side<'_>, clients: &Numbers) -> Vec<Retired> {
    let removed = clients.removed().into_iter();
    removed
        .map(|number| Retired {
            protocol: number.protocol(),
            port: number.port,
            declared: new
                .site
                .client_ports(number.retired())
                .contains(&number.port),
        })
        .collect()
}

/// What the two files together do not say.
pub(super) fn remarks(
    old: &Side<'_>,
    new: &Side<'_>,
    clients: &Numbers,
    retire: &[Retired],
) -> Vec<String> {
    let mut all = Vec::new();
    if old.site.code != new.site.code {
        all.push(format!(
            "The files are of two sites, {} and {}: what follows is no change of one site.",
            old.site.code, new.site.code
        ));
    }
    if old.site.settings.chosen::<Mode>() != new.site.settings.chosen() {
        all.push(
            "The mode changes too. The steps below are those of the ports alone, and what opens \
             and closes is of both."
                .to_string(),
        );
    }
    for tls in [false, true] {
        let of = |all: BTreeSet<Number>| -> BTreeSet<Number> {
            all.into_iter().filter(|number| number.tls == tls).collect()
        };
        let (added, removed) = (of(clients.added()), of(clients.removed()));
        if added.is_empty() || removed.is_empty() {
            continue;
        }
        let both: BTreeSet<Number> = of(&clients.before | &clients.after);
        all.push(between(&both));
    }
    for retired in retire.iter().filter(|retired| !retired.declared) {
        all.push(format!(
            "{} does not say that {port} has to be closed again: add `retired_client_ports: {{ {protocol}: [{port}] }}`.",
            new.file,
            port = retired.port,
            protocol = retired.protocol
        ));
    }
    all
}

/// The state between the two files.
fn between(both: &BTreeSet<Number>) -> String {
    let ports: Vec<String> = both.iter().map(|number| number.port.to_string()).collect();
    let protocol = both.first().map_or(Protocol::Https, Number::protocol);
    if both.len() > SERVICES {
        return format!(
            "{} cannot be active at once, because the console has {SERVICES} services of each \
             kind: go in two changes.",
            words(both)
        );
    }
    format!(
        "Between the two files both numbers are active: `client_ports: {{ {protocol}: [{}] }}`.",
        ports.join(", ")
    )
}
