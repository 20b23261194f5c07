//! The faults of a chain, in the order of their weight.

use jiff::Timestamp;

use crate::wire::trust::certificate::{Digest, Unfit};

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
        /// Whether the certificate below says where its certificate can be had, as those of intermediates can.
        is_named: bool,
    },
    /// The issuer of a certificate may not issue any.
    UnfitIssuer {
        /// Its name.
        issuer: String,
        /// Why.
        why: Unfit,
    },
    /// The leaf is for other names.
    Name,
    /// The name stands in one entry with others, joined by `&`; clients read that as one name that is none.
    NamesJoined,
    /// The root has ended: Windows refuses all that leads to it.
    RootExpired {
        /// Its subject.
        subject: String,
        /// When.
        since: Timestamp,
    },
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
    /// An authority on the way is not for server authentication.
    IssuerPurpose {
        /// Its subject.
        subject: String,
    },
    /// More authorities stand below one than it allows.
    PathLength {
        /// Its subject.
        subject: String,
    },
    /// A name lies outside of what an authority may issue for.
    NameConstraint {
        /// Its subject.
        subject: String,
    },
    /// An extension is critical that nobody knows.
    CriticalExtension {
        /// Whose.
        subject: String,
        /// Its object identifier.
        extension: String,
    },
    /// An RSA key is so short that Windows refuses it.
    KeyRefused {
        /// Whose.
        subject: String,
        /// Its length.
        bits: usize,
    },
    /// Whether the named issuer signed cannot be computed here.
    Undecided {
        /// The issuer's name.
        issuer: String,
    },
    /// The chain has more certificates than are looked at.
    TooMuch,
    /// What Windows makes of a certificate is not known here.
    Unsure {
        /// Whose.
        subject: String,
        /// What is odd about it.
        what: Odd,
    },
    /// A modern library refuses the chain, and nothing that is known here says why.
    Doubted,
    /// The server does not send an intermediate; Windows clients fetch it from the address that the certificate names.
    Fetched {
        /// The subject of the intermediate.
        subject: String,
        /// Where it was fetched.
        url: String,
    },
    /// An RSA key is short: Windows takes it, modern libraries refuse it.
    WeakKey {
        /// Whose.
        subject: String,
        /// Its length.
        bits: usize,
    },
    /// A certificate was signed over a digest that can be forged: Windows takes it by an authority of the site's own,
    /// modern libraries refuse it.
    WeakSignature {
        /// Whose.
        subject: String,
        /// The digest.
        digest: Digest,
    },
    /// The name stands in the common name only: Windows takes it, modern libraries refuse it.
    CommonNameOnly,
    /// The address that was asked for stands in an entry for DNS names: Windows takes it, other libraries refuse it.
    AddressAsName,
    /// The extended key usage says `any` and no more: Windows takes it, others refuse it.
    PurposeAny,
    /// There is no extended key usage: clients take it, though the site's certificates should name server authentication.
    PurposeUnlimited,
    /// Server authentication is named otherwise than RFC 5280 does, in a way that Windows takes. It is strong ciphers
    /// (SGC), or the Application Policies of AD CS alone.
    PurposeOtherwise {
        /// Whose.
        subject: String,
    },
    /// The leaf is a certification authority's own certificate, and trusted.
    LeafIsAuthority,
    /// The leaf signed itself, and the site file names it.
    OwnRoot,
    /// The leaf is a certificate of version 1 or 2.
    OldVersion,
    /// A critical extension that Windows understands, and libraries that know only web servers refuse.
    OfWindows {
        /// Which.
        extension: &'static str,
    },
    /// An authority limits directory names, which some libraries refuse altogether.
    DirectoryNames,
    /// More intermediates than some libraries follow.
    LongPath,
    /// An authority stands on the way under two keys.
    SelfIssued,
    /// The chain was not sent from leaf to root: most clients sort it themselves.
    Disordered,
}

/// What is odd about a certificate, so that nobody here knows what Windows makes of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Odd {
    /// An extension is critical that must not be.
    Extension(String),
    /// An extension that clients go by cannot be read.
    Unreadable(String),
    /// An extension stands there twice.
    Doubles,
    /// Its key usage names nothing that TLS needs.
    KeyUsage,
    /// An authority's name constraints are of a kind that is not judged here.
    NameConstraint,
    /// More authorities stand below it than it allows, where those count that an authority issued to itself.
    PathLength,
    /// It is a root that is limited to other purposes.
    RootPurpose,
    /// Its key is of a kind that Windows is not known to take, by name.
    Key(String),
    /// Its authority key identifier names another certificate or key than its issuer's.
    OtherIssuer,
    /// The name stands in the common name only, with alternative names that are not those of hosts.
    OtherNames,
    /// A `*` in the name stands for a part of a label.
    PartOfLabel,
}

/// What a fault does to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// They refuse the certificate.
    Refused,
    /// Whether they take it is not known here.
    Undecided,
    /// Windows takes it, others refuse it.
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
            | Self::UnfitIssuer { .. }
            | Self::Name
            | Self::NamesJoined
            | Self::RootExpired { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::Purpose
            | Self::IssuerPurpose { .. }
            | Self::PathLength { .. }
            | Self::NameConstraint { .. }
            | Self::CriticalExtension { .. }
            | Self::KeyRefused { .. } => Weight::Refused,
            Self::Undecided { .. } | Self::TooMuch | Self::Unsure { .. } | Self::Doubted => {
                Weight::Undecided
            }
            Self::Fetched { .. }
            | Self::WeakKey { .. }
            | Self::WeakSignature { .. }
            | Self::CommonNameOnly
            | Self::AddressAsName
            | Self::PurposeAny => Weight::Weak,
            Self::PurposeUnlimited
            | Self::PurposeOtherwise { .. }
            | Self::LeafIsAuthority
            | Self::OwnRoot
            | Self::OldVersion
            | Self::OfWindows { .. }
            | Self::DirectoryNames
            | Self::LongPath
            | Self::SelfIssued
            | Self::Disordered => Weight::Note,
        }
    }

    /// Whether it explains that a library refuses what Windows takes.
    pub(super) fn explains_refusal(&self) -> bool {
        !matches!(
            self,
            Self::PurposeUnlimited | Self::Disordered | Self::OwnRoot | Self::Fetched { .. }
        )
    }
}
