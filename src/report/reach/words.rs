//! The paragraph: who reaches a management point, then what is missing where, each no surer than it was seen.

use std::collections::{BTreeMap, BTreeSet};

use super::numbers::{of_side, reached_by};
use super::{Against, Reached, ReachedBy, ReachedNumber, Tried};
use crate::change::Of;
use crate::observation::FlowState;
use crate::product::Role;
use crate::report::document::{ReportFlow, Vantage};
use crate::verdict::Cause;

/// Why clients do not reach a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The host itself says that nobody listens.
    NobodyListens,
    /// Something else answers.
    WrongRole,
    /// Something on the way keeps it back; the host answers elsewhere.
    OnTheWay,
    /// As before, and nothing of the host answers.
    AllSilent,
    /// A reset, by the host or a device.
    EitherReset,
    /// Anything else.
    Other,
}

fn fault(flow: &ReportFlow) -> Fault {
    let is = |causes: &[Cause]| causes.contains(&flow.cause);
    match () {
        () if is(&[Cause::NobodyListens]) => Fault::NobodyListens,
        () if is(&[
            Cause::WrongRole,
            Cause::OtherProtocol,
            Cause::NotTls,
            Cause::NotHttp,
        ]) =>
        {
            Fault::WrongRole
        }
        () if is(&[
            Cause::NoAnswer,
            Cause::ResetByDevice,
            Cause::AdminProhibited,
            Cause::Rejected,
        ]) =>
        {
            Fault::OnTheWay
        }
        () if is(&[Cause::HostSilent, Cause::NothingPasses]) => Fault::AllSilent,
        () if is(&[Cause::Reset]) => Fault::EitherReset,
        () => Fault::Other,
    }
}

/// `8443 (HTTPS)`.
fn number(port: u16, protocol: &str) -> String {
    format!("{port} ({})", protocol.to_uppercase())
}

/// What can be said where no client starts.
pub(super) fn no_clients(against: &Against<'_>, vantage: &Vantage, here: &[&ReportFlow]) -> String {
    let mut sentences = vec![format!(
        "No client starts in {}. Which clients reach a management point cannot be seen from here: \
         run it from {}.",
        vantage.zone,
        list(&against.client_zones, "or")
    )];
    let seen: Vec<String> = here
        .iter()
        .map(|flow| format!("{} is {} ({})", flow.flow.id, flow.verdict, flow.cause))
        .collect();
    if !seen.is_empty() {
        sentences.push(format!(
            "These flows start here, at numbers of clients and update points: {}.",
            list(&seen, "and")
        ));
    }
    sentences.join(" ")
}

pub(super) fn paragraph(
    against: &Against<'_>,
    vantage: &Vantage,
    tried: &[Tried],
    numbers: &[ReachedNumber],
) -> String {
    let mut sentences = vec![headline(vantage, numbers)];
    sentences.extend(numbers.iter().map(|it| of_number(it, numbers)));
    sentences.extend(missing(tried, &left(numbers)));
    sentences.extend(update_points(tried));
    sentences.extend(not_known(tried));
    if !against.lost.is_empty() {
        sentences.push(format!(
            "{} of the old file stood in a zone that the new one does not have, and was not tried.",
            list(&against.lost, "and")
        ));
    }
    sentences.join(" ")
}

fn headline(vantage: &Vantage, numbers: &[ReachedNumber]) -> String {
    let zone = &vantage.zone;
    let changes = of_side(numbers, Of::Old) != of_side(numbers, Of::New);
    match (reached_by(numbers), changes) {
        (ReachedBy::Both, true) => format!(
            "Clients in {zone} reach a management point now with the old number and with the new \
             one."
        ),
        (ReachedBy::Both, false) => format!(
            "The numbers of clients do not change, and clients in {zone} reach a management point \
             now."
        ),
        (ReachedBy::Old, _) => {
            format!("Only clients with the old number reach a management point now from {zone}.")
        }
        (ReachedBy::New, _) => format!(
            "Only clients with the new number reach a management point now from {zone}. Those that \
             still have the old one are stranded."
        ),
        (ReachedBy::None, _) => format!("No client in {zone} reaches a management point now."),
        (ReachedBy::Some, _) => format!(
            "Of the numbers of one file only some lead clients in {zone} to a management point now."
        ),
        (ReachedBy::NoClientsHere, _) => {
            format!("Neither file has a management point for clients in {zone}.")
        }
        (ReachedBy::Unknown, _) => format!(
            "It is not known of all clients in {zone} whether they reach a management point now."
        ),
    }
}

/// The numbers that only clients of the old file are at, though the new one may still have them.
fn left(numbers: &[ReachedNumber]) -> BTreeSet<u16> {
    let ports =
        |side: Of| -> BTreeSet<u16> { of_side(numbers, side).iter().map(|it| it.port).collect() };
    ports(Of::Old)
        .difference(&ports(Of::New))
        .copied()
        .collect()
}

fn of_number(it: &ReachedNumber, all: &[ReachedNumber]) -> String {
    let number = number(it.port, &it.protocol);
    let twice = all
        .iter()
        .filter(|other| (other.port, &other.protocol) == (it.port, &it.protocol))
        .count()
        > 1;
    let whose = match it.of {
        Of::Both if left(all).contains(&it.port) => format!("the old number {number}"),
        Of::Both => format!("{number}, which both files have,"),
        of if twice => format!("{number}, as the {of} file means it,"),
        of => format!("the {of} number {number}"),
    };
    let but = match it.not_by.is_empty() {
        true => String::new(),
        false => format!(", but not {}", list(&it.not_by, "or")),
    };
    match it.reached {
        Reached::Yes => format!("Clients with {whose} reach {}{but}.", list(&it.by, "and")),
        Reached::No => format!(
            "Clients with {whose} do not reach {}.",
            list(&it.not_by, "or")
        ),
        Reached::Unknown => format!(
            "It is unknown whether clients with {whose} reach {}.",
            list(&it.unknown, "or")
        ),
    }
}

/// What is missing at the numbers of clients, one sentence for each number and fault.
fn missing(tried: &[Tried], left: &BTreeSet<u16>) -> Vec<String> {
    let mut groups: BTreeMap<(Fault, u16, u16), Vec<&Tried>> = BTreeMap::new();
    let failing = tried
        .iter()
        .filter(|it| it.used.is_client_port && it.reached == Reached::No);
    for it in failing {
        let key = (fault(&it.flow), it.port(), it.own_port());
        groups.entry(key).or_default().push(it);
    }
    let sentences = groups.into_iter();
    sentences
        .map(|((fault, port, _), those)| sentence(fault, &those, left.contains(&port)))
        .collect()
}

fn sentence(fault: Fault, those: &[&Tried], is_old: bool) -> String {
    let first = &those[0];
    let number = number(first.port(), first.used.flow.protocol.name());
    let hosts = systems(those);
    let the_number = if is_old { "the old number " } else { "" };
    let listener = listener(first);
    match fault {
        Fault::NobodyListens if is_old => format!(
            "Nobody listens on {listener} of {hosts} any more, at the old number. The way there is \
             open, and the host itself resets."
        ),
        Fault::NobodyListens => format!(
            "Nobody listens on {listener} of {hosts}: IIS is not bound to it, or not running. The \
             way there is open, and the host itself resets."
        ),
        Fault::WrongRole => format!(
            "On {hosts} {the_number}{number} is open, with the wrong role behind it ({}). Usually \
             IIS is not bound to {} for this site, and another service answers.",
            first.flow.cause,
            own(first)
        ),
        Fault::OnTheWay if is_old => format!(
            "The old number {number} is closed on the way to {hosts}: {}. Any client that still \
             has it was cut off too early.",
            on_the_way(those)
        ),
        Fault::OnTheWay => format!(
            "Only a firewall lacks {number} to {hosts}: {}. Whether IIS is bound to {} cannot be \
             seen before it passes.",
            on_the_way(those),
            own(first)
        ),
        Fault::AllSilent => format!(
            "Nothing of {hosts} answers, {the_number}{number} included: it is down, or a firewall \
             drops everything to it."
        ),
        Fault::EitherReset => format!(
            "At {the_number}{number} of {hosts} a reset comes back, and nothing tells from whom. \
             It may be the host, where IIS is not bound to {} or not running then, or a firewall.",
            own(first)
        ),
        Fault::Other => format!(
            "At {the_number}{number} {hosts} fails clients otherwise ({}).",
            causes(those)
        ),
    }
}

/// Where the host has to listen, with the number that leads there where it is another.
fn listener(it: &Tried) -> String {
    let protocol = it.used.flow.protocol.name();
    let own = number(it.own_port(), protocol);
    match it.own_port() == it.port() {
        true => own,
        false => format!("{own}, to which {} leads,", it.port()),
    }
}

/// The same in a sentence that has named the number.
fn own(it: &Tried) -> String {
    match it.own_port() == it.port() {
        true => "it".to_string(),
        false => format!("{}, to which {} leads,", it.own_port(), it.port()),
    }
}

fn systems(those: &[&Tried]) -> String {
    let names: BTreeSet<String> = those.iter().map(|it| host(it)).collect();
    let names: Vec<String> = names.into_iter().collect();
    list(&names, "and")
}

/// A system, with the address that is meant where it has several.
fn host(it: &Tried) -> String {
    let name = &it.flow.flow.to.system;
    match &it.address {
        Some(address) => format!("{name} ({address})"),
        None => name.clone(),
    }
}

fn causes(those: &[&Tried]) -> String {
    let causes: BTreeSet<&str> = those.iter().map(|it| it.flow.cause.name()).collect();
    let causes: Vec<&str> = causes.into_iter().collect();
    causes.join(", ")
}

/// What keeps packets back; a firewall has its name only where the evidence gives it.
fn on_the_way(those: &[&Tried]) -> String {
    let first = &those[0].flow;
    let accused: BTreeSet<String> = those
        .iter()
        .flat_map(|it| it.flow.evidence.accused())
        .collect();
    let accused: Vec<String> = accused.into_iter().collect();
    let how = match first.state {
        FlowState::Filtered => "packets are dropped, while the host answers elsewhere",
        FlowState::Closed => "a device on the way resets",
        _ => "a device on the way refuses",
    };
    let suspects = first.evidence.names().suspects.as_ref();
    let may_be_the_host = match first.state {
        FlowState::Filtered => suspects.is_none_or(|it| it.host || it.firewalls.is_empty()),
        _ => false,
    };
    let crossed = &first.flow.crosses;
    let on_it = match crossed.is_empty() {
        true => "no firewall of the file stands between".to_string(),
        false => format!("on the way stands {}", list(crossed, "and")),
    };
    match (accused.is_empty(), may_be_the_host) {
        (true, true) => format!(
            "{how}. Which firewall does so is not proved ({on_it}), and it may be the host's own"
        ),
        (true, false) => format!("{how}. Nothing proves which one it is ({on_it})"),
        (false, true) => format!(
            "{how}. The place fits {} or the host's own firewall",
            list(&accused, "or")
        ),
        (false, false) => format!("{how}, and that is {}", list(&accused, "or")),
    }
}

/// Update points whose pair was forgotten, and those that fail otherwise.
fn update_points(tried: &[Tried]) -> Vec<String> {
    let is_one = |it: &&Tried| it.used.roles.contains(&Role::SoftwareUpdatePoint);
    let at_pair: Vec<&Tried> = tried
        .iter()
        .filter(|it| it.used.is_update_port)
        .filter(is_one)
        .collect();
    let failing = at_pair
        .iter()
        .filter(|it| it.used.of.is_new() && it.reached == Reached::No);
    failing.map(|it| forgotten(it, &at_pair, tried)).collect()
}

fn forgotten(it: &Tried, at_pair: &[&Tried], tried: &[Tried]) -> String {
    let host = host(it);
    let system = &it.flow.flow.to.system;
    let (port, protocol) = (it.port(), it.used.flow.protocol.name());
    let here = number(port, protocol);
    let why = why(it);
    let before = at_pair.iter().find(|other| {
        other.used.of == Of::Old
            && other.flow.flow.to.system == *system
            && other.port() != port
            && other.used.flow.protocol == it.used.flow.protocol
    });
    let old_number = |other: &&Tried| {
        other.used.is_client_port && other.used.of == Of::Old && other.port() == port
    };
    let of_old_clients = tried.iter().find(old_number).is_some();
    match before {
        Some(old) if old.reached == Reached::Yes => format!(
            "The pair of the update point {host} was forgotten: it still serves at {}, and not at \
             {here}. There {why}.",
            number(old.port(), protocol)
        ),
        Some(old) => format!(
            "The update point {host} is reached neither at its new number {here} nor at the old \
             one, {}. At the new one {why}.",
            number(old.port(), protocol)
        ),
        None if of_old_clients => format!(
            "The pair of the update point {host} was forgotten: the new file leaves it at {here}, \
             the clients' old number. It is not reached there any more: {why}."
        ),
        None => format!("The update point {host} is not reached at its {here}: {why}."),
    }
}

fn why(it: &Tried) -> String {
    match fault(&it.flow) {
        Fault::NobodyListens => "the way is open, and nobody listens".to_string(),
        Fault::WrongRole => format!("it is open, with the wrong role: {}", it.flow.cause),
        Fault::OnTheWay => on_the_way(&[it]),
        Fault::AllSilent => "nothing of the host answers".to_string(),
        Fault::EitherReset => "a reset comes back, from the host or a device".to_string(),
        Fault::Other => format!("the cause is {}", it.flow.cause),
    }
}

fn not_known(tried: &[Tried]) -> Option<String> {
    let unknown = tried.iter().filter(|it| it.reached == Reached::Unknown);
    let unknown: BTreeSet<String> = unknown
        .map(|it| {
            let number = number(it.port(), it.used.flow.protocol.name());
            format!("{number} of {} ({})", host(it), it.flow.cause)
        })
        .collect();
    let unknown: Vec<String> = unknown.into_iter().collect();
    (!unknown.is_empty()).then(|| format!("Not known: {}.", list(&unknown, "and")))
}

/// `a, b and c`.
fn list(all: &[String], last: &str) -> String {
    match all.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, first)) => format!("{} {last} {end}", first.join(", ")),
        None => "nothing".to_string(),
    }
}
