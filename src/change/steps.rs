//! The catalogue's steps, in order, around the flows of a change.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use super::document::{Closing, Elsewhere, Leads, Moves, Opening, Retired, Step};
use super::numbers::{Numbers, words};
use crate::plan::{Destination, FlowEntry, Port};
use crate::product::{At, Catalogue, ChangeStep, Changed, Confidence, Role, Stage};
use crate::site::System;

/// The places of one step, each with its flows.
type Places = Vec<(Vec<String>, Vec<String>)>;

pub(super) fn steps(
    new: &Side<'_>,
    catalogue: &Catalogue,
    [clients, update_points]: [&Numbers; 2],
    (opens, gains, closes): (&[Opening], &[Opening], &[Closing]),
    elsewhere: &[Elsewhere],
    retire: &[Retired],
) -> Vec<Step> {
    let moving = Moving {
        new,
        opens: of_openings(opens),
        gains: of_openings(gains),
        closes: closes.iter().map(|it| (it.of, &it.flow)).collect(),
        elsewhere,
    };
    let mut all = moving.others(Stage::Open);
    all.extend(moving.elsewhere(Stage::Open));
    for step in &catalogue.port_change.steps {
        let (numbers, of) = match step.of.contains(&Changed::UpdatePorts) {
            true => (update_points, Moves::UpdatePorts),
            false => (clients, Moves::ClientPorts),
        };
        let numbers = match step.at {
            At::SharedUpdatePoint => moving.shared(&numbers.only(&step.of)),
            _ => numbers.only(&step.of),
        };
        let is_due = match step.stage {
            Stage::Open | Stage::Listen => !numbers.added().is_empty(),
            Stage::Move => !numbers.is_empty(),
            Stage::Close => !numbers.removed().is_empty(),
        };
        if is_due {
            let places = moving.places(step, &numbers, of);
            all.extend(
                places
                    .into_iter()
                    .map(|place| filled(step, &numbers, retire, place)),
            );
        }
    }
    all.extend(moving.elsewhere(Stage::Close));
    all.extend(moving.others(Stage::Close));
    for (place, step) in all.iter_mut().enumerate() {
        step.number = place + 1;
    }
    all
}

fn filled(
    step: &ChangeStep,
    numbers: &Numbers,
    retire: &[Retired],
    place: (Vec<String>, Vec<String>),
) -> Step {
    let text = step
        .text
        .replace("{added}", &words(&numbers.added()))
        .replace("{removed}", &words(&numbers.removed()))
        .replace("{before}", &words(&numbers.before))
        .replace("{after}", &words(&numbers.after))
        .replace("{to}", &words(&numbers.to()))
        .replace("{retire}", &to_retire(retire));
    Step {
        number: 0,
        id: step.id.clone(),
        stage: step.stage,
        at: step.at,
        places: place.0,
        text,
        why: step.why.clone(),
        flows: place.1,
        confidence: step.confidence,
        source: (!step.source.is_empty()).then(|| step.source.clone()),
    }
}

/// What is left to write into the site file.
fn to_retire(retire: &[Retired]) -> String {
    let left = retire.iter().filter(|it| !it.declared);
    let left: Vec<String> = left
        .map(|it| format!("{} ({})", it.port, it.protocol.name().to_uppercase()))
        .collect();
    match left.is_empty() {
        true => "`retired_client_ports` of the new site file has it already.".to_string(),
        false => format!(
            "Name {} under `retired_client_ports` in the site file.",
            left.join(" and ")
        ),
    }
}

/// The flows of a change.
struct Moving<'a> {
    new: &'a Side<'a>,
    opens: Vec<(Moves, &'a FlowEntry)>,
    /// Those that pass already, for something else: at firewalls nothing is done for them, at their ends there is.
    gains: Vec<(Moves, &'a FlowEntry)>,
    closes: Vec<(Moves, &'a FlowEntry)>,
    elsewhere: &'a [Elsewhere],
}

fn of_openings(all: &[Opening]) -> Vec<(Moves, &FlowEntry)> {
    all.iter().map(|it| (it.of, &it.flow)).collect()
}

impl Moving<'_> {
    /// The flows that a stage is about.
    fn flows(&self, stage: Stage, of: Moves) -> Vec<&FlowEntry> {
        let (all, more): (_, &[_]) = match stage {
            Stage::Listen => (&self.opens, &self.gains),
            Stage::Open | Stage::Move => (&self.opens, &[]),
            Stage::Close => (&self.closes, &[]),
        };
        let of_it = all.iter().chain(more).filter(|(word, _)| *word == of);
        of_it.map(|(_, flow)| *flow).collect()
    }

    /// The numbers that come to a system whose update point has them already, and those systems.
    fn shared(&self, numbers: &Numbers) -> Numbers {
        let mut shared = Numbers::default();
        for flow in self.flows(Stage::Listen, Moves::ClientPorts) {
            let mut systems = self.new.site.systems.iter();
            let Some(pair) = systems
                .find(|it| it.name == flow.to.system)
                .filter(|it| it.client_roles.contains(&Role::SoftwareUpdatePoint))
                .map(System::update_ports)
            else {
                continue;
            };
            let added = numbers.added().into_iter();
            let there = added.filter(|it| flow.port == Port::One(it.port));
            for number in there.filter(|it| pair.contains(&it.port)) {
                shared.after.insert(number);
                shared.systems.insert(flow.to.system.clone());
            }
        }
        shared
    }

    /// Where a step is done; empty: nowhere.
    fn places(&self, step: &ChangeStep, numbers: &Numbers, of: Moves) -> Places {
        let flows = self.flows(step.stage, of);
        match step.at {
            At::Firewall => by_firewall(flows.into_iter().map(Way::of)),
            At::Proxy => at_systems(&flows, |name| self.publishes(name)),
            At::WebServer => at_systems(&flows, |name| !self.publishes(name)),
            At::UpdatePoint | At::SharedUpdatePoint => {
                let names: Vec<String> = match numbers.systems.is_empty() {
                    true => self.update_points(),
                    false => numbers.systems.iter().cloned().collect(),
                };
                match names.is_empty() {
                    true => Vec::new(),
                    false => vec![(names, Vec::new())],
                }
            }
            At::Console | At::Clients | At::Prober | At::Site => vec![(Vec::new(), Vec::new())],
        }
    }

    fn publishes(&self, name: &str) -> bool {
        let mut systems = self.new.site.systems.iter();
        systems.any(|system| system.name == name && !system.publishes.is_empty())
    }

    fn update_points(&self) -> Vec<String> {
        let is_one = |system: &&System| system.client_roles.contains(&Role::SoftwareUpdatePoint);
        let all = self.new.site.systems.iter().filter(is_one);
        all.map(|system| system.name.clone()).collect()
    }

    /// What is no change of ports opens first and closes last, so that it disturbs nothing between.
    fn others(&self, stage: Stage) -> Vec<Step> {
        let (id, text) = match stage {
            Stage::Close => (
                "other-close",
                "Deny what else the new file no longer needs.",
            ),
            Stage::Open | Stage::Listen | Stage::Move => {
                ("other-open", "Permit what else the new file needs.")
            }
        };
        let flows = self.flows(stage, Moves::Other);
        beside(id, stage, text, by_firewall(flows.into_iter().map(Way::of)))
    }

    /// What leads elsewhere opens to where it leads now, and only at the end closes to where it led.
    fn elsewhere(&self, stage: Stage) -> Vec<Step> {
        let (id, text) = match stage {
            Stage::Close => (
                "elsewhere-close",
                "Deny what led these flows to where the old file has them, unless another flow \
                 needs it.",
            ),
            Stage::Open | Stage::Listen | Stage::Move => (
                "elsewhere-open",
                "Permit these flows to where the new file leads them.",
            ),
        };
        let all = self.elsewhere.iter();
        let ways = all.map(|it| match stage {
            Stage::Close => Way::led(it, &it.old),
            Stage::Open | Stage::Listen | Stage::Move => Way::led(it, &it.new),
        });
        beside(id, stage, text, by_firewall(ways))
    }
}

/// Steps at firewalls that are no change of ports.
fn beside(id: &str, stage: Stage, text: &str, places: Places) -> Vec<Step> {
    let step = ChangeStep {
        id: id.to_string(),
        of: Vec::new(),
        stage,
        at: At::Firewall,
        text: text.to_string(),
        why: "The two files differ in it, and it is no change of ports.".to_string(),
        confidence: Confidence::Derived,
        source: "the two site files".to_string(),
    };
    let filled = |place| filled(&step, &Numbers::default(), &[], place);
    places.into_iter().map(filled).collect()
}

/// A flow with what it meets.
struct Way<'a> {
    id: &'a str,
    from: &'a str,
    to: &'a Destination,
    crosses: &'a [String],
}

impl<'a> Way<'a> {
    fn of(flow: &'a FlowEntry) -> Self {
        Self {
            id: &flow.id,
            from: &flow.from.zone,
            to: &flow.to,
            crosses: &flow.crosses,
        }
    }

    fn led(flow: &'a Elsewhere, leads: &'a Leads) -> Self {
        Self {
            id: &flow.id,
            from: &leads.from,
            to: &leads.to,
            crosses: &leads.crosses,
        }
    }
}

/// For each firewall the flows that cross it; what crosses none meets at most the hosts' own.
fn by_firewall<'a>(ways: impl Iterator<Item = Way<'a>>) -> Places {
    let mut all: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for way in ways {
        for firewall in way.crosses {
            let key = (false, firewall.clone());
            all.entry(key).or_default().push(way.id.to_string());
        }
        if way.crosses.is_empty() {
            let key = (true, own_firewall(&way));
            all.entry(key).or_default().push(way.id.to_string());
        }
    }
    let places = all.into_iter();
    places
        .map(|((_, name), flows)| (vec![name], flows))
        .collect()
}

fn own_firewall(way: &Way<'_>) -> String {
    match &way.to.zone {
        Some(zone) if zone == way.from => format!("inside {zone} (hosts' own firewalls)"),
        Some(zone) => format!("from {} to {zone}", way.from),
        None => format!("from {} to {}", way.from, way.to.system),
    }
}

/// One step for all systems that flows lead to.
fn at_systems(flows: &[&FlowEntry], keep: impl Fn(&str) -> bool) -> Places {
    let there = flows.iter().filter(|flow| keep(&flow.to.system));
    let (names, flows): (BTreeSet<String>, Vec<String>) = there
        .map(|flow| (flow.to.system.clone(), flow.id.clone()))
        .unzip();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![(names.into_iter().collect(), flows)],
    }
}
