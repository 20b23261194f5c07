//! What is said on an open port: for each protocol its messages, built and read by pure functions, and a short exchange
//! over any stream, bounded in size and time.
//!
//! Nothing here opens a socket: `probe` hands streams in. `certificate` and `revocation` say what a chain and a
//! revocation list are worth, `proxy` goes through what stands in between, `trust` holds the roots. What is common to
//! binary protocols is in `message` and `ber`. Everything that is read may be malicious.

mod ber;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what only its tests use is wired up with the reports"
    )
)]
mod certificate;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod dns;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub(crate) mod http;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod kerberos;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod ldap;
mod message;
pub(crate) mod proxy;
#[cfg(all(test, unix))]
mod real_servers;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what only its tests use is wired up with the reports"
    )
)]
pub(crate) mod revocation;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod rpc;
#[cfg(all(test, target_os = "linux"))]
mod samba;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod smb;
#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "not on the ladder yet")
)]
pub(crate) mod tds;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what only its tests use is wired up with the reports"
    )
)]
pub(crate) mod tls;
mod trust;

pub use http::WebNeeds;
pub use trust::Trust;
