//! Who is let in: whoever asks by one of the page's own names, and shows what the file asks for.
//!
//! A token comes as `Authorization: Bearer`, or as the password of `Basic`, which browsers ask their user for. It is
//! compared by a keyed hash, so that the time says nothing of it. A certificate was shown when the connection began.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256, Key, Tag};
use ring::rand::SystemRandom;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::serve::page::{Page, PageFiles};
use crate::vantage;

/// What is asked of whoever asks.
pub(super) struct Door {
    /// Whether names of this host are let in: only this host can ask.
    is_of_this_host: bool,
    /// Names beside those.
    names: Vec<String>,
    token: Option<Shown>,
    /// Whether a certificate opens it.
    takes_certificates: bool,
}

/// A token that is known, not as it is.
struct Shown {
    key: Key,
    tag: Tag,
}

impl Door {
    /// The door of a page.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(super) fn new(page: &Page, files: &PageFiles) -> anyhow::Result<Self> {
        let ip = page.address.ip();
        let mut names = page.names.clone();
        if !ip.is_unspecified() {
            names.push(ip.to_string());
        }
        let leaf = files.certificates.first();
        names.extend(leaf.map(names_of).unwrap_or_default());
        let known = |token: &String| {
            let key = Key::generate(HMAC_SHA256, &SystemRandom::new());
            let key = key.map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
            let tag = hmac::sign(&key, token.as_bytes());
            anyhow::Ok(Shown { key, tag })
        };
        Ok(Self {
            is_of_this_host: ip.is_loopback(),
            names,
            token: files.token.as_ref().map(known).transpose()?,
            takes_certificates: !files.client_roots.is_empty(),
        })
    }

    /// Whether a header `Host` has a name of the page. A name that leads here could be a stranger's.
    pub(super) fn is_named(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_here = self.is_of_this_host && vantage::is_this_host(&name);
        is_here || self.names.iter().any(|it| fits(it, &name))
    }

    /// Whether who asks has shown enough.
    pub(super) fn opens(&self, headers: &HeaderMap, has_certificate: bool) -> bool {
        let asks = self.token.is_some() || self.takes_certificates;
        let by_certificate = self.takes_certificates && has_certificate;
        let by_token = self.token.as_ref().is_some_and(|known| {
            let shown = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
            let shown = shown.and_then(token);
            shown.is_some_and(|it| hmac::verify(&known.key, &it, known.tag.as_ref()).is_ok())
        });
        !asks || by_certificate || by_token
    }

    /// Whether a token would open it.
    pub(super) fn takes_tokens(&self) -> bool {
        self.token.is_some()
    }
}

/// The token of a header `Authorization`.
fn token(header: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = header.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().as_bytes().to_vec()),
        "basic" => {
            let pair = STANDARD.decode(rest.trim()).ok()?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            Some(pair[colon + 1..].to_vec())
        }
        _ => None,
    }
}

/// Whether a name is one of a certificate's, whose first part may be `*`.
fn fits(own: &str, name: &str) -> bool {
    match own.strip_prefix("*.") {
        Some(rest) => name
            .split_once('.')
            .is_some_and(|(first, of)| !first.is_empty() && of == rest),
        None => own == name,
    }
}

/// The names and addresses that a certificate is for.
fn names_of(certificate: &CertificateDer<'static>) -> Vec<String> {
    let Ok((_, read)) = X509Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let Ok(Some(names)) = read.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |it: &GeneralName<'_>| match it {
        GeneralName::DNSName(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => Some(std::net::IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
        16 => Some(std::net::IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(address: &str, names: &[&str], token: Option<&str>) -> Door {
        let page = Page {
            address: address.parse().expect("an address"),
            tls: None,
            token_file: None,
            names: names.iter().map(|it| (*it).to_string()).collect(),
        };
        let files = PageFiles {
            token: token.map(str::to_string),
            ..PageFiles::default()
        };
        Door::new(&page, &files).expect("randomness")
    }

    #[test]
    fn only_this_hosts_own_names_are_answered() {
        let door = door("127.0.0.1:8642", &[], None);
        for host in [
            "localhost",
            "LOCALHOST:8642",
            "127.0.0.1:8642",
            "127.8.9.1",
            "[::1]:1",
            "[::1",
        ] {
            assert!(door.is_named(host), "{host}");
        }
        for host in [
            "",
            "localhost.evil.example:8642",
            "127.0.0.1.evil.example",
            "192.0.2.1:8642",
            "[2001:db8::1]:8642",
            "evil.example",
        ] {
            assert!(!door.is_named(host), "{host}");
        }
    }

    #[test]
    fn a_page_of_the_network_has_the_names_that_were_given_it() {
        let door = door(
            "192.0.2.9:8642",
            &["page.corp.example", "*.dmz.example"],
            None,
        );
        for host in [
            "page.corp.example:8642",
            "PAGE.corp.example.",
            "192.0.2.9:8642",
            "a.dmz.example",
        ] {
            assert!(door.is_named(host), "{host}");
        }
        for host in [
            "localhost",
            "127.0.0.1",
            "dmz.example",
            ".dmz.example",
            "a.b.dmz.example",
        ] {
            assert!(!door.is_named(host), "{host}");
        }
    }

    #[test]
    fn a_token_opens_as_bearer_and_as_a_password_and_nothing_else_does() {
        const TOKEN: &str = "0123456789abcdef0123456789abcdef";
        let door = door("127.0.0.1:1", &[], Some(TOKEN));
        let opens = |header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, header.parse().expect("a header"));
            door.opens(&headers, false)
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(opens(&format!("Bearer {TOKEN}")));
        assert!(opens(&format!("bearer  {TOKEN} ")));
        assert!(opens(&basic(&format!("anybody:{TOKEN}"))));
        for wrong in [
            TOKEN.to_string(),
            "Bearer".to_string(),
            "Bearer ".to_string(),
            format!("Bearer {}", &TOKEN[1..]),
            format!("Bearer {TOKEN}x"),
            basic(TOKEN),
            basic("anybody:"),
            format!("Basic {TOKEN}"),
            "Basic \u{fffd}".to_string(),
        ] {
            assert!(!opens(&wrong), "{wrong}");
        }
        assert!(!door.opens(&HeaderMap::new(), false));
        // No certificate was asked for.
        assert!(!door.opens(&HeaderMap::new(), true));
    }
}
