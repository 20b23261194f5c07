//! Judging a flow of a report again, by the same table, with what other reports add.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::observation::Attempt;
use crate::report::advice::advice;
use crate::report::document::{Devices, Evidence, ReportFlow, Vantage};
use crate::verdict::{Cause, Judgement, Verdict, judge_addresses};

/// When the first and the last of these tries began.
pub(super) fn span<'a>(
    attempts: impl Iterator<Item = &'a Attempt> + Clone,
) -> Option<(Timestamp, Timestamp)> {
    let times = attempts.map(|attempt| attempt.at);
    Some((times.clone().min()?, times.max()?))
}

/// Whether a vantage tried a flow that another system starts.
pub(super) fn is_in_stead(flow: &ReportFlow) -> bool {
    let causes = [Cause::InStead, Cause::IpsecRequired];
    causes.contains(&flow.cause)
}

/// Judges a flow again after something was added to its evidence, and writes down what comes of it. Where the addition
/// makes no difference, what the run itself said stands. Says whether it did.
pub(super) fn rejudge(
    flow: &mut ReportFlow,
    devices: &Devices,
    add: impl FnOnce(&mut Evidence),
) -> bool {
    let before = judged(flow);
    add(&mut flow.evidence);
    let Some((place, judgement)) = judged(flow).filter(|after| Some(*after) != before) else {
        return false;
    };
    if let Some(other) = place.checked_sub(1) {
        decide_by(&mut flow.evidence, other);
    }
    flow.state = flow.evidence.seen.word();
    write(flow, judgement, devices);
    true
}

fn judged(flow: &ReportFlow) -> Option<(usize, Judgement)> {
    let all = flow.evidence.of_each_address();
    let all: Vec<_> = all.map(|it| (&it.seen, &it.context)).collect();
    judge_addresses(flow.flow.need, &all)
}

/// Has another address decide.
fn decide_by(evidence: &mut Evidence, other: usize) {
    let mut others = std::mem::take(&mut evidence.others);
    std::mem::swap(evidence, &mut others[other]);
    evidence.others = others;
}

fn write(flow: &mut ReportFlow, judgement: Judgement, devices: &Devices) {
    flow.verdict = judgement.verdict;
    flow.cause = judgement.cause;
    flow.level = judgement.level;
    flow.owner = judgement.owner;
    flow.advice = advice(
        devices,
        &flow.flow,
        &flow.evidence,
        judgement.verdict,
        judgement.cause,
    );
    if judgement.verdict == Verdict::Ok {
        (flow.accepted, flow.lapsed) = (None, None);
    }
}

/// An address as it is compared: IPv4 also where it stands in IPv6.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether two reports were made at one place: in the same zones, as the same system and on the same host. They have an
/// address in common where they tell any.
pub(in crate::report) fn is_same_vantage(a: &Vantage, b: &Vantage) -> bool {
    is_same_place(a, b) && has_common_address(a, b)
}

/// Whether two vantages are in the same zones, the same system and on the same host.
pub(in crate::report) fn is_same_place(a: &Vantage, b: &Vantage) -> bool {
    let of = |it: &Vantage| {
        let mut zones = it.also_in.clone();
        zones.push(it.zone.clone());
        zones.sort_unstable();
        // An agent that did not answer has told no host.
        let host = if it.host.is_empty() {
            it.who()
        } else {
            it.host.clone()
        };
        (zones, it.system.clone(), host)
    };
    of(a) == of(b)
}

/// Whether two vantages have an address in common, or both tell none.
pub(in crate::report) fn has_common_address(a: &Vantage, b: &Vantage) -> bool {
    let none = a.addresses.is_empty() && b.addresses.is_empty();
    none || a.addresses.iter().any(|it| b.addresses.contains(it))
}

/// A vantage in words: `perimeter as ibs01 (host ibs01)`.
pub(in crate::report) fn place(vantage: &Vantage) -> String {
    format!("{} ({})", vantage.place(), vantage.who())
}
