//! Where the page is shown, and to whom, as the file says it. Without more than an address, that is this host alone.

use std::fmt;
use std::net::SocketAddr;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::config::is_host_name;
use crate::config::keys::{Entries, Kind, What, keys};
use crate::config::kinds::{list, plain, section, text};
use crate::diagnostic::Problem;
use crate::yaml::{self, At, Node, Value};

keys! {
    /// Where the page is shown, and to whom.
    item Page checked by strangers_are_asked {
        /// An address and a port. Where others reach it, `tls` is needed, and they are asked who they are.
        address: SocketAddr = address(), required("address: 127.0.0.1:8642");
        /// The certificate of the page.
        tls: Option<Tls> = section::<Tls>(), optional("none: plain HTTP");
        /// A file with a token in its first line. Whoever asks has to show it, as `Bearer` or as a password.
        token_file: Option<At<String>> = text(), optional("none");
        /// Names and addresses by which it may be asked, beside those of its certificate.
        names: Vec<String> = list(host()), optional("none");
    }
}

keys! {
    /// The certificate of the page, and whose certificates are let in.
    item Tls {
        /// A PEM file with the certificate, and then those that lead to its root.
        certificate: At<String> = text(), required("certificate: page.pem");
        /// A PEM file with its private key.
        key: At<String> = text(), required("key: page.key");
        /// A PEM file with authorities. Whoever has a certificate from one of them is let in.
        client_roots: Option<At<String>> = text(), optional("none");
    }
}

/// What stands in the files that the page names.
#[derive(Default)]
pub struct PageFiles {
    /// The certificate and those above it; none: plain HTTP.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: Option<PrivateKeyDer<'static>>,
    /// Authorities whose certificates are let in.
    pub client_roots: Vec<CertificateDer<'static>>,
    /// The token that is asked for.
    pub token: Option<String>,
}

impl fmt::Debug for PageFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageFiles(..)")
    }
}

/// An address alone, or all that is said of the page.
pub(super) fn page() -> Kind<Page> {
    let read = |node: &Node, what: &What, problems: &mut Vec<Problem>| match &node.value {
        Value::Map(_) => section::<Page>().read(node, what, problems),
        _ => {
            let address = address().read(node, what, problems)?;
            if !address.ip().is_loopback() {
                problems.push(open(node, what));
            }
            Some(Page {
                address,
                tls: None,
                token_file: None,
                names: Vec::new(),
            })
        }
    };
    Kind::new(
        read,
        || json!({ "anyOf": [{ "type": "string" }, section::<Page>().schema()] }),
    )
}

fn address() -> Kind<SocketAddr> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let address = words.value.parse().ok();
            if address.is_none() {
                let says = format!("{what} is `{}`, which is no place for it", words.value);
                let problem = Problem::error("bad-page", node.at, says);
                problems.push(problem.hint("an address and a port, as in `127.0.0.1:8642`"));
            }
            address
        },
        || json!({ "type": "string" }),
    )
}

/// A name or an address, as a browser writes it.
fn host() -> Kind<String> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let bare = words.value.trim_end_matches('.').to_ascii_lowercase();
            if bare.parse::<std::net::IpAddr>().is_ok() || is_host_name(&bare) {
                return Some(bare);
            }
            let says = format!("{what} has `{}`, which is no name of a host", words.value);
            let problem = Problem::error("bad-page", node.at, says);
            problems.push(problem.hint("as in `names: [portproof.corp.example]`"));
            None
        },
        || json!({ "type": "string" }),
    )
}

/// Whoever is not on this host is asked over TLS who they are.
fn strangers_are_asked(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    let Some(node) = entries.fields.get("address") else {
        return;
    };
    let address = node.text().and_then(|it| it.parse::<SocketAddr>().ok());
    let Some(address) = address else { return };
    let tls = entries.fields.get("tls");
    let token = entries.fields.get("token_file");
    if let (Some(token), None, false) = (token, tls, address.ip().is_loopback()) {
        let says = "`page.token_file` would go over the network in plain text";
        problems.push(Problem::error("bad-page", token.at, says).hint(HINT));
        return;
    }
    let has_roots = tls.is_some_and(|tls| match &tls.value {
        Value::Map(keys) => keys
            .iter()
            .any(|(key, _)| key.text() == Some("client_roots")),
        _ => false,
    });
    let is_asked = tls.is_some() && (token.is_some() || has_roots);
    if !address.ip().is_loopback() && !is_asked {
        problems.push(open(node, &entries.what.key("address")));
    }
}

/// What is needed where others reach the page.
const HINT: &str = "others reach it: `tls: { certificate: page.pem, key: page.key }`, and `token_file` or \
                    `tls.client_roots`; or an address of this host alone, as in `127.0.0.1:8642`";

fn open(node: &Node, what: &What) -> Problem {
    let words = node.text().unwrap_or_default();
    let says = format!("{what} is `{words}`, where nobody is asked who they are");
    Problem::error("bad-page", node.at, says).hint(HINT)
}
