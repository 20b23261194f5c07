//! Messages that are not taken yet, and what belongs to checks and channels that are there no more.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::database::{Error, Row, Sql};
use super::follow::{REMEMBERED, of_flow, queue, remembered};
use super::{Fault, Queued, Removed, Store, Waiting};

impl Store {
    /// Forgets what belongs to checks and channels that are not among these. What is to be told of a check before it is
    /// forgotten is queued. Says how many messages were not told yet, to channels that are there no more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_all_but(
        &mut self,
        checks: &[&str],
        channels: &[&str],
        now: Timestamp,
        tell: &dyn Fn(&Removed) -> Vec<Queued>,
    ) -> Result<usize, Fault> {
        let mut messages = 0;
        self.write(&mut |sql| {
            for check in others(sql, "SELECT DISTINCT of_check FROM remembered", checks)? {
                let removed = removed(sql, check)?;
                queue(sql, tell(&removed), now)?;
                let words = "DELETE FROM remembered WHERE of_check = ?1";
                sql.execute(words, &[removed.check.into()])?;
            }
            messages = 0;
            for channel in others(sql, "SELECT DISTINCT channel FROM message", channels)? {
                let words = "DELETE FROM message WHERE channel = ?1";
                messages += sql.execute(words, &[channel.into()])? as usize;
            }
            Ok(())
        })?;
        Ok(messages)
    }

    /// What is remembered of each flow of a check.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn remembered(&mut self, check: &str) -> Result<BTreeMap<String, String>, Fault> {
        let all = self.all(REMEMBERED, &[check.into()], of_flow)?;
        Ok(all.into_iter().collect())
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

/// The names that are asked for, without these.
fn others(sql: &mut dyn Sql, words: &str, but: &[&str]) -> Result<Vec<String>, Error> {
    let names = sql.rows(words, &[])?;
    let mut names = names
        .iter()
        .map(|row| row.get(0))
        .collect::<Result<Vec<String>, _>>()?;
    names.retain(|name| !but.contains(&name.as_str()));
    Ok(names)
}

fn removed(sql: &mut dyn Sql, check: String) -> Result<Removed, Error> {
    let words =
        "SELECT site, place FROM run WHERE of_check = ?1 AND site IS NOT NULL AND place IS NOT NULL
        ORDER BY id DESC LIMIT 1";
    let seen = sql.rows(words, &[check.as_str().into()])?;
    let seen = match seen.first() {
        Some(row) => Some((row.get(0)?, row.get(1)?)),
        None => None,
    };
    Ok(Removed {
        seen,
        remembered: remembered(sql, &check)?,
        check,
    })
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
