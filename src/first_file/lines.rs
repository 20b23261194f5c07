//! The lines that every first file is made of, whoever knows its site: from answers, or from exports.

use std::net::IpAddr;

use crate::product::{Catalogue, Setting, has_key};

/// The zone that is always there.
pub(crate) const INTERNET: &str = "internet";
/// The zone between the Internet and the intranet.
pub(crate) const PERIMETER: &str = "perimeter";
/// The zone of the inside.
pub(crate) const INTRANET: &str = "intranet";

/// Where a comment behind a key begins.
const COMMENT: usize = 34;

/// Words that YAML may take for something else than text.
pub(super) const OTHER_WORDS: [&str; 10] = [
    "true", "false", "null", "yes", "no", "on", "off", "y", "n", "",
];

/// The keys of port numbers that an example may stand for.
pub(crate) const PORTS: [&str; 2] = ["client_ports", "software_update_ports"];

/// Where the revocation lists are to be written.
pub(crate) const LISTS: &str = "  # Where the revocation lists are; a certificate has it under \
    CRL Distribution Points:\n  # crl_urls: [\"http://pki.example.com/ca.crl\"]\n";

/// The comment at the beginning.
pub(crate) fn head(code: &str, by: &str) -> String {
    format!(
        "# The site {code}, as {by}. Change it as you need.\n\
         #\n\
         # portproof plan FILE                   lists the flows of this site, and sends nothing\n\
         # portproof check FILE --from {INTERNET}  tries them from there, on a host of that zone\n\
         # portproof schema config               has every key, with what it means and its default\n"
    )
}

/// A line with a comment behind it.
pub(crate) fn line(text: &str, comment: &str) -> String {
    format!("{text:COMMENT$} # {comment}\n")
}

/// A site code. One of digits would be a number.
pub(crate) fn code(code: &str) -> String {
    match code.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("\"{code}\""),
        false => code.to_string(),
    }
}

/// Keys of port numbers as comments, with the numbers of the product.
pub(crate) fn default_ports(catalogue: &Catalogue, keys: &[&str]) -> String {
    let pair = |key: &&str| {
        let (http, https) = match *key {
            "client_ports" => (Setting::ClientHttp, Setting::ClientHttps),
            _ => (Setting::SoftwareUpdateHttp, Setting::SoftwareUpdateHttps),
        };
        let number = |setting| Some(catalogue.default_ports(setting).first()?.low);
        let is_known = has_key(catalogue.site_keys(), key);
        let (http, https) = (number(http)?, number(https)?);
        is_known.then(|| format!("  # {key}: {{ http: {http}, https: {https} }}\n"))
    };
    let keys: String = keys.iter().filter_map(pair).collect();
    match keys.is_empty() {
        true => keys,
        false => {
            format!("  # Ports stand here where they are others than these of the product:\n{keys}")
        }
    }
}

/// A line of a zone.
pub(crate) fn zone(name: &str, networks: &[String]) -> String {
    let all: Vec<String> = networks.iter().map(|net| quoted(net)).collect();
    format!("  {name}: {{ networks: [{}] }}\n", all.join(", "))
}

/// The line of the Internet, before the other zones.
pub(crate) fn zones() -> String {
    let all = ["0.0.0.0/0", "::/0"].map(str::to_string);
    line("zones:", "from the least to the most trusted") + &zone(INTERNET, &all)
}

/// The firewalls of a site with a perimeter, or without one.
pub(crate) fn firewalls(has_perimeter: bool) -> String {
    let mut text = "# With its interfaces, a report can name the firewall that drops or rejects:\n\
                    # front-end: { between: [...], addresses: [198.51.100.1, 192.0.2.1] }\n\
                    firewalls:\n"
        .to_string();
    let between =
        |name: &str, one: &str, other: &str| format!("  {name}: {{ between: [{one}, {other}] }}\n");
    match has_perimeter {
        false => text += &between("front-end", INTERNET, INTRANET),
        true => {
            text += &between("front-end", INTERNET, PERIMETER);
            text += &between("back-end", PERIMETER, INTRANET);
        }
    }
    text
}

/// The names of a system: the one that the Internet asks for, where that is another.
pub(crate) fn names(inside: &str, public: Option<&str>) -> String {
    let inside = host(inside);
    match public.map(host).filter(|public| *public != inside) {
        Some(public) => format!("    names: {{ {INTERNET}: {public}, default: {inside} }}"),
        None => format!("    names: {{ default: {inside} }}"),
    }
}

/// The name of a host, in quotes where YAML could take it for something else.
fn host(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        && !OTHER_WORDS.contains(&name.to_ascii_lowercase().as_str());
    match is_plain {
        true => name.to_string(),
        false => quoted(name),
    }
}

/// An address. The colons of IPv6 would be YAML's.
pub(crate) fn address(address: IpAddr) -> String {
    match address.is_ipv6() {
        true => format!("\"{address}\""),
        false => address.to_string(),
    }
}

/// Text in double quotes: what JSON escapes, YAML reads the same way.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The end of every file.
pub(crate) fn rest() -> String {
    "# Flows of your own, beside those of the product:\n\
     # flows:\n\
     #   - { from: intranet, to: SYSTEM, port: 3389, need: optional, why: \"remote administration\" }\n"
        .to_string()
}
