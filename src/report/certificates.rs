//! What TLS showed, in the evidence of a report.

use super::document::{ClientCertificate, Interception, Tls};
use crate::observation::{self, Intercepted, Presented, TlsSeen};

pub(super) fn tls(seen: &TlsSeen) -> Tls {
    Tls {
        version: seen.version.clone(),
        cipher: seen.cipher.clone(),
        asked_for: seen.asked_for.clone(),
        key: match seen.key_proven {
            true => "proven",
            false => "presented, not proven",
        }
        .to_string(),
        by_old_client: seen.by_old_client,
        refused_clients: seen.refused_clients.clone(),
        refused_1_2: seen.refused_1_2.clone(),
        client_certificate_asked: seen.client_certificate_asked,
        client_certificate: client_certificate(seen),
        verifier: seen.verifier.clone(),
        root: seen.root.clone(),
        missing: seen.missing.clone(),
        faults: seen.faults.clone(),
        ends: seen.ends.as_ref().map(|end| end.at.clone()),
        interception: seen.interception.as_ref().map(interception),
        chain: seen.chain.clone(),
    }
}

fn client_certificate(seen: &TlsSeen) -> ClientCertificate {
    ClientCertificate {
        asked: match (seen.client_certificate_asked, seen.asked_late) {
            (true, _) => "asked in the first handshake",
            (false, true) => "asked after the request, by a new handshake",
            (false, false) => "not asked in the first handshake",
        }
        .to_string(),
        authorities: seen.authorities.clone(),
        more_authorities: seen.more_authorities,
        ours: match &seen.presented {
            Presented::NotAsked => None,
            Presented::None => Some("none".to_string()),
            Presented::Sent => Some("sent".to_string()),
            Presented::Taken => Some("taken".to_string()),
            Presented::Refused(alert) => Some(format!("refused: {alert}")),
            Presented::HungUp => Some("hung-up".to_string()),
        },
        subject: seen.shown.as_ref().map(|shown| shown.subject.clone()),
        issuers: seen
            .shown
            .as_ref()
            .map_or_else(Vec::new, |shown| shown.issuers.clone()),
        other_issuer: seen.takes_no_such_issuer(),
    }
}

fn interception(seen: &observation::Interception) -> Interception {
    use observation::Interception::{No, Proved, Suspected, Undecided};
    let pinned = "the certificate is another than the pinned one, and does not lead to an \
        authority that the file names";
    let (is, by, because) = match seen {
        No(ground) => (Intercepted::No, None, *ground),
        Proved { by } => (Intercepted::Proved, Some(by.clone()), pinned),
        Suspected { by, sign } => (Intercepted::Suspected, Some(by.clone()), *sign),
        Undecided(why) => (Intercepted::Undecided, None, *why),
    };
    Interception {
        is,
        by,
        because: because.to_string(),
    }
}
