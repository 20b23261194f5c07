//! Whether clients can learn that a certificate is still good.
//!
//! `certified` takes the certificates of a chain that leads to a trusted root. `pointers` takes the addresses of lists
//! and responders out of a certificate and says which of them clients on the Internet can use. `fetch` gets one over
//! HTTP. The request, the reading of the answer (`answer`) and the next step after it are pure. The exchange around
//! them asks its caller for connections, because names, sockets and rates are the caller's. A certificate may name any
//! host: follow only what leads to a trusted root, and only where `gate` lets it. `list` reads a revocation list and
//! says what it is worth for a certificate. `ocsp` asks a responder and reads what it said. `list_value` says what
//! either means for clients. The time comes in from outside.

pub(crate) mod answer;
pub(crate) mod certified;
#[cfg(test)]
mod delta_tests;
mod der;
pub(crate) mod fetch;
pub(crate) mod gate;
pub(crate) mod list;
pub(crate) mod ocsp;
pub(crate) mod pointers;
#[cfg(test)]
mod tests;
pub(crate) mod list_value;

/// The most bytes of a list. The largest public lists are below 10 MB; a client would not wait for more.
pub(crate) const LARGEST_LIST: usize = 20 << 20;

/// The word for a reason code (RFC 5280 section 5.3.1); none for the unspecified and the unknown.
fn reason(code: u8) -> Option<&'static str> {
    match code {
        1 => Some("key-compromise"),
        2 => Some("ca-compromise"),
        3 => Some("affiliation-changed"),
        4 => Some("superseded"),
        5 => Some("cessation-of-operation"),
        6 => Some("certificate-hold"),
        9 => Some("privilege-withdrawn"),
        10 => Some("aa-compromise"),
        _ => None,
    }
}
