//! Adding a run: what changed since the one before it, its rows, and what is remembered and told with it.

use jiff::Timestamp;

use super::database::{Error, Sql, Value};
use super::follow::{queue, remembered};
use super::packed::{json, pack, unpack};
use super::{Counts, Follow, Followed, Kept, changes};
use crate::report::{self, DiffDocument, ReportDocument};

/// What is said of a run that was stopped.
const STOPPED: &str = "it was stopped before its end";

/// A run that has been added.
#[derive(Debug)]
pub struct Added {
    /// Its number.
    pub id: i64,
    /// What changed since the last report of the same check from the same place, with that run's number; `None`: there is none to compare.
    pub since: Option<(i64, DiffDocument)>,
    /// Whether the run before it, from wherever, had no report.
    pub after_a_failure: bool,
}

/// Adds a run with all that belongs to it. One that is there already, from the same times of the same check, is only read:
/// a transaction may be made twice.
pub(super) fn add(
    sql: &mut dyn Sql,
    kept: &Kept<'_>,
    now: Timestamp,
    follow: Option<&dyn Follow>,
) -> Result<Added, Error> {
    let check = follow.map(Follow::check);
    let is_there = find(sql, kept, check, now)?;
    let before = is_there.unwrap_or(i64::MAX);
    let since = match kept {
        Kept::Report(report, _) => since(sql, (report, check), before)?,
        Kept::Failure { .. } | Kept::Part(..) => None,
    };
    let after_a_failure = last_failed(sql, before)?;
    let id = match is_there {
        Some(id) => id,
        None => {
            let id = insert(sql, kept, check, since.as_ref(), now)?;
            if let Some(follow) = follow {
                followed(sql, follow, (id, kept), now)?;
            }
            id
        }
    };
    Ok(Added {
        id,
        since,
        after_a_failure,
    })
}

/// The number of this very run, where it is there already.
fn find(
    sql: &mut dyn Sql,
    kept: &Kept<'_>,
    check: Option<&str>,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    let words = "SELECT id, place FROM run WHERE finished = ?1 AND started = ?2 AND COALESCE(of_check, '') = ?3";
    let of = [
        now.to_string().into(),
        began(kept, now).into(),
        check.unwrap_or_default().into(),
    ];
    let from = report_of(kept).and_then(ReportDocument::place);
    for row in sql.rows(words, &of)? {
        if row.get::<Option<String>>(1)? == from {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// A report, and the check that made it.
type Made<'a> = (&'a ReportDocument, Option<&'a str>);

/// What changed since the last report of the same check from the same place.
fn since(
    sql: &mut dyn Sql,
    made @ (report, _): Made<'_>,
    before: i64,
) -> Result<Option<(i64, DiffDocument)>, Error> {
    let Some((id, last)) = last_report(sql, made, before, true)? else {
        return Ok(None);
    };
    // What must not pass was last tried in a whole run.
    let whole = match last.is_needed_only() && !report.is_needed_only() {
        true => last_report(sql, made, before, false)?,
        false => None,
    };
    let earlier = match whole {
        Some((_, whole)) => ReportDocument::after(whole, last),
        None => last,
    };
    Ok(report::diff(&earlier, report).ok().map(|diff| (id, diff)))
}

/// The last report of the same check from the same place, with its number. Runs that tried only what is needed count too, or
/// whole ones alone do. One that cannot be read any more is none.
fn last_report(
    sql: &mut dyn Sql,
    (report, check): Made<'_>,
    before: i64,
    needed_only_too: bool,
) -> Result<Option<(i64, ReportDocument)>, Error> {
    let words = "SELECT id, report FROM run WHERE site = ?1 AND place = ?2 AND report IS NOT NULL AND failure IS NULL
        AND needed_only <= ?3 AND id < ?4 AND COALESCE(of_check, '') = ?5
        ORDER BY id DESC LIMIT 1";
    let of = [
        report.site.code.as_str().into(),
        report.place().into(),
        needed_only_too.into(),
        before.into(),
        check.unwrap_or_default().into(),
    ];
    let rows = sql.rows(words, &of)?;
    let Some(last) = rows.first() else {
        return Ok(None);
    };
    let (id, packed): (i64, Vec<u8>) = (last.get(0)?, last.get(1)?);
    Ok(unpack(&packed).ok().map(|report| (id, report)))
}

fn last_failed(sql: &mut dyn Sql, before: i64) -> Result<bool, Error> {
    let words = "SELECT failure IS NOT NULL FROM run WHERE id < ?1 ORDER BY id DESC LIMIT 1";
    let rows = sql.rows(words, &[before.into()])?;
    rows.first().map_or(Ok(false), |row| row.get(0))
}

fn insert(
    sql: &mut dyn Sql,
    kept: &Kept<'_>,
    check: Option<&str>,
    since: Option<&(i64, DiffDocument)>,
    now: Timestamp,
) -> Result<i64, Error> {
    let counts = since.map(|(_, diff)| Counts::of(diff));
    let number = |of: fn(&Counts) -> usize| Value::from(counts.as_ref().map(|it| of(it) as i64));
    let report = report_of(kept);
    let (exit_status, failure) = match kept {
        Kept::Report(_, status) => (status, None),
        Kept::Failure {
            why, exit_status, ..
        } => (exit_status, Some(why.as_str())),
        Kept::Part(_, status) => (status, Some(STOPPED)),
    };
    let words = "INSERT INTO run (started, finished, site, place, exit_status, failure, summary, worse, better, other, report, needed_only, of_check)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id";
    let of = [
        began(kept, now).into(),
        now.to_string().into(),
        report.map(|it| it.site.code.as_str()).into(),
        report.and_then(ReportDocument::place).into(),
        i64::from(*exit_status).into(),
        failure.into(),
        report.map(|it| json(&it.summary)).transpose()?.into(),
        number(|it| it.worse),
        number(|it| it.better),
        number(|it| it.other),
        report.map(pack).transpose()?.into(),
        report.is_some_and(ReportDocument::is_needed_only).into(),
        check.into(),
    ];
    let rows = sql.rows(words, &of)?;
    let id = rows.first().map(|row| row.get(0)).transpose()?;
    let id = id.ok_or_else(|| Error::Says("it gave the run no number".to_string()))?;
    for (turn, change) in since.into_iter().flat_map(|(_, diff)| changes(diff)) {
        let [before, after] = [&change.old, &change.new].map(|it| it.as_ref().map(json));
        sql.execute(
            "INSERT INTO change (run, flow, turn, before, after) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                Value::from(id),
                change.id.as_str().into(),
                turn.into(),
                before.transpose()?.into(),
                after.transpose()?.into(),
            ],
        )?;
    }
    Ok(id)
}

/// Writes what belongs to a run of a check that goes on for months.
fn followed(
    sql: &mut dyn Sql,
    follow: &dyn Follow,
    (run, kept): (i64, &Kept<'_>),
    now: Timestamp,
) -> Result<(), Error> {
    let check = follow.check();
    let before = remembered(sql, check)?;
    let Followed {
        remembered: after,
        queued,
    } = follow.follow(run, kept, before.clone());
    for flow in before.keys().filter(|flow| !after.contains_key(*flow)) {
        let words = "DELETE FROM remembered WHERE of_check = ?1 AND flow = ?2";
        sql.execute(words, &[check.into(), flow.as_str().into()])?;
    }
    let is_new = |(flow, what): &(&String, &String)| before.get(*flow) != Some(what);
    for (flow, what) in after.iter().filter(is_new) {
        sql.execute(
            "INSERT INTO remembered (of_check, flow, what) VALUES (?1, ?2, ?3)
            ON CONFLICT (of_check, flow) DO UPDATE SET what = excluded.what",
            &[check.into(), flow.as_str().into(), what.as_str().into()],
        )?;
    }
    queue(sql, queued, now)
}

fn report_of<'a>(kept: &Kept<'a>) -> Option<&'a ReportDocument> {
    match kept {
        Kept::Report(report, _) | Kept::Part(report, _) => Some(report),
        Kept::Failure { .. } => None,
    }
}

/// When a run began: the first vantage of its report.
fn began(kept: &Kept<'_>, now: Timestamp) -> String {
    if let Kept::Failure { started, .. } = kept {
        return started.to_string();
    }
    let vantages = report_of(kept).map_or(&[][..], |it| &it.vantages);
    let starts = vantages.iter().map(|it| it.started.clone());
    starts.min().unwrap_or_else(|| now.to_string())
}
