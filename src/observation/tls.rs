//! What TLS showed: the handshake, the chain as it was sent, and what is wrong with it, as plain data.

use crate::words::words;
use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What TLS showed, whether or not it would satisfy a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TlsSeen {
    /// Protocol version, as in `TLSv1.3`.
    pub version: Option<String>,
    /// Cipher suite.
    pub cipher: Option<String>,
    /// The name that was asked for.
    pub asked_for: Option<String>,
    /// Whether the server proved that it holds the certificate's key; else the chain is presented, not proven.
    pub key_proven: bool,
    /// The chain as it was sent, leaf first; what cannot be read is left out.
    pub chain: Vec<Certificate>,
    /// The chain as it was sent, in DER.
    #[serde(skip)]
    pub der: Arc<[Vec<u8>]>,
    /// The trusted root that the chain leads to.
    pub root: Option<String>,
    /// The certificate that the server has to send beside its own and does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingIssuer>,
    /// Every fault of the chain, the worst first.
    pub faults: Vec<ChainFault>,
    /// Whether the second client shook hands, which speaks TLS of the past.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_old_client: bool,
    /// Whether the server asked for a client certificate in the first handshake.
    pub client_certificate_asked: bool,
    /// How it refused what clients of the site speak; `None`: it did not, or was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_clients: Option<String>,
    /// Whether it asked for one after a request, by a new handshake.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asked_late: bool,
    /// How it refused TLS 1.2. That is asked where a refusal of requests over TLS 1.3 may be for want of a client
    /// certificate. `None`: it did not, or was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_1_2: Option<String>,
    /// The authorities whose client certificates it takes; none: it does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// How many more authorities there were.
    pub more_authorities: usize,
    /// What became of this host's client certificate.
    pub presented: Presented,
    /// What was shown, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// What rustls' verifier said, when it was not satisfied. It is stricter than Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// Whether somebody put his own certificate in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interception: Option<Interception>,
    /// Behind a proxy that publishes: where TLS really ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<TlsEnd>,
}

/// The certificate of an issuer that the server does not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingIssuer {
    /// Whose.
    pub name: String,
    /// The address at which it was fetched, by the certificate below it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fetched: Option<String>,
    /// Why it was not fetched, where that was tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_fetched: Option<String>,
    /// Intermediates on the same way that are not sent either, and were fetched.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
}

/// Where TLS ends that is sent to a proxy which publishes other systems, by the pins of the site file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsEnd {
    /// The system whose certificate was shown: the proxy (bridging) or one that it publishes (tunnelling).
    pub at: String,
    /// Whether the site file says so.
    pub as_declared: bool,
}

/// The parts of a certificate that matter to a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, in lower-case hexadecimal.
    pub serial: String,
    /// DNS names and addresses of the subject alternative name; the common names where there are none.
    pub names: Vec<String>,
    /// Start of validity.
    #[schemars(with = "Option<String>")]
    pub not_before: Option<Timestamp>,
    /// End of validity.
    #[schemars(with = "Option<String>")]
    pub not_after: Option<Timestamp>,
    /// Whole days until it ends; negative once it has ended.
    pub days_left: Option<i64>,
    /// Its key, in words.
    pub key: String,
    /// The digest its issuer signed, in words.
    pub signature: String,
    /// Whether it is for server authentication.
    pub server_authentication: Purpose,
    /// SHA-256 of the DER bytes, in lower-case hexadecimal.
    pub sha256: String,
}

words! {
    /// What the extended key usage says of server authentication.
    Purpose {
        /// It names it.
        Named = "named",
        /// There is no extended key usage: every purpose is allowed.
        Unlimited = "unlimited",
        /// Only `anyExtendedKeyUsage`.
        Any = "any",
        /// It names other purposes only.
        Others = "no",
    }
}

/// One fault of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainFault {
    /// What it does to clients.
    pub weight: Weight,
    /// In words.
    #[serde(rename = "says")]
    pub words: String,
}

words! {
    /// What a fault does to clients.
    Weight {
        /// Windows clients refuse the certificate.
        Refused = "refused",
        /// Whether they take it is not known here.
        Undecided = "undecided",
        /// Windows takes it, modern libraries refuse it.
        Weak = "weak",
        /// They take it.
        Note = "note",
    }
}

/// The client certificate that this host shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// Its subject.
    pub subject: String,
    /// Its issuer, and the issuers of the certificates that were sent with it.
    pub issuers: Vec<String>,
}

impl TlsSeen {
    /// Whether the server says which authorities it takes, and none of them stands behind the certificate that was shown.
    pub fn takes_no_such_issuer(&self) -> bool {
        let named = |shown: &Shown| {
            let mut issuers = shown.issuers.iter();
            issuers.any(|issuer| self.authorities.contains(issuer))
        };
        let says = !self.authorities.is_empty() && self.more_authorities == 0;
        says && self.shown.as_ref().is_some_and(|shown| !named(shown))
    }
}

impl Presented {
    /// Whether a certificate was sent.
    pub fn is_shown(&self) -> bool {
        match self {
            Self::Sent | Self::Taken | Self::Refused(_) | Self::HungUp => true,
            Self::NotAsked | Self::None => false,
        }
    }
}

/// What became of this host's client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presented {
    /// It was not asked for in the first handshake. IIS usually asks only after the request.
    #[default]
    NotAsked,
    /// It was asked for, and there was none to send, or none with a key that the server takes.
    None,
    /// It was sent; nothing tells whether it was taken.
    Sent,
    /// It was sent, and the server went on.
    Taken,
    /// It was sent, and the server refused with this alert.
    Refused(String),
    /// It was sent, and the server closed without a word.
    HungUp,
}

/// Why a client would refuse a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFault {
    /// Made for other names than the one asked for.
    Name,
    /// No longer valid.
    Expired,
    /// Not yet valid.
    NotYetValid,
    /// The root that it leads to has ended.
    RootExpired,
    /// The certificate of its issuer was neither sent nor is it a trusted root.
    NoIssuer,
    /// The server does not send an intermediate. Windows clients fetch it from an address that the certificate names.
    Incomplete,
    /// No chain to a root this host or the site file trusts.
    Untrusted,
    /// Not for server authentication.
    Purpose,
    /// Windows takes it, modern libraries do not.
    Weak,
    /// Whether Windows takes it cannot be computed here, or is not known.
    Undecided,
    /// Its revocation list names it.
    Revoked,
    /// Its revocation list is named by LDAP addresses only, which nobody answers on the Internet.
    ListByLdapOnly,
    /// Its revocation list is named by addresses that no client follows: HTTPS, or none of HTTP.
    ListByHttpsOnly,
    /// It comes with more certificates, or a longer list of authorities, than clients read of one message.
    TooLarge,
    /// Any other fault, in words.
    Other(String),
}

words! {
    /// Whether somebody put his own certificate in a service's place, in a word.
    Intercepted {
        /// Nobody did.
        No = "no",
        /// Somebody did.
        Proved = "proved",
        /// Something speaks against the certificate, and proves nothing.
        Suspected = "suspected",
        /// It cannot be told.
        Undecided = "undecided",
    }
}

/// Whether somebody put his own certificate in a service's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interception {
    /// Whether it is.
    pub is: Intercepted,
    /// The issuer of the certificate, where it is proved or suspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In words, what shows it.
    pub because: Cow<'static, str>,
}

impl CertificateFault {
    /// Whether Windows clients take the certificate all the same, or may: what is said inside TLS counts then.
    pub fn is_light(&self) -> bool {
        matches!(self, Self::Weak | Self::Incomplete | Self::Undecided)
    }
}
