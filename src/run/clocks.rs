//! Notes on clocks: this host's, and those of servers.

use jiff::SignedDuration;

use crate::plan::Target;
use crate::report::Note;
use crate::site::Site;
use crate::verdict::{Cause, Clocks, OwnClock};

/// What is to be said of clocks, this host's first.
pub(super) fn notes(site: &Site, clocks: &Clocks) -> Vec<Note> {
    let mut notes: Vec<Note> = own(site, clocks).into_iter().collect();
    let others = match &clocks.own {
        OwnClock::Wrong { .. } => several(clocks.agreeing),
        _ => format!(
            "this host's and {}",
            match clocks.agreeing {
                1 => "that of another server".to_string(),
                more => format!("those of {more} other servers"),
            }
        ),
    };
    let right = match &clocks.own {
        OwnClock::Wrong { ahead, .. } => *ahead,
        OwnClock::Right | OwnClock::Disputed(_) => SignedDuration::ZERO,
    };
    notes.extend(clocks.wrong.iter().map(|(target, ahead)| {
        let server = name(site, target);
        let text = format!(
            "the clock of {server} is {} {others}",
            apart(*ahead - right)
        );
        note(Cause::ServerClock, server, text)
    }));
    notes
}

fn own(site: &Site, clocks: &Clocks) -> Option<Note> {
    match &clocks.own {
        OwnClock::Right => None,
        OwnClock::Wrong { ahead, by } => {
            let names: Vec<String> = by.iter().map(|target| name(site, target)).collect();
            let text = format!(
                "this host's clock is {} {} ({}); dates of certificates and revocation lists are \
                 not judged by it",
                apart(-*ahead),
                several(by.len()),
                names.join(", ")
            );
            Some(note(Cause::ClockOff, String::new(), text))
        }
        OwnClock::Disputed(all) => {
            let each: Vec<String> = all
                .iter()
                .map(|(target, ahead)| {
                    format!("that of {} is {} it", name(site, target), apart(*ahead))
                })
                .collect();
            let text = format!(
                "nothing tells whether this host's clock is right: {}",
                each.join(", ")
            );
            Some(note(Cause::ClocksDiffer, String::new(), text))
        }
    }
}

fn several(servers: usize) -> String {
    match servers {
        1 => "that of 1 server".to_string(),
        more => format!("those of {more} servers"),
    }
}

fn note(cause: Cause, system: String, text: String) -> Note {
    Note {
        cause,
        system,
        text,
    }
}

fn name(site: &Site, target: &Target) -> String {
    match target {
        Target::System(system) => site.systems[*system].name.clone(),
        Target::Host(name) => name.to_string(),
        Target::Service(it) => it.name.clone(),
        Target::Clients(zone) => site.zones[*zone].name.clone(),
    }
}

/// `60 days ahead of`, in the largest unit that tells enough.
fn apart(ahead: SignedDuration) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let way = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let seconds = ahead.as_secs().saturating_abs();
    let (length, unit) = UNITS
        .into_iter()
        .find(|(length, _)| seconds >= 2 * length)
        .unwrap_or((1, "seconds"));
    format!("{} {unit} {way}", (seconds + length / 2) / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_the_unit_that_fits() {
        for (seconds, words) in [
            (60 * 86_400, "60 days ahead of"),
            (-90_000, "25 hours behind"),
            (-7_199, "120 minutes behind"),
            (301, "5 minutes ahead of"),
            (90, "90 seconds ahead of"),
        ] {
            assert_eq!(apart(SignedDuration::from_secs(seconds)), words);
        }
    }
}
