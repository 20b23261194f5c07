//! What to do about a cause, in words for whoever has to act: those of `verdict/causes.yaml`, or others for what was seen.

use std::net::IpAddr;

use super::document::{Devices, Evidence};
use super::on_roles;
use crate::observation::{MissingIssuer, ResetBy, State, Way};
use crate::plan::{self, FlowEntry};
use crate::product::{Catalogue, Need, Protocol};
use crate::site::FlowId;
use crate::verdict::{Cause, Verdict, said_of};

/// What clients do that check revocation and cannot.
const REFUSE_ALL: &str = " Until then, clients that check revocation refuse every connection whose \
    certificate names this list. Their ccmexec.log shows \
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED.";

/// What is known of clients that cannot have a delta list.
const MAY_REFUSE: &str = " Microsoft says that the check of certificates may fail without it. Some \
    clients were seen to refuse the connection (0x80092013, revocation offline), others to go on \
    with the base list. `certutil -verify -urlfetch FILE` on one of your clients shows which.";

/// What a firewall sees of a flow inside IPsec.
const INSIDE_IPSEC: &str = " This flow travels inside IPsec (`ipsec_with`): firewalls on the way \
    see key exchange and ESP in its place. Look at these flows of the plan first, and at the IPsec \
    policies of both ends.";

/// A few sentences; empty when nothing is to be done.
pub(super) fn advice(
    devices: &Devices,
    flow: &FlowEntry,
    evidence: &Evidence,
    verdict: Verdict,
    cause: Cause,
) -> String {
    let mut text = of_cause(devices, flow, evidence, verdict, cause);
    if matches!(
        cause,
        Cause::CrlDeltaMissing | Cause::CrlDeltaExpired | Cause::CrlDeltaInvalid
    ) {
        text += MAY_REFUSE;
    }
    let leads_to_list = !evidence.seen.lists.is_empty()
        || flow.to.system.starts_with("crl.")
        || flow.rules.iter().any(|rule| rule == plan::LIST);
    if flow.ipsec && verdict == Verdict::Blocked {
        text += INSIDE_IPSEC;
    }
    let fails = matches!(verdict, Verdict::Blocked | Verdict::Down | Verdict::Wrong);
    if fails && cause != Cause::AddressSilent {
        text += &only_this_family(evidence);
    }
    if leads_to_list && fails {
        text += REFUSE_ALL;
    }
    text
}

/// What IIS needs where the name of a list that failed has a `+`.
fn double_escaping(evidence: &Evidence) -> &'static str {
    let has_plus = |url: &str| url.contains('+') || url.to_ascii_lowercase().contains("%2b");
    let mut failed = evidence
        .seen
        .lists
        .iter()
        .filter(|list| list.list.is_none());
    match failed.any(|list| has_plus(&list.url)) {
        true => {
            " Its name has a `+`: allow double escaping in IIS request filtering, or IIS answers \
             404 though the file is there."
        }
        false => "",
    }
}

/// Where a port may be another than the site uses, which topic says where the console shows the number; else empty.
pub(super) fn where_to_read(
    catalogue: &Catalogue,
    flow: &FlowEntry,
    verdict: Verdict,
    cause: Cause,
) -> String {
    let may_be_another = matches!(
        cause,
        Cause::NoAnswer
            | Cause::Reset
            | Cause::NobodyListens
            | Cause::NotTls
            | Cause::NotHttp
            | Cause::WrongRole
    );
    let fails = matches!(verdict, Verdict::Blocked | Verdict::Down | Verdict::Wrong);
    if !(may_be_another && fails) {
        return String::new();
    }
    let topics = catalogue.topics_of(&flow.rules);
    let commands: Vec<String> = topics
        .iter()
        .map(|topic| format!("portproof explain {}", topic.id))
        .collect();
    match commands.is_empty() {
        true => String::new(),
        false => format!(
            " Where the console shows this port number: {}.",
            commands.join(", ")
        ),
    }
}

fn of_cause(
    devices: &Devices,
    flow: &FlowEntry,
    evidence: &Evidence,
    verdict: Verdict,
    cause: Cause,
) -> String {
    let accused = evidence.accused();
    let crossed = if !accused.is_empty() {
        accused.join(" or ")
    } else if flow.crosses.is_empty() {
        "the network".to_string()
    } else {
        plan::firewalls_in_words(
            &flow.crosses,
            |name| devices.get(name).map(String::as_str),
            " and ",
        )
    };
    let (system, port) = (&flow.to.system, flow.service());
    let by_the_host = evidence.names().rejecting_host;
    match cause {
        Cause::AdminProhibited | Cause::Rejected | Cause::PortUnreachable if by_the_host => {
            format!(
                "{system} itself refuses {port}: look at its own firewall, and whether the \
                 service runs."
            )
        }
        Cause::AdminProhibited | Cause::Rejected | Cause::PortUnreachable
            if is_in_its_name(evidence) =>
        {
            format!(
                "Either {system} itself refuses {port}, or a device on the way does so in its \
                 name. See first whether the service runs on {system}, and what its own firewall \
                 does; then look at {crossed}."
            )
        }
        Cause::Intermittent
            if evidence
                .seen
                .source_ports
                .is_some_and(|ports| ports.reset > 0) =>
        {
            format!(
                "Some connections to {port} of {system} pass and others are reset. See first whether \
             every server behind the address serves {port}; then look at each member of \
             {crossed}: one may lack the rule."
            )
        }
        Cause::WrongListener => astray(evidence, system, &port, &crossed),
        Cause::AnswerLost if flow.need == Need::Forbidden => format!(
            "Requests to {port} arrive at {system}, though no answer comes back: close {port} on \
             {crossed}."
        ),
        Cause::NoSuchName
        | Cause::ResolverSilent
        | Cause::ResolverRefused
        | Cause::ResolverFailed
            if leads_outside(flow) =>
        {
            "The resolver of this zone does not answer for this name of the Internet. Let it do so. \
             Where this zone reaches the Internet through a proxy alone, name the proxy under `via` \
             in the site file: the proxy resolves names then."
                .to_string()
        }
        Cause::AddressSilent => address_silent(evidence, system, &crossed),
        Cause::FamilyUnanswered => format!(
            "Over {} nothing at all came back to this host; over the other family of addresses \
             something did. Repair the network of this host, or run the check where both work.",
            decided(evidence).map_or("one family", family)
        ),
        Cause::NothingPasses => nothing_passes(evidence, flow, &crossed),
        Cause::DataDropped => data_dropped(evidence, system, &port, &crossed, flow),
        Cause::Mtu => mtu(evidence, system, &crossed),
        Cause::NotTls if evidence.seen.speaks.is_some() => format!(
            "{port} of {system} speaks plain HTTP, and TLS is needed here. See whether the \
             numbers for HTTP and HTTPS are swapped, in IIS or in the site file. If not, bind the \
             site in IIS to {port} as HTTPS, with its certificate."
        ),
        Cause::NotHttp if evidence.seen.speaks.is_some() => format!(
            "{port} of {system} speaks TLS, and plain HTTP is needed here. See whether the \
             numbers for HTTP and HTTPS are swapped, in IIS or in the site file. If not, bind the \
             site in IIS to {port} as HTTP."
        ),
        Cause::HttpServerError => on_roles::server_error(evidence, system),
        Cause::Redirected => on_roles::redirected(evidence, system),
        Cause::RoleUnproved => on_roles::unproved(flow, evidence),
        Cause::AdvertisedName
        | Cause::AdvertisedSite
        | Cause::AdvertisedProduct
        | Cause::AdvertisedHttps => on_roles::advertised(flow, evidence, cause),
        Cause::ClientCertificateRefused => on_roles::refused(evidence, system),
        Cause::WrongRole if on_roles::is_one_page(evidence) => format!(
            "A web server or device on {port} of {system} answers every request with one page, \
             and the role is not behind it. See whether its site in IIS is bound to this number. \
             A portal, a filter or a publishing rule on the way may answer in its place."
        ),
        Cause::ProxyRefused if flow.protocol == Protocol::Http => format!(
            "Have the proxy pass requests on to {port} of {system}. Its answer is in the \
             evidence."
        ),
        Cause::CertificateUntrusted if missing(evidence).is_some() => not_sent(evidence, system),
        Cause::IntermediateMissing => intermediate(evidence, system),
        Cause::Open if flow.crosses.is_empty() => format!(
            "No firewall of the file stands before {port} of {system}: stop that service, or \
             close the port in the host's own firewall. Or say in the site file why it is needed."
        ),
        Cause::NoAddressHere if verdict != Verdict::Unknown => String::new(),
        Cause::TlsTooOld if cfg!(not(feature = "old-tls")) => {
            "Nothing proves what it serves: this build is without `old-tls`, so it does not speak \
             TLS of the past. Use a build with it, or look with a client of the site."
                .to_string()
        }
        _ => {
            let source = flow.from.system.as_deref().unwrap_or("that system");
            let (issuer, plus) = (intercepting(evidence), double_escaping(evidence));
            let values = [system, &port, source, &crossed, issuer, plus];
            let value = |blank: &str| BLANKS.iter().zip(values).find(|(name, _)| **name == blank);
            filled(&said_of(cause).advice, |blank| {
                value(blank).map_or("", |(_, value)| value)
            })
        }
    }
}

/// Whether a flow leads to a service that is no system of the file.
fn leads_outside(flow: &FlowEntry) -> bool {
    FlowId::parse(&flow.id).is_some_and(|id| id.is_outside() && !id.is_to_list())
}

/// The blanks of an advice, in the order of what fills them.
const BLANKS: [&str; 6] = ["system", "port", "source", "crossed", "issuer", "plus"];

/// A text with its blanks filled in, in one pass: what is filled in is never read again.
fn filled<'a>(text: &str, blank: impl Fn(&str) -> &'a str) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled += blank(name);
        filled += rest;
    }
    filled
}

/// The certificate that a server does not send.
fn missing(evidence: &Evidence) -> Option<&MissingIssuer> {
    evidence.seen.tls.as_ref()?.missing.as_ref()
}

/// An issuer of which nothing tells whether it is an intermediate, a root, or a device's.
fn not_sent(evidence: &Evidence, system: &str) -> String {
    let name = missing(evidence).map_or("its issuer", |missing| &missing.name);
    format!(
        "The certificate of {name} is needed, and {system} does not send it. Install it on \
         {system}, if it is an intermediate. If it is the site's root, name it under `tls.roots`. \
         If nobody knows it, a device on the way shows its own certificate."
    )
}

/// Which certificate has to be installed on a server, beside its own.
fn intermediate(evidence: &Evidence, system: &str) -> String {
    let Some(missing) = missing(evidence) else {
        return format!(
            "Install the intermediate certificates on {system}, beside its own; the last of the \
             chain in the evidence names the issuer that is missing."
        );
    };
    let name = &missing.name;
    let all: Vec<&str> = match missing.fetched {
        Some(_) => [name]
            .into_iter()
            .chain(&missing.also)
            .map(String::as_str)
            .collect(),
        None => missing
            .also
            .iter()
            .chain([name])
            .map(String::as_str)
            .collect(),
    };
    let all = match all[..] {
        [one] => format!("the intermediate {one}"),
        _ => format!("the intermediates {}", all.join(" and ")),
    };
    if let Some(url) = &missing.fetched {
        let others = match missing.also.is_empty() {
            true => "",
            false => ", and the addresses of the others in the evidence,",
        };
        return format!(
            "Windows clients that reach {url}{others} accept it; all others refuse it. Install \
             {all} on {system}, beside its own certificate, so that it is sent along."
        );
    }
    let why = missing.not_fetched.as_ref();
    let why = why.map_or(String::new(), |why| {
        format!(" Windows clients would fetch it, and from here that fails: {why}.")
    });
    let issued = match missing.also.last() {
        None => "its own",
        Some(below) => &format!("that of {below}, which it does not send either"),
    };
    format!(
        "{system} does not send the certificate of {name}, which issued {issued}. Install {all} on \
         {system}, beside its own certificate.{why} If nothing stands above {name}, name it under \
         `tls.roots` instead."
    )
}

/// Whether a rejection bears the address of the system, and nothing tells who wrote it there.
fn is_in_its_name(evidence: &Evidence) -> bool {
    let rejected = matches!(evidence.seen.state, State::Rejected(_));
    rejected && evidence.seen.rejected_by == Some(ResetBy::Either)
}

/// The address that decided.
fn decided(evidence: &Evidence) -> Option<IpAddr> {
    evidence.seen.address
}

fn family(address: IpAddr) -> &'static str {
    match address.to_canonical() {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}

/// An address of the other family at which the port is open.
fn open_otherwise(evidence: &Evidence, decided: IpAddr) -> Option<IpAddr> {
    let others = evidence.others.iter().map(|it| &it.seen);
    let open = others.filter(|seen| seen.state == State::Open);
    let mut open = open.filter_map(|seen| seen.address);
    open.find(|other| family(*other) != family(decided))
}

/// Where the port is open over the other family, that this is about one of them.
fn only_this_family(evidence: &Evidence) -> String {
    let found = decided(evidence).and_then(|it| Some((it, open_otherwise(evidence, it)?)));
    found.map_or_else(String::new, |(decided, other)| {
        format!(
            " This is about {} ({decided}): over {} ({other}) the port is open.",
            family(decided),
            family(other)
        )
    })
}

/// One address of a host that answers at another.
fn address_silent(evidence: &Evidence, system: &str, crossed: &str) -> String {
    let Some(silent) = decided(evidence) else {
        return String::new();
    };
    let (what, over) = match open_otherwise(evidence, silent) {
        Some(other) => (
            format!(
                "{} to {system} does not work, and {} does: nothing at {silent} answered, and \
                 {other} did.",
                family(silent),
                family(other)
            ),
            format!(" over {}", family(silent)),
        ),
        None => (
            format!("Nothing at {silent} answered, and {system} answers at another address."),
            String::new(),
        ),
    };
    format!(
        "{what} See first whether {silent} is its address, and whether it has a way back{over}. \
         Then look at the rules of {crossed} for that address. If it is no longer in use, take it \
         out of DNS and of the site file: clients that try it have to wait."
    )
}

/// The way of lost data, as the middle of a sentence.
fn way<'a>(evidence: &Evidence, there: &'a str, back: &'a str) -> &'a str {
    match evidence.seen.lost().map(|lost| lost.way) {
        Some(Way::Back) => back,
        Some(Way::There) | None => there,
    }
}

/// Data that are lost although connections open.
fn data_dropped(
    evidence: &Evidence,
    system: &str,
    port: &str,
    crossed: &str,
    flow: &FlowEntry,
) -> String {
    let way = way(evidence, "toward", "from");
    let first = match flow.crosses.is_empty() {
        true => format!("what protects {system} itself, then the network before it"),
        false => format!("{crossed}, then what protects {system} itself"),
    };
    format!(
        "A rule for {port} is there, since connections open. Look at {first}, for whatever drops \
         data {way} {system}: inspection of contents (application control, intrusion prevention), \
         or a device that has not seen the whole handshake because the way back is another."
    )
}

/// Packets of full size that are lost.
fn mtu(evidence: &Evidence, system: &str, crossed: &str) -> String {
    let way = way(evidence, "to", "from");
    format!(
        "Large packets {way} {system} are lost, and nothing tells the sender: a link on the way \
         takes only smaller ones (its MTU), and the messages that say so are dropped. Let ICMP \
         \"fragmentation needed\" (type 3 code 4; ICMPv6: type 2) through {crossed}, or have it \
         lower the segment size of TCP (MSS clamping)."
    )
}

/// One firewall that lets nothing of a whole zone be reached.
fn nothing_passes(evidence: &Evidence, flow: &FlowEntry, crossed: &str) -> String {
    let zone = flow.to.zone.as_deref().unwrap_or("that zone");
    let place = match evidence.accused().is_empty() {
        true => format!("at or beyond {crossed}"),
        false => format!("at or beyond {crossed}, the last to answer"),
    };
    format!(
        "{crossed} passes nothing from {} to {zone}: every packet vanished {place}. See whether \
         {crossed} forwards at all, and whether the hosts of {zone} are up. Then look at its \
         rules and its routes, also for the way back.",
        flow.from.zone
    )
}

/// Where a challenge came out that another system's listener, or another port's, answered.
fn astray(evidence: &Evidence, system: &str, port: &str, crossed: &str) -> String {
    let at = evidence
        .seen
        .listener
        .as_ref()
        .map_or_else(String::new, |listener| {
            format!(
                " at {}, where a listener stands in for {}",
                listener.accepted_at, listener.system
            )
        });
    format!(
        "What is sent to {port} of {system} comes out elsewhere{at}. See whether that listener \
         was started for the right system; then look at the address translation and the routes of \
         {crossed}."
    )
}

fn intercepting(evidence: &Evidence) -> &str {
    let tls = evidence.seen.tls.as_ref();
    tls.and_then(|tls| tls.interception.as_ref()?.by.as_deref())
        .unwrap_or("another authority")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::SAID;

    #[test]
    fn every_blank_of_every_advice_is_filled_in() {
        for said in SAID.iter() {
            let text = filled(&said.advice, |blank| {
                assert!(BLANKS.contains(&blank), "{}: {blank}", said.cause);
                "x"
            });
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }

    #[test]
    fn a_name_of_a_service_is_given_no_address_in_the_site_file() {
        let says = |id: &str| {
            let row = sample::flow(id);
            let verdict = Verdict::Unknown;
            advice(
                &Devices::new(),
                &row.flow,
                &row.evidence,
                verdict,
                Cause::ResolverSilent,
            )
        };
        let service = says("cm01>entra.login.microsoftonline.com:443/tcp");
        assert!(service.contains("`via`"), "{service}");
        assert!(!service.contains("give the address"), "{service}");
        assert!(says("cm01>ibs01:443/tcp").contains("give the address"));
    }

    #[test]
    fn what_is_filled_in_is_never_read_again() {
        assert_eq!(filled("{a} and {b}.", |_| "{b}"), "{b} and {b}.");
    }
}
