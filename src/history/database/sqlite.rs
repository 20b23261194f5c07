//! SQLite: one file in a folder, with a log beside it (WAL), so that a process that is killed leaves it readable.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, Value as OfSqlite, ValueRef};
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::{Database, Error, PATIENCE, Row, Sql, Value, Work, missing};

/// The database's name in its folder.
pub const FILE: &str = "history.sqlite";
/// What a daemon holds as long as it lives.
const LOCK: &str = "serve.lock";
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

/// The database of a folder.
pub(super) struct Sqlite {
    folder: PathBuf,
    connection: Connection,
    /// Locked, where this is the only daemon.
    alone: Option<File>,
}

impl Sqlite {
    /// Opens it. Where it is to be made, the folder is made too.
    pub(super) fn open(folder: &Path, make: bool) -> Result<Option<Self>, Error> {
        let file = folder.join(FILE);
        if make {
            let made = fs::create_dir_all(folder);
            made.map_err(|why| Error::Says(format!("the folder cannot be made: {why}")))?;
        } else if !file.is_file() {
            return Ok(None);
        }
        let mut connection = Connection::open(&file)?;
        connection.busy_timeout(Duration::from_secs(PATIENCE))?;
        // Before the first table: what is removed gives its room back.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrate(&mut connection)?;
        Ok(Some(Self {
            folder: folder.to_path_buf(),
            connection,
            alone: None,
        }))
    }
}

/// Brings a database to the newest version.
fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = missing(&MIGRATIONS, version)?;
    for words in missing {
        transaction.execute_batch(words)?;
    }
    if !missing.is_empty() {
        let newest = MIGRATIONS.len() as i64;
        transaction.pragma_update(None, "user_version", newest)?;
    }
    Ok(transaction.commit()?)
}

impl Database for Sqlite {
    fn read(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error> {
        rows(&self.connection, words, with)
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        work(&mut Asked(&transaction))?;
        Ok(transaction.commit()?)
    }

    /// Bytes of pages that are used.
    fn size(&mut self) -> Result<u64, Error> {
        let of = |name| -> rusqlite::Result<u64> {
            let value = self
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            value.map(|value| u64::try_from(value).unwrap_or(0))
        };
        let used = of("page_count")?.saturating_sub(of("freelist_count")?);
        Ok(used * of("page_size")?)
    }

    fn give_back(&mut self) -> Result<(), Error> {
        let mut asked = self
            .connection
            .prepare_cached("PRAGMA incremental_vacuum")?;
        let mut rows = asked.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn be_alone(&mut self) -> Result<bool, Error> {
        let file = File::create(self.folder.join(LOCK))
            .map_err(|why| Error::Says(format!("{LOCK} cannot be made: {why}")))?;
        match file.try_lock() {
            Ok(()) => self.alone = Some(file),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(why)) => {
                return Err(Error::Says(format!("{LOCK} cannot be locked: {why}")));
            }
        }
        Ok(true)
    }
}

/// A connection in a transaction.
struct Asked<'a>(&'a Connection);

impl Sql for Asked<'_> {
    fn execute(&mut self, words: &str, with: &[Value]) -> Result<u64, Error> {
        let mut prepared = self.0.prepare_cached(words)?;
        Ok(prepared.execute(params_from_iter(with))? as u64)
    }

    fn rows(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error> {
        rows(self.0, words, with)
    }
}

fn rows(connection: &Connection, words: &str, with: &[Value]) -> Result<Vec<Row>, Error> {
    let mut asked = connection.prepare_cached(words)?;
    let columns = asked.column_count();
    let rows = asked.query_map(params_from_iter(with), |row| {
        let values = (0..columns).map(|column| row.get::<_, OfSqlite>(column).map(Value::from));
        values.collect::<rusqlite::Result<_>>().map(Row)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<OfSqlite> for Value {
    fn from(value: OfSqlite) -> Self {
        match value {
            OfSqlite::Integer(number) => Self::Integer(number),
            OfSqlite::Text(text) => Self::Text(text),
            OfSqlite::Blob(bytes) => Self::Bytes(bytes),
            // None is ever written: the tables are strict.
            OfSqlite::Null | OfSqlite::Real(_) => Self::Null,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(why: rusqlite::Error) -> Self {
        Self::Says(why.to_string())
    }
}
