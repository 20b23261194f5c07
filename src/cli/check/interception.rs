//! Whether somebody put his own certificate in a service's place, by the pins of the site file and the roots it names.

use rustls::pki_types::CertificateDer;

use crate::conversation::certificate::Roots;
use crate::conversation::certificate::interception::{
    Expected, Ground, Interception, Sign, Undecided, interception,
};
use crate::observation::{self, Service, TlsSeen};
use crate::plan::Target;
use crate::site::Site;
use crate::verdict::Seen;

/// Writes down of every certificate whether it is the service's own. Only proof changes what the service is worth.
pub(super) fn note(site: &Site, roots: &Roots, all: &mut [Seen]) {
    for seen in all {
        let Target::System(system) = seen.flow.to else {
            continue;
        };
        let expected = Expected {
            pin: site.systems[system].pin.as_ref(),
            elsewhere: &[],
        };
        for observation in &mut seen.observations {
            let Some(tls) = observation.tls.as_mut().filter(|tls| !tls.der.is_empty()) else {
                continue;
            };
            let found = of_one(tls, expected, roots);
            if matches!(found, observation::Interception::Proved { .. }) {
                observation.service = Some(Service::Intercepted);
            }
            tls.interception = Some(found);
        }
    }
}

fn of_one(tls: &TlsSeen, expected: Expected<'_>, roots: &Roots) -> observation::Interception {
    let chain: Vec<CertificateDer<'_>> = tls
        .der
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    match interception(&chain, expected, roots) {
        Interception::No(ground) => observation::Interception::No(match ground {
            Ground::Pin => "it is the pinned certificate",
            Ground::Authority => "the certificate leads to an authority that the site file names",
            Ground::Elsewhere => "the same certificate was seen from another place",
        }),
        Interception::Intercepted { by } => observation::Interception::Proved { by },
        Interception::Suspected { by, sign } => observation::Interception::Suspected {
            by,
            sign: match sign {
                Sign::AnotherAuthority => {
                    "the certificate leads to an authority that this system trusts, and not to one that the site file names; the file may be incomplete"
                }
                Sign::AnotherIssuer => {
                    "from another place the same service showed another issuer's certificate"
                }
            },
        },
        Interception::Undecided(why) => observation::Interception::Undecided(match why {
            Undecided::Replaced => {
                "it is not the pinned certificate, and leads to an authority that the site file names: renewed, or replaced by whoever holds that authority's key"
            }
            Undecided::AnotherOfTheSameIssuer => {
                "from another place another certificate of the same issuer was seen"
            }
            Undecided::UnknownAuthority => {
                "the certificate leads to no known authority, and there is no pin to compare it with"
            }
            Undecided::NothingToCompare => {
                "the site file has neither a pin nor roots to compare the certificate with"
            }
            Undecided::NoCertificate => "no certificate was shown that can be read",
        }),
    }
}
