//! Signs that a host was alive: what it answered, and its own runs of this program.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::rejudge::{place, plain};
use crate::attribution::has_own_words;
use crate::observation::{AttemptResult, ResetBy, State};
use crate::product::Transport;
use crate::report::ArrivalsDocument;
use crate::report::document::{Evidence, ReportFlow};
use crate::report::whole::ReportDocument;
use crate::verdict::host_answered;

/// That a host was alive, from one time to another.
pub(super) struct Sign {
    /// The vantage that it answered, or that it is; `None`: a listener.
    pub(super) vantage: Option<usize>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) shown: Shown,
    /// Who says so.
    pub(super) who: String,
}

/// What shows that a host was alive.
pub(super) enum Shown {
    /// It answered.
    Answer {
        /// Where.
        end: SocketAddr,
        /// Whether it did so with what no device in its place says.
        surely: bool,
        /// Whether its service did, for whoever comes across the border of its zone and on every connection; over what.
        serves: Option<Transport>,
    },
    /// It ran this program itself, and these are its addresses.
    Run(Vec<IpAddr>),
}

impl Sign {
    /// The address at which it answered; `None`: it ran this program itself.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match &self.shown {
            Shown::Answer { end, .. } => Some(end.ip()),
            Shown::Run(_) => None,
        }
    }

    /// Whether it surely tells of this very address.
    pub(super) fn is_surely_of(&self, address: IpAddr) -> bool {
        match &self.shown {
            Shown::Answer { end, surely, .. } => *surely && plain(end.ip()) == plain(address),
            Shown::Run(own) => own.iter().any(|own| plain(*own) == plain(address)),
        }
    }
}

/// By the host, every sign of its life.
pub(super) fn signs(
    reports: &[ReportDocument],
    logs: &[ArrivalsDocument],
) -> HashMap<String, Vec<Sign>> {
    let mut all: HashMap<String, Vec<Sign>> = HashMap::new();
    for (number, report) in reports.iter().enumerate() {
        let vantage = &report.vantages[0];
        for flow in &report.flows {
            let answers = flow
                .evidence
                .of_each_address()
                .flat_map(|it| answers(flow, it));
            let signs = answers.map(|(at, shown)| Sign {
                vantage: Some(number),
                from: at,
                to: at,
                shown,
                who: place(vantage),
            });
            all.entry(flow.flow.to.system.clone())
                .or_default()
                .extend(signs);
        }
        if let Some(system) = &vantage.system {
            let own = vantage.addresses.iter().filter_map(|it| it.parse().ok());
            let span = [&vantage.started, &vantage.finished];
            let sign = run(Some(number), span, own.collect(), &vantage.host);
            all.entry(system.clone()).or_default().extend(sign);
        }
    }
    for log in logs {
        let ends = log
            .ports
            .iter()
            .filter_map(|it| it.local.parse::<SocketAddr>().ok());
        let own = ends.map(|end| end.ip()).collect();
        let sign = run(None, [&log.started, &log.finished], own, &log.host);
        all.entry(log.system.clone()).or_default().extend(sign);
    }
    all
}

fn run(vantage: Option<usize>, span: [&String; 2], own: Vec<IpAddr>, host: &str) -> Option<Sign> {
    let [from, to] = span.map(|at| at.parse::<Timestamp>().ok());
    let (from, to) = (from?, to?);
    (from <= to).then(|| Sign {
        vantage,
        from,
        to,
        shown: Shown::Run(own),
        who: host.to_string(),
    })
}

/// When the host itself answered a flow at an address, and how.
fn answers<'a>(
    flow: &'a ReportFlow,
    evidence: &'a Evidence,
) -> impl Iterator<Item = (Timestamp, Shown)> + 'a {
    let address = evidence
        .seen
        .address
        .filter(|it| is_hosts_own(flow, evidence, *it));
    let tries = evidence.seen.attempts.iter();
    tries
        .filter(move |it| Some(it.remote.ip()) == address)
        .filter_map(|attempt| {
            let decides = match attempt.result {
                AttemptResult::Open => evidence.seen.state == State::Open,
                AttemptResult::Reset => matches!(evidence.seen.state, State::Closed { .. }),
                AttemptResult::Rejected(_) => matches!(evidence.seen.state, State::Rejected(_)),
                AttemptResult::Silent | AttemptResult::Trouble(_) => return None,
            };
            let shown = Shown::Answer {
                end: attempt.remote,
                surely: decides && is_surely_its_own(evidence),
                serves: (decides && serves(evidence)).then_some(flow.flow.transport),
            };
            Some((attempt.at, shown))
        })
}

/// Whether the host itself answered at an address, and no device in its name.
fn is_hosts_own(flow: &ReportFlow, evidence: &Evidence, address: IpAddr) -> bool {
    let (seen, translated) = (&evidence.seen, flow.flow.own_port.is_some());
    // A device that translates may reset in the host's name; and another system's listener proves that one alive.
    let listener = seen.listener.as_ref();
    let anothers = listener.is_some_and(|it| it.system != flow.flow.to.system);
    // A message is the host's own only where the site file gives its sender's address to the host. A device that
    // translates says no from the address that was tried.
    let anyones = matches!(seen.state, State::Rejected(_)) && !evidence.names().rejecting_host;
    let is_devices = (translated && seen.state != State::Open) || anyones || anothers;
    host_answered(seen, address, translated) && !is_devices
}

/// Whether no device in the host's place can have answered so.
fn is_surely_its_own(evidence: &Evidence) -> bool {
    let seen = &evidence.seen;
    match &seen.state {
        State::Open => has_own_words(seen) && seen.painted.is_none() && seen.via.is_none(),
        State::Closed { reset_by } => *reset_by == ResetBy::Host,
        _ => true,
    }
}

/// Whether a service lets in whoever comes across the border of its zone, on every connection.
fn serves(evidence: &Evidence) -> bool {
    let (seen, context) = (&evidence.seen, &evidence.context);
    let failed = |it: crate::observation::SourcePorts| it.failed_in_company() + it.reset > 0;
    let alike = seen.conversations.is_none()
        && seen.went_silent.is_none()
        && !seen.source_ports.is_some_and(failed);
    seen.state == State::Open && alike && context.between_zones && !context.in_stead
}
