//! What to do about a cause, in words for whoever has to act.

use std::net::{IpAddr, SocketAddr};

use super::document::{Devices, Evidence, MissingIssuer};
use super::on_roles;
use crate::catalogue::{Catalogue, Need, Protocol};
use crate::observation::{FlowState, ResetBy};
use crate::plan::{self, FlowEntry};
use crate::verdict::{Cause, Verdict};

/// What clients do that check revocation and cannot.
const REFUSE_ALL: &str = " Until then clients that check revocation refuse every connection whose certificate names this list, as if it were revoked; their ccmexec.log shows WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED.";

/// What is known of clients that cannot have a delta list.
const MAY_REFUSE: &str = " Without it the check of certificates may fail, says Microsoft: some clients were seen to refuse the connection (0x80092013, revocation offline), others to go on with the base list. What yours do is not known here; `certutil -verify -urlfetch FILE` on one of them shows it.";

/// What a firewall sees of a flow inside IPsec.
const INSIDE_IPSEC: &str = " This flow travels inside IPsec (`ipsec_with`): firewalls on the way see key exchange and ESP in its place, so look at these flows of the plan first, and at the IPsec policies of both ends.";

/// A few sentences; empty when nothing is to be done.
pub(super) fn advice(
    devices: &Devices,
    flow: &FlowEntry,
    evidence: &Evidence,
    verdict: Verdict,
    cause: Cause,
) -> String {
    let mut text = of_cause(devices, flow, evidence, verdict, cause);
    let leads_to_list = !evidence.lists.is_empty()
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
    let mut failed = evidence.lists.iter().filter(|list| list.bytes.is_none());
    match failed.any(|list| has_plus(&list.url)) {
        true => {
            " Its name has a `+`: allow double escaping in IIS request filtering, or IIS answers 404 though the file is there."
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
    let by_the_host = evidence.rejected.as_ref().is_some_and(|it| it.by_the_host);
    match cause {
        Cause::AdminProhibited | Cause::Rejected | Cause::PortUnreachable if by_the_host => {
            format!("{system} itself refuses {port}: look at its own firewall, and whether the service runs.")
        }
        Cause::AdminProhibited | Cause::Rejected | Cause::PortUnreachable if is_in_its_name(evidence) => {
            format!("Either {system} itself refuses {port}, or a device on the way does so in its name. See first whether the service runs on {system}, and what its own firewall does; then look at {crossed}.")
        }
        Cause::Intermittent if evidence.ports.is_some_and(|ports| ports.reset > 0) => format!("Some connections to {port} of {system} pass and others are reset. See first whether every server behind the address serves {port}; then look at each member of {crossed}: one may lack the rule."),
        Cause::Intermittent => format!("Some connections to {port} of {system} pass and others do not, by their source port: one of several paths, of a pair of firewalls or of a cluster's nodes lacks the rule. Look at each member of {crossed}, and at each node behind the name."),
        Cause::AnsweredByMiddlebox => format!("A device answers in the place of {system}, so an open {port} proves nothing. See what on the way ({crossed}, a proxy, an intrusion-prevention device) accepts connections for it, and run again from where it does not."),
        Cause::WrongListener => astray(evidence, system, &port, &crossed),
        Cause::OtherProtocol => format!("Another service, or a device, answers on {port} of {system}, and not in the protocol that is needed. See what listens there."),
        Cause::RpcHalfOpen => format!("The endpoint mapper of {system} answers, and dynamic ports that it names do not: let the whole range {port} through {crossed}, or have the firewall follow the mapper. The ports are in the evidence."),
        Cause::RpcOutsideRange => format!("{system} uses dynamic ports outside its `rpc_ports`: restrict the range on that host, or correct the file and the rules of {crossed}."),
        Cause::RpcNotLearnt => format!("The endpoint mapper of {system} named no ports, so nobody knows which of {port} are in use; silence of a few proves nothing. See to the mapper first."),
        Cause::UdpSilent => String::new(),
        Cause::AnswerLost if flow.need == Need::Forbidden => format!("Requests to {port} arrive at {system}, though no answer comes back: close {port} on {crossed}."),
        Cause::AnswerLost => format!("{port} passes toward {system}, and what comes back is lost. Look at the way back: the routes of {system} to this zone, a firewall on it that has not seen the request ({crossed}), and what {system}'s own firewall lets out."),
        Cause::NoAnswer => format!("Let {port} through {crossed} to {system}. The host answered elsewhere, so it is up; look at its own firewall too, which may hide a port that nobody listens on. {}", or_lost(system)),
        Cause::AddressSilent => address_silent(evidence, system, &crossed),
        Cause::FamilyUnanswered => format!("Over {} nothing at all came back to this host, over the other family of addresses it did: see to the network of this host, or run it where both work.", decided(evidence).map_or("one family", family)),
        Cause::HostSilent => format!("Nothing of {system} answered. See first whether it is up and the address is right. If it is, look at its own firewall, and let {port} through {crossed}. {}", or_lost(system)),
        Cause::NothingPasses => nothing_passes(evidence, flow, &crossed),
        Cause::Reset => format!("Either nobody listens on {port} of {system}, or a device resets the connection. See first whether the service runs there. If it runs, look at {crossed}."),
        Cause::ResetByDevice | Cause::AdminProhibited | Cause::Rejected => format!("A device on the way refuses {port} to {system}: look at the rules of {crossed}."),
        Cause::PortUnreachable => format!("Something refuses {port} of {system} with ICMP: the sender is in the evidence. Look at {crossed}, and whether the service runs."),
        Cause::HostUnreachable | Cause::NetUnreachable => format!("A router or firewall on the way finds no way to {system}, or pretends so: look at {crossed} and the routes."),
        Cause::NobodyListens => format!("The network lets {port} through; nobody listens on {system}. Start the service or bind it to this port."),
        Cause::HostDead => format!("The last router cannot find {system}: is it switched on, and is the address right?"),
        Cause::NoSuchName => "The name does not exist for this zone's resolver: add the host entry, or correct the name in the site file.".to_string(),
        Cause::DataDropped => data_dropped(evidence, system, &port, &crossed, flow),
        Cause::Mtu => mtu(evidence, system, &crossed),
        Cause::Mute | Cause::HungUp | Cause::HungUpInHandshake => format!("Something accepts {port} and does not serve. See whether the service behind it is healthy, and whether a device answers in its place."),
        Cause::NotTls if evidence.speaks.is_some() => format!("{port} of {system} speaks plain HTTP, and TLS is needed here. See whether the numbers for HTTP and HTTPS are swapped, in IIS or in the site file; else bind the site in IIS to {port} as HTTPS, with its certificate."),
        Cause::NotHttp if evidence.speaks.is_some() => format!("{port} of {system} speaks TLS, and plain HTTP is needed here. See whether the numbers for HTTP and HTTPS are swapped, in IIS or in the site file; else bind the site in IIS to {port} as HTTP."),
        Cause::NotTls | Cause::NotHttp => format!("Another service, or a device, answers on {port} of {system}. See what listens there."),
        Cause::TlsAlert => format!("{system} refused the TLS handshake; the alert is in the evidence. Look at its TLS settings and its log."),
        Cause::HttpInterimOnly => format!("The web server of {system} sends interim statuses (1xx) and no final one: look at the application behind it, or at a device that answers in its place."),
        Cause::HttpServerError => on_roles::server_error(evidence, system),
        Cause::Redirected => on_roles::redirected(evidence, system),
        Cause::RoleUnproved => on_roles::unproved(flow, evidence),
        Cause::MplistDiffers => on_roles::mplist(flow, evidence),
        Cause::ClientCertificateRefused => on_roles::refused(evidence, system),
        Cause::WrongRole if on_roles::is_one_page(evidence) => format!("A web server or device answers on {port} of {system} with one page whatever is asked, and the role is not behind it. See whether its site in IIS is bound to this number. A portal, a filter or a publishing rule on the way may answer in its place."),
        Cause::WrongRole => format!("A web server answers on {port} of {system}, and the role is not there. See whether its site in IIS is bound to this number, or another site answers; a device on the way may answer in its place."),
        Cause::VerbBlocked | Cause::HeaderBlocked => format!("Let the verbs and headers of the clients through to {system}: look at the HTTP filters of {crossed} and of proxies on the way, then at request filtering on {system} itself. Run it from beside {system}: what passes there is refused on the way."),
        Cause::RangeLost => format!("Let the header `Range` through to {system}, and `Content-Range` back, on the proxy that bridges or filters before it: BITS asks for parts of what clients download, so without them it cannot resume, and may not begin."),
        Cause::HttpDowngraded => format!("Clients need HTTP 1.1. See what on the way to {system} speaks HTTP/1.0, as a rule a proxy."),
        Cause::VerbsNotCompared => format!("GET of a path that names nothing has no good answer from {system}, so filters cannot be told. Look at its log, and run it from beside {system}."),
        Cause::ProxyRefused => match flow.protocol {
            Protocol::Http => format!("Have the proxy pass requests on to {port} of {system}; what it said is in the evidence."),
            _ => format!("Have the proxy let CONNECT through to {port} of {system}; what it said is in the evidence."),
        },
        Cause::ProxyLogin => "Correct the user under `via`, and the password in PORTPROOF_VIA_PASSWORD or `via_password_file`; the proxy's log says more.".to_string(),
        Cause::ProxyUnreachable => "See to the proxy under `via`: nothing can leave this zone through it.".to_string(),
        Cause::ProxyHungUp => format!("Look into the proxy's log for {port} of {system}: some proxies refuse by closing the connection, and some fail."),
        Cause::ProxySilent => format!("Ask the proxy's log what became of its connection to {port} of {system}, or raise `probing.timeout` above the time that it takes to give up."),
        Cause::UnreachedByProxy => format!("The proxy could not reach {port} of {system}: look at the way from the proxy to it, and at the server."),
        Cause::OnlyTunnel => "Say under `flows` which `protocol` it speaks, or run it without `via`.".to_string(),
        Cause::ClockOff => "This host's clock is not that of the servers: correct it, and run again. What hangs on dates is not judged until then.".to_string(),
        Cause::ClocksDiffer => format!("The clocks of this host and of a server differ, and the dates seen at {system} do not mean the same by both. See which is wrong, and run again."),
        Cause::CertificateName => format!("Give {system} a certificate that carries the name that this zone uses; the names it carries are in the evidence."),
        Cause::CertificateExpired | Cause::CertificateNotYetValid => format!("Renew the certificate of {system}, or correct a clock."),
        Cause::PublishedOtherwise => format!("{system} does with TLS what the site file does not say (bridging or tunnelling): correct the publishing rule or `publishes.tls`."),
        Cause::ExpiresSoon => format!("Renew the certificate of {system} in time."),
        Cause::CertificateUntrusted if missing(evidence).is_some() => not_sent(evidence, system),
        Cause::CertificateUntrusted => "No chain to a root that this host trusts. Name the site's certification authority under `tls.roots`; if it is named, something else answers with its own certificate.".to_string(),
        Cause::CertificatePurpose | Cause::CertificateInvalid => format!("Give {system} a certificate for server authentication; what is wrong with this one is in the evidence."),
        Cause::CertificateTooLarge => format!("Have {system} send its certificate and the intermediates only: Windows clients read at most 32,768 bytes of one handshake message, unless MessageLimitClient says otherwise. Where its chain is short, shorten the list of authorities that it accepts for client certificates."),
        Cause::CertificateWeak => format!("Windows clients take the certificate of {system}, modern libraries refuse it: issue a new one in time, with RSA of 2,048 bits or more, SHA-256, and the name in the subject alternative name. What is weak is in the evidence."),
        Cause::CertificateUndecided => format!("Nobody here can tell whether Windows clients take the certificate of {system}; why is in the evidence. See on a client that reaches it (`certutil -verify -urlfetch FILE`), or issue one of a common kind: RSA of 2,048 bits or more with SHA-256."),
        Cause::IntermediateMissing => intermediate(evidence, system),
        Cause::RootExpired => format!("The root that the certificate of {system} leads to has ended, so Windows clients refuse every certificate below it: renew the root certificate at its authority, distribute the new one to clients and servers, and name it under `tls.roots`. Or correct a clock."),
        Cause::CertificateRevoked => format!("The revocation list names the certificate of {system}, so clients that check refuse it (ccmexec.log: WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED): give it a new one."),
        Cause::Intercepted => format!("A device between here and {system} ends TLS itself, with a certificate by {}. Let it pass {system} through unopened: a site in native mode works only from end to end.", intercepting(evidence)),
        Cause::TlsOnlyWithoutSni => format!("{system} refuses clients that say its name in the handshake, as Windows does since Vista: bind the certificate to the name that this zone uses, or to the address without a name."),
        Cause::CrlLdapOnly => "Clients on the Internet cannot ask the directory, so they refuse every connection with this certificate (ccmexec.log: WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED). Publish the list on a web server, put that address into the authority's certificates (CRL Distribution Points), and issue this one anew.".to_string(),
        Cause::CrlHttps => "Clients do not fetch revocation lists over HTTPS, so they refuse every connection with this certificate (ccmexec.log: WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED). Publish the list over plain HTTP, put that address into the authority's certificates, and issue this one anew.".to_string(),
        Cause::CrlExpired => "Have the authority publish a new list, and see why it did not come in time.".to_string(),
        Cause::CrlNotYetValid => "The list is from the future: correct the clock of the authority, or that of this host.".to_string(),
        Cause::CrlInvalid => "Publish the authority's own list there; what is wrong with this one is in the evidence.".to_string(),
        Cause::CrlTooLarge => "No client reads a list of that size: have the authority start a new key or partition its lists.".to_string(),
        Cause::CrlRedirected => "Serve the list at the very address that the certificates name, without redirects to HTTPS or to other hosts.".to_string(),
        Cause::CrlMissing => format!("Publish the list on {system} under the path that the certificates name.{}", double_escaping(evidence)),
        Cause::CrlDeltaMissing => format!("Publish the delta list on {system} under the path that the base list or the certificates name, and let that path through on whatever publishes the server.{} Or have the authority publish no delta lists, and then a new base list.{MAY_REFUSE}", double_escaping(evidence)),
        Cause::CrlDeltaExpired => format!("Have the authority publish a new delta list, and see why it did not come in time: delta lists end within a day or a week.{MAY_REFUSE}"),
        Cause::CrlDeltaInvalid => format!("Publish the authority's newest base list and delta list together; what is wrong with the delta list is in the evidence.{MAY_REFUSE}"),
        Cause::Open if flow.crosses.is_empty() => format!("No firewall of the file stands before {port} of {system}: stop that service, or close the port in the host's own firewall. Or say in the site file why it is needed."),
        Cause::Open => format!("Close {port} to {system} on {crossed}, or say in the site file why it is needed."),
        Cause::ClosedButReachable => format!("{crossed} lets {port} through to {system}, where nobody listens today. Close it there, so that it stays closed."),
        Cause::Interrupted => "Run again, and let it finish.".to_string(),
        Cause::NotProved => "Too few tries were shortly before and after an answer on the same way, or too many were lost, to call this silence proof. See the notes on gaps and limits; run again when the way is steady, with `attempts: auto`.".to_string(),
        Cause::NothingAnswered => "Nothing answered from here; the network of this host may be down.".to_string(),
        Cause::NoControl => format!("Silence proves nothing while no other port of {system}, and nothing beyond the firewall, answers. Run it where something does."),
        Cause::CutOff => "A host that answered at first stopped answering: a device may have shut this prober out, or the host went down. See whether another host reaches it now; have this host's address let through by whatever blocks scanners, and run again.".to_string(),
        Cause::NoAddressHere if verdict == Verdict::Unknown => format!("Give {system} a name or address for this zone, if it has one."),
        Cause::ResolverSilent => "The resolver did not answer: see to DNS, or give the address in the site file.".to_string(),
        Cause::ResolverRefused => "The resolver of this host refuses to serve it (REFUSED), as a rule because it answers only networks that it knows. Have it allow this host, point this host to the resolver of its zone, or give the address in the site file.".to_string(),
        Cause::ResolverFailed => "The resolver of this host could not find out (SERVFAIL), or nobody answers at its address. Look at its forwarders and at the zone's own name servers, or give the address in the site file.".to_string(),
        Cause::ModernTlsOnly => format!("{system} was proved with modern TLS, and refused what clients of the site speak, by `site.clients_speak`. Allow TLS 1.2 with a suite that Windows 7 has (ECDHE or RSA with AES-CBC and SHA-1 or SHA-256) on whatever ends TLS there, and TLS 1.0 where Windows XP or 2003 are clients. If no client is as old, say so in `site.clients_speak`."),
        Cause::Smb1Only => format!("{system} speaks SMB 1 and nothing later. Windows Server 2019, Windows 11 and Windows 10 since version 1709 (not Home and Pro) have no SMB 1 by default, so one of these cannot use this port until SMB 1 is added to it. Turn SMB 2 on at {system}, or move what it serves to a newer Windows. Where only older Windows uses it, nothing has to be done."),
        Cause::TlsTooOld if cfg!(feature = "old-tls") => "What it serves is not proved. Look with a client of the site. If its system has `old_tls: false` in the site file, allow it there, or look into what the evidence says of the handshake.".to_string(),
        Cause::TlsTooOld => "What it serves is not proved: this build is without `old-tls`, so it does not speak TLS of the past. Use one with it, or look with a client of the site.".to_string(),
        Cause::NoRoute => "This host has no route to the address: run it from a host that has.".to_string(),
        Cause::GatewaySilent => "The router that this host sends to does not answer it: see to the network of this host.".to_string(),
        Cause::NoDescriptors => "This host ran out of descriptors, ports or threads: lower `probing.in_flight`, or raise its limits (`ulimit -n`, `ulimit -u`).".to_string(),
        Cause::RefusedHere => "This host's own firewall or policy refused the connection.".to_string(),
        Cause::IpsecRequired => format!("Run it on {}: only the two ends can speak inside IPsec.", flow.from.system.as_deref().unwrap_or("that system")),
        Cause::InStead => format!("Run it on {} for a verdict.", flow.from.system.as_deref().unwrap_or("that system")),
        Cause::Answered
        | Cause::ListenerAnswered
        | Cause::NotOpen
        | Cause::OtherService
        | Cause::KeptClosed
        | Cause::ClosingLater
        | Cause::HostUnproved
        | Cause::NotTried
        | Cause::NoAddressHere
        | Cause::ServerClock
        | Cause::DnsDiffers
        | Cause::DnsNoAnswer
        | Cause::Gap
        | Cause::RateLimited
        | Cause::SlowAnswer
        | Cause::FamilySkipped
        | Cause::ListNotFetched
        | Cause::ExceptionEndsSoon
        | Cause::ExceptionLapsed
        | Cause::ExceptionNotNeeded
        | Cause::CertificatesDiffer
        | Cause::MixedFiles
        | Cause::FarApart
        | Cause::GivenTwice => String::new(),
    }
}

/// The certificate that a server does not send.
fn missing(evidence: &Evidence) -> Option<&MissingIssuer> {
    evidence.tls.as_ref()?.missing.as_ref()
}

/// An issuer of which nothing tells whether it is an intermediate, a root, or a device's.
fn not_sent(evidence: &Evidence, system: &str) -> String {
    let name = missing(evidence).map_or("its issuer", |missing| &missing.name);
    format!(
        "The certificate of {name} is needed, and {system} does not send it. Install it on {system}, if it is an \
         intermediate. If it is the site's root, name it under `tls.roots`. If nobody knows it, a device on the way shows \
         its own certificate."
    )
}

/// Which certificate has to be installed on a server, beside its own.
fn intermediate(evidence: &Evidence, system: &str) -> String {
    let Some(missing) = missing(evidence) else {
        return format!(
            "Install the intermediate certificates on {system}, beside its own; the last of the chain in the evidence \
             names the issuer that is missing."
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
            "Windows clients that reach {url}{others} accept it; all others refuse it. Install {all} on \
             {system}, beside its own certificate, so that it is sent along."
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
         {system}, beside its own certificate.{why} If nothing stands above {name}, name it under `tls.roots` instead."
    )
}

/// Whether a rejection bears the address of the system, and nothing tells who wrote it there.
fn is_in_its_name(evidence: &Evidence) -> bool {
    let rejected = evidence.rejected.as_ref();
    rejected.is_some_and(|it| it.sender == Some(ResetBy::Either))
}

/// What one vantage cannot tell from a request that never arrived.
fn or_lost(system: &str) -> String {
    format!(
        "Seen from here alone, the request may also arrive and its answer be lost: `portproof listen --as {system}` on that \
         host proves which."
    )
}

/// The address that decided: its tries stand first.
fn decided(evidence: &Evidence) -> Option<IpAddr> {
    let first: SocketAddr = evidence.attempts.first()?.remote.parse().ok()?;
    Some(first.ip())
}

fn family(address: IpAddr) -> &'static str {
    match address.to_canonical() {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}

/// An address of the other family at which the port is open.
fn open_otherwise(evidence: &Evidence, decided: IpAddr) -> Option<IpAddr> {
    let open = evidence
        .addresses
        .iter()
        .filter(|(_, state)| **state == FlowState::Open);
    let mut open = open.filter_map(|(address, _)| address.parse().ok());
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
                "{} to {system} does not work, and {} does: nothing at {silent} answered, and {other} did.",
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
        "{what} See first whether {silent} is its address, and whether it has a way back{over}. Then look at the rules of \
         {crossed} for that address. If it is no longer in use, take it out of DNS and of the site file: clients that try it \
         have to wait."
    )
}

/// The way of lost data, as the middle of a sentence.
fn way<'a>(evidence: &Evidence, there: &'a str, back: &'a str) -> &'a str {
    let way = evidence.delivery.as_ref().and_then(|it| it.way.as_deref());
    if way == Some("back") { back } else { there }
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
        "A rule for {port} is there, since connections open. Look at {first}, for whatever drops data {way} {system}: \
         inspection of contents (application control, intrusion prevention), or a device that has not seen the whole \
         handshake because the way back is another."
    )
}

/// Packets of full size that are lost.
fn mtu(evidence: &Evidence, system: &str, crossed: &str) -> String {
    let way = way(evidence, "to", "from");
    format!(
        "Large packets {way} {system} are lost, and nothing tells the sender: a link on the way takes only smaller ones (its \
         MTU), and the messages that say so are dropped. Let ICMP \"fragmentation needed\" (type 3 code 4; ICMPv6: type 2) \
         through {crossed}, or have it lower the segment size of TCP (MSS clamping)."
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
        "{crossed} passes nothing from {} to {zone}: every packet vanished {place}. See whether {crossed} forwards at all, \
         and whether the hosts of {zone} are up. Then look at its rules and its routes, also for the way back.",
        flow.from.zone
    )
}

/// Where a challenge came out that another system's listener, or another port's, answered.
fn astray(evidence: &Evidence, system: &str, port: &str, crossed: &str) -> String {
    let at = evidence
        .listener
        .as_ref()
        .map_or_else(String::new, |listener| {
            format!(
                " at {}, where a listener stands in for {}",
                listener.accepted_at, listener.system
            )
        });
    format!(
        "What is sent to {port} of {system} comes out elsewhere{at}. See whether that listener was started for the right \
         system; then look at the address translation and the routes of {crossed}."
    )
}

fn intercepting(evidence: &Evidence) -> &str {
    let tls = evidence.tls.as_ref();
    tls.and_then(|tls| tls.interception.as_ref()?.by.as_deref())
        .unwrap_or("another authority")
}
