//! Writes the file: only of the answers, with a comment wherever something may have to be added.

use std::net::IpAddr;

use ipnet::IpNet;

use super::answers::{Answers, INTERNET, INTRANET, Lists, PERIMETER, Server};
use super::names;
use crate::product::{Catalogue, Role, Setting, has_key};
use crate::site::CLIENT_FACING;

/// Where a comment behind a key begins.
const COMMENT: usize = 34;

/// The file, as YAML with comments.
pub fn text(answers: &Answers) -> String {
    [
        head(answers),
        site(answers),
        zones(answers),
        firewalls(answers),
        clients(answers),
        systems(answers),
        rest(),
    ]
    .join("\n")
}

fn head(answers: &Answers) -> String {
    format!(
        "# The site {}, as `portproof init` wrote it from the answers. Change it as you need.\n\
         #\n\
         # portproof plan FILE                     lists the flows of this site, and sends nothing\n\
         # portproof check FILE --from {INTERNET}  tries them from there, on a host of that zone\n\
         # portproof schema config                 has every key, with what it means and its default\n",
        answers.code
    )
}

/// A line with a comment behind it.
fn line(text: &str, comment: &str) -> String {
    format!("{text:COMMENT$} # {comment}\n")
}

fn site(answers: &Answers) -> String {
    let code = &answers.code;
    // A code of digits would be a number.
    let code = match code.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("\"{code}\""),
        false => code.clone(),
    };
    let mut text = "site:\n".to_string();
    text += &line(&format!("  code: {code}"), "as the console shows it");
    text += &format!("  product: {}\n", answers.catalogue.product);
    text += &ports(&answers.catalogue);
    text += &match &answers.lists {
        Lists::At(all) => {
            let all: Vec<String> = all.iter().map(|url| quoted(url)).collect();
            let lists = format!("  crl_urls: [{}]", all.join(", "));
            line(&lists, "the revocation lists that the certificates name")
        }
        Lists::Unchecked => line("  crl_check: false", "clients check no revocation lists"),
        Lists::Unknown => "  # Where the revocation lists are; a certificate has it under CRL \
                           Distribution Points:\n  # crl_urls: [\"http://pki.example.com/ca.crl\"]\n"
            .to_string(),
    };
    text
}

/// The keys of port numbers as comments, with the numbers of the product.
fn ports(catalogue: &Catalogue) -> String {
    let pairs = [
        ("client_ports", Setting::ClientHttp, Setting::ClientHttps),
        (
            "software_update_ports",
            Setting::SoftwareUpdateHttp,
            Setting::SoftwareUpdateHttps,
        ),
    ];
    let pair = |(key, http, https): (&str, Setting, Setting)| {
        let number = |setting| Some(catalogue.default_ports(setting).first()?.low);
        let is_known = has_key(catalogue.site_keys(), key);
        let (http, https) = (number(http)?, number(https)?);
        is_known.then(|| format!("  # {key}: {{ http: {http}, https: {https} }}\n"))
    };
    let keys: String = pairs.into_iter().filter_map(pair).collect();
    match keys.is_empty() {
        true => keys,
        false => {
            format!("  # Ports stand here where they are others than these of the product:\n{keys}")
        }
    }
}

fn zones(answers: &Answers) -> String {
    let zone = |name: &str, networks: &[IpNet]| {
        let all: Vec<String> = networks.iter().map(|net| format!("\"{net}\"")).collect();
        format!("  {name}: {{ networks: [{}] }}\n", all.join(", "))
    };
    let mut text = line("zones:", "from the least to the most trusted");
    text += &format!("  {INTERNET}: {{ networks: [\"0.0.0.0/0\", \"::/0\"] }}\n");
    if !answers.perimeter.is_empty() {
        text += &zone(PERIMETER, &answers.perimeter);
    }
    text + &zone(INTRANET, &answers.intranet)
}

fn firewalls(answers: &Answers) -> String {
    let mut text = "# With its interfaces, a report can name the firewall that drops or rejects:\n\
                    # front-end: { between: [...], addresses: [198.51.100.1, 192.0.2.1] }\n\
                    firewalls:\n"
        .to_string();
    let between =
        |name: &str, one: &str, other: &str| format!("  {name}: {{ between: [{one}, {other}] }}\n");
    match answers.perimeter.is_empty() {
        true => text += &between("front-end", INTERNET, INTRANET),
        false => {
            text += &between("front-end", INTERNET, PERIMETER);
            text += &between("back-end", PERIMETER, INTRANET);
        }
    }
    text
}

fn clients(answers: &Answers) -> String {
    let is_served = |zone: &&str| {
        let mut servers = answers.servers();
        servers.any(|server| serves(answers, server) == Some(*zone))
    };
    let zones = [INTERNET, INTRANET].into_iter().filter(is_served);
    let zones: Vec<&str> = zones.collect();
    match zones.is_empty() {
        true => "# clients: [intranet]              # the zones with clients, once a server has a \
                 role for them\n"
            .to_string(),
        false => line(
            &format!("clients: [{}]", zones.join(", ")),
            "the zones with clients",
        ),
    }
}

/// The zone whose clients a server is for; `None` without a role that clients reach.
fn serves(answers: &Answers, server: &Server) -> Option<&'static str> {
    let is_for_clients = server.roles.iter().any(|role| CLIENT_FACING.contains(role));
    let zone = match answers.facing.contains(server) {
        true => INTERNET,
        false => INTRANET,
    };
    is_for_clients.then_some(zone)
}

fn systems(answers: &Answers) -> String {
    let names = names::of(answers.servers());
    let all = answers.servers().zip(&names);
    let all = all.map(|(server, name)| system(answers, server, name));
    format!("systems:\n{}", all.collect::<Vec<_>>().join("\n"))
}

fn system(answers: &Answers, server: &Server, name: &str) -> String {
    let is_facing = answers.facing.contains(server);
    let about = match (is_facing, server.roles.contains(&Role::SiteServer)) {
        (true, _) => "  # Clients on the Internet reach it.\n",
        (false, true) => "  # The site server.\n",
        (false, false) => "",
    };
    let zone = answers.zone_of(server).unwrap_or(INTRANET);
    let roles: Vec<&str> = server.roles.iter().map(|role| role.name()).collect();
    let mut text = format!("{about}  {name}:\n    zone: {zone}\n");
    text += &match &server.name_inside {
        Some(inside) => format!(
            "    names: {{ {INTERNET}: {}, default: {inside} }}\n",
            server.name
        ),
        None => format!("    names: {{ default: {} }}\n", server.name),
    };
    text += &addresses(server);
    text += &format!("    roles: [{}]\n", roles.join(", "));
    if let Some(zone) = serves(answers, server) {
        text += &format!("    serves: [{zone}]\n");
    }
    let key = "client_connections";
    if serves(answers, server).is_some() && has_key(answers.catalogue.system_keys(), key) {
        let (way, others) = match (is_facing, answers.catalogue.has_enhanced_http()) {
            (true, _) => ("https", "clients on the Internet need certificates"),
            (false, true) => (
                "enhanced-http",
                "or https, or http, as the console shows it",
            ),
            (false, false) => ("http", "or https, as the console shows it"),
        };
        text += &line(&format!("    {key}: {way}"), others);
    }
    let key = "initiated_by_site_server";
    if is_facing && has_key(answers.catalogue.system_keys(), key) {
        text += &format!(
            "    # {key}: true   # with this, it may start no connection to the site server\n"
        );
    }
    text
}

fn addresses(server: &Server) -> String {
    match (server.public, server.own) {
        (Some(public), Some(own)) if public != own => format!(
            "    addresses: {{ {INTERNET}: {}, default: {} }}\n",
            address(public),
            address(own)
        ),
        (_, Some(own)) => format!("    addresses: {{ default: {} }}\n", address(own)),
        (_, None) => {
            "    # addresses: { default: 192.0.2.10 }   # without, they are resolved from \
                      the names\n"
                .to_string()
        }
    }
}

/// The colons of IPv6 would be YAML's.
fn address(address: IpAddr) -> String {
    match address.is_ipv6() {
        true => format!("\"{address}\""),
        false => address.to_string(),
    }
}

/// Text in double quotes: what JSON escapes, YAML reads the same way.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn rest() -> String {
    "# Flows of your own, beside those of the product:\n\
     # flows:\n\
     #   - { from: intranet, to: SYSTEM, port: 3389, need: optional, why: \"remote administration\" }\n"
        .to_string()
}
