//! A log, or a line of one, as a document.

use jiff::civil::DateTime;

use super::flows::Given;
use super::tally::{Seen, Tally, Times};
use crate::charset::text;
use crate::explain::code;
use crate::explain::document::{CodeSeen, LogExplained, PlaceSeen, TimesSeen, UnknownCode};
use crate::product::{Catalogue, Code, LogFile, Role, log_file};

/// What a log has, by the name and the bytes of its file.
pub fn log(
    name: &str,
    bytes: &[u8],
    catalogue: &Catalogue,
    given: Option<Given<'_>>,
) -> LogExplained {
    let is_end = |c| c == '/' || c == '\\';
    let file = name.rsplit(is_end).next().unwrap_or(name);
    explained(name, &text(bytes), log_file(file), catalogue, given)
}

/// What a line has that somebody copied out of a log; `None` where no code stands in it.
pub fn line(line: &str, catalogue: &Catalogue, given: Option<Given<'_>>) -> Option<LogExplained> {
    let explained = explained("the line given", line, None, catalogue, given);
    (!explained.codes.is_empty() || !explained.unknown.is_empty()).then_some(explained)
}

fn explained(
    name: &str,
    text: &str,
    file: Option<&LogFile>,
    catalogue: &Catalogue,
    given: Option<Given<'_>>,
) -> LogExplained {
    let tally = Tally::of(text);
    let of_log = file.map_or(&[][..], |file| &file.roles);
    let mut codes = Vec::new();
    let mut unknown = Vec::new();
    for (code, seen) in &tally.codes {
        match code.meaning() {
            Some(_) => codes.push(known(*code, seen, of_log, catalogue, given)),
            None => unknown.push(UnknownCode {
                numbers: code.numbers(),
                facility: code.facility(),
                seen: times(&seen.times),
            }),
        }
    }
    // What is most of the log comes first; of two alike, the one that says more of a flow.
    codes.sort_by_key(|it| (it.code.points_to.is_empty(), u64::MAX - it.seen.count));
    unknown.sort_by_key(|it| u64::MAX - it.seen.count);
    LogExplained {
        log: name.to_string(),
        about: of_log.iter().map(|role| role.name().to_string()).collect(),
        about_source: file.map(|file| file.source.clone()),
        entries: times(&tally.entries),
        site_file: given.map(|given| given.file.to_string()),
        codes,
        unknown,
        codes_left_out: tally.codes_left_out,
    }
}

fn known(
    code: Code,
    seen: &Seen,
    of_log: &[Role],
    catalogue: &Catalogue,
    given: Option<Given<'_>>,
) -> CodeSeen {
    let places = seen.places.iter().map(|(place, count)| match given {
        Some(given) => given.place(place, *count),
        None => PlaceSeen {
            host: place.host.clone(),
            port: place.port,
            count: *count,
            system: None,
            note: String::new(),
            flows: Vec::new(),
            flows_left_out: 0,
        },
    });
    let mut places: Vec<PlaceSeen> = places.collect();
    places.sort_by_key(|it| u64::MAX - it.count);
    let meaning = code.meaning();
    let (may_be, may_be_left_out) = match (given, meaning) {
        (Some(given), Some(meaning)) if places.is_empty() => given.candidates(&meaning, of_log),
        _ => (Vec::new(), 0),
    };
    CodeSeen {
        code: code::code(code, catalogue),
        seen: times(&seen.times),
        places,
        places_left_out: seen.places_left_out,
        may_be,
        may_be_left_out,
    }
}

fn times(times: &Times) -> TimesSeen {
    let shown = |at: Option<DateTime>| at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    TimesSeen {
        count: times.count,
        first: shown(times.first),
        last: shown(times.last),
    }
}
