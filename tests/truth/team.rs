//! Who is said to have to act, of a required flow that fails: no team may be sent that can do nothing.

use crate::program::Said;
use crate::scene::{Device, Icmp, Ill, Need};
use crate::truth::{Fate, Truth};

const FIREWALL: &str = "firewall";
const SERVER: &str = "server";

/// The false claim, in words.
pub(crate) fn false_one(truth: &Truth, said: &Said) -> Option<String> {
    let failed = ["blocked", "down", "wrong"].contains(&said.verdict.as_str());
    let owner = said.owner.as_deref().filter(|_| failed)?;
    // The word of a router on a dead host, and its twin by rule: the verdict is judged, and the team follows it.
    let follows = ["host-dead", "host-unreachable", "no-answer"].contains(&said.cause.as_str())
        && matches!(
            truth.fate,
            Fate::Dead { .. } | Fate::Rejected(_, Icmp::HostUnreachable)
        );
    let wrong =
        truth.need == Need::Required && !follows && cannot_help(truth.fate).contains(&owner);
    wrong.then(|| format!("the {owner} team is sent, and it is {:?}", truth.fate))
}

/// Who can do nothing alone. That both shall look (`server-then-firewall`) is never false.
fn cannot_help(fate: Fate) -> &'static [&'static str] {
    match fate {
        Fate::Serves(_) | Fate::Closed | Fate::Members(Ill::Refuses | Ill::Unavailable) => {
            &[FIREWALL]
        }
        Fate::Rejected(Device::Host, _) | Fate::Dead { .. } => &[FIREWALL],
        Fate::Dropped(_) | Fate::Hole(..) | Fate::Reset(_) | Fate::Rejected(..) | Fate::Split => {
            &[SERVER]
        }
        // The host's own firewall may be either team's; who fronts a host is whoever owns the device.
        Fate::HiddenByHost | Fate::Fronted(..) | Fate::Void => &[],
    }
}
