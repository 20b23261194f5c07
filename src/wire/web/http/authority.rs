//! A host and a port as they stand in a `Host` header and in a CONNECT request (RFC 3986 section 3.2). Also how a
//! request to them names what it asks for.

use std::fmt;
use std::net::IpAddr;

/// Where a request goes. Its text holds nothing that could end a line of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: Host,
    port: u16,
    form: Form,
}

/// How a request names what it asks for (RFC 9112 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// By its path: the connection leads to the server, perhaps inside a tunnel.
    Origin,
    /// By its whole URL: the connection leads to a proxy, which passes the request on.
    Absolute(Option<Authorization>),
}

/// The value of a `Proxy-Authorization` header. It stands in no debug output.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authorization(String);

impl Authorization {
    pub(crate) fn new(value: String) -> Self {
        Self(value)
    }

    pub(crate) fn value(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorization(...)")
    }
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
                form: Form::Origin,
            });
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fits = (1..=253).contains(&host.len()) && host.chars().all(is_name);
        fits.then(|| Self {
            host: Host::Name(host.to_string()),
            port,
            form: Form::Origin,
        })
    }

    /// The same, for requests that a proxy passes on.
    #[must_use]
    pub(crate) fn by_way_of_a_proxy(self, authorization: Option<Authorization>) -> Self {
        Self {
            form: Form::Absolute(authorization),
            ..self
        }
    }

    /// What stands before the path in the first line of a request.
    pub(super) fn before_path(&self) -> String {
        match self.form {
            Form::Origin => String::new(),
            Form::Absolute(_) => format!("http://{self}"),
        }
    }

    /// What a proxy is told of who asks.
    pub(crate) fn authorization(&self) -> Option<&Authorization> {
        match &self.form {
            Form::Origin => None,
            Form::Absolute(authorization) => authorization.as_ref(),
        }
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
    fn what_a_proxy_is_told_of_who_asks_is_in_no_debug_output() {
        let authority = Authority::new("mp.example.com", 80).expect("a host");
        let secret = Authorization::new("Basic c2VjcmV0".to_string());
        let authority = authority.by_way_of_a_proxy(Some(secret));
        assert!(!format!("{authority:?} {authority}").contains("c2Vj"));
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
