//! Who signed whom: the ways from the first certificate of a chain to a root.
//!
//! A step is taken only over a signature that was checked, and only to a certificate that may issue others. Certificates
//! of one name may lead different ways (a renewed authority, a cross-signed one), so all ways are found, within bounds;
//! `check` weighs them. Dates, purposes and constraints are its business. Signatures that modern verifiers no longer take
//! (SHA-1, short keys) count here.

use std::collections::HashMap;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::authority::{Unfit, unfit};
use super::roots::{Kind, Root, Roots};
use super::signature::{Signature, signed};
use super::{MOST_SENT, read, text};

/// The most signatures that are computed for one chain: a hostile one may hold many certificates of one name.
const MOST_SIGNATURES: usize = 64;
/// The most certificates that are looked at on all ways together.
const MOST_CLIMBS: usize = 256;

/// A way from a leaf upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// The certificates of the chain that are on it, by their places as sent, leaf first.
    pub(crate) steps: Vec<usize>,
    /// Where it ends.
    pub(crate) end: End,
}

/// Where a way from a leaf upwards ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At a root that is trusted.
    Root {
        /// Its subject.
        subject: String,
        /// Who names it.
        kind: Kind,
        /// When it ends itself: some verifiers pass over that, Windows does not.
        until: Option<Timestamp>,
        /// Its certificate, where it stands above the last step; `None`: the last step is the root.
        above: Option<CertificateDer<'static>>,
    },
    /// At a certificate that signed itself, and that nobody trusts.
    UnknownRoot {
        /// Its subject.
        subject: String,
    },
    /// The issuer of the last step was neither sent nor is it a root.
    NoIssuer {
        /// Its name.
        issuer: String,
    },
    /// There is a certificate of the issuer's name, but its key did not sign.
    Forged {
        /// The issuer's name.
        issuer: String,
    },
    /// The issuer signed, and may not: its certificate is not an authority's, or not for signing certificates.
    UnfitIssuer {
        /// The issuer's name.
        issuer: String,
        /// Why.
        why: Unfit,
    },
    /// There is a certificate of the issuer's name; whether its key signed cannot be computed here.
    Undecided {
        /// The issuer's name.
        issuer: String,
    },
    /// The chain is longer, or has more certificates of one name, than is looked at.
    TooMuch,
    /// The first certificate cannot be read, or there is none.
    Unreadable,
}

impl End {
    /// Whether it is at a root that is trusted.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Root { .. })
    }

    /// Whether the root is another certificate than the last step.
    fn is_above(&self) -> bool {
        matches!(self, Self::Root { above: Some(_), .. })
    }
}

/// Follows the signatures from the first certificate of a chain as far as they lead. It goes to a trusted root where
/// one way does, else the longest way.
pub(crate) fn leads_to(chain: &[CertificateDer<'_>], roots: &Roots) -> Path {
    let mut best: Option<Path> = None;
    for path in ways(chain, roots) {
        if path.end.is_root() {
            return path;
        }
        if best
            .as_ref()
            .is_none_or(|best| best.steps.len() < path.steps.len())
        {
            best = Some(path);
        }
    }
    best.unwrap_or(Path {
        steps: Vec::new(),
        end: End::Unreadable,
    })
}

/// Every way from the first certificate of a chain upwards, at least one.
pub(super) fn ways(chain: &[CertificateDer<'_>], roots: &Roots) -> Vec<Path> {
    let parse = |der| {
        X509Certificate::from_der(der)
            .ok()
            .map(|(_, parsed)| parsed)
    };
    let bounded = chain.iter().take(MOST_SENT);
    let sent: Vec<_> = bounded.map(|der| parse(der.as_ref())).collect();
    let Some(Some(_)) = sent.first() else {
        return vec![Path {
            steps: Vec::new(),
            end: End::Unreadable,
        }];
    };
    let mut search = Search {
        sent: &sent,
        roots,
        computed: HashMap::new(),
        climbs_left: MOST_CLIMBS,
        cut_short: chain.len() > MOST_SENT,
        found: Vec::new(),
    };
    search.climb(vec![0]);
    let Search {
        mut found,
        cut_short,
        ..
    } = search;
    if cut_short && !found.iter().any(|path| path.end.is_root()) {
        found.iter_mut().for_each(|path| path.end = End::TooMuch);
    }
    found
}

/// An issuer: one of the certificates that were sent, or a root, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Issuer {
    Sent(usize),
    Root(usize),
}

struct Search<'a> {
    sent: &'a [Option<X509Certificate<'a>>],
    roots: &'a Roots,
    /// The signatures that were computed: of the certificate that was sent, by the issuer.
    computed: HashMap<(usize, Issuer), Signature>,
    climbs_left: usize,
    /// Whether not everything was looked at.
    cut_short: bool,
    found: Vec<Path>,
}

impl<'a> Search<'a> {
    /// Finds every way on from the last of these steps.
    fn climb(&mut self, steps: Vec<usize>) {
        let sent = self.sent;
        let place = steps.last().copied().unwrap_or_default();
        let Some(at) = sent.get(place).and_then(Option::as_ref) else {
            return;
        };
        if self.climbs_left == 0 {
            self.cut_short = true;
            return;
        }
        self.climbs_left -= 1;
        if let Some(end) = self.is_root(at)
            && (place > 0 || !end.is_above())
        {
            self.found.push(Path { steps, end });
            return;
        }
        let mut doubt = None;
        let mut went_on = self.up_to_roots(at, &steps, &mut doubt);
        for (number, issuer) in sent.iter().enumerate() {
            let Some(issuer) = issuer else { continue };
            let known = |step: &usize| sent[*step].as_ref().is_some_and(|it| is_same(it, issuer));
            if issuer.subject().as_raw() != at.issuer().as_raw() || steps.iter().any(known) {
                continue;
            }
            // A root that was sent too stands above already.
            if went_on && self.is_root(issuer).is_some() {
                continue;
            }
            if self.signed_by(place, at, (Issuer::Sent(number), issuer), &mut doubt) {
                went_on = true;
                self.climb([steps.as_slice(), &[number]].concat());
            }
        }
        if !went_on {
            let end = self.dead_end(place, at, doubt);
            self.found.push(Path { steps, end });
        }
    }

    /// The trusted root that a certificate is.
    fn is_root(&self, at: &X509Certificate<'_>) -> Option<End> {
        let found = self.roots.of(at.subject().as_raw()).find(|root| {
            let parsed = X509Certificate::from_der(&root.der);
            parsed.is_ok_and(|(_, root)| root.public_key().raw == at.public_key().raw)
        })?;
        let is_it = X509Certificate::from_der(&found.der)
            .is_ok_and(|(_, root)| root.as_ref() == at.as_ref());
        // Of several certificates of a root the one that is trusted counts, not the one that was sent.
        end_at(found, !is_it)
    }

    /// Adds a way to each root that signed a certificate; whether there is any.
    fn up_to_roots(
        &mut self,
        at: &X509Certificate<'_>,
        steps: &[usize],
        doubt: &mut Option<Doubt>,
    ) -> bool {
        let place = steps.last().copied().unwrap_or_default();
        let roots = self.roots;
        let mut any = false;
        for (number, root) in roots.numbered(at.issuer().as_raw()) {
            let Ok((_, parsed)) = X509Certificate::from_der(&root.der) else {
                continue;
            };
            // A certificate that signed itself is trusted only when it is the trusted one.
            if !is_same(at, &parsed)
                && self.signed_by(place, at, (Issuer::Root(number), &parsed), doubt)
                && let Some(end) = end_at(root, true)
            {
                let steps = steps.to_vec();
                self.found.push(Path { steps, end });
                any = true;
            }
        }
        any
    }

    /// Whether a certificate of the issuer's name signed and may; what speaks against it is kept as a doubt.
    fn signed_by(
        &mut self,
        place: usize,
        at: &X509Certificate<'_>,
        (number, issuer): (Issuer, &X509Certificate<'_>),
        doubt: &mut Option<Doubt>,
    ) -> bool {
        let signature = self.signature(place, at, number, issuer);
        let unfit = unfit(issuer, matches!(number, Issuer::Root(_)));
        let new = match (signature, unfit) {
            (Signature::Good, None) => return true,
            (Signature::Good, Some(why)) => Doubt::Unfit(why),
            (Signature::Bad, _) => Doubt::Forged,
            (Signature::Undecided, _) => Doubt::Undecided,
        };
        *doubt = (*doubt).max(Some(new));
        false
    }

    fn signature(
        &mut self,
        place: usize,
        at: &X509Certificate<'_>,
        number: Issuer,
        issuer: &X509Certificate<'_>,
    ) -> Signature {
        if let Some(known) = self.computed.get(&(place, number)) {
            return *known;
        }
        if self.computed.len() >= MOST_SIGNATURES {
            self.cut_short = true;
            return Signature::Undecided;
        }
        let signature = signature_of(at, issuer);
        self.computed.insert((place, number), signature);
        signature
    }

    /// Where a way ends that leads no further.
    fn dead_end(&mut self, place: usize, at: &X509Certificate<'_>, doubt: Option<Doubt>) -> End {
        let signed_itself = at.subject().as_raw() == at.issuer().as_raw()
            && self.signature(place, at, Issuer::Sent(place), at) != Signature::Bad;
        if signed_itself {
            let subject = text(at.subject());
            return End::UnknownRoot { subject };
        }
        let issuer = text(at.issuer());
        match doubt {
            None => End::NoIssuer { issuer },
            Some(Doubt::Undecided) => End::Undecided { issuer },
            Some(Doubt::Unfit(why)) => End::UnfitIssuer { issuer, why },
            Some(Doubt::Forged) => End::Forged { issuer },
        }
    }
}

/// Whether two certificates are of the same authority: a way that comes by it twice goes round.
fn is_same(one: &X509Certificate<'_>, other: &X509Certificate<'_>) -> bool {
    one.subject().as_raw() == other.subject().as_raw()
        && one.public_key().raw == other.public_key().raw
}

fn end_at(root: &Root, is_above: bool) -> Option<End> {
    let facts = read(&root.der)?;
    Some(End::Root {
        subject: facts.subject,
        kind: root.kind,
        until: facts.not_after,
        above: is_above.then(|| root.der.clone()),
    })
}

/// Why a certificate of the issuer's name is not a step; the weakest claim wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    Forged,
    Unfit(Unfit),
    Undecided,
}

/// Whether the key of one certificate signed another.
pub(crate) fn signature_of(
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Signature {
    // What is not signed must say the same (RFC 5280 section 4.1.1.2).
    if certificate.signature_algorithm != certificate.tbs_certificate.signature {
        return Signature::Bad;
    }
    signed(
        issuer.public_key(),
        &certificate.signature_algorithm,
        &certificate.signature_value,
        certificate.tbs_certificate.as_ref(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    fn named(root: &sample::Issuer) -> End {
        End::Root {
            subject: "CN=Site Root".to_string(),
            kind: Kind::Named,
            // As rcgen makes them.
            until: "4096-01-01T00:00:00Z".parse().ok(),
            above: Some(root.der().clone()),
        }
    }

    #[test]
    fn a_leaf_leads_over_its_intermediate_to_the_named_root() {
        let root = sample::root("Site Root");
        let middle = sample::intermediate(&root, "Issuing 1");
        let leaf = sample::leaf(&middle, &["a.example"]);
        let roots = Roots::new(&[root.der().clone()], &[]);
        let path = leads_to(&[leaf.clone(), middle.der().clone()], &roots);
        assert_eq!((path.steps, path.end), (vec![0, 1], named(&root)));
        let alone = leads_to(&[leaf], &roots);
        let issuer = "CN=Issuing 1".to_string();
        assert_eq!(alone.end, End::NoIssuer { issuer });
    }

    #[test]
    fn order_and_strangers_in_the_chain_do_not_matter() {
        let root = sample::root("Site Root");
        let middle = sample::intermediate(&root, "Issuing 1");
        let leaf = sample::leaf(&middle, &["a.example"]);
        let stranger = sample::root("Stranger");
        let roots = Roots::new(&[root.der().clone()], &[]);
        let chain = [
            leaf,
            stranger.der().clone(),
            root.der().clone(),
            middle.der().clone(),
        ];
        let path = leads_to(&chain, &roots);
        assert_eq!((path.steps, path.end), (vec![0, 3], named(&root)));
    }

    #[test]
    fn the_same_name_with_another_key_did_not_sign() {
        let root = sample::root("Site Root");
        let leaf = sample::leaf(&root, &["a.example"]);
        let impostor = Roots::new(&[sample::root("Site Root").der().clone()], &[]);
        let issuer = "CN=Site Root".to_string();
        assert_eq!(leads_to(&[leaf], &impostor).end, End::Forged { issuer });
    }

    #[test]
    fn an_unknown_root_that_was_sent_is_named() {
        let root = sample::root("Interceptor");
        let leaf = sample::leaf(&root, &["a.example"]);
        let roots = Roots::new(&[sample::root("Site Root").der().clone()], &[]);
        let subject = "CN=Interceptor".to_string();
        assert_eq!(
            leads_to(&[leaf, root.der().clone()], &roots).end,
            End::UnknownRoot { subject }
        );
    }

    #[test]
    fn a_dead_end_of_the_same_name_is_left_for_the_way_that_leads_on() {
        let root = sample::root("Site Root");
        let key = sample::key();
        let good = sample::intermediate_with(&root, "Issuing 1", &key);
        let elsewhere = sample::intermediate_with(&sample::root("Old Root"), "Issuing 1", &key);
        let leaf = sample::leaf(&good, &["a.example"]);
        let roots = Roots::new(&[root.der().clone()], &[]);
        let path = leads_to(&[leaf, elsewhere.der().clone(), good.der().clone()], &roots);
        assert_eq!((path.steps, path.end), (vec![0, 2], named(&root)));
    }

    #[test]
    fn only_what_may_sign_certificates_is_a_step() {
        let root = sample::root("Site Root");
        let roots = Roots::new(&[root.der().clone()], &[]);
        let mut leaf = sample::server(&["client.example"]);
        leaf.distinguished_name = rcgen::DistinguishedName::new();
        leaf.distinguished_name
            .push(rcgen::DnType::CommonName, "Issuing 1");
        let mut no_signing = sample::authority("Issuing 1");
        no_signing.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
        for (issuer, why) in [
            (leaf, Unfit::NotAuthority),
            (no_signing, Unfit::NoCertificateSigning),
        ] {
            let middle = sample::Issuer::signed_by(issuer, sample::key(), &root).expect("signed");
            let chain = [sample::leaf(&middle, &["a.example"]), middle.der().clone()];
            let issuer = "CN=Issuing 1".to_string();
            let end = leads_to(&chain, &roots).end;
            assert_eq!(end, End::UnfitIssuer { issuer, why });
        }
    }

    #[test]
    fn a_hostile_heap_of_certificates_of_one_name_ends_soon_and_proves_nothing() {
        let key = sample::key();
        let ring = sample::Issuer::self_signed(sample::authority("Ring"), key).expect("a root");
        let heap: Vec<_> = (0..80)
            .map(|_| sample::intermediate(&ring, "Ring").der().clone())
            .collect();
        let chain = [vec![sample::leaf(&ring, &["a.example"])], heap].concat();
        let end = leads_to(&chain, &Roots::default()).end;
        assert_eq!(end, End::TooMuch);
    }

    #[test]
    fn nothing_and_rubbish_are_unreadable() {
        let roots = Roots::default();
        assert_eq!(leads_to(&[], &roots).end, End::Unreadable);
        let rubbish = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
        assert_eq!(leads_to(&[rubbish], &roots).end, End::Unreadable);
    }
}
