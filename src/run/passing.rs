//! Notes on what passes by itself: gaps, limits on connections, services that start slowly. None of them changes a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::diagnostic::some_of;
use crate::observation::{Alone, Attempt, AttemptResult, Observation, SourcePorts, State};
use crate::plan::Target;
use crate::probe::Gap;
use crate::report::Note;
use crate::site::{Site, SystemId};
use crate::verdict::{Cause, Seen};

/// All such notes of a run.
pub(super) fn notes(site: &Site, gaps: &[(IpAddr, Gap)], seen: &[Seen]) -> Vec<Note> {
    let mut notes = of_hosts(site, gaps, seen);
    let mut of_ports: BTreeMap<(&str, SocketAddr), Vec<Note>> = BTreeMap::new();
    for seen in seen {
        let Target::System(system) = seen.flow.to else {
            continue;
        };
        let name = site.systems[system].name.as_str();
        for observation in &seen.observations {
            let Some(remote) = opened(observation) else {
                continue;
            };
            let all = [
                silent_first(name, remote, observation, gaps),
                refused_first(name, remote, observation),
                limited(name, remote, observation),
                slow(name, remote, observation, site.probing.timeout),
            ];
            let all = all.into_iter().flatten().collect();
            of_ports.entry((name, remote)).or_insert(all);
        }
    }
    notes.extend(of_ports.into_values().flatten());
    notes
}

/// The end that was tried directly and is open.
fn opened(seen: &Observation) -> Option<SocketAddr> {
    let is_open = seen.state == State::Open && seen.via.is_none();
    seen.attempts
        .first()
        .filter(|_| is_open)
        .map(|attempt| attempt.remote)
}

/// The fewest silent tries of a port before it opened, and the shortest time, that are told: fewer are lost by chance.
const FEWEST_SILENT: usize = 6;
const SHORTEST: SignedDuration = SignedDuration::from_secs(2);

fn silent_first(
    name: &str,
    remote: SocketAddr,
    seen: &Observation,
    gaps: &[(IpAddr, Gap)],
) -> Option<Note> {
    let of_result = |result: AttemptResult| {
        let attempts = seen.attempts.iter();
        attempts.filter(move |attempt: &&Attempt| attempt.result == result)
    };
    let silent = of_result(AttemptResult::Silent).count();
    let from = of_result(AttemptResult::Silent).map(|it| it.at).min()?;
    let until = of_result(AttemptResult::Open).map(|it| it.at).max()?;
    let host_had_it = gaps
        .iter()
        .any(|(address, gap)| *address == remote.ip() && gap.holds(from));
    let is_told = silent >= FEWEST_SILENT && until.duration_since(from) >= SHORTEST;
    (is_told && !host_had_it).then(|| Note {
        cause: Cause::Gap,
        system: name.to_string(),
        text: format!(
            "{} of {name} did not answer from {} to {} (UTC), while others did; then it was open",
            remote.port(),
            clock(from),
            clock(until)
        ),
    })
}

fn refused_first(name: &str, remote: SocketAddr, seen: &Observation) -> Option<Note> {
    let ports = seen.source_ports?;
    let is_told = ports.refused_first > 0 && !ports.are_limited();
    is_told.then(|| Note {
        cause: Cause::Gap,
        system: name.to_string(),
        text: format!(
            "{} of {name} was refused at first, and opened when it was tried again: a service \
             that had just been started, or a limit on connections",
            remote.port()
        ),
    })
}

fn limited(name: &str, remote: SocketAddr, seen: &Observation) -> Option<Note> {
    let ports: SourcePorts = seen.source_ports.filter(SourcePorts::are_limited)?;
    let Alone { open, busiest, .. } = ports.alone?;
    Some(Note {
        cause: Cause::RateLimited,
        system: name.to_string(),
        text: format!(
            "{} of {name} is limited: of {} connections made together {} failed, while this host \
             tried up to {busiest} a second there; {open} made alone all opened. The rest of the \
             run went slower",
            remote.port(),
            ports.tried,
            ports.failed_in_company()
        ),
    })
}

fn slow(name: &str, remote: SocketAddr, seen: &Observation, timeout: Duration) -> Option<Note> {
    let took = seen.first_answer.filter(|took| *took > timeout)?;
    Some(Note {
        cause: Cause::SlowAnswer,
        system: name.to_string(),
        text: format!(
            "{} of {name} gave its first answer after {:.1} s: clients that wait less give up",
            remote.port(),
            took.as_secs_f64()
        ),
    })
}

/// The most systems that a note on a gap names.
const MOST_NAMED: usize = 5;

/// When nothing answered of systems that did at other times. Gaps at about the same time are one.
fn of_hosts(site: &Site, gaps: &[(IpAddr, Gap)], seen: &[Seen]) -> Vec<Note> {
    let mut systems: BTreeMap<IpAddr, SystemId> = BTreeMap::new();
    for seen in seen {
        if let Target::System(system) = seen.flow.to {
            let addresses = seen.observations.iter().filter_map(|it| it.address);
            systems.extend(addresses.map(|address| (address, system)));
        }
    }
    let mut told: Vec<(Gap, BTreeSet<&str>)> = Vec::new();
    for (address, gap) in gaps {
        let Some(system) = systems.get(address) else {
            continue;
        };
        let name = site.systems[*system].name.as_str();
        match told.iter_mut().find(|(known, _)| overlap(known, gap)) {
            Some((_, names)) => {
                names.insert(name);
            }
            None => told.push((*gap, BTreeSet::from([name]))),
        }
    }
    told.iter()
        .map(|(gap, names)| gap_note(gap, names))
        .collect()
}

fn overlap(a: &Gap, b: &Gap) -> bool {
    let begins_before_end = |a: &Gap, b: &Gap| match (a.from, b.until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before_end(a, b) && begins_before_end(b, a)
}

fn gap_note(gap: &Gap, names: &BTreeSet<&str>) -> Note {
    let when = match (gap.from.map(clock), gap.until.map(clock)) {
        (Some(from), Some(until)) => format!("from {from} to {until} (UTC)"),
        (Some(from), None) => format!("from {from} (UTC) to the end of the run"),
        (None, Some(until)) => format!("until {until} (UTC)"),
        (None, None) => "for a while".to_string(),
    };
    let names: Vec<&str> = names.iter().copied().collect();
    let again = match gap.until {
        Some(_) => "; what was silent then was asked again",
        None => "",
    };
    Note {
        cause: Cause::Gap,
        system: names.first().copied().unwrap_or_default().to_string(),
        text: format!(
            "nothing of {} answered {when}{again}",
            some_of(&names, MOST_NAMED)
        ),
    }
}

/// A moment of the day, UTC.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMOTE: SocketAddr =
        SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)), 443);

    fn tried(second: i64, result: AttemptResult) -> Attempt {
        Attempt {
            at: Timestamp::from_second(second).expect("a moment"),
            local: None,
            remote: REMOTE,
            took_ms: 1.0,
            result,
        }
    }

    fn opened_after(silent: i64) -> Observation {
        let tries = (0..silent).map(|second| tried(second, AttemptResult::Silent));
        Observation {
            attempts: tries.chain([tried(silent, AttemptResult::Open)]).collect(),
            ..Observation::without_packets(None, State::Open)
        }
    }

    #[test]
    fn a_port_that_opened_after_much_silence_had_a_gap_unless_its_host_had() {
        let seen = opened_after(8);
        let note = silent_first("web", REMOTE, &seen, &[]).expect("a gap");
        assert_eq!(
            note.text,
            "443 of web did not answer from 00:00:00 to 00:00:08 (UTC), while others did; then it \
             was open"
        );
        let whole = Gap {
            from: None,
            until: Some(Timestamp::from_second(7).expect("a moment")),
        };
        assert!(silent_first("web", REMOTE, &seen, &[(REMOTE.ip(), whole)]).is_none());
        assert!(silent_first("web", REMOTE, &opened_after(2), &[]).is_none());
    }

    #[test]
    fn a_slow_first_answer_is_told_with_its_time() {
        let seen = Observation {
            first_answer: Some(Duration::from_millis(8_240)),
            ..opened_after(0)
        };
        let told = |timeout| slow("web", REMOTE, &seen, Duration::from_secs(timeout));
        assert!(told(3).is_some_and(|note| note.text.contains("after 8.2 s")));
        assert!(told(10).is_none());
    }

    #[test]
    fn a_gap_is_told_with_its_times_and_its_systems() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let gap = Gap {
            from: Some(at(43_201)),
            until: Some(at(43_206)),
        };
        let note = gap_note(&gap, &BTreeSet::from(["ibs01", "ibs02"]));
        assert_eq!(
            note.text,
            "nothing of ibs01, ibs02 answered from 12:00:01 to 12:00:06 (UTC); what was silent \
             then was asked again"
        );
        let later = Gap {
            from: Some(at(43_206)),
            until: None,
        };
        assert!(!overlap(&gap, &later) && overlap(&gap, &gap));
    }
}
