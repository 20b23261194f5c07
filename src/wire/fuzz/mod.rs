//! The readings of bytes that others wrote, each under the name of its fuzz target: were these bytes recognised?
//!
//! Each holds what it read against the bounds that are promised for it, and fails where one is broken. The bounds stand
//! here once more, as numbers: one that is loosened elsewhere is noticed. `docs/fuzzing.md` lists them.
//!
//! To add one, write a function here and its line in [`TARGETS`], a file in `fuzz/fuzz_targets`, and its `[[bin]]` in
//! `fuzz/Cargo.toml`. Put real answers into a folder of its name in `fuzz/seeds`. The tests hold these together.

mod certificates;
mod files;
mod proxies;
mod revocation;
mod services;
mod web;

use std::time::Duration;

use asn1_rs::{Any, FromBer};
use tokio::io::{Join, Sink, join, sink};

use super::message::Fault;

pub use certificates::{certificate_chain, client_certificate, tls_old};
pub use files::{catalogue, site_file, site_values};
pub use proxies::proxy;
pub use revocation::{ocsp, revocation_fetch, revocation_list};
pub use services::{
    dns, dns_tcp, kerberos, kerberos_tcp, ldap, rpc_datagram, rpc_lookup, smb, tds,
};
pub use web::{http_answer, http_request};

/// A name, and the function of that name.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target of this stage.
pub const TARGETS: &[Target] = &[
    ("catalogue", catalogue),
    ("certificate_chain", certificate_chain),
    ("client_certificate", client_certificate),
    ("dns", dns),
    ("dns_tcp", dns_tcp),
    ("http_answer", http_answer),
    ("http_request", http_request),
    ("kerberos", kerberos),
    ("kerberos_tcp", kerberos_tcp),
    ("ldap", ldap),
    ("ocsp", ocsp),
    ("proxy", proxy),
    ("revocation_fetch", revocation_fetch),
    ("revocation_list", revocation_list),
    ("rpc_datagram", rpc_datagram),
    ("rpc_lookup", rpc_lookup),
    ("site_file", site_file),
    ("site_values", site_values),
    ("smb", smb),
    ("tds", tds),
    ("tls_old", tls_old),
];

/// All bytes are there, so no wait is ever long.
const LIMIT: Duration = Duration::from_secs(60);

/// A peer that says all its bytes, whatever it is told, and then hangs up.
type Peer<'a> = Join<&'a [u8], Sink>;

fn peer(bytes: &[u8]) -> Peer<'_> {
    join(bytes, sink())
}

/// Talks to such a peer: did that prove the service?
fn over<T>(bytes: &[u8], talk: impl AsyncFnOnce(&mut Peer<'_>) -> Result<T, Fault>) -> bool {
    wait_for(talk(&mut peer(bytes))).is_ok()
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(future)
}

/// Fails when a text that is kept of what others wrote has more characters than is promised.
fn at_most(text: &str, characters: usize) {
    let kept = text.chars().count();
    assert!(kept <= characters, "{kept} characters: {text}");
}

/// Cuts off the first elements of BER, and gives what follows them as the last piece.
fn pieces(bytes: &[u8], most: usize) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while found.len() < most
        && let Ok((after, _)) = Any::from_ber(rest)
    {
        let (element, _) = rest.split_at(rest.len() - after.len());
        found.push(element);
        rest = after;
    }
    found.push(rest);
    found
}
