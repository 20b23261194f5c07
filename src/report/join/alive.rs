//! The control *joined*. A forbidden flow may be closed with nothing to show that its host was alive. It is proved
//! where the host answered another vantage at about the same time.
//!
//! Only what the host itself said counts, as for the control *host* (`verdict::host_answered`); beside it, that the
//! host ran this program. What shows only whether this vantage's own packets come out is left as it is. Where nothing
//! at all answered, or a device shut the vantage out, another's report proves nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::rejudge::{plain, rejudge, span};
use super::signs::Sign;
use crate::observation::State;
use crate::product::Need;
use crate::report::document::{Devices, ReportFlow};
use crate::report::joined::Alive;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Control};

/// How far a sign of life may lie from the first and the last try of a flow that it is to prove.
const NEAR: SignedDuration = SignedDuration::from_mins(15);

/// Judges again what lacks a control and has one in another's report.
pub(super) fn prove(reports: &mut [ReportDocument], signs: &HashMap<String, Vec<Sign>>) {
    for (number, report) in reports.iter_mut().enumerate() {
        for flow in report.flows.iter_mut().filter(|flow| lacks_control(flow)) {
            let Some(of_host) = signs.get(&flow.flow.to.system) else {
                continue;
            };
            if let Some((sign, tried)) = best(of_host, number, flow) {
                let alive = alive(sign, tried, &flow.flow.to.system);
                write(flow, alive, &report.devices);
            }
        }
    }
}

fn lacks_control(flow: &ReportFlow) -> bool {
    let causes = [Cause::NoControl, Cause::HostUnproved];
    flow.flow.need == Need::Forbidden && causes.contains(&flow.cause)
}

/// How far a sign lies from the farther end of a span; nothing while it lasts.
fn distance(sign: &Sign, (first, last): (Timestamp, Timestamp)) -> SignedDuration {
    let from_one = |at: Timestamp| {
        let before = sign.from.duration_since(at);
        let after = at.duration_since(sign.to);
        before.max(after).max(SignedDuration::ZERO)
    };
    from_one(first).max(from_one(last))
}

/// The best sign for a flow of a vantage: at the very address that was tried, then the nearest in time.
fn best<'a>(signs: &'a [Sign], vantage: usize, flow: &ReportFlow) -> Option<(&'a Sign, IpAddr)> {
    let span = span(flow.evidence.attempts())?;
    let tried = flow.evidence.attempts().next()?.remote.ip();
    signs
        .iter()
        .filter(|sign| sign.vantage != Some(vantage) && distance(sign, span) <= NEAR)
        .min_by_key(|sign| {
            let elsewhere = sign
                .address()
                .is_some_and(|address| plain(address) != plain(tried));
            (elsewhere, distance(sign, span), sign.vantage, sign.from)
        })
        .map(|sign| (sign, tried))
}

fn alive(sign: &Sign, tried: IpAddr, system: &str) -> Alive {
    let words = match sign.address() {
        None => format!("{system} itself ran portproof then (host {})", sign.who),
        Some(address) if plain(address) == plain(tried) => {
            format!("{system} answered {} at {address}", sign.who)
        }
        Some(address) => format!(
            "{system} answered {} at {address}, another address than the one tried here",
            sign.who
        ),
    };
    Alive {
        vantage: sign.vantage,
        at: format!("{:.3}", sign.from),
        address: sign.address().map(|address| address.to_string()),
        words,
    }
}

fn write(flow: &mut ReportFlow, alive: Alive, devices: &Devices) {
    // This host's own system may have said so, and then no packet left it.
    if matches!(&flow.evidence.seen.state, State::Rejected(it) if it.may_be_our_own()) {
        return;
    }
    rejudge(flow, devices, |evidence| {
        evidence.context.control = Some(Control::Joined);
        evidence.context.host_answered = true;
        evidence.joined = Some(Box::new(alive));
    });
}
