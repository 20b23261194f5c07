//! The catalogue of the current branch beside a public table of 71 rules, which a script of administrators makes Windows
//! firewall rules from (`Firewall/Default-FirewallRuleConfig.json` of jonasatgit/scriptrepo, as of 2026-07-22). Each rule
//! there stands here in the words of the catalogue. Where both know the ends, each difference has its reason.

use std::collections::{BTreeMap, BTreeSet};

use portproof::product::{Catalogue, End, Need, Rule, find};

/// A rule there: its number, its ends, its ports, and what differs here.
struct There {
    numbers: &'static [u8],
    from: &'static str,
    to: &'static str,
    ports: &'static str,
    differs: &'static [Difference],
}

/// Ports that stand on one side alone.
enum Difference {
    /// Here alone.
    Here(&'static str, &'static str),
    /// There alone.
    There(&'static str, &'static str),
}

use Difference::{Here, There as Only};

const fn same(
    numbers: &'static [u8],
    from: &'static str,
    to: &'static str,
    ports: &'static str,
) -> There {
    differs(numbers, from, to, ports, &[])
}

const fn differs(
    numbers: &'static [u8],
    from: &'static str,
    to: &'static str,
    ports: &'static str,
    differs: &'static [Difference],
) -> There {
    There {
        numbers,
        from,
        to,
        ports,
        differs,
    }
}

const RPC_AND_SMB: &str = "tcp/rpc_epm tcp/rpc_dynamic udp/rpc_epm tcp/smb";
const UPDATES: &str = "tcp/sup_http tcp/sup_https";
const DATABASES: &str = "tcp/sql tcp/service_broker";
const WEB: &str = "tcp/client_http tcp/client_https";
const TO_THE_CLOUD: &str = "tcp/cloud_http tcp/cloud_https";

/// The rules whose ends both know.
const BOTH: &[There] = &[
    differs(
        &[1],
        "intranet-clients",
        "distribution-point",
        "tcp/client_http tcp/client_https tcp/express_updates",
        &[
            Here(
                "udp/multicast tcp/smb",
                "images by multicast, where the site file says so",
            ),
            Here(
                "tcp/default_web_site",
                "Connected Cache, where the site file says so",
            ),
        ],
    ),
    same(
        &[2],
        "intranet-clients",
        "pxe-service-point",
        "udp/dhcp udp/tftp udp/pxe udp/dhcpv6",
    ),
    same(
        &[3],
        "intranet-clients",
        "fallback-status-point",
        "tcp/client_http",
    ),
    same(
        &[4],
        "intranet-clients",
        "management-point",
        "tcp/client_http tcp/client_https tcp/client_notification",
    ),
    same(&[5], "intranet-clients", "software-update-point", UPDATES),
    differs(
        &[6],
        "intranet-clients",
        "state-migration-point",
        "tcp/client_http tcp/client_https tcp/client_notification",
        &[
            Only(
                "tcp/client_notification",
                "the documentation has it for management points alone",
            ),
            Here("tcp/smb", "user state is written into a share"),
        ],
    ),
    same(&[7], "cmg-connection-point", "management-point", WEB),
    same(
        &[8],
        "cmg-connection-point",
        "software-update-point",
        UPDATES,
    ),
    same(
        &[9],
        "console",
        "reporting-services-point",
        "tcp/reporting_http tcp/reporting_https",
    ),
    same(&[10], "console", "site-server", "tcp/rpc_epm"),
    same(
        &[11],
        "console",
        "sms-provider",
        "tcp/rpc_epm udp/rpc_epm tcp/rpc_dynamic tcp/cloud_https",
    ),
    same(
        &[12],
        "data-warehouse-service-point",
        "site-database",
        "tcp/sql",
    ),
    same(&[13], "distribution-point", "management-point", WEB),
    same(
        &[14],
        "endpoint-protection-point",
        "site-database",
        "tcp/sql",
    ),
    same(
        &[15],
        "site-server",
        "management-point",
        "tcp/rpc_epm tcp/rpc_dynamic tcp/smb",
    ),
    same(
        &[16],
        "management-point",
        "site-server",
        "tcp/rpc_epm tcp/rpc_dynamic tcp/smb",
    ),
    same(&[17], "management-point", "site-database", "tcp/sql"),
    same(
        &[18],
        "reporting-services-point",
        "site-database",
        "tcp/sql",
    ),
    same(&[19], "site-server", "distribution-point", RPC_AND_SMB),
    same(&[20], "site-server", "cmg-connection-point", RPC_AND_SMB),
    same(&[21], "cmg-connection-point", "site-server", RPC_AND_SMB),
    same(
        &[22],
        "site-server",
        "endpoint-protection-point",
        RPC_AND_SMB,
    ),
    same(
        &[23],
        "endpoint-protection-point",
        "site-server",
        RPC_AND_SMB,
    ),
    same(&[24], "site-server", "fallback-status-point", RPC_AND_SMB),
    same(&[25], "fallback-status-point", "site-server", RPC_AND_SMB),
    same(&[26], "site-server", "content-library", "tcp/smb"),
    same(&[27], "site-server", "content-source", "tcp/smb"),
    same(
        &[28],
        "site-server",
        "service-connection-point",
        RPC_AND_SMB,
    ),
    same(
        &[29],
        "service-connection-point",
        "site-server",
        RPC_AND_SMB,
    ),
    same(
        &[30],
        "site-server",
        "reporting-services-point",
        RPC_AND_SMB,
    ),
    differs(
        &[31],
        "reporting-services-point",
        "site-server",
        RPC_AND_SMB,
        &[Only(
            RPC_AND_SMB,
            "a note of the documentation: reporting services points send no status",
        )],
    ),
    same(&[32], "parent-site-server", "site-server", "tcp/smb"),
    same(&[33], "site-server", "parent-site-server", "tcp/smb"),
    same(&[34], "site-server", "child-site-server", "tcp/smb"),
    same(&[35], "site-server", "sms-provider", RPC_AND_SMB),
    same(&[36], "child-site-server", "site-server", "tcp/smb"),
    same(
        &[37, 38],
        "site-server",
        "site-database",
        "tcp/sql tcp/rpc_epm udp/rpc_epm tcp/rpc_dynamic tcp/smb",
    ),
    same(&[39], "site-server", "wsus-database", "tcp/sql"),
    same(
        &[40],
        "site-server",
        "software-update-point",
        "tcp/rpc_epm udp/rpc_epm tcp/rpc_dynamic tcp/smb tcp/sup_http tcp/sup_https",
    ),
    same(&[41], "software-update-point", "site-server", RPC_AND_SMB),
    same(
        &[42],
        "site-server",
        "state-migration-point",
        "tcp/rpc_epm udp/rpc_epm tcp/smb",
    ),
    same(
        &[43],
        "state-migration-point",
        "site-server",
        "tcp/rpc_epm udp/rpc_epm tcp/smb",
    ),
    same(&[44], "sms-provider", "site-database", "tcp/sql"),
    same(
        &[45, 46, 47],
        "software-update-point",
        "parent-software-update-point",
        UPDATES,
    ),
    same(&[48, 50], "other-site-database", "site-database", DATABASES),
    same(&[49, 51], "site-database", "other-site-database", DATABASES),
    same(&[52], "state-migration-point", "site-database", "tcp/sql"),
    differs(
        &[53],
        "distribution-point",
        "distribution-point",
        WEB,
        &[Here(
            "tcp/express_updates",
            "the documentation lists it for pull distribution points",
        )],
    ),
    same(
        &[60],
        "console",
        "intranet-clients",
        "tcp/remote_control tcp/rdp",
    ),
    same(
        &[61],
        "service-connection-point",
        "site-database",
        "tcp/sql",
    ),
    differs(
        &[62],
        "site-server",
        "intranet-clients",
        "udp/wake_on_lan",
        &[Here(
            "tcp/rpc_epm tcp/rpc_dynamic tcp/smb",
            "client push installation, which the table leaves out",
        )],
    ),
    same(&[63], "site-server", "passive-site-server", RPC_AND_SMB),
    same(
        &[65],
        "endpoint-protection-point",
        "microsoft-update",
        "tcp/cloud_http",
    ),
    same(
        &[67],
        "software-update-point",
        "microsoft-update",
        TO_THE_CLOUD,
    ),
    same(
        &[68],
        "service-connection-point",
        "configmgr-cloud",
        "tcp/cloud_https",
    ),
    same(&[69], "site-server", "microsoft-update", TO_THE_CLOUD),
    differs(
        &[71],
        "cmg-connection-point",
        "cmg",
        "tcp/cmg tcp/cmg_channels tcp/10140-10155",
        &[Only(
            "tcp/10140-10155",
            "the gateway as classic cloud service, which version 2403 removed",
        )],
    ),
];

/// Rules there with an end that the catalogue does not know, and why.
const THERE_ALONE: [(&[u8], &str); 5] = [
    (
        &[54, 55],
        "whoever else asks the database is no role of the product: `flows` of the site file",
    ),
    (
        &[56, 57, 58, 59],
        "administration of the servers is no part of the product: `flows` of the site file",
    ),
    (
        &[64],
        "Asset Intelligence was given up in 2021, and has no role here",
    ),
    (
        &[66],
        "what consoles read on the Internet is no service here, but for signing in",
    ),
    (
        &[70],
        "cloud distribution points cannot be made since version 2107; the gateway's storage has taken their place",
    ),
];

/// Pairs of ends that the catalogue has rules for and the table has none, and why.
const HERE_ALONE: &[(&str, &str, &str)] = &[
    (
        "distribution-point",
        "microsoft-update",
        "Connected Cache, where the site file says so",
    ),
    (
        "distribution-point",
        "site-database",
        "images by multicast, where the site file says so",
    ),
    (
        "passive-site-server",
        "site-server",
        "the way back of 63, whose two nodes have one role there",
    ),
    (
        "site-server",
        "site-server",
        "one rule for both nodes: nobody asks himself",
    ),
    ("passive-site-server", "passive-site-server", "the same"),
    (
        "passive-site-server",
        "site-database",
        "the passive node takes over, and asks the database then",
    ),
    (
        "site-database",
        "site-database",
        "one rule for both databases: nobody asks himself",
    ),
    ("other-site-database", "other-site-database", "the same"),
];

fn catalogue() -> Catalogue {
    let bytes = find("configmgr-current-branch").expect("an embedded catalogue");
    Catalogue::parse(bytes).expect("no findings")
}

fn ports(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_string).collect()
}

fn names(ends: &[End]) -> impl Iterator<Item = &'static str> {
    ends.iter().map(|end| end.name())
}

fn is_needed(rule: &&Rule) -> bool {
    rule.need != Need::Forbidden
}

/// What the catalogue lets one end ask of another, as `tcp/smb`.
fn here(catalogue: &Catalogue, from: &str, to: &str) -> BTreeSet<String> {
    let rules = catalogue.rules.iter().filter(is_needed).filter(|rule| {
        names(&rule.from).any(|it| it == from) && names(&rule.to).any(|it| it == to)
    });
    let named = |rule: &Rule| -> Vec<String> {
        let transport = rule.transport;
        let ports = rule.ports.iter();
        ports.map(|port| format!("{transport}/{port}")).collect()
    };
    rules.flat_map(named).collect()
}

#[test]
fn each_of_the_71_rules_stands_here_once() {
    let both = BOTH.iter().flat_map(|it| it.numbers);
    let alone = THERE_ALONE.iter().flat_map(|(numbers, _)| *numbers);
    let mut numbers: Vec<u8> = both.chain(alone).copied().collect();
    numbers.sort_unstable();
    let all: Vec<u8> = (1..=71).collect();
    assert_eq!(numbers, all);
}

#[test]
fn what_differs_has_a_reason_and_all_else_is_the_same() {
    let catalogue = catalogue();
    for rule in BOTH {
        let ours = here(&catalogue, rule.from, rule.to);
        let theirs = ports(rule.ports);
        let (mut more, mut less, mut reasons) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for difference in rule.differs {
            let (side, alone, why) = match difference {
                Here(alone, why) => (&mut more, alone, why),
                Only(alone, why) => (&mut less, alone, why),
            };
            side.extend(ports(alone));
            reasons.push(*why);
        }
        let pair = format!(
            "{:?} {} to {} {reasons:?}",
            rule.numbers, rule.from, rule.to
        );
        let only_here: BTreeSet<_> = ours.difference(&theirs).cloned().collect();
        let only_there: BTreeSet<_> = theirs.difference(&ours).cloned().collect();
        assert_eq!((only_here, only_there), (more, less), "{pair}");
    }
}

#[test]
fn what_the_table_has_no_rule_for_is_known_too() {
    let catalogue = catalogue();
    let known: BTreeSet<&str> = BOTH.iter().flat_map(|it| [it.from, it.to]).collect();
    let there: BTreeSet<(&str, &str)> = BOTH.iter().map(|it| (it.from, it.to)).collect();
    let mut alone: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for rule in catalogue.rules.iter().filter(is_needed) {
        for from in names(&rule.from).filter(|it| known.contains(it)) {
            for to in names(&rule.to).filter(|it| known.contains(it)) {
                if !there.contains(&(from, to)) {
                    alone.insert((from, to), &rule.id);
                }
            }
        }
    }
    let explained: BTreeSet<(&str, &str)> = HERE_ALONE.iter().map(|it| (it.0, it.1)).collect();
    let found: BTreeSet<(&str, &str)> = alone.keys().copied().collect();
    assert_eq!(found, explained, "{alone:#?}");
}
