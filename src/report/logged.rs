//! What a client of the site writes into its logs about a finding, in the catalogue's words.

use std::collections::BTreeSet;

use super::document::Logged;
use crate::observation::{
    CertificateFault, Ends, HttpSeen, Meddled, Observation, Service, State, Unresolved,
};
use crate::plan::{self, Flow, Target};
use crate::product::{Catalogue, ClientError, Need, Outcome, Protocol, Role};
use crate::site::{Origin, Site};
use crate::verdict::{Cause, Judgement, Verdict};

/// The entries for one flow: none where nothing is wrong, or where no client starts it.
pub(super) fn logged(
    site: &Site,
    catalogue: &Catalogue,
    flow: &Flow,
    seen: Option<&Observation>,
    judgement: &Judgement,
) -> Vec<Logged> {
    let fails = matches!(
        judgement.verdict,
        Verdict::Blocked | Verdict::Down | Verdict::Wrong
    );
    let (Some(seen), true) = (seen, fails && is_of_clients(site, flow)) else {
        return Vec::new();
    };
    let end = End::of(site, catalogue, flow);
    let outcome = match end.is_list {
        true => Some(Outcome::RevocationUnreachable),
        false if end.roles.is_empty() => None,
        false => outcome(seen, judgement.cause),
    };
    let Some(outcome) = outcome else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for error in end.errors(catalogue, outcome) {
        let entry = |log: Option<&crate::product::Log>| Logged {
            log: log.map(|log| log.file.clone()),
            code: error.shows.clone(),
            words: error.words(),
            confidence: log.map_or(error.confidence, |log| log.confidence.max(error.confidence)),
        };
        if error.logs.is_empty() {
            all.push(entry(None));
        }
        all.extend(error.logs.iter().map(|log| entry(Some(log))));
    }
    all
}

/// What clients log about a flow by what goes wrong, before anything is known of it: none where no client starts it.
pub fn may_log(site: &Site, catalogue: &Catalogue, flow: &Flow) -> Vec<(Outcome, Vec<String>)> {
    let end = End::of(site, catalogue, flow);
    if !is_of_clients(site, flow) || (end.roles.is_empty() && !end.is_list) {
        return Vec::new();
    }
    let can_meet = |outcome: &Outcome| match end.is_list {
        true => *outcome == Outcome::RevocationUnreachable,
        false => speaks_of(flow.protocol, *outcome),
    };
    let outcomes = Outcome::ALL.iter().copied().filter(can_meet);
    let words = outcomes.map(|outcome| {
        let words = end.errors(catalogue, outcome).map(ClientError::words);
        (outcome, words.collect::<Vec<_>>())
    });
    words.filter(|(_, words)| !words.is_empty()).collect()
}

/// Whether what is spoken on a flow can fail in this way.
fn speaks_of(protocol: Protocol, outcome: Outcome) -> bool {
    let tls = matches!(protocol, Protocol::Tls | Protocol::Https);
    let http = matches!(protocol, Protocol::Http | Protocol::Https);
    match outcome {
        Outcome::Silence | Outcome::Reset | Outcome::NoSuchName | Outcome::Aborted => true,
        Outcome::ClientCertificateWanted
        | Outcome::CertificateName
        | Outcome::CertificateDate
        | Outcome::CertificateUntrusted
        | Outcome::RevocationUnreachable
        | Outcome::TlsFailed => tls,
        Outcome::HttpUnauthorized | Outcome::HttpForbidden | Outcome::HttpError => http,
    }
}

fn is_of_clients(site: &Site, flow: &Flow) -> bool {
    let from_clients = matches!(flow.from, Origin::Zone(zone) if site.clients.contains(&zone));
    from_clients && flow.need != Need::Forbidden
}

/// What clients look for at the end of a flow.
struct End {
    roles: BTreeSet<Role>,
    /// A revocation list: whatever fails, clients say the same of it.
    is_list: bool,
}

impl End {
    fn of(site: &Site, catalogue: &Catalogue, flow: &Flow) -> Self {
        let roles = plan::roles(site, catalogue, flow);
        let is_list =
            matches!(flow.to, Target::Host(_)) || roles.contains(&Role::CrlDistributionPoint);
        Self { roles, is_list }
    }

    fn errors<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        outcome: Outcome,
    ) -> impl Iterator<Item = &'a ClientError> {
        let theirs = |error: &ClientError| {
            let mut roles = error.roles.iter();
            error.roles.is_empty() || roles.any(|role| self.roles.contains(role))
        };
        let all = catalogue.logged_after(outcome);
        all.filter(move |error| self.is_list || theirs(error))
    }
}

/// What a client meets; `None` where clients are not known to say anything of it.
fn outcome(seen: &Observation, cause: Cause) -> Option<Outcome> {
    match &seen.state {
        State::Open => of_service(seen.service.as_ref()?, seen.http.as_deref(), cause),
        State::Closed { .. } => Some(Outcome::Reset),
        State::Filtered => Some(Outcome::Silence),
        State::Unresolved(Unresolved::NoSuchName) => Some(Outcome::NoSuchName),
        State::Unresolved(_)
        | State::Rejected(_)
        | State::Silent
        | State::Unreachable(_)
        | State::Stopped(_)
        | State::NotTried(_) => None,
    }
}

fn of_service(service: &Service, http: Option<&HttpSeen>, cause: Cause) -> Option<Outcome> {
    match service {
        Service::Spoke => of_http(http?, cause),
        Service::Mute => Some(Outcome::Silence),
        Service::HungUp | Service::ResetAtOnce | Service::HungUpInHandshake => {
            Some(Outcome::Aborted)
        }
        Service::NotTls
        | Service::TlsAlert(_)
        | Service::TlsTooOld
        | Service::TlsOnlyWithoutName => Some(Outcome::TlsFailed),
        Service::Certificate(fault) => Some(of_certificate(fault)),
        Service::Intercepted => Some(Outcome::CertificateUntrusted),
        // A list that is of no use is to clients like one that cannot be had.
        Service::List(_) => Some(Outcome::RevocationUnreachable),
        Service::ServerError(_) => Some(Outcome::HttpError),
        Service::WantsCertificate => Some(Outcome::ClientCertificateWanted),
        Service::ConnectedToItself => Some(Outcome::Reset),
        Service::NotAsked
        | Service::Listener
        | Service::Foreign
        | Service::NotHttp
        | Service::InterimOnly => None,
    }
}

fn of_certificate(fault: &CertificateFault) -> Outcome {
    match fault {
        CertificateFault::Name => Outcome::CertificateName,
        CertificateFault::Expired
        | CertificateFault::RootExpired
        | CertificateFault::NotYetValid => Outcome::CertificateDate,
        CertificateFault::Untrusted | CertificateFault::NoIssuer | CertificateFault::Incomplete => {
            Outcome::CertificateUntrusted
        }
        CertificateFault::ListByLdapOnly | CertificateFault::ListByHttpsOnly => {
            Outcome::RevocationUnreachable
        }
        CertificateFault::Purpose
        | CertificateFault::Weak
        | CertificateFault::Undecided
        | CertificateFault::Revoked
        | CertificateFault::TooLarge
        | CertificateFault::Other(_) => Outcome::TlsFailed,
    }
}

/// What a client meets at a web server that answers its root page.
fn of_http(http: &HttpSeen, cause: Cause) -> Option<Outcome> {
    let is_it = |what: Meddled| match what {
        Meddled::Verb => cause == Cause::VerbBlocked,
        Meddled::Header => cause == Cause::HeaderBlocked,
        Meddled::Range
        | Meddled::Downgraded
        | Meddled::Announced
        | Meddled::NotCompared
        | Meddled::CutOff => false,
    };
    match cause {
        Cause::WrongRole | Cause::HttpServerError => return Some(Outcome::HttpError),
        Cause::ClientCertificateRefused => return Some(Outcome::HttpForbidden),
        _ => {}
    }
    let ends = http.meddling.iter().find(|it| is_it(it.what))?.ends?;
    Some(match ends {
        Ends::Status(401) => Outcome::HttpUnauthorized,
        Ends::Status(403) => Outcome::HttpForbidden,
        Ends::Status(_) => Outcome::HttpError,
        Ends::BrokenOff => Outcome::Aborted,
        Ends::Silent => Outcome::Silence,
    })
}
