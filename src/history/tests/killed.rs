//! A process that writes runs all the time is ended by force, 200 times, and each time the history is whole.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::*;

/// How often.
const KILLS: u64 = 200;
/// Tells the process that writes where the history is, and that it is the one.
const PLACE: &str = "PORTPROOF_TEST_HISTORY";

#[test]
#[ignore = "the process that is killed; the next tests start it"]
fn writes_runs_until_it_is_killed() {
    let place = std::env::var_os(PLACE).expect("another test starts this one");
    let at = Location::parse(std::path::Path::new(&place)).expect("a place");
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
        writeln!(std::io::stdout(), "kept {id}").expect("somebody reads");
    }
}

/// Every run that the process had kept is there, with what it changed, and the last one can be read.
fn is_whole_after_kills(fresh: &Fresh) {
    let place = fresh.as_written();
    let said = tempfile::NamedTempFile::new().expect("a file");
    let mut kept: Vec<i64> = Vec::new();
    let mut newest = 0;
    for round in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().expect("this test"))
            .args(["history::tests::killed::writes_runs_until_it_is_killed"])
            .args(["--exact", "--ignored", "--nocapture", "--test-threads", "1"])
            .env(PLACE, &place)
            .stdout(File::create(said.path()).expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("it begins");
        // As it opens the history, and then as it writes.
        sleep(Duration::from_millis(15 + round * 61 % 100));
        writer.kill().expect("it is ended");
        writer.wait().expect("it ends");
        let words = fs::read_to_string(said.path()).expect("text");
        let numbers = words
            .lines()
            .filter_map(|it| it.strip_prefix("kept ")?.parse().ok());
        kept.extend::<Vec<i64>>(numbers.collect());
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
    assert!(newest > KILLS as i64, "it wrote only {newest}");
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
