//! Who signed whom: the way from the first certificate of a chain to a root.
//!
//! The real verifier says only yes or no. This search describes: which root, which of the certificates that were sent
//! are on the way, and where the way ends when it ends early. It reads signatures that a modern verifier no longer
//! takes (SHA-1), asks neither dates nor purposes, and so never decides whether a client accepts the chain.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::roots::{Kind, Roots};
use super::signature::{Signature, signed};
use super::{LONGEST_CHAIN, read, text};

/// The most signatures that are computed for one chain: a hostile one may hold many certificates of one name.
const MOST_SIGNATURES: usize = 64;

/// The way from a leaf upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// The certificates of the chain that are on it, by their places as sent, leaf first.
    pub(crate) steps: Vec<usize>,
    /// Where it ends.
    pub(crate) end: End,
}

/// Where the way from a leaf upwards ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At a root that is trusted.
    Root {
        /// Its subject.
        subject: String,
        /// Who names it.
        kind: Kind,
        /// When it ends itself: verifiers pass over that, and Windows does not.
        until: Option<Timestamp>,
    },
    /// At a certificate that names itself as its issuer, and that nobody trusts.
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
    /// There is a certificate of the issuer's name; whether its key signed cannot be computed here.
    Undecided {
        /// The issuer's name.
        issuer: String,
    },
    /// The first certificate cannot be read, or there is none.
    Unreadable,
}

/// Follows the signatures from the first certificate of a chain as far as they lead.
pub(crate) fn leads_to(chain: &[CertificateDer<'_>], roots: &Roots) -> Path {
    let parse = |der| {
        X509Certificate::from_der(der)
            .ok()
            .map(|(_, parsed)| parsed)
    };
    let bounded = chain.iter().take(LONGEST_CHAIN);
    let sent: Vec<_> = bounded.map(|der| parse(der.as_ref())).collect();
    let Some(Some(leaf)) = sent.first() else {
        return Path {
            steps: Vec::new(),
            end: End::Unreadable,
        };
    };
    let mut search = Search {
        sent: &sent,
        roots,
        signatures_left: MOST_SIGNATURES,
    };
    search.climb(leaf, vec![0])
}

struct Search<'a> {
    sent: &'a [Option<X509Certificate<'a>>],
    roots: &'a Roots,
    signatures_left: usize,
}

impl<'a> Search<'a> {
    /// The best way on from a certificate: one that reaches a root, else the longest.
    fn climb(&mut self, at: &X509Certificate<'a>, steps: Vec<usize>) -> Path {
        let mut doubt = None;
        if let Some(end) = self.root(at, &mut doubt) {
            return Path { steps, end };
        }
        if at.subject().as_raw() == at.issuer().as_raw() {
            let subject = text(at.subject());
            return Path {
                steps,
                end: End::UnknownRoot { subject },
            };
        }
        let mut best: Option<Path> = None;
        let sent = self.sent;
        for (place, issuer) in sent.iter().enumerate() {
            let Some(issuer) = issuer else { continue };
            if steps.contains(&place) || !self.signed_by(at, issuer, &mut doubt) {
                continue;
            }
            let path = self.climb(issuer, [steps.as_slice(), &[place]].concat());
            if matches!(path.end, End::Root { .. }) {
                return path;
            }
            if best
                .as_ref()
                .is_none_or(|best| best.steps.len() < path.steps.len())
            {
                best = Some(path);
            }
        }
        let issuer = text(at.issuer());
        best.unwrap_or(Path {
            steps,
            end: match doubt {
                None => End::NoIssuer { issuer },
                Some(Doubt::Undecided) => End::Undecided { issuer },
                Some(Doubt::Forged) => End::Forged { issuer },
            },
        })
    }

    /// The root that a certificate is, or that signed it.
    fn root(&mut self, at: &X509Certificate<'_>, doubt: &mut Option<Doubt>) -> Option<End> {
        let roots = self.roots;
        let found = roots.of(at.subject().as_raw()).find(|root| {
            let parsed = X509Certificate::from_der(&root.der);
            parsed.is_ok_and(|(_, root)| root.public_key().raw == at.public_key().raw)
        });
        let found = found.or_else(|| {
            roots.of(at.issuer().as_raw()).find(|root| {
                let parsed = X509Certificate::from_der(&root.der);
                parsed.is_ok_and(|(_, root)| self.signed_by(at, &root, doubt))
            })
        })?;
        let facts = read(&found.der)?;
        Some(End::Root {
            subject: facts.subject,
            kind: found.kind,
            until: facts.not_after,
        })
    }

    /// Whether a certificate has the name and the key of another's issuer; what speaks against it is kept as a doubt.
    fn signed_by(
        &mut self,
        at: &X509Certificate<'_>,
        issuer: &X509Certificate<'_>,
        doubt: &mut Option<Doubt>,
    ) -> bool {
        if issuer.subject().as_raw() != at.issuer().as_raw() {
            return false;
        }
        let signature = match self.signatures_left {
            0 => Signature::Undecided,
            _ => signature_of(at, issuer),
        };
        self.signatures_left = self.signatures_left.saturating_sub(1);
        *doubt = (*doubt).max(match signature {
            Signature::Good => None,
            Signature::Bad => Some(Doubt::Forged),
            Signature::Undecided => Some(Doubt::Undecided),
        });
        signature == Signature::Good
    }
}

/// Why a certificate of the issuer's name is not a step; the weaker claim wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    Forged,
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
    use crate::conversation::certificate::made;

    fn named(subject: &str) -> End {
        End::Root {
            subject: subject.to_string(),
            kind: Kind::Named,
            // As rcgen makes them.
            until: "4096-01-01T00:00:00Z".parse().ok(),
        }
    }

    #[test]
    fn a_leaf_leads_over_its_intermediate_to_the_named_root() {
        let root = made::root("Site Root");
        let middle = made::intermediate(&root, "Issuing 1");
        let leaf = made::leaf(&middle, &["a.example"]);
        let roots = Roots::new(&[root.der().clone()], &[]);
        let path = leads_to(&[leaf.clone(), middle.der().clone()], &roots);
        assert_eq!((path.steps, path.end), (vec![0, 1], named("CN=Site Root")));
        let alone = leads_to(&[leaf], &roots);
        let issuer = "CN=Issuing 1".to_string();
        assert_eq!(alone.end, End::NoIssuer { issuer });
    }

    #[test]
    fn order_and_strangers_in_the_chain_do_not_matter() {
        let root = made::root("Site Root");
        let middle = made::intermediate(&root, "Issuing 1");
        let leaf = made::leaf(&middle, &["a.example"]);
        let stranger = made::root("Stranger");
        let roots = Roots::new(&[root.der().clone()], &[]);
        let chain = [
            leaf,
            stranger.der().clone(),
            root.der().clone(),
            middle.der().clone(),
        ];
        let path = leads_to(&chain, &roots);
        assert_eq!((path.steps, path.end), (vec![0, 3], named("CN=Site Root")));
    }

    #[test]
    fn the_same_name_with_another_key_did_not_sign() {
        let root = made::root("Site Root");
        let leaf = made::leaf(&root, &["a.example"]);
        let impostor = Roots::new(&[made::root("Site Root").der().clone()], &[]);
        let issuer = "CN=Site Root".to_string();
        assert_eq!(leads_to(&[leaf], &impostor).end, End::Forged { issuer });
    }

    #[test]
    fn an_unknown_root_that_was_sent_is_named() {
        let root = made::root("Interceptor");
        let leaf = made::leaf(&root, &["a.example"]);
        let roots = Roots::new(&[made::root("Site Root").der().clone()], &[]);
        let subject = "CN=Interceptor".to_string();
        assert_eq!(
            leads_to(&[leaf, root.der().clone()], &roots).end,
            End::UnknownRoot { subject }
        );
    }

    #[test]
    fn a_dead_end_of_the_same_name_is_left_for_the_way_that_leads_on() {
        let root = made::root("Site Root");
        let key = made::key();
        let good = made::intermediate_with(&root, "Issuing 1", &key);
        let elsewhere = made::intermediate_with(&made::root("Old Root"), "Issuing 1", &key);
        let leaf = made::leaf(&good, &["a.example"]);
        let roots = Roots::new(&[root.der().clone()], &[]);
        let path = leads_to(&[leaf, elsewhere.der().clone(), good.der().clone()], &roots);
        assert_eq!((path.steps, path.end), (vec![0, 2], named("CN=Site Root")));
    }

    #[test]
    fn nothing_and_rubbish_are_unreadable() {
        let roots = Roots::default();
        assert_eq!(leads_to(&[], &roots).end, End::Unreadable);
        let rubbish = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
        assert_eq!(leads_to(&[rubbish], &roots).end, End::Unreadable);
    }
}
