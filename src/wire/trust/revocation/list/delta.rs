//! A list of what changed since another one, the base list (RFC 5280 sections 5.2.4 and 6.3.3).
//!
//! A client needs both. The two go together when one key of one authority signed them, for the same certificates. The
//! changes must begin no later than the base list ends: then no change falls between them.

use x509_parser::extensions::{DistributionPointName, ParsedExtension};
use x509_parser::prelude::X509Extension;

use super::frame::Number;
use super::{ListFacts, addresses};

/// Of which certificates a list speaks, and whose key signed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Users only, authorities only, attribute certificates only; of other authorities too.
    kinds: [bool; 4],
    /// The reasons, where it speaks of some only.
    reasons: Option<u16>,
    /// The addresses of its distribution point.
    points: Vec<String>,
    /// The identifier of the key.
    key: Option<Vec<u8>>,
}

/// Why a list of changes does not go with a base list. The order of the variants is that of their weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mismatch {
    /// It is a complete list.
    Complete,
    /// It speaks of other certificates, or another key signed it.
    OtherScope,
    /// It begins after the base list ends: what changed in between stands in neither.
    LaterBase {
        /// The number of the list since which it holds the changes.
        since: Number,
        /// That of the base list.
        base: Number,
    },
    /// It is older than the base list, which holds all that it says.
    Older {
        /// Its number.
        number: Number,
        /// That of the base list.
        base: Number,
    },
    /// The one or the other has no number, so that nobody can tell.
    Unnumbered,
    /// They name different distribution points; whether Windows minds is not known.
    OtherPoint,
}

impl Scope {
    pub(super) fn of(extensions: &[X509Extension<'_>]) -> Self {
        let mut scope = Self::default();
        for extension in extensions {
            match extension.parsed_extension() {
                ParsedExtension::IssuingDistributionPoint(point) => {
                    scope.kinds = [
                        point.only_contains_user_certs,
                        point.only_contains_ca_certs,
                        point.only_contains_attribute_certs,
                        point.indirect_crl,
                    ];
                    scope.reasons = point.only_some_reasons.as_ref().map(|some| some.flags);
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        scope.points = addresses(names);
                    }
                }
                ParsedExtension::AuthorityKeyIdentifier(key) => {
                    scope.key = key.key_identifier.as_ref().map(|key| key.0.to_vec());
                }
                _ => {}
            }
        }
        scope
    }

    fn is_like(&self, other: &Self) -> bool {
        let keys = [&self.key, &other.key];
        let one_key = keys.contains(&&None) || self.key == other.key;
        one_key && (self.kinds, self.reasons) == (other.kinds, other.reasons)
    }
}

/// Everything that keeps a list of changes from going with a base list, the worst first.
pub(crate) fn mismatches(delta: &ListFacts, base: &ListFacts) -> Vec<Mismatch> {
    if !delta.delta {
        return vec![Mismatch::Complete];
    }
    let mut found = Vec::new();
    if !delta.scope.is_like(&base.scope) {
        found.push(Mismatch::OtherScope);
    }
    match (&delta.base_number, &delta.number, &base.number) {
        (Some(since), _, Some(base)) if since > base => found.push(Mismatch::LaterBase {
            since: since.clone(),
            base: base.clone(),
        }),
        (Some(_), Some(number), Some(base)) if number < base => found.push(Mismatch::Older {
            number: number.clone(),
            base: base.clone(),
        }),
        (Some(_), Some(_), Some(_)) => {}
        (None, _, _) | (_, None, _) | (_, _, None) => found.push(Mismatch::Unnumbered),
    }
    if delta.scope.points != base.scope.points {
        found.push(Mismatch::OtherPoint);
    }
    found
}
