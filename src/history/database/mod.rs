//! The one interface to a database, and who implements it: `sqlite` (a file in a folder) and `postgres` (a server).
//!
//! Whoever asks writes SQL that both understand, with `?1` for the first value, and gets rows of plain values. Booleans are
//! integers. All that is written is written in a transaction, one writer after another. A transaction may be made a second
//! time, where it is not known what came of the first. So each is written to come to the same when it is made twice.

mod postgres;
mod sqlite;

use std::fmt;

use super::location::Location;

pub use sqlite::FILE;

/// How long a writer waits for another one, in seconds.
const PATIENCE: u64 = 30;

/// What is to be done in a transaction.
pub(super) type Work<'a> = &'a mut dyn FnMut(&mut dyn Sql) -> Result<(), Error>;

/// A database that is open, and has the newest tables.
pub(super) trait Database: Send {
    /// Reads rows.
    fn read(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error>;

    /// Does all of this or nothing. Nobody else writes meanwhile.
    fn write(&mut self, work: Work<'_>) -> Result<(), Error>;

    /// Bytes that the history takes.
    fn size(&mut self) -> Result<u64, Error>;

    /// Gives the room of what was removed back to the system, where the database does not do so by itself.
    fn give_back(&mut self) -> Result<(), Error>;

    /// Has the history as its only daemon, until it is closed; false: another one has it.
    fn be_alone(&mut self) -> Result<bool, Error>;
}

/// What is asked within a transaction.
pub(super) trait Sql {
    /// Changes rows, and says how many.
    fn execute(&mut self, words: &str, with: &[Value]) -> Result<u64, Error>;

    /// Reads rows.
    fn rows(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error>;
}

/// Opens the database of a place; `None`: there is none, and none is to be made.
pub(super) fn open(at: &Location, make: bool) -> Result<Option<Box<dyn Database>>, Error> {
    Ok(match at {
        Location::Folder(folder) => match sqlite::Sqlite::open(folder, make)? {
            Some(database) => Some(Box::new(database)),
            None => None,
        },
        Location::Server(address) => match postgres::Postgres::open(address, make)? {
            Some(database) => Some(Box::new(database)),
            None => None,
        },
    })
}

/// The migrations that a database of this version lacks; `None`: it is of a newer version.
fn missing<'a>(all: &'a [&'a str], version: i64) -> Result<&'a [&'a str], Error> {
    let version = usize::try_from(version).ok();
    version.and_then(|it| all.get(it..)).ok_or(Error::Newer)
}

/// Why a database does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// A newer version of this program wrote it.
    Newer,
    /// It cannot be reached, or no longer.
    Lost(String),
    /// It says why, in words.
    Says(String),
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer => {
                to.write_str("it was written by a newer version of portproof; use that one")
            }
            Self::Lost(why) | Self::Says(why) => to.write_str(why),
        }
    }
}

/// A value of a row, or of a question.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl fmt::Debug for Value {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => to.write_str("null"),
            Self::Integer(number) => write!(to, "{number}"),
            Self::Text(text) => write!(to, "{} bytes of text", text.len()),
            Self::Bytes(bytes) => write!(to, "{} bytes", bytes.len()),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Integer(it.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}

/// What a value is read as; `None`: it is something else.
pub(super) trait Read: Sized {
    fn read(value: &Value) -> Option<Self>;
}

impl Read for i64 {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            Value::Null | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl Read for bool {
    fn read(value: &Value) -> Option<Self> {
        i64::read(value).map(|it| it != 0)
    }
}

impl Read for String {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Integer(_) | Value::Bytes(_) => None,
        }
    }
}

impl Read for Vec<u8> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Null | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

/// A row, its values in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row(Vec<Value>);

impl Row {
    /// The value of a column.
    pub(super) fn get<T: Read>(&self, column: usize) -> Result<T, Error> {
        let read = self.0.get(column).and_then(T::read);
        read.ok_or_else(|| {
            Error::Says(format!(
                "its column {column} holds what portproof never writes"
            ))
        })
    }
}
