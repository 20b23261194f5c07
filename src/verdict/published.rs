//! Where DNS says that a site's management points are, held against the site file.
//!
//! A site may publish its management points in DNS, by SRV records (RFC 2782) whose port is the client request port. It is
//! the one place where the port of a site can be read by anybody. Publishing is optional, so no answer says nothing. Of a
//! management point that the file does not have, the port says nothing either: the file may describe a part of a site.

use std::collections::BTreeSet;

use super::Cause;
use super::advertised::are_one;
use crate::config::{ClientConnections, Mode};
use crate::observation::PublishedPoint;
use crate::product::{Role, Setting};
use crate::site::{Site, System, SystemId, ZoneId};

/// The most domains that are asked for.
const MOST_DOMAINS: usize = 8;

/// What DNS says against the site file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedOtherwise {
    /// `advertised-port` or `advertised-name`.
    pub cause: Cause,
    /// The system that it is about; `None`: none of the file.
    pub system: Option<SystemId>,
    /// Both sides, in words.
    pub text: String,
}

/// The names under which DNS may have the management points of the site, one for each domain, in the eyes of hosts of these
/// zones. Only those that clients inside accept are published, and clients on the Internet do not ask.
pub fn published_names(site: &Site, zones: &[ZoneId]) -> Vec<String> {
    let inside = |zone: &&ZoneId| Some(**zone) != site.internet;
    let names = zones.iter().filter(inside).flat_map(|zone| {
        let points = points(site);
        points.filter_map(move |(_, system)| system.name_for(*zone))
    });
    let domain = |name: &str| {
        let (_, domain) = name.trim_end_matches('.').split_once('.')?;
        (!domain.is_empty()).then(|| domain.to_ascii_lowercase())
    };
    let domains: BTreeSet<String> = names.filter_map(domain).collect();
    let code = site.code.to_ascii_lowercase();
    let names = domains.into_iter().take(MOST_DOMAINS);
    names
        .map(|domain| format!("_mssms_mp_{code}._tcp.{domain}"))
        .collect()
}

/// The management points that clients inside may use. One behind a virtual name is not published.
fn points(site: &Site) -> impl Iterator<Item = (SystemId, &System)> {
    let serves_inside = |system: SystemId| {
        let mut inside = site
            .clients
            .iter()
            .filter(|zone| Some(**zone) != site.internet);
        inside.any(|zone| site.serves(system, *zone))
    };
    let systems = site.systems.iter().enumerate();
    systems.filter(move |(number, system)| {
        system.client_roles.contains(&Role::ManagementPoint)
            && system.members.is_empty()
            && serves_inside(*number)
    })
}

/// What the records of a name contradict.
pub fn compare_published(
    site: &Site,
    name: &str,
    records: &[PublishedPoint],
) -> Vec<PublishedOtherwise> {
    let of = |record: &PublishedPoint| {
        let mut systems = site.systems.iter().enumerate();
        systems.find(|(_, system)| {
            let mut names = system.names.iter();
            names.any(|(_, name)| are_one(name, &record.target))
        })
    };
    let known: Vec<_> = records
        .iter()
        .filter_map(|record| Some((record, of(record)?)))
        .collect();
    if known.is_empty() {
        return unknown(site, name, records).into_iter().collect();
    }
    let ports = known.into_iter().filter_map(|(record, (number, system))| {
        let wanted = client_ports(site, system);
        (!wanted.is_empty() && !wanted.contains(&record.port)).then(|| PublishedOtherwise {
            cause: Cause::AdvertisedPort,
            system: Some(number),
            text: format!(
                "DNS says that clients use {} at {} ({name}); the site file says {}",
                record.port,
                record.target,
                listed(&wanted)
            ),
        })
    });
    ports.collect()
}

/// That no record leads to a system of the file.
fn unknown(site: &Site, name: &str, records: &[PublishedPoint]) -> Option<PublishedOtherwise> {
    let mut targets: Vec<&str> = records.iter().map(|it| it.target.as_str()).collect();
    targets.dedup();
    (!targets.is_empty()).then(|| PublishedOtherwise {
        cause: Cause::AdvertisedName,
        system: None,
        text: format!(
            "DNS has {} for the management points of site {} ({name}); the site file has no system \
             of such a name",
            targets.join(" and "),
            site.code
        ),
    })
}

/// The client request ports at which clients find a management point: those of one protocol, where the file says which.
fn client_ports(site: &Site, system: &System) -> Vec<u16> {
    let (http, https) = (Setting::ClientHttp, Setting::ClientHttps);
    let mode = site.settings.chosen::<Mode>();
    let way = system.settings.chosen::<ClientConnections>();
    let settings = match (mode, way) {
        (Some(Mode::Native), _) | (None, Some(ClientConnections::Https)) => vec![https],
        (Some(Mode::Mixed), _) => vec![http],
        (None, _) => vec![http, https],
    };
    let ports = settings.into_iter().flat_map(|it| site.client_ports(it));
    ports.collect()
}

fn listed(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ports.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::product::{self, Catalogue};

    /// Two domains inside, one management point for the Internet alone, and one behind a virtual name.
    const SITE: &str = "
site: { code: PRI, product: configmgr-2007, crl_check: false, client_ports: { http: [80], https: [443, 8443] } }
zones: { internet: {}, perimeter: {}, intranet: {} }
clients: [internet, intranet]
systems:
  ibs01: { zone: perimeter, names: { internet: ibs01.example.com, default: ibs01.dmz.example }, roles: [management-point], serves: [internet] }
  cm01: { zone: intranet, names: { perimeter: cm01.dmz.example, default: cm01.Corp.example. }, roles: [management-point], serves: [intranet] }
  cm02: { zone: intranet, names: { default: cm02.corp.example }, roles: [management-point], serves: [intranet, internet] }
  cm03: { zone: intranet, names: { default: cm03.branch.example }, roles: [management-point], serves: [intranet] }
  short: { zone: intranet, names: { default: short }, roles: [management-point], serves: [intranet] }
  nlb: { zone: intranet, names: { default: nlb.nlb.example }, roles: [management-point], serves: [intranet], members: [cm04] }
  cm04: { zone: intranet, names: { default: cm04.nlb.example }, roles: [management-point], serves: [intranet] }
";

    fn site(text: &str) -> Site {
        let (config, mut problems) = config::read(text.as_bytes());
        let config = config.expect("a mapping");
        let product = config.site.product.as_ref().expect("a product");
        let bytes = product::find(&product.value).expect("a product");
        let catalogue = Catalogue::parse(bytes).expect("no findings");
        let site = Site::new(&config, &catalogue, &mut problems);
        site.unwrap_or_else(|| panic!("{problems:?}"))
    }

    #[test]
    fn each_domain_inside_is_asked_for_once_and_never_from_the_internet() {
        let site = site(SITE);
        let names = |zones: &[ZoneId]| published_names(&site, zones);
        let in_corp = "_mssms_mp_pri._tcp.corp.example";
        let in_branch = "_mssms_mp_pri._tcp.branch.example";
        let in_dmz = "_mssms_mp_pri._tcp.dmz.example";
        assert_eq!(names(&[2]), [in_branch, in_corp]);
        assert_eq!(names(&[1]), [in_branch, in_corp, in_dmz]);
        assert_eq!(names(&[1, 2]), [in_branch, in_corp, in_dmz]);
        assert_eq!(names(&[0, 2]), [in_branch, in_corp]);
        assert_eq!(names(&[0]), [""; 0]);
    }

    fn record(target: &str, port: u16) -> PublishedPoint {
        PublishedPoint {
            target: target.to_string(),
            port,
        }
    }

    fn said(site: &Site, records: &[PublishedPoint]) -> Vec<(&'static str, String)> {
        let all = compare_published(site, "_srv", records).into_iter();
        all.map(|it| (it.cause.name(), it.text)).collect()
    }

    #[test]
    fn records_that_fit_and_no_record_say_nothing() {
        let site = site(SITE);
        for records in [
            vec![],
            vec![record("cm01.corp.example", 443)],
            vec![record("CM02.Corp.Example.", 8443)],
            vec![record("cm01.dmz.example", 443)],
            // One that the file does not have, beside one that it has.
            vec![
                record("cm01.corp.example", 443),
                record("cm09.corp.example", 81),
            ],
        ] {
            assert_eq!(said(&site, &records), [], "{records:?}");
        }
    }

    #[test]
    fn another_port_is_told_with_both_sides() {
        let native = site(SITE);
        let told = |port| {
            let text = format!(
                "DNS says that clients use {port} at cm01.corp.example (_srv); the site file says 443 \
                 and 8443"
            );
            vec![("advertised-port", text)]
        };
        for port in [80, 8444] {
            assert_eq!(
                said(&native, &[record("cm01.corp.example", port)]),
                told(port)
            );
        }
        let mixed = site(
            &SITE
                .replace("configmgr-2007", "configmgr-2007, mode: mixed")
                .replace("serves: [internet]", "serves: [intranet]")
                .replace("serves: [intranet, internet]", "serves: [intranet]")
                .replace("clients: [internet, intranet]", "clients: [intranet]"),
        );
        assert_eq!(said(&mixed, &[record("cm01.corp.example", 80)]), []);
        let [(_, text)] = &said(&mixed, &[record("cm01.corp.example", 443)])[..] else {
            panic!("one is expected");
        };
        assert!(text.ends_with("the site file says 80"), "{text}");
    }

    #[test]
    fn of_the_current_branch_only_https_is_held_to_one_protocol() {
        let site = site("
site: { code: PRI, product: configmgr-current-branch, crl_check: false }
zones: { intranet: {} }
clients: [intranet]
systems:
  mp01: { zone: intranet, names: { default: mp01.corp.example }, roles: [management-point], serves: [intranet], client_connections: https }
  mp02: { zone: intranet, names: { default: mp02.corp.example }, roles: [management-point], serves: [intranet], client_connections: enhanced-http }
");
        for (target, port, expected) in [
            ("mp01.corp.example", 443, 0),
            ("mp01.corp.example", 80, 1),
            ("mp02.corp.example", 443, 0),
            ("mp02.corp.example", 80, 0),
            ("mp02.corp.example", 8080, 1),
        ] {
            let told = said(&site, &[record(target, port)]);
            assert_eq!(told.len(), expected, "{target}:{port} {told:?}");
        }
    }

    #[test]
    fn names_are_told_where_the_file_has_none_of_them() {
        let site = site(SITE);
        let records = [
            record("old01.corp.example", 80),
            record("old02.corp.example", 80),
        ];
        let text = "DNS has old01.corp.example and old02.corp.example for the management points of site \
                    PRI (_srv); the site file has no system of such a name";
        let expected = vec![("advertised-name", text.to_string())];
        assert_eq!(said(&site, &records), expected);
    }
}
