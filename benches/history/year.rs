//! How much room the history of a site takes: `history-year REPORT.json PLACE DAYS`.
//!
//! The flows of a report are multiplied to 500, and "run" every 5 minutes of a clock that goes fast. Five flows fail and come
//! back six times a day each. Once a week a firewall stops 60 flows for an hour. Times and ports of tries differ in each run,
//! as they do in real ones. What is kept is what `portproof check --keep PLACE` keeps by default.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use portproof::history::{Kept, Location, Retention, Store};
use portproof::report::{self, ReportDocument, ReportFlow, Summary};
use portproof::verdict::{Cause, Level, Verdict};

const FLOWS: usize = 500;
const RUNS_A_DAY: usize = 24 * 60 / 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, place, days] = arguments.as_slice() else {
        return Err("usage: history-year REPORT.json PLACE DAYS".into());
    };
    let days: usize = days.parse()?;
    let place = Location::parse(Path::new(place))?;
    let site = site(report::read(&std::fs::read(file)?)?);
    let mut store = Store::open_or_make(&place)?;
    let retention = Retention::new(None, None);
    let began = Instant::now();
    // The year is over now.
    let first = Timestamp::now() - SignedDuration::from_hours(24 * days as i64);
    for run in 0..days * RUNS_A_DAY {
        let at = first + SignedDuration::from_mins(5 * run as i64);
        let report = seen(&site, run, at);
        store.add(&Kept::Report(&report, 0), at)?;
        store.retain(retention, at)?;
        if run % (RUNS_A_DAY * 5) == RUNS_A_DAY * 5 - 1 {
            let day = (run + 1) / RUNS_A_DAY;
            say(&mut store, &format!("day {day} ({:.0?})", began.elapsed()))?;
        }
    }
    say(&mut store, "all")?;
    // Reports go first: until the last one is alone.
    let now = Timestamp::now();
    while store
        .latest(usize::MAX)?
        .iter()
        .filter(|it| it.has_report)
        .count()
        > 1
    {
        let bytes = store.size()?.saturating_sub(1);
        store.retain(Retention { bytes, ..retention }, now)?;
    }
    say(&mut store, "without reports but the last")?;
    Ok(())
}

fn say(store: &mut Store, when: &str) -> Result<(), Box<dyn std::error::Error>> {
    let runs = store.latest(usize::MAX)?;
    let changed = |run: &portproof::history::RunEntry| {
        run.changed.map_or(0, |it| it.worse + it.better + it.other)
    };
    writeln!(
        std::io::stdout(),
        "{when}: {:.1} MB, {} runs, {} with a report, {} changes",
        store.size()? as f64 / 1e6,
        runs.len(),
        runs.iter().filter(|it| it.has_report).count(),
        runs.iter().map(changed).sum::<usize>(),
    )?;
    Ok(())
}

/// The report with 500 flows, all as they must be, or at least no worse.
fn site(mut report: ReportDocument) -> ReportDocument {
    let some = report.flows.clone();
    report.flows = (0..FLOWS)
        .map(|number| {
            let mut flow = some[number % some.len()].clone();
            // Another destination.
            let id = &mut flow.flow_mut().id;
            *id = id.replace('>', &format!(">s{}-", number / some.len()));
            flow
        })
        .collect();
    report
        .flows
        .sort_by(|one, other| one.flow.id.cmp(&other.flow.id));
    report.sweeps.clear();
    report
}

/// What a run saw.
fn seen(site: &ReportDocument, run: usize, at: Timestamp) -> ReportDocument {
    let mut random = 0x9e37_79b9_7f4a_7c15 ^ (run as u64 + 1);
    let mut random = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut report = site.clone();
    for vantage in &mut report.vantages {
        vantage.started = (at - SignedDuration::from_secs(20)).to_string();
        vantage.finished = at.to_string();
    }
    for (number, flow) in report.flows.iter_mut().enumerate() {
        for attempt in &mut flow.evidence.seen.attempts {
            attempt.at = at - SignedDuration::from_nanos((random() % 20_000_000_000) as i64);
            attempt.took_ms *= 0.8 + (random() % 400) as f64 / 1000.0;
            attempt.took_ms = (attempt.took_ms * 10.0).round() / 10.0;
            if let Some(local) = &mut attempt.local {
                local.set_port(32_768 + (random() % 28_000) as u16);
            }
        }
        if is_stopped(number, run) {
            stop(flow);
        }
    }
    report.summary = summary(&report.flows);
    report
}

fn is_stopped(flow: usize, run: usize) -> bool {
    // Two hours well, two hours not, each of them at times of its own.
    let flaps = flow.is_multiple_of(100) && (run + flow / 10) / 24 % 2 == 1;
    let outage = flow < 60 && run % (7 * RUNS_A_DAY) < 12;
    flaps || outage
}

fn stop(flow: &mut ReportFlow) {
    (flow.verdict, flow.level, flow.cause) = (Verdict::Blocked, Level::Error, Cause::NoAnswer);
}

fn summary(flows: &[ReportFlow]) -> Summary {
    let of = |verdict| flows.iter().filter(|it| it.verdict == verdict).count();
    Summary {
        ok: of(Verdict::Ok),
        blocked: of(Verdict::Blocked),
        down: of(Verdict::Down),
        wrong: of(Verdict::Wrong),
        exposed: of(Verdict::Exposed),
        unknown: of(Verdict::Unknown),
        accepted: 0,
    }
}
