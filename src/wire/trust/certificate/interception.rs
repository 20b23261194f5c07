//! Whether a device between prober and service put its own certificate in place of the service's.
//!
//! A device that reads along ends TLS itself and shows a certificate of its own authority. What is known of the service
//! decides, strongest first: its pin; the same certificate seen from another place; the authority that the site file
//! names. Each claim is no larger than what it rests on:
//!
//! 1. The pinned certificate is shown: not intercepted.
//! 2. Another than the pinned one: intercepted, unless it leads to the site's own authority; that one may have
//!    been renewed, so it stays undecided.
//! 3. It leads to the site's own authority: not intercepted by anybody who does not hold that authority's key.
//! 4. It was seen from another place too: no device that stands before only one of the places put it there.
//! 5. It leads to an authority that the system trusts, while the file names the site's own. Or it has another issuer
//!    than where it was seen. It is suspected, no more, because the file may be incomplete and hosts may share a name.
//! 6. Anything else is undecided.

use rustls::pki_types::CertificateDer;

use super::{End, Kind, Pin, Roots, leads_to, read};

/// What is known of a service's certificate beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Expected<'a> {
    /// The pin of its leaf.
    pub(crate) pin: Option<&'a Pin>,
    /// Leaves that the same name and port showed from other places.
    pub(crate) elsewhere: &'a [CertificateDer<'a>],
}

/// Whether the certificate is the service's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Interception {
    /// It is.
    No(Ground),
    /// It is not.
    Intercepted {
        /// The issuer of the certificate that was put in its place.
        by: String,
    },
    /// Something speaks against it, and proves nothing.
    Suspected {
        /// The issuer of the certificate.
        by: String,
        /// What speaks against it.
        sign: Sign,
    },
    /// It cannot be told.
    Undecided(Undecided),
}

/// What shows that a certificate is the service's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// It is the pinned one.
    Pin,
    /// It leads to an authority that the site file names.
    Authority,
    /// The same was seen from another place.
    Elsewhere,
}

/// What speaks against a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It leads to an authority of the system's, and the site file names the site's own.
    AnotherAuthority,
    /// From another place the same service showed one by another issuer.
    AnotherIssuer,
}

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// It is not the pinned one, and comes from the site's own authority: renewed, or replaced by whoever holds its key.
    Replaced,
    /// From another place the same issuer's other certificate was seen: renewed, or several hosts share the name.
    AnotherOfTheSameIssuer,
    /// It leads to no authority that is known here.
    UnknownAuthority,
    /// Nothing is known of the service that it could be compared with.
    NothingToCompare,
    /// No certificate was shown, or none that can be read.
    NoCertificate,
}

/// Compares a chain as it was sent with what is known of the service.
pub(crate) fn interception(
    chain: &[CertificateDer<'_>],
    expected: Expected<'_>,
    roots: &Roots,
) -> Interception {
    let Some((leaf, facts)) = chain.first().and_then(|leaf| Some((leaf, read(leaf)?))) else {
        return Interception::Undecided(Undecided::NoCertificate);
    };
    let by = facts.issuer;
    let authority = match leads_to(chain, roots).end {
        End::Root { kind, .. } => Some(kind),
        _ => None,
    };
    let pinned = expected.pin.map(|pin| pin.is_of(leaf));
    match (pinned, authority, elsewhere(leaf, &by, expected)) {
        (Some(true), _, _) => Interception::No(Ground::Pin),
        (Some(false), Some(Kind::Named), _) => Interception::Undecided(Undecided::Replaced),
        (Some(false), Some(Kind::System) | None, _) => Interception::Intercepted { by },
        (None, Some(Kind::Named), _) => Interception::No(Ground::Authority),
        (None, Some(Kind::System) | None, Seen::Same) => Interception::No(Ground::Elsewhere),
        (None, Some(Kind::System), _) if roots.any_named() => {
            let sign = Sign::AnotherAuthority;
            Interception::Suspected { by, sign }
        }
        (None, Some(Kind::System) | None, Seen::AnotherIssuer) => {
            let sign = Sign::AnotherIssuer;
            Interception::Suspected { by, sign }
        }
        (None, Some(Kind::System) | None, Seen::SameIssuer) => {
            Interception::Undecided(Undecided::AnotherOfTheSameIssuer)
        }
        (None, Some(Kind::System), Seen::Never) => {
            Interception::Undecided(Undecided::NothingToCompare)
        }
        (None, None, Seen::Never) => Interception::Undecided(Undecided::UnknownAuthority),
    }
}

/// What other places saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Never,
    Same,
    SameIssuer,
    AnotherIssuer,
}

fn elsewhere(leaf: &CertificateDer<'_>, issuer: &str, expected: Expected<'_>) -> Seen {
    let others = expected.elsewhere;
    if others.is_empty() {
        Seen::Never
    } else if others.contains(leaf) {
        Seen::Same
    } else if others
        .iter()
        .filter_map(|other| read(other))
        .any(|other| other.issuer == issuer)
    {
        Seen::SameIssuer
    } else {
        Seen::AnotherIssuer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::trust::certificate::sample;

    const NAME: &[&str] = &["ibs01.example.com"];

    /// The site's authority is named, a public one is the system's, a device's is neither.
    struct World {
        site: sample::Issuer,
        public: sample::Issuer,
        device: sample::Issuer,
    }

    fn world() -> World {
        World {
            site: sample::root("Site Root"),
            public: sample::root("Public Root"),
            device: sample::root("Web Filter"),
        }
    }

    impl World {
        fn roots(&self) -> Roots {
            Roots::new(&[self.site.der().clone()], &[self.public.der().clone()])
        }

        fn without_named(&self) -> Roots {
            Roots::new(&[], &[self.public.der().clone()])
        }
    }

    fn by(issuer: &str) -> String {
        format!("CN={issuer}")
    }

    #[test]
    fn the_pinned_certificate_is_the_services_own_whoever_issued_it() {
        let world = world();
        let leaf = sample::leaf(&world.device, NAME);
        let pin = Pin::of(&leaf);
        let expected = Expected {
            pin: Some(&pin),
            elsewhere: &[],
        };
        assert_eq!(
            interception(&[leaf], expected, &world.roots()),
            Interception::No(Ground::Pin)
        );
    }

    #[test]
    fn another_than_the_pinned_one_is_proof_unless_the_sites_authority_issued_it() {
        let world = world();
        let pin = Pin::of(&sample::leaf(&world.site, NAME));
        let expected = Expected {
            pin: Some(&pin),
            elsewhere: &[],
        };
        let seen = |issuer| interception(&[sample::leaf(issuer, NAME)], expected, &world.roots());
        let intercepted = |issuer| Interception::Intercepted { by: by(issuer) };
        assert_eq!(seen(&world.device), intercepted("Web Filter"));
        assert_eq!(seen(&world.public), intercepted("Public Root"));
        assert_eq!(
            seen(&world.site),
            Interception::Undecided(Undecided::Replaced)
        );
    }

    #[test]
    fn the_sites_authority_vouches_for_its_own() {
        let world = world();
        let leaf = sample::leaf(&world.site, NAME);
        assert_eq!(
            interception(&[leaf], Expected::default(), &world.roots()),
            Interception::No(Ground::Authority)
        );
    }

    #[test]
    fn a_devices_root_of_the_same_name_does_not_vouch() {
        let world = world();
        let leaf = sample::leaf(&sample::root("Site Root"), NAME);
        assert_eq!(
            interception(&[leaf], Expected::default(), &world.roots()),
            Interception::Undecided(Undecided::UnknownAuthority)
        );
    }

    #[test]
    fn a_root_of_the_systems_is_suspicious_only_while_the_site_names_its_own() {
        let world = world();
        let leaf = sample::leaf(&world.public, NAME);
        let seen =
            |roots: &Roots| interception(std::slice::from_ref(&leaf), Expected::default(), roots);
        assert_eq!(
            seen(&world.roots()),
            Interception::Suspected {
                by: by("Public Root"),
                sign: Sign::AnotherAuthority
            }
        );
        assert_eq!(
            seen(&world.without_named()),
            Interception::Undecided(Undecided::NothingToCompare)
        );
    }

    #[test]
    fn what_other_places_saw_is_weighed() {
        let world = world();
        let here = sample::leaf(&world.device, NAME);
        let seen = |there: CertificateDer<'static>| {
            let elsewhere = [there];
            let expected = Expected {
                pin: None,
                elsewhere: &elsewhere,
            };
            let chain = [here.clone()];
            interception(&chain, expected, &world.without_named())
        };
        assert_eq!(seen(here.clone()), Interception::No(Ground::Elsewhere));
        assert_eq!(
            seen(sample::leaf(&world.device, NAME)),
            Interception::Undecided(Undecided::AnotherOfTheSameIssuer)
        );
        assert_eq!(
            seen(sample::leaf(&world.public, NAME)),
            Interception::Suspected {
                by: by("Web Filter"),
                sign: Sign::AnotherIssuer
            }
        );
    }

    #[test]
    fn without_a_certificate_nothing_is_decided() {
        let roots = world().roots();
        let rubbish = [CertificateDer::from(vec![0x30, 0])];
        for chain in [&[][..], &rubbish] {
            assert_eq!(
                interception(chain, Expected::default(), &roots),
                Interception::Undecided(Undecided::NoCertificate)
            );
        }
    }
}
