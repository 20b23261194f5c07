//! Required flows that fail, in the light of what another vantage saw of the host meanwhile.
//!
//! A host that says nothing may be off, and a reset may be its own. Another vantage's report, or the host's own run,
//! can show that it was up all the while. Or it shows that the service answered at this very port. What counts is held
//! to more than a control of a closed door (`alive`), because a team is sent by it:
//!
//! 1. The same address: a name may stand for other hosts in another zone. Not one behind which the site file puts several.
//! 2. The host's own words, which no device in its place says. They are a service's greeting, a reset or a message that
//!    is proved to be its own, or a run of this program on it.
//! 3. Before and after. A try counts where the host showed life within [`NEAR`] on either side of it, so that it was
//!    not just being started. At least half of the tries have to count.
//! 4. That the service answers others counts where they, too, come across the border of its zone: many hosts let only their
//!    neighbours in. And not where it answered some connections and not others: several servers may share the address.
//!
//! What follows is said by the table (`Elsewhere`), with all that was known in the run itself. Reports of the earlier format
//! do not tell that, so their flows stay as they are.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::rejudge::rejudge;
use super::signs::{Shown, Sign};
use crate::product::Need;
use crate::report::document::{Evidence, ReportFlow};
use crate::report::joined::Alive;
use crate::report::whole::ReportDocument;
use crate::verdict::Elsewhere;

/// How far a sign of life may lie before or after a try: no server starts again in twice that time.
const NEAR: SignedDuration = SignedDuration::from_mins(1);

/// How far the clocks of two hosts may differ that keep time.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// Judges again what fails, with what others saw.
pub(super) fn judge(reports: &mut [ReportDocument], signs: &HashMap<String, Vec<Sign>>) {
    for (number, report) in reports.iter_mut().enumerate() {
        let fails = |flow: &&mut ReportFlow| {
            let is_needed = flow.flow.need == Need::Required;
            is_needed && flow.verdict.fails() && flow.evidence.earlier.is_none()
        };
        for flow in report.flows.iter_mut().filter(fails) {
            let Some(signs) = signs.get(&flow.flow.to.system) else {
                continue;
            };
            let found = flow.evidence.of_each_address();
            let found: Vec<_> = found.map(|it| meanwhile(signs, number, flow, it)).collect();
            if found.iter().all(Option::is_none) {
                continue;
            }
            let alone = flow.evidence.clone();
            let is_other = rejudge(flow, &report.devices, |evidence| {
                let mut found = found.into_iter();
                note(evidence, found.next().flatten());
                for (other, found) in evidence.others.iter_mut().zip(found) {
                    note(other, found);
                }
            });
            if !is_other {
                flow.evidence = alone;
            }
        }
    }
}

fn note(evidence: &mut Evidence, found: Option<(Elsewhere, Alive)>) {
    if let Some((elsewhere, alive)) = found {
        evidence.context.elsewhere = elsewhere;
        evidence.joined = Some(Box::new(alive));
    }
}

/// What others saw of the host at one address while a flow was tried there.
fn meanwhile(
    signs: &[Sign],
    vantage: usize,
    flow: &ReportFlow,
    evidence: &Evidence,
) -> Option<(Elsewhere, Alive)> {
    let (system, transport) = (&flow.flow.to.system, flow.flow.transport);
    let address = evidence
        .seen
        .address
        .filter(|_| !evidence.names().several_hosts)?;
    let asked = evidence.seen.attempts.first()?.remote.port();
    let others = signs.iter().filter(|sign| sign.vantage != Some(vantage));
    let of_it: Vec<&Sign> = others.filter(|sign| sign.is_surely_of(address)).collect();
    let serves = |sign: &&Sign| match &sign.shown {
        Shown::Answer { end, serves, .. } => *serves == Some(transport) && end.port() == asked,
        Shown::Run(_) => false,
    };
    let serving = of_it.iter().copied().filter(serves).collect();
    let found = [
        (
            Elsewhere::Serves,
            format!("{asked}/{transport} of {system}"),
            serving,
        ),
        (Elsewhere::Alive, system.clone(), of_it),
    ];
    found.into_iter().find_map(|(elsewhere, what, signs)| {
        let (before, after) = around(evidence, &signs)?;
        let alive = Alive {
            vantage: before.vantage,
            at: format!("{:.3}", before.from),
            address: Some(address.to_string()),
            words: format!(
                "{what} was up meanwhile at {address}, as seen from {} before and {} after",
                before.who, after.who
            ),
        };
        Some((elsewhere, alive))
    })
}

/// The signs of life around the last try that counts, where at least half of the tries do.
fn around<'a>(evidence: &Evidence, signs: &[&'a Sign]) -> Option<(&'a Sign, &'a Sign)> {
    let of_try = |at: Timestamp| {
        let before = signs.iter().find(|sign| {
            at.duration_since(sign.from) >= CLOCKS && at.duration_since(sign.to) <= NEAR
        });
        let after = signs.iter().find(|sign| {
            sign.to.duration_since(at) >= CLOCKS && sign.from.duration_since(at) <= NEAR
        });
        Some((*before?, *after?))
    };
    let tries = &evidence.seen.attempts;
    let mut counting = tries.iter().filter_map(|attempt| of_try(attempt.at));
    (counting.clone().count() * 2 >= tries.len())
        .then(|| counting.next_back())
        .flatten()
}
