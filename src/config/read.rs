//! From the tree to `Config`.

use ipnet::IpNet;
use std::time::Duration;

use super::read_system::{self, PUBLISHES, SYSTEM, system};
use super::{
    ClientPorts, Config, CrlHosts, Exception, Firewall, Mode, PortPair, Probing, Route,
    SiteSection, Sweep, TlsVersion, UpdateSync, UserFlow, Via, Zone,
};
use crate::catalogue::{Need, Protocol, Transport};
use crate::diagnostic::{Place, Problem, Severity};
use crate::yaml::{self, At, Fields, Node, Ports, Value};

/// Every key of the file by section, for the schema and its test.
pub const KEYS: &[(&str, &[&str])] = &[
    ("file", TOP),
    ("site", SITE),
    ("client_ports", CLIENT_PORTS),
    ("zone", &["networks"]),
    ("firewall", FIREWALL),
    ("system", SYSTEM),
    ("publishes", PUBLISHES),
    ("flow", FLOW),
    ("exception", EXCEPTION),
    ("tls", TLS),
    ("via", VIA),
    ("probing", PROBING),
];
const TOP: &[&str] = &[
    "site",
    "zones",
    "firewalls",
    "clients",
    "systems",
    "flows",
    "exceptions",
    "tls",
    "via",
    "via_password_file",
    "probing",
];
const SITE: &[&str] = &[
    "code",
    "product",
    "mode",
    "client_ports",
    "default_port_clients",
    "retired_client_ports",
    "software_update_ports",
    "update_sync",
    "crl_check",
    "clients_speak",
    "crl_urls",
    "crl_hosts",
];
const FIREWALL: &[&str] = &["between", "addresses", "device"];
const CLIENT_PORTS: &[&str] = &["http", "https"];
const FLOW: &[&str] = &["from", "to", "port", "transport", "protocol", "need", "why"];
const EXCEPTION: &[&str] = &["flow", "until", "why"];
const TLS: &[&str] = &[
    "roots",
    "client_certificate",
    "client_password_file",
    "expires_soon",
];
const VIA: &[&str] = &["proxy", "roles"];
const PROBING: &[&str] = &[
    "timeout",
    "attempts",
    "second_look",
    "in_flight",
    "per_host",
    "rate",
    "dns",
    "sweep",
    "authorised",
];

/// Reads the bytes of a site file.
///
/// The findings are all that reading can see; with an error among them the [`Config`] holds what could be read, so
/// that later checks can still speak. `None` when the bytes are no YAML mapping.
pub fn read(bytes: &[u8]) -> (Option<Config>, Vec<Problem>) {
    let mut problems = Vec::new();
    let root = match yaml::parse(bytes) {
        Ok(root) => root,
        Err(problem) => return (None, vec![problem]),
    };
    let config = file(&root, &mut problems);
    (config, problems)
}

fn file(root: &Node, problems: &mut Vec<Problem>) -> Option<Config> {
    let fields = Fields::of(root, "the file", TOP, problems)?;
    let mut config = Config {
        expires_soon: Duration::from_secs(30 * 86_400),
        ..Config::default()
    };
    if let Some(node) = fields.need(
        "site",
        "site: { code: PRI, product: configmgr-2007 }",
        problems,
    ) {
        config.site = site(node, problems);
    }
    if let Some(node) = fields.need(
        "zones",
        "zones: { internet: { networks: [\"0.0.0.0/0\"] } }",
        problems,
    ) {
        config.zones = named(node, "`zones`", problems, zone);
    }
    if let Some(node) = fields.get("firewalls") {
        config.firewalls = named(node, "`firewalls`", problems, firewall);
    }
    if let Some(node) = fields.get("clients") {
        config.clients = texts(node, "`clients`", problems);
    }
    if let Some(node) = fields.need("systems", "systems: { cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [site-server] } }", problems) {
        config.systems = named(node, "`systems`", problems, system);
        if config.systems.is_empty() && matches!(node.value, Value::Map(_)) {
            problems.push(Problem::error("missing-key", node.at, "`systems` names no system").hint("at least one system is needed"));
        }
    }
    if let Some(node) = fields.get("flows") {
        config.flows = yaml::list(node, "`flows`", problems)
            .iter()
            .filter_map(|item| flow(item, problems))
            .collect();
    }
    if let Some(node) = fields.get("exceptions") {
        config.exceptions = yaml::list(node, "`exceptions`", problems)
            .iter()
            .filter_map(|item| exception(item, problems))
            .collect();
    }
    if let Some(node) = fields.get("tls") {
        tls(node, &mut config, problems);
    }
    if let Some(node) = fields.get("via") {
        config.via = via(node, problems);
    }
    config.via_password_file = fields
        .get("via_password_file")
        .and_then(|node| yaml::text(node, "`via_password_file`", problems))
        .map(|text| text.value);
    if let Some(node) = fields.get("probing") {
        config.probing = probing(node, problems);
    }
    Some(config)
}

fn named<T>(
    node: &Node,
    owner: &str,
    problems: &mut Vec<Problem>,
    read: fn(At<String>, &Node, &mut Vec<Problem>) -> Option<T>,
) -> Vec<T> {
    let Some(fields) = Fields::named(node, owner, problems) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (name, value) in fields.all() {
        check_name(name.value, name.at, problems);
        all.extend(read(name.owned(), value, problems));
    }
    all
}

fn check_name(name: &str, at: Place, problems: &mut Vec<Problem>) {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        problems.push(Problem::error("bad-name", at, format!("`{name}` cannot be a name")).hint("names are lower-case letters, digits and hyphens, and begin with a letter or digit"));
    }
}

pub(super) fn texts(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Vec<At<String>> {
    yaml::list(node, what, problems)
        .iter()
        .filter_map(|item| yaml::text(item, &format!("an item of {what}"), problems))
        .collect()
}

fn port_list(
    fields: &Fields<'_>,
    key: &str,
    owner: &str,
    problems: &mut Vec<Problem>,
) -> Vec<At<u16>> {
    let Some(node) = fields.get(key) else {
        return Vec::new();
    };
    let what = format!("`{owner}.{key}`");
    let found: Vec<At<u16>> = yaml::one_or_list(node)
        .iter()
        .filter_map(|item| yaml::port(item, &what, problems))
        .collect();
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        problems.push(
            Problem::error("missing-key", node.at, format!("{what} lists no port"))
                .hint("leave the key out for the default"),
        );
    }
    found
}

fn client_ports(node: Option<&Node>, owner: &str, problems: &mut Vec<Problem>) -> ClientPorts {
    let Some(fields) =
        node.and_then(|node| Fields::of(node, format!("`{owner}`"), CLIENT_PORTS, problems))
    else {
        return ClientPorts::default();
    };
    let before = problems.len();
    let ports = ClientPorts {
        http: port_list(&fields, "http", owner, problems),
        https: port_list(&fields, "https", owner, problems),
    };
    add_topic(&mut problems[before..], "client-ports");
    ports
}

/// Says at findings about a port number where the console shows it.
fn add_topic(problems: &mut [Problem], topic: &str) {
    for problem in problems {
        let hint = problem.hint.take().map(|hint| format!("{hint}; "));
        problem.hint = Some(format!(
            "{}portproof explain {topic} says where the console shows the numbers",
            hint.unwrap_or_default()
        ));
    }
}

pub(super) fn port_pair(node: Option<&Node>, problems: &mut Vec<Problem>) -> PortPair {
    let owner = "`software_update_ports`";
    let Some(fields) = node.and_then(|node| Fields::of(node, owner, CLIENT_PORTS, problems)) else {
        return PortPair::default();
    };
    let before = problems.len();
    let mut one = |key: &str| {
        fields
            .get(key)
            .and_then(|node| yaml::port(node, &format!("{owner} {key}"), problems))
    };
    let pair = PortPair {
        http: one("http"),
        https: one("https"),
    };
    add_topic(&mut problems[before..], "software-update-ports");
    pair
}

fn site(node: &Node, problems: &mut Vec<Problem>) -> SiteSection {
    let mut site = SiteSection::default();
    let Some(fields) = Fields::of(node, "`site`", SITE, problems) else {
        return site;
    };
    site.code = fields
        .need("code", "code: PRI", problems)
        .and_then(|node| yaml::text(node, "`site.code`", problems));
    site.product = fields
        .need("product", "product: configmgr-2007", problems)
        .and_then(|node| yaml::text(node, "`site.product`", problems));
    site.mode = fields.get("mode").and_then(|node| {
        yaml::word(
            node,
            "`site.mode`",
            "unknown-word",
            &[("native", Mode::Native), ("mixed", Mode::Mixed)],
            problems,
        )
    });
    site.client_ports = client_ports(fields.get("client_ports"), "client_ports", problems);
    site.retired_client_ports = client_ports(
        fields.get("retired_client_ports"),
        "retired_client_ports",
        problems,
    );
    site.software_update_ports = port_pair(fields.get("software_update_ports"), problems);
    if let Some(value) = fields
        .get("default_port_clients")
        .and_then(|node| yaml::boolean(node, "`site.default_port_clients`", problems))
    {
        site.default_port_clients = value;
    }
    if let Some(value) = fields
        .get("crl_check")
        .and_then(|node| yaml::boolean(node, "`site.crl_check`", problems))
    {
        site.crl_check = value;
    }
    if let Some(node) = fields.get("clients_speak") {
        let known: Vec<(&'static str, TlsVersion)> = TlsVersion::ALL
            .iter()
            .map(|version| (version.name(), *version))
            .collect();
        let what = "`site.clients_speak`";
        let versions = yaml::list(node, what, problems)
            .iter()
            .filter_map(|item| yaml::word(item, what, "unknown-word", &known, problems))
            .map(|version| version.value);
        site.clients_speak = versions.collect();
    }
    let ways = [
        ("direct", UpdateSync::Direct),
        ("export-import", UpdateSync::ExportImport),
    ];
    if let Some(value) = fields
        .get("update_sync")
        .and_then(|node| yaml::word(node, "`site.update_sync`", "unknown-word", &ways, problems))
    {
        site.update_sync = value.value;
    }
    if let Some(node) = fields.get("crl_urls") {
        site.crl_urls = texts(node, "`site.crl_urls`", problems);
    }
    if let Some(value) = fields.get("crl_hosts").and_then(|node| {
        yaml::word(
            node,
            "`site.crl_hosts`",
            "unknown-word",
            &CrlHosts::WORDS,
            problems,
        )
    }) {
        site.crl_hosts = value.value;
    }
    site
}

fn zone(name: At<String>, node: &Node, problems: &mut Vec<Problem>) -> Option<Zone> {
    let what = format!("zone `{}`", name.value);
    if matches!(node.value, Value::Null) {
        return Some(Zone {
            name,
            networks: Vec::new(),
        });
    }
    let fields = Fields::of(node, &what, &["networks"], problems)?;
    let networks = fields
        .get("networks")
        .map(yaml::one_or_list)
        .unwrap_or_default();
    let networks = networks
        .iter()
        .filter_map(|item| network(item, &what, problems))
        .collect();
    Some(Zone { name, networks })
}

fn network(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<At<IpNet>> {
    let found = yaml::text(node, &format!("a network of {what}"), problems)?;
    let parsed = found
        .value
        .parse::<IpNet>()
        .or_else(|_| found.value.parse::<std::net::IpAddr>().map(IpNet::from));
    match parsed {
        Ok(net) if net.trunc() == net => Some(At {
            value: net,
            at: node.at,
        }),
        Ok(net) => {
            problems.push(
                Problem::error(
                    "bad-network",
                    node.at,
                    format!("`{}` has bits set behind its prefix", found.value),
                )
                .hint(format!("did you mean `{}`?", net.trunc())),
            );
            None
        }
        Err(_) => {
            problems.push(
                Problem::error(
                    "bad-network",
                    node.at,
                    format!("`{}` is no network", found.value),
                )
                .hint("write address/prefix, as in 192.0.2.0/24"),
            );
            None
        }
    }
}

fn firewall(name: At<String>, node: &Node, problems: &mut Vec<Problem>) -> Option<Firewall> {
    let what = format!("firewall `{}`", name.value);
    let fields = Fields::of(node, &what, FIREWALL, problems)?;
    let node = fields.need("between", "between: [internet, perimeter]", problems)?;
    let between = texts(node, "`between`", problems);
    if between.len() != 2 {
        problems.push(
            Problem::error(
                "firewall-zones",
                node.at,
                format!(
                    "{what} stands between {} zones; it must be two",
                    between.len()
                ),
            )
            .hint("for example: between: [internet, perimeter]"),
        );
    }
    let addresses = fields
        .get("addresses")
        .map(yaml::one_or_list)
        .unwrap_or_default();
    let addresses = addresses
        .iter()
        .filter_map(|item| yaml::address(item, &format!("an address of {what}"), problems))
        .collect();
    let device = fields
        .get("device")
        .and_then(|node| yaml::text(node, &format!("`device` of {what}"), problems));
    if let Some(device) = &device {
        check_name(&device.value, device.at, problems);
    }
    Some(Firewall {
        name,
        between,
        addresses,
        device,
    })
}

/// RFC 952 and RFC 1123 names, with the underscore that Windows domains carry.
pub(super) fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.parse::<std::net::IpAddr>().is_err()
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
}

fn flow(node: &Node, problems: &mut Vec<Problem>) -> Option<UserFlow> {
    let fields = Fields::of(node, "a flow", FLOW, problems)?;
    let from = fields
        .need("from", "from: intranet", problems)
        .and_then(|node| yaml::text(node, "`from`", problems));
    let to = fields
        .need("to", "to: ibs01", problems)
        .and_then(|node| yaml::text(node, "`to`", problems));
    let port = fields
        .need("port", "port: 3389", problems)
        .and_then(|node| yaml::port(node, "`port`", problems));
    let need = fields
        .need("need", "need: required", problems)
        .and_then(|node| {
            yaml::word(
                node,
                "`need`",
                "unknown-word",
                &[
                    ("required", Need::Required),
                    ("optional", Need::Optional),
                    ("forbidden", Need::Forbidden),
                ],
                problems,
            )
        });
    let transport = fields.get("transport").and_then(|node| {
        yaml::word(
            node,
            "`transport`",
            "unknown-word",
            &[("tcp", Transport::Tcp), ("udp", Transport::Udp)],
            problems,
        )
    });
    let known: Vec<(&'static str, Protocol)> = Protocol::USER
        .iter()
        .map(|protocol| (protocol.name(), *protocol))
        .collect();
    let protocol = fields
        .get("protocol")
        .and_then(|node| yaml::word(node, "`protocol`", "unknown-word", &known, problems));
    let why = fields
        .get("why")
        .and_then(|node| yaml::text(node, "`why`", problems));
    Some(UserFlow {
        at: node.at,
        from: from?,
        to: to?,
        port: port?,
        transport: transport.map_or(Transport::Tcp, |transport| transport.value),
        protocol: protocol.map(|protocol| protocol.value),
        need: need?.value,
        why,
    })
}

/// The proxies of zones.
fn via(node: &Node, problems: &mut Vec<Problem>) -> Vec<(At<String>, Route)> {
    let Some(fields) = Fields::named(node, "`via`", problems) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (zone, value) in fields.all() {
        all.extend(route(value, problems).map(|route| (zone.owned(), route)));
    }
    all
}

/// A proxy, and perhaps the roles whose flows go through it.
fn route(node: &Node, problems: &mut Vec<Problem>) -> Option<Route> {
    let Value::Map(_) = node.value else {
        let proxy = proxy(node, problems)?;
        return Some(Route { proxy, roles: None });
    };
    let fields = Fields::of(node, "a proxy of `via`", VIA, problems)?;
    let proxy = fields
        .need("proxy", "proxy: \"http://proxy.example:8080\"", problems)
        .and_then(|node| proxy(node, problems));
    let roles = fields.get("roles").map(|node| {
        if matches!(&node.value, Value::List(roles) if roles.is_empty()) {
            problems.push(
                Problem::error(
                    "bad-via",
                    node.at,
                    "`roles` is empty, so nothing would go through the proxy",
                )
                .hint("name roles, or leave out `roles`: then everything goes through the proxy"),
            );
        }
        let roles = read_system::roles(node, "`via`", problems);
        roles.into_iter().map(|role| role.value).collect()
    });
    Some(Route {
        proxy: proxy?,
        roles,
    })
}

/// The URL of a proxy. What is wrong with it is said without quoting it: there may be a password in it.
fn proxy(node: &Node, problems: &mut Vec<Problem>) -> Option<Via> {
    let url = yaml::text(node, "`via`", problems)?;
    match Via::parse(&url.value) {
        Ok(via) => Some(via),
        Err(fault) => {
            problems.push(
                Problem::error("bad-via", node.at, fault.to_string())
                    .hint("for example: via: { internet: \"http://user@proxy.example:8080\" }, and the password in PORTPROOF_VIA_PASSWORD"),
            );
            None
        }
    }
}

fn exception(node: &Node, problems: &mut Vec<Problem>) -> Option<Exception> {
    let fields = Fields::of(node, "an exception", EXCEPTION, problems)?;
    let flow = fields
        .need("flow", "flow: \"internet>ibs01:80/tcp\"", problems)
        .and_then(|node| yaml::text(node, "`flow`", problems));
    let until = fields
        .need("until", "until: 2027-03-31", problems)
        .and_then(|node| date(node, problems));
    let why = fields
        .need("why", "why: \"change 4711\"", problems)
        .and_then(|node| yaml::text(node, "`why`", problems));
    if let Some(why) = why.as_ref().filter(|why| why.value.trim().is_empty()) {
        problems.push(
            Problem::error("missing-key", why.at, "`why` says nothing")
                .hint("for example: why: \"change 4711\""),
        );
    }
    Some(Exception {
        flow: flow?,
        until: until?,
        why: why?,
    })
}

/// A day. Other spellings that a date library reads, such as one with a time of day, would promise what is not kept.
fn date(node: &Node, problems: &mut Vec<Problem>) -> Option<At<jiff::civil::Date>> {
    let text = yaml::text(node, "`until`", problems)?;
    let parsed = text.value.parse::<jiff::civil::Date>().ok();
    let found = parsed.filter(|date| date.to_string() == text.value);
    if found.is_none() {
        problems.push(
            Problem::error("bad-date", text.at, format!("`{}` is no date", text.value)).hint(
                "write year-month-day, as in 2027-03-31: the last day on which the exception holds",
            ),
        );
    }
    found.map(|value| At { value, at: text.at })
}

fn tls(node: &Node, config: &mut Config, problems: &mut Vec<Problem>) {
    let Some(fields) = Fields::of(node, "`tls`", TLS, problems) else {
        return;
    };
    if let Some(node) = fields.get("roots") {
        config.roots = texts(node, "`tls.roots`", problems);
    }
    config.client_certificate = fields
        .get("client_certificate")
        .and_then(|node| yaml::text(node, "`tls.client_certificate`", problems));
    if let Some(node) = fields.get("client_password_file") {
        config.client_password_file = yaml::text(node, "`tls.client_password_file`", problems);
        if config.client_certificate.is_none() {
            problems.push(
                Problem::error(
                    "missing-key",
                    node.at,
                    "`tls.client_password_file` is given without `client_certificate`",
                )
                .hint("name the certificate that it is the password of, as in client_certificate: client.pfx"),
            );
        }
    }
    if let Some(soon) = fields
        .get("expires_soon")
        .and_then(|node| yaml::duration(node, "`tls.expires_soon`", problems))
    {
        config.expires_soon = soon;
    }
}

fn probing(node: &Node, problems: &mut Vec<Problem>) -> Probing {
    let mut probing = Probing::default();
    let Some(fields) = Fields::of(node, "`probing`", PROBING, problems) else {
        return probing;
    };
    if let Some(node) = fields.get("timeout")
        && let Some(timeout) = yaml::duration(node, "`probing.timeout`", problems)
    {
        probing.timeout = timeout;
        if !(Duration::from_millis(50)..=Duration::from_secs(60)).contains(&timeout) {
            problems.push(
                Problem::error("out-of-range", node.at, "`probing.timeout` is out of range")
                    .hint("50ms to 60s"),
            );
        }
    }
    if let Some(node) = fields.get("attempts")
        && !matches!(&node.value, Value::Text(text) if text == "auto")
    {
        probing.attempts = number(
            node,
            "`probing.attempts`",
            1,
            30,
            "`auto`, or a number from 1 to 30",
            problems,
        )
        .map(|n| n as u8);
    }
    if let Some(later) = fields
        .get("second_look")
        .and_then(|node| second_look(node, problems))
    {
        probing.second_look = later;
    }
    if let Some(n) = fields.get("in_flight").and_then(|node| {
        number(
            node,
            "`probing.in_flight`",
            1,
            65_535,
            "a number from 1 to 65535",
            problems,
        )
    }) {
        probing.in_flight = n as usize;
    }
    if let Some(n) = fields.get("per_host").and_then(|node| {
        number(
            node,
            "`probing.per_host`",
            1,
            65_535,
            "a number from 1 to 65535",
            problems,
        )
    }) {
        probing.per_host = n as usize;
    }
    if let Some(node) = fields.get("rate") {
        probing.rate = rate(node, problems);
    }
    if let Some(node) = fields.get("dns") {
        probing.dns = on_off(node, problems);
    }
    if let Some(node) = fields.get("sweep") {
        probing.sweep = sweep(node, problems);
        probing.sweep_at = Some(node.at);
    }
    probing.authorised = fields
        .get("authorised")
        .and_then(|node| yaml::text(node, "`probing.authorised`", problems))
        .map(|text| text.value);
    probing
}

/// A time, or `off`.
fn second_look(node: &Node, problems: &mut Vec<Problem>) -> Option<Duration> {
    let is_off = match &node.value {
        Value::Text(text) => text == "off",
        value => matches!(value, Value::Bool(false)),
    };
    if is_off {
        return Some(Duration::ZERO);
    }
    const WANTED: &str = "1s to 300s, or off";
    let known = problems.len();
    let Some(later) = yaml::duration(node, "`probing.second_look`", problems) else {
        for problem in problems.iter_mut().skip(known) {
            problem.hint = Some(WANTED.to_string());
        }
        return None;
    };
    if !(Duration::from_secs(1)..=Duration::from_secs(300)).contains(&later) {
        problems.push(
            Problem::error(
                "out-of-range",
                node.at,
                "`probing.second_look` is out of range",
            )
            .hint(WANTED),
        );
    }
    Some(later)
}

fn number(
    node: &Node,
    what: &str,
    low: i128,
    high: i128,
    wanted: &str,
    problems: &mut Vec<Problem>,
) -> Option<i128> {
    match node.value {
        Value::Integer(n) if (low..=high).contains(&n) => Some(n),
        _ => {
            let code = if matches!(node.value, Value::Integer(_)) {
                "out-of-range"
            } else {
                "wrong-type"
            };
            problems.push(Problem {
                code,
                severity: Severity::Error,
                at: Some(node.at),
                message: format!("{what} is not {wanted}"),
                hint: None,
            });
            None
        }
    }
}

fn rate(node: &Node, problems: &mut Vec<Problem>) -> Option<u32> {
    let Some(found) = yaml::text(node, "`probing.rate`", problems) else {
        return Probing::default().rate;
    };
    if found.value == "max" {
        return None;
    }
    let number = found
        .value
        .strip_suffix("/s")
        .unwrap_or(&found.value)
        .trim()
        .parse::<u32>()
        .ok()
        .filter(|n| (1..=1_000_000).contains(n));
    if number.is_none() {
        problems.push(
            Problem::error(
                "bad-rate",
                node.at,
                format!("`probing.rate` is `{}`, which is no rate", found.value),
            )
            .hint("write connection attempts a second, as in `100/s`, or `max`"),
        );
    }
    number
}

fn on_off(node: &Node, problems: &mut Vec<Problem>) -> bool {
    match &node.value {
        Value::Bool(value) => *value,
        _ => yaml::word(
            node,
            "`probing.dns`",
            "unknown-word",
            &[("on", true), ("off", false)],
            problems,
        )
        .is_none_or(|word| word.value),
    }
}

fn sweep(node: &Node, problems: &mut Vec<Problem>) -> Sweep {
    if let Value::Text(text) = &node.value {
        match text.as_str() {
            "none" => return Sweep::None,
            "watchlist" => return Sweep::Watchlist,
            "all" => {
                return Sweep::Ports(vec![Ports {
                    low: 1,
                    high: u16::MAX,
                }]);
            }
            _ => {}
        }
    }
    let before = problems.len();
    let ranges = yaml::ports(node, "`probing.sweep`", problems);
    if problems.len() > before
        && let Some(last) = problems.last_mut()
    {
        last.hint = Some("write none, watchlist, all, or ports as in \"1-1024,8080\"".to_string());
    }
    Sweep::Ports(ranges.into_iter().map(|range| range.value).collect())
}
