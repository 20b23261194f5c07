//! What is said on an open port. Each protocol has its messages, built and read by pure functions. It has a short
//! exchange over any stream, bounded in size and time.
//!
//! Nothing here opens a socket: `probe` hands streams in. `web` has HTTP and the proxies on the way, `windows` the protocols of
//! Windows servers, `tls` the handshake. `trust` says what a chain and a revocation list are worth. What is common to binary
//! protocols is in `message` and `asn1`. `challenge` is what `check` and `listen` say to each other. Everything that is read
//! may be malicious.

mod asn1;
pub(crate) mod challenge;
pub(crate) mod dns;
mod entrusted;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub(crate) mod message;
pub(crate) mod nats;
#[cfg(all(test, unix))]
mod real_servers;
#[cfg(all(test, target_os = "linux"))]
mod samba;
pub(crate) mod tls;
pub(crate) mod trust;
pub(crate) mod web;
pub(crate) mod windows;

pub use challenge::{Challenger, Token};
pub(crate) use message::Fault;
pub use tls::client_certificate::ClientCertificate;
pub(crate) use trust::Fetched;
pub use trust::Trust;
pub use web::http::WebNeeds;
