//! What a service that is no web server said of itself, and what became of the ports that an endpoint mapper named.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observation, few};
use crate::words::words;

/// What a service said of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spoken {
    /// The word of its protocol.
    pub protocol: Cow<'static, str>,
    /// Facts by name, in the order in which they matter.
    #[serde(with = "by_name")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub facts: Vec<(Cow<'static, str>, String)>,
    /// The TCP ports that an endpoint mapper named, each with what it did.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        default,
        deserialize_with = "few"
    )]
    pub ports: Vec<RpcPort>,
}

impl Spoken {
    /// What a service said of itself, without ports of others.
    pub fn of(
        protocol: &'static str,
        facts: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let named = |(name, value)| (Cow::Borrowed(name), value);
        Self {
            protocol: Cow::Borrowed(protocol),
            facts: facts.into_iter().map(named).collect(),
            ports: Vec::new(),
        }
    }

    /// Whether it is a file server that chose SMB 1, though every later version was offered.
    pub fn is_smb_1(&self) -> bool {
        let chose = |(name, value): &(Cow<'_, str>, String)| name == "dialect" && value == "SMB 1";
        self.protocol == "smb" && self.facts.iter().any(chose)
    }
}

/// A port that an endpoint mapper named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RpcPort {
    /// Port.
    pub port: u16,
    /// What listens behind it, as far as the mapper says.
    pub services: Vec<String>,
    /// What was seen of it, while the mapper's connection was open.
    pub seen: Observation,
}

words! {
    /// What is known of a range of dynamic ports.
    RpcRange {
        /// Every port of it that the mapper named speaks.
        Passes = "passes",
        /// The mapper answers, and ports of the range that it named do not.
        HalfOpen = "half-open",
        /// The mapper named ports outside the ranges of the site file, and they do not answer.
        OutsideBlocked = "outside-blocked",
        /// The mapper named ports outside the ranges of the site file, and they answer.
        OutsideOpen = "outside-open",
        /// All that the mapper named lies in other ranges: nothing uses this one now.
        Unused = "unused",
        /// No mapper told which ports are in use, and none of a few that were tried spoke.
        NotLearnt = "not-learnt",
    }
}

/// Facts as an object of a file, in their own order.
mod by_name {
    use std::borrow::Cow;
    use std::fmt;

    use serde::de::{Deserializer, MapAccess, Visitor};
    use serde::ser::Serializer;

    type Facts = Vec<(Cow<'static, str>, String)>;

    pub(super) fn serialize<S: Serializer>(facts: &Facts, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(facts.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Facts, D::Error> {
        from.deserialize_map(Named)
    }

    struct Named;

    impl<'de> Visitor<'de> for Named {
        type Value = Facts;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("facts by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
            let mut facts = Facts::new();
            while let Some((name, value)) = map.next_entry::<String, String>()? {
                facts.push((name.into(), value));
            }
            Ok(facts)
        }
    }
}
