//! A host and a port as they stand in a `Host` header and in a CONNECT request (RFC 3986 section 3.2).

use std::fmt;
use std::net::IpAddr;

/// Where a request goes. Its text holds nothing that could end a line of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: Host,
    port: u16,
}

/// A name that whoever connects has to resolve, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A DNS name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Authority {
    /// `None` where the host is neither an address nor letters, digits, hyphens, underscores and dots.
    pub(crate) fn new(host: &str, port: u16) -> Option<Self> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse() {
            return Some(Self {
                host: Host::Address(address),
                port,
            });
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fits = (1..=253).contains(&host.len()) && host.chars().all(is_name);
        fits.then(|| Self {
            host: Host::Name(host.to_string()),
            port,
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]:{}", self.port),
            Host::Address(IpAddr::V4(address)) => write!(formatter, "{address}:{}", self.port),
            Host::Name(name) => write!(formatter, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart_and_written_as_urls_do() {
        for (host, written) in [
            ("mp.example.com", "mp.example.com:443"),
            ("192.0.2.1", "192.0.2.1:443"),
            ("2001:db8::1", "[2001:db8::1]:443"),
            ("[2001:db8::1]", "[2001:db8::1]:443"),
        ] {
            let authority = Authority::new(host, 443).expect("a host");
            assert_eq!(authority.to_string(), written);
        }
    }

    #[test]
    fn a_host_cannot_smuggle_a_line_into_a_request() {
        for host in [
            "",
            "a b",
            "a\r\nX: y",
            "a/b",
            "user@host",
            "host:80",
            "bücher",
        ] {
            assert_eq!(Authority::new(host, 80), None, "{host:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_line_of_plain_characters_or_nothing(host: String, port: u16) {
            if let Some(authority) = Authority::new(&host, port) {
                proptest::prop_assert!(authority.to_string().chars().all(|c| c.is_ascii_graphic()));
            }
        }
    }
}
