//! What a site asks of HTTP: the verbs and headers that devices must pass, and the answers that prove a role.

use serde::Deserialize;

use super::{Confidence, Need, Role, Verb, read};
use crate::words::words;

/// What firewalls and proxies must let through to a role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passes {
    /// Kebab-case, unique.
    pub id: String,
    /// The role.
    pub role: Role,
    /// Verbs.
    #[serde(default)]
    pub verbs: Vec<Verb>,
    /// Headers, each with a harmless value to try it with.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// What it asks for.
    pub need: Need,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

/// A header of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "HeaderWritten")]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A header as a catalogue has it: with a value, or with the length of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderWritten {
    name: String,
    value: Option<String>,
    length: Option<u16>,
}

impl From<HeaderWritten> for Header {
    /// Both or none leave the value empty, and then nothing is tried.
    fn from(written: HeaderWritten) -> Self {
        let value = match (written.value, written.length) {
            (Some(value), None) => value,
            // Signatures are long: devices limit the size of headers.
            (None, Some(length)) => "0".repeat(length.into()),
            _ => String::new(),
        };
        Self {
            name: written.name,
            value,
        }
    }
}

/// A path whose answers tell whether a role is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Kebab-case, unique.
    pub id: String,
    /// The role.
    pub role: Role,
    /// How it is asked: GET or HEAD.
    pub verb: Verb,
    /// The path, with its query.
    pub path: String,
    /// The drives for whose letters `{drive}` stands in the path, where the site file names none; none: it has no place
    /// for one.
    #[serde(default, deserialize_with = "read::later")]
    pub drives: Vec<char>,
    /// What answers mean; the first that fits counts.
    pub answers: Vec<Expected>,
    /// How sure it is. One that is unconfirmed neither proves nor disproves.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

/// Where the letter of a drive stands in a path.
pub(super) const DRIVE: &str = "{drive}";

impl Fingerprint {
    /// As it is asked. Where the path bears the letter of a drive, it is asked once for each drive: those that are
    /// `named`, or else the catalogue's.
    pub fn on_drives(&self, named: &[char]) -> Vec<Self> {
        let drives = match named.is_empty() {
            true => &self.drives[..],
            false => named,
        };
        match self.drives.is_empty() {
            true => vec![self.clone()],
            false => drives.iter().map(|letter| self.on_drive(*letter)).collect(),
        }
    }

    fn on_drive(&self, letter: char) -> Self {
        Self {
            id: format!("{}-{}", self.id, letter.to_ascii_lowercase()),
            path: self.path.replace(DRIVE, &letter.to_string()),
            drives: Vec::new(),
            ..self.clone()
        }
    }
}

/// An answer that a role gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Any of these statuses.
    pub status: Vec<u16>,
    /// Text that the body holds.
    pub body: Option<String>,
    /// What it means.
    pub means: Meaning,
}

words! {
    /// What an answer says of a role.
    Meaning {
        /// The role is there: nothing else answers so.
        Proves = "proves",
        /// The path is there: the role's, when a path that names nothing is answered otherwise.
        Exists = "exists",
        /// Something is there.
        Alive = "alive",
        /// The role is not there.
        Disproves = "disproves",
    }
}
