//! Strips: how flows stood in the last day, half hour by half hour, and in the last month, day by day.
//!
//! Cells beside each other that say the same are one bar. A bar is told apart by its colour, its height and its sign. The
//! same stands in words beside it, for whoever does not see it: those bars that say that something was not well.

use jiff::{SignedDuration, Timestamp};

use super::look::Look;
use crate::diagnostic::visible;

/// The width of a strip, in units of the picture.
const WIDTH: usize = 480;
/// The height of a bar that says that all is well, and of one that says more.
const HEIGHTS: (usize, usize) = (8, 18);
/// The most bars that are put into words; of more, the last ones.
const MOST_WORDS: usize = 4;

/// The strips of a page.
pub struct Strips {
    /// When the last cell of a day ends.
    pub ends: Timestamp,
    /// When runs were made at all; it has no name and no look.
    pub runs: Strip,
    /// Flows that changed, or are wrong now.
    pub rows: Vec<Strip>,
    /// Flows that changed, too, and have no strip.
    pub more: usize,
    /// Flows that did not change.
    pub unchanged: usize,
}

/// How a flow stood.
pub struct Strip {
    /// The flow's id.
    pub id: String,
    /// How it looks now; `None`: it is not there any more.
    pub look: Option<Look>,
    /// The half hours of the last day.
    pub day: Vec<Cell>,
    /// The days of the last month.
    pub month: Vec<Cell>,
}

/// What was seen in a half hour or a day. The later, the more it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// There was no run.
    NoRun,
    /// Runs tried other flows.
    Untried,
    /// There was a run, whatever it tried.
    Ran,
    /// Runs had no report.
    Failed,
    /// So it was seen.
    Seen(Look),
}

impl Cell {
    /// Its class, and its word.
    fn word(self) -> &'static str {
        match self {
            Self::NoRun => "no run",
            Self::Untried => "not tried",
            Self::Ran => "runs",
            Self::Failed => "failed",
            Self::Seen(look) => look.word(),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::NoRun => "no-run",
            Self::Untried => "untried",
            Self::Ran | Self::Failed | Self::Seen(_) => self.word(),
        }
    }

    /// What stands in its bar; a blank says nothing.
    fn sign(self) -> char {
        match self {
            Self::NoRun | Self::Untried | Self::Ran | Self::Seen(Look::Ok) => ' ',
            Self::Failed => 'F',
            Self::Seen(look) => look.sign(),
        }
    }

    fn height(self) -> usize {
        match self {
            Self::NoRun | Self::Untried => 2,
            Self::Ran | Self::Seen(Look::Ok | Look::Accepted) => HEIGHTS.0,
            Self::Failed | Self::Seen(_) => HEIGHTS.1,
        }
    }
}

/// A strip, measured.
pub(super) struct Drawn {
    pub(super) id: String,
    pub(super) look: Option<Look>,
    pub(super) spans: [(&'static str, Bars); 2],
}

/// The bars of a day or a month.
pub(super) struct Bars {
    pub(super) bars: Vec<Bar>,
    /// The same in words.
    pub(super) words: String,
}

/// Cells beside each other that say the same.
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) sign: char,
    pub(super) title: String,
}

impl Bar {
    /// Where its sign stands.
    pub(super) fn middle(&self) -> usize {
        self.x + self.width / 2
    }
}

pub(super) fn drawn(strips: &Strips) -> (Drawn, Vec<Drawn>) {
    let all = strips.rows.iter().map(|it| draw(it, strips.ends));
    (draw(&strips.runs, strips.ends), all.collect())
}

fn draw(strip: &Strip, ends: Timestamp) -> Drawn {
    let half_hour = SignedDuration::from_mins(30);
    let day = SignedDuration::from_hours(24);
    // The last day of a month is that of the last half hour.
    let today = (ends - half_hour).as_second().div_euclid(86_400) + 1;
    let month = Timestamp::from_second(today * 86_400).unwrap_or(ends);
    Drawn {
        id: visible(&strip.id),
        look: strip.look,
        spans: [
            ("day", bars(&strip.day, (ends, half_hour), "%m-%d %H:%M")),
            ("month", bars(&strip.month, (month, day), "%m-%d")),
        ],
    }
}

fn bars(cells: &[Cell], (ends, of_cell): (Timestamp, SignedDuration), form: &str) -> Bars {
    let wide = WIDTH / cells.len().max(1);
    let time = |cell: usize| {
        let before = i32::try_from(cells.len() - cell).unwrap_or(i32::MAX);
        let time = of_cell
            .checked_mul(before)
            .and_then(|it| ends.checked_sub(it).ok());
        time.unwrap_or(ends)
    };
    let mut bars = Vec::new();
    let mut first = 0;
    for same in cells.chunk_by(|one, other| one == other) {
        let (cell, until) = (same[0], first + same.len());
        // A day is named by itself, not by its ends.
        let last = if of_cell.as_hours() < 24 {
            time(until)
        } else {
            time(until - 1)
        };
        let when = span(time(first), last, form);
        let height = cell.height();
        bars.push(Bar {
            class: cell.class(),
            x: first * wide,
            y: HEIGHTS.1 - height,
            width: same.len() * wide,
            height,
            sign: cell.sign(),
            title: format!("{when}: {}", cell.word()),
        });
        first = until;
    }
    let words = words(&bars, cells);
    Bars { bars, words }
}

/// From one time to another; the day is said once, and a day that is alone has no end.
fn span(from: Timestamp, to: Timestamp, form: &str) -> String {
    let words = |time: Timestamp| time.strftime(form).to_string();
    let (one, other) = (words(from), words(to));
    let day = |words: &str| words.split(' ').next().map(str::to_string);
    match other.split_once(' ') {
        _ if one == other => one,
        Some((_, time)) if day(&one) == day(&other) => format!("{one} to {time}"),
        _ => format!("{one} to {other}"),
    }
}

/// What was not well, and when; of more than a few, the last ones.
fn words(bars: &[Bar], cells: &[Cell]) -> String {
    let all: Vec<&str> = bars
        .iter()
        .filter(|it| it.height == HEIGHTS.1)
        .map(|it| it.title.as_str())
        .collect();
    let left_out = all.len().saturating_sub(MOST_WORDS);
    match (all.is_empty(), left_out) {
        (true, _) => match cells.iter().max() {
            Some(Cell::Seen(_)) => "nothing was wrong".to_string(),
            Some(Cell::Ran) => "no run failed".to_string(),
            _ => "not tried".to_string(),
        },
        (false, 0) => all.join("; "),
        (false, _) => format!("{left_out} earlier; {}", all[left_out..].join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{html_served, sample};

    fn strip(id: &str, day: Vec<Cell>) -> Strip {
        Strip {
            id: id.to_string(),
            look: Some(Look::Blocked),
            day,
            month: vec![Cell::Seen(Look::Ok); 30],
        }
    }

    #[test]
    fn cells_that_say_the_same_are_one_bar_and_one_part_of_the_words() {
        let (ok, blocked) = (Cell::Seen(Look::Ok), Cell::Seen(Look::Blocked));
        let mut day = vec![Cell::NoRun; 44];
        day.extend([ok, blocked, blocked, Cell::Failed]);
        let drawn = draw(
            &strip("a>b:1/tcp", day),
            "2026-11-29T07:30:00Z".parse().expect("a time"),
        );
        let [(_, day), (_, month)] = &drawn.spans;
        let places: Vec<(usize, usize)> = day.bars.iter().map(|it| (it.x, it.width)).collect();
        assert_eq!(places, [(0, 440), (440, 10), (450, 20), (470, 10)]);
        assert_eq!(
            day.words,
            "11-29 06:00 to 07:00: blocked; 11-29 07:00 to 07:30: failed"
        );
        assert_eq!(month.words, "nothing was wrong");
        let of = |cell| {
            bars(
                &[Cell::NoRun, cell],
                (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(24)),
                "%m",
            )
            .words
        };
        assert_eq!(
            [of(Cell::Untried), of(Cell::Ran)],
            ["not tried", "no run failed"]
        );
        assert_eq!(day.bars[0].title, "11-28 07:30 to 11-29 05:30: no run");
        assert_eq!(month.bars[0].title, "10-31 to 11-29: ok");
        let signs: Vec<char> = day.bars.iter().map(|it| it.sign).collect();
        assert_eq!(signs, [' ', ' ', Look::Blocked.sign(), 'F']);
    }

    #[test]
    fn words_of_others_stay_text_beside_a_strip() {
        let hostile = "<script>alert(1)</script>\"'>ibs01:1/tcp\u{1b}[2J\u{202e}";
        let strips = Strips {
            ends: Timestamp::UNIX_EPOCH,
            runs: strip("", vec![Cell::Ran; 48]),
            rows: vec![strip(hostile, vec![Cell::Failed; 48])],
            more: 3,
            unchanged: 1,
        };
        let page =
            html_served(&sample::report("internet", "probe7"), "dmz", &strips).expect("a page");
        for mark in ["<script>", "\u{1b}", "\u{202e}"] {
            assert!(!page.contains(mark), "{mark:?}");
        }
        assert!(page.contains("&lt;script&gt;") || page.contains("&#60;script&#62;"));
        assert!(page.contains("3 more flows changed"));
        // The only script is ours, and it stands in no page.
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("<script src=\"/live.js\" defer></script>"));
    }
}
