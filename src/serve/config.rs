//! The file of `portproof serve`: which sites are checked, from where, how often, where runs are kept, and who is told.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::page::{Page, Tls, page};
use super::schedule::{Cron, When};
use crate::alert::{self, Channel};
use crate::config::Named;
use crate::config::keys::{self, Entries, Kind, Section as _, What, keys};
use crate::config::kinds::{boolean, filled, name, named, number, or, plain, section, span, text};
use crate::diagnostic::Problem;
use crate::history::{Address, EXAMPLE, Retention};
use crate::yaml::{self, At, Node};

keys! {
    /// The whole file.
    item ServeFile checked by one_home {
        /// The folder of the history, which is made where it is missing.
        history: Option<At<String>> = text(), optional("`database` must be there");
        /// A PostgreSQL database with the history: `postgres://portproof@db.corp.example/portproof`.
        database: Option<At<Address>> = database(), optional("`history` must be there");
        /// A file with the password for it in its first line.
        database_password_file: Option<At<String>> = text(), optional("see below");
        /// Days that a run is kept.
        keep_days: u32 = number::<u32>(1, 36_500), default("400");
        /// The largest size of the history in megabytes. The oldest reports go first.
        keep_size: u32 = number::<u32>(1, 1_000_000), default("200");
        /// Where the page and the metrics are shown: an address of this host and a port, or the keys below.
        page: Option<Page> = page(), optional("nowhere");
        /// Runs that may be under way at once, 1 to 64.
        at_once: usize = number::<usize>(1, 64), default("4");
        /// The checks by their names; at least one.
        checks: Vec<Named<Check>> = filled("missing-key", "at least one check is needed", named("check", section::<Check>())), required("checks: { internet: { site: probes.yaml, from: internet } }");
        /// Who is told what changed ([alerts.md](alerts.md)).
        alerts: Vec<Channel> = channels(), optional("nobody");
    }
}

keys! {
    /// What is checked, from where, and how often.
    item Check checked by fits_together {
        /// The site file.
        site: At<String> = text(), required("site: probes.yaml");
        /// The zone that this host is in.
        from: Option<At<String>> = name(), optional("found by this host's addresses");
        /// The system of the site file that this host is.
        system: Option<At<String>> = name(), optional("found by this host's addresses");
        /// The file of the agents that try all zones at once ([agents.md](agents.md)). This host then tries nothing itself.
        agents: Option<At<String>> = text(), optional("this host tries alone");
        /// Whether that holds even though this host's addresses say otherwise.
        force_vantage: bool = boolean(), default("false");
        /// From the start of one run to the start of the next, `1s` to `7d`.
        every: Option<Duration> = span("1s", "7d"), optional("`5m`, where there is no `cron`");
        /// When it runs, as cron says it, with a time zone behind it where it is not this host's: `0 6 * * 1-5 Europe/Berlin`.
        cron: Option<Cron> = cron(), optional("see `every`");
        /// The longest time by which a run may begin later, so that many do not begin at once; up to `1h`, and half of `every`.
        jitter: Duration = span("1ms", "1h"), default("10s");
        /// How often what must not pass is tried too, and ports are swept: `1m` to `365d`, or `never`.
        sweep_every: Option<Duration> = or("never", None::<Duration>, span("1m", "365d")), default("24h");
        /// Runs in a row that must see a flow so before it is told as wrong, or as mended; 1 to 100.
        after: u32 = number::<u32>(1, 100), default("3");
        /// Whether the run must not set off devices that watch for scans.
        gentle: Option<bool> = boolean(), optional("where this host is a system that serves others");
        /// A file with the token of `portproof listen`.
        token_file: Option<At<String>> = text(), optional("the environment, or none");
    }
}

impl ServeFile {
    /// How long runs are kept.
    pub fn retention(&self) -> Retention {
        Retention::new(Some(self.keep_days), Some(self.keep_size))
    }
}

impl Check {
    /// When it runs.
    pub(super) fn when(&self) -> When {
        const USUAL: Duration = Duration::from_secs(5 * 60);
        match &self.cron {
            Some(cron) => When::Cron(cron.clone()),
            None => When::Every(self.every.unwrap_or(USUAL)),
        }
    }
}

impl Check {
    /// The longest time by which a run may begin later: never so long that the next one would be due.
    pub(super) fn longest_jitter(&self) -> Duration {
        match self.when() {
            When::Every(span) => self.jitter.min(span / 2),
            When::Cron(_) => self.jitter,
        }
    }
}

/// What cannot stand together in a check.
fn fits_together(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    if entries.fields.get("agents").is_some() {
        // Each agent's place is in the file of the agents, and none of these is of use there.
        for key in ["from", "system", "force_vantage", "token_file"] {
            let Some(node) = entries.fields.get(key) else {
                continue;
            };
            let says = format!("{} has both `agents` and `{key}`", entries.what);
            problems.push(
                Problem::error("two-places", node.at, says)
                    .hint("with `agents` this host tries nothing itself: leave one of them out"),
            );
        }
    }
    if let (Some(_), Some(cron)) = (entries.fields.get("every"), entries.fields.get("cron")) {
        let says = format!("{} has both `every` and `cron`", entries.what);
        problems.push(Problem::error("bad-schedule", cron.at, says).hint("leave one of them out"));
    }
}

/// The history has one home.
fn one_home(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    let get = |key: &str| entries.fields.get(key);
    let (says, at) = match (get("history"), get("database")) {
        (Some(_), Some(database)) => (
            format!("{} has both `history` and `database`", entries.what),
            Some(database.at),
        ),
        (None, None) => (
            format!("{} has neither `history` nor `database`", entries.what),
            Some(entries.fields.place()),
        ),
        (Some(_), None) => match get("database_password_file") {
            None => return,
            Some(file) => (
                format!(
                    "{} has `database_password_file` without `database`",
                    entries.what
                ),
                Some(file.at),
            ),
        },
        (None, Some(_)) => return,
    };
    let problem = Problem::error("history-place", at, says);
    problems.push(problem.hint(format!(
        "runs are kept in one place: a folder, as in history: /var/lib/portproof, or a database, as in \
         database: {EXAMPLE}"
    )));
}

/// The address of a database. It is never quoted: a password may stand in it.
fn database() -> Kind<At<Address>> {
    plain(
        |node, what, problems| {
            let url = yaml::text(node, what, problems)?;
            let address = Address::parse(&url.value);
            if let Err(why) = address {
                let problem = Problem::error("bad-database", node.at, format!("{what} {why}"));
                problems.push(problem.hint(format!("for example: database: {EXAMPLE}")));
            }
            let at = node.at;
            address.ok().map(|value| At { value, at })
        },
        || json!({ "type": "string", "pattern": "^postgres(ql)?://" }),
    )
}

fn cron() -> Kind<Cron> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let cron = Cron::parse(&words.value);
            if cron.is_none() {
                let says = format!("{what} is `{}`, which cron would not take", words.value);
                problems.push(Problem::error("bad-schedule", node.at, says).hint(
                    "minute, hour, day, month and day of the week, as in `0 6 * * 1-5`, and perhaps \
                     a time zone, as in `0 6 * * * Europe/Berlin`",
                ));
            }
            cron
        },
        || json!({ "type": "string" }),
    )
}

fn channels() -> Kind<Vec<Channel>> {
    let read = |node: &Node, _: &What, problems: &mut Vec<Problem>| {
        Some(alert::config::read(node, problems))
    };
    Kind::new(read, alert::config::schema)
}

/// Reads such a file; `None` when it cannot be read at all. With errors among the findings it is not to be used.
pub fn read(bytes: &[u8]) -> (Option<ServeFile>, Vec<Problem>) {
    keys::file(bytes)
}

/// The JSON Schema of the file.
pub fn schema() -> Json {
    keys::schema(&ServeFile::keys())
}

/// The tables of `docs/serve.md`, each by the name of its section.
pub fn tables() -> Vec<(&'static str, String)> {
    let sections = [
        ("the file", ServeFile::keys()),
        ("a check", Check::keys()),
        ("the page", Page::keys()),
        ("tls of the page", Tls::keys()),
    ];
    let table = |(name, keys): (_, Vec<_>)| (name, keys::table(&keys));
    sections.map(table).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        let (_, problems) = read(text.as_bytes());
        let said = problems.iter().map(|it| {
            let hint = it.hint.as_deref().unwrap_or_default();
            format!("{}: {}: {hint}\n", it.code, it.message)
        });
        said.collect()
    }

    #[test]
    fn a_small_file_is_enough() {
        let text = "history: h\nchecks: { internet: { site: probes.yaml } }";
        let (file, problems) = read(text.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        let file = file.expect("a file");
        let check = &file.checks[0].value;
        assert_eq!(check.when(), When::Every(Duration::from_secs(300)));
        assert_eq!(check.sweep_every, Some(Duration::from_secs(86_400)));
        assert_eq!((check.after, file.at_once), (3, 4));
        assert_eq!(file.retention(), Retention::new(None, None));
    }

    #[test]
    fn every_fault_is_said_at_once() {
        let said = faults(
            "checks:\n  a: { site: x.yaml, every: 500ms, cron: \"0 6 * *\", aftr: 2, sweep_every: 3 }\nalerts: [{ name: x }]",
        );
        for part in [
            "has neither `history` nor `database`",
            "`every` of check `a` is out of range: 1s to 7d",
            "which cron would not take",
            "did you mean `after`?",
            "`sweep_every` of check `a` is `3`, which is no time span",
            "has both `every` and `cron`",
            "`webhook`",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        assert!(faults("history: h\nchecks: {}").contains("at least one check is needed"));
    }

    #[test]
    fn a_page_that_others_reach_asks_who_they_are_over_tls() {
        let faults = |page: &str| {
            faults(&format!(
                "history: h\nchecks: {{ a: {{ site: x }} }}\npage: {page}"
            ))
        };
        let tls = "tls: { certificate: c, key: k }";
        let with_roots = "tls: { certificate: c, key: k, client_roots: r }";
        for right in [
            "127.0.0.1:1".to_string(),
            "\"[::1]:1\"".to_string(),
            "{ address: 127.0.0.1:1, token_file: t }".to_string(),
            format!(
                "{{ address: 0.0.0.0:1, {tls}, token_file: t, names: [a.example, 192.0.2.1] }}"
            ),
            format!("{{ address: \"[::]:1\", {with_roots} }}"),
        ] {
            assert_eq!(faults(&right), "", "{right}");
        }
        for (wrong, said) in [
            (
                "0.0.0.0:1".to_string(),
                "where nobody is asked who they are",
            ),
            (
                "192.0.2.1:1".to_string(),
                "`token_file` or `tls.client_roots`",
            ),
            ("localhost:1".to_string(), "which is no place for it"),
            (
                "{ address: 0.0.0.0:1, token_file: t }".to_string(),
                "in plain text",
            ),
            (
                format!("{{ address: 0.0.0.0:1, {tls} }}"),
                "where nobody is asked",
            ),
            (
                "{ address: 0.0.0.0:1, tls: { client_roots: r } }".to_string(),
                "certificate",
            ),
            (
                "{ address: 127.0.0.1:1, names: [\"a b\"] }".to_string(),
                "no name of a host",
            ),
        ] {
            assert!(faults(&wrong).contains(said), "{wrong}: {}", faults(&wrong));
        }
    }

    #[test]
    fn a_sweep_may_be_left_out() {
        let text =
            "history: h\nchecks: { a: { site: x, sweep_every: never, cron: \"0 6 * * *\" } }";
        let (file, problems) = read(text.as_bytes());
        let file = file.expect("a file");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(file.checks[0].sweep_every, None);
    }
}
