//! Sites of the current branch: what must pass with Internet clients, with a cloud management gateway (CMG) of one and of
//! three instances, and with both. Each flow that is needed has a rule with a source, and each source a date.
//!
//! `PORTPROOF_GOLDEN=write cargo test --test it current_branch::` writes the plans anew.

use std::collections::BTreeSet;
use std::fs;

use portproof::config;
use portproof::plan::{self, Target};
use portproof::product::{Catalogue, Confidence, Need, Protocol, find};
use portproof::site::Site;

fn catalogue() -> Catalogue {
    let bytes = find("configmgr-current-branch").expect("an embedded catalogue");
    Catalogue::parse(bytes).expect("no findings")
}

/// A site with these lines under `site`, and a management point in the perimeter that serves these zones.
fn site(of_site: &str, serves: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-current-branch, version: 2603{of_site}, crl_urls: [\"http://pki.example.com/ca.crl\"] }}
zones:
  internet: {{ networks: [\"0.0.0.0/0\"] }}
  perimeter: {{ networks: [192.0.2.0/24] }}
  intranet: {{ networks: [10.0.0.0/8] }}
firewalls:
  front-end: {{ between: [internet, perimeter] }}
  back-end: {{ between: [perimeter, intranet] }}
clients: [internet, intranet]
systems:
  cm01: {{ zone: intranet, addresses: {{ default: 10.0.0.5 }}, roles: [site-server, sms-provider, service-connection-point] }}
  sql01: {{ zone: intranet, addresses: {{ default: 10.0.0.6 }}, roles: [site-database] }}
  mp01: {{ zone: intranet, addresses: {{ default: 10.0.0.7 }}, roles: [management-point, distribution-point, software-update-point], serves: [intranet], client_connections: enhanced-http }}
  ibs01: {{ zone: perimeter, addresses: {{ default: 192.0.2.7 }}, roles: [management-point, distribution-point, software-update-point, fallback-status-point, cmg-connection-point], serves: {serves}, client_connections: https }}
  pki01: {{ zone: perimeter, names: {{ default: pki.example.com }}, addresses: {{ default: 192.0.2.8 }}, roles: [crl-distribution-point] }}
  adm01: {{ zone: intranet, addresses: {{ default: 10.0.0.9 }}, roles: [console] }}
"
    )
}

fn cmg(instances: u16) -> String {
    format!(", cmg: {{ name: cmg-example.westeurope.cloudapp.azure.com, instances: {instances} }}")
}

fn planned(text: &str) -> (Site, plan::Plan) {
    let catalogue = catalogue();
    let (config, mut problems) = config::read(text.as_bytes());
    let site = Site::new(&config.expect("a file"), &catalogue, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:#?}"));
    assert!(problems.is_empty(), "{problems:#?}");
    let plan = plan::derive(&site, &catalogue);
    (site, plan)
}

/// The needed flows, a line each: need, id, rules, and where it is documented.
fn lines(text: &str) -> Vec<String> {
    let (site, plan) = planned(text);
    let needed = plan.flows.iter().filter(|it| it.need != Need::Forbidden);
    needed
        .map(|flow| {
            let (id, reason) = (plan::id(&site, flow), &flow.reason);
            format!(
                "{} {id} [{}] {}",
                flow.need,
                reason.rules.join(" "),
                reason.source
            )
        })
        .collect()
}

fn is_as_written(name: &str, text: &str) -> Vec<String> {
    let lines = lines(text);
    let made = lines.join("\n") + "\n";
    let file = format!("tests/it/current_branch/{name}.txt");
    if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
        fs::write(&file, &made).expect("written");
    }
    let golden = fs::read_to_string(&file).expect("its plan");
    assert!(golden == made, "{file} is another plan:\n{made}");
    for line in lines.iter().filter(|line| !line.starts_with("optional")) {
        let (_, source) = line.split_once("] ").expect("a source");
        let is_dated = source.contains("20")
            || source.contains("without a date")
            || source.contains("version 2603");
        assert!(is_dated, "no date: {line}");
    }
    lines
}

fn has(lines: &[String], start: &str) -> bool {
    lines
        .iter()
        .any(|line| line.starts_with(&format!("{start} ")))
}

#[test]
fn clients_on_the_internet_reach_the_roles_in_the_perimeter() {
    let lines = is_as_written("internet-clients", &site("", "[internet, intranet]"));
    for port in ["443", "8531"] {
        let id = format!("required internet>ibs01:{port}/tcp");
        assert!(has(&lines, &id), "{id}");
    }
    assert!(!lines.iter().any(|line| line.contains(">cmg.")));
}

#[test]
fn a_gateway_of_one_instance_is_reached_at_443_and_nothing_comes_in() {
    let lines = is_as_written("cmg-of-one", &site(&cmg(1), "[intranet]"));
    let gateway = "ibs01>cmg.cmg-example.westeurope.cloudapp.azure.com";
    assert!(has(&lines, &format!("required {gateway}:443/tcp")));
    assert!(!has(&lines, &format!("required {gateway}:10124/tcp")));
    let inward = lines.iter().find(|line| line.contains(" internet>ibs01:"));
    assert_eq!(inward, None);
}

#[test]
fn a_gateway_of_three_instances_is_reached_at_three_ports_and_not_at_443() {
    let lines = is_as_written("cmg-of-three", &site(&cmg(3), "[intranet]"));
    let gateway = "ibs01>cmg.cmg-example.westeurope.cloudapp.azure.com";
    for port in [10_124, 10_125, 10_126] {
        assert!(has(&lines, &format!("required {gateway}:{port}/tcp")));
    }
    for port in [443, 10_127] {
        let line = format!(" {gateway}:{port}/tcp");
        assert!(!lines.iter().any(|it| it.contains(&line)), "{line}");
    }
}

#[test]
fn both_ways_to_the_internet_need_the_flows_of_both() {
    // Which of several rules asks for a flow is another matter.
    let ids = |lines: &[String]| -> BTreeSet<String> {
        let id = |line: &String| Some(line.split_once(" [")?.0.to_string());
        lines.iter().filter_map(id).collect()
    };
    let both = is_as_written("both", &site(&cmg(3), "[internet, intranet]"));
    let one = lines(&site("", "[internet, intranet]"));
    let other = lines(&site(&cmg(3), "[intranet]"));
    assert_eq!(ids(&both), &ids(&one) | &ids(&other));
}

#[test]
fn a_distribution_point_is_a_cache_and_sends_by_multicast_where_the_file_says_so() {
    let plain = site("", "[internet, intranet]");
    let says = "  dp01: { zone: perimeter, addresses: { default: 192.0.2.10 }, roles: [distribution-point], serves: [intranet], client_connections: https, connected_cache: true, multicast_ports: 64001-65000 }\n  adm01:";
    let with = is_as_written("cache-and-multicast", &plain.replace("  adm01:", says));
    let silent = says.replace(", connected_cache: true, multicast_ports: 64001-65000", "");
    let without: BTreeSet<String> = lines(&plain.replace("  adm01:", &silent))
        .into_iter()
        .collect();
    let added = with.iter().filter(|line| !without.contains(*line));
    let added: Vec<&str> = added
        .filter_map(|line| Some(line.split_once(" [")?.0))
        .collect();
    assert_eq!(
        added,
        [
            "required dp01>delivery-optimization.*.do.dsp.mp.microsoft.com:443/tcp",
            "required dp01>delivery-optimization.*.do.dsp.mp.microsoft.com:80/tcp",
            "optional dp01>microsoft-update.*.download.windowsupdate.com:443/tcp",
            "optional dp01>microsoft-update.*.download.windowsupdate.com:80/tcp",
            "optional dp01>microsoft-update.*.update.microsoft.com:443/tcp",
            "optional dp01>microsoft-update.*.update.microsoft.com:80/tcp",
            "optional dp01>microsoft-update.*.windowsupdate.com:443/tcp",
            "optional dp01>microsoft-update.*.windowsupdate.com:80/tcp",
            "optional dp01>sql01:1433/tcp",
            "optional intranet>dp01:445/tcp",
            "optional intranet>dp01:64001-65000/udp",
            "optional intranet>dp01:80/tcp",
        ]
    );
}

#[test]
fn a_name_that_stands_for_many_is_planned_and_has_no_one_host_to_try() {
    let (site, plan) = planned(&site(&cmg(1), "[intranet]"));
    let to_many =
        |flow: &&plan::Flow| matches!(&flow.to, Target::Service(it) if it.tries.is_none());
    let flow = plan.flows.iter().find(to_many).expect("a flow");
    assert!(plan::id(&site, flow).contains(">configmgr-cloud.*.manage.microsoft.com:443"));
}

#[test]
fn a_certificate_that_the_site_made_itself_is_not_asked_to_lead_anywhere() {
    let (site, plan) = planned(&site(&cmg(3), "[intranet]"));
    for id in ["intranet>mp01:443/tcp", "ibs01>mp01:443/tcp"] {
        let flow = plan.flows.iter().find(|it| plan::id(&site, it) == id);
        assert_eq!(flow.expect(id).protocol, Protocol::Tcp);
    }
}

#[test]
fn a_flow_to_a_service_may_be_an_exception() {
    let id = "cm01>configmgr-cloud.*.manage.microsoft.com:443/tcp";
    let text = site(&cmg(1), "[intranet]")
        + &format!("exceptions: [{{ flow: \"{id}\", until: 2030-01-01, why: change 4711 }}]\n");
    let (site, _) = planned(&text);
    assert_eq!(site.exceptions[0].flow, id);
}

#[test]
fn where_the_file_does_not_say_how_clients_speak_each_way_is_optional_and_a_warning_says_so() {
    let text = site("", "[internet, intranet]").replace(", client_connections: enhanced-http", "");
    let (config, mut problems) = config::read(text.as_bytes());
    let catalogue = catalogue();
    let site = Site::new(&config.expect("a file"), &catalogue, &mut problems);
    let site = site.expect("no error");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].code, "connections-unsaid");
    let plan = plan::derive(&site, &catalogue);
    for port in ["80", "443", "8531"] {
        let id = format!("intranet>mp01:{port}/tcp");
        let flow = plan.flows.iter().find(|it| plan::id(&site, it) == id);
        assert_eq!(flow.expect(&id).need, Need::Optional, "{id}");
    }
}

#[test]
fn names_of_the_government_cloud_are_its_own() {
    let lines = lines(&site(&(cmg(1) + ", cloud: us-government"), "[intranet]"));
    assert!(has(
        &lines,
        "required cm01>entra.login.microsoftonline.us:443/tcp"
    ));
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("login.microsoftonline.com"))
    );
}

#[test]
fn what_came_with_a_version_is_optional_where_the_file_does_not_say_which() {
    let with = site(&cmg(1), "[intranet]");
    let tokens = "ibs01>entra-tokens.sts.windows.net:443/tcp";
    assert!(has(&lines(&with), &format!("required {tokens}")));
    let silent = with.replace(", version: 2603", "");
    assert!(has(&lines(&silent), &format!("optional {tokens}")));
    let earlier = with.replace("version: 2603", "version: 2503");
    assert!(!lines(&earlier).iter().any(|line| line.contains(tokens)));
}

#[test]
fn every_rule_that_is_no_guess_names_a_dated_page() {
    for rule in catalogue().rules {
        let is_sure = rule.confidence != Confidence::Unconfirmed;
        assert_eq!(is_sure, !rule.source.is_empty(), "{}", rule.id);
    }
}

#[test]
fn who_ends_tls_needs_the_revocation_list_whatever_clients_check() {
    let text = site(", crl_check: false", "[internet]").replace(
        "  adm01:",
        "  isa01: { zone: perimeter, addresses: { default: 192.0.2.9 }, roles: [web-proxy], publishes: { systems: [ibs01] } }\n  adm01:",
    );
    let lines = lines(
        &text
            .replace(
                "zone: perimeter, names: { default: pki",
                "zone: intranet, names: { default: pki",
            )
            .replace("192.0.2.8", "10.0.0.8"),
    );
    for from in ["isa01", "ibs01"] {
        let id = format!("required {from}>pki01:80/tcp ");
        assert!(
            lines.iter().any(|it| it.starts_with(&id)),
            "{id}\n{lines:#?}"
        );
    }
}
