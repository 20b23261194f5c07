//! How often each code stands in a log, from when to when, and about which hosts. What a hostile log could make without
//! end is bounded; what is left out is counted.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::codes::codes;
use super::entries::each;
use super::places::{Place, places};
use crate::product::Code;

/// The most codes that are told apart: Windows has some hundreds that clients meet.
pub(in crate::explain) const MOST_CODES: usize = 500;
/// The most hosts with ports that are told apart, of all codes together.
pub(in crate::explain) const MOST_PLACES: usize = 500;

/// How often, and from when to when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) count: u64,
    pub(super) first: Option<DateTime>,
    pub(super) last: Option<DateTime>,
}

impl Times {
    fn add(&mut self, at: Option<DateTime>) {
        self.count += 1;
        self.first = self.first.into_iter().chain(at).min();
        self.last = self.last.max(at);
    }
}

/// A code, with the hosts that its entries name.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) times: Times,
    pub(super) places: BTreeMap<Place, u64>,
    /// Entries whose hosts are not among `places`, because there are too many.
    pub(super) places_left_out: u64,
}

/// A whole log.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) entries: Times,
    pub(super) codes: BTreeMap<Code, Seen>,
    /// Entries with a code that is not among `codes`, because there are too many.
    pub(super) codes_left_out: u64,
    places: usize,
}

impl Tally {
    pub(super) fn of(text: &str) -> Self {
        let mut tally = Self::default();
        each(text, |at, text| tally.add(at, text));
        tally
    }

    fn add(&mut self, at: Option<DateTime>, text: &str) {
        self.entries.add(at);
        let found = codes(text);
        if found.is_empty() {
            return;
        }
        let places = places(text);
        for code in found {
            if !self.codes.contains_key(&code) && self.codes.len() >= MOST_CODES {
                self.codes_left_out += 1;
                continue;
            }
            let seen = self.codes.entry(code).or_default();
            seen.times.add(at);
            for place in &places {
                match seen.places.get_mut(place) {
                    Some(count) => *count += 1,
                    None if self.places < MOST_PLACES => {
                        self.places += 1;
                        seen.places.insert(place.clone(), 1);
                    }
                    None => seen.places_left_out += 1,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_counted_once_an_entry_with_its_first_and_last_time() {
        let tally = Tally::of(
            "2026-11-23 08:00:00:000 1 2 PT failed 0x80072ee2, 0x80072ee2 http://a.example/\n\
             2026-11-23 07:00:00:000 1 2 PT failed 0x80072ee2 http://a.example/\n\
             2026-11-23 09:00:00:000 1 2 PT failed 0x80072efd\n\
             2026-11-23 10:00:00:000 1 2 PT all is well\n",
        );
        assert_eq!(tally.entries.count, 4);
        assert_eq!(tally.codes.len(), 2);
        let (code, seen) = tally.codes.first_key_value().expect("the first");
        assert_eq!(code.to_string(), "0x80072EE2");
        assert_eq!(seen.times.count, 2);
        let shown = |at: Option<DateTime>| at.map(|at| at.to_string());
        assert_eq!(
            shown(seen.times.first).as_deref(),
            Some("2026-11-23T07:00:00")
        );
        assert_eq!(
            shown(seen.times.last).as_deref(),
            Some("2026-11-23T08:00:00")
        );
        assert_eq!(seen.places.values().copied().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_log_of_any_number_of_codes_and_hosts_stays_small() {
        let codes: String = (0..2_000u32)
            .map(|it| format!("0x8777{it:04X}\n"))
            .collect();
        let tally = Tally::of(&codes);
        assert_eq!(tally.codes.len(), MOST_CODES);
        assert_eq!(tally.codes_left_out, 1_500);
        let hosts: String = (0..2_000)
            .map(|it| format!("0x80072ee2 http://h{it}.example/\n"))
            .collect();
        let tally = Tally::of(&hosts);
        let (_, seen) = tally.codes.first_key_value().expect("one");
        assert_eq!(seen.places.len(), MOST_PLACES);
        assert_eq!(seen.places_left_out, 1_500);
        assert_eq!(seen.times.count, 2_000);
    }
}
