//! Lines that every format for people has in the same words. Words of others stand in them as they came: each format
//! escapes them.

use super::document::{Note, Sweep, Vantage};
use super::findings::{Findings, Required, Team};
use super::whole::ReportDocument;
use crate::verdict::Cause;

/// `Site PRI seen from internet as ibs01 (host laptop7, 2026-11-29T08:57:19Z)`.
pub(super) fn seen_from(report: &ReportDocument, vantage: &Vantage) -> String {
    let zones = [&[vantage.zone.clone()][..], &vantage.also_in].concat();
    let system = vantage.system.as_ref();
    let system = system.map_or_else(String::new, |system| format!(" as {system}"));
    format!(
        "Site {} seen from {}{system} ({}, {})",
        report.site.code,
        zones.join(" and "),
        vantage.who(),
        vantage.started
    )
}

/// That the vantage was insisted on.
pub(super) fn forced(found: &str) -> String {
    format!("The vantage was forced, although {found}.")
}

/// How many of the required flows are wrong, how many nothing proves, and how many are proved; `None` without any.
pub(super) fn required(required: Required) -> Option<String> {
    let Required {
        wrong,
        unproved,
        proved,
    } = required;
    (wrong + unproved + proved > 0)
        .then(|| format!("Required flows: {wrong} wrong, {unproved} not proved, {proved} proved"))
}

/// Who has to act, in one line.
pub(super) enum Acting {
    /// Somebody: `firewall team: 2 rules, server team: 1 host`.
    Teams(String),
    /// Nobody, as far as is known; in a sentence.
    Unproved(String),
    /// Nobody; in a sentence.
    Nobody(&'static str),
}

/// Who has to act.
pub(super) fn acting(findings: &Findings<'_>) -> Acting {
    if findings.all.is_empty() {
        return match findings.required.unproved {
            0 => Acting::Nobody("Nothing has to be done."),
            1 => Acting::Unproved(
                "Nothing is known to be wrong, and 1 required flow is not proved from here \
                 (--verbose names it)."
                    .to_string(),
            ),
            some => Acting::Unproved(format!(
                "Nothing is known to be wrong, and {some} required flows are not proved from here \
                 (--verbose names them)."
            )),
        };
    }
    let plural = |count| if count == 1 { "" } else { "s" };
    let part =
        |Team { name, count, what }: &Team| format!("{name}: {count} {what}{}", plural(*count));
    let parts: Vec<String> = findings.teams.iter().map(part).collect();
    Acting::Teams(parts.join(", "))
}

/// Whether a note is on this host's own clock: it comes first, because all that hangs on dates depends on it.
pub(super) fn is_of_own_clock(note: &Note) -> bool {
    matches!(note.cause, Cause::ClockOff | Cause::ClocksDiffer)
}

/// `warning` or `note`.
pub(super) fn weight_of(note: &Note) -> &'static str {
    match note.cause {
        Cause::ExceptionEndsSoon
        | Cause::ExceptionLapsed
        | Cause::AdvertisedName
        | Cause::AdvertisedPort => "warning",
        _ => "note",
    }
}

/// What stands above the flows that exceptions accept.
pub(super) const ACCEPTED: &str = "Accepted by exceptions of the site file, and counted apart";

/// The ports of a sweep by state, and those of earlier runs: a line each. Blanks behind the commas let lists be broken.
pub(super) fn swept(sweep: &Sweep) -> Vec<String> {
    let (from, to) = (&sweep.from.zone, &sweep.to.system);
    let listed = |ports: &str| ports.replace(',', ", ");
    let states = sweep.states.iter();
    let states =
        states.map(|(state, ports)| format!("swept {from}>{to}: {state} {}", listed(ports)));
    let earlier = sweep.earlier.iter().map(|run| {
        format!(
            "swept {from}>{to} by an earlier run, between {} and {}: {}",
            run.started,
            run.finished,
            listed(&run.ports)
        )
    });
    states.chain(earlier).collect()
}

/// How many flows have which verdict.
pub fn counts(report: &ReportDocument) -> String {
    let it = &report.summary;
    let mut out = format!(
        "{} ok, {} blocked, {} down, {} wrong, {} exposed, {} unknown",
        it.ok, it.blocked, it.down, it.wrong, it.exposed, it.unknown
    );
    if it.accepted > 0 {
        out += &format!(", {} accepted", it.accepted);
    }
    if report.flows_elsewhere > 0 {
        out += &format!(
            "; {} flows start in other zones and were not tried here",
            report.flows_elsewhere
        );
    }
    out
}
