//! The table: state by need. No `_` arm, so that a new state cannot be forgotten.

use super::proxied::{only_tunnel, stopped};
use super::web_checks::{by_its_roles, outweighs, without_leave};
use super::{
    Cause, Context, Control, DateDoubt, DroppedAt, Elsewhere, Judgement, Level, Owner, Verdict,
    ZoneSilence,
};
use crate::attribution::has_own_words;
use crate::observation::{
    CertificateFault, DeltaFault, Depth, ListFault, Lost, Missing, NotTried, Observation, Painted,
    Prohibition, Rejection, ResetBy, ResolverError, RpcRange, Service, Spoken, State, Trouble,
    Unresolved,
};
use crate::product::Need;

/// Judges one observation.
///
/// Conditions, in this order:
/// 1. What cannot be tried is unknown, a note.
/// 2. Nothing at all answered, or nothing over this family of addresses: all that is not optional is unknown.
/// 3. A flow that only another system may start is unknown here, a note.
/// 4. The table of need and state; an optional flow is never wrong.
pub fn judge(need: Need, seen: &Observation, context: &Context) -> Judgement {
    if seen.state == State::NotTried(NotTried::Unsupported) {
        return unknown(Cause::NotTried, Level::Note);
    }
    // What the resolver, a proxy or this machine itself said is known all the same; and why an agent tried nothing.
    let without_packets = matches!(
        seen.state,
        State::Unresolved(_)
            | State::Unreachable(_)
            | State::Stopped(_)
            | State::NotTried(NotTried::NotAllowed | NotTried::AgentLost)
    );
    if context.nothing_answered && need != Need::Optional && !without_packets {
        return unknown(Cause::NothingAnswered, Level::Error);
    }
    if context.family_unanswered && need != Need::Optional && seen.is_silence() {
        return unknown(Cause::FamilyUnanswered, Level::Error);
    }
    if context.in_stead {
        let cause = match context.inside_ipsec {
            true => Cause::IpsecRequired,
            false => Cause::InStead,
        };
        return unknown(cause, Level::Note);
    }
    match need {
        Need::Required => required(seen, context),
        Need::Optional => optional(seen, context),
        Need::Forbidden => forbidden(seen, context),
    }
}

fn ok(cause: Cause) -> Judgement {
    Judgement {
        verdict: Verdict::Ok,
        cause,
        level: Level::Note,
        owner: None,
    }
}

fn failed(verdict: Verdict, cause: Cause, owner: Owner) -> Judgement {
    Judgement {
        verdict,
        cause,
        level: Level::Error,
        owner: Some(owner),
    }
}

fn unknown(cause: Cause, level: Level) -> Judgement {
    let owner = match cause {
        Cause::ResolverSilent | Cause::ResolverRefused | Cause::ResolverFailed => Owner::Dns,
        _ => Owner::Prober,
    };
    Judgement {
        verdict: Verdict::Unknown,
        cause,
        level,
        owner: Some(owner),
    }
}

fn required(seen: &Observation, context: &Context) -> Judgement {
    match seen.rpc_range {
        Some(RpcRange::HalfOpen | RpcRange::OutsideBlocked) if context.cut_off => {
            return unknown(Cause::CutOff, Level::Error);
        }
        Some(RpcRange::Passes) if seen.listener.is_some() => return listener(context),
        Some(range) => return rpc_range(range),
        None => {}
    }
    match &seen.state {
        State::Open if is_painted(seen) => Judgement {
            owner: Some(Owner::Firewall),
            ..unknown(Cause::AnsweredByMiddlebox, Level::Error)
        },
        State::Open if is_only_tunnel(seen) => only_tunnel(),
        State::Open if seen.service == Some(Service::Listener) => {
            to_the_end(seen, through_every_port(seen, listener(context)))
        }
        State::Open => to_the_end(seen, through_every_port(seen, answered(seen, context))),
        State::Closed {
            reset_by: ResetBy::Host,
        } => failed(Verdict::Down, Cause::NobodyListens, Owner::Server),
        State::Closed {
            reset_by: ResetBy::Device,
        } => failed(Verdict::Blocked, Cause::ResetByDevice, Owner::Firewall),
        // The service listens, others were let through to it, and a firewall stands between.
        State::Closed {
            reset_by: ResetBy::Either,
        } if context.elsewhere == Elsewhere::Serves && context.between_zones => {
            failed(Verdict::Blocked, Cause::ResetByDevice, Owner::Firewall)
        }
        State::Closed {
            reset_by: ResetBy::Either,
        } => failed(Verdict::Blocked, Cause::Reset, Owner::ServerThenFirewall),
        // The host answered before, and its network lost it meanwhile.
        State::Rejected(rejection)
            if rejection.says == Prohibition::HostUnreachable && context.cut_off =>
        {
            unknown(Cause::CutOff, Level::Error)
        }
        State::Rejected(rejection) if is_dead(rejection, context) => not_found(context),
        // A router that took so long may have looked for the host in vain, and nothing shows that it is alive.
        State::Rejected(rejection)
            if rejection.says == Prohibition::HostUnreachable
                && seen.slow_rejection
                && !context.host_alive =>
        {
            unknown(Cause::HostUnreachable, Level::Error)
        }
        // This system's word alone: it looked for host or router in vain, or a device refused.
        State::Rejected(rejection) if rejection.may_be_our_own() && !context.host_answered => {
            unknown(rejected(rejection), Level::Error)
        }
        // A host that rejects with ICMP does so by its own firewall.
        State::Rejected(rejection) if context.by_the_host => {
            failed(Verdict::Blocked, rejected(rejection), Owner::Server)
        }
        State::Rejected(rejection) if context.perhaps_by_the_host => failed(
            Verdict::Blocked,
            rejected(rejection),
            Owner::ServerThenFirewall,
        ),
        State::Rejected(rejection) => {
            failed(Verdict::Blocked, rejected(rejection), Owner::Firewall)
        }
        State::Filtered | State::Silent if context.request_arrived => {
            failed(Verdict::Blocked, Cause::AnswerLost, Owner::Firewall)
        }
        State::Filtered | State::Silent if context.cut_off => unknown(Cause::CutOff, Level::Error),
        State::Filtered if context.host_dead => not_found(context),
        State::Filtered => vanished(context),
        State::Unresolved(Unresolved::NoSuchName) => {
            failed(Verdict::Wrong, Cause::NoSuchName, Owner::Dns)
        }
        // Where nothing shows that packets pass at all, more tries would prove nothing.
        State::Silent if context.control.is_none() && seen.depth != Some(Depth::Udp) => {
            unknown(Cause::NoControl, Level::Error)
        }
        State::Silent => silent(seen),
        State::Unresolved(Unresolved::ResolverSilent) => {
            unknown(Cause::ResolverSilent, Level::Error)
        }
        State::Unresolved(Unresolved::ResolverError(error)) => {
            unknown(resolver(*error), Level::Error)
        }
        State::Unresolved(Unresolved::NotAsked) => unknown(Cause::NoDescriptors, Level::Error),
        State::Unresolved(Unresolved::NoNameHere) => unknown(Cause::NoAddressHere, Level::Error),
        State::Unreachable(trouble) => unknown(own_trouble(*trouble), Level::Error),
        State::Stopped(stop) => stopped(Need::Required, stop),
        State::NotTried(NotTried::Interrupted) => unknown(Cause::Interrupted, Level::Error),
        State::NotTried(NotTried::Unsupported) => unknown(Cause::NotTried, Level::Note),
        State::NotTried(NotTried::ShutOut) => unknown(Cause::CutOff, Level::Error),
        State::NotTried(NotTried::NotAllowed) => unknown(Cause::NotAllowed, Level::Error),
        State::NotTried(NotTried::AgentLost) => unknown(Cause::AgentLost, Level::Error),
    }
}

/// A host that was looked for in vain. Where it answered another vantage meanwhile, nothing tells what keeps it from here.
fn not_found(context: &Context) -> Judgement {
    match context.elsewhere {
        Elsewhere::Unseen => failed(Verdict::Down, dead(context), Owner::Server),
        Elsewhere::Alive | Elsewhere::Serves => unknown(Cause::HostUnreachable, Level::Error),
    }
}

/// Silence that is proof, of a required flow.
///
/// A living host's silent port is taken for a missing rule, unless the packets got past every firewall of the file. A
/// host that says nothing at all may as well be off, unless a firewall stopped the packets before it.
fn vanished(context: &Context) -> Judgement {
    let at = context.dropped;
    let first_the_server = match (context.elsewhere, at) {
        // The service runs, and its host lets others in.
        (
            Elsewhere::Serves,
            DroppedAt::Unknown | DroppedAt::Firewall | DroppedAt::FirewallOrHost,
        ) => Owner::Firewall,
        (Elsewhere::Serves, DroppedAt::BehindFirewalls)
        | (Elsewhere::Unseen | Elsewhere::Alive, _) => Owner::ServerThenFirewall,
    };
    let (cause, owner) = match (context.host_answered, context.zone) {
        (true, _) => match at {
            DroppedAt::BehindFirewalls => (Cause::NoAnswer, first_the_server),
            DroppedAt::Unknown | DroppedAt::Firewall | DroppedAt::FirewallOrHost => {
                (Cause::NoAnswer, Owner::Firewall)
            }
        },
        (false, ZoneSilence::SeveralHosts) => match at {
            DroppedAt::Firewall | DroppedAt::FirewallOrHost => {
                (Cause::NothingPasses, Owner::Firewall)
            }
            DroppedAt::Unknown | DroppedAt::BehindFirewalls => {
                (Cause::NothingPasses, first_the_server)
            }
        },
        (false, ZoneSilence::OneHost) => match at {
            DroppedAt::Firewall => (Cause::NothingPasses, Owner::Firewall),
            DroppedAt::Unknown | DroppedAt::FirewallOrHost | DroppedAt::BehindFirewalls => {
                (Cause::NothingPasses, first_the_server)
            }
        },
        (false, ZoneSilence::No) => {
            // A host that answers at another address is up, whatever this one is worth.
            let cause = match (context.other_address_answered, context.elsewhere) {
                (true, _) => Cause::AddressSilent,
                (false, Elsewhere::Unseen) => Cause::HostSilent,
                (false, Elsewhere::Alive | Elsewhere::Serves) => Cause::NoAnswer,
            };
            match at {
                DroppedAt::Firewall => (cause, Owner::Firewall),
                DroppedAt::Unknown | DroppedAt::FirewallOrHost | DroppedAt::BehindFirewalls => {
                    (cause, first_the_server)
                }
            }
        }
    };
    failed(Verdict::Blocked, cause, owner)
}

/// A listener of this program that proved that it was reached.
fn listener(context: &Context) -> Judgement {
    if context.wrong_listener {
        return failed(Verdict::Wrong, Cause::WrongListener, Owner::Firewall);
    }
    ok(Cause::ListenerAnswered)
}

/// A required range of dynamic RPC ports.
fn rpc_range(range: RpcRange) -> Judgement {
    match range {
        RpcRange::Passes => ok(Cause::Answered),
        RpcRange::HalfOpen => failed(Verdict::Blocked, Cause::RpcHalfOpen, Owner::Firewall),
        RpcRange::OutsideBlocked => {
            failed(Verdict::Blocked, Cause::RpcOutsideRange, Owner::Firewall)
        }
        RpcRange::OutsideOpen => Judgement {
            level: Level::Warning,
            owner: Some(Owner::Server),
            ..ok(Cause::RpcOutsideRange)
        },
        RpcRange::Unused => unknown(Cause::NotTried, Level::Note),
        RpcRange::NotLearnt => unknown(Cause::RpcNotLearnt, Level::Warning),
    }
}

/// Silence that is no proof. A datagram's never is: most services do not answer what they do not understand.
fn silent(seen: &Observation) -> Judgement {
    if seen.depth == Some(Depth::Udp) {
        unknown(Cause::UdpSilent, Level::Note)
    } else {
        unknown(Cause::NotProved, Level::Error)
    }
}

/// Whether a device answered in the host's place, and the service's own words do not say otherwise.
fn is_painted(seen: &Observation) -> bool {
    let by_a_device = match seen.painted {
        // That a service hangs up is its own business: what it is worth the table says.
        None | Some(Painted::ResetAfterAccept) => false,
        Some(
            Painted::EveryPort { .. }
            | Painted::BeforeHost { .. }
            | Painted::TooQuick { .. }
            | Painted::HostIsDead
            | Painted::Swept,
        ) => true,
    };
    by_a_device && !has_own_words(seen)
}

/// A service that is as it must be, and that some source ports do not reach.
fn through_every_port(seen: &Observation, judgement: Judgement) -> Judgement {
    if seen.is_split() && judgement.verdict != Verdict::Wrong {
        // One of several servers that does not serve resets, just as a firewall may.
        let owner = match seen.source_ports.is_some_and(|ports| ports.reset > 0) {
            true => Owner::ServerThenFirewall,
            false => Owner::Firewall,
        };
        return failed(Verdict::Blocked, Cause::Intermittent, owner);
    }
    // Some stayed silent: that every connection passes is not shown.
    let undecided = seen
        .source_ports
        .is_some_and(|ports| ports.undecided > 0 && !ports.are_limited());
    if undecided && judgement.verdict == Verdict::Ok {
        return unknown(Cause::NotProved, Level::Error);
    }
    judgement
}

/// A service that was as it must be, and that no longer answered at the end of the run.
fn to_the_end(seen: &Observation, judgement: Judgement) -> Judgement {
    match (seen.went_silent, judgement.verdict) {
        (Some(_), Verdict::Ok) => unknown(Cause::CutOff, Level::Warning),
        _ => judgement,
    }
}

/// Whether a tunnel through a proxy opened and nothing was asked inside: proxies open some that lead nowhere.
fn is_only_tunnel(seen: &Observation) -> bool {
    seen.via.is_some() && matches!(seen.service, Some(Service::NotAsked | Service::ResetAtOnce))
}

/// What an open port is worth: by what its service said, or by what became of the data.
fn answered(seen: &Observation, context: &Context) -> Judgement {
    match seen.lost() {
        Some(lost) => vanishing(lost, context),
        None => by_right_dates(
            context,
            for_others(seen, context, closely(seen, spoken(seen.service.as_ref()))),
        ),
    }
}

/// What hangs on dates is unknown while the clock that they are held against may be wrong.
fn by_right_dates(context: &Context, judgement: Judgement) -> Judgement {
    let of_dates = matches!(
        judgement.cause,
        Cause::CertificateExpired
            | Cause::RootExpired
            | Cause::CertificateNotYetValid
            | Cause::CrlExpired
            | Cause::CrlNotYetValid
            | Cause::CrlDeltaExpired
    );
    if !of_dates && judgement.verdict != Verdict::Ok {
        return judgement;
    }
    match context.dates {
        DateDoubt::None => judgement,
        DateDoubt::OwnClock => unknown(Cause::ClockOff, Level::Error),
        DateDoubt::Disputed => unknown(Cause::ClocksDiffer, Level::Error),
    }
}

/// Data that are lost once the connection is open. Inside one zone no firewall of the file stands between, so that what
/// protects the host itself is looked at first. Packets of full size are a matter of the way there too.
fn vanishing(lost: Lost, context: &Context) -> Judgement {
    let owner = match (lost.what, context.between_zones) {
        (Missing::Large(_), _) | (Missing::Data, true) => Owner::Firewall,
        (Missing::Data, false) => Owner::ServerThenFirewall,
    };
    failed(Verdict::Blocked, missing(lost), owner)
}

fn missing(lost: Lost) -> Cause {
    match lost.what {
        Missing::Data => Cause::DataDropped,
        Missing::Large(_) => Cause::Mtu,
    }
}

/// What is well for this program may be none for who starts the flow: clients whose TLS the server refuses, and Windows
/// without SMB 1.
fn for_others(seen: &Observation, context: &Context, judgement: Judgement) -> Judgement {
    let refused = |tls: &crate::observation::TlsSeen| tls.refused_clients.is_some();
    match judgement.cause {
        Cause::Answered if seen.tls.as_deref().is_some_and(refused) => {
            taken(Cause::ModernTlsOnly, Owner::Server)
        }
        Cause::Answered if seen.spoken.as_deref().is_some_and(Spoken::is_smb_1) => {
            match context.starts_modern {
                true => taken(Cause::Smb1Only, Owner::Server),
                false => ok(Cause::Smb1Only),
            }
        }
        _ => judgement,
    }
}

/// What a web server that answers is worth beyond its root page.
fn closely(seen: &Observation, judgement: Judgement) -> Judgement {
    let found = match (&seen.http, judgement.cause) {
        (Some(http), Cause::Answered) => outweighs(seen, http),
        // A certificate that clients take, or may, excuses nothing behind it.
        (
            Some(http),
            Cause::CertificateWeak | Cause::IntermediateMissing | Cause::CertificateUndecided,
        ) if judgement.verdict != Verdict::Wrong => outweighs(seen, http)
            .filter(|behind| behind.verdict == Verdict::Wrong || judgement.verdict == Verdict::Ok)
            .filter(|behind| behind.verdict != Verdict::Ok),
        // Some devices send on what the role needs, and have nothing for the root page.
        (Some(http), Cause::HttpServerError) => by_its_roles(seen, http),
        (None, Cause::RoleUnproved) => Some(without_leave(seen)),
        _ => None,
    };
    found.unwrap_or(judgement)
}

/// The last router cannot find the host; one that answers at another address is up, and has not got this one.
fn dead(context: &Context) -> Cause {
    match context.other_address_answered {
        true => Cause::AddressSilent,
        false => Cause::HostDead,
    }
}

fn is_dead(rejection: &Rejection, context: &Context) -> bool {
    rejection.says == Prohibition::HostUnreachable && context.host_dead
}

fn rejected(rejection: &Rejection) -> Cause {
    match rejection.says {
        Prohibition::AdminProhibited => Cause::AdminProhibited,
        Prohibition::PortUnreachable => Cause::PortUnreachable,
        Prohibition::HostUnreachable => Cause::HostUnreachable,
        Prohibition::NetUnreachable => Cause::NetUnreachable,
        Prohibition::RouteRejects | Prohibition::TimeExceeded | Prohibition::Other => {
            Cause::Rejected
        }
    }
}

fn resolver(error: ResolverError) -> Cause {
    match error {
        ResolverError::Refused => Cause::ResolverRefused,
        ResolverError::Failed | ResolverError::Absent => Cause::ResolverFailed,
    }
}

fn own_trouble(trouble: Trouble) -> Cause {
    match trouble {
        Trouble::NoRoute => Cause::NoRoute,
        Trouble::GatewaySilent => Cause::GatewaySilent,
        Trouble::NoDescriptors => Cause::NoDescriptors,
        Trouble::Refused => Cause::RefusedHere,
    }
}

/// What an open port that is required said.
fn spoken(service: Option<&Service>) -> Judgement {
    // The run ended in the middle of the conversation.
    let Some(service) = service else {
        return unknown(Cause::Interrupted, Level::Error);
    };
    let wrong = |cause, owner| failed(Verdict::Wrong, cause, owner);
    match service {
        Service::NotAsked | Service::Spoke => ok(Cause::Answered),
        Service::Listener => ok(Cause::ListenerAnswered),
        Service::TlsTooOld => unknown(Cause::TlsTooOld, Level::Warning),
        Service::Mute => wrong(Cause::Mute, Owner::Server),
        Service::HungUp | Service::ResetAtOnce => wrong(Cause::HungUp, Owner::Server),
        Service::HungUpInHandshake => wrong(Cause::HungUpInHandshake, Owner::Server),
        Service::Foreign => wrong(Cause::OtherProtocol, Owner::Server),
        Service::NotTls => wrong(Cause::NotTls, Owner::Server),
        Service::TlsAlert(_) => wrong(Cause::TlsAlert, Owner::Server),
        Service::NotHttp => wrong(Cause::NotHttp, Owner::Server),
        Service::InterimOnly => wrong(Cause::HttpInterimOnly, Owner::Server),
        Service::ServerError(_) => wrong(Cause::HttpServerError, Owner::Server),
        Service::WantsCertificate => unknown(Cause::RoleUnproved, Level::Warning),
        Service::TlsOnlyWithoutName => wrong(Cause::TlsOnlyWithoutSni, Owner::Server),
        Service::Intercepted => wrong(Cause::Intercepted, Owner::Proxy),
        Service::List(fault @ (ListFault::Redirected | ListFault::Missing(_))) => {
            wrong(list(fault), Owner::Server)
        }
        // Whether clients then go on with the base list alone is not known for certain.
        Service::List(fault @ ListFault::Delta(delta)) => Judgement {
            owner: Some(match delta {
                DeltaFault::Missing => Owner::Server,
                DeltaFault::Invalid | DeltaFault::Expired => Owner::Certificate,
            }),
            ..unknown(list(fault), Level::Warning)
        },
        Service::List(fault) => wrong(list(fault), Owner::Certificate),
        Service::Certificate(CertificateFault::Weak) => {
            taken(Cause::CertificateWeak, Owner::Certificate)
        }
        Service::Certificate(CertificateFault::Incomplete) => {
            taken(Cause::IntermediateMissing, Owner::Server)
        }
        Service::Certificate(CertificateFault::Undecided) => {
            unknown(Cause::CertificateUndecided, Level::Warning)
        }
        Service::Certificate(CertificateFault::NoIssuer) => {
            wrong(Cause::IntermediateMissing, Owner::Server)
        }
        Service::Certificate(fault) => wrong(certificate(fault), Owner::Certificate),
        Service::ConnectedToItself => failed(Verdict::Down, Cause::NobodyListens, Owner::Server),
    }
}

/// Windows clients take the certificate, and others would not: never an error.
fn taken(cause: Cause, owner: Owner) -> Judgement {
    Judgement {
        verdict: Verdict::Ok,
        cause,
        level: Level::Warning,
        owner: Some(owner),
    }
}

fn list(fault: &ListFault) -> Cause {
    match fault {
        ListFault::Invalid => Cause::CrlInvalid,
        ListFault::TooLarge => Cause::CrlTooLarge,
        ListFault::Expired => Cause::CrlExpired,
        ListFault::NotYetValid => Cause::CrlNotYetValid,
        ListFault::Redirected => Cause::CrlRedirected,
        ListFault::Missing(_) => Cause::CrlMissing,
        ListFault::Delta(DeltaFault::Invalid) => Cause::CrlDeltaInvalid,
        ListFault::Delta(DeltaFault::Expired) => Cause::CrlDeltaExpired,
        ListFault::Delta(DeltaFault::Missing) => Cause::CrlDeltaMissing,
    }
}

fn certificate(fault: &CertificateFault) -> Cause {
    match fault {
        CertificateFault::Name => Cause::CertificateName,
        CertificateFault::Expired => Cause::CertificateExpired,
        CertificateFault::NotYetValid => Cause::CertificateNotYetValid,
        CertificateFault::RootExpired => Cause::RootExpired,
        CertificateFault::NoIssuer | CertificateFault::Incomplete => Cause::IntermediateMissing,
        CertificateFault::Untrusted => Cause::CertificateUntrusted,
        CertificateFault::Purpose => Cause::CertificatePurpose,
        CertificateFault::Weak => Cause::CertificateWeak,
        CertificateFault::Undecided => Cause::CertificateUndecided,
        CertificateFault::Revoked => Cause::CertificateRevoked,
        CertificateFault::ListByLdapOnly => Cause::CrlLdapOnly,
        CertificateFault::ListByHttpsOnly => Cause::CrlHttps,
        CertificateFault::TooLarge => Cause::CertificateTooLarge,
        CertificateFault::Other(_) => Cause::CertificateInvalid,
    }
}

fn optional(seen: &Observation, context: &Context) -> Judgement {
    if seen.listener.is_some() && seen.service == Some(Service::Listener) {
        return ok(match context.wrong_listener {
            true => Cause::OtherService,
            false => Cause::ListenerAnswered,
        });
    }
    if let Some(range) = seen.rpc_range {
        return ok(rpc_range(range).cause);
    }
    match &seen.state {
        State::Open if is_painted(seen) => ok(Cause::AnsweredByMiddlebox),
        State::Open if is_only_tunnel(seen) => ok(Cause::OnlyTunnel),
        State::Open => ok(match (seen.lost(), spoken(seen.service.as_ref()).verdict) {
            (Some(lost), _) => missing(lost),
            (None, Verdict::Wrong) => Cause::OtherService,
            (None, _) => Cause::Answered,
        }),
        State::Closed { .. } | State::Rejected(_) | State::Filtered => ok(Cause::NotOpen),
        State::Silent => ok(silent(seen).cause),
        State::Unresolved(Unresolved::NoSuchName) => ok(Cause::NoSuchName),
        State::Unresolved(Unresolved::ResolverSilent) => ok(Cause::ResolverSilent),
        State::Unresolved(Unresolved::ResolverError(error)) => ok(resolver(*error)),
        State::Unresolved(Unresolved::NotAsked) => ok(Cause::NoDescriptors),
        State::Unresolved(Unresolved::NoNameHere) => ok(Cause::NoAddressHere),
        State::Unreachable(trouble) => ok(own_trouble(*trouble)),
        State::Stopped(stop) => stopped(Need::Optional, stop),
        State::NotTried(NotTried::Interrupted) => ok(Cause::Interrupted),
        State::NotTried(NotTried::Unsupported) => ok(Cause::NotTried),
        State::NotTried(NotTried::ShutOut) => ok(Cause::CutOff),
        State::NotTried(NotTried::NotAllowed) => ok(Cause::NotAllowed),
        State::NotTried(NotTried::AgentLost) => ok(Cause::AgentLost),
    }
}

fn forbidden(seen: &Observation, context: &Context) -> Judgement {
    match &seen.state {
        State::Open if seen.service == Some(Service::ConnectedToItself) => closed(context),
        State::Open if seen.via.is_some() && seen.listener.is_none() => only_tunnel(),
        // What a device opened says nothing of the host behind it.
        State::Open if seen.painted.is_some() && seen.listener.is_none() => Judgement {
            owner: Some(Owner::Firewall),
            ..unknown(Cause::AnsweredByMiddlebox, Level::Warning)
        },
        State::Open => Judgement {
            verdict: Verdict::Exposed,
            cause: Cause::Open,
            level: match context.mildly_forbidden {
                true => Level::Warning,
                false => Level::Error,
            },
            // Inside one zone no firewall stands between: only the host can close it.
            owner: Some(match context.between_zones {
                true => Owner::Firewall,
                false => Owner::Server,
            }),
        },
        State::Closed {
            reset_by: ResetBy::Host,
        } if context.between_zones => Judgement {
            verdict: Verdict::Exposed,
            cause: Cause::ClosedButReachable,
            level: Level::Warning,
            owner: Some(Owner::Firewall),
        },
        State::Closed {
            reset_by: ResetBy::Host | ResetBy::Device,
        } => ok(Cause::KeptClosed),
        State::Closed {
            reset_by: ResetBy::Either,
        } => ok(Cause::Reset),
        State::Rejected(rejection) if is_dead(rejection, context) => {
            unknown(Cause::HostDead, Level::Error)
        }
        State::Rejected(rejection) if rejection.may_be_our_own() && !context.host_answered => {
            closed(context)
        }
        // A router says the same of a dead host: worth no more than a sign of life from the way there.
        State::Rejected(rejection) if rejection.is_about_the_host() && !context.host_answered => {
            ok(Cause::HostUnproved)
        }
        State::Rejected(_) => ok(Cause::KeptClosed),
        // The firewalls let it through one way, which is more than they may.
        State::Filtered | State::Silent if context.request_arrived && context.between_zones => {
            Judgement {
                verdict: Verdict::Exposed,
                cause: Cause::AnswerLost,
                level: Level::Warning,
                owner: Some(Owner::Firewall),
            }
        }
        State::Filtered if context.host_dead && !context.cut_off => {
            unknown(Cause::HostDead, Level::Error)
        }
        State::Filtered => closed(context),
        State::Unresolved(Unresolved::NoSuchName | Unresolved::NoNameHere) => {
            unknown(Cause::NoAddressHere, Level::Note)
        }
        State::Silent if context.cut_off => unknown(Cause::CutOff, Level::Error),
        // Where nothing shows that packets pass at all, more tries would prove nothing.
        State::Silent if context.control.is_none() && seen.depth != Some(Depth::Udp) => {
            unknown(Cause::NoControl, Level::Error)
        }
        State::Silent => silent(seen),
        State::Unresolved(Unresolved::ResolverSilent) => {
            unknown(Cause::ResolverSilent, Level::Error)
        }
        State::Unresolved(Unresolved::ResolverError(error)) => {
            unknown(resolver(*error), Level::Error)
        }
        State::Unresolved(Unresolved::NotAsked) => unknown(Cause::NoDescriptors, Level::Error),
        State::Unreachable(trouble) => unknown(own_trouble(*trouble), Level::Error),
        State::Stopped(stop) => stopped(Need::Forbidden, stop),
        State::NotTried(NotTried::Interrupted) => unknown(Cause::Interrupted, Level::Error),
        State::NotTried(NotTried::Unsupported) => unknown(Cause::NotTried, Level::Note),
        State::NotTried(NotTried::ShutOut) => unknown(Cause::CutOff, Level::Error),
        State::NotTried(NotTried::NotAllowed) => unknown(Cause::NotAllowed, Level::Error),
        State::NotTried(NotTried::AgentLost) => unknown(Cause::AgentLost, Level::Error),
    }
}

/// Silence behind a forbidden door is worth what the control is worth.
fn closed(context: &Context) -> Judgement {
    if context.cut_off {
        return unknown(Cause::CutOff, Level::Error);
    }
    match context.control {
        Some(Control::Itself | Control::Host | Control::Joined) => ok(Cause::KeptClosed),
        Some(Control::Path) => ok(Cause::HostUnproved),
        None => unknown(Cause::NoControl, Level::Error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: State, service: Option<Service>) -> Observation {
        Observation {
            service,
            ..Observation::without_packets(None, state)
        }
    }

    fn rejection(says: Prohibition) -> State {
        State::Rejected(Rejection {
            says,
            icmp_type: Some(3),
            icmp_code: None,
            by: None,
            ttl: None,
        })
    }

    fn without_message(says: Prohibition) -> State {
        State::Rejected(Rejection {
            says,
            icmp_type: None,
            icmp_code: None,
            by: None,
            ttl: None,
        })
    }

    fn every_state() -> Vec<State> {
        let closed = [ResetBy::Host, ResetBy::Device, ResetBy::Either]
            .map(|reset_by| State::Closed { reset_by });
        let unresolved = [
            Unresolved::NoSuchName,
            Unresolved::ResolverSilent,
            Unresolved::ResolverError(ResolverError::Refused),
            Unresolved::NotAsked,
            Unresolved::NoNameHere,
        ]
        .map(State::Unresolved);
        let trouble = Trouble::ALL.iter().copied().map(State::Unreachable);
        let mut all = vec![
            State::Open,
            rejection(Prohibition::AdminProhibited),
            State::Filtered,
            State::Silent,
        ];
        all.extend(closed.into_iter().chain(unresolved).chain(trouble));
        all.extend(NotTried::ALL.iter().copied().map(State::NotTried));
        all
    }

    #[test]
    fn what_another_vantage_saw_meanwhile_changes_who_has_to_act_and_no_verdict() {
        for state in every_state() {
            let seen = Observation::without_packets(None, state);
            for dropped in [DroppedAt::Unknown, DroppedAt::BehindFirewalls] {
                let with = |elsewhere| {
                    let context = Context {
                        dropped,
                        elsewhere,
                        ..Context::default()
                    };
                    judge(Need::Required, &seen, &context)
                };
                let alone = with(Elsewhere::Unseen);
                for elsewhere in [Elsewhere::Alive, Elsewhere::Serves] {
                    let joined = with(elsewhere);
                    assert!(joined.verdict == alone.verdict, "{seen:?} {joined:?}");
                }
                if seen.state == State::Filtered {
                    let owner = match dropped {
                        DroppedAt::BehindFirewalls => Owner::ServerThenFirewall,
                        _ => Owner::Firewall,
                    };
                    assert_eq!(with(Elsewhere::Serves).owner, Some(owner));
                    assert_eq!(
                        with(Elsewhere::Alive).owner,
                        Some(Owner::ServerThenFirewall)
                    );
                    assert_eq!(with(Elsewhere::Alive).cause, Cause::NoAnswer);
                }
            }
        }
    }

    #[test]
    fn a_flow_that_was_not_tried_is_never_ok_unless_optional() {
        let untried = [
            State::NotTried(NotTried::Interrupted),
            State::NotTried(NotTried::Unsupported),
            State::NotTried(NotTried::ShutOut),
            State::NotTried(NotTried::NotAllowed),
            State::NotTried(NotTried::AgentLost),
        ];
        for need in [Need::Required, Need::Forbidden] {
            for state in untried.clone() {
                assert_eq!(
                    judge(
                        need,
                        &seen(state, None),
                        &Context {
                            control: Some(Control::Host),
                            ..Context::default()
                        }
                    )
                    .verdict,
                    Verdict::Unknown
                );
            }
        }
    }

    #[test]
    fn a_required_flow_is_ok_only_when_the_service_has_spoken() {
        for state in every_state() {
            let verdict = judge(
                Need::Required,
                &seen(state.clone(), Some(Service::Spoke)),
                &Context::default(),
            )
            .verdict;
            assert_eq!(verdict == Verdict::Ok, state == State::Open, "{state:?}");
        }
        assert_eq!(
            judge(
                Need::Required,
                &seen(State::Open, Some(Service::Foreign)),
                &Context::default()
            )
            .cause,
            Cause::OtherProtocol
        );
    }

    #[test]
    fn a_forbidden_silence_is_worth_its_control() {
        let silent = seen(State::Filtered, None);
        let with = |control| {
            judge(
                Need::Forbidden,
                &silent,
                &Context {
                    control,
                    ..Context::default()
                },
            )
        };
        assert_eq!(
            (with(None).verdict, with(None).cause),
            (Verdict::Unknown, Cause::NoControl)
        );
        assert_eq!(
            (
                with(Some(Control::Path)).verdict,
                with(Some(Control::Path)).cause
            ),
            (Verdict::Ok, Cause::HostUnproved)
        );
        assert_eq!(
            (
                with(Some(Control::Host)).verdict,
                with(Some(Control::Host)).cause
            ),
            (Verdict::Ok, Cause::KeptClosed)
        );
        assert_eq!(with(Some(Control::Joined)).cause, Cause::KeptClosed);
        let cut = judge(
            Need::Forbidden,
            &silent,
            &Context {
                control: Some(Control::Host),
                cut_off: true,
                ..Context::default()
            },
        );
        assert_eq!((cut.verdict, cut.cause), (Verdict::Unknown, Cause::CutOff));
    }

    #[test]
    fn an_error_number_alone_names_no_firewall_and_proves_no_closed_door() {
        let lost = seen(without_message(Prohibition::HostUnreachable), None);
        let judged = |need, context: &Context| {
            let judgement = judge(need, &lost, context);
            (judgement.verdict, judgement.cause)
        };
        let nothing = Context::default();
        assert_eq!(
            judged(Need::Required, &nothing),
            (Verdict::Unknown, Cause::HostUnreachable)
        );
        assert_eq!(
            judged(Need::Forbidden, &nothing),
            (Verdict::Unknown, Cause::NoControl)
        );
        let alive = Context {
            host_answered: true,
            ..Context::default()
        };
        assert_eq!(
            judged(Need::Required, &alive),
            (Verdict::Blocked, Cause::HostUnreachable)
        );
        assert_eq!(
            judged(Need::Forbidden, &alive),
            (Verdict::Ok, Cause::KeptClosed)
        );
    }

    #[test]
    fn a_host_that_a_router_cannot_find_does_not_prove_a_closed_door() {
        let lost = seen(rejection(Prohibition::HostUnreachable), None);
        let alive = Context {
            host_answered: true,
            ..Context::default()
        };
        assert_eq!(
            judge(Need::Forbidden, &lost, &Context::default()).cause,
            Cause::HostUnproved
        );
        assert_eq!(
            judge(Need::Forbidden, &lost, &alive).cause,
            Cause::KeptClosed
        );
    }

    #[test]
    fn nothing_is_said_of_a_network_that_does_not_answer() {
        let dead = Context {
            nothing_answered: true,
            ..Context::default()
        };
        for need in [Need::Required, Need::Forbidden] {
            for state in [
                State::Filtered,
                State::Silent,
                State::NotTried(NotTried::Interrupted),
            ] {
                assert_eq!(
                    judge(need, &seen(state, None), &dead).cause,
                    Cause::NothingAnswered
                );
            }
            for (why, cause) in [
                (NotTried::NotAllowed, Cause::NotAllowed),
                (NotTried::AgentLost, Cause::AgentLost),
            ] {
                let untried = seen(State::NotTried(why), None);
                assert_eq!(judge(need, &untried, &dead).cause, cause);
            }
        }
    }

    #[test]
    fn a_request_that_arrived_and_has_no_answer_is_blocked_on_the_way_back() {
        let arrived = Context {
            request_arrived: true,
            between_zones: true,
            cut_off: true,
            ..Context::default()
        };
        let of = |need, state| judge(need, &seen(state, None), &arrived);
        for state in [State::Filtered, State::Silent] {
            let required = of(Need::Required, state.clone());
            assert_eq!(
                (required.verdict, required.cause, required.level),
                (Verdict::Blocked, Cause::AnswerLost, Level::Error)
            );
            let forbidden = of(Need::Forbidden, state.clone());
            assert_eq!(
                (forbidden.verdict, forbidden.cause, forbidden.level),
                (Verdict::Exposed, Cause::AnswerLost, Level::Warning)
            );
            assert_eq!(of(Need::Optional, state).verdict, Verdict::Ok);
        }
        assert_eq!(of(Need::Required, State::Open).cause, Cause::Interrupted);
    }

    #[test]
    fn a_listeners_proof_decides_whatever_opens_every_door() {
        let proved = Observation {
            painted: Some(Painted::EveryPort {
                tried: 3,
                opened: 3,
            }),
            listener: Some(Box::new(crate::observation::Listener {
                system: "ibs01".to_string(),
                seen_from: ([198, 51, 100, 10], 4_000).into(),
                accepted_at: ([192, 0, 2, 10], 443).into(),
                sent_from: None,
                aimed_at: None,
                port: 443,
                run: String::new(),
            })),
            ..seen(State::Open, Some(Service::Listener))
        };
        let (right, wrong) = (
            Context::default(),
            Context {
                wrong_listener: true,
                ..Context::default()
            },
        );
        for (need, context, verdict, cause) in [
            (Need::Required, right, Verdict::Ok, Cause::ListenerAnswered),
            (Need::Required, wrong, Verdict::Wrong, Cause::WrongListener),
            (Need::Optional, right, Verdict::Ok, Cause::ListenerAnswered),
            (Need::Optional, wrong, Verdict::Ok, Cause::OtherService),
            (Need::Forbidden, right, Verdict::Exposed, Cause::Open),
            (Need::Forbidden, wrong, Verdict::Exposed, Cause::Open),
        ] {
            let judged = judge(need, &proved, &context);
            assert_eq!((judged.verdict, judged.cause), (verdict, cause));
        }
        let range = Observation {
            rpc_range: Some(RpcRange::Passes),
            ..proved.clone()
        };
        let judged = judge(Need::Required, &range, &right);
        assert_eq!(judged.cause, Cause::ListenerAnswered);
        let split = Observation {
            source_ports: Some(crate::observation::SourcePorts {
                tried: 16,
                open: 8,
                blocked: 8,
                ..Default::default()
            }),
            ..proved
        };
        let judged = judge(Need::Required, &split, &right);
        assert_eq!(judged.cause, Cause::Intermittent);
    }

    #[test]
    fn a_late_word_on_a_host_blames_a_rule_only_where_the_host_surely_lives() {
        let rejection = Rejection {
            says: Prohibition::HostUnreachable,
            icmp_type: Some(3),
            icmp_code: Some(1),
            by: Some(std::net::IpAddr::from([192, 0, 2, 254])),
            ttl: None,
        };
        let late = Observation {
            slow_rejection: true,
            ..seen(State::Rejected(rejection), None)
        };
        let of = |host_alive| {
            let context = Context {
                host_answered: true,
                host_alive,
                ..Context::default()
            };
            judge(Need::Required, &late, &context).verdict
        };
        // A device may have opened a port in its place.
        assert_eq!(of(false), Verdict::Unknown);
        assert_eq!(of(true), Verdict::Blocked);
    }

    #[test]
    fn who_sees_to_a_split_port_depends_on_how_its_other_connections_failed() {
        let of = |reset| {
            let split = Observation {
                source_ports: Some(crate::observation::SourcePorts {
                    tried: 16,
                    open: 11,
                    blocked: 5,
                    reset,
                    ..Default::default()
                }),
                ..seen(State::Open, Some(Service::Spoke))
            };
            let judged = judge(Need::Required, &split, &Context::default());
            (judged.cause, judged.owner)
        };
        let (firewall, server_first) = (Owner::Firewall, Owner::ServerThenFirewall);
        assert_eq!(of(0), (Cause::Intermittent, Some(firewall)));
        assert_eq!(of(5), (Cause::Intermittent, Some(server_first)));
    }

    #[test]
    fn silence_is_the_firewalls_only_where_the_server_cannot_have_done_it() {
        let silent = seen(State::Filtered, None);
        let of = |host_answered, zone, dropped| {
            let context = Context {
                host_answered,
                zone,
                dropped,
                ..Context::default()
            };
            let judgement = judge(Need::Required, &silent, &context);
            assert_eq!(judgement.verdict, Verdict::Blocked);
            (
                judgement.cause,
                judgement.owner.expect("somebody has to act"),
            )
        };
        let (firewall, server_first) = (Owner::Firewall, Owner::ServerThenFirewall);
        let (no, one, several) = (
            ZoneSilence::No,
            ZoneSilence::OneHost,
            ZoneSilence::SeveralHosts,
        );
        for (host_answered, zone, dropped, cause, owner) in [
            (true, no, DroppedAt::Unknown, Cause::NoAnswer, firewall),
            (
                true,
                no,
                DroppedAt::BehindFirewalls,
                Cause::NoAnswer,
                server_first,
            ),
            (
                false,
                no,
                DroppedAt::Unknown,
                Cause::HostSilent,
                server_first,
            ),
            (
                false,
                no,
                DroppedAt::FirewallOrHost,
                Cause::HostSilent,
                server_first,
            ),
            (false, no, DroppedAt::Firewall, Cause::HostSilent, firewall),
            (
                false,
                one,
                DroppedAt::FirewallOrHost,
                Cause::NothingPasses,
                server_first,
            ),
            (
                false,
                several,
                DroppedAt::FirewallOrHost,
                Cause::NothingPasses,
                firewall,
            ),
            (
                false,
                several,
                DroppedAt::Unknown,
                Cause::NothingPasses,
                server_first,
            ),
        ] {
            assert_eq!(
                of(host_answered, zone, dropped),
                (cause, owner),
                "{zone:?} {dropped:?}"
            );
        }
    }

    #[test]
    fn an_open_port_that_nothing_needs_is_a_warning_inside_one_zone_and_the_servers() {
        let open = seen(State::Open, Some(Service::Spoke));
        let of = |between_zones, mildly_forbidden| {
            let context = Context {
                between_zones,
                mildly_forbidden,
                ..Context::default()
            };
            let judgement = judge(Need::Forbidden, &open, &context);
            assert_eq!(judgement.verdict, Verdict::Exposed);
            (judgement.level, judgement.owner)
        };
        assert_eq!(of(false, true), (Level::Warning, Some(Owner::Server)));
        assert_eq!(of(true, true), (Level::Warning, Some(Owner::Firewall)));
        assert_eq!(of(true, false), (Level::Error, Some(Owner::Firewall)));
    }

    #[test]
    fn a_port_that_no_longer_answers_makes_its_own_flow_doubtful() {
        let gone = Observation {
            went_silent: Some(jiff::Timestamp::UNIX_EPOCH),
            ..seen(State::Open, Some(Service::Spoke))
        };
        let judged = judge(Need::Required, &gone, &Context::default());
        assert_eq!(
            (judged.verdict, judged.cause, judged.level),
            (Verdict::Unknown, Cause::CutOff, Level::Warning)
        );
        let open = judge(Need::Forbidden, &gone, &Context::default());
        assert_eq!(open.verdict, Verdict::Exposed, "it was open all the same");
    }

    #[test]
    fn one_address_of_a_living_host_that_is_silent_is_not_the_host() {
        let of = |state, context: Context| {
            let judgement = judge(Need::Required, &seen(state, None), &context);
            (judgement.verdict, judgement.cause, judgement.owner)
        };
        let lives = Context {
            other_address_answered: true,
            ..Context::default()
        };
        let (cause, both) = (Cause::AddressSilent, Some(Owner::ServerThenFirewall));
        assert_eq!(of(State::Filtered, lives), (Verdict::Blocked, cause, both));
        let at_a_firewall = Context {
            dropped: DroppedAt::Firewall,
            ..lives
        };
        let firewall = (Verdict::Blocked, cause, Some(Owner::Firewall));
        assert_eq!(of(State::Filtered, at_a_firewall), firewall);
        let not_found = Context {
            host_dead: true,
            ..lives
        };
        let unreachable = rejection(Prohibition::HostUnreachable);
        let server = (Verdict::Down, cause, Some(Owner::Server));
        assert_eq!(of(unreachable, not_found), server);
    }

    #[test]
    fn silence_proves_nothing_over_a_family_in_which_nothing_came_back() {
        let context = Context {
            family_unanswered: true,
            control: Some(Control::Path),
            ..Context::default()
        };
        for need in [Need::Required, Need::Forbidden] {
            let judgement = judge(need, &seen(State::Filtered, None), &context);
            assert_eq!(
                (judgement.verdict, judgement.cause, judgement.owner),
                (
                    Verdict::Unknown,
                    Cause::FamilyUnanswered,
                    Some(Owner::Prober)
                )
            );
        }
    }

    #[test]
    fn a_certificate_is_not_blamed_for_a_date_while_the_clock_is_in_doubt() {
        let of = |service, dates| {
            let context = Context {
                dates,
                ..Context::default()
            };
            let seen = seen(State::Open, Some(service));
            let judgement = judge(Need::Required, &seen, &context);
            (judgement.verdict, judgement.cause, judgement.owner)
        };
        let expired = || Service::Certificate(CertificateFault::Expired);
        let (unknown, prober) = (Verdict::Unknown, Some(Owner::Prober));
        let off = (unknown, Cause::ClockOff, prober);
        assert_eq!(of(expired(), DateDoubt::OwnClock), off);
        let not_yet = Service::Certificate(CertificateFault::NotYetValid);
        assert_eq!(of(not_yet, DateDoubt::OwnClock), off);
        assert_eq!(
            of(Service::List(ListFault::Expired), DateDoubt::OwnClock),
            off
        );
        assert_eq!(
            of(Service::Spoke, DateDoubt::OwnClock),
            off,
            "ended, perhaps"
        );
        let differ = (unknown, Cause::ClocksDiffer, prober);
        assert_eq!(of(expired(), DateDoubt::Disputed), differ);
        let blamed = of(expired(), DateDoubt::None);
        assert_eq!(blamed.1, Cause::CertificateExpired);
        let name = Service::Certificate(CertificateFault::Name);
        assert_eq!(of(name, DateDoubt::OwnClock).1, Cause::CertificateName);
    }

    #[test]
    fn what_is_lost_after_the_handshake_is_no_mute_service() {
        use crate::observation::{Delivery, Way};
        let lost = |what: Option<Missing>| {
            let way = Way::Back;
            let delivery = Delivery {
                lost: what.map(|what| Lost { what, way }),
                ..Delivery::default()
            };
            let mute = seen(State::Open, Some(Service::Mute));
            let delivery = Some(Box::new(delivery));
            Observation { delivery, ..mute }
        };
        let of = |need, what, between_zones| {
            let context = Context {
                between_zones,
                ..Context::default()
            };
            let judgement = judge(need, &lost(what), &context);
            (judgement.verdict, judgement.cause, judgement.owner)
        };
        let (blocked, firewall) = (Verdict::Blocked, Some(Owner::Firewall));
        let data = Some(Missing::Data);
        let large = Some(Missing::Large(1_000));
        let required = |what, between| of(Need::Required, what, between);
        assert_eq!(
            required(data, true),
            (blocked, Cause::DataDropped, firewall)
        );
        assert_eq!(required(large, true), (blocked, Cause::Mtu, firewall));
        assert_eq!(required(large, false), (blocked, Cause::Mtu, firewall));
        assert_eq!(
            required(data, false),
            (blocked, Cause::DataDropped, Some(Owner::ServerThenFirewall))
        );
        let server = Some(Owner::Server);
        assert_eq!(required(None, true), (Verdict::Wrong, Cause::Mute, server));
        let optional = of(Need::Optional, large, true);
        assert_eq!(optional, (Verdict::Ok, Cause::Mtu, None));
    }

    #[test]
    fn own_trouble_is_never_blocked() {
        for &trouble in Trouble::ALL {
            assert_eq!(
                judge(
                    Need::Required,
                    &seen(State::Unreachable(trouble), None),
                    &Context::default()
                )
                .verdict,
                Verdict::Unknown
            );
        }
    }

    #[test]
    fn a_reset_by_the_host_is_down_by_either_is_blocked() {
        let reset = |reset_by| {
            judge(
                Need::Required,
                &seen(State::Closed { reset_by }, None),
                &Context::default(),
            )
        };
        assert_eq!(reset(ResetBy::Host).verdict, Verdict::Down);
        assert_eq!(
            (reset(ResetBy::Either).verdict, reset(ResetBy::Either).cause),
            (Verdict::Blocked, Cause::Reset)
        );
    }

    #[test]
    fn a_rejection_that_the_host_or_a_device_in_its_name_said_sends_both_teams() {
        let rejection = crate::observation::Rejection {
            says: Prohibition::AdminProhibited,
            icmp_type: Some(3),
            icmp_code: Some(13),
            by: Some([192, 0, 2, 12].into()),
            ttl: Some(64),
        };
        let owner = |by_the_host, perhaps_by_the_host| {
            let context = Context {
                by_the_host,
                perhaps_by_the_host,
                ..Context::default()
            };
            let rejected = seen(State::Rejected(rejection.clone()), None);
            judge(Need::Required, &rejected, &context).owner
        };
        assert_eq!(owner(true, false), Some(Owner::Server));
        assert_eq!(owner(false, true), Some(Owner::ServerThenFirewall));
        assert_eq!(owner(false, false), Some(Owner::Firewall));
    }

    #[test]
    fn a_closed_but_reachable_port_is_a_finding_only_across_zones() {
        let closed = seen(
            State::Closed {
                reset_by: ResetBy::Host,
            },
            None,
        );
        let across = judge(
            Need::Forbidden,
            &closed,
            &Context {
                between_zones: true,
                ..Context::default()
            },
        );
        assert_eq!(
            (across.verdict, across.level),
            (Verdict::Exposed, Level::Warning)
        );
        assert_eq!(
            judge(Need::Forbidden, &closed, &Context::default()).verdict,
            Verdict::Ok
        );
    }
}
