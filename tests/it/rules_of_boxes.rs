//! The rules of a box with several legs, and of IPsec, which has no ports. One device has one rule for each way through
//! it, taken by the real tools. Needs root, `nft` and `iptables-restore`, as `scripts/test` installs them.

use std::fs;
use std::process::Command;

const SITE: &str = r#"
site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: ["0.0.0.0/0"] }
  perimeter: { networks: ["192.0.2.0/24"] }
  intranet: { networks: ["10.0.0.0/8"] }
firewalls:
  front-end: { between: [internet, perimeter], device: fw-1 }
  back-end: { between: [perimeter, intranet], device: fw-1 }
clients: [internet]
systems:
  cm01: { zone: intranet, addresses: { default: 10.0.0.10 }, roles: [site-server, site-database] }
  ibs01:
    zone: perimeter
    addresses: { default: 192.0.2.10 }
    roles: [management-point]
    serves: [internet]
    ipsec_with: [cm01]
flows:
  - { from: internet, to: cm01, port: 8443, need: required, why: "a way through both legs" }
"#;

fn plan(arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("site.yaml"), SITE).expect("written");
    let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["plan", "site.yaml"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let (text, said) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{said}");
    (text, said)
}

fn lines<'a>(text: &'a str, has: &str) -> Vec<&'a str> {
    let rules = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(['#', '!']));
    rules.filter(|line| line.contains(has)).collect()
}

/// Runs a shell script in a network namespace of its own, beside a file with these rules.
fn loaded(rules: &str, script: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules"), rules).expect("written");
    let output = Command::new("unshare")
        .args(["-n", "sh", "-euc", script])
        .current_dir(folder.path())
        .output()
        .expect("util-linux is needed: scripts/test installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said} (this test needs root)");
}

#[test]
fn the_legs_of_one_box_are_one_device_and_a_way_through_both_has_one_rule() {
    let (rules, said) = plan(&["--format", "nftables"]);
    assert_eq!(said, "");
    assert!(rules.contains("table inet portproof_fw-1"), "{rules}");
    assert!(
        rules.contains("What fw-1 has to let through, between internet, perimeter and intranet."),
        "{rules}"
    );
    assert_eq!(lines(&rules, "dport 8443").len(), 1, "{rules}");
    // A leg stands for its box.
    assert_eq!(
        plan(&["--format", "nftables", "--firewall", "back-end"]).0,
        rules
    );
    let (table, _) = plan(&["--format", "csv"]);
    let through_both = lines(&table, "internet>cm01:8443/tcp");
    assert_eq!(through_both.len(), 1, "{table}");
    assert!(through_both[0].starts_with("fw-1,internet,"), "{table}");
    assert!(through_both[0].contains(",intranet,cm01,"), "{table}");
    let (markdown, _) = plan(&["--format", "markdown"]);
    assert_eq!(markdown.matches("\n## ").count(), 1, "{markdown}");
    let (panos, _) = plan(&["--format", "panos"]);
    assert_eq!(
        lines(&panos, "from internet to intranet").len(),
        1,
        "{panos}"
    );
}

#[test]
fn to_a_firewall_ipsec_is_its_own_flows_and_not_what_it_carries() {
    let (optional, _) = plan(&["--format", "nftables", "--optional"]);
    // SMB between the two is needed, and travels inside.
    assert_eq!(lines(&optional, "dport 445").len(), 0, "{optional}");
    assert_eq!(
        lines(&optional, "meta l4proto esp accept").len(),
        2,
        "{optional}"
    );
    assert_eq!(
        lines(&optional, "udp dport 500 accept").len(),
        2,
        "{optional}"
    );
    assert_eq!(
        lines(&optional, "udp dport 4500 accept").len(),
        2,
        "{optional}"
    );
    loaded(
        &optional,
        "nft -f rules; nft list ruleset | grep -q 'l4proto esp'",
    );
    let (iptables, _) = plan(&["--format", "iptables"]);
    assert_eq!(lines(&iptables, "-p esp -m comment").len(), 2, "{iptables}");
    loaded(
        &iptables,
        "iptables-restore --noflush < rules; iptables -S | grep -q -- '-p esp'",
    );
    let (asa, _) = plan(&["--format", "asa"]);
    let esp = lines(&asa, "extended permit esp object-group ");
    assert_eq!(esp.len(), 2, "{asa}");
    assert!(esp.iter().all(|line| !line.contains(" eq ")), "{asa}");
    let (panos, _) = plan(&["--format", "panos"]);
    assert_eq!(
        lines(
            &panos,
            "application ipsec-esp service application-default action allow"
        )
        .len(),
        2,
        "{panos}"
    );
    assert_eq!(lines(&panos, "protocol esp").len(), 0, "{panos}");
}

#[test]
fn a_hosts_own_firewall_sees_ipsec_and_what_it_carries() {
    let (host, _) = plan(&["--format", "windows", "--firewall", "ibs01"]);
    let esp = lines(&host, "-Protocol 50 ");
    assert_eq!(esp.len(), 1, "{host}");
    assert!(!esp[0].contains("-LocalPort"), "{host}");
    assert_eq!(
        lines(&host, "-Protocol TCP -LocalPort 445 ").len(),
        1,
        "{host}"
    );
}
