//! The limits of a run: what the site file asks for, within what this host has.

use std::time::Duration;

use super::event::{Event, Tell};
use super::ways::Ways;
use crate::config::Probing;
use crate::os;
use crate::probe::Limits;
use crate::product::Role;
use crate::site::Site;
use crate::vantage::Place;

/// Descriptors that the program itself needs beside the probes.
const SPARE_DESCRIPTORS: usize = 64;

/// Descriptors for probes, when so many are spared for the rest of the program.
pub(super) fn descriptors(spared: usize) -> usize {
    os::raise_descriptor_limit().saturating_sub(spared).max(1)
}

/// Whether a run is gentle: as asked, else where this host serves others. The lab disturbs nobody.
pub(super) fn is_gentle(asked: Option<bool>, site: &Site, place: &Place, ways: &Ways) -> bool {
    let serves = |system: usize| {
        let system = &site.systems[system];
        let mut roles = system.client_roles.union(&system.server_roles);
        roles.any(|role| *role != Role::Console)
    };
    !ways.are_of_the_lab() && asked.unwrap_or_else(|| place.system.is_some_and(serves))
}

/// The limits of the file, within what this host has. The lab is on loopback, where no rate has to be kept.
pub(super) fn limits(asked: &Probing, ways: &Ways, walks: bool, tell: &Tell) -> Limits {
    let lab = ways.are_of_the_lab();
    // A silent question keeps its earlier sockets open, so it may hold several.
    const SOCKETS_EACH: usize = 8;
    let descriptors = descriptors(SPARE_DESCRIPTORS);
    let in_flight = asked.in_flight.min((descriptors / SOCKETS_EACH).max(1));
    if in_flight < asked.in_flight {
        tell(Event::FewerAtOnce {
            probes: in_flight,
            asked: asked.in_flight,
        });
    }
    Limits {
        timeout: asked.timeout,
        attempts: asked.attempts,
        second_look: if lab {
            Duration::ZERO
        } else {
            asked.second_look
        },
        in_flight,
        per_host: if lab { asked.in_flight } else { asked.per_host },
        rate: if lab { None } else { asked.rate },
        gentle: false,
        walks: os::TELLS_SENDERS && walks && ways.reach_systems(),
    }
}
