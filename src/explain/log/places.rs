//! The hosts that an entry names: in URLs, and behind words for a host.

use std::collections::BTreeSet;

use url::Url;

use super::up_to;

/// A host with the port that it was asked at, as far as the entry says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// A name in lower case, or an address.
    pub(super) host: String,
    /// Port.
    pub(super) port: Option<u16>,
}

/// The longest URL that is looked at.
const LONGEST_URL: usize = 2_048;
/// The most URLs of an entry.
const MOST_URLS: usize = 16;
/// The longest name that DNS knows.
const LONGEST_HOST: usize = 253;

/// The places, each once. A port that the entry names apart from the URL is the port that the client used.
pub(super) fn places(text: &str) -> BTreeSet<Place> {
    let lower = text.to_ascii_lowercase();
    let port = behind(&lower, "port").and_then(|port| port.parse().ok());
    let port = port.filter(|port| *port > 0);
    let mut found: BTreeSet<Place> = urls(&lower)
        .take(MOST_URLS)
        .filter_map(|url| of_url(url, port))
        .collect();
    if found.is_empty() {
        let named = behind(&lower, "hostname").or_else(|| behind(&lower, "host"));
        found.extend(named.and_then(|host| of_host(host, port)));
    }
    found
}

/// Everything in a lower-case text that begins as a URL of the web does.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("http").filter_map(|(at, _)| {
        let rest = &text[at..];
        let scheme = ["http://", "https://"]
            .iter()
            .find(|it| rest.starts_with(**it));
        let rest = up_to(LONGEST_URL, rest);
        let is_end = |c: char| c.is_whitespace() || "\"'<>;,()".contains(c);
        scheme.map(|_| &rest[..rest.find(is_end).unwrap_or(rest.len())])
    })
}

fn of_url(url: &str, port: Option<u16>) -> Option<Place> {
    let url = Url::parse(url.trim_end_matches('.')).ok()?;
    let host = url
        .host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']');
    let of_url = url.port_or_known_default();
    Some(Place {
        host: within(host)?,
        port: url.port().or(port).or(of_url),
    })
}

/// `host` or `host:port`.
fn of_host(text: &str, port: Option<u16>) -> Option<Place> {
    let (host, own) = match text.rsplit_once(':') {
        Some((host, own)) if !host.contains(':') => (host, own.parse().ok()),
        _ => (text, None),
    };
    Some(Place {
        host: within(host)?,
        port: own.or(port),
    })
}

fn within(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    (!host.is_empty() && host.len() <= LONGEST_HOST).then(|| host.to_string())
}

/// The value behind a name and `=`, with or without blanks and quotes; `None` where the name stands nowhere so.
fn behind<'a>(lower: &'a str, name: &str) -> Option<&'a str> {
    lower.match_indices(name).find_map(|(at, _)| {
        let is_whole = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let rest = lower[at + name.len()..].trim_start().strip_prefix('=')?;
        let rest = rest.trim_start().trim_start_matches(['"', '\'']);
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-._:".contains(c));
        let value = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        (is_whole && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, Option<u16>)> {
        let all = places(text).into_iter();
        all.map(|it| (it.host, it.port)).collect()
    }

    #[test]
    fn a_url_has_a_host_and_a_port() {
        for (text, host, port) in [
            (
                "GET http://a.example/SMS_MP/.sms_aut?MPLIST",
                "a.example",
                80,
            ),
            (
                "URL=https://A.example/x, Port=8443, Options=31",
                "a.example",
                8443,
            ),
            ("<https://a.example:8531/x.cab>. error", "a.example", 8531),
            ("'https://a.example.'", "a.example", 443),
            ("URL=https://a.example:8443/x, Port=443", "a.example", 8443),
            ("http://[2001:db8::1]:8530/", "2001:db8::1", 8530),
            ("http://192.0.2.1/x", "192.0.2.1", 80),
            ("HostName = \"A.Example\";\nPort=443", "a.example", 443),
            ("Host=a.example:8443, x", "a.example", 8443),
        ] {
            assert_eq!(found(text), [(host.to_string(), Some(port))], "{text}");
        }
        assert_eq!(
            found("HostName = \"a.example\";"),
            [("a.example".to_string(), None)]
        );
    }

    #[test]
    fn what_names_no_host_gives_none() {
        for text in [
            "",
            "http://",
            "http:// /",
            "https://:443/",
            "LocalHost=x",
            "host",
            "host = \"\"",
            "xhttp",
            "Port=443",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
        let long = format!("Host={}", "a".repeat(300));
        assert_eq!(found(&long), []);
    }

    #[test]
    fn a_line_full_of_urls_is_read_within_bounds() {
        let many: String = (0..1_000)
            .map(|it| format!("http://h{it}.example/ "))
            .collect();
        assert_eq!(found(&many).len(), MOST_URLS);
        let nested = "http://".repeat(5_000);
        assert!(found(&nested).len() <= MOST_URLS);
    }
}
