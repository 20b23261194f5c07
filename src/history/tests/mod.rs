//! What a history keeps, says and forgets: in a folder, and in the database of a real server.

mod killed;
#[cfg(unix)]
#[path = "../../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "tests of the program use the rest")]
mod postgres;
#[cfg(unix)]
mod servers;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::report::sample;
use crate::verdict::{Cause, Level, Verdict};
#[cfg(unix)]
use crate::wire::tls::servers::ports;

/// A report from a zone, of which one flow stands so.
fn report(zone: &str, verdict: Verdict) -> ReportDocument {
    let mut flow = sample::flow(&format!("{zone}>ibs01:443/tcp"));
    if verdict != Verdict::Ok {
        (flow.verdict, flow.level, flow.cause) = (verdict, Level::Error, Cause::NoAnswer);
    }
    sample::with(zone, "probe7", vec![flow])
}

/// A place without a history, which goes with its test.
pub(crate) struct Fresh {
    at: Location,
    _folder: Option<tempfile::TempDir>,
}

impl Fresh {
    fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            at: Location::Folder(folder.path().to_path_buf()),
            _folder: Some(folder),
        }
    }

    #[cfg(unix)]
    fn server() -> Self {
        let server = postgres::Postgres::shared();
        let address = Address::parse(&server.near(&server.database())).expect("an address");
        Self {
            at: Location::Server(address),
            _folder: None,
        }
    }

    /// The file of a folder.
    fn file(&self) -> std::path::PathBuf {
        match &self.at {
            Location::Folder(folder) => folder.join(FILE),
            Location::Server(address) => panic!("{address}"),
        }
    }

    /// As the command line has it.
    fn as_written(&self) -> String {
        self.at.to_string()
    }

    pub(crate) fn store(&self) -> Store {
        Store::open_or_make(&self.at).expect("a history")
    }
}

/// What holds of a history, wherever it is: tried with each.
#[expect(clippy::print_stderr, reason = "a test that fails says of which")]
pub(crate) fn each(holds: impl Fn(&Fresh)) {
    let all: &[fn() -> Fresh] = &[
        Fresh::folder,
        #[cfg(unix)]
        Fresh::server,
    ];
    for fresh in all {
        let fresh = fresh();
        eprintln!("the history in {}", fresh.at);
        holds(&fresh);
    }
}

fn add(store: &mut Store, report: &ReportDocument) -> Added {
    add_at(store, report, Timestamp::now())
}

fn add_at(store: &mut Store, report: &ReportDocument, now: Timestamp) -> Added {
    let kept = Kept::Report(report, 0);
    store.add(&kept, now).expect("it is written")
}

#[test]
fn a_run_is_compared_with_the_last_report_from_the_same_place() {
    each(|fresh| {
        let mut store = fresh.store();
        let first = add(&mut store, &report("internet", Verdict::Ok));
        assert!(first.since.is_none());
        let elsewhere = add(&mut store, &report("intranet", Verdict::Blocked));
        assert!(elsewhere.since.is_none());
        let again = add(&mut store, &report("internet", Verdict::Blocked));
        let (run, diff) = again.since.expect("an earlier report");
        assert_eq!(run, first.id);
        let counts = Counts::of(&diff);
        assert_eq!((counts.worse, counts.better, counts.other), (1, 0, 0));
        let listed = store.latest(10).expect("a list");
        let changed: Vec<Option<Counts>> = listed.iter().map(|run| run.changed).collect();
        assert_eq!(changed, [Some(counts), None, None]);
        assert_eq!(store.last_two().expect("two"), Some((first.id, again.id)));
    });
}

/// A check that remembers nothing.
struct Named(&'static str);

impl Follow for Named {
    fn check(&self) -> &str {
        self.0
    }

    fn follow(&self, _: i64, _: &Kept<'_>, _: BTreeMap<String, String>) -> Followed {
        Followed {
            remembered: BTreeMap::new(),
            queued: Vec::new(),
        }
    }
}

#[test]
fn checks_from_one_place_are_compared_each_with_its_own_runs() {
    each(|fresh| {
        let mut store = fresh.store();
        let mut add = |check, verdict, second| {
            let report = report("internet", verdict);
            let kept = Kept::Report(&report, 0);
            let now = Timestamp::from_second(second).expect("a time");
            store.add_followed(&kept, now, &Named(check))
        };
        let often = add("often", Verdict::Ok, 1).expect("written");
        let daily = add("daily", Verdict::Blocked, 2).expect("written");
        assert!(daily.since.is_none());
        let again = add("often", Verdict::Blocked, 3).expect("written");
        let (run, diff) = again.since.expect("an earlier report");
        assert_eq!((run, diff.worse.len()), (often.id, 1));
    });
}

#[test]
fn what_is_read_back_is_what_was_kept_also_by_another_process() {
    each(|fresh| {
        let kept = report("internet", Verdict::Blocked);
        let id = add(&mut fresh.store(), &kept).id;
        let read = Store::open(&fresh.at).expect("a history").report(id);
        assert_eq!(read.expect("it is read"), Some(kept));
    });
}

#[test]
fn a_run_without_a_report_is_listed_with_its_reason_and_told_after_it() {
    each(|fresh| {
        let mut store = fresh.store();
        let failure = Kept::Failure {
            started: Timestamp::now(),
            why: "no such file".to_string(),
            exit_status: 2,
        };
        store
            .add(&failure, Timestamp::now())
            .expect("it is written");
        let listed = store.latest(1).expect("a list");
        assert_eq!(listed[0].failure.as_deref(), Some("no such file"));
        assert_eq!((listed[0].exit_status, listed[0].has_report), (2, false));
        let after = add(&mut store, &report("internet", Verdict::Ok));
        assert!(after.after_a_failure);
        let next = add(&mut store, &report("internet", Verdict::Ok));
        assert!(!next.after_a_failure);
    });
}

#[test]
fn runs_go_when_they_are_old_and_the_last_one_stays() {
    each(|fresh| {
        let mut store = fresh.store();
        let now = Timestamp::now();
        let days = |days: i64| now - SignedDuration::from_hours(24 * days);
        for age in [500, 401, 399, 1] {
            add_at(&mut store, &report("internet", Verdict::Ok), days(age));
        }
        store
            .retain(Retention::new(None, None), now)
            .expect("it is written");
        assert_eq!(store.latest(10).expect("a list").len(), 2);
        let later = now + SignedDuration::from_hours(24 * 1_000);
        store
            .retain(Retention::new(None, None), later)
            .expect("it is written");
        assert_eq!(store.latest(10).expect("a list").len(), 1);
    });
}

/// A report that cannot be made much smaller.
fn large(number: u64) -> ReportDocument {
    let mut report = report("internet", Verdict::Ok);
    let mut random = 0x9e37_79b9_7f4a_7c15 ^ number;
    let mut letter = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char::from(b'a' + (random % 26) as u8)
    };
    report.authorised = Some((0..100_000).map(|_| letter()).collect());
    report
}

#[test]
fn a_history_keeps_its_size_reports_go_first_and_the_last_one_stays() {
    each(|fresh| {
        let mut store = fresh.store();
        let retention = Retention {
            days: 400,
            bytes: 1_000_000,
        };
        for number in 1..=60 {
            add(&mut store, &large(number));
            store
                .retain(retention, Timestamp::now())
                .expect("it is written");
        }
        let listed = store.latest(100).expect("a list");
        assert_eq!(listed.len(), 60, "lines are small and stay");
        let with_report = listed.iter().filter(|run| run.has_report).count();
        assert!((2..=15).contains(&with_report), "{with_report}");
        assert!(listed[0].has_report);
        let size = store.size().expect("it is read");
        assert!((100_000..1_000_000).contains(&size), "{size}");
        if let Location::Folder(folder) = &fresh.at {
            let file = std::fs::metadata(folder.join(FILE)).expect("the file");
            assert!(file.len() < 1_500_000, "{}", file.len());
        }
    });
}

#[test]
fn a_folder_without_a_history_one_of_a_newer_version_and_one_that_is_none_are_refused() {
    let fresh = Fresh::folder();
    let open = || Store::open(&fresh.at).err().expect("a fault").to_string();
    assert!(open().contains("begins one"), "{}", open());
    drop(fresh.store());
    let file = fresh.file();
    let database = rusqlite::Connection::open(&file).expect("a database");
    database
        .pragma_update(None, "user_version", 99)
        .expect("it is written");
    drop(database);
    assert!(open().contains("newer version"), "{}", open());
    std::fs::write(&file, "no database ".repeat(1_000)).expect("it is written");
    assert!(open().contains("not a database"), "{}", open());
}

/// Leaves a history as the first version did.
fn as_the_first_version_left_it(fresh: &Fresh) {
    const NEW: &str = "DROP TABLE message; DROP TABLE remembered; DROP INDEX run_of_check;
        ALTER TABLE run DROP COLUMN of_check; ALTER TABLE run DROP COLUMN needed_only;";
    match &fresh.at {
        Location::Folder(folder) => {
            let database = rusqlite::Connection::open(folder.join(FILE)).expect("a database");
            let words = format!("{NEW} PRAGMA user_version = 1;");
            database.execute_batch(&words).expect("it is written");
        }
        #[cfg(unix)]
        Location::Server(_) => {
            let address = fresh.as_written();
            let (_, name) = address.rsplit_once('/').expect("a database");
            let words =
                format!("SET search_path TO portproof; {NEW} UPDATE version SET version = 1");
            postgres::Postgres::shared().psql(name, &words);
        }
        #[cfg(not(unix))]
        Location::Server(address) => panic!("{address}"),
    }
}

#[test]
fn a_history_of_the_first_version_keeps_its_runs_and_is_compared_with() {
    each(|fresh| {
        let first = add(&mut fresh.store(), &report("internet", Verdict::Ok)).id;
        as_the_first_version_left_it(fresh);
        let mut store = fresh.store();
        assert_eq!(store.latest(10).expect("a list").len(), 1);
        let again = add(&mut store, &report("internet", Verdict::Blocked));
        assert_eq!(again.since.map(|(run, _)| run), Some(first));
        let alone = Named("often");
        let kept = report("internet", Verdict::Ok);
        let kept = Kept::Report(&kept, 0);
        let now = Timestamp::now();
        let followed = store.add_followed(&kept, now, &alone);
        assert_eq!(followed.expect("it is written").id, again.id + 1);
    });
}

/// A check that remembers a flow, and has something to tell.
struct Told(&'static str);

impl Follow for Told {
    fn check(&self) -> &str {
        self.0
    }

    fn follow(&self, run: i64, _: &Kept<'_>, _: BTreeMap<String, String>) -> Followed {
        let queued = ["mail", "chat"].map(|channel| Queued {
            channel: channel.to_string(),
            body: format!("run {run}"),
        });
        Followed {
            remembered: BTreeMap::from([("flow".to_string(), "what".to_string())]),
            queued: queued.into(),
        }
    }
}

#[test]
fn a_check_that_is_removed_says_so_once_after_what_waits_and_is_forgotten() {
    each(|fresh| {
        let mut store = fresh.store();
        let kept = report("internet", Verdict::Blocked);
        for (second, check) in (1..).zip(["stays", "goes"]) {
            let now = Timestamp::from_second(second).expect("a time");
            let followed = store.add_followed(&Kept::Report(&kept, 1), now, &Told(check));
            followed.expect("it is written");
        }
        let now = Timestamp::now();
        let tell = |removed: &Removed| {
            let seen = Some(("PRI".to_string(), "internet".to_string()));
            assert_eq!((removed.check.as_str(), &removed.seen), ("goes", &seen));
            assert_eq!(removed.remembered["flow"], "what");
            let body = format!("{} has gone", removed.check);
            let channel = "mail".to_string();
            vec![Queued { channel, body }]
        };
        for dropped in [2, 0] {
            let forgotten = store.forget_all_but(&["stays"], &["mail"], now, &tell);
            assert_eq!(forgotten.expect("it is written"), dropped);
        }
        assert_eq!(store.remembered("stays").expect("it is read").len(), 1);
        assert_eq!(store.remembered("goes").expect("it is read").len(), 0);
        let mut told = Vec::new();
        while let Some(message) = store.first_queued("mail").expect("it is read") {
            store.taken(message.id).expect("it is written");
            told.push(message.body);
        }
        assert_eq!(told, ["run 1", "run 2", "goes has gone"]);
    });
}

/// A report of a run that tried only what is needed.
fn needed(verdict: Verdict) -> ReportDocument {
    let mut report = report("internet", verdict);
    report.vantages[0].needed_only = true;
    report
}

#[test]
fn what_must_not_pass_is_compared_with_the_last_whole_run_though_others_came_between() {
    each(|fresh| {
        let mut store = fresh.store();
        let whole = |verdict: Verdict| {
            let words = match verdict {
                Verdict::Exposed => ["forbidden", "open", "exposed", "open", "error"],
                _ => ["forbidden", "filtered", "ok", "kept-closed", "note"],
            };
            let forbidden = sample::judged("internet>ibs01:445/tcp", words);
            let needed = sample::flow("internet>ibs01:443/tcp");
            sample::with("internet", "probe7", vec![needed, forbidden])
        };
        add(&mut store, &whole(Verdict::Ok));
        let between = add(&mut store, &needed(Verdict::Ok));
        let (_, diff) = between.since.expect("an earlier report");
        assert!(
            Counts::of(&diff).are_none(),
            "what was not tried is not gone: {diff:?}"
        );
        let after = add(&mut store, &whole(Verdict::Exposed));
        let (run, diff) = after.since.expect("an earlier report");
        assert_eq!(run, between.id);
        let counts = Counts::of(&diff);
        assert_eq!((counts.worse, counts.better, counts.other), (1, 0, 0));
    });
}

#[test]
fn the_last_whole_report_stays_when_others_make_the_history_too_large() {
    each(|fresh| {
        let mut store = fresh.store();
        let retention = Retention {
            days: 400,
            bytes: 1_000_000,
        };
        let whole = add(&mut store, &report("internet", Verdict::Ok)).id;
        for number in 1..=60 {
            let mut large = large(number);
            large.vantages[0].needed_only = true;
            add(&mut store, &large);
            let now = Timestamp::now();
            store.retain(retention, now).expect("it is written");
        }
        assert!(store.report(whole).expect("it is read").is_some());
        assert!(store.report(whole + 1).expect("it is read").is_none());
    });
}
