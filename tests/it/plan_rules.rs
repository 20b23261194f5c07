//! The rules of the seed, on small sites: what is required, optional and forbidden.

use std::collections::BTreeMap;

use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::{config, plan, site::Site};

/// Needs by flow id, of a site whose `site:` keys and systems are given.
fn needs(site_keys: &str, systems: &str) -> BTreeMap<String, String> {
    let (site, plan) = planned(site_keys, systems);
    let needs = plan
        .all()
        .map(|flow| (plan::id(&site, &flow), flow.need.to_string()));
    needs.collect()
}

fn planned(site_keys: &str, systems: &str) -> (Site, plan::Plan) {
    let text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false{site_keys} }}
zones:
  internet: {{ networks: [\"0.0.0.0/0\"] }}
  perimeter: {{ networks: [\"192.0.2.0/24\"] }}
  intranet: {{ networks: [\"10.0.0.0/8\"] }}
firewalls:
  front-end: {{ between: [internet, perimeter] }}
  back-end: {{ between: [perimeter, intranet] }}
clients: [internet, intranet]
systems:
{systems}"
    );
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
    let (config, mut problems) = config::read(text.as_bytes());
    let site = Site::new(&config.expect("a file"), &catalogue, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:?}"));
    let plan = plan::derive(&site, &catalogue);
    (site, plan)
}

fn assert_need(needs: &BTreeMap<String, String>, id: &str, need: &str) {
    assert_eq!(needs.get(id).map_or("absent", String::as_str), need, "{id}");
}

const CM01: &str = "  cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [site-server, site-database, software-update-point], serves: [intranet] }\n";
const IBS01: &str = "  ibs01: { zone: perimeter, names: { default: ibs01.example.com }, roles: [management-point, distribution-point, fallback-status-point, software-update-point], serves: [internet]EXTRA }\n";

fn ibs01(extra: &str) -> String {
    format!("{CM01}{}", IBS01.replace("EXTRA", extra))
}

#[test]
fn internet_clients_use_https_and_only_the_fallback_status_point_http() {
    let needs = needs("", &ibs01(""));
    assert_need(&needs, "internet>ibs01:443/tcp", "required");
    assert_need(&needs, "internet>ibs01:80/tcp", "required");
    assert_need(&needs, "internet>ibs01:8531/tcp", "required");
    assert_need(&needs, "internet>ibs01:8530/tcp", "optional");
    assert_need(&needs, "internet>ibs01:445/tcp", "forbidden");
    assert_need(&needs, "internet>cm01:443/tcp", "forbidden");
}

#[test]
fn every_active_port_is_required_and_retired_ones_are_forbidden() {
    let needs = needs(
        ", client_ports: { https: [443, 8443] }, retired_client_ports: { https: [8444] }",
        &ibs01(""),
    );
    assert_need(&needs, "internet>ibs01:443/tcp", "required");
    assert_need(&needs, "internet>ibs01:8443/tcp", "required");
    assert_need(&needs, "internet>ibs01:8444/tcp", "forbidden");
}

#[test]
fn the_default_number_is_optional_when_no_client_uses_it() {
    let needs = needs(
        ", client_ports: { https: [443, 8443] }, default_port_clients: false",
        &ibs01(""),
    );
    assert_need(&needs, "internet>ibs01:443/tcp", "optional");
    assert_need(&needs, "internet>ibs01:8443/tcp", "required");
}

#[test]
fn an_update_point_has_its_own_pair() {
    let needs = needs(
        "",
        &ibs01(", software_update_ports: { http: 80, https: 443 }"),
    );
    assert_need(&needs, "internet>ibs01:8531/tcp", "forbidden");
    assert_need(&needs, "cm01>ibs01:443/tcp", "required");
    assert_need(&needs, "ibs01>cm01:8531/tcp", "required");
}

#[test]
fn the_site_server_reaches_its_site_systems_over_rpc_and_smb() {
    let needs = needs("", &ibs01(""));
    for port in ["135/tcp", "445/tcp", "49152-65535/tcp"] {
        assert_need(&needs, &format!("cm01>ibs01:{port}"), "required");
    }
    assert_need(&needs, "cm01>ibs01:135/udp", "optional");
    assert_need(&needs, "ibs01>cm01:1433/tcp", "required");
}

#[test]
fn connections_back_are_forbidden_when_the_site_server_starts_them_all() {
    assert_need(&needs("", &ibs01("")), "ibs01>cm01:445/tcp", "required");
    let passive = needs("", &ibs01(", initiated_by_site_server: true"));
    assert_need(&passive, "ibs01>cm01:445/tcp", "forbidden");
    assert_need(&passive, "ibs01>cm01:135/tcp", "forbidden");
    // The database and the update sync have keys of their own.
    assert_need(&passive, "ibs01>cm01:1433/tcp", "required");
    assert_need(&passive, "ibs01>cm01:8531/tcp", "required");
}

#[test]
fn update_sync_needs_https_and_http_or_is_forbidden_when_files_are_carried() {
    let direct = needs("", &ibs01(""));
    assert_need(&direct, "ibs01>cm01:8531/tcp", "required");
    assert_need(&direct, "ibs01>cm01:8530/tcp", "required");
    assert_need(&direct, "cm01>ibs01:8531/tcp", "required");
    let carried = needs(
        ", update_sync: export-import",
        &ibs01(", initiated_by_site_server: true"),
    );
    assert_need(&carried, "ibs01>cm01:8531/tcp", "forbidden");
    assert_need(&carried, "ibs01>cm01:8530/tcp", "forbidden");
    assert_need(&carried, "cm01>ibs01:8531/tcp", "required");
}

#[test]
fn a_replica_replaces_the_way_to_the_site_database() {
    let replica = |way: &str| {
        format!(
            "{}  sqlrep01: {{ zone: perimeter, names: {{ default: sql.example.com }}, roles: [site-database-replica], replication: {way} }}\n",
            ibs01("")
        )
    };
    let push = needs("", &replica("push"));
    assert_need(&push, "ibs01>sqlrep01:1433/tcp", "required");
    assert_need(&push, "ibs01>cm01:1433/tcp", "forbidden");
    assert_need(&push, "cm01>sqlrep01:1433/tcp", "required");
    assert_need(&push, "sqlrep01>cm01:1433/tcp", "absent");
    let pull = needs("", &replica("pull"));
    assert_need(&pull, "sqlrep01>cm01:1433/tcp", "required");
    assert_need(&pull, "cm01>sqlrep01:1433/tcp", "absent");
}

#[test]
fn clients_of_a_published_system_go_through_its_proxy() {
    let systems = "  cm01: { zone: intranet, names: { default: cm01.corp.example, internet: mp.example.com }, roles: [site-server, management-point, fallback-status-point], serves: [internet, intranet] }
  isa01: { zone: perimeter, names: { internet: mp.example.com, default: isa01.dmz.example }, roles: [web-proxy], publishes: { systems: [cm01], tls: bridging } }\n";
    let needs = needs("", systems);
    assert_need(&needs, "internet>isa01:443/tcp", "required");
    assert_need(&needs, "internet>isa01:80/tcp", "required");
    assert_need(&needs, "isa01>cm01:443/tcp", "required");
    assert_need(&needs, "isa01>cm01:80/tcp", "required");
    assert_need(&needs, "internet>cm01:443/tcp", "forbidden");
    assert_need(&needs, "intranet>cm01:443/tcp", "required");
}

#[test]
fn clients_go_to_a_virtual_name_and_servers_to_its_members() {
    let systems = format!(
        "{CM01}  nlb: {{ zone: perimeter, names: {{ internet: nlb.example.com }}, roles: [management-point], serves: [internet], members: [ibs02] }}
  ibs02: {{ zone: perimeter, names: {{ default: ibs02.example.com }}, roles: [management-point], serves: [internet] }}\n"
    );
    let needs = needs("", &systems);
    assert_need(&needs, "internet>nlb:443/tcp", "required");
    assert_need(&needs, "internet>ibs02:443/tcp", "forbidden");
    assert_need(&needs, "cm01>ibs02:445/tcp", "required");
    assert_need(&needs, "cm01>nlb:445/tcp", "absent");
}

#[test]
fn domain_controllers_are_asked_within_a_forest() {
    let systems = |forest: &str| {
        format!(
            "{}  dc01: {{ zone: intranet, names: {{ default: dc01.corp.example }}, roles: [domain-controller]{forest} }}\n",
            ibs01("")
        )
    };
    assert_need(&needs("", &systems("")), "ibs01>dc01:389/tcp", "required");
    assert_need(
        &needs("", &systems(", forest: corp")),
        "ibs01>dc01:389/tcp",
        "absent",
    );
}

#[test]
fn revocation_lists_are_needed_by_every_client_zone() {
    let needs = needs(
        ", crl_check: true, crl_urls: [\"http://pki.example.net:8080/ca.crl\"]"
            .replace(", crl_check: true", "")
            .as_str(),
        &ibs01(""),
    );
    // crl_check is false in this file: no flow.
    assert_need(&needs, "internet>crl.pki.example.net:8080/tcp", "absent");
}

#[test]
fn what_the_file_says_of_a_system_goes_before_what_it_says_of_its_zone() {
    let flows = "flows:
  - { from: intranet, to: ibs01, port: 3389, need: required }
  - { from: cm01, to: ibs01, port: 3389, need: forbidden }
  - { from: intranet, to: ibs01, port: 5985, need: forbidden }
  - { from: cm01, to: ibs01, port: 5985, need: required }\n";
    let (site, mut plan) = planned("", &(ibs01("") + flows));
    plan.spread(&site, |it| it.start(&site) == 2);
    let tried = |system: Option<usize>| -> Vec<String> {
        let (chosen, _) = plan::select(&site, &plan, &[2], system);
        let ids = chosen
            .iter()
            .map(|it| plan::id(&site, &plan.flows[it.flow]));
        ids.filter(|id| id.ends_with(":3389/tcp") || id.ends_with(":5985/tcp"))
            .collect()
    };
    let cm01 = site.system_at("cm01.corp.example");
    assert_eq!(tried(cm01), ["cm01>ibs01:3389/tcp", "cm01>ibs01:5985/tcp"]);
    assert_eq!(tried(None).len(), 4);
}
