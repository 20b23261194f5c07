//! Messages that are not taken yet, and what belongs to checks and channels that are there no more.

use jiff::Timestamp;

use super::database::{Error, Row};
use super::{Fault, Store, Waiting};

impl Store {
    /// Forgets what belongs to checks and channels that are not among these. Says how many messages were not told yet.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_all_but(&mut self, checks: &[&str], channels: &[&str]) -> Result<usize, Fault> {
        let mut messages = 0;
        self.write(&mut |sql| {
            messages = 0;
            for row in sql.rows("SELECT DISTINCT of_check FROM remembered", &[])? {
                let check: String = row.get(0)?;
                if !checks.contains(&check.as_str()) {
                    let words = "DELETE FROM remembered WHERE of_check = ?1";
                    sql.execute(words, &[check.into()])?;
                }
            }
            for row in sql.rows("SELECT DISTINCT channel FROM message", &[])? {
                let channel: String = row.get(0)?;
                if !channels.contains(&channel.as_str()) {
                    let words = "DELETE FROM message WHERE channel = ?1";
                    messages += sql.execute(words, &[channel.into()])? as usize;
                }
            }
            Ok(())
        })?;
        Ok(messages)
    }

    /// The message of a channel that has waited longest; `None`: none waits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_queued(&mut self, channel: &str) -> Result<Option<Waiting>, Fault> {
        let words =
            "SELECT id, body, made, tries, due FROM message WHERE channel = ?1 ORDER BY id LIMIT 1";
        self.first(words, &[channel.into()], waiting)
    }

    /// Removes a message that has been taken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn taken(&mut self, id: i64) -> Result<(), Fault> {
        self.write(&mut |sql| {
            sql.execute("DELETE FROM message WHERE id = ?1", &[id.into()])?;
            Ok(())
        })
    }

    /// Writes down that a message was tried so often, and when it is tried next.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_off(&mut self, id: i64, tries: u32, due: Timestamp) -> Result<(), Fault> {
        let of = [id.into(), i64::from(tries).into(), due.to_string().into()];
        self.write(&mut |sql| {
            sql.execute("UPDATE message SET tries = ?2, due = ?3 WHERE id = ?1", &of)?;
            Ok(())
        })
    }
}

fn waiting(row: &Row) -> Result<Waiting, Error> {
    Ok(Waiting {
        id: row.get(0)?,
        body: row.get(1)?,
        made: row.get(2)?,
        tries: u32::try_from(row.get::<i64>(3)?).unwrap_or(u32::MAX),
        due: row.get(4)?,
    })
}
