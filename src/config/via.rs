//! Where a proxy is, as the site file says it: `http://user@host:port` or `socks5://host:port`; and whose flows go
//! through it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

use super::host_name::is_host_name;
use super::keys::{What, keys};
use super::kinds::*;
use super::system::roles;
use crate::diagnostic::Problem;
use crate::product::Role;
use crate::yaml::{self, Node, Value};

/// The port of a SOCKS proxy where none is given (RFC 1928 section 3).
const SOCKS_PORT: u16 = 1080;

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP CONNECT.
    HttpConnect,
    /// SOCKS5.
    Socks5,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host: a name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who goes through it; the password never stands here.
    pub user: Option<String>,
}

keys! {
    /// How flows of a zone leave.
    item Route {
        /// The URL of the proxy.
        proxy: Via = proxy(), required("proxy: \"http://proxy.example:8080\"");
        /// The roles whose flows go through it, while all others go direct.
        roles: Option<BTreeSet<Role>> = proxied_roles(), optional("everything goes through it");
    }
}

/// A proxy, and perhaps the roles whose flows go through it.
pub(super) fn route() -> Kind<Route> {
    let read = |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let Value::Map(_) = node.value else {
            let proxy = proxy().read(node, what, problems)?;
            return Some(Route { proxy, roles: None });
        };
        section().read(node, what, problems)
    };
    let schema = || json!({ "anyOf": [proxy().schema(), section::<Route>().schema()] });
    Kind::new(read, schema)
}

/// The URL of a proxy. What is wrong with it is said without quoting it: there may be a password in it.
fn proxy() -> Kind<Via> {
    plain(
        |node, what, problems| {
            let url = yaml::text(node, what, problems)?;
            let via = Via::parse(&url.value);
            if let Err(fault) = &via {
                problems.push(Problem::error("bad-via", node.at, fault.to_string()).hint(
                    "for example: via: { internet: \"http://user@proxy.example:8080\" }, \
                     and the password in PORTPROOF_VIA_PASSWORD",
                ));
            }
            via.ok()
        },
        || json!({ "type": "string", "pattern": "^(http|socks5)://" }),
    )
}

fn proxied_roles() -> Kind<BTreeSet<Role>> {
    const HINT: &str = "name roles, or leave out `roles`: then everything goes through the proxy";
    let read = |node: &Node, what: &What, problems: &mut Vec<Problem>| {
        let roles = roles().read(node, what, problems)?;
        Some(roles.into_iter().map(|role| role.value).collect())
    };
    filled("bad-via", HINT, Kind::new(read, || roles().schema()))
}

/// What is wrong with a proxy's URL. None of them quotes it: there may be a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViaFault {
    /// No URL.
    NoUrl,
    /// Another scheme.
    Scheme,
    /// No host, or none that could be one.
    Host,
    /// More behind the port.
    Rest,
    /// A password.
    Password,
    /// A user name that a proxy could not be told.
    User,
}

impl fmt::Display for Via {
    /// As a URL, without the user.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::HttpConnect => "http",
            ProxyKind::Socks5 => "socks5",
        };
        if self.host.contains(':') {
            write!(formatter, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for ViaFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoUrl => "a proxy is written http://host:port or socks5://host:port",
            Self::Scheme => "a proxy is reached over `http` or `socks5`",
            Self::Host => "the URL of a proxy has no host",
            Self::Rest => "the URL of a proxy ends with its port",
            Self::Password => {
                "a password does not belong in a URL, which stands in files and process lists; \
                 give it in the environment or in a file of its own"
            }
            Self::User => {
                "the user name of a proxy has 1 to 255 bytes, no colon and no control \
                 characters"
            }
        })
    }
}

impl Via {
    /// Reads a proxy's URL.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(text: &str) -> Result<Self, ViaFault> {
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => ViaFault::Host,
            _ => ViaFault::NoUrl,
        })?;
        if url.password().is_some() {
            return Err(ViaFault::Password);
        }
        let (kind, port) = match url.scheme() {
            "http" => (ProxyKind::HttpConnect, url.port_or_known_default()),
            "socks5" => (ProxyKind::Socks5, url.port().or(Some(SOCKS_PORT))),
            _ => return Err(ViaFault::Scheme),
        };
        let host = url.host_str().and_then(host).ok_or(ViaFault::Host)?;
        let port = port.filter(|port| *port != 0).ok_or(ViaFault::Host)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ViaFault::Rest);
        }
        Ok(Self {
            kind,
            host,
            port,
            user: user(&url)?,
        })
    }
}

fn host(written: &str) -> Option<String> {
    let bare = written
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(written);
    (bare.parse::<IpAddr>().is_ok() || is_host_name(bare)).then(|| bare.to_string())
}

fn user(url: &Url) -> Result<Option<String>, ViaFault> {
    if url.username().is_empty() {
        return Ok(None);
    }
    let name = percent_decode_str(url.username()).decode_utf8();
    let name = name.map_err(|_| ViaFault::User)?;
    let fits = name.len() <= 255 && !name.contains(|c: char| c == ':' || c.is_control());
    fits.then(|| Some(name.into_owned())).ok_or(ViaFault::User)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_kind_a_place_and_perhaps_a_user() {
        for (text, kind, at, user) in [
            (
                "http://proxy.example:8080",
                ProxyKind::HttpConnect,
                "http://proxy.example:8080",
                None,
            ),
            (
                "http://proxy.example",
                ProxyKind::HttpConnect,
                "http://proxy.example:80",
                None,
            ),
            (
                "http://CORP%5Cprobe@192.0.2.1:3128/",
                ProxyKind::HttpConnect,
                "http://192.0.2.1:3128",
                Some("CORP\\probe"),
            ),
            (
                "socks5://[2001:db8::1]:1081",
                ProxyKind::Socks5,
                "socks5://[2001:db8::1]:1081",
                None,
            ),
            (
                "socks5://probe@proxy.example",
                ProxyKind::Socks5,
                "socks5://proxy.example:1080",
                Some("probe"),
            ),
        ] {
            let via = Via::parse(text).expect(text);
            assert_eq!((via.kind, via.to_string().as_str()), (kind, at));
            assert_eq!(via.user.as_deref(), user);
        }
    }

    #[test]
    fn every_fault_has_its_words() {
        for (text, fault) in [
            ("proxy.example:8080", ViaFault::Scheme),
            ("proxy", ViaFault::NoUrl),
            ("https://proxy.example", ViaFault::Scheme),
            ("http://", ViaFault::Host),
            ("socks5://:1080", ViaFault::Host),
            ("socks5://a%20b:1080", ViaFault::Host),
            ("http://proxy.example/path", ViaFault::Rest),
            ("http://proxy.example?x", ViaFault::Rest),
            ("http://a%3Ab@proxy.example", ViaFault::User),
            ("http://a%0Ab@proxy.example", ViaFault::User),
        ] {
            assert_eq!(Via::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_never_repeated() {
        for text in [
            "http://probe:s3cret@proxy.example:8080",
            "socks5://:s3cret@proxy.example",
            "ftp://a:s3cret@x",
        ] {
            let fault = Via::parse(text).expect_err(text);
            assert_eq!(fault, ViaFault::Password);
            assert!(!format!("{fault} {fault:?}").contains("s3cret"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = Via::parse(&text);
            let _ = Via::parse(&format!("http://{text}"));
            let _ = Via::parse(&format!("socks5://{text}@{text}:1"));
        }
    }
}
