//! Writes the file: only of the answers, with a comment wherever something may have to be added.

use ipnet::IpNet;

use super::answers::{Answers, Lists, Server};
use super::lines::{self, INTERNET, INTRANET, PERIMETER, address, line, quoted};
use super::names;
use crate::product::{Role, has_key};
use crate::site::CLIENT_FACING;

/// The file, as YAML with comments.
pub fn text(answers: &Answers) -> String {
    [
        lines::head(&answers.code, "`portproof init` wrote it from the answers"),
        site(answers),
        zones(answers),
        lines::firewalls(!answers.perimeter.is_empty()),
        clients(answers),
        systems(answers),
        lines::rest(),
    ]
    .join("\n")
}

fn site(answers: &Answers) -> String {
    let code = lines::code(&answers.code);
    let mut text = "site:\n".to_string();
    text += &line(&format!("  code: {code}"), "as the console shows it");
    text += &format!("  product: {}\n", answers.catalogue.product);
    text += &lines::default_ports(&answers.catalogue, &lines::PORTS);
    text += &match &answers.lists {
        Lists::At(all) => {
            let all: Vec<String> = all.iter().map(|url| quoted(url)).collect();
            let lists = format!("  crl_urls: [{}]", all.join(", "));
            line(&lists, "the revocation lists that the certificates name")
        }
        Lists::Unchecked => line("  crl_check: false", "clients check no revocation lists"),
        Lists::Unknown => lines::LISTS.to_string(),
    };
    text
}

fn zones(answers: &Answers) -> String {
    let zone = |name: &str, networks: &[IpNet]| {
        let all: Vec<String> = networks.iter().map(IpNet::to_string).collect();
        lines::zone(name, &all)
    };
    let mut text = lines::zones();
    if !answers.perimeter.is_empty() {
        text += &zone(PERIMETER, &answers.perimeter);
    }
    text + &zone(INTRANET, &answers.intranet)
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
    let names = names::of(
        answers
            .servers()
            .map(|server| server.name_inside.as_ref().unwrap_or(&server.name).as_str()),
    );
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
    let inside = server.name_inside.as_ref().unwrap_or(&server.name);
    text += &(lines::names(inside, Some(&server.name)) + "\n");
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
