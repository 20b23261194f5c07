//! Certificates: chains that servers present, in and out of an old handshake, and the client's own in a file.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{at_most, pieces};
use crate::wire::tls::client_certificate::{self, Password};
use crate::wire::tls::old::{Reader, Recognised};
use crate::wire::trust::Trust;
use crate::wire::trust::certificate::check::{Checked, check};
use crate::wire::trust::certificate::{Digest, End, Facts, Key};
use crate::wire::trust::revocation::pointers::pointers;

/// The name that is asked for; the real chains are for it.
const NAME: &str = "ibs01.example.com";
const PASSWORD: &str = "portproof";

/// 1 December 2026, when the real chains were valid.
pub(super) fn now() -> Timestamp {
    Timestamp::constant(1_796_083_200, 0)
}

/// A chain as it was sent, one certificate after the other; the last is the root that is trusted.
pub fn certificate_chain(bytes: &[u8]) -> bool {
    let mut chain: Vec<CertificateDer<'static>> = pieces(bytes, usize::MAX)
        .into_iter()
        .map(|der| CertificateDer::from(der.to_vec()))
        .collect();
    chain.pop_if(|rest| rest.is_empty());
    for certificate in &chain {
        names_few_places(certificate);
    }
    let root: Vec<_> = chain.last().cloned().into_iter().collect();
    let checked = check(&chain, NAME, &Trust::of(&root, &[]), now());
    check_keeps_to_bounds(&checked);
    matches!(checked.path.end, End::Root { .. } | End::Undecided { .. })
}

/// What a server of old says in clear, in pieces of any size.
pub fn tls_old(bytes: &[u8]) -> bool {
    let whole = greeted(bytes, bytes.len());
    for piece in [61, 4_096] {
        assert_eq!(whole, greeted(bytes, piece));
    }
    let Some(shown) = whole.shown else {
        return false;
    };
    at_most(&shown.version, 12);
    at_most(&shown.cipher, 64);
    assert!(shown.chain.len() <= 10);
    if let Some(request) = &shown.request {
        assert!(request.authorities.len() <= 100);
        request
            .authorities
            .iter()
            .for_each(|name| at_most(name, 400));
    }
    true
}

/// The file of a client certificate, PEM or PFX, with a password and without.
pub fn client_certificate(bytes: &[u8]) -> bool {
    let provider = rustls::crypto::ring::default_provider();
    let readings = [Some(Password::new(PASSWORD)), None]
        .map(|password| client_certificate::read(bytes, password.as_ref(), &provider));
    for reading in &readings {
        match reading {
            Ok(own) => {
                facts_keep_to_bounds(&own.facts);
                assert!((1..=10).contains(&own.key.cert.len()));
            }
            Err(fault) => {
                let words = fault.says();
                at_most(&words, 400);
                assert!(!words.contains(PASSWORD), "{words}");
            }
        }
    }
    readings.iter().any(Result::is_ok)
}

fn greeted(bytes: &[u8], piece: usize) -> Recognised {
    let mut reader = Reader::default();
    let mut parts = bytes.chunks(piece.max(1));
    let ended = parts.find_map(|part| reader.take(part));
    let ending = ended.unwrap_or_else(|| reader.hung_up());
    reader.finish(ending)
}

fn names_few_places(certificate: &[u8]) {
    let Some(pointers) = pointers(certificate) else {
        return;
    };
    for kind in [&pointers.lists, &pointers.deltas, &pointers.responders] {
        assert!(kind.len() <= 16);
        assert!(kind.iter().all(|pointer| pointer.url.len() <= 2_048));
    }
}

fn check_keeps_to_bounds(checked: &Checked) {
    assert!(checked.chain.len() <= 10);
    checked.chain.iter().for_each(facts_keep_to_bounds);
    assert!(checked.path.steps.len() <= 65);
    assert!(checked.faults.len() <= 64 && checked.faults.is_sorted());
    if let Some(words) = &checked.verifier {
        at_most(words, 400);
    }
}

fn facts_keep_to_bounds(facts: &Facts) {
    at_most(&facts.subject, 400);
    at_most(&facts.issuer, 400);
    for names in [&facts.names, &facts.common_names] {
        assert!(names.len() <= 100);
        names.iter().for_each(|name| at_most(name, 253));
    }
    at_most(&facts.serial, 40);
    assert_eq!(facts.sha256.len(), 64);
    if let Key::Elliptic { curve: word } | Key::Other(word) = &facts.key {
        at_most(word, 100);
    }
    if let Digest::Unknown(word) = &facts.digest {
        at_most(word, 100);
    }
}
