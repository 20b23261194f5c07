//! `plan --against ticket.csv`: what was asked for, against what is needed.

use std::fs;
use std::path::Path;
use std::process::Command;

const SITE: &str = "examples/roles-in-the-perimeter/probes.yaml";

/// Exit status, what it printed, and what it said of a ticket.
fn compared(ticket: &[u8]) -> (Option<i32>, String, String) {
    compared_with(Path::new(SITE), ticket)
}

fn compared_with(site: &Path, ticket: &[u8]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ticket.csv");
    fs::write(&file, ticket).expect("written");
    let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .arg("plan")
        .arg(site)
        .arg("--against")
        .arg(&file)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (out, said) = (text(output.stdout), text(output.stderr));
    (output.status.code(), out, said)
}

/// What stands below a title, up to the next.
fn below<'a>(text: &'a str, title: &str) -> &'a str {
    let (_, rest) = text
        .split_once(title)
        .unwrap_or_else(|| panic!("no {title}: {text}"));
    rest.split("\n\n").next().unwrap_or_default()
}

#[test]
fn each_row_is_needed_too_wide_optional_not_needed_or_forbidden() {
    let rows = "\
source,destination,port,protocol
cm01,ibs01,\"135,445,49152-65535\",tcp
internet,ibs01,443/tcp,
intranet,ibs01,445,tcp
cm01,192.0.2.10,135,udp
internet,ibs01,3389,tcp
cm01,ibs02,4711,tcp
";
    let (status, text, said) = compared(rows.as_bytes());
    assert_eq!((status, said.as_str()), (Some(0), ""), "{text}");
    let needed = below(&text, "Asked for, and needed");
    assert!(
        needed.contains("line 2: cm01 to ibs01, 135/tcp, 445/tcp, 49152-65535/tcp"),
        "{text}"
    );
    assert!(
        needed.contains("line 3: internet to ibs01, 443/tcp"),
        "{text}"
    );
    let wide = below(&text, "Asked for, and wider than what is needed");
    assert!(
        wide.contains("line 4") && wide.contains("cm01>ibs01:445/tcp"),
        "{text}"
    );
    assert!(
        below(&text, "Asked for, and optional").contains("line 5"),
        "{text}"
    );
    let forbidden = below(&text, "Asked for, and must be closed");
    assert!(
        forbidden.contains("line 6") && forbidden.contains("internet>ibs01: 3389"),
        "{text}"
    );
    assert!(
        below(&text, "Asked for, and not needed").contains("line 7"),
        "{text}"
    );
}

#[test]
fn what_is_required_and_not_asked_for_in_full_comes_first() {
    let missing = |rows: &str| -> String {
        let (_, text, _) = compared(format!("source,destination,port\n{rows}").as_bytes());
        below(&text, "Required, and not asked for in full").to_string()
    };
    let nothing = missing("");
    assert!(nothing.contains("  internet>ibs01:443/tcp\n"), "{nothing}");
    assert!(nothing.contains("through front-end"), "{nothing}");
    // Inside one zone no firewall is crossed.
    assert!(!nothing.contains("intranet>cm01:443/tcp"), "{nothing}");
    let half =
        missing("0.0.0.0/0,203.0.113.10,443\ncm01,ibs01,49152-50000\ncm01,ibs01,50002-65535\n");
    assert!(!half.contains("  internet>ibs01:443/tcp\n"), "{half}");
    assert!(half.contains("cm01>ibs01:49152-65535/tcp"), "{half}");
    let whole = missing("cm01,ibs01,49152-50000\n10.0.0.5,192.0.2.10,50001-65535\n");
    assert!(!whole.contains("cm01>ibs01:49152-65535/tcp"), "{whole}");
}

#[test]
fn whoever_asks_for_the_internet_asks_for_the_services_in_it() {
    let site = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    let text = "site: { code: PRI, product: configmgr-current-branch, crl_check: false }
zones: { internet: { networks: [\"0.0.0.0/0\"] }, intranet: { networks: [10.0.0.0/8] } }
firewalls: { wall: { between: [internet, intranet] } }
systems: { scp01: { zone: intranet, addresses: { default: 10.0.0.5 }, roles: [service-connection-point] } }
";
    fs::write(site.path(), text).expect("written");
    for (destination, is_missing) in [("internet", false), ("any", false), ("intranet", true)] {
        let row = format!("source,destination,port\nscp01,{destination},443\n");
        let (_, text, said) = compared_with(site.path(), row.as_bytes());
        assert_eq!(said, "");
        let missing = text.contains("Required, and not asked for in full: 1");
        assert_eq!(missing, is_missing, "{destination}: {text}");
    }
}

#[test]
fn a_ticket_that_cannot_be_read_is_refused_as_a_whole() {
    for (ticket, says) in [
        (
            "source,destination,port\ncm01,ibs01,https\n",
            "`https` is no port",
        ),
        (
            "source,destination,port,protocol\ncm01,ibs01,8,icmp\n",
            "ICMP is no flow",
        ),
        ("who,port\ncm01,443\n", "no column `source`"),
    ] {
        let (status, out, said) = compared(ticket.as_bytes());
        assert_eq!((status, out.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains("bad-ticket") && said.contains(says), "{said}");
    }
    let (status, _, said) = compared(b"source,destination,port\ncm01,\xff,443\n");
    assert_eq!(status, Some(2));
    assert!(said.contains("it is not UTF-8 text"), "{said}");
}

#[test]
fn what_a_ticket_says_reaches_no_terminal() {
    let (status, text, _) = compared(b"source,destination,port\n\x1b]0;x\x07,\x1b[31mibs01,443\n");
    assert_eq!(status, Some(0));
    assert!(
        !text.contains('\x1b') && text.contains("\\u{1b}[31mibs01"),
        "{text}"
    );
}
