//! What a service that is no web server said of itself, and what became of the ports that an endpoint mapper named.

use super::Observation;

/// What a service said of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spoken {
    /// The word of its protocol.
    pub protocol: &'static str,
    /// Facts by name, in the order in which they matter.
    pub facts: Vec<(&'static str, String)>,
    /// The TCP ports that an endpoint mapper named, each with what it did.
    pub ports: Vec<RpcPort>,
}

impl Spoken {
    /// Whether it is a file server that chose SMB 1, though every later version was offered.
    pub fn is_smb_1(&self) -> bool {
        let chose = |(name, value): &(&'static str, String)| *name == "dialect" && value == "SMB 1";
        self.protocol == "smb" && self.facts.iter().any(chose)
    }
}

/// A port that an endpoint mapper named.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcPort {
    /// Port.
    pub port: u16,
    /// What listens behind it, as far as the mapper says.
    pub services: Vec<String>,
    /// What was seen of it, while the mapper's connection was open.
    pub seen: Observation,
}

/// What is known of a range of dynamic ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcRange {
    /// Every port of it that the mapper named speaks.
    Passes,
    /// The mapper answers, and ports of the range that it named do not.
    HalfOpen,
    /// The mapper named ports outside the ranges of the site file, and they do not answer.
    OutsideBlocked,
    /// The mapper named ports outside the ranges of the site file, and they answer.
    OutsideOpen,
    /// All that the mapper named lies in other ranges: nothing uses this one now.
    Unused,
    /// No mapper told which ports are in use, and none of a few that were tried spoke.
    NotLearnt,
}
