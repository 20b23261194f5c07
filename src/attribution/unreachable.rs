//! Whether a router said at once that a host is unreachable, or so late that it may have looked for the host first.
//!
//! The first packet to a host makes its router look for it, for seconds. So a word that came before any search could
//! have ended is a rule's. The same router's later words on that host are too, because a limit on messages held them
//! back. Where all words came late, nothing tells a search from such a limit.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::observation::{Attempt, AttemptResult, Observation, Prohibition, State};

/// A router that looks for a host needs seconds; a firewall that pretends says so at once.
pub const SHORTEST_SEARCH: Duration = Duration::from_millis(900);

/// Sets which words may have come from a search, host by host: also those that came after all else was found out.
pub fn settle_all(observations: &mut [Observation]) {
    let mut hosts: BTreeMap<IpAddr, Vec<&mut Observation>> = BTreeMap::new();
    for seen in observations {
        if let Some(address) = seen.address {
            hosts.entry(address).or_default().push(seen);
        }
    }
    for of_host in hosts.into_values() {
        settle(of_host.into_iter());
    }
}

/// Sets which words on one host may have come from a search.
pub(super) fn settle<'a>(of_host: impl Iterator<Item = &'a mut Observation>) {
    let mut of_host: Vec<&mut Observation> = of_host.collect();
    let tries = of_host.iter().flat_map(|seen| &seen.attempts);
    let Some(first) = tries.map(|attempt| attempt.at).min() else {
        return;
    };
    let at_once: Vec<IpAddr> = of_host
        .iter()
        .filter_map(|seen| word(seen))
        .filter(|(_, came)| came.duration_since(first) < shortest())
        .map(|(by, _)| by)
        .collect();
    for seen in &mut of_host {
        let by = word(seen).map(|(by, _)| by);
        if let Some(by) = by.or_else(|| word_on_the_way(seen)) {
            seen.slow_rejection = !at_once.contains(&by);
        }
    }
}

/// Who said that the host is unreachable only when the way to it was walked, which is later than any first try.
fn word_on_the_way(seen: &Observation) -> Option<IpAddr> {
    match &seen.state {
        State::Rejected(rejection) if is_about_the_host(rejection.says) => rejection.by,
        _ => None,
    }
}

fn shortest() -> SignedDuration {
    SignedDuration::try_from(SHORTEST_SEARCH).unwrap_or(SignedDuration::MAX)
}

/// Who said that the host is unreachable, and when.
fn word(seen: &Observation) -> Option<(IpAddr, Timestamp)> {
    seen.attempts.iter().find_map(|attempt| {
        let AttemptResult::Rejected(rejection) = &attempt.result else {
            return None;
        };
        let by = rejection.by.filter(|_| is_about_the_host(rejection.says))?;
        Some((by, arrival(attempt)))
    })
}

fn is_about_the_host(says: Prohibition) -> bool {
    says == Prohibition::HostUnreachable
}

fn arrival(attempt: &Attempt) -> Timestamp {
    let took = Duration::from_secs_f64(attempt.took_ms.max(0.0) / 1_000.0);
    attempt.at + SignedDuration::try_from(took).unwrap_or(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Rejection;

    /// A port that a router said this of, so long after the first packet to the host.
    fn said(millis: i64) -> Observation {
        let rejection = Rejection {
            says: Prohibition::HostUnreachable,
            icmp_type: Some(3),
            icmp_code: Some(1),
            by: Some(IpAddr::from([198, 51, 100, 1])),
            ttl: None,
        };
        let attempt = |millis, result| Attempt {
            at: Timestamp::from_millisecond(millis).expect("a moment"),
            local: None,
            remote: ([192, 0, 2, 10], 443).into(),
            took_ms: 0.5,
            result,
        };
        Observation {
            attempts: vec![
                attempt(0, AttemptResult::Silent),
                attempt(millis, AttemptResult::Rejected(rejection.clone())),
            ],
            slow_rejection: true,
            ..Observation::without_packets(None, State::Rejected(rejection))
        }
    }

    fn slow(mut all: Vec<Observation>) -> Vec<bool> {
        settle(all.iter_mut());
        all.iter().map(|seen| seen.slow_rejection).collect()
    }

    #[test]
    fn what_a_limit_held_back_is_as_quick_as_the_first_word() {
        assert_eq!(slow(vec![said(2), said(1_003), said(3_100)]), [false; 3]);
    }

    #[test]
    fn a_word_that_only_a_walk_brought_is_late() {
        let walked = || {
            let mut seen = said(0);
            seen.attempts.truncate(1);
            seen.slow_rejection = false;
            seen
        };
        assert_eq!(slow(vec![walked()]), [true]);
        assert_eq!(slow(vec![walked(), said(2)]), [false; 2]);
    }

    #[test]
    fn a_quick_word_at_the_end_of_a_run_is_weighed_with_the_tries_before_it() {
        let late = |host| Observation {
            address: Some(IpAddr::from([192, 0, 2, host])),
            slow_rejection: false,
            ..said(25_000)
        };
        let quick = Observation {
            slow_rejection: true,
            ..said(2)
        };
        let mut all = [late(10), late(11), quick];
        all[2].address = all[1].address;
        settle_all(&mut all);
        let slow = all.map(|seen| seen.slow_rejection);
        assert_eq!(
            slow,
            [true, false, false],
            "the second host's router spoke at once, too"
        );
    }

    #[test]
    fn a_quick_word_after_a_search_could_have_ended_tells_nothing() {
        assert_eq!(slow(vec![said(3_060), said(3_070)]), [true; 2]);
    }
}
