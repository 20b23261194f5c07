//! Whether this host's own addresses deny what the user says of the vantage.
//!
//! Every rule asks for something that only the wrong place explains. It is the address of a system elsewhere, or none
//! of the addresses of the system that this host is said to be. Or it is a public address in a network of another zone.
//! A private address that no system has decides nothing: it may be a hotel's. Nor does one of those that only documents
//! use.

use std::net::IpAddr;

use super::{Place, beyond_the_link, is_private, systems_here};
use crate::site::{Site, SystemId, ZoneId};

/// In words, what was found that denies the place; `None` where nothing does.
pub fn contradiction(site: &Site, place: &Place, own: &[IpAddr]) -> Option<String> {
    let own = beyond_the_link(own);
    let here = systems_here(site, &own);
    match place.system {
        Some(system) if here.contains(&system) => None,
        Some(system) => another_system(site, &here, &own).or_else(|| none_of(site, system, &own)),
        None if here.iter().any(|it| is_at(site, *it, place)) => None,
        // A router has a leg there, and another elsewhere.
        None if has_leg_in(site, place.zone, &own) => None,
        None => another_system(site, &here, &own).or_else(|| another_zone(site, place.zone, &own)),
    }
}

fn is_at(site: &Site, system: SystemId, place: &Place) -> bool {
    place
        .zones()
        .iter()
        .any(|zone| site.systems[system].is_in(*zone))
}

/// `this host is \`ibs01\`, in zone \`perimeter\`: it has the address 192.0.2.10`
fn another_system(site: &Site, here: &[SystemId], own: &[IpAddr]) -> Option<String> {
    let system = &site.systems[*here.first()?];
    let address = own.iter().find(|address| system.has_address(**address))?;
    Some(format!(
        "this host is `{}`, in zone `{}`: it has the address {address}",
        system.name, site.zones[system.zone].name
    ))
}

/// That a system whose own addresses the file gives has none of them here.
fn none_of(site: &Site, system: SystemId, own: &[IpAddr]) -> Option<String> {
    let system = &site.systems[system];
    let known: Vec<String> = system
        .addresses_for(system.zone)
        .iter()
        .filter(|address| !address.is_loopback())
        .map(ToString::to_string)
        .collect();
    (!known.is_empty() && !own.is_empty()).then(|| {
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        format!(
            "`{}` has {}, and this host has {}",
            system.name,
            known.join(", "),
            own.join(", ")
        )
    })
}

fn another_zone(site: &Site, said: ZoneId, own: &[IpAddr]) -> Option<String> {
    let public = own
        .iter()
        .filter(|address| !is_private(**address) && !is_documentation(**address));
    let mut found = public.filter_map(|address| Some((named_zone(site, *address)?, address)));
    let (zone, address) = found.find(|(zone, _)| *zone != said)?;
    Some(format!(
        "{address} lies in zone `{}`",
        site.zones[zone].name
    ))
}

/// Addresses that documents use (RFC 5737, RFC 3849) and no network routes: a lab's, which decide nothing.
fn is_documentation(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_documentation(),
        IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
    }
}

fn has_leg_in(site: &Site, zone: ZoneId, own: &[IpAddr]) -> bool {
    own.iter()
        .any(|address| named_zone(site, *address) == Some(zone))
}

/// The zone one of whose networks holds an address; a network of all addresses names none.
fn named_zone(site: &Site, address: IpAddr) -> Option<ZoneId> {
    let (zone, network) = site.zone_of_address(address)?;
    (network.prefix_len() > 0).then_some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::product::{CONFIGMGR_2007, Catalogue};
    use crate::vantage::find;

    fn denied(from: Option<&str>, system: Option<&str>, own: &[&str]) -> Option<String> {
        let text = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: [\"0.0.0.0/0\"] }, perimeter: { networks: [\"192.0.2.0/24\", \"192.88.98.0/24\"] }, intranet: { networks: [\"10.0.0.0/8\"] } }
firewalls: { front-end: { between: [internet, perimeter] }, back-end: { between: [perimeter, intranet] } }
systems:
  ibs01: { zone: perimeter, addresses: { internet: 203.0.113.10, default: 192.0.2.10 }, roles: [console] }
  cm01: { zone: intranet, addresses: { default: 10.0.0.5 }, roles: [console] }
  web01: { zone: perimeter, names: { default: web01.example }, roles: [console] }";
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
        let (config, mut problems) = config::read(text.as_bytes());
        let site = Site::new(&config.expect("a file"), &catalogue, &mut problems).expect("a site");
        let own: Vec<IpAddr> = own
            .iter()
            .map(|it| it.parse().expect("an address"))
            .collect();
        let place = find(&site, from, system, &own).expect("a place");
        contradiction(&site, &place, &own)
    }

    #[test]
    fn a_host_that_is_a_system_elsewhere_is_told_so() {
        for (from, system) in [(Some("internet"), None), (None, Some("cm01"))] {
            let found = denied(from, system, &["127.0.0.1", "192.0.2.10"]).expect("it is denied");
            assert!(
                found.contains("this host is `ibs01`, in zone `perimeter`"),
                "{found}"
            );
        }
        let found = denied(None, Some("ibs01"), &["192.0.2.77"]).expect("it is denied");
        assert!(found.contains("`ibs01` has 192.0.2.10"), "{found}");
        let found = denied(Some("internet"), None, &["192.88.98.7"]).expect("it is denied");
        assert!(
            found.contains("192.88.98.7 lies in zone `perimeter`"),
            "{found}"
        );
    }

    #[test]
    fn what_fits_or_decides_nothing_is_believed() {
        for (from, system, own) in [
            (Some("perimeter"), None, &["192.0.2.77"][..]),
            (
                Some("perimeter"),
                Some("ibs01"),
                &["192.0.2.10", "10.1.2.3"],
            ),
            (Some("internet"), None, &["198.51.100.10"]),
            // A router between the two zones.
            (Some("perimeter"), None, &["192.0.2.254", "10.0.0.5"]),
            // In a lab with the addresses of documents.
            (Some("internet"), None, &["192.0.2.77"]),
            // Behind a hotel's router.
            (Some("internet"), None, &["10.0.0.77"]),
            // No network of the file names it, so it may be any zone's.
            (Some("intranet"), None, &["198.51.100.10"]),
            // The file gives no address of this system.
            (None, Some("web01"), &["192.0.2.20"]),
            (None, Some("ibs01"), &["127.0.0.1"]),
        ] {
            assert_eq!(
                denied(from, system, own),
                None,
                "{from:?} {system:?} {own:?}"
            );
        }
    }
}
