//! The rules of the seed, on small sites: what is required, optional and forbidden.

use std::collections::BTreeMap;

use portproof::diagnostic::Problem;
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
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
    let (site, problems) = resolved(site_keys, systems, &catalogue);
    let site = site.unwrap_or_else(|| panic!("{problems:?}"));
    let plan = plan::derive(&site, &catalogue);
    (site, plan)
}

fn resolved(site_keys: &str, systems: &str, catalogue: &Catalogue) -> (Option<Site>, Vec<Problem>) {
    // A site in mixed mode has no Internet clients.
    let clients = match site_keys.contains("mode: mixed") {
        true => "[intranet]",
        false => "[internet, intranet]",
    };
    let text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false{site_keys} }}
zones:
  internet: {{ networks: [\"0.0.0.0/0\"] }}
  perimeter: {{ networks: [\"192.0.2.0/24\"] }}
  intranet: {{ networks: [\"10.0.0.0/8\"] }}
firewalls:
  front-end: {{ between: [internet, perimeter] }}
  back-end: {{ between: [perimeter, intranet] }}
clients: {clients}
systems:
{systems}"
    );
    let (config, mut problems) = config::read(text.as_bytes());
    let site = Site::new(&config.expect("a file"), catalogue, &mut problems);
    (site, problems)
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

/// A whole site in the perimeter, with the update point of its parent inside.
fn child_site(update_points: &str) -> String {
    format!(
        "  int01: {{ zone: perimeter, names: {{ default: int01.example.com }}, roles: [site-server, site-database] }}
  cen01: {{ zone: intranet, names: {{ default: cen01.corp.example }}, roles: [parent-site-server, parent-software-update-point] }}
{update_points}"
    )
}

fn update_point(name: &str, serves: &str) -> String {
    format!(
        "  {name}: {{ zone: perimeter, names: {{ default: {name}.example.com }}, roles: [software-update-point], serves: {serves} }}\n"
    )
}

#[test]
fn the_only_update_point_of_a_site_is_the_active_one_whatever_it_serves() {
    for serves in ["[internet]", "[internet, intranet]", "[]"] {
        let needs = needs("", &child_site(&update_point("sup01", serves)));
        assert_need(&needs, "sup01>cen01:8531/tcp", "required");
        assert_need(&needs, "sup01>cen01:8530/tcp", "required");
    }
    let two = update_point("sup01", "[internet]") + &update_point("sup02", "[]");
    let needs = needs("", &child_site(&two));
    assert_need(&needs, "sup01>cen01:8531/tcp", "absent");
    assert_need(&needs, "sup02>cen01:8531/tcp", "required");
    assert_need(&needs, "sup01>sup02:8531/tcp", "required");
}

#[test]
fn hosts_behind_one_name_are_one_update_point() {
    let systems = "  nlb: { zone: perimeter, names: { internet: nlb.example.com }, roles: [software-update-point], serves: [internet], members: [sup01, sup02] }
  sup01: { zone: perimeter, names: { default: sup01.example.com }, roles: [] }
  sup02: { zone: perimeter, names: { default: sup02.example.com }, roles: [] }\n";
    let alone = needs("", &child_site(systems));
    assert_need(&alone, "sup02>cen01:8531/tcp", "required");
    let beside = needs("", &(CM01.to_string() + systems));
    assert_need(&beside, "sup01>cm01:8531/tcp", "required");
    assert_need(&beside, "cm01>sup02:8531/tcp", "required");
}

#[test]
fn several_update_points_without_an_active_one_are_asked_about() {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
    let two = update_point("sup01", "[internet]") + &update_point("sup02", "[internet]");
    let (site, problems) = resolved("", &child_site(&two), &catalogue);
    assert!(site.is_none());
    let asked = problems
        .iter()
        .find(|it| it.code == "no-active-update-point");
    let asked = asked.unwrap_or_else(|| panic!("{problems:?}"));
    assert!(
        asked.message.contains("`sup01` and `sup02`"),
        "{}",
        asked.message
    );
}

#[test]
fn the_site_server_reaches_a_remote_active_update_point_on_its_own_ports() {
    let remote = "  cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [site-server] }
  sup01: { zone: perimeter, names: { default: sup01.example.com }, roles: [software-update-point], serves: [internet, intranet] }\n";
    let native = needs("", remote);
    assert_need(&native, "cm01>sup01:8531/tcp", "required");
    assert_need(&native, "cm01>sup01:8530/tcp", "optional");
    // The other way only status goes.
    assert_need(&native, "sup01>cm01:8531/tcp", "absent");
    assert_need(&native, "sup01>cm01:8530/tcp", "absent");
    assert_need(&native, "sup01>cm01:445/tcp", "required");
    let inside = remote.replace("[internet, intranet]", "[intranet]");
    let mixed = needs(", mode: mixed", &inside);
    assert_need(&mixed, "cm01>sup01:8530/tcp", "required");
    assert_need(&mixed, "cm01>sup01:8531/tcp", "optional");
}

#[test]
fn the_site_server_may_reach_the_update_point_of_the_internet_as_well() {
    let needs = needs("", &ibs01("").replace("site-server, ", "").replace(
        "  cm01:",
        "  cen01: { zone: intranet, names: { default: cen01.corp.example }, roles: [site-server] }\n  cm01:",
    ));
    assert_need(&needs, "cen01>cm01:8531/tcp", "required");
    assert_need(&needs, "cen01>ibs01:8531/tcp", "optional");
    assert_need(&needs, "cm01>ibs01:8531/tcp", "required");
}

#[test]
fn a_published_update_point_may_be_asked_over_http_as_one_on_the_direct_path() {
    let systems = "  cm01: { zone: intranet, names: { default: cm01.corp.example, internet: mp.example.com }, roles: [site-server, software-update-point], serves: [internet, intranet] }
  isa01: { zone: perimeter, names: { internet: mp.example.com, default: isa01.dmz.example }, roles: [web-proxy], publishes: { systems: [cm01], tls: bridging } }\n";
    let needs = needs("", systems);
    for (port, need) in [("8531", "required"), ("8530", "optional")] {
        assert_need(&needs, &format!("internet>isa01:{port}/tcp"), need);
        assert_need(&needs, &format!("isa01>cm01:{port}/tcp"), need);
    }
}

const LIST: &str = "  pki01: { zone: intranet, names: { default: pki01.corp.example }, roles: [crl-distribution-point] }\n";

#[test]
fn whoever_asks_for_client_certificates_needs_the_revocation_list_whatever_clients_do() {
    // `crl_check` is false in these files, so that clients need no list.
    let inside = needs("", &(ibs01("") + LIST));
    assert_need(&inside, "ibs01>pki01:80/tcp", "required");
    assert_need(&inside, "internet>pki01:80/tcp", "forbidden");
    // No update point and no site server asks for a certificate.
    assert_need(&inside, "cm01>pki01:80/tcp", "absent");
    let beside = needs(
        ", crl_urls: [\"http://pki.example.net:8080/ca.crl\"]",
        &ibs01(""),
    );
    assert_need(&beside, "ibs01>crl.pki.example.net:8080/tcp", "required");
    assert_need(&beside, "internet>crl.pki.example.net:8080/tcp", "absent");
    let mixed = ibs01("").replace("serves: [internet]", "serves: [intranet]") + LIST;
    assert_need(
        &needs(", mode: mixed", &mixed),
        "ibs01>pki01:80/tcp",
        "absent",
    );
}

#[test]
fn a_proxy_needs_the_revocation_list_where_it_ends_tls() {
    let systems = |tls: &str, role: &str| {
        format!(
            "  cm01: {{ zone: intranet, names: {{ default: cm01.corp.example, internet: mp.example.com }}, roles: [{role}], serves: [internet] }}
  isa01: {{ zone: perimeter, names: {{ internet: mp.example.com, default: isa01.dmz.example }}, roles: [web-proxy], publishes: {{ systems: [cm01], tls: {tls} }} }}
{LIST}"
        )
    };
    for (tls, role, need) in [
        ("bridging", "management-point", "required"),
        ("tunnelling", "management-point", "absent"),
        ("bridging", "fallback-status-point", "absent"),
    ] {
        let needs = needs("", &systems(tls, role));
        assert_need(&needs, "isa01>pki01:80/tcp", need);
    }
}

fn domain_controller(name: &str, forest: &str) -> String {
    format!(
        "  {name}: {{ zone: intranet, names: {{ default: {name}.corp.example }}, roles: [domain-controller]{forest} }}\n"
    )
}

#[test]
fn clients_look_in_the_global_catalog_of_the_site_servers_forest_alone() {
    let systems = CM01.to_string()
        + &domain_controller("dc01", "")
        + &domain_controller("dc02", ", forest: other");
    let all = needs("", &systems);
    assert_need(&all, "intranet>dc01:3268/tcp", "optional");
    assert_need(&all, "intranet>dc02:3268/tcp", "absent");
    // Without a site server in the file nobody knows its forest.
    let part = systems.replace("site-server, ", "");
    assert_need(&needs("", &part), "intranet>dc02:3268/tcp", "optional");
}

#[test]
fn domain_controllers_are_found_over_udp_at_the_port_of_ldap() {
    let needs = needs("", &(ibs01("") + &domain_controller("dc01", "")));
    for system in ["cm01", "ibs01"] {
        assert_need(&needs, &format!("{system}>dc01:389/udp"), "optional");
        assert_need(&needs, &format!("{system}>dc01:636/udp"), "absent");
    }
}

#[test]
fn a_tunnel_to_another_site_is_there_only_where_the_file_asks_for_it() {
    let systems = child_site("");
    assert_need(&needs("", &systems), "int01>cen01:1723/tcp", "absent");
    let asked = systems + "flows:\n  - { from: int01, to: cen01, port: 1723, need: optional }\n";
    assert_need(&needs("", &asked), "int01>cen01:1723/tcp", "optional");
}

#[test]
fn agents_need_one_port_to_their_server_and_an_inner_server_another() {
    let systems = ibs01("");
    assert_need(&needs("", &systems), "internet>ibs01:4222/tcp", "absent");
    let agents = "agents: { server: ibs01, from: [internet, ibs01, cm01], hub: intranet, hub_server: cm01 }\n";
    let needs = needs("", &(systems + agents));
    for flow in [
        "internet>ibs01:4222/tcp",
        "cm01>ibs01:4222/tcp",
        "intranet>cm01:4222/tcp",
        "cm01>ibs01:7422/tcp",
    ] {
        assert_need(&needs, flow, "required");
    }
    assert_need(&needs, "ibs01>ibs01:4222/tcp", "absent");
}

#[test]
fn a_member_of_the_domain_needs_its_controllers_and_a_host_that_stands_alone_does_not() {
    let of_list = |domain: &str| {
        let list = LIST.replace(" }\n", &format!("{domain} }}\n"));
        needs("", &(list + &domain_controller("dc01", "")))
    };
    let ports = [
        "389/tcp",
        "389/udp",
        "445/tcp",
        "135/tcp",
        "49152-65535/tcp",
        "123/udp",
    ];
    for (domain, group, kerberos) in [
        ("", "optional", "required"),
        (", domain: member", "optional", "required"),
        (", domain: none", "absent", "absent"),
    ] {
        let needs = of_list(domain);
        for port in ports {
            assert_need(&needs, &format!("pki01>dc01:{port}"), group);
        }
        assert_need(&needs, "pki01>dc01:88/tcp", kerberos);
        assert_need(&needs, "pki01>dc01:88/udp", kerberos);
    }
}

#[test]
fn a_site_system_that_stands_alone_is_warned_about() {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
    let (site, problems) = resolved("", &ibs01(", domain: none"), &catalogue);
    assert!(site.is_some());
    assert!(
        problems.iter().any(|it| it.code == "not-a-member"),
        "{problems:?}"
    );
}

#[test]
fn a_console_needs_the_provider_as_it_needs_the_site_server_and_packages_their_source() {
    let needs = needs(
        "",
        "  cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [site-server, sms-provider] }
  admin01: { zone: perimeter, names: { default: admin01.example.com }, roles: [console] }
  files01: { zone: perimeter, names: { default: files01.example.com }, roles: [content-source] }\n",
    );
    assert_need(&needs, "admin01>cm01:135/tcp", "required");
    assert_need(&needs, "admin01>cm01:49152-65535/tcp", "required");
    assert_need(&needs, "cm01>files01:445/tcp", "required");
    assert_need(&needs, "files01>cm01:445/tcp", "absent");
}

#[test]
fn what_this_site_starts_beside_the_plan_is_known() {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
    let beside = |systems: &str| -> Vec<String> {
        let (site, problems) = resolved("", systems, &catalogue);
        let site = site.unwrap_or_else(|| panic!("{problems:?}"));
        let all = plan::beside(&site, &catalogue).into_iter();
        all.map(|it| it.id.clone()).collect()
    };
    assert_eq!(
        beside(CM01),
        ["sup-microsoft-update", "siteserver-client-push"]
    );
    assert!(beside(LIST).is_empty());
}
