//! What an open port said, and what shows that a device opened it, in words.

use crate::observation::{
    CertificateFault, DeltaFault, ListFault, Observation, Painted, Service, Speaks,
};

/// What an open port said, as the rest of a sentence; `None` where it said what it should.
pub(super) fn said(seen: &Observation) -> Option<String> {
    match seen.speaks {
        Some(Speaks::Tls) => Some("speaks TLS, and plain HTTP is needed".to_string()),
        Some(Speaks::Http) => Some("speaks plain HTTP, and TLS is needed".to_string()),
        None => seen.service.as_ref().and_then(by_service),
    }
}

fn by_service(service: &Service) -> Option<String> {
    let text = match service {
        Service::NotAsked | Service::Spoke | Service::Listener => return None,
        Service::Mute => "accepted the connection and said nothing, or not enough, in time",
        Service::HungUp => "accepted the connection and closed it without a word",
        Service::ResetAtOnce => "accepted the connection and reset it at once",
        Service::HungUpInHandshake => "closed the connection in the middle of the TLS handshake",
        Service::NotTls => "answered, but not in TLS",
        Service::TlsAlert(alert) => {
            return Some(format!("refused the TLS handshake with the alert {alert}"));
        }
        Service::TlsTooOld => "speaks TLS in which no handshake of this program with it came about",
        Service::Foreign => "answered, but not in the protocol that is needed",
        Service::TlsOnlyWithoutName => {
            "shakes hands only with whoever asks for no name (SNI), and refuses the name"
        }
        Service::Certificate(fault) => certificate(fault),
        Service::Intercepted => "showed another certificate than its own",
        Service::List(fault) => return Some(served(fault)),
        Service::NotHttp => "answered, but not in HTTP",
        Service::InterimOnly => "answered with an interim HTTP status (1xx), and no final one came",
        Service::ServerError(status) => return Some(format!("answered with HTTP status {status}")),
        Service::WantsCertificate => {
            "asked for a client certificate and ended the connection before it said what it has"
        }
        Service::ConnectedToItself => "the connection went from this host to itself",
    };
    Some(text.to_string())
}

fn certificate(fault: &CertificateFault) -> &'static str {
    match fault {
        CertificateFault::Name
        | CertificateFault::Expired
        | CertificateFault::RootExpired
        | CertificateFault::NotYetValid
        | CertificateFault::Untrusted
        | CertificateFault::Purpose
        | CertificateFault::Other(_) => "showed a certificate that a client refuses",
        CertificateFault::NoIssuer | CertificateFault::Incomplete => {
            "showed a certificate without that of its issuer"
        }
        CertificateFault::Weak => {
            "showed a certificate that Windows clients take and modern libraries refuse"
        }
        CertificateFault::Undecided => {
            "showed a certificate of which it is not known here whether Windows clients take it"
        }
        CertificateFault::TooLarge => {
            "sent a message of the TLS handshake that is larger than Windows clients read, as a \
             rule too many certificates"
        }
        CertificateFault::Revoked => "showed a certificate that its revocation list names",
        CertificateFault::ListByLdapOnly => {
            "showed a certificate whose revocation list is to be had by LDAP only"
        }
        CertificateFault::ListByHttpsOnly => {
            "showed a certificate whose revocation list is not to be had by plain HTTP"
        }
    }
}

fn served(fault: &ListFault) -> String {
    match fault {
        ListFault::Invalid => "served what is no revocation list of the authority".to_string(),
        ListFault::TooLarge => "served a revocation list that is too large".to_string(),
        ListFault::Expired => "served a revocation list that is out of date".to_string(),
        ListFault::NotYetValid => "served a revocation list from the future".to_string(),
        ListFault::Redirected => "sent elsewhere for the revocation list".to_string(),
        ListFault::Missing(status) => {
            format!("answered with HTTP status {status} in place of the revocation list")
        }
        ListFault::Delta(DeltaFault::Invalid) => {
            "served a delta list that does not go with its base list".to_string()
        }
        ListFault::Delta(DeltaFault::Expired) => {
            "served a delta list that is out of date".to_string()
        }
        ListFault::Delta(DeltaFault::Missing) => {
            "did not serve the delta list that another list or a certificate names".to_string()
        }
    }
}

/// What shows that a device answered in the place of the host.
pub(super) fn painted(painted: Painted) -> String {
    match painted {
        Painted::EveryPort { tried, opened } => {
            format!("{opened} of {tried} ports that nobody uses opened too")
        }
        Painted::BeforeHost { hop, beyond } => format!(
            "it answered after {hop} hops, while other packets to this address went beyond hop \
             {beyond}"
        ),
        Painted::TooQuick { took_ms, host_ms } => format!(
            "it answered after {took_ms} ms, and the host itself takes {host_ms} ms at the least"
        ),
        Painted::HostIsDead => {
            "a router looked for this host and did not find it, and yet the port opened".to_string()
        }
        Painted::ResetAfterAccept => {
            "the connection was accepted and reset before a word was said".to_string()
        }
        Painted::Swept => {
            "a device opened these: ports that nobody uses opened too, or they were reset at once"
                .to_string()
        }
    }
}
