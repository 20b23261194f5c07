//! Judging a flow of a report again, by the same table: from the document back to as much of the observation as decides.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use crate::observation::{
    Depth, FlowState, Observation, Painted, Rejection, ResetBy, State, TryResult,
};
use crate::product::Transport;
use crate::report::advice::advice;
use crate::report::document::{Attempt, Devices, Rejected, ReportFlow, Vantage};
use crate::verdict::{Cause, Context, Judgement, Verdict, judge};

/// What was seen, as far as the document tells; `None` where no packet was answered or waited for.
pub(super) fn observation(flow: &ReportFlow) -> Option<Observation> {
    let evidence = &flow.evidence;
    let state = match flow.state {
        FlowState::Open => State::Open,
        FlowState::Closed => State::Closed {
            reset_by: evidence.reset_by.unwrap_or(ResetBy::Either),
        },
        FlowState::Rejected => State::Rejected(rejection(evidence.rejected.as_ref()?)),
        FlowState::Filtered => State::Filtered,
        FlowState::Silent => State::Silent,
        FlowState::NotTried | FlowState::Unreachable | FlowState::Unresolved => return None,
    };
    let address = attempts(flow).next().map(|attempt| attempt.remote.ip());
    // What a listener proved, no device on the way can have said.
    let unproved = evidence.listener.is_none();
    Some(Observation {
        depth: (flow.flow.transport == Transport::Udp).then_some(Depth::Udp),
        // Which sign it was makes no difference to whether the host itself spoke.
        painted: (evidence.painted.is_some() && unproved).then_some(Painted::HostIsDead),
        via: evidence
            .proxy
            .as_ref()
            .filter(|_| unproved)
            .map(|proxy| proxy.url.clone()),
        ..Observation::without_packets(address, state)
    })
}

fn rejection(rejected: &Rejected) -> Rejection {
    Rejection {
        says: rejected.says,
        icmp_type: rejected.icmp_type,
        icmp_code: rejected.icmp_code,
        by: rejected.by.as_ref().and_then(|by| by.parse().ok()),
        ttl: rejected.ttl,
    }
}

/// One try, as far as it can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub(super) at: Timestamp,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: SocketAddr,
    pub(super) result: TryResult,
}

/// The tries of a flow that can be read.
pub(super) fn attempts(flow: &ReportFlow) -> impl Iterator<Item = Try> {
    let read = |attempt: &'_ Attempt| {
        Some((
            attempt.at.parse().ok()?,
            attempt.local.as_ref().and_then(|local| local.parse().ok()),
            attempt.remote.parse().ok()?,
        ))
    };
    let all = flow.evidence.attempts.iter();
    all.filter_map(move |attempt| {
        let (at, local, remote) = read(attempt)?;
        Some(Try {
            at,
            local,
            remote,
            result: attempt.result,
        })
    })
}

/// When the first and the last try of a flow began.
pub(super) fn span(flow: &ReportFlow) -> Option<(Timestamp, Timestamp)> {
    let times = || attempts(flow).map(|attempt| attempt.at);
    Some((times().min()?, times().max()?))
}

/// Whether a vantage tried a flow that another system starts.
pub(super) fn is_in_stead(flow: &ReportFlow) -> bool {
    let causes = [Cause::InStead, Cause::IpsecRequired];
    causes.contains(&flow.cause)
}

/// The context of a flow that its document tells.
pub(super) fn context(flow: &ReportFlow) -> Context {
    let there = flow.flow.to.zone.as_ref();
    Context {
        between_zones: there.is_some_and(|there| *there != flow.flow.from.zone),
        in_stead: is_in_stead(flow),
        inside_ipsec: flow.flow.ipsec,
        ..Context::default()
    }
}

/// Judges a flow again and writes down what comes of it.
pub(super) fn rejudge(
    flow: &mut ReportFlow,
    seen: &Observation,
    context: &Context,
    devices: &Devices,
) {
    let judgement = judge(flow.flow.need, seen, context);
    write(flow, judgement, devices);
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

/// A vantage in words: `perimeter as ibs01 (host ibs01)`.
pub(in crate::report) fn place(vantage: &Vantage) -> String {
    let system = vantage
        .system
        .as_ref()
        .map(|system| format!(" as {system}"))
        .unwrap_or_default();
    format!("{}{system} (host {})", vantage.zone, vantage.host)
}
