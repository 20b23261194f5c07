//! A process that writes runs all the time is ended by force, 200 times, and each time the history is whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::iter;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::*;

/// How often.
const KILLS: u64 = 200;
/// Tells the process that writes where the history is, and that it is the one.
const PLACE: &str = "PORTPROOF_TEST_HISTORY";
/// What that process says before it opens the history.
const OPENS: &str = "opens the history";
/// What it says before the number of a run that it has kept.
const KEPT: &str = "kept ";

#[test]
#[ignore = "the process that is killed; the next tests start it"]
fn writes_runs_until_it_is_killed() {
    let place = std::env::var_os(PLACE).expect("another test starts this one");
    let at = Location::parse(std::path::Path::new(&place)).expect("a place");
    // What runs tests has begun the line.
    writeln!(std::io::stdout(), "\n{OPENS}").expect("somebody reads");
    let mut store = Store::open_or_make(&at).expect("a history");
    for verdict in [Verdict::Ok, Verdict::Blocked].into_iter().cycle() {
        let id = add(&mut store, &report("internet", verdict)).id;
        let now = Timestamp::now();
        // Reports go while others come.
        let retention = Retention {
            days: 400,
            bytes: 400_000,
        };
        store.retain(retention, now).expect("it is written");
        writeln!(std::io::stdout(), "{KEPT}{id}").expect("somebody reads");
    }
}

/// Every run that the process had kept is there, with what it changed, and the last one can be read.
fn is_whole_after_kills(fresh: &Fresh) {
    let place = fresh.as_written();
    let mut kept: Vec<i64> = Vec::new();
    let mut newest = 0;
    for round in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().expect("this test"))
            .args(["history::tests::killed::writes_runs_until_it_is_killed"])
            .args(["--exact", "--ignored", "--nocapture", "--test-threads", "1"])
            .env(PLACE, &place)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it begins");
        let mut said = BufReader::new(writer.stdout.take().expect("what it says")).lines();
        let mut said = || said.next().map(|line| line.expect("text"));
        // As it opens the history in one round, and as it writes in the next: however long it takes to get there.
        let awaited = [OPENS, KEPT][round as usize % 2];
        let line = iter::from_fn(&mut said).find(|line| line.starts_with(awaited));
        kept.extend(line.as_deref().and_then(number));
        sleep(Duration::from_millis(round * 61 % 60));
        writer.kill().expect("it is ended");
        writer.wait().expect("it ends");
        kept.extend(iter::from_fn(&mut said).filter_map(|line| number(&line)));
        let Some(last) = kept.last() else { continue };
        newest = newest.max(*last);
        let mut store = Store::open(&fresh.at).expect("it opens");
        let there = store.latest(usize::MAX).expect("it is read");
        let numbers: std::collections::BTreeSet<i64> = there.iter().map(|run| run.id).collect();
        // Those that went to save room are the oldest.
        kept.retain(|id| *id >= there[there.len() - 1].id);
        let lost: Vec<&i64> = kept.iter().filter(|id| !numbers.contains(id)).collect();
        assert!(lost.is_empty() && !kept.is_empty(), "{lost:?}");
        let last = store.report(there[0].id).expect("it is read");
        assert!(last.is_some(), "the last one has a report");
        let all_changed = there[..there.len() - 1]
            .iter()
            .all(|run| run.changed.is_some());
        assert!(all_changed, "a run is there without what it changed");
    }
    assert!(newest >= KILLS as i64 / 2, "it wrote only {newest}");
}

/// The number of a run that the process has kept.
fn number(line: &str) -> Option<i64> {
    line.strip_prefix(KEPT)?.parse().ok()
}

#[test]
fn a_folder_is_whole_after_each_of_200_kills() {
    is_whole_after_kills(&Fresh::folder());
}

#[cfg(unix)]
#[test]
fn a_database_is_whole_after_each_of_200_kills() {
    is_whole_after_kills(&Fresh::server());
}
