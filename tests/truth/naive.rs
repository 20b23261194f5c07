//! The naive reading: one `connect()` for each flow, and what everybody makes of its outcome.

use serde_json::json;

use crate::ground;
use crate::scene::{Behind, Drops, Ill, Manner, Need, Scene, Way};
use crate::support::bed::Bed;
use crate::truth::{Fate, Truth};

const CONNECT: &str = include_str!("naive.py");

/// What `connect()` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Open,
    Refused,
    /// A time-out, or any other error.
    Other,
}

/// One `connect()` for each flow of a scene, in the order of its hosts and flows.
pub(crate) fn read(bed: &Bed, scene: &Scene, seconds: &str) -> Vec<Word> {
    let targets: Vec<_> = scene
        .flows()
        .map(|(host, flow)| json!([scene.asked_at(host), flow.port]))
        .collect();
    let input = json!(targets).to_string();
    let words = bed.ask_python(ground::prober(scene), CONNECT, &[seconds], &input);
    let words = words.as_array().expect("a list").iter();
    words
        .map(|word| match word.as_str() {
            Some("open") => Word::Open,
            Some("refused") => Word::Refused,
            _ => Word::Other,
        })
        .collect()
}

/// Whether the naive conclusion holds: open is open, refused is a closed port of the host, all else is blocked.
pub(crate) fn is_right(truth: &Truth, word: Word) -> bool {
    match truth.fate {
        Fate::Serves(_) | Fate::Fronted(_, Behind::Open, _) => word == Word::Open,
        // That a refusal came is all that a forbidden flow needs, whoever sent it.
        Fate::Closed => word == Word::Refused,
        Fate::Reset(_) | Fate::Rejected(..) => {
            word == Word::Other || (word == Word::Refused && truth.need == Need::Forbidden)
        }
        Fate::HiddenByHost | Fate::Dropped(_) => word == Word::Other,
        // Nothing blocks the way to a dead host: it is neither blocked nor kept closed.
        Fate::Dead { .. } => false,
        // Right by luck: it would say the same with its own cable unplugged.
        Fate::Void => word == Word::Other,
        Fate::Fronted(..) => word != Word::Open,
        // Open on one try says nothing of the other path, and so does silence.
        Fate::Split | Fate::Members(Ill::Refuses) => {
            word == Word::Open && truth.need == Need::Forbidden
        }
        // An open port is all that a connection tells.
        Fate::Hole(_, way, drops) => {
            word == Word::Open
                && (truth.need == Need::Forbidden || (way, drops) == (Way::There, Drops::Large))
        }
        // That a server answers 503 is nothing that a connection tells.
        Fate::Members(Ill::Unavailable) => word == Word::Open && truth.need == Need::Forbidden,
    }
}

/// Whether the wire can have shown this, without any loss: a check of the bed itself.
pub(crate) fn is_possible(truth: &Truth, word: Word) -> bool {
    match truth.fate {
        // The handshake ends before the reset comes, or does not.
        Fate::Serves(Manner::Resets) => word != Word::Refused,
        Fate::Serves(_) => word == Word::Open,
        Fate::Fronted(..) => word == Word::Open || (truth.is_reset_behind() && word != Word::Open),
        Fate::Closed | Fate::Reset(_) => word == Word::Refused,
        // ICMP is refused, other or, where it is limited, silence.
        Fate::Rejected(..) => word != Word::Open,
        Fate::HiddenByHost | Fate::Dropped(_) | Fate::Dead { .. } | Fate::Void => {
            word == Word::Other
        }
        Fate::Split => word != Word::Refused,
        Fate::Members(Ill::Refuses) => word != Word::Other,
        Fate::Members(Ill::Unavailable) | Fate::Hole(..) => word == Word::Open,
    }
}
