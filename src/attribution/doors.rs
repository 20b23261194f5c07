//! Doors that are painted on: an open port counts only when nothing shows that a device opened it.

use super::Found;
use super::sender::Bounds;
use crate::observation::{AttemptResult, Observation, Painted, Service, State};

/// How many ports that nobody listens on are tried at first, and again where some of them opened.
pub const DOORS: usize = 3;

/// Whether the doors that were tried decide: none of them opened, all of the first did, or twice as many were tried.
pub fn enough_doors(opened: usize, tried: usize) -> bool {
    tried >= DOORS && (opened == 0 || opened == tried || tried >= 2 * DOORS)
}

/// Whether so many ports opened that a device opens every port. One or two may be services that nobody told us of.
fn opens_every_port(opened: usize, tried: usize) -> bool {
    tried >= DOORS && 3 * opened > 2 * tried
}

/// What shows that a device answered for an open port; `None`: nothing does.
pub(super) fn painted(
    seen: &Observation,
    bounds: &Bounds,
    reference: Option<&Observation>,
    found: &Found,
) -> Option<Painted> {
    if seen.state != State::Open || seen.service == Some(Service::ConnectedToItself) {
        return None;
    }
    let tried = found.doors.len();
    let opened = opened(&found.doors);
    if is_every_port_open(&found.doors) {
        return Some(Painted::EveryPort {
            tried: u8::try_from(tried).unwrap_or(u8::MAX),
            opened: u8::try_from(opened).unwrap_or(u8::MAX),
        });
    }
    let before = seen
        .path
        .as_ref()
        .and_then(|path| bounds.answered_before_host(path));
    if let Some((hop, beyond)) = before {
        return Some(Painted::BeforeHost { hop, beyond });
    }
    if let (Some(took_ms), Some(reference)) = (quickest_ms(seen), reference)
        && let Some(host_ms) = bounds.too_quick(reference, took_ms)
    {
        return Some(Painted::TooQuick { took_ms, host_ms });
    }
    if found.dead_by.is_some() {
        return Some(Painted::HostIsDead);
    }
    (seen.service == Some(Service::ResetAtOnce)).then_some(Painted::ResetAfterAccept)
}

/// The quickest acceptance of this port, in milliseconds.
fn quickest_ms(seen: &Observation) -> Option<f64> {
    let first = seen
        .attempts
        .iter()
        .filter(|attempt| attempt.result == AttemptResult::Open)
        .map(|attempt| attempt.took_ms);
    let others = seen.source_ports.and_then(|ports| ports.quickest_ms);
    first.chain(others).min_by(f64::total_cmp)
}

/// Whether ports that nobody uses opened as if every port did.
pub fn is_every_port_open(doors: &[(u16, Observation)]) -> bool {
    opens_every_port(opened(doors), doors.len())
}

fn opened(doors: &[(u16, Observation)]) -> usize {
    doors
        .iter()
        .filter(|(_, seen)| {
            seen.state == State::Open && seen.service != Some(Service::ConnectedToItself)
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors(open: usize, closed: usize) -> Found {
        let one = |state: State| (1, Observation::without_packets(None, state));
        let mut all = vec![one(State::Open); open];
        all.extend(vec![one(State::Filtered); closed]);
        Found {
            doors: all,
            ..Found::default()
        }
    }

    #[test]
    fn an_open_port_is_painted_only_when_ports_that_nobody_uses_open_too() {
        let open = Observation::without_packets(None, State::Open);
        let seen = |found: &Found| painted(&open, &Bounds::default(), None, found);
        assert_eq!(seen(&doors(0, 3)), None);
        assert_eq!(
            seen(&doors(1, 5)),
            None,
            "one may be a service that nobody told us of"
        );
        assert_eq!(
            seen(&doors(3, 0)),
            Some(Painted::EveryPort {
                tried: 3,
                opened: 3
            })
        );
        assert!(seen(&doors(5, 1)).is_some(), "one was lost");
    }

    #[test]
    fn doors_that_disagree_are_asked_again() {
        assert!(enough_doors(0, 3) && enough_doors(3, 3) && enough_doors(2, 6));
        assert!(!enough_doors(0, 0) && !enough_doors(1, 3));
    }
}
