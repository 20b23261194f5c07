//! The tables of a server, and how they are made. They are those of SQLite, and two more. One has the version. The other has the
//! bytes that all rows take. Triggers keep that number, because counting anew would take longer each day.

use super::WRITER;
use super::session::Session;
use crate::history::database::{Error, Sql, missing};

/// What each version of the database has beyond the one before it.
///
/// The bytes of a row are those of its long values as they are stored. A fixed number stands for the rest of it, and for its
/// places in indexes. `report` is packed already. Times are ordered by their bytes, whatever the language of the database.
const MIGRATIONS: [&str; 2] = [
    r#"
    CREATE TABLE version (version BIGINT NOT NULL);
    INSERT INTO version VALUES (0);
    CREATE TABLE taken (bytes BIGINT NOT NULL);
    INSERT INTO taken VALUES (0);
    CREATE TABLE run (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        started TEXT COLLATE "C" NOT NULL,
        finished TEXT COLLATE "C" NOT NULL,
        site TEXT,
        place TEXT,
        exit_status BIGINT NOT NULL,
        failure TEXT,
        summary TEXT,
        worse BIGINT,
        better BIGINT,
        other BIGINT,
        report BYTEA
    );
    ALTER TABLE run ALTER COLUMN report SET STORAGE EXTERNAL;
    CREATE INDEX run_of_place ON run (site, place, id) WHERE report IS NOT NULL;
    CREATE INDEX run_finished ON run (finished);
    CREATE TABLE change (
        run BIGINT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        flow TEXT NOT NULL,
        turn TEXT NOT NULL,
        before TEXT,
        after TEXT
    );
    CREATE INDEX change_of_run ON change (run);
    CREATE INDEX change_of_flow ON change (flow, run);
    CREATE FUNCTION run_takes() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP <> 'DELETE' THEN
            UPDATE taken SET bytes = bytes + (SELECT COALESCE(SUM(200 + COALESCE(pg_column_size(report), 0)
                + COALESCE(pg_column_size(summary), 0) + COALESCE(pg_column_size(failure), 0)), 0) FROM newer);
        END IF;
        IF TG_OP <> 'INSERT' THEN
            UPDATE taken SET bytes = bytes - (SELECT COALESCE(SUM(200 + COALESCE(pg_column_size(report), 0)
                + COALESCE(pg_column_size(summary), 0) + COALESCE(pg_column_size(failure), 0)), 0) FROM older);
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION change_takes() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN
            UPDATE taken SET bytes = bytes + (SELECT COALESCE(SUM(100 + 2 * pg_column_size(flow)
                + COALESCE(pg_column_size(before), 0) + COALESCE(pg_column_size(after), 0)), 0) FROM newer);
        ELSE
            UPDATE taken SET bytes = bytes - (SELECT COALESCE(SUM(100 + 2 * pg_column_size(flow)
                + COALESCE(pg_column_size(before), 0) + COALESCE(pg_column_size(after), 0)), 0) FROM older);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER run_added AFTER INSERT ON run REFERENCING NEW TABLE AS newer
        FOR EACH STATEMENT EXECUTE FUNCTION run_takes();
    CREATE TRIGGER run_changed AFTER UPDATE ON run REFERENCING NEW TABLE AS newer OLD TABLE AS older
        FOR EACH STATEMENT EXECUTE FUNCTION run_takes();
    CREATE TRIGGER run_removed AFTER DELETE ON run REFERENCING OLD TABLE AS older
        FOR EACH STATEMENT EXECUTE FUNCTION run_takes();
    CREATE TRIGGER change_added AFTER INSERT ON change REFERENCING NEW TABLE AS newer
        FOR EACH STATEMENT EXECUTE FUNCTION change_takes();
    CREATE TRIGGER change_removed AFTER DELETE ON change REFERENCING OLD TABLE AS older
        FOR EACH STATEMENT EXECUTE FUNCTION change_takes();
"#,
    r#"
    ALTER TABLE run ADD COLUMN needed_only BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE run ADD COLUMN of_check TEXT;
    CREATE INDEX run_of_check ON run (of_check, id) WHERE of_check IS NOT NULL;
    CREATE TABLE remembered (
        of_check TEXT NOT NULL,
        flow TEXT NOT NULL,
        what TEXT NOT NULL,
        PRIMARY KEY (of_check, flow)
    );
    CREATE TABLE message (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        channel TEXT NOT NULL,
        body TEXT NOT NULL,
        made TEXT NOT NULL,
        tries BIGINT NOT NULL DEFAULT 0,
        due TEXT NOT NULL
    );
    CREATE INDEX message_of_channel ON message (channel, id);
"#,
];

/// Brings a database to the newest version; false: it has no history, and none is to be made. One that has the newest
/// version already is only read.
pub(super) fn migrate(session: &mut Session, make: bool) -> Result<bool, Error> {
    match version(session)? {
        None if !make => return Ok(false),
        Some(version) if missing(&MIGRATIONS, version)?.is_empty() => return Ok(true),
        None => encoding(session)?,
        Some(_) => {}
    }
    session.say("BEGIN")?;
    let made = make_missing(session).and_then(|()| session.say("COMMIT"));
    if made.is_err() {
        session.is_of_no_use();
    }
    made.map(|()| true)
}

/// The version of the tables; `None`: there are none.
fn version(session: &mut Session) -> Result<Option<i64>, Error> {
    let found = session.rows("SELECT to_regclass('portproof.version') IS NOT NULL", &[])?;
    if !found.first().map_or(Ok(false), |row| row.get(0))? {
        return Ok(None);
    }
    let found = session.rows("SELECT version FROM portproof.version", &[])?;
    found.first().map(|row| row.get(0)).transpose()
}

/// All that portproof writes is text in UTF-8.
fn encoding(session: &mut Session) -> Result<(), Error> {
    let found = session.rows("SELECT current_setting('server_encoding')", &[])?;
    let encoding: String = found.first().map_or(Ok(String::new()), |row| row.get(0))?;
    match encoding.as_str() {
        "UTF8" => Ok(()),
        other => Err(Error::Says(format!(
            "the database has the encoding {other}, and UTF8 is needed: createdb --encoding UTF8 --template template0"
        ))),
    }
}

/// Makes what is missing, in a transaction and as the only one who does.
fn make_missing(session: &mut Session) -> Result<(), Error> {
    session.rows("SELECT pg_advisory_xact_lock(?1)", &[WRITER.into()])?;
    let is_there = session.rows(
        "SELECT 1::BIGINT FROM pg_namespace WHERE nspname = 'portproof'",
        &[],
    )?;
    if is_there.is_empty() {
        session.say("CREATE SCHEMA portproof")?;
    }
    // Another process may have done so meanwhile.
    let version = version(session)?.unwrap_or(0);
    for words in missing(&MIGRATIONS, version)? {
        session.say(words)?;
    }
    let newest = MIGRATIONS.len() as i64;
    session.execute("UPDATE version SET version = ?1", &[newest.into()])?;
    Ok(())
}
