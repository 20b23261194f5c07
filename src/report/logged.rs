//! What a client of the site writes into its logs about a finding, in the catalogue's words.

use super::document::Logged;
use crate::catalogue::{Catalogue, Need, Outcome, Role};
use crate::observation::{
    CertificateFault, Ends, HttpSeen, Meddled, Observation, Service, State, Unresolved,
};
use crate::plan::{self, Flow, Target};
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
    let by_clients = matches!(flow.from, Origin::Zone(zone) if site.clients.contains(&zone));
    let fails = matches!(
        judgement.verdict,
        Verdict::Blocked | Verdict::Down | Verdict::Wrong
    );
    let (Some(seen), true) = (seen, by_clients && fails && flow.need != Need::Forbidden) else {
        return Vec::new();
    };
    let roles = plan::roles(site, catalogue, flow);
    let is_list = matches!(flow.to, Target::Crl(_)) || roles.contains(&Role::CrlDistributionPoint);
    let outcome = match is_list {
        true => Some(Outcome::RevocationUnreachable),
        false if roles.is_empty() => None,
        false => outcome(seen, judgement.cause),
    };
    let Some(outcome) = outcome else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for error in catalogue.logged_after(outcome) {
        let theirs = error.roles.is_empty() || error.roles.iter().any(|role| roles.contains(role));
        if !is_list && !theirs {
            continue;
        }
        let entry = |log: Option<&crate::catalogue::Log>| Logged {
            log: log.map(|log| log.file.clone()),
            code: error.shows.clone(),
            words: error.words(),
            confidence: log
                .map_or(error.confidence, |log| log.confidence.max(error.confidence))
                .to_string(),
        };
        if error.logs.is_empty() {
            all.push(entry(None));
        }
        all.extend(error.logs.iter().map(|log| entry(Some(log))));
    }
    all
}

/// What a client meets; `None` where clients are not known to say anything of it.
fn outcome(seen: &Observation, cause: Cause) -> Option<Outcome> {
    match &seen.state {
        State::Open => of_service(seen.service.as_ref()?, seen.http.as_ref(), cause),
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
        Service::ConnectedToItself => Some(Outcome::Reset),
        Service::NotAsked | Service::Listener | Service::Foreign | Service::NotHttp => None,
    }
}

fn of_certificate(fault: &CertificateFault) -> Outcome {
    match fault {
        CertificateFault::Name => Outcome::CertificateName,
        CertificateFault::Expired | CertificateFault::NotYetValid => Outcome::CertificateDate,
        CertificateFault::Untrusted => Outcome::CertificateUntrusted,
        CertificateFault::ListByLdapOnly | CertificateFault::ListByHttpsOnly => {
            Outcome::RevocationUnreachable
        }
        CertificateFault::Purpose
        | CertificateFault::Weak { .. }
        | CertificateFault::Revoked
        | CertificateFault::Other(_) => Outcome::TlsFailed,
    }
}

/// What a client meets at a web server that answers its root page.
fn of_http(http: &HttpSeen, cause: Cause) -> Option<Outcome> {
    let is_it = |what: Meddled| match what {
        Meddled::Verb(_) => cause == Cause::VerbBlocked,
        Meddled::Header => cause == Cause::HeaderBlocked,
        Meddled::Downgraded | Meddled::Announced | Meddled::NotCompared => false,
    };
    if cause == Cause::WrongRole {
        return Some(Outcome::HttpError);
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
