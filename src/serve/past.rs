//! How the flows of a check stood in the last month, half hour by half hour: what its strips are drawn from.
//!
//! Of each half hour it is known what was tried (`tried`). Of each flow, only the half hours are kept from which on it
//! looked another way. So a year of one verdict takes no more than an hour of it. The worst that was seen in a half hour
//! counts for it. Where nothing tried the flow, nothing is said of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::history::{self, PastChange, Stood, Tried};
use crate::product::Need;
use crate::report::{self, Cell, Look, ReportDocument, Strip, Strips};

/// Seconds of a cell.
const HALF_HOUR: i64 = 1_800;
/// Cells of a day.
const DAY: i64 = 48;
/// Days of a month.
const MONTH: i64 = 30;
/// The most strips of a page.
const MOST: usize = 200;

/// What is known of the last month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// What was tried in each half hour, at the most.
    tried: BTreeMap<i64, Tried>,
    /// Flows by their ids.
    flows: BTreeMap<String, Track>,
    /// Runs that were counted in.
    runs: u64,
}

/// One flow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Track {
    /// Only runs that try all try it.
    is_forbidden: bool,
    /// From which half hour on it looked how; `None`: it was not there.
    turns: Vec<(i64, Option<Look>)>,
}

/// Since when runs count.
pub(super) fn since(now: Timestamp) -> Timestamp {
    let first = first_cell(now) * HALF_HOUR;
    Timestamp::from_second(first).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The half hour of a time.
fn cell(time: Timestamp) -> i64 {
    time.as_second().div_euclid(HALF_HOUR)
}

/// The first half hour of a month that ends with a day.
fn first_cell(now: Timestamp) -> i64 {
    (cell(now).div_euclid(DAY) - (MONTH - 1)) * DAY
}

impl Past {
    /// What the history has of a check, whose flows stand so now. What did not change stood as it does now.
    pub(super) fn of(history: &history::Past, stands: Option<&ReportDocument>) -> Self {
        let mut past = Self::default();
        let mut changes: BTreeMap<i64, Vec<&PastChange>> = BTreeMap::new();
        for change in &history.changes {
            past.begin(&change.flow, change.before.as_ref(), change.after.as_ref());
            changes.entry(change.run).or_default().push(change);
        }
        let flows = stands.map(report::worst_by_id).unwrap_or_default();
        for (id, flow) in flows {
            let is_forbidden = flow.flow.need == Need::Forbidden;
            let track = past.flows.entry(id.to_string());
            let track = track.or_insert_with(|| Track::new(Some(Look::of(flow)), is_forbidden));
            track.is_forbidden = is_forbidden;
        }
        // What changed goes on as it stood after that.
        let mut settled: Vec<(&str, Option<Look>)> = Vec::new();
        let mut last = None;
        for run in &history.runs {
            let cell = cell(run.ended);
            if last != Some(cell) {
                for (flow, look) in settled.drain(..) {
                    past.see(flow, cell, look);
                }
            }
            for change in changes.get(&run.id).into_iter().flatten() {
                let look = change.after.as_ref().map(look);
                past.see(&change.flow, cell, look);
                settled.push((&change.flow, look));
            }
            past.count(cell, run.tried);
            last = Some(cell);
        }
        past
    }

    fn see(&mut self, flow: &str, cell: i64, look: Option<Look>) {
        let before = self.tried(cell);
        if let Some(track) = self.flows.get_mut(flow) {
            track.see(cell, look, before);
        }
    }

    fn begin(&mut self, flow: &str, before: Option<&Stood>, after: Option<&Stood>) {
        let need = before.or(after).map(|it| it.need);
        let track = self.flows.entry(flow.to_string());
        track.or_insert_with(|| Track::new(before.map(look), need == Some(Need::Forbidden)));
    }

    /// Counts a run in. `report` says how all flows stand after it.
    pub(super) fn saw(&mut self, ended: Timestamp, tried: Tried, report: Option<&ReportDocument>) {
        let cell = cell(ended);
        let before = self.tried(cell);
        if let Some(report) = report {
            let flows = report::worst_by_id(report);
            for (id, flow) in &flows {
                let is_forbidden = flow.flow.need == Need::Forbidden;
                if is_forbidden && tried != Tried::All {
                    continue;
                }
                let look = Some(Look::of(flow));
                match self.flows.get_mut(*id) {
                    Some(track) => {
                        track.is_forbidden = is_forbidden;
                        track.see(cell, look, before);
                    }
                    None => {
                        let track = Track::new(look, is_forbidden);
                        self.flows.insert((*id).to_string(), track);
                    }
                }
            }
            for (id, track) in &mut self.flows {
                if !flows.contains_key(id.as_str()) {
                    track.see(cell, None, before);
                }
            }
        }
        self.count(cell, tried);
        self.forget(first_cell(ended));
    }

    fn tried(&self, cell: i64) -> Option<Tried> {
        self.tried.get(&cell).copied()
    }

    fn count(&mut self, cell: i64, tried: Tried) {
        let most = self.tried.entry(cell).or_insert(tried);
        *most = tried.max(*most);
        self.runs += 1;
    }

    /// Forgets what is older than a month.
    fn forget(&mut self, first: i64) {
        self.tried = self.tried.split_off(&first);
        self.flows.retain(|_, track| track.forget(first));
    }

    /// Another number: other strips.
    pub(super) fn version(&self, now: Timestamp) -> (u64, i64) {
        (self.runs, cell(now))
    }

    /// The strips of the flows of a report, those first that are wrong now, then those that changed last.
    pub(super) fn strips(&self, report: &ReportDocument, now: Timestamp) -> Strips {
        let stands = report::worst_by_id(report);
        let mut shown = Vec::new();
        for (id, track) in &self.flows {
            let flow = stands.get(id.as_str());
            let is_wrong = flow.is_some_and(|it| !report::stands_well(it));
            if is_wrong || track.is_worth_it() {
                let look = flow.map(|it| Look::of(it));
                shown.push((
                    is_wrong.then_some(look).flatten(),
                    track.last(),
                    id,
                    track,
                    look,
                ));
            }
        }
        shown.sort_by_key(|(wrong, last, id, ..)| (Reverse(*wrong), Reverse(*last), *id));
        let strip = |(.., id, track, look): &(_, _, &String, &Track, Option<Look>)| {
            let (day, month) = self.cells(now, |cell, tried| track.at(cell, tried));
            Strip {
                id: (*id).clone(),
                look: *look,
                day,
                month,
            }
        };
        let of_runs = |_: i64, tried: Tried| match tried {
            Tried::Nothing => Cell::Failed,
            Tried::Needed | Tried::All => Cell::Ran,
        };
        let changed = shown.iter().filter(|(.., look)| look.is_some()).count();
        let (day, month) = self.cells(now, of_runs);
        Strips {
            ends: Timestamp::from_second((cell(now) + 1) * HALF_HOUR).unwrap_or(now),
            runs: Strip {
                id: String::new(),
                look: None,
                day,
                month,
            },
            rows: shown.iter().take(MOST).map(strip).collect(),
            more: shown.len().saturating_sub(MOST),
            unchanged: stands.len().saturating_sub(changed),
        }
    }

    /// The cells of the last day and of the last month.
    fn cells(&self, now: Timestamp, of: impl Fn(i64, Tried) -> Cell) -> (Vec<Cell>, Vec<Cell>) {
        let at = |cell: i64| {
            self.tried(cell)
                .map_or(Cell::NoRun, |tried| of(cell, tried))
        };
        let last = cell(now);
        let day = (last - DAY + 1..=last).map(at).collect();
        let of_day = |first: i64| {
            let tried = self.tried.range(first..first + DAY);
            let cells = tried.map(|(cell, tried)| of(*cell, *tried));
            cells.max().unwrap_or(Cell::NoRun)
        };
        let first = first_cell(now);
        let month = (0..MONTH).map(|day| of_day(first + day * DAY)).collect();
        (day, month)
    }
}

impl Track {
    fn new(look: Option<Look>, is_forbidden: bool) -> Self {
        Self {
            is_forbidden,
            turns: vec![(i64::MIN, look)],
        }
    }

    /// Sees it once. `before` is what was tried in the same half hour until then.
    fn see(&mut self, cell: i64, look: Option<Look>, before: Option<Tried>) {
        let was_tried = before.is_some_and(|tried| self.is_tried_by(tried));
        match self.turns.last_mut() {
            Some((last, seen)) if *last == cell => *seen = look.max(*seen),
            Some((_, seen)) if *seen == look => {}
            Some((_, seen)) => {
                let seen = if was_tried { look.max(*seen) } else { look };
                self.turns.push((cell, seen));
            }
            None => self.turns.push((cell, look)),
        }
    }

    fn is_tried_by(&self, tried: Tried) -> bool {
        match self.is_forbidden {
            true => tried == Tried::All,
            false => tried != Tried::Nothing,
        }
    }

    /// How it looked in a half hour.
    fn at(&self, cell: i64, tried: Tried) -> Cell {
        match tried {
            Tried::Nothing => Cell::Failed,
            _ if !self.is_tried_by(tried) => Cell::Untried,
            _ => {
                let until = self.turns.partition_point(|(since, _)| *since <= cell);
                let look = self.turns[..until].last().and_then(|(_, look)| *look);
                look.map_or(Cell::Untried, Cell::Seen)
            }
        }
    }

    /// When it last turned.
    fn last(&self) -> i64 {
        self.turns.last().map_or(i64::MIN, |(since, _)| *since)
    }

    /// Whether it looked in more than one way, or went when it was not well.
    fn is_worth_it(&self) -> bool {
        let mut looks = self.turns.iter().filter_map(|(_, look)| *look);
        let Some(first) = looks.next() else {
            return false;
        };
        let is_gone = self.turns.last().is_some_and(|(_, look)| look.is_none());
        looks.any(|look| look != first) || (is_gone && first > Look::Accepted)
    }

    /// Forgets what was before a half hour. False: nothing is left.
    fn forget(&mut self, first: i64) -> bool {
        let until = self.turns.partition_point(|(since, _)| *since <= first);
        self.turns.drain(..until.saturating_sub(1));
        self.turns.iter().any(|(_, look)| look.is_some())
    }
}

fn look(stood: &Stood) -> Look {
    match stood.accepted {
        true => Look::Accepted,
        false => Look::of_verdict(stood.verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Kept, PastRun, Store};
    use crate::report::sample;
    use crate::verdict::{Cause, Level, Verdict};
    use jiff::SignedDuration;

    const FLOW: &str = "internet>ibs01:443/tcp";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// A report of one needed flow that stands so, and of one that is as it must be.
    fn report(verdict: Verdict) -> ReportDocument {
        let mut flow = sample::flow(FLOW);
        if verdict != Verdict::Ok {
            (flow.verdict, flow.level, flow.cause) = (verdict, Level::Error, Cause::NoAnswer);
        }
        let other = sample::flow("internet>ibs01:80/tcp");
        sample::with("internet", "probe7", vec![flow, other])
    }

    /// The cells of the last half hours of a strip.
    fn last<const N: usize>(strip: &Strip) -> [Cell; N] {
        let cells = &strip.day[strip.day.len() - N..];
        cells.try_into().expect("so many")
    }

    const OK: Cell = Cell::Seen(Look::Ok);
    const BLOCKED: Cell = Cell::Seen(Look::Blocked);

    #[test]
    fn the_worst_of_a_half_hour_counts_and_where_nothing_ran_nothing_is_said() {
        let mut past = Past::default();
        let (well, wrong) = (report(Verdict::Ok), report(Verdict::Blocked));
        let ran = |past: &mut Past, time: &str, report| {
            past.saw(at(time), Tried::Needed, Some(report));
        };
        ran(&mut past, "2026-11-29T05:10:00Z", &well);
        ran(&mut past, "2026-11-29T05:40:00Z", &well);
        ran(&mut past, "2026-11-29T05:45:00Z", &wrong);
        ran(&mut past, "2026-11-29T05:50:00Z", &well);
        // The daemon was off, and then its runs had no report.
        past.saw(at("2026-11-29T06:40:00Z"), Tried::Nothing, None);
        ran(&mut past, "2026-11-29T07:00:00Z", &well);
        let now = at("2026-11-29T07:29:59Z");
        let strips = past.strips(&well, now);
        assert_eq!((strips.rows.len(), strips.unchanged), (1, 1));
        let strip = &strips.rows[0];
        assert_eq!((strip.id.as_str(), strip.look), (FLOW, Some(Look::Ok)));
        let cells = [Cell::NoRun, OK, BLOCKED, Cell::NoRun, Cell::Failed, OK];
        assert_eq!(last(strip), cells);
        let runs = [Cell::Ran, Cell::Ran, Cell::NoRun, Cell::Failed, Cell::Ran];
        assert_eq!(last(&strips.runs), runs);
        assert_eq!((strip.day.len(), strip.month.len()), (48, 30));
        assert_eq!(strip.month[28..], [Cell::NoRun, BLOCKED]);
    }

    #[test]
    fn a_run_of_needed_flows_alone_says_nothing_of_what_must_not_pass() {
        let exposed = ["forbidden", "open", "exposed", "open", "error"];
        let flows = vec![sample::judged("internet>ibs01:445/tcp", exposed)];
        let all = sample::with("internet", "probe7", flows);
        let mut past = Past::default();
        past.saw(at("2026-11-29T05:10:00Z"), Tried::All, Some(&all));
        past.saw(at("2026-11-29T05:40:00Z"), Tried::Needed, Some(&all));
        let strips = past.strips(&all, at("2026-11-29T05:59:00Z"));
        let exposed = Cell::Seen(Look::Exposed);
        assert_eq!(last(&strips.rows[0]), [Cell::NoRun, exposed, Cell::Untried]);
    }

    #[test]
    fn what_is_older_than_a_month_is_forgotten_and_what_never_changed_takes_no_room() {
        let (well, wrong) = (report(Verdict::Ok), report(Verdict::Blocked));
        let mut past = Past::default();
        let start = at("2026-01-01T00:00:00Z");
        for hour in 0..24 * 40 {
            let now = start + SignedDuration::from_hours(hour);
            let seen = if hour % 2 == 0 { &well } else { &wrong };
            past.saw(now, Tried::Needed, Some(seen));
        }
        assert!(past.tried.len() <= 24 * 30, "{}", past.tried.len());
        assert!(past.flows[FLOW].turns.len() <= 24 * 30 + 1);
        assert_eq!(past.flows["internet>ibs01:80/tcp"].turns.len(), 1);
    }

    #[test]
    fn what_the_history_has_makes_the_same_strips_as_what_was_seen() {
        history::tests::each(|fresh| makes_the_same_strips(&mut fresh.store()));
    }

    fn makes_the_same_strips(store: &mut Store) {
        let (well, wrong) = (report(Verdict::Ok), report(Verdict::Blocked));
        let down = report(Verdict::Down);
        let runs = [
            ("2026-11-28T05:10:00Z", Some(&well)),
            ("2026-11-29T05:20:00Z", Some(&wrong)),
            ("2026-11-29T05:29:00Z", Some(&well)),
            ("2026-11-29T05:40:00Z", Some(&well)),
            ("2026-11-29T06:10:00Z", None),
            ("2026-11-29T06:40:00Z", Some(&down)),
            ("2026-11-29T06:45:00Z", Some(&wrong)),
            ("2026-11-29T07:10:00Z", Some(&wrong)),
        ];
        let mut seen = Past::default();
        for (time, report) in runs {
            let kept = match report {
                Some(report) => Kept::Report(report, 0),
                None => Kept::Failure {
                    started: at(time),
                    why: "no file".to_string(),
                    exit_status: 2,
                },
            };
            let tried = if report.is_some() {
                Tried::All
            } else {
                Tried::Nothing
            };
            seen.saw(at(time), tried, report);
            store
                .add_followed(&kept, at(time), &Alone)
                .expect("it is kept");
        }
        let now = at("2026-11-29T07:15:00Z");
        let read = store.past("internet", since(now)).expect("it is read");
        assert_eq!(read.runs.len(), 8);
        assert_eq!(read.runs[4].tried, Tried::Nothing);
        let read = Past::of(&read, Some(&wrong));
        let [one, other] = [&seen, &read].map(|past| {
            let strips = past.strips(&wrong, now);
            assert_eq!(strips.unchanged, 1);
            let cells = |it: &Strip| (it.id.clone(), it.day.clone(), it.month.clone());
            strips.rows.iter().map(cells).collect::<Vec<_>>()
        });
        assert_eq!(one, other);
        let of_another = store.past("dmz", since(now)).expect("it is read");
        assert_eq!(of_another, history::Past::default());
    }

    struct Alone;

    impl history::Follow for Alone {
        fn check(&self) -> &str {
            "internet"
        }

        fn follow(
            &self,
            _: i64,
            _: &Kept<'_>,
            remembered: BTreeMap<String, String>,
        ) -> history::Followed {
            let queued = Vec::new();
            history::Followed { remembered, queued }
        }
    }

    #[test]
    fn a_flow_that_went_when_it_was_wrong_has_a_strip_still() {
        let run = |id, time: &str| PastRun {
            id,
            ended: at(time),
            tried: Tried::All,
        };
        let stood = Stood {
            need: Need::Forbidden,
            verdict: Verdict::Exposed,
            accepted: false,
        };
        let gone = PastChange {
            run: 2,
            flow: "internet>ibs01:4444/tcp".to_string(),
            before: Some(stood),
            after: None,
        };
        let history = history::Past {
            runs: vec![
                run(1, "2026-11-29T05:10:00Z"),
                run(2, "2026-11-29T05:40:00Z"),
            ],
            changes: vec![gone],
        };
        let now = report(Verdict::Ok);
        let past = Past::of(&history, Some(&now));
        let strips = past.strips(&now, at("2026-11-29T06:10:00Z"));
        assert_eq!((strips.rows.len(), strips.unchanged), (1, 2));
        assert_eq!(strips.rows[0].look, None);
        // In the half hour in which it went it may still have been open.
        let exposed = Cell::Seen(Look::Exposed);
        assert_eq!(last(&strips.rows[0]), [exposed, Cell::Untried, Cell::NoRun]);
    }

    #[test]
    fn what_is_not_well_comes_first() {
        let mut past = Past::default();
        let mut flows = vec![
            sample::flow("internet>ibs01:1/tcp"),
            sample::flow("internet>ibs01:2/tcp"),
            sample::flow("internet>ibs01:3/tcp"),
        ];
        let stands = |flow: &mut report::ReportFlow, verdict| {
            (flow.verdict, flow.level) = (verdict, Level::Error);
        };
        stands(&mut flows[1], Verdict::Down);
        let before = sample::with("internet", "probe7", flows.clone());
        past.saw(at("2026-11-29T05:10:00Z"), Tried::All, Some(&before));
        flows[1].verdict = Verdict::Ok;
        stands(&mut flows[2], Verdict::Blocked);
        let after = sample::with("internet", "probe7", flows);
        past.saw(at("2026-11-29T05:40:00Z"), Tried::All, Some(&after));
        let strips = past.strips(&after, at("2026-11-29T05:59:00Z"));
        let ids: Vec<&str> = strips.rows.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["internet>ibs01:3/tcp", "internet>ibs01:2/tcp"]);
        assert_eq!((strips.unchanged, strips.more), (1, 0));
    }
}
