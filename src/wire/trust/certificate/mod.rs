//! What a certificate says, what is wrong with it, and whether somebody put his own in its place.
//!
//! A chain comes in as DER, as it was sent. `read` says what stands in a certificate. `path` finds who signed whom and
//! to which roots that leads. `signature` does the arithmetic for it, and `authority` says who may sign. `check` judges
//! each way as Windows does (`constraints`, `extensions`), and lists every fault of the best, the worst first.
//! `interception` compares the chain with what the site expects. All of it is pure: the time comes in, no socket or
//! file is touched.

mod authority;
mod bundle;
pub(crate) mod check;
mod constraints;
mod extensions;
mod issuers;
pub(crate) mod interception;
#[cfg(test)]
pub(crate) mod sample;
mod path;
mod read;
mod roots;
mod signature;

pub(crate) use crate::config::{Pin, sha256};
pub(crate) use authority::Unfit;
pub(crate) use bundle::bundle;
pub(crate) use issuers::{is_of, lacking, reached};
pub(crate) use path::{End, Path, leads_to, signature_of};
pub(crate) use read::{Digest, Facts, Key, Purpose, read};
pub(crate) use roots::{Kind, Roots};
pub(crate) use signature::{Signature, signed};

/// The most certificates of a chain that are described.
pub(crate) const LONGEST_CHAIN: usize = 10;
/// The most certificates of a chain among which a way to a root is looked for: what fits into one message of TLS.
const MOST_SENT: usize = 256;
/// The most characters of a distinguished name that are kept.
pub(crate) const LONGEST_NAME: usize = 400;

/// A distinguished name as text, bounded.
pub(crate) fn text(name: &x509_parser::x509::X509Name<'_>) -> String {
    name.to_string().chars().take(LONGEST_NAME).collect()
}
