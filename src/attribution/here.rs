//! What this host's own system says in a network's place.
//!
//! 1. That a host or the next router cannot be found takes a system seconds to say, at least for the first packet that
//!    asks. Where every such word comes at once, nobody was looked for: a rule of this host's own firewall says it.
//! 2. A reset may be this host's own as well. It comes within a few milliseconds, or somewhat later on a busy host: all of
//!    them are asked again.

use std::net::IpAddr;

use crate::observation::{AttemptResult, Observation, Prohibition, State, Trouble};

/// A search for a neighbour that is given up takes longer, in milliseconds.
const SEARCH_MS: f64 = 900.0;
/// A reset of this host itself takes less even where the host is busy, in milliseconds.
const SLOWEST_RESET_MS: f64 = 100.0;

/// Turns what this host's own firewall said into this host's own trouble. `own`: the addresses of this host.
pub fn own_words(observations: &mut [Observation], own: &[IpAddr]) {
    let gateway = observations
        .iter()
        .filter_map(|seen| own_unreachable_ms(seen, own));
    let searched_gateway = gateway.clone().any(|took| took >= SEARCH_MS);
    let searched: Vec<Option<IpAddr>> = observations
        .iter()
        .filter(|seen| own_unreachable_ms(seen, own).is_some_and(|took| took >= SEARCH_MS))
        .map(|seen| seen.address)
        .collect();
    for seen in observations {
        if own_unreachable_ms(seen, own).is_none() {
            continue;
        }
        let was_searched = match &seen.state {
            State::Unreachable(Trouble::GatewaySilent) => searched_gateway,
            State::Rejected(_) => searched.contains(&seen.address),
            _ => true,
        };
        if !was_searched {
            seen.state = State::Unreachable(Trouble::Refused);
        }
    }
}

/// How long it took until this host's own system said that host or router cannot be found.
fn own_unreachable_ms(seen: &Observation, own: &[IpAddr]) -> Option<f64> {
    seen.attempts
        .iter()
        .find_map(|attempt| match &attempt.result {
            AttemptResult::Rejected(rejection)
                if rejection.says == Prohibition::HostUnreachable
                    && rejection.by.is_some_and(|by| own.contains(&by))
                    && rejection.by != seen.address =>
            {
                Some(attempt.took_ms)
            }
            _ => None,
        })
}

/// The observations, by their places, whose resets came so quickly that they may be this host's own; its own ports aside.
/// The quickest come first.
pub fn may_be_reset_here(observations: &[Observation], own: &[IpAddr]) -> Vec<usize> {
    let took = observations.iter().map(|seen| reset_after_ms(seen, own));
    let mut resets: Vec<(f64, usize)> = took
        .enumerate()
        .filter_map(|(place, took)| Some((took?, place)))
        .filter(|(took, _)| *took < SLOWEST_RESET_MS)
        .collect();
    resets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    resets.into_iter().map(|(_, place)| place).collect()
}

/// How long the quickest reset of a port took that is not this host's own.
fn reset_after_ms(seen: &Observation, own: &[IpAddr]) -> Option<f64> {
    let is_own = seen
        .address
        .is_none_or(|address| address.is_loopback() || own.contains(&address));
    let is_closed = matches!(seen.state, State::Closed { .. }) && !is_own;
    let resets = seen
        .attempts
        .iter()
        .filter(|attempt| is_closed && attempt.result == AttemptResult::Reset);
    resets
        .map(|attempt| attempt.took_ms)
        .min_by(|one, other| one.total_cmp(other))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::observation::{Attempt, Rejection, ResetBy};

    const OWN: [u8; 4] = [198, 51, 100, 10];

    fn seen(state: State, on_link: bool, took_ms: f64) -> Observation {
        let address = IpAddr::from([192, 0, 2, 10]);
        let said = Rejection {
            says: Prohibition::HostUnreachable,
            icmp_type: Some(3),
            icmp_code: Some(1),
            by: Some(OWN.into()),
            ttl: Some(64),
        };
        Observation {
            on_link,
            attempts: vec![Attempt {
                at: Timestamp::UNIX_EPOCH,
                local: None,
                remote: (address, 443).into(),
                took_ms,
                result: AttemptResult::Rejected(said.clone()),
            }],
            ..Observation::without_packets(
                Some(address),
                match state {
                    State::Rejected(_) => State::Rejected(said),
                    other => other,
                },
            )
        }
    }

    fn reset(took_ms: f64) -> Observation {
        let closed = State::Closed {
            reset_by: ResetBy::Either,
        };
        let mut seen = seen(closed, false, took_ms);
        seen.attempts[0].result = AttemptResult::Reset;
        seen
    }

    #[test]
    fn a_reset_may_be_this_hosts_own_unless_it_takes_long() {
        let own = [IpAddr::from(OWN)];
        let mut all: Vec<Observation> = (0..40).map(|_| reset(20.0)).collect();
        all.extend((0..40).map(|_| reset(0.2)));
        all.push(reset(150.0));
        let asked = may_be_reset_here(&all, &own);
        assert_eq!(asked.len(), 80, "a busy host's own are slow, too");
        assert_eq!(asked[..40], (40..80).collect::<Vec<_>>()[..]);
        let mut at_home = reset(0.2);
        at_home.address = Some(own[0]);
        assert_eq!(may_be_reset_here(&[at_home], &own), [0; 0]);
    }

    fn gateway(took_ms: f64) -> Observation {
        seen(State::Unreachable(Trouble::GatewaySilent), false, took_ms)
    }

    #[test]
    fn a_router_that_nobody_looked_for_is_not_silent() {
        let mut all = [gateway(0.1), gateway(0.2)];
        own_words(&mut all, &[OWN.into()]);
        let refused = State::Unreachable(Trouble::Refused);
        assert!(all.iter().all(|seen| seen.state == refused));
        let mut all = [gateway(3_060.0), gateway(0.2)];
        own_words(&mut all, &[OWN.into()]);
        let silent = State::Unreachable(Trouble::GatewaySilent);
        assert!(
            all.iter().all(|seen| seen.state == silent),
            "one search ended for both"
        );
    }

    #[test]
    fn a_neighbour_that_nobody_looked_for_is_not_dead() {
        let rejected = || {
            let none = Rejection {
                says: Prohibition::Other,
                icmp_type: None,
                icmp_code: None,
                by: None,
                ttl: None,
            };
            State::Rejected(none)
        };
        let mut all = [seen(rejected(), true, 0.1)];
        own_words(&mut all, &[OWN.into()]);
        assert_eq!(all[0].state, State::Unreachable(Trouble::Refused));
        let mut all = [seen(rejected(), true, 3_060.0)];
        own_words(&mut all, &[OWN.into()]);
        assert!(matches!(all[0].state, State::Rejected(_)));
    }
}
