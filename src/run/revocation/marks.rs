//! The certificates that the flows showed, and what their lists, and the addresses of these, mean for such flows.

use super::super::{Run, intermediates};
use super::MOST;
use crate::observation::{CertificateFault, ChainFault, Service, TlsSeen, Weight};
use crate::plan::{Owner, Target};
use crate::product::Need;
use crate::verdict::Seen;
use crate::wire::trust::revocation::certified::{Certified, certified};
use crate::wire::trust::revocation::pointers::{Reach, Unfit, is_ldap_first, unfit};

/// From where clients of this zone look.
pub(super) fn reach(run: &Run) -> Reach {
    match Some(run.place.zone) == run.file.site.internet {
        true => Reach::Internet,
        false => Reach::Intranet,
    }
}

/// The certificates that this zone's own flows showed, on chains that lead to a trusted root; each once.
pub(super) fn certificates(run: &Run, all: &[Seen]) -> Vec<Certified> {
    // Whether the certificates of a service of others are revoked is for these to say.
    let own = all.iter().filter(|seen| {
        seen.owner == Owner::Vantage
            && seen.flow.need != Need::Forbidden
            && !matches!(seen.flow.to, Target::Service(_))
    });
    let chains = own
        .flat_map(|seen| &seen.observations)
        .filter_map(|observation| observation.tls.as_ref());
    let mut found: Vec<Certified> = Vec::new();
    for chain in chains {
        let whole = intermediates::chain(chain, run.trust.fetched());
        let whole: Vec<Vec<u8>> = whole.iter().map(|der| der.to_vec()).collect();
        for one in certified(&whole, &run.roots) {
            if found.len() < MOST && !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// Marks flows whose certificates name lists that clients of this zone cannot ask for.
pub(super) fn note_unfit(run: &Run, certificates: &[Certified], all: &mut [Seen]) {
    let reach = reach(run);
    for one in certificates {
        if reach == Reach::Internet && is_ldap_first(&one.pointers) {
            note_ldap_first(all, one);
        }
        let fault = match unfit(&one.pointers, reach).first() {
            Some(Unfit::LdapOnly) => CertificateFault::ListByLdapOnly,
            Some(Unfit::NoHttp) => CertificateFault::ListByHttpsOnly,
            // Clients pass over a certificate that names no list, and over addresses beside one that serves.
            Some(Unfit::NoPointer | Unfit::Https { .. }) | None => continue,
        };
        mark(all, &[one], &fault);
    }
}

/// Says of the flows that showed a certificate that its clients wait for a directory first.
fn note_ldap_first(all: &mut [Seen], certificate: &Certified) {
    let words = format!(
        "{}: an LDAP address stands first among those of its revocation list, so clients on the \
         Internet wait for it in vain before they ask the one over HTTP",
        certificate.subject
    );
    let observations = all.iter_mut().flat_map(|seen| &mut seen.observations);
    for tls in observations.filter_map(|seen| seen.tls.as_mut()) {
        let known = tls.faults.iter().any(|fault| fault.words == words);
        if shows(tls, certificate) && !known {
            tls.faults.push(ChainFault {
                weight: Weight::Note,
                words: words.clone(),
            });
        }
    }
}

/// Gives a fault to the flows that showed one of these certificates, unless they have a worse one.
pub(super) fn mark(all: &mut [Seen], certificates: &[&Certified], fault: &CertificateFault) {
    let own = all
        .iter_mut()
        .filter(|seen| seen.owner == Owner::Vantage && seen.flow.need != Need::Forbidden);
    for observation in own.flat_map(|seen| &mut seen.observations) {
        let shown = observation
            .tls
            .as_ref()
            .is_some_and(|tls| certificates.iter().any(|one| shows(tls, one)));
        let lighter = match &observation.service {
            Some(Service::Spoke | Service::TlsTooOld) => true,
            Some(Service::Certificate(light)) if light.is_light() => true,
            Some(Service::Certificate(
                CertificateFault::ListByLdapOnly | CertificateFault::ListByHttpsOnly,
            )) => *fault == CertificateFault::Revoked,
            _ => false,
        };
        if shown && lighter {
            observation.service = Some(Service::Certificate(fault.clone()));
        }
    }
}

pub(super) fn shows(tls: &TlsSeen, one: &Certified) -> bool {
    tls.der.iter().any(|der| one.der.as_ref() == der.as_slice())
}
