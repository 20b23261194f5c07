//! PostgreSQL: a database of a server, with the tables in a schema `portproof` of their own.
//!
//! One writer at a time: each transaction takes a lock of the server first (`pg_advisory_xact_lock`), for as long as it
//! lasts. A daemon holds another one for as long as it is connected.
//!
//! A connection may be lost at any moment. It is opened again when something is asked next. What was asked when it was lost is
//! asked once more. Where the answer to a commit is lost, nobody knows what came of the transaction. It is made again all the
//! same, because each comes to the same when it is made twice. The lock holds that back until the server has ended
//! the first one.

mod session;
mod tables;

use std::time::{Duration, Instant};

use super::{Database, Error, Row, Sql, Value, Work};
use crate::history::location::Address;
use session::{Connector, Session};

/// The locks of a history: numbers that nobody else of a database is likely to use.
const WRITER: i64 = 0x706f_7274_7772_6974;
const DAEMON: i64 = 0x706f_7274_7365_7276;
/// How long a server that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// A database of a server.
pub(super) struct Postgres {
    connector: Connector,
    session: Option<Session>,
    /// When the server could last not be reached, and why.
    refused: Option<(Instant, Error)>,
    /// Whether this is the only daemon, and stays so.
    alone: bool,
}

impl Postgres {
    /// Connects, and makes the tables where they are missing and that is asked for.
    pub(super) fn open(address: &Address, make: bool) -> Result<Option<Self>, Error> {
        let mut database = Self {
            connector: Connector::new(address)?,
            session: None,
            refused: None,
            alone: false,
        };
        let is_there = tables::migrate(database.session()?, make)?;
        Ok(is_there.then_some(database))
    }

    /// A connection that is not known to be lost.
    fn session(&mut self) -> Result<&mut Session, Error> {
        if self.session.as_ref().is_some_and(Session::is_lost) {
            self.session = None;
        }
        if self.session.is_none() {
            self.session = Some(self.connect()?);
        }
        let session = self.session.as_mut();
        session.ok_or_else(|| Error::Lost("it is not connected".to_string()))
    }

    fn connect(&mut self) -> Result<Session, Error> {
        if let Some((at, why)) = &self.refused
            && at.elapsed() < PAUSE
        {
            return Err(why.clone());
        }
        let connected = self.connector.connect().and_then(|mut session| {
            // Its old connection may still be there for the server: then this waits for its end.
            if self.alone {
                session.execute("SELECT pg_advisory_lock(?1)", &[DAEMON.into()])?;
            }
            Ok(session)
        });
        let refused = connected.as_ref().err().cloned();
        self.refused = refused.map(|why| (Instant::now(), why));
        connected
    }

    /// Asks once more where the connection was lost.
    fn twice<T>(
        &mut self,
        ask: &mut dyn FnMut(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match ask(self.session()?) {
            Err(Error::Lost(_)) => ask(self.session()?),
            answer => answer,
        }
    }
}

impl Database for Postgres {
    fn read(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error> {
        self.twice(&mut |session| session.rows(words, with))
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.twice(&mut |session| transaction(session, work))
    }

    /// Bytes that rows take. What is free in the server's files is not counted.
    fn size(&mut self) -> Result<u64, Error> {
        let rows = self.read("SELECT bytes FROM taken", &[])?;
        let bytes = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    fn give_back(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn be_alone(&mut self) -> Result<bool, Error> {
        let asked = self.read("SELECT pg_try_advisory_lock(?1)", &[DAEMON.into()])?;
        self.alone = asked.first().map_or(Ok(false), |row| row.get(0))?;
        Ok(self.alone)
    }
}

/// A transaction, as the only writer. What was committed before it is seen, also what the writer before it wrote.
fn transaction(session: &mut Session, work: Work<'_>) -> Result<(), Error> {
    session.say("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
    let done = session
        .rows("SELECT pg_advisory_xact_lock(?1)", &[WRITER.into()])
        .and_then(|_| work(session))
        .and_then(|()| session.say("COMMIT"));
    if done.is_err() && session.say("ROLLBACK").is_err() {
        session.is_of_no_use();
    }
    done
}
