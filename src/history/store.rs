//! A history that is open: runs are added, read and removed. All SQL of this folder is understood by each database.

use jiff::{SignedDuration, Timestamp};

use super::adding::{self, Added};
use super::database::{self, Database, Error, Row, Value, Work};
use super::location::Location;
use super::packed::unpack;
use super::{Counts, Fault, Follow, Kept, Retention, RunEntry};
use crate::report::{ReportDocument, Summary};

/// Reports that are removed before the size is looked at again.
const PORTION: i64 = 16;

/// The columns of a [`RunEntry`].
const COLUMNS: &str = "id, started, finished, site, place, exit_status, failure, summary, worse, better, other, report IS NOT NULL";

/// Reports beside the last of each place.
const OLDEST_REPORTS: &str = "UPDATE run SET report = NULL WHERE id IN (
    SELECT id FROM run WHERE report IS NOT NULL
        AND id NOT IN (SELECT MAX(id) FROM run WHERE report IS NOT NULL AND failure IS NULL GROUP BY site, place, of_check, needed_only)
    ORDER BY id LIMIT ?1)";
/// Runs without a report, but for the very last.
const OLDEST_RUNS: &str = "DELETE FROM run WHERE id IN (
    SELECT id FROM run WHERE report IS NULL AND id NOT IN (SELECT MAX(id) FROM run)
    ORDER BY id LIMIT ?1)";

/// A history that is open. It must not be used on a thread that runs tasks: a server may keep it waiting.
pub struct Store {
    at: Location,
    database: Box<dyn Database>,
}

impl Store {
    /// Opens a history to add to it; makes it where it is missing.
    ///
    /// # Errors
    /// When it can be neither made nor opened.
    pub fn open_or_make(at: &Location) -> Result<Self, Fault> {
        Self::open_as(at, true)
    }

    /// Opens a history.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open(at: &Location) -> Result<Self, Fault> {
        Self::open_as(at, false)
    }

    fn open_as(at: &Location, make: bool) -> Result<Self, Fault> {
        match database::open(at, make) {
            Ok(Some(database)) => Ok(Self {
                at: at.clone(),
                database,
            }),
            Ok(None) => Err(Fault::Missing(at.to_string())),
            Err(why) => Err(Fault::of(at, why)),
        }
    }

    /// Has the history as its only daemon, as long as it is open. Two of them would each tell everything.
    ///
    /// # Errors
    /// When another one has it.
    pub fn be_alone(&mut self) -> Result<(), Fault> {
        match self.database.be_alone() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::Taken(self.at.to_string())),
            Err(why) => Err(Fault::of(&self.at, why)),
        }
    }

    /// Does all of this or nothing.
    pub(super) fn write(&mut self, work: Work<'_>) -> Result<(), Fault> {
        let written = self.database.write(work);
        written.map_err(|why| Fault::of(&self.at, why))
    }

    /// Every row that is asked for, as this makes something of it.
    pub(super) fn all<T>(
        &mut self,
        words: &str,
        with: &[Value],
        make: fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.database.read(words, with);
        let made = rows.and_then(|rows| rows.iter().map(make).collect());
        made.map_err(|why| Fault::of(&self.at, why))
    }

    /// The first of them.
    pub(super) fn first<T>(
        &mut self,
        words: &str,
        with: &[Value],
        make: fn(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.all(words, with, make)?.into_iter().next())
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
        let mut added = None;
        self.write(&mut |sql| {
            added = Some(adding::add(sql, kept, now, follow)?);
            Ok(())
        })?;
        added.ok_or_else(|| Fault::Database(self.at.to_string(), "it wrote nothing".to_string()))
    }

    /// The latest runs, the last one first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn latest(&mut self, most: usize) -> Result<Vec<RunEntry>, Fault> {
        let words = format!("SELECT {COLUMNS} FROM run ORDER BY id DESC LIMIT ?1");
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.all(&words, &[most.into()], entry)
    }

    /// One run; `None`: there is none of that number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn run(&mut self, id: i64) -> Result<Option<RunEntry>, Fault> {
        let words = format!("SELECT {COLUMNS} FROM run WHERE id = ?1");
        self.first(&words, &[id.into()], entry)
    }

    /// The report of a run; `None`: it has none, or it is no longer kept.
    ///
    /// # Errors
    /// When the database or the report cannot be read.
    pub fn report(&mut self, id: i64) -> Result<Option<ReportDocument>, Fault> {
        let words = "SELECT report FROM run WHERE id = ?1";
        let packed = self.first(words, &[id.into()], |row| row.get::<Option<Vec<u8>>>(0))?;
        let packed = packed.flatten();
        let report = packed.map(|packed| unpack(&packed)).transpose();
        report.map_err(|why| Fault::Report(id, why))
    }

    /// The last run of a check, whatever came of it; `None`: there was none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_of_check(&mut self, check: &str) -> Result<Option<RunEntry>, Fault> {
        let words =
            format!("SELECT {COLUMNS} FROM run WHERE of_check = ?1 ORDER BY id DESC LIMIT 1");
        self.first(&words, &[check.into()], entry)
    }

    /// The reports that say how the flows of a check stand: the last whole one, then the last one where that is another.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn standing(&mut self, check: &str) -> Result<Vec<ReportDocument>, Fault> {
        let words = "SELECT report FROM run WHERE id IN (
            SELECT MAX(id) FROM run WHERE of_check = ?1 AND report IS NOT NULL AND failure IS NULL AND needed_only = 0
            UNION
            SELECT MAX(id) FROM run WHERE of_check = ?1 AND report IS NOT NULL AND failure IS NULL)
            ORDER BY id";
        let packed = self.all(words, &[check.into()], |row| row.get::<Vec<u8>>(0))?;
        Ok(packed.iter().filter_map(|it| unpack(it).ok()).collect())
    }

    /// The last two reports from the place of the last one, the earlier first; `None`: there are no two.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_two(&mut self) -> Result<Option<(i64, i64)>, Fault> {
        let words = "SELECT before.id, last.id FROM run AS last JOIN run AS before
            ON before.site = last.site AND before.place = last.place AND before.id < last.id
            WHERE last.report IS NOT NULL AND before.report IS NOT NULL
            AND last.failure IS NULL AND before.failure IS NULL
            ORDER BY last.id DESC, before.id DESC LIMIT 1";
        self.first(words, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Removes what is to be kept no longer.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn retain(&mut self, retention: Retention, now: Timestamp) -> Result<(), Fault> {
        let days = SignedDuration::from_hours(24 * i64::from(retention.days));
        let oldest = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        let old = "DELETE FROM run WHERE finished < ?1 AND id NOT IN (SELECT MAX(id) FROM run)";
        self.remove(old, oldest.to_string().into())?;
        for words in [OLDEST_REPORTS, OLDEST_RUNS] {
            while self.size()? > retention.bytes && self.remove(words, PORTION.into())? > 0 {}
        }
        let given = self.database.give_back();
        given.map_err(|why| Fault::of(&self.at, why))
    }

    fn remove(&mut self, words: &str, of: Value) -> Result<u64, Fault> {
        let mut removed = 0;
        self.write(&mut |sql| {
            removed = sql.execute(words, std::slice::from_ref(&of))?;
            Ok(())
        })?;
        Ok(removed)
    }

    /// Bytes that the history takes: of a folder those of its file that are used, of a server those of its rows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn size(&mut self) -> Result<u64, Fault> {
        let size = self.database.size();
        size.map_err(|why| Fault::of(&self.at, why))
    }
}

fn entry(row: &Row) -> Result<RunEntry, Error> {
    let summary: Option<String> = row.get(7)?;
    let number = |column| -> Result<Option<usize>, Error> {
        let value: Option<i64> = row.get(column)?;
        Ok(value.and_then(|value| usize::try_from(value).ok()))
    };
    let changed = match (number(8)?, number(9)?, number(10)?) {
        (Some(worse), Some(better), Some(other)) => Some(Counts {
            worse,
            better,
            other,
        }),
        _ => None,
    };
    Ok(RunEntry {
        id: row.get(0)?,
        started: row.get(1)?,
        finished: row.get(2)?,
        site: row.get(3)?,
        place: row.get(4)?,
        exit_status: u8::try_from(row.get::<i64>(5)?).unwrap_or(u8::MAX),
        failure: row.get(6)?,
        summary: summary.and_then(|text| serde_json::from_str::<Summary>(&text).ok()),
        changed,
        has_report: row.get(11)?,
    })
}
