//! What a site says of itself, held against the site file.
//!
//! A management point has a list of the management points of its site. Names, site code, build number and the way in which
//! clients speak to each are compared with the file. Only a contradiction is written down, with both sides. What the list
//! leaves out is none. Neither is a management point that the file does not have: it may describe a part of a site.
//!
//! 1. A list of another site says nothing of this one: it is the only thing that is told.
//! 2. Where one entry fits, the list fits: in an upgrade versions differ for a while.
//! 3. A build number that nobody knows, and a state that is not documented, say nothing.

use super::Seen;
use crate::config::{ClientConnections, Mode};
use crate::observation::{Advertised, Differs, ListedPoint};
use crate::plan::Flow;
use crate::product::{self, Build, Role};
use crate::site::{Origin, Site, System};

/// `SSLState` of a management point to which clients speak HTTP.
const PLAIN: u32 = 0;
/// The same over HTTPS, without and with a look at revocation lists.
const ENCRYPTED: [u32; 2] = [31, 63];

/// Writes down of every list of management points where it contradicts the site file.
pub fn compare_lists(site: &Site, all: &mut [Seen]) {
    for Seen {
        flow, observations, ..
    } in all
    {
        let pages = observations.iter_mut().filter_map(|it| it.http.as_mut());
        let roles = pages.flat_map(|http| &mut http.roles);
        for role in roles.filter(|role| !role.listed.is_empty()) {
            role.differs = differs(site, &role.listed);
            role.other_names = match another_site(site, &role.listed) {
                Some(_) => Vec::new(),
                None => unknown_names(site, flow, &role.listed),
            };
        }
    }
}

/// What of a list contradicts the site file, but for names.
fn differs(site: &Site, listed: &[ListedPoint]) -> Vec<Differs> {
    if let Some(other) = another_site(site, listed) {
        return vec![other];
    }
    let is_own = |point: &&ListedPoint| {
        let code = point.site_code.as_ref();
        code.is_none_or(|code| code.eq_ignore_ascii_case(&site.code))
    };
    let own: Vec<&ListedPoint> = listed.iter().filter(is_own).collect();
    let all = [another_product(site, &own), another_way(site, &own)];
    all.into_iter().flatten().collect()
}

/// That every site code of a list is another one.
fn another_site(site: &Site, listed: &[ListedPoint]) -> Option<Differs> {
    let codes = || listed.iter().filter_map(|point| point.site_code.as_ref());
    let is_own = |code: &String| code.eq_ignore_ascii_case(&site.code);
    let other = codes().next().filter(|_| !codes().any(is_own))?;
    Some(Differs {
        what: Advertised::SiteCode,
        site: format!("site code {other}"),
        file: site.code.clone(),
    })
}

/// That every build number of a list is known to be of another product or version.
fn another_product(site: &Site, own: &[&ListedPoint]) -> Option<Differs> {
    if !product::knows_builds_of(&site.product) {
        return None;
    }
    let numbers = own.iter().filter_map(|point| point.build);
    let known: Vec<(u32, Build)> = numbers
        .filter_map(|number| Some((number, product::of_build(number)?)))
        .collect();
    let (number, build) = known.first()?;
    let is_own = |(_, build): &(u32, Build)| build.product == site.product;
    let version = build
        .version
        .map_or_else(String::new, |it| format!(" {it}"));
    let says = format!("build {number} ({}{version})", build.product);
    if !known.iter().any(is_own) {
        return Some(Differs {
            what: Advertised::Product,
            site: says,
            file: site.product.clone(),
        });
    }
    let wanted = site.version?.to_string();
    // A version that is not known may be the one that the file names.
    let fits = |(_, build): &(u32, Build)| build.version.is_none_or(|it| it == wanted);
    (!known.iter().any(fits)).then(|| Differs {
        what: Advertised::Product,
        site: says,
        file: format!("version {wanted}"),
    })
}

/// That a management point speaks HTTP where the file says HTTPS, or the other way round.
fn another_way(site: &Site, own: &[&ListedPoint]) -> Option<Differs> {
    own.iter().find_map(|point| {
        let encrypted = match point.ssl_state? {
            PLAIN => false,
            state if ENCRYPTED.contains(&state) => true,
            _ => return None,
        };
        let (wanted, key) = wanted_way(site, point)?;
        let name = point.full_name().or(point.name.as_deref());
        (encrypted != wanted).then(|| Differs {
            what: Advertised::Https,
            site: format!(
                "{} for {} (SSLState {})",
                if encrypted { "HTTPS" } else { "HTTP" },
                name.unwrap_or("a management point"),
                point.ssl_state.unwrap_or_default()
            ),
            file: format!("`{key}`"),
        })
    })
}

/// Whether clients speak HTTPS with certificates to a management point, and the key that says so; `None`: the file does
/// not say.
fn wanted_way(site: &Site, point: &ListedPoint) -> Option<(bool, String)> {
    if let Some(mode) = site.settings.chosen::<Mode>() {
        return Some((mode == Mode::Native, format!("mode: {mode}")));
    }
    let mut systems = site.systems.iter().filter(|it| is_management_point(it));
    let system = systems.find(|system| {
        let mut names = system.names.iter();
        names.any(|(_, name)| point.full_name().is_some_and(|it| are_one(it, name)))
    })?;
    let way = system.settings.chosen::<ClientConnections>()?;
    let key = format!("client_connections: {way}");
    Some((way == ClientConnections::Https, key))
}

/// Whether clients, or a virtual name, find a management point there.
fn is_management_point(system: &System) -> bool {
    let role = Role::ManagementPoint;
    system.client_roles.contains(&role) || system.server_roles.contains(&role)
}

/// The full names of a list, where clients of the flow's zone know none of them. There are none where they know one, or
/// where nothing is known of names.
fn unknown_names(site: &Site, flow: &Flow, listed: &[ListedPoint]) -> Vec<String> {
    let known = names_for_clients(site, flow);
    let mut names: Vec<&str> = Vec::new();
    for name in listed.iter().filter_map(ListedPoint::full_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let is_known = |name: &&str| known.iter().any(|known| are_one(name, known));
    match known.is_empty() || names.iter().any(is_known) {
        true => Vec::new(),
        false => names.into_iter().map(str::to_string).collect(),
    }
}

/// The names by which clients of a flow's zone know management points; none where no client starts it.
fn names_for_clients<'a>(site: &'a Site, flow: &Flow) -> Vec<&'a str> {
    let zone = match flow.from {
        Origin::Zone(zone) if site.clients.contains(&zone) => zone,
        Origin::Zone(_) | Origin::System(_) => return Vec::new(),
    };
    let is_one = |system: &&System| system.client_roles.contains(&Role::ManagementPoint);
    let of_systems = site.systems.iter().filter(is_one);
    // One that a proxy publishes may have another name inside; clients know the proxy's.
    let asked = flow.to.system().and_then(|to| site.systems.get(to));
    let systems = of_systems.chain(asked);
    systems.filter_map(|system| system.name_for(zone)).collect()
}

/// Whether two names are one.
pub(super) fn are_one(one: &str, other: &str) -> bool {
    one.trim_end_matches('.')
        .eq_ignore_ascii_case(other.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::observation::{HttpSeen, Observation, RoleFound, RoleProof, State};
    use crate::plan::{self, Owner};
    use crate::product::{CONFIGMGR_2007, Catalogue};

    /// A site of 2007 whose management point has another name on the Internet.
    const SITE_2007: &str = "
site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: {}, perimeter: {} }
clients: [internet]
systems:
  ibs01:
    zone: perimeter
    names: { internet: ibs01.example.com, default: ibs01.dmz.example }
    roles: [management-point]
    serves: [internet]
";

    /// A site of today with two management points, to which clients speak in different ways.
    const SITE_TODAY: &str = "
site: { code: PRI, product: configmgr-current-branch, version: 2403, crl_check: false }
zones: { internet: {}, intranet: {} }
clients: [internet, intranet]
systems:
  mp01: { zone: intranet, names: { default: mp01.corp.example }, roles: [management-point], serves: [internet], client_connections: https }
  mp02: { zone: intranet, names: { default: mp02.corp.example }, roles: [management-point], serves: [intranet], client_connections: enhanced-http }
";

    fn site(text: &str) -> (Site, Catalogue) {
        let bytes = match text.contains("configmgr-2007") {
            true => CONFIGMGR_2007,
            false => product::find("configmgr-current-branch").expect("a product"),
        };
        let catalogue = Catalogue::parse(bytes).expect("no findings");
        let (config, mut problems) = config::read(text.as_bytes());
        let site = Site::new(&config.expect("a mapping"), &catalogue, &mut problems);
        (site.unwrap_or_else(|| panic!("{problems:?}")), catalogue)
    }

    fn point(fqdn: &str) -> ListedPoint {
        ListedPoint {
            fqdn: (!fqdn.is_empty()).then(|| fqdn.to_string()),
            ..ListedPoint::default()
        }
    }

    fn of_site(code: &str) -> ListedPoint {
        ListedPoint {
            site_code: Some(code.to_string()),
            ..point("")
        }
    }

    fn of_build(number: u32) -> ListedPoint {
        ListedPoint {
            build: Some(number),
            ..point("")
        }
    }

    fn with_state(fqdn: &str, state: u32) -> ListedPoint {
        ListedPoint {
            ssl_state: Some(state),
            ..point(fqdn)
        }
    }

    fn said(site: &Site, listed: &[ListedPoint]) -> Vec<(Advertised, String, String)> {
        let all = differs(site, listed).into_iter();
        all.map(|it| (it.what, it.site, it.file)).collect()
    }

    fn one(what: Advertised, site: &str, file: &str) -> Vec<(Advertised, String, String)> {
        vec![(what, site.to_string(), file.to_string())]
    }

    #[test]
    fn a_list_of_this_site_contradicts_nothing() {
        let (old, _) = site(SITE_2007);
        let (today, _) = site(SITE_TODAY);
        for (site, listed) in [
            (&old, vec![]),
            (&old, vec![point("IBS01")]),
            (&old, vec![of_site("pri"), of_build(6487)]),
            (&old, vec![of_build(6221), of_build(6400)]),
            (&old, vec![with_state("ibs01.dmz.example", 63)]),
            (&old, vec![with_state("x.y", 31)]),
            (&today, vec![of_build(9128)]),
            (
                &today,
                vec![
                    with_state("mp01.corp.example", 63),
                    with_state("mp02.corp.example", 0),
                ],
            ),
        ] {
            assert_eq!(said(site, &listed), [], "{listed:?}");
        }
    }

    #[test]
    fn what_nobody_knows_contradicts_nothing() {
        let (old, _) = site(SITE_2007);
        let (today, _) = site(SITE_TODAY);
        for (site, listed) in [
            (&old, vec![of_build(2726), of_build(7000)]),
            (&old, vec![with_state("ibs01.dmz.example", 1)]),
            // A version between two that are known.
            (&today, vec![of_build(9130)]),
            // A management point that the file does not have.
            (&today, vec![with_state("mp03.corp.example", 0)]),
        ] {
            assert_eq!(said(site, &listed), [], "{listed:?}");
        }
        let (mut own, _) = self::site(SITE_2007);
        own.product = "a-product-of-ours".to_string();
        assert_eq!(said(&own, &[of_build(9128)]), []);
    }

    #[test]
    fn a_list_of_another_site_is_told_and_nothing_that_follows_from_it() {
        let (site, _) = site(SITE_2007);
        let other = one(Advertised::SiteCode, "site code ABC", "PRI");
        assert_eq!(said(&site, &[of_site("ABC")]), other);
        let all_of_it = ListedPoint {
            build: Some(9128),
            ssl_state: Some(0),
            ..of_site("ABC")
        };
        assert_eq!(said(&site, std::slice::from_ref(&all_of_it)), other);
        assert_eq!(said(&site, &[all_of_it.clone(), of_site("DEF")]), other);
        assert_eq!(said(&site, &[all_of_it, of_site("PRI")]), []);
    }

    #[test]
    fn a_build_of_another_product_or_version_is_told() {
        let (old, _) = site(SITE_2007);
        let (today, _) = site(SITE_TODAY);
        let product = Advertised::Product;
        for (site, listed, expected) in [
            (
                &old,
                vec![of_build(9128)],
                one(
                    product,
                    "build 9128 (configmgr-current-branch 2403)",
                    "configmgr-2007",
                ),
            ),
            (
                &old,
                vec![of_build(7000), of_build(7958)],
                one(product, "build 7958 (configmgr-2012 R2)", "configmgr-2007"),
            ),
            (
                &today,
                vec![of_build(6487)],
                one(
                    product,
                    "build 6487 (configmgr-2007 SP2 or R3)",
                    "configmgr-current-branch",
                ),
            ),
            (
                &today,
                vec![of_build(9106)],
                one(
                    product,
                    "build 9106 (configmgr-current-branch 2303)",
                    "version 2403",
                ),
            ),
            (&today, vec![of_build(9106), of_build(9128)], vec![]),
            (&old, vec![of_build(9128), of_build(6487)], vec![]),
        ] {
            assert_eq!(said(site, &listed), expected, "{listed:?}");
        }
    }

    #[test]
    fn https_where_the_file_says_http_is_told_and_the_other_way_round() {
        let https = Advertised::Https;
        let (native, _) = site(SITE_2007);
        assert_eq!(
            said(&native, &[with_state("ibs01.dmz.example", 0)]),
            one(
                https,
                "HTTP for ibs01.dmz.example (SSLState 0)",
                "`mode: native`"
            )
        );
        let (today, _) = site(SITE_TODAY);
        assert_eq!(
            said(&today, &[with_state("MP01.corp.example.", 0)]),
            one(
                https,
                "HTTP for MP01.corp.example. (SSLState 0)",
                "`client_connections: https`"
            )
        );
        assert_eq!(
            said(&today, &[with_state("mp02.corp.example", 63)]),
            one(
                https,
                "HTTPS for mp02.corp.example (SSLState 63)",
                "`client_connections: enhanced-http`"
            )
        );
    }

    /// What comes of a list that a flow met: names, and the rest.
    fn compared(text: &str, from: &str, listed: Vec<ListedPoint>) -> (Vec<String>, usize) {
        let (site, catalogue) = site(text);
        let flows = plan::derive(&site, &catalogue).flows;
        let wanted = |flow: &&Flow| {
            site.origin_name(flow.from) == from && flow.need == product::Need::Required
        };
        let flow = flows.iter().find(wanted).expect("a flow").clone();
        let role = RoleFound {
            role: Role::ManagementPoint,
            proof: RoleProof::Proved,
            words: String::new(),
            listed,
            other_names: Vec::new(),
            differs: Vec::new(),
        };
        let http = HttpSeen {
            version: "HTTP/1.1".to_string(),
            status: 200,
            reason: String::new(),
            server: None,
            via: None,
            clock: None,
            verbs: Default::default(),
            meddling: Vec::new(),
            roles: vec![role],
        };
        let mut all = [Seen {
            flow,
            owner: Owner::Vantage,
            observations: vec![Observation {
                http: Some(Box::new(http)),
                ..Observation::without_packets(None, State::Open)
            }],
        }];
        compare_lists(&site, &mut all);
        let http = all[0].observations[0].http.take().expect("a page");
        let role = &http.roles[0];
        (role.other_names.clone(), role.differs.len())
    }

    #[test]
    fn names_are_those_that_clients_of_the_zone_use() {
        let names = |listed: &[&str]| {
            let listed = listed.iter().map(|name| point(name)).collect();
            compared(SITE_2007, "internet", listed).0
        };
        assert_eq!(names(&["IBS01.Example.com."]), [""; 0]);
        assert_eq!(
            names(&["ibs01.dmz.example"]),
            ["ibs01.dmz.example"],
            "that is its name elsewhere"
        );
        assert_eq!(names(&["cm01.corp.local", "ibs01.example.com"]), [""; 0]);
        assert_eq!(names(&["IBS01"]), [""; 0], "a short name says nothing");
        assert_eq!(names(&["a.b", "a.b", "c.d"]), ["a.b", "c.d"]);
    }

    #[test]
    fn names_of_another_site_are_not_told() {
        let other = ListedPoint {
            fqdn: Some("mp.other.example".to_string()),
            ..of_site("ABC")
        };
        let told = compared(SITE_2007, "internet", vec![other]);
        assert_eq!(told, (Vec::new(), 1));
    }
}
