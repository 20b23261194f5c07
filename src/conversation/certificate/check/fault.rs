//! The faults of a chain, in the order of their weight.

use jiff::Timestamp;

use crate::conversation::certificate::Digest;

/// One fault of a chain. The order of the variants is that of their weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// There is no certificate, or the first cannot be read.
    Unreadable,
    /// A certificate names an issuer whose key did not sign it.
    Forged {
        /// The issuer's name.
        issuer: String,
    },
    /// The leaf signed itself, and nobody named it.
    SelfSigned,
    /// The chain ends at a root that nobody named.
    UnknownRoot {
        /// Its subject.
        subject: String,
    },
    /// An issuer was neither sent nor is it a known root: an intermediate certificate is missing on the server, or the
    /// root is not named.
    NoIssuer {
        /// Its name.
        issuer: String,
    },
    /// The leaf is for other names.
    Name,
    /// The name stands in one entry with others, joined by `&`; clients read that as one name that is none.
    NamesJoined,
    /// A certificate has ended.
    Expired {
        /// Whose.
        subject: String,
        /// When.
        since: Timestamp,
    },
    /// A certificate has not begun.
    NotYetValid {
        /// Whose.
        subject: String,
        /// When it will.
        from: Timestamp,
    },
    /// The leaf is not for server authentication.
    Purpose,
    /// An RSA key is so short that Windows refuses it.
    KeyRefused {
        /// Whose.
        subject: String,
        /// Its length.
        bits: usize,
    },
    /// The leaf is a certification authority's own certificate.
    LeafIsAuthority,
    /// The verifier refuses it for another reason.
    Refused(String),
    /// An RSA key is short: old clients take it, modern ones refuse it.
    WeakKey {
        /// Whose.
        subject: String,
        /// Its length.
        bits: usize,
    },
    /// A certificate was signed over a digest that can be forged: old clients take it, modern ones refuse it.
    WeakSignature {
        /// Whose.
        subject: String,
        /// The digest.
        digest: Digest,
    },
    /// Whether the named issuer signed cannot be computed here.
    Undecided {
        /// The issuer's name.
        issuer: String,
    },
    /// The name stands in the common name only: old clients take it, modern ones refuse it.
    CommonNameOnly,
    /// The extended key usage says `any` and no more: Windows takes it, others refuse it.
    PurposeAny,
    /// There is no extended key usage: clients take it, though the site's certificates should name server authentication.
    PurposeUnlimited,
    /// The chain was not sent from leaf to root: most clients sort it themselves.
    Disordered,
}

/// What a fault does to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// They refuse the certificate.
    Refused,
    /// Old ones take it, modern ones refuse it.
    Weak,
    /// They take it.
    Note,
}

impl Fault {
    /// What it does to clients.
    pub(crate) fn weight(&self) -> Weight {
        match self {
            Self::Unreadable
            | Self::Forged { .. }
            | Self::SelfSigned
            | Self::UnknownRoot { .. }
            | Self::NoIssuer { .. }
            | Self::Name
            | Self::NamesJoined
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::Purpose
            | Self::KeyRefused { .. }
            | Self::LeafIsAuthority
            | Self::Refused(_) => Weight::Refused,
            Self::WeakKey { .. }
            | Self::WeakSignature { .. }
            | Self::Undecided { .. }
            | Self::CommonNameOnly
            | Self::PurposeAny => Weight::Weak,
            Self::PurposeUnlimited | Self::Disordered => Weight::Note,
        }
    }
}
