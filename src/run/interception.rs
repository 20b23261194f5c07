//! Whether somebody put his own certificate in a service's place, by the pins of the site file and the roots it names.

use crate::config::{Pin, ProxyTls};
use crate::observation::{
    self, CertificateFault, Intercepted, Observation, Service, TlsEnd, TlsSeen,
};
use crate::plan::Target;
use crate::probe::Trust;
use crate::site::{Site, SystemId};
use crate::verdict::Seen;
use crate::wire::trust::certificate::interception::{
    Expected, Ground, Interception, Sign, Undecided, interception,
};

/// Writes down of every certificate whether it is the service's own. Only proof changes what the service is worth.
pub(super) fn note(site: &Site, trust: &Trust, all: &mut [Seen]) {
    for seen in all {
        let system = match &seen.flow.to {
            Target::System(system) => *system,
            Target::Service(to) if to.service.is_trusted_by_all() => {
                of_service(&mut seen.observations);
                continue;
            }
            Target::Service(_) | Target::Host(_) | Target::Clients(_) => continue,
        };
        let expected = Expected {
            pin: expected_pin(site, system),
            elsewhere: &[],
        };
        for observation in &mut seen.observations {
            let Some(tls) = observation.tls.as_mut().filter(|tls| !tls.der.is_empty()) else {
                continue;
            };
            tls.ends = tls.der.first().and_then(|leaf| end(site, system, leaf));
            let found = of_one(tls, expected, trust);
            let is_anothers = found.is == Intercepted::Proved;
            if is_anothers && tls.ends.is_none() {
                observation.service = Some(Service::Intercepted);
            }
            tls.interception = Some(found);
        }
    }
}

/// Everybody's systems trust who issues the certificates of such a service. One for another name is somebody else's. One
/// that leads to no known authority is suspicious, and no more: this host may lack an authority that others have.
fn of_service(all: &mut [Observation]) {
    for seen in all {
        let (is, service, because) = match &seen.service {
            Some(Service::Certificate(CertificateFault::Name)) => (
                Intercepted::Proved,
                Service::Intercepted,
                "the certificate is for another name than the service's",
            ),
            Some(Service::Certificate(
                CertificateFault::Untrusted | CertificateFault::NoIssuer,
            )) => (
                Intercepted::Suspected,
                Service::Certificate(CertificateFault::Undecided),
                "the certificate leads to no authority that this host trusts; a device on the way \
                 made it, or this host lacks an authority",
            ),
            _ => continue,
        };
        seen.service = Some(service);
        if let Some(tls) = seen.tls.as_mut() {
            let by = tls.chain.first().map(|leaf| leaf.issuer.clone());
            let because = because.into();
            tls.interception = Some(observation::Interception { is, by, because });
        }
    }
}

/// The pin of whoever should end TLS: a proxy that tunnels to one system shows that system's certificate.
fn expected_pin(site: &Site, system: SystemId) -> Option<&Pin> {
    let it = &site.systems[system];
    match it.publishes[..] {
        [published] if it.proxy_tls == ProxyTls::Tunnelling => site.systems[published].pin.as_ref(),
        _ => it.pin.as_ref(),
    }
}

/// Where TLS ends that is sent to a proxy: at itself when it bridges, at what it publishes when it tunnels. Known only
/// where the certificate is a pinned one.
fn end(site: &Site, system: SystemId, leaf: &[u8]) -> Option<TlsEnd> {
    let proxy = &site.systems[system];
    let is_shown = |number: &SystemId| {
        let pin = site.systems[*number].pin.as_ref();
        pin.is_some_and(|pin| pin.is_of(leaf))
    };
    let (at, way) = match proxy.publishes.iter().copied().find(is_shown) {
        Some(published) => (published, ProxyTls::Tunnelling),
        None if !proxy.publishes.is_empty() && is_shown(&system) => (system, ProxyTls::Bridging),
        None => return None,
    };
    Some(TlsEnd {
        at: site.systems[at].name.clone(),
        as_declared: way == proxy.proxy_tls,
    })
}

fn of_one(tls: &TlsSeen, expected: Expected<'_>, trust: &Trust) -> observation::Interception {
    let chain = super::intermediates::chain(tls, trust.fetched());
    let (is, by, because) = match interception(&chain, expected, &trust.roots) {
        Interception::No(ground) => {
            let because = match ground {
                Ground::Pin => "it is the pinned certificate",
                Ground::Authority => {
                    "the certificate leads to an authority that the site file names"
                }
                Ground::Elsewhere => "the same certificate was seen from another place",
            };
            (Intercepted::No, None, because)
        }
        Interception::Intercepted { by } => (
            Intercepted::Proved,
            Some(by),
            "the certificate is another than the pinned one, and does not lead to an authority \
             that the file names",
        ),
        Interception::Suspected { by, sign } => {
            let because = match sign {
                Sign::AnotherAuthority => {
                    "the certificate leads to an authority that this system trusts, and not to one \
                     that the site file names; the file may be incomplete"
                }
                Sign::AnotherIssuer => {
                    "from another place the same service showed another issuer's certificate"
                }
            };
            (Intercepted::Suspected, Some(by), because)
        }
        Interception::Undecided(why) => {
            let because = match why {
                Undecided::Replaced => {
                    "it is not the pinned certificate, and leads to an authority that the site \
                     file names: renewed, or replaced by whoever holds that authority's key"
                }
                Undecided::AnotherOfTheSameIssuer => {
                    "from another place another certificate of the same issuer was seen"
                }
                Undecided::UnknownAuthority => {
                    "the certificate leads to no known authority, and there is no pin to compare \
                     it with"
                }
                Undecided::NothingToCompare => {
                    "the site file has neither a pin nor roots to compare the certificate with"
                }
                Undecided::NoCertificate => "no certificate was shown that can be read",
            };
            (Intercepted::Undecided, None, because)
        }
    };
    observation::Interception {
        is,
        by,
        because: because.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::State;
    use crate::product::{CONFIGMGR_2007, Catalogue};

    /// A proxy that publishes a management point, each pinned by the SHA-256 of its name.
    fn site(tls: &str) -> Site {
        let pin = |name: &[u8]| Pin::of(name).to_string();
        let text = format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: [\"0.0.0.0/0\"] }}, perimeter: {{ networks: [\"192.0.2.0/24\"] }}, intranet: {{ networks: [\"10.0.0.0/8\"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }}, back-end: {{ between: [perimeter, intranet] }} }}
clients: [internet]
systems:
  mp: {{ zone: intranet, addresses: {{ default: 10.0.0.5 }}, roles: [management-point], serves: [internet], pin: \"{}\" }}
  isa: {{ zone: perimeter, addresses: {{ default: 192.0.2.5 }}, roles: [web-proxy], publishes: {{ systems: [mp], tls: {tls} }}, pin: \"{}\" }}
",
            pin(b"mp"),
            pin(b"isa")
        );
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let (config, mut problems) = crate::config::read(text.as_bytes());
        let site = config.and_then(|config| Site::new(&config, &catalogue, &mut problems));
        site.unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn seen(tls: &str, leaf: &[u8]) -> Option<(String, bool)> {
        let site = site(tls);
        let isa = site.systems.iter().position(|system| system.name == "isa");
        let end = end(&site, isa.expect("isa"), leaf)?;
        Some((end.at, end.as_declared))
    }

    #[test]
    fn a_proxy_that_shows_its_own_certificate_bridges_and_one_that_shows_the_servers_tunnels() {
        assert_eq!(seen("bridging", b"isa"), Some(("isa".to_string(), true)));
        assert_eq!(seen("bridging", b"mp"), Some(("mp".to_string(), false)));
        assert_eq!(seen("tunnelling", b"mp"), Some(("mp".to_string(), true)));
        assert_eq!(seen("tunnelling", b"isa"), Some(("isa".to_string(), false)));
        assert_eq!(seen("tunnelling", b"another"), None);
    }

    #[test]
    fn a_proxy_that_tunnels_is_expected_to_show_the_servers_certificate() {
        let site = site("tunnelling");
        let isa = site.systems.iter().position(|system| system.name == "isa");
        assert_eq!(
            expected_pin(&site, isa.expect("isa")),
            Some(&Pin::of(b"mp"))
        );
    }

    fn with(fault: CertificateFault) -> Observation {
        let mut seen = Observation::without_packets(None, State::Open);
        seen.service = Some(Service::Certificate(fault));
        seen
    }

    #[test]
    fn of_a_service_another_name_is_anothers_and_an_unknown_authority_is_no_proof() {
        let mut all = [
            with(CertificateFault::Name),
            with(CertificateFault::Untrusted),
            with(CertificateFault::Expired),
        ];
        of_service(&mut all);
        let services = all.map(|seen| seen.service.expect("what it said"));
        let expected = [
            Service::Intercepted,
            Service::Certificate(CertificateFault::Undecided),
            Service::Certificate(CertificateFault::Expired),
        ];
        assert_eq!(services, expected);
    }
}
