//! Which software update point is the site's active one.
//!
//! A site has one, and may have another for Internet clients alone. The active one is there first, so a site's only
//! update point is the active one, whatever it serves. A virtual name counts once, with all its members.

use std::collections::BTreeSet;

use super::{System, SystemId, ZoneId};
use crate::diagnostic::Problem;
use crate::product::{Catalogue, End, Role};

/// The update points for Internet clients only, members of virtual names among them.
pub(super) fn for_the_internet(systems: &[System], internet: Option<ZoneId>) -> BTreeSet<SystemId> {
    let all = all(systems);
    if all.len() < 2 {
        return BTreeSet::new();
    }
    let theirs = all
        .into_iter()
        .filter(|point| serves_only(&systems[*point], internet));
    theirs
        .flat_map(|point| std::iter::once(point).chain(systems[point].members.iter().copied()))
        .collect()
}

/// Asks which one is the active one, where several are for Internet clients only and no other is there.
pub(super) fn ask_for_the_active_one(
    catalogue: &Catalogue,
    systems: &[System],
    internet: Option<ZoneId>,
    problems: &mut Vec<Problem>,
) {
    let mut ends = catalogue
        .rules
        .iter()
        .flat_map(|it| it.from.iter().chain(&it.to));
    let all = all(systems);
    let [_, .., last] = all[..] else { return };
    let one_is_active = !ends.any(|end| *end == End::ActiveSoftwareUpdatePoint)
        || !all.iter().all(|it| serves_only(&systems[*it], internet));
    if one_is_active {
        return;
    }
    let names = all.iter().map(|it| format!("`{}`", systems[*it].name));
    let names: Vec<String> = names.collect();
    let text = format!(
        "{} are software update points for Internet clients only: which one is the active one of \
         the site?",
        names.join(" and ")
    );
    problems.push(
        Problem::error("no-active-update-point", systems[last].declared, text).hint(
            "add the active one, as in serves: [intranet]; where it serves no clients at all, \
             write serves: []; hosts behind one name are `members` of that name",
        ),
    );
}

/// The update points of the site, as clients reach them.
fn all(systems: &[System]) -> Vec<SystemId> {
    let all = systems.iter().enumerate();
    all.filter(|(_, system)| system.client_roles.contains(&Role::SoftwareUpdatePoint))
        .map(|(number, _)| number)
        .collect()
}

fn serves_only(system: &System, internet: Option<ZoneId>) -> bool {
    let serves = system.serves.as_deref().unwrap_or_default();
    !serves.is_empty() && serves.iter().all(|zone| Some(*zone) == internet)
}
