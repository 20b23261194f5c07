//! Pairs of files, and what they must be found to differ in.

use super::*;
use crate::paragraph::Width;
use crate::product::CONFIGMGR_2007;

/// A site with these keys of `site`, a management point in the perimeter and an update point with this pair.
fn file(site: &str, pair: &str, more: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false{site} }}
zones: {{ internet: {{ networks: [\"0.0.0.0/0\"] }}, perimeter: {{ networks: [192.0.2.0/24] }}, intranet: {{ networks: [10.0.0.0/8] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }}, back-end: {{ between: [perimeter, intranet] }} }}
clients: [internet, intranet]
systems:
  cm01: {{ zone: intranet, names: {{ default: cm01.corp.example }}, roles: [site-server, site-database, management-point], serves: [intranet] }}
  ibs01: {{ zone: perimeter, names: {{ internet: ibs01.example.com, default: ibs01.dmz.example }}, roles: [management-point, distribution-point, fallback-status-point, software-update-point], serves: [internet]{pair} }}
{more}"
    )
}

/// The text of a change as one line, however it is broken.
fn said(change: &ChangeDocument) -> String {
    let text = text(change, Width::UNKNOWN);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const HTTPS_443: &str = ", client_ports: { https: [443] }";
const HTTPS_BOTH: &str = ", client_ports: { https: [443, 8443] }";
const HTTPS_8443: &str = ", client_ports: { https: [8443] }";

fn site(catalogue: &Catalogue, text: &str) -> Site {
    let (config, mut problems) = crate::config::read(text.as_bytes());
    let config = config.expect("a file");
    Site::new(&config, catalogue, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn compared(old: &str, new: &str) -> ChangeDocument {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
    let (old, new) = (site(&catalogue, old), site(&catalogue, new));
    let plans = [&old, &new].map(|site| crate::plan::derive(site, &catalogue));
    let side = |site, plan, file| Side { site, plan, file };
    compare(
        &side(&old, &plans[0], "old.yaml"),
        &side(&new, &plans[1], "new.yaml"),
        &catalogue,
    )
}

fn opening(change: &ChangeDocument, of: &str) -> Vec<String> {
    let opens = change.opens.iter().filter(|it| it.of == of);
    opens.map(|it| it.flow.id.clone()).collect()
}

fn closing(change: &ChangeDocument, of: &str) -> Vec<String> {
    let closes = change.closes.iter().filter(|it| it.of == of);
    closes.map(|it| it.flow.id.clone()).collect()
}

fn step_ids(change: &ChangeDocument) -> Vec<&str> {
    change.steps.iter().map(|step| step.id.as_str()).collect()
}

fn place(change: &ChangeDocument, id: &str) -> usize {
    let ids = step_ids(change);
    let place = ids.iter().position(|it| *it == id);
    place.unwrap_or_else(|| panic!("{id} is not among {ids:?}"))
}

#[test]
fn equal_files_differ_in_nothing() {
    let one = file(HTTPS_BOTH, "", "");
    let change = compared(&one, &one);
    assert!(change.is_empty(), "{change:?}");
    assert!(change.steps.is_empty() && change.cannot_learn.is_empty());
    let text = said(&change);
    assert!(
        text.contains("nothing differs of what is compared"),
        "{text}"
    );
    assert!(!text.contains("same flows"), "{text}");
}

/// What a change of some words in a file with addresses, translation and a proxy is seen as.
fn reworded(from: &str, to: &str) -> ChangeDocument {
    let more = "  isa01: { zone: perimeter, roles: [web-proxy], names: { default: isa01.example.com }, addresses: { default: 192.0.2.20, internet: 198.51.100.7 }, publishes: { systems: [cm02], tls: bridging }, ports: { internet: { 443: 8443 } } }
  cm02: { zone: intranet, names: { default: cm02.corp.example }, addresses: { default: 10.1.1.2 }, roles: [management-point], serves: [internet], rpc_ports: [\"50000-50100\"] }\n";
    let old = file(", client_ports: { https: [443, 8443] }", "", more);
    assert!(old.contains(from), "{from}");
    compared(&old, &old.replace(from, to))
}

fn setting(change: &ChangeDocument, name: &str) -> (String, String) {
    let found = change.settings.iter().find(|it| it.setting == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not among {:?}", change.settings));
    (found.old.clone(), found.new.clone())
}

#[test]
fn a_system_at_another_address_is_another_rule_at_each_firewall() {
    let change = reworded("internet: 198.51.100.7", "internet: 198.51.100.8");
    assert!(change.opens.is_empty() && change.closes.is_empty() && change.stays.is_empty());
    assert_eq!(
        setting(&change, "addresses.internet"),
        ("198.51.100.7".to_string(), "198.51.100.8".to_string())
    );
    let ids: Vec<&str> = change.elsewhere.iter().map(|it| it.id.as_str()).collect();
    assert!(ids.contains(&"internet>isa01:443/tcp"), "{ids:?}");
    assert_eq!(change.elsewhere[0].new.to.addresses, ["198.51.100.8"]);
    assert_eq!(step_ids(&change), ["elsewhere-open", "elsewhere-close"]);
    assert_eq!(change.steps[0].places, ["front-end"]);
    let text = said(&change);
    assert!(
        text.contains("internet>isa01:443/tcp: 198.51.100.7 -> 198.51.100.8"),
        "{text}"
    );
}

#[test]
fn another_own_port_behind_the_same_public_number_is_seen() {
    let change = reworded("{ 443: 8443 }", "{ 443: 9443 }");
    assert_eq!(
        setting(&change, "ports.internet"),
        ("443 to 8443".to_string(), "443 to 9443".to_string())
    );
    assert!(!change.is_empty());
}

#[test]
fn what_firewall_rules_are_made_of_is_compared() {
    for (from, to, key) in [
        ("[10.0.0.0/8]", "[10.0.0.0/9]", "zones.intranet.networks"),
        (
            "between: [perimeter, intranet] }",
            "between: [perimeter, intranet], device: fw1 }",
            "firewalls.back-end.device",
        ),
        (
            "default: 10.1.1.2 }",
            "default: 10.1.1.3 }",
            "addresses.default",
        ),
        ("isa01.example.com", "isa02.example.com", "names.default"),
        ("50000-50100", "50000-50200", "rpc_ports"),
        ("tls: bridging", "tls: tunnelling", "publishes.tls"),
        (
            "serves: [internet], rpc_ports",
            "serves: [internet], initiated_by_site_server: true, rpc_ports",
            "initiated_by_site_server",
        ),
        (
            "serves: [internet], rpc_ports",
            "serves: [internet], ipsec_with: [isa01], rpc_ports",
            "ipsec_with",
        ),
        (
            "serves: [internet], rpc_ports",
            "serves: [internet], old_tls: false, rpc_ports",
            "old_tls",
        ),
    ] {
        let change = reworded(from, to);
        let (old, new) = setting(&change, key);
        assert_ne!(old, new, "{key}");
        assert!(!change.is_empty(), "{key}");
    }
}

#[test]
fn a_value_that_the_product_has_too_is_no_difference() {
    let change = compared(&file("", "", ""), &file(HTTPS_443, "", ""));
    assert!(change.is_empty(), "{:?}", change.settings);
}

#[test]
fn a_pair_of_the_site_is_told_at_the_update_points_that_have_it() {
    let pair = ", software_update_ports: { http: 80, https: 443 }";
    let change = compared(&file("", "", ""), &file(pair, "", ""));
    let of: Vec<_> = change.settings.iter().map(|it| &it.system).collect();
    assert!(!of.is_empty() && of.iter().all(|it| it.is_some()), "{of:?}");
    let (old, new) = setting(&change, "software_update_ports.https");
    assert_eq!((old.as_str(), new.as_str()), ("8531", "443"));
}

#[test]
fn a_number_that_comes_beside_another_opens_and_closes_nothing() {
    let change = compared(&file(HTTPS_443, "", ""), &file(HTTPS_BOTH, "", ""));
    assert_eq!(
        opening(&change, "client-ports"),
        ["internet>ibs01:8443/tcp", "intranet>cm01:8443/tcp"]
    );
    assert_eq!((change.closes.len(), change.retire.len()), (0, 0));
    let close = change.steps.iter().find(|step| step.stage == "close");
    assert_eq!(close, None);
    let open = &change.steps[place(&change, "client-ports-open")];
    assert_eq!(open.places, ["front-end"]);
    assert_eq!(open.flows, ["internet>ibs01:8443/tcp"]);
    assert!(
        open.text.starts_with("Permit 8443 (HTTPS)."),
        "{}",
        open.text
    );
}

#[test]
fn a_number_that_takes_the_place_of_another_is_opened_heard_moved_to_and_only_then_closed() {
    let new = file(
        ", client_ports: { https: [8443] }, retired_client_ports: { https: [443] }",
        "",
        "",
    );
    let change = compared(&file(HTTPS_443, "", ""), &new);
    assert_eq!(
        closing(&change, "client-ports"),
        ["internet>ibs01:443/tcp", "intranet>cm01:443/tcp"]
    );
    assert!(change.closes.iter().all(|it| it.forbidden));
    let order = [
        "client-ports-open",
        "client-ports-bind",
        "client-ports-tick",
        "client-ports-prove",
        "client-ports-learn",
        "client-ports-tell",
        "client-ports-untick",
        "client-ports-close",
        "client-ports-unbind",
    ]
    .map(|id| place(&change, id));
    assert!(order.is_sorted(), "{order:?}");
    assert!(change.steps.is_sorted_by_key(|step| step.stage));
    assert!(change.retire.iter().all(|it| it.declared && it.port == 443));
    let between = "`client_ports: { https: [443, 8443] }`";
    assert!(
        change.remarks.iter().any(|it| it.contains(between)),
        "{:?}",
        change.remarks
    );
    let bind = &change.steps[place(&change, "client-ports-bind")];
    assert_eq!(bind.places, ["cm01", "ibs01"]);
    assert!(bind.text.contains("not expected") && bind.source.is_none());
    let updates = &change.steps[place(&change, "client-ports-not-updates")];
    assert_eq!(updates.places, ["ibs01"]);
}

#[test]
fn a_number_that_only_goes_moves_clients_first_and_asks_to_be_retired() {
    let change = compared(&file(HTTPS_BOTH, "", ""), &file(HTTPS_8443, "", ""));
    assert!(change.opens.is_empty());
    assert!(!step_ids(&change).contains(&"client-ports-open"));
    assert!(place(&change, "client-ports-tell") < place(&change, "client-ports-close"));
    let told = &change.steps[place(&change, "client-ports-tell")];
    assert!(told.text.contains("Give 8443 (HTTPS)"), "{}", told.text);
    assert!(change.retire.iter().all(|it| !it.declared));
    assert!(
        change.remarks[0].contains("retired_client_ports: { https: [443] }"),
        "{:?}",
        change.remarks
    );
    // The watchlist has the default number in any case.
    assert!(change.closes.iter().any(|it| it.forbidden));
}

#[test]
fn clients_that_cannot_learn_get_the_properties_of_the_new_number() {
    let change = compared(&file(HTTPS_443, "", ""), &file(HTTPS_8443, "", ""));
    let who: Vec<&str> = change
        .cannot_learn
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(
        who,
        [
            "internet-only",
            "on-the-internet",
            "workgroup",
            "other-forest"
        ]
    );
    assert_eq!(
        change
            .cannot_learn
            .iter()
            .map(|it| it.shown)
            .collect::<Vec<_>>(),
        [true, true, false, false]
    );
    let given: Vec<(&str, String, bool)> = change
        .properties
        .iter()
        .map(|it| (it.name.as_str(), it.values.join("|"), it.changes))
        .collect();
    assert_eq!(
        given,
        [
            ("CCMHTTPSPORT", "8443".to_string(), true),
            ("CCMHTTPSSTATE", "31".to_string(), false),
            ("CCMHOSTNAME", "ibs01.example.com".to_string(), false),
            ("CCMALWAYSINF", "1".to_string(), false),
            ("FSP", "ibs01.example.com".to_string(), false),
        ]
    );
}

#[test]
fn the_pair_of_an_update_point_changes_by_itself() {
    let own = ", software_update_ports: { http: 80, https: 443 }";
    let change = compared(&file(HTTPS_8443, "", ""), &file(HTTPS_8443, own, ""));
    assert_eq!(
        opening(&change, "update-ports"),
        [
            "cm01>ibs01:443/tcp",
            "cm01>ibs01:80/tcp",
            "internet>ibs01:443/tcp"
        ]
    );
    assert!(closing(&change, "update-ports").contains(&"internet>ibs01:8531/tcp".to_string()));
    let ids = step_ids(&change);
    assert!(
        ids.iter().all(|id| id.starts_with("update-ports")),
        "{ids:?}"
    );
    let bind = &change.steps[place(&change, "update-ports-bind")];
    assert_eq!(bind.places, ["ibs01"]);
    assert!(bind.text.contains("443 (HTTPS)"), "{}", bind.text);
    assert!(change.cannot_learn.is_empty());
}

#[test]
fn a_port_that_something_else_takes_over_stays() {
    let own = ", software_update_ports: { http: 80, https: 443 }";
    let change = compared(&file(HTTPS_443, "", ""), &file(HTTPS_8443, own, ""));
    let staying: Vec<&Staying> = change
        .stays
        .iter()
        .filter(|it| it.id == "internet>ibs01:443/tcp")
        .collect();
    assert_eq!(staying.len(), 1, "{:?}", change.stays);
    assert_eq!(staying[0].new.rules, ["client-sup-https"]);
    assert_eq!(closing(&change, "client-ports"), ["intranet>cm01:443/tcp"]);
}

#[test]
fn what_else_differs_disturbs_no_step_of_the_ports() {
    let more = "  ibs02: { zone: perimeter, names: { default: ibs02.example.com }, roles: [distribution-point], serves: [internet] }\n";
    let change = compared(&file(HTTPS_443, "", ""), &file(HTTPS_BOTH, "", more));
    assert!(opening(&change, "other").contains(&"internet>ibs02:443/tcp".to_string()));
    assert_eq!(change.steps[0].id, "other-open");
    let open = &change.steps[place(&change, "client-ports-open")];
    assert_eq!(
        open.flows,
        ["internet>ibs01:8443/tcp", "internet>ibs02:8443/tcp"]
    );
    let systems = change.settings.iter().find(|it| it.setting == "systems");
    assert_eq!(systems.expect("a setting").new, "cm01, ibs01, ibs02");
    let without = compared(&file(HTTPS_443, "", more), &file(HTTPS_443, "", ""));
    assert!(without.steps.iter().all(|step| step.id == "other-close"));
    assert!(!without.closes.is_empty());
}

#[test]
fn a_change_of_mode_is_said_and_is_no_change_of_ports() {
    let mixed = |text: String| {
        text.replace("crl_check: false", "crl_check: false, mode: mixed")
            .replace("serves: [internet]", "serves: [intranet]")
            .replace("clients: [internet, intranet]", "clients: [intranet]")
    };
    let change = compared(&mixed(file("", "", "")), &file("", "", ""));
    assert!(change.remarks[0].starts_with("The mode changes too."));
    assert!(change.steps.iter().all(|step| step.id.starts_with("other")));
    let mode = change.settings.iter().find(|it| it.setting == "mode");
    let mode = mode.expect("a setting");
    assert_eq!((mode.old.as_str(), mode.new.as_str()), ("mixed", "native"));
}

#[test]
fn three_numbers_are_more_than_the_console_takes() {
    let new = ", client_ports: { https: [9443] }";
    let change = compared(&file(HTTPS_BOTH, "", ""), &file(new, "", ""));
    assert!(
        change.remarks[0].contains("go in two changes"),
        "{:?}",
        change.remarks
    );
}

#[test]
fn files_of_two_sites_are_told_apart() {
    let other = file(HTTPS_443, "", "").replace("PRI", "SEC");
    let change = compared(&other, &file(HTTPS_443, "", ""));
    assert!(change.remarks[0].contains("two sites, SEC and PRI"));
}

#[test]
fn unconfirmed_steps_are_worded_with_care_and_never_cited() {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
    let unconfirmed = catalogue.port_change.steps.iter();
    let unconfirmed: Vec<_> = unconfirmed.filter(|step| step.source.is_empty()).collect();
    assert!(unconfirmed.len() >= 4);
    for step in unconfirmed {
        let hedged = ["usually", "expected"]
            .iter()
            .any(|word| step.text.contains(word));
        assert!(hedged, "{}", step.text);
    }
    let new = file(HTTPS_8443, "", "");
    let text = said(&compared(&file(HTTPS_443, "", ""), &new));
    assert!(
        !text.contains('{') || text.contains("client_ports: {"),
        "{text}"
    );
    assert!(text.contains("not confirmed by any document"));
    assert!(text.contains("front-end: Permit 8443 (HTTPS)."), "{text}");
}

#[test]
fn systems_that_only_the_old_file_has_are_joined_behind_the_new_ones() {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
    let moved = file(HTTPS_8443, "", "").replace("ibs01.example.com", "ibs09.example.com");
    let (old, new) = (
        site(&catalogue, &file(HTTPS_443, "", "")),
        site(&catalogue, &moved),
    );
    let joined = union(&new, &old, 0);
    assert_eq!((joined.own, joined.site.systems.len()), (2, 3));
    assert_eq!(joined.systems, [Some(0), Some(2)]);
    let plans = [&old, &new].map(|site| crate::plan::derive(site, &catalogue));
    let side = |site, plan| Side {
        site,
        plan,
        file: "",
    };
    let used = client_doors(
        &side(&old, &plans[0]),
        &side(&new, &plans[1]),
        &catalogue,
        &joined,
        0,
    );
    let points = used
        .iter()
        .filter(|it| it.roles.contains(&crate::product::Role::ManagementPoint));
    let points: Vec<_> = points
        .map(|it| (it.of, it.flow.port.low, it.flow.to.clone()))
        .collect();
    assert_eq!(
        points,
        [
            (Of::New, 8443, crate::plan::Target::System(1)),
            (Of::Old, 443, crate::plan::Target::System(2)),
        ]
    );
}

#[test]
fn a_number_that_passes_already_for_the_update_point_has_to_be_bound_all_the_same() {
    let new = file(", client_ports: { https: [8531] }", "", "");
    let change = compared(&file(HTTPS_443, "", ""), &new);
    assert!(
        change
            .stays
            .iter()
            .any(|it| it.id == "internet>ibs01:8531/tcp")
    );
    let bind = &change.steps[place(&change, "client-ports-bind")];
    assert_eq!(bind.places, ["cm01", "ibs01"]);
    assert!(bind.flows.contains(&"internet>ibs01:8531/tcp".to_string()));
    let shared = &change.steps[place(&change, "client-ports-shared")];
    assert_eq!(shared.places, ["ibs01"]);
    assert!(shared.text.contains("has 8531 (HTTPS)"), "{}", shared.text);
    assert!(shared.text.contains("expected"), "{}", shared.text);
    assert!(place(&change, "client-ports-shared") < place(&change, "client-ports-bind"));
    // No firewall has to open what passes already.
    let opens = change
        .steps
        .iter()
        .filter(|it| it.at == "firewall" && it.stage == "open");
    assert!(
        opens
            .flat_map(|it| &it.flows)
            .all(|id| id != "internet>ibs01:8531/tcp")
    );
}

#[test]
fn an_update_point_at_other_numbers_shares_none() {
    let change = compared(&file(HTTPS_443, "", ""), &file(HTTPS_8443, "", ""));
    assert!(!step_ids(&change).contains(&"client-ports-shared"));
}

#[test]
fn only_numbers_that_the_new_file_does_not_retire_are_to_be_named() {
    let said = |change: &ChangeDocument| {
        let step = &change.steps[place(change, "client-ports-retire")];
        step.text.clone()
    };
    let silent = said(&compared(
        &file(HTTPS_BOTH, "", ""),
        &file(HTTPS_8443, "", ""),
    ));
    assert!(
        silent.starts_with("Name 443 (HTTPS) under `retired_client_ports`"),
        "{silent}"
    );
    let retired = ", client_ports: { https: [8443] }, retired_client_ports: { https: [443] }";
    let told = said(&compared(&file(HTTPS_BOTH, "", ""), &file(retired, "", "")));
    assert!(
        !told.contains("Name ") && told.contains("has it already"),
        "{told}"
    );
    assert!(
        told.ends_with("Run `portproof check`: 443 (HTTPS) has to be closed."),
        "{told}"
    );
}
