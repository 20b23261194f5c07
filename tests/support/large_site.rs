//! A site of any size: how plans grow is measured and counted with it.

use std::fmt::Write as _;

/// What most systems do, in turn.
const ROLES: [&str; 5] = [
    "distribution-point",
    "distribution-point, pxe-service-point",
    "distribution-point",
    "distribution-point, state-migration-point",
    "reporting-point",
];

/// The zones of every site, from the least to the most trusted.
const CORE: [&str; 3] = ["internet", "perimeter", "intranet"];

/// The systems that every site has: they stand in the core.
const SERVERS: &str = "  cm01: { zone: intranet, names: { default: cm01.corp.example }, addresses: { default: 10.0.0.1 }, roles: [site-server, site-database, software-update-point], serves: [intranet] }
  mp01: { zone: intranet, names: { default: mp01.corp.example }, addresses: { default: 10.0.0.2 }, roles: [management-point], serves: [intranet] }
  dc01: { zone: intranet, names: { default: dc01.corp.example }, addresses: { default: 10.0.0.3 }, roles: [domain-controller, dns] }
  ibs01:
    zone: perimeter
    names: { internet: ibs01.example.com, default: ibs01.dmz.example }
    addresses: { internet: 203.0.113.10, default: 192.0.2.10 }
    roles: [management-point, distribution-point, fallback-status-point, software-update-point]
    serves: [internet]
    initiated_by_site_server: true
";

/// The site file of this many systems in this many zones, at least four of each: a core of Internet, perimeter and
/// intranet, and branches behind a firewall each, which the other systems stand in.
pub(crate) fn large_site(systems: usize, zones: usize) -> String {
    let branches: Vec<String> = (CORE.len()..zones)
        .map(|it| format!("branch{it:02}"))
        .collect();
    let mut text = "\
site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: [\"0.0.0.0/0\"] }
  perimeter: { networks: [\"192.0.2.0/24\"] }
  intranet: { networks: [\"10.0.0.0/16\"] }
"
    .to_string();
    for (number, branch) in branches.iter().enumerate() {
        let _ = writeln!(
            text,
            "  {branch}: {{ networks: [\"10.{}.0.0/16\"] }}",
            number + 1
        );
    }
    text += "\
firewalls:
  front-end: { between: [internet, perimeter] }
  back-end: { between: [perimeter, intranet] }
";
    for branch in &branches {
        let _ = writeln!(text, "  wan-{branch}: {{ between: [intranet, {branch}] }}");
    }
    let _ = writeln!(
        text,
        "clients: [internet, intranet, {}]",
        branches.join(", ")
    );
    text += "probing: { sweep: none }\nsystems:\n";
    text += SERVERS;
    let own = SERVERS.matches("zone: ").count();
    for number in 0..systems.saturating_sub(own) {
        let place = number % branches.len();
        let (branch, host) = (&branches[place], number / branches.len() + 1);
        let _ = writeln!(
            text,
            "  server{number:05}:
    zone: {branch}
    names: {{ default: server{number:05}.{branch}.corp.example }}
    addresses: {{ default: 10.{}.{}.{} }}
    roles: [{}]
    serves: [{branch}]",
            place + 1,
            host / 256,
            host % 256,
            ROLES[number % ROLES.len()],
        );
    }
    text
}
