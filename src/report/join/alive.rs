//! The control *joined*: a forbidden flow that is closed, with nothing to show that its host was alive, is proved by
//! another vantage that the host answered at about the same time.
//!
//! Only what the host itself said counts, as for the control *host* (`verdict::host_answered`); beside it, that the host
//! ran this program. What shows that this vantage's own packets come out, and nothing more, is left as it is: where nothing
//! at all answered, or a device shut the vantage out, another's report proves nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::rejudge::{attempts, context, observation, place, plain, rejudge, span};
use crate::observation::{State, TryResult};
use crate::product::Need;
use crate::report::ArrivalsDocument;
use crate::report::document::{Devices, ReportFlow};
use crate::report::joined::Alive;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Context, Control, host_answered};

/// How far a sign of life may lie from the first and the last try of a flow that it is to prove.
const NEAR: SignedDuration = SignedDuration::from_mins(15);

/// That a host was alive, from one time to another.
struct Sign {
    /// The vantage that it answered, or that it is; `None`: a listener.
    vantage: Option<usize>,
    from: Timestamp,
    to: Timestamp,
    /// The address at which it answered; `None`: it ran this program itself.
    address: Option<IpAddr>,
    /// Who says so.
    who: String,
}

impl Sign {
    /// How far it lies from the farther end of a span; nothing while it lasts.
    fn distance(&self, (first, last): (Timestamp, Timestamp)) -> SignedDuration {
        let from_one = |at: Timestamp| {
            let before = self.from.duration_since(at);
            let after = at.duration_since(self.to);
            before.max(after).max(SignedDuration::ZERO)
        };
        from_one(first).max(from_one(last))
    }
}

/// Judges again what lacks a control and has one in another's report.
pub(super) fn prove(reports: &mut [ReportDocument], logs: &[ArrivalsDocument]) {
    let signs = signs(reports, logs);
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

/// By the host, every sign of its life.
fn signs(reports: &[ReportDocument], logs: &[ArrivalsDocument]) -> HashMap<String, Vec<Sign>> {
    let mut all: HashMap<String, Vec<Sign>> = HashMap::new();
    for (number, report) in reports.iter().enumerate() {
        let vantage = &report.vantages[0];
        for flow in &report.flows {
            for (at, address) in answers(flow) {
                all.entry(flow.flow.to.system.clone())
                    .or_default()
                    .push(Sign {
                        vantage: Some(number),
                        from: at,
                        to: at,
                        address: Some(address),
                        who: place(vantage),
                    });
            }
        }
        if let Some(system) = &vantage.system {
            let ran = ran(&vantage.started, &vantage.finished);
            let sign = ran.map(|(from, to)| Sign {
                vantage: Some(number),
                from,
                to,
                address: None,
                who: vantage.host.clone(),
            });
            all.entry(system.clone()).or_default().extend(sign);
        }
    }
    for log in logs {
        let sign = ran(&log.started, &log.finished).map(|(from, to)| Sign {
            vantage: None,
            from,
            to,
            address: None,
            who: log.host.clone(),
        });
        all.entry(log.system.clone()).or_default().extend(sign);
    }
    all
}

fn ran(started: &str, finished: &str) -> Option<(Timestamp, Timestamp)> {
    let (from, to) = (started.parse().ok()?, finished.parse().ok()?);
    (from <= to).then_some((from, to))
}

/// When the host itself answered a flow, and at which address.
fn answers(flow: &ReportFlow) -> Vec<(Timestamp, IpAddr)> {
    let Some(seen) = observation(flow) else {
        return Vec::new();
    };
    let translated = flow.flow.own_port.is_some();
    let is_it = |address: &IpAddr| host_answered(&seen, *address, translated);
    let Some(address) = seen.address.filter(is_it) else {
        return Vec::new();
    };
    // A device that translates may reset in the host's name; and another system's listener proves that one alive.
    let listener = flow.evidence.listener.as_ref();
    let anothers = listener.is_some_and(|it| it.system != flow.flow.to.system);
    // A message is the host's own only where the site file gives its sender's address to the host: a device that
    // translates says no from the address that was tried.
    let by_the_host = flow
        .evidence
        .rejected
        .as_ref()
        .is_some_and(|it| it.by_the_host);
    let anyones = matches!(seen.state, State::Rejected(_)) && !by_the_host;
    if (translated && seen.state != State::Open) || anyones || anothers {
        return Vec::new();
    }
    let answered = attempts(flow).filter(|attempt| {
        attempt.remote.ip() == address
            && matches!(
                attempt.result,
                TryResult::Open | TryResult::Reset | TryResult::Rejected
            )
    });
    answered.map(|attempt| (attempt.at, address)).collect()
}

/// The best sign for a flow of a vantage: at the very address that was tried, then the nearest in time.
fn best<'a>(signs: &'a [Sign], vantage: usize, flow: &ReportFlow) -> Option<(&'a Sign, IpAddr)> {
    let span = span(flow)?;
    let tried = attempts(flow).next()?.remote.ip();
    signs
        .iter()
        .filter(|sign| sign.vantage != Some(vantage) && sign.distance(span) <= NEAR)
        .min_by_key(|sign| {
            let elsewhere = sign
                .address
                .is_some_and(|address| plain(address) != plain(tried));
            (elsewhere, sign.distance(span), sign.vantage, sign.from)
        })
        .map(|sign| (sign, tried))
}

fn alive(sign: &Sign, tried: IpAddr, system: &str) -> Alive {
    let words = match sign.address {
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
        address: sign.address.map(|address| address.to_string()),
        words,
    }
}

fn write(flow: &mut ReportFlow, alive: Alive, devices: &Devices) {
    let Some(seen) = observation(flow) else {
        return;
    };
    // This host's own system may have said so, and then no packet left it.
    if matches!(&seen.state, State::Rejected(rejection) if rejection.may_be_our_own()) {
        return;
    }
    let context = Context {
        control: Some(Control::Joined),
        host_answered: true,
        ..context(flow)
    };
    flow.evidence.control = Some(Control::Joined);
    flow.evidence.joined = Some(alive);
    rejudge(flow, &seen, &context, devices);
}
