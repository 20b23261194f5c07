//! By number: which management points clients with it reach.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reached, ReachedBy, ReachedNumber, Tried};
use crate::change::Of;
use crate::product::Role;

/// The numbers at which clients look for a management point.
pub(super) fn numbers(tried: &[Tried]) -> Vec<ReachedNumber> {
    let points = tried
        .iter()
        .filter(|it| it.used.is_client_port && it.used.roles.contains(&Role::ManagementPoint));
    let points: Vec<&Tried> = points.collect();
    let doors: BTreeSet<(u16, &str)> = points
        .iter()
        .map(|it| (it.port(), it.used.flow.protocol.name()))
        .collect();
    let mut all = Vec::new();
    for (port, protocol) in doors {
        let there = points
            .iter()
            .filter(|it| (it.port(), it.used.flow.protocol.name()) == (port, protocol));
        let there: Vec<&Tried> = there.copied().collect();
        if there.iter().all(|it| it.used.of == Of::Both) {
            all.push(number(port, protocol, Of::Both, &there));
            continue;
        }
        // Both files may have the number and mean other systems by it.
        for (of, is_theirs) in [
            (Of::Old, Of::is_old as fn(Of) -> bool),
            (Of::New, Of::is_new),
        ] {
            let theirs = there.iter().filter(|it| is_theirs(it.used.of));
            let theirs: Vec<&Tried> = theirs.copied().collect();
            if !theirs.is_empty() {
                all.push(number(port, protocol, of, &theirs));
            }
        }
    }
    all
}

/// A client needs one management point: one that is reached is enough, and only when none can be is there none.
fn number(port: u16, protocol: &str, of: Of, there: &[&Tried]) -> ReachedNumber {
    // So is one address of several.
    let mut systems: BTreeMap<&str, Vec<Reached>> = BTreeMap::new();
    for it in there {
        let addresses = systems.entry(&it.flow.flow.to.system).or_default();
        addresses.push(it.reached);
    }
    let (mut by, mut not_by, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (name, addresses) in systems {
        let list = match () {
            () if addresses.contains(&Reached::Yes) => &mut by,
            () if addresses.contains(&Reached::Unknown) => &mut unknown,
            () => &mut not_by,
        };
        list.push(name.to_string());
    }
    let reached = match (by.is_empty(), unknown.is_empty()) {
        (false, _) => Reached::Yes,
        (true, true) => Reached::No,
        (true, false) => Reached::Unknown,
    };
    ReachedNumber {
        port,
        protocol: protocol.to_string(),
        of,
        reached,
        by,
        not_by,
        unknown,
    }
}

/// The numbers of one side: its own, and where it has none of its own, those that both sides have.
pub(super) fn of_side(numbers: &[ReachedNumber], side: Of) -> Vec<&ReachedNumber> {
    let of = |of: Of| {
        let theirs = numbers.iter().filter(move |it| it.of == of);
        theirs.collect::<Vec<_>>()
    };
    match of(side) {
        own if own.is_empty() => of(Of::Both),
        own => own,
    }
}

/// Whose clients reach a management point.
pub(super) fn reached_by(numbers: &[ReachedNumber]) -> ReachedBy {
    let side = |of: Of| {
        let theirs = of_side(numbers, of);
        let all = |reached: Reached| theirs.iter().all(|it| it.reached == reached);
        match () {
            () if theirs.is_empty() || all(Reached::No) => Some(false),
            () if all(Reached::Yes) => Some(true),
            () => None,
        }
    };
    let is_unknown = |it: &ReachedNumber| it.reached == Reached::Unknown;
    match (side(Of::Old), side(Of::New)) {
        _ if numbers.is_empty() => ReachedBy::NoClientsHere,
        _ if numbers.iter().any(is_unknown) => ReachedBy::Unknown,
        (Some(true), Some(true)) => ReachedBy::Both,
        (Some(true), Some(false)) => ReachedBy::Old,
        (Some(false), Some(true)) => ReachedBy::New,
        (Some(false), Some(false)) => ReachedBy::None,
        (None, _) | (_, None) => ReachedBy::Some,
    }
}
