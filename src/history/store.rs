//! The database of a folder. One file, written by SQLite with a log beside it (WAL), so that a process that is killed
//! leaves it readable. Several checks may write to it one after another: each waits for the others.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::{Counts, Follow, Followed, Kept, Retention, RunEntry, Waiting, changes, place};
use crate::report::{self, DiffDocument, ReportDocument, Summary};

/// The database's name in its folder.
pub const FILE: &str = "history.sqlite";
/// How long a check waits for another one that writes.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest report that is read back: what is larger is none of this program's.
const LARGEST: u64 = 1 << 30;
/// Reports that are removed before the size is looked at again.
const PORTION: usize = 16;
/// What each version of the database has beyond the one before it.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started TEXT NOT NULL,
        finished TEXT NOT NULL,
        site TEXT,
        place TEXT,
        exit_status INTEGER NOT NULL,
        failure TEXT,
        summary TEXT,
        worse INTEGER,
        better INTEGER,
        other INTEGER,
        report BLOB
    ) STRICT;
    CREATE INDEX run_of_place ON run (site, place, id) WHERE report IS NOT NULL;
    CREATE INDEX run_finished ON run (finished);
    CREATE TABLE change (
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        flow TEXT NOT NULL,
        turn TEXT NOT NULL,
        before TEXT,
        after TEXT
    ) STRICT;
    CREATE INDEX change_of_run ON change (run);
    CREATE INDEX change_of_flow ON change (flow, run);
",
    "
    ALTER TABLE run ADD COLUMN needed_only INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE run ADD COLUMN of_check TEXT;
    CREATE INDEX run_of_check ON run (of_check, id) WHERE of_check IS NOT NULL;
    CREATE TABLE remembered (
        of_check TEXT NOT NULL,
        flow TEXT NOT NULL,
        what TEXT NOT NULL,
        PRIMARY KEY (of_check, flow)
    ) STRICT;
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        channel TEXT NOT NULL,
        body TEXT NOT NULL,
        made TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due TEXT NOT NULL
    ) STRICT;
    CREATE INDEX message_of_channel ON message (channel, id);
",
];

/// The columns of a [`RunEntry`].
const COLUMNS: &str = "id, started, finished, site, place, exit_status, failure, summary, worse, better, other, report IS NOT NULL";

/// Why a history cannot be used.
#[derive(Debug)]
pub enum Fault {
    /// The folder cannot be made.
    Folder(PathBuf, std::io::Error),
    /// There is none in the folder.
    Missing(PathBuf),
    /// A newer version wrote it.
    Newer(PathBuf),
    /// The database says so.
    Database(PathBuf, rusqlite::Error),
    /// A report in it cannot be read.
    Report(i64, String),
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder, why) => {
                write!(to, "the folder {} cannot be made: {why}", folder.display())
            }
            Self::Missing(folder) => write!(
                to,
                "there is no history in {}: `portproof check --keep {}` begins one",
                folder.display(),
                folder.display()
            ),
            Self::Newer(file) => write!(
                to,
                "{} was written by a newer version of portproof; use that one",
                file.display()
            ),
            Self::Database(file, why) => write!(to, "the history {}: {why}", file.display()),
            Self::Report(id, why) => write!(to, "the report of run {id} cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A history that is open.
pub struct Store {
    file: PathBuf,
    database: Connection,
}

/// A run that has been added.
#[derive(Debug)]
pub struct Added {
    /// Its number.
    pub id: i64,
    /// What changed since the last report from the same place, with that run's number; `None`: there is none to compare.
    pub since: Option<(i64, DiffDocument)>,
    /// Whether the run before it, from wherever, had no report.
    pub after_a_failure: bool,
}

impl Store {
    /// Opens the history of a folder to add to it; makes both where they are missing.
    ///
    /// # Errors
    /// When the folder cannot be made or the database cannot be opened.
    pub fn open_or_make(folder: &Path) -> Result<Self, Fault> {
        fs::create_dir_all(folder).map_err(|why| Fault::Folder(folder.to_path_buf(), why))?;
        Self::open_file(folder.join(FILE))
    }

    /// Opens the history of a folder.
    ///
    /// # Errors
    /// When there is none, or the database cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let file = folder.join(FILE);
        match file.is_file() {
            true => Self::open_file(file),
            false => Err(Fault::Missing(folder.to_path_buf())),
        }
    }

    fn open_file(file: PathBuf) -> Result<Self, Fault> {
        let opened = Connection::open(&file).and_then(|mut database| {
            database.busy_timeout(PATIENCE)?;
            // Before the first table: what is removed gives its room back.
            database.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            database.pragma_update(None, "journal_mode", "WAL")?;
            database.pragma_update(None, "synchronous", "FULL")?;
            database.pragma_update(None, "foreign_keys", true)?;
            let known = migrate(&mut database)?;
            Ok((database, known))
        });
        match opened {
            Ok((database, true)) => Ok(Self { file, database }),
            Ok((_, false)) => Err(Fault::Newer(file)),
            Err(why) => Err(Fault::Database(file, why)),
        }
    }

    /// What each row of an answer says.
    pub(super) fn rows<T>(
        &self,
        words: &str,
        of: &[&dyn rusqlite::ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Fault> {
        let rows = || {
            let mut asked = self.database.prepare(words)?;
            let rows = asked.query_map(of, read)?;
            rows.collect::<rusqlite::Result<Vec<T>>>()
        };
        rows().map_err(self.fault())
    }

    fn fault(&self) -> impl Fn(rusqlite::Error) -> Fault + use<> {
        let file = self.file.clone();
        move |why| Fault::Database(file.clone(), why)
    }

    /// Adds a run, and says what changed with it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add(&mut self, kept: &Kept<'_>, now: Timestamp) -> Result<Added, Fault> {
        self.add_and(kept, now, None)
    }

    /// The same, of a check that goes on for months. What is remembered and queued with the run is written with it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_followed(
        &mut self,
        kept: &Kept<'_>,
        now: Timestamp,
        follow: &dyn Follow,
    ) -> Result<Added, Fault> {
        self.add_and(kept, now, Some(follow))
    }

    fn add_and(
        &mut self,
        kept: &Kept<'_>,
        now: Timestamp,
        follow: Option<&dyn Follow>,
    ) -> Result<Added, Fault> {
        let fault = self.fault();
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.database.transaction_with_behavior(behavior);
        let transaction = transaction.map_err(&fault)?;
        let since = match kept {
            Kept::Report(report, _) => since(&transaction, report).map_err(&fault)?,
            Kept::Failure { .. } | Kept::Part(..) => None,
        };
        let after_a_failure = last_failed(&transaction).map_err(&fault)?;
        let check = follow.map(Follow::check);
        let id = insert(&transaction, kept, check, since.as_ref(), now).map_err(&fault)?;
        if let Some(follow) = follow {
            followed(&transaction, follow, (id, kept), now).map_err(&fault)?;
        }
        transaction.commit().map_err(&fault)?;
        Ok(Added {
            id,
            since,
            after_a_failure,
        })
    }

    /// The latest runs, the last one first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn latest(&self, most: usize) -> Result<Vec<RunEntry>, Fault> {
        let listed = || {
            let words = format!("SELECT {COLUMNS} FROM run ORDER BY id DESC LIMIT ?1");
            let mut asked = self.database.prepare(&words)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            asked
                .query_map([most], entry)?
                .collect::<rusqlite::Result<Vec<RunEntry>>>()
        };
        listed().map_err(self.fault())
    }

    /// One run; `None`: there is none of that number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn run(&self, id: i64) -> Result<Option<RunEntry>, Fault> {
        let words = format!("SELECT {COLUMNS} FROM run WHERE id = ?1");
        let found = self.database.query_row(&words, [id], entry).optional();
        found.map_err(self.fault())
    }

    /// The report of a run; `None`: it has none, or it is no longer kept.
    ///
    /// # Errors
    /// When the database or the report cannot be read.
    pub fn report(&self, id: i64) -> Result<Option<ReportDocument>, Fault> {
        let words = "SELECT report FROM run WHERE id = ?1";
        let found = self.database.query_row(words, [id], |row| row.get(0));
        let packed: Option<Vec<u8>> = found.optional().map_err(self.fault())?.flatten();
        packed
            .map(|packed| unpack(&packed))
            .transpose()
            .map_err(|why| Fault::Report(id, why))
    }

    /// The last run of a check, whatever came of it; `None`: there was none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_of_check(&self, check: &str) -> Result<Option<RunEntry>, Fault> {
        let words =
            format!("SELECT {COLUMNS} FROM run WHERE of_check = ?1 ORDER BY id DESC LIMIT 1");
        let found = self.database.query_row(&words, [check], entry).optional();
        found.map_err(self.fault())
    }

    /// The reports that say how the flows of a check stand: the last whole one, then the last one where that is another.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn standing(&self, check: &str) -> Result<Vec<ReportDocument>, Fault> {
        let words = "SELECT report FROM run WHERE id IN (
            SELECT MAX(id) FROM run WHERE of_check = ?1 AND report IS NOT NULL AND failure IS NULL AND needed_only = 0
            UNION
            SELECT MAX(id) FROM run WHERE of_check = ?1 AND report IS NOT NULL AND failure IS NULL)
            ORDER BY id";
        let packed = || {
            let mut asked = self.database.prepare(words)?;
            let rows = asked.query_map([check], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<Vec<u8>>>>()
        };
        let packed = packed().map_err(self.fault())?;
        Ok(packed.iter().filter_map(|it| unpack(it).ok()).collect())
    }

    /// Forgets what belongs to checks and channels that are not among these. Says how many messages were not told yet.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_all_but(&mut self, checks: &[&str], channels: &[&str]) -> Result<usize, Fault> {
        let fault = self.fault();
        forget_all_but(&mut self.database, checks, channels).map_err(fault)
    }

    /// The message of a channel that has waited longest; `None`: none waits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_queued(&self, channel: &str) -> Result<Option<Waiting>, Fault> {
        let words =
            "SELECT id, body, made, tries, due FROM message WHERE channel = ?1 ORDER BY id LIMIT 1";
        let waiting = |row: &Row<'_>| {
            Ok(Waiting {
                id: row.get(0)?,
                body: row.get(1)?,
                made: row.get(2)?,
                tries: row.get(3)?,
                due: row.get(4)?,
            })
        };
        let found = self.database.query_row(words, [channel], waiting);
        found.optional().map_err(self.fault())
    }

    /// Removes a message that has been taken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn taken(&mut self, id: i64) -> Result<(), Fault> {
        let removed = self
            .database
            .execute("DELETE FROM message WHERE id = ?1", [id]);
        removed.map(|_| ()).map_err(self.fault())
    }

    /// Writes down that a message was tried so often, and when it is tried next.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_off(&mut self, id: i64, tries: u32, due: Timestamp) -> Result<(), Fault> {
        let words = "UPDATE message SET tries = ?2, due = ?3 WHERE id = ?1";
        let of = params![id, tries, due.to_string()];
        let written = self.database.execute(words, of);
        written.map(|_| ()).map_err(self.fault())
    }

    /// The last two reports from the place of the last one, the earlier first; `None`: there are no two.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_two(&self) -> Result<Option<(i64, i64)>, Fault> {
        let words = "SELECT before.id, last.id FROM run AS last JOIN run AS before
            ON before.site = last.site AND before.place = last.place AND before.id < last.id
            WHERE last.report IS NOT NULL AND before.report IS NOT NULL
            AND last.failure IS NULL AND before.failure IS NULL
            ORDER BY last.id DESC, before.id DESC LIMIT 1";
        let found = self
            .database
            .query_row(words, [], |row| Ok((row.get(0)?, row.get(1)?)));
        found.optional().map_err(self.fault())
    }

    /// Removes what is to be kept no longer.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn retain(&mut self, retention: Retention, now: Timestamp) -> Result<(), Fault> {
        let fault = self.fault();
        let days = SignedDuration::from_hours(24 * i64::from(retention.days));
        let oldest = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        let old = "DELETE FROM run WHERE finished < ?1 AND id NOT IN (SELECT MAX(id) FROM run)";
        self.database
            .execute(old, [oldest.to_string()])
            .map_err(&fault)?;
        for words in [OLDEST_REPORTS, OLDEST_RUNS] {
            while self.size().map_err(&fault)? > retention.bytes {
                let removed = self.database.execute(words, [PORTION as i64]);
                if removed.map_err(&fault)? == 0 {
                    break;
                }
            }
        }
        self.give_back().map_err(fault)
    }

    /// Bytes of pages that are used.
    fn size(&self) -> rusqlite::Result<u64> {
        let of = |name| -> rusqlite::Result<u64> {
            self.database
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .map(|value| u64::try_from(value).unwrap_or(0))
        };
        let used = of("page_count")?.saturating_sub(of("freelist_count")?);
        Ok(used * of("page_size")?)
    }

    /// Gives the room of what was removed back to the system.
    fn give_back(&self) -> rusqlite::Result<()> {
        let mut asked = self.database.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = asked.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

/// Reports beside the last of each place.
const OLDEST_REPORTS: &str = "UPDATE run SET report = NULL WHERE id IN (
    SELECT id FROM run WHERE report IS NOT NULL
        AND id NOT IN (SELECT MAX(id) FROM run WHERE report IS NOT NULL AND failure IS NULL GROUP BY site, place, of_check, needed_only)
    ORDER BY id LIMIT ?1)";
/// Runs without a report, but for the very last.
const OLDEST_RUNS: &str = "DELETE FROM run WHERE id IN (
    SELECT id FROM run WHERE report IS NULL AND id NOT IN (SELECT MAX(id) FROM run)
    ORDER BY id LIMIT ?1)";

/// Brings a database to the newest version; false: it is of a newer one.
fn migrate(database: &mut Connection) -> rusqlite::Result<bool> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = MIGRATIONS.get(version as usize..) else {
        return Ok(false);
    };
    for words in missing {
        transaction.execute_batch(words)?;
    }
    if !missing.is_empty() {
        let newest = MIGRATIONS.len() as i64;
        transaction.pragma_update(None, "user_version", newest)?;
    }
    transaction.commit()?;
    Ok(true)
}

/// What changed since the last report from the same place.
fn since(
    transaction: &Transaction<'_>,
    report: &ReportDocument,
) -> rusqlite::Result<Option<(i64, DiffDocument)>> {
    let Some((id, last)) = last_report(transaction, report, true)? else {
        return Ok(None);
    };
    // What must not pass was last tried in a whole run.
    let whole = match last.is_needed_only() && !report.is_needed_only() {
        true => last_report(transaction, report, false)?,
        false => None,
    };
    let earlier = match whole {
        Some((_, whole)) => ReportDocument::after(whole, last),
        None => last,
    };
    Ok(report::diff(&earlier, report).ok().map(|diff| (id, diff)))
}

/// The last report from the same place, with its number; of runs that tried only what is needed too, or of whole ones
/// alone. One that cannot be read any more is none.
fn last_report(
    transaction: &Transaction<'_>,
    report: &ReportDocument,
    needed_only_too: bool,
) -> rusqlite::Result<Option<(i64, ReportDocument)>> {
    let words = "SELECT id, report FROM run WHERE site = ?1 AND place = ?2 AND report IS NOT NULL AND failure IS NULL
        AND needed_only <= ?3
        ORDER BY id DESC LIMIT 1";
    let of = params![report.site.code, place(&report.vantages), needed_only_too];
    let last = transaction.query_row(words, of, |row| Ok((row.get(0)?, row.get(1)?)));
    let last: Option<(i64, Vec<u8>)> = last.optional()?;
    Ok(last.and_then(|(id, packed)| Some((id, unpack(&packed).ok()?))))
}

fn forget_all_but(
    database: &mut Connection,
    checks: &[&str],
    channels: &[&str],
) -> rusqlite::Result<usize> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "DELETE FROM remembered WHERE of_check NOT IN (SELECT value FROM json_each(?1))",
        [json(&checks)?],
    )?;
    let messages = transaction.execute(
        "DELETE FROM message WHERE channel NOT IN (SELECT value FROM json_each(?1))",
        [json(&channels)?],
    )?;
    transaction.commit()?;
    Ok(messages)
}

/// What is said of a run that was stopped.
const STOPPED: &str = "it was stopped before its end";

/// Writes what belongs to a run of a check that goes on for months.
fn followed(
    transaction: &Transaction<'_>,
    follow: &dyn Follow,
    (run, kept): (i64, &Kept<'_>),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let check = follow.check();
    let mut asked = transaction.prepare("SELECT flow, what FROM remembered WHERE of_check = ?1")?;
    let rows = asked.query_map([check], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let before: BTreeMap<String, String> = rows.collect::<rusqlite::Result<_>>()?;
    let Followed { remembered, queued } = follow.follow(run, kept, before.clone());
    let mut removed =
        transaction.prepare("DELETE FROM remembered WHERE of_check = ?1 AND flow = ?2")?;
    for flow in before.keys().filter(|flow| !remembered.contains_key(*flow)) {
        removed.execute(params![check, flow])?;
    }
    let mut written = transaction
        .prepare("INSERT OR REPLACE INTO remembered (of_check, flow, what) VALUES (?1, ?2, ?3)")?;
    let is_new = |(flow, what): &(&String, &String)| before.get(*flow) != Some(what);
    for (flow, what) in remembered.iter().filter(is_new) {
        written.execute(params![check, flow, what])?;
    }
    for message in queued {
        transaction.execute(
            "INSERT INTO message (channel, body, made, due) VALUES (?1, ?2, ?3, ?3)",
            params![message.channel, message.body, now.to_string()],
        )?;
    }
    Ok(())
}

fn last_failed(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let words = "SELECT failure IS NOT NULL FROM run ORDER BY id DESC LIMIT 1";
    let found = transaction.query_row(words, [], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(false))
}

fn insert(
    transaction: &Transaction<'_>,
    kept: &Kept<'_>,
    check: Option<&str>,
    since: Option<&(i64, DiffDocument)>,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let counts = since.map(|(_, diff)| Counts::of(diff));
    let number = |of: fn(&Counts) -> usize| counts.as_ref().map(|it| of(it) as i64);
    let (started, exit_status, failure, report) = match kept {
        Kept::Report(report, status) => (began(report, now), status, None, Some(*report)),
        Kept::Failure {
            started,
            why,
            exit_status,
        } => (started.to_string(), exit_status, Some(why.as_str()), None),
        Kept::Part(report, status) => (began(report, now), status, Some(STOPPED), Some(*report)),
    };
    transaction.execute(
        "INSERT INTO run (started, finished, site, place, exit_status, failure, summary, worse, better, other, report, needed_only, of_check)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            started,
            now.to_string(),
            report.map(|it| &it.site.code),
            report.and_then(|it| place(&it.vantages)),
            exit_status,
            failure,
            report.map(|it| json(&it.summary)).transpose()?,
            number(|it| it.worse),
            number(|it| it.better),
            number(|it| it.other),
            report.map(pack).transpose()?,
            report.is_some_and(ReportDocument::is_needed_only),
            check,
        ],
    )?;
    let id = transaction.last_insert_rowid();
    let mut added = transaction.prepare(
        "INSERT INTO change (run, flow, turn, before, after) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (turn, change) in since.into_iter().flat_map(|(_, diff)| changes(diff)) {
        let [before, after] = [&change.old, &change.new].map(|it| it.as_ref().map(json));
        added.execute(params![
            id,
            change.id,
            turn,
            before.transpose()?,
            after.transpose()?
        ])?;
    }
    Ok(id)
}

/// When the first vantage of a report began.
fn began(report: &ReportDocument, now: Timestamp) -> String {
    let starts = report.vantages.iter().map(|it| it.started.clone());
    starts.min().unwrap_or_else(|| now.to_string())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<RunEntry> {
    let summary: Option<String> = row.get("summary")?;
    let number = |name| -> rusqlite::Result<Option<usize>> {
        let value: Option<i64> = row.get(name)?;
        Ok(value.and_then(|value| usize::try_from(value).ok()))
    };
    let changed = match (number("worse")?, number("better")?, number("other")?) {
        (Some(worse), Some(better), Some(other)) => Some(Counts {
            worse,
            better,
            other,
        }),
        _ => None,
    };
    Ok(RunEntry {
        id: row.get("id")?,
        started: row.get("started")?,
        finished: row.get("finished")?,
        site: row.get("site")?,
        place: row.get("place")?,
        exit_status: row.get("exit_status")?,
        failure: row.get("failure")?,
        summary: summary.and_then(|text| serde_json::from_str::<Summary>(&text).ok()),
        changed,
        has_report: row.get("report IS NOT NULL")?,
    })
}

fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))
}

fn pack(report: &ReportDocument) -> rusqlite::Result<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = serde_json::to_writer(&mut packer, report)
        .map_err(std::io::Error::from)
        .and_then(|()| packer.flush())
        .and_then(|()| packer.finish());
    packed.map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))
}

fn unpack(packed: &[u8]) -> Result<ReportDocument, String> {
    let mut bytes = Vec::new();
    let mut unpacked = DeflateDecoder::new(packed).take(LARGEST);
    match unpacked.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == LARGEST => Err("it is too large".to_string()),
        Ok(_) => report::read(&bytes),
        Err(why) => Err(why.to_string()),
    }
}
