//! Which zone and system this host is: from what the user says, else from this host's own addresses. What the user says
//! is held against these addresses (`contradiction`): a run from the wrong place sends the wrong team.

mod contradiction;

use std::net::IpAddr;

use crate::diagnostic::choices;
use crate::site::{Origin, Site, SystemId, ZoneId};
pub use contradiction::contradiction;

/// Where flows are tried from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Zone.
    pub zone: ZoneId,
    /// Further zones that this host, as a system with several legs, is in.
    pub also_in: Vec<ZoneId>,
    /// System, when this host is one.
    pub system: Option<SystemId>,
    /// How that is known, in words.
    pub how: String,
}

impl Place {
    /// Every zone that this host is in.
    pub fn zones(&self) -> Vec<ZoneId> {
        let also = self.also_in.iter().copied();
        std::iter::once(self.zone).chain(also).collect()
    }

    /// The zone through which this host reaches a system.
    pub fn toward(&self, site: &Site, to: SystemId) -> ZoneId {
        match self.system {
            Some(system) if !self.also_in.is_empty() => site.legs(Origin::System(system), to).0,
            _ => self.zone,
        }
    }
}

/// Whether a name or address is this host itself, wherever that is.
pub(crate) fn is_this_host(name: &str) -> bool {
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Finds the vantage. A system with several legs is in all of its zones, unless the user names one.
///
/// # Errors
/// In words: what was asked for and does not exist, or what matched when it is not clear.
pub fn find(
    site: &Site,
    from: Option<&str>,
    as_system: Option<&str>,
    own: &[IpAddr],
) -> Result<Place, String> {
    let zone = from.map(|name| zone_named(site, name)).transpose()?;
    let system = as_system.map(|name| system_named(site, name)).transpose()?;
    match (zone, system) {
        (Some(zone), Some(system)) if !site.systems[system].is_in(zone) => Err(format!(
            "system `{}` is in zone `{}`, not in `{}`; give one of --from and --as, or both of one \
             place",
            site.systems[system].name,
            site.zones[site.systems[system].zone].name,
            site.zones[zone].name
        )),
        (Some(zone), Some(system)) => Ok(Place {
            zone,
            also_in: Vec::new(),
            system: Some(system),
            how: "as --from and --as say".to_string(),
        }),
        (None, Some(system)) => Ok(Place {
            zone: site.systems[system].zone,
            also_in: site.systems[system].also_in.clone(),
            system: Some(system),
            how: "as --as says".to_string(),
        }),
        (Some(zone), None) => Ok(from_zone(site, zone, own)),
        (None, None) => from_addresses(site, own),
    }
}

fn zone_named(site: &Site, name: &str) -> Result<ZoneId, String> {
    let found = site.zones.iter().position(|zone| zone.name == name);
    found.ok_or_else(|| {
        format!(
            "--from `{name}` is no zone of the site file; {}",
            choices(name, site.zones.iter().map(|zone| zone.name.as_str()))
        )
    })
}

fn system_named(site: &Site, name: &str) -> Result<SystemId, String> {
    let found = site.systems.iter().position(|system| system.name == name);
    found.ok_or_else(|| {
        format!(
            "--as `{name}` is no system of the site file; {}",
            choices(name, site.systems.iter().map(|system| system.name.as_str()))
        )
    })
}

/// The systems that have one of this host's addresses.
fn systems_here(site: &Site, own: &[IpAddr]) -> Vec<SystemId> {
    let is_here = |number: &SystemId| {
        site.systems[*number].addresses.iter().any(|(_, list)| {
            list.iter()
                .any(|address| !address.is_loopback() && own.contains(address))
        })
    };
    (0..site.systems.len()).filter(is_here).collect()
}

fn from_zone(site: &Site, zone: ZoneId, own: &[IpAddr]) -> Place {
    let here: Vec<SystemId> = systems_here(site, own)
        .into_iter()
        .filter(|system| site.systems[*system].is_in(zone))
        .collect();
    match here[..] {
        [system] => Place {
            zone,
            also_in: Vec::new(),
            system: Some(system),
            how: format!(
                "zone as --from says; this host has an address of `{}`",
                site.systems[system].name
            ),
        },
        _ => Place {
            zone,
            also_in: Vec::new(),
            system: None,
            how: "as --from says".to_string(),
        },
    }
}

/// The addresses that say where a host is: not those of loopback, nor those that every link has.
fn beyond_the_link(own: &[IpAddr]) -> Vec<IpAddr> {
    let says = |address: &&IpAddr| !address.is_loopback() && !is_link_local(**address);
    own.iter().filter(says).copied().collect()
}

fn from_addresses(site: &Site, own: &[IpAddr]) -> Result<Place, String> {
    let own = beyond_the_link(own);
    let here = systems_here(site, &own);
    if let [system] = here[..] {
        let how = format!(
            "this host has an address of system `{}`",
            site.systems[system].name
        );
        return Ok(Place {
            zone: site.systems[system].zone,
            also_in: site.systems[system].also_in.clone(),
            system: Some(system),
            how,
        });
    }
    // A private address may be anybody's: behind a hotel's router it says nothing about the site.
    let mut zones: Vec<(ZoneId, IpAddr)> = own
        .iter()
        .filter(|address| !is_private(**address))
        .filter_map(|address| Some((site.zone_of_address(*address)?.0, *address)))
        .collect();
    zones.dedup_by_key(|(zone, _)| *zone);
    match (&here[..], &zones[..]) {
        ([], [(zone, address)]) => Ok(Place {
            zone: *zone,
            also_in: Vec::new(),
            system: None,
            how: format!("{address} lies in zone `{}`", site.zones[*zone].name),
        }),
        _ => Err(unclear(site, &own, &here)),
    }
}

fn unclear(site: &Site, own: &[IpAddr], here: &[SystemId]) -> String {
    let mut lines: Vec<String> = here
        .iter()
        .map(|system| {
            format!(
                "an address of system `{}` (zone `{}`)",
                site.systems[*system].name, site.zones[site.systems[*system].zone].name
            )
        })
        .collect();
    for address in own {
        lines.push(match site.zone_of_address(*address) {
            Some((zone, network)) if is_private(*address) => format!(
                "{address} would lie in `{}` ({network}), but a private address that no system \
                 has decides nothing",
                site.zones[zone].name
            ),
            Some((zone, network)) => {
                format!("{address} lies in `{}` ({network})", site.zones[zone].name)
            }
            None => format!("{address} lies in no zone"),
        });
    }
    if lines.is_empty() {
        lines.push("this host has no address but loopback".to_string());
    }
    let zones: Vec<&str> = site.zones.iter().map(|zone| zone.name.as_str()).collect();
    format!(
        "cannot tell which zone this host is in:\n  {}\nsay it with --from ZONE (zones: {}), and \
         --as SYSTEM where this host is one",
        lines.join("\n  "),
        zones.join(", ")
    )
}

fn is_private(address: IpAddr) -> bool {
    match address {
        // RFC 1918, and RFC 6598 behind carriers.
        IpAddr::V4(v4) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        // RFC 4193.
        IpAddr::V6(v6) => v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::product::{CONFIGMGR_2007, Catalogue};

    fn site() -> Site {
        let text = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: {}, perimeter: {}, intranet: {} }
firewalls: { front-end: { between: [internet, perimeter] }, back-end: { between: [perimeter, intranet] } }
systems:
  dual01: { zone: perimeter, also_in: [intranet], addresses: { default: 192.0.2.10, intranet: 10.0.0.10 }, roles: [console] }
  cm01: { zone: intranet, names: { default: cm01.example }, roles: [console] }
  web01: { zone: internet, names: { default: web01.example }, roles: [console] }";
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
        let (config, mut problems) = config::read(text.as_bytes());
        Site::new(&config.expect("a file"), &catalogue, &mut problems).expect("a site")
    }

    #[test]
    fn a_system_with_two_legs_is_in_both_zones_unless_one_is_named() {
        let site = site();
        let own = [IpAddr::from([10, 0, 0, 10])];
        for place in [
            find(&site, None, Some("dual01"), &[]),
            find(&site, None, None, &own),
        ] {
            let place = place.expect("a place");
            assert_eq!((place.zones(), place.system), (vec![1, 2], Some(0)));
            assert_eq!(place.toward(&site, 1), 2);
            assert_eq!(place.toward(&site, 2), 1);
        }
        for place in [
            find(&site, Some("intranet"), Some("dual01"), &[]),
            find(&site, Some("intranet"), None, &own),
        ] {
            let place = place.expect("a place");
            assert_eq!((place.zones(), place.system), (vec![2], Some(0)));
        }
        assert!(find(&site, Some("internet"), Some("dual01"), &[]).is_err());
    }
}
