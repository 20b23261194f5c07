//! For tests: every value of what may be seen, but for the words that others choose.

use super::{CertificateFault, DeltaFault, ListFault, ResolverError, Service, Unresolved};

/// Why a name has no address.
pub(crate) const UNRESOLVED: [Unresolved; 7] = [
    Unresolved::NoSuchName,
    Unresolved::ResolverSilent,
    Unresolved::ResolverError(ResolverError::Refused),
    Unresolved::ResolverError(ResolverError::Failed),
    Unresolved::ResolverError(ResolverError::Absent),
    Unresolved::NotAsked,
    Unresolved::NoNameHere,
];

/// What may be wrong with a certificate; `Other` has words of its own.
pub(crate) const CERTIFICATE_FAULTS: [CertificateFault; 14] = [
    CertificateFault::Name,
    CertificateFault::Expired,
    CertificateFault::NotYetValid,
    CertificateFault::RootExpired,
    CertificateFault::NoIssuer,
    CertificateFault::Incomplete,
    CertificateFault::Untrusted,
    CertificateFault::Purpose,
    CertificateFault::Weak,
    CertificateFault::Undecided,
    CertificateFault::Revoked,
    CertificateFault::ListByLdapOnly,
    CertificateFault::ListByHttpsOnly,
    CertificateFault::TooLarge,
];

/// What may be wrong with a revocation list; `Missing` has a number of its own.
pub(crate) const LIST_FAULTS: [ListFault; 8] = [
    ListFault::Invalid,
    ListFault::TooLarge,
    ListFault::Expired,
    ListFault::NotYetValid,
    ListFault::Redirected,
    ListFault::Delta(DeltaFault::Invalid),
    ListFault::Delta(DeltaFault::Expired),
    ListFault::Delta(DeltaFault::Missing),
];

/// What a service may have said, but for words, numbers, certificates and lists.
pub(crate) const SERVICES: [Service; 16] = [
    Service::NotAsked,
    Service::Spoke,
    Service::Listener,
    Service::Mute,
    Service::HungUp,
    Service::ResetAtOnce,
    Service::HungUpInHandshake,
    Service::NotTls,
    Service::TlsTooOld,
    Service::TlsOnlyWithoutName,
    Service::Foreign,
    Service::Intercepted,
    Service::NotHttp,
    Service::InterimOnly,
    Service::WantsCertificate,
    Service::ConnectedToItself,
];
