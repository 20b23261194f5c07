//! What is said on an open port: for each protocol its messages, built and read by pure functions, and a short exchange
//! over any stream, bounded in size and time.
//!
//! Nothing here opens a socket: `probe` hands streams in. `certificate` and `revocation` say what a chain and a
//! revocation list are worth, `proxy` goes through what stands in between, `trust` holds the roots. What is common to
//! binary protocols is in `message` and `ber`. `challenge` is what `check` and `listen` say to each other. Everything that is read may be malicious.

mod ber;
pub(crate) mod certificate;
pub(crate) mod challenge;
pub(crate) mod dns;
mod entrusted;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub(crate) mod http;
pub(crate) mod kerberos;
pub(crate) mod ldap;
pub(crate) mod message;
pub(crate) mod proxy;
#[cfg(all(test, unix))]
mod real_servers;
pub(crate) mod revocation;
pub(crate) mod rpc;
#[cfg(all(test, target_os = "linux"))]
mod samba;
pub(crate) mod smb;
pub(crate) mod sql_browser;
pub(crate) mod tds;
pub(crate) mod tls;
mod trust;

pub use challenge::{Challenger, Token};
pub use http::WebNeeds;
pub(crate) use message::Fault;
pub use tls::client_certificate::ClientCertificate;
pub(crate) use trust::Fetched;
pub use trust::Trust;
