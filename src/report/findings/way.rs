//! What the way shows, in words: who sent a reset or a rejection, and where silent packets are dropped.

use crate::observation::{HopResult, ResetBy};
use crate::report::document::{Evidence, Hop, Path, Rejected, ReportFlow};

/// Who sent a reset, and what shows it.
pub(super) fn reset(evidence: &Evidence, to: &str) -> String {
    let mut text = format!("reset by {}{to}", who(evidence.reset_by));
    for more in evidence.distance.iter().chain(&evidence.likely) {
        text += &format!("; {more}");
    }
    text
}

fn who(reset_by: Option<ResetBy>) -> &'static str {
    match reset_by {
        Some(ResetBy::Host) => "the host itself",
        Some(ResetBy::Device) => "a device on the way",
        Some(ResetBy::Either) | None => "the host or a device on the way",
    }
}

pub(super) fn rejected(flow: &ReportFlow) -> String {
    let Some(rejected) = &flow.evidence.rejected else {
        return "rejected".to_string();
    };
    let firewall = rejected
        .firewall
        .as_ref()
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    if let Some(words) = in_its_name(flow, rejected) {
        return words;
    }
    match &rejected.by {
        Some(by) if rejected.by_the_host => format!(
            "{by}, {} itself, said {}",
            flow.flow.to.system, rejected.says
        ),
        Some(by) => format!(
            "{by}{firewall}, which is not {}, said {}",
            flow.flow.to.system, rejected.says
        ),
        None => format!(
            "something on the way said {} (this system tells neither code nor sender)",
            rejected.says
        ),
    }
}

/// A rejection that bears the address of the system and is not, or not surely, its own.
fn in_its_name(flow: &ReportFlow, rejected: &Rejected) -> Option<String> {
    let (system, says) = (&flow.flow.to.system, &rejected.says);
    let by = rejected.by.as_deref()?;
    let device = translator_words(flow);
    match rejected.sender? {
        ResetBy::Device => Some(format!("{device}, said {says} in the name of {by}")),
        ResetBy::Either => Some(format!("{system} itself, or {device}, said {says} as {by}")),
        ResetBy::Host => None,
    }
}

/// The device that translates for the system of a flow. It writes its address into the words of the devices behind it, so
/// where there are any, only a named sender is surely the translating one.
pub(super) fn translator_words(flow: &ReportFlow) -> String {
    let (evidence, system) = (&flow.evidence, &flow.flow.to.system);
    let Some(translated) = &evidence.translated else {
        return format!("a device that translates for {system}");
    };
    let name = translated.firewall.as_deref().unwrap_or("the device");
    let is_named = evidence.rejected.iter().any(|it| it.firewall.is_some());
    let behind = match is_named || flow.flow.crosses.len() <= 1 {
        true => "",
        false => ", or a device behind it",
    };
    format!(
        "{name} at hop {}, which translates for {system}{behind}",
        translated.hop
    )
}

/// Where silent packets are dropped, or at which hop an answer came.
pub(super) fn path_words(path: &Path, system: &str) -> String {
    let Some(dropped) = &path.dropped else {
        return answered_after(path);
    };
    let after = match (&dropped.after, &dropped.before) {
        (Some(hop), _) => format!(
            "dropped at or after {}, the last to answer",
            hop_words(hop, system)
        ),
        (None, Some(_)) => "dropped before any hop answers".to_string(),
        (None, None) => "no hop on the way answers, so the place is not known".to_string(),
    };
    let before = match (&dropped.before, dropped.distance) {
        (Some(hop), _) => format!(
            ", and no later than {}, which answers a flow that works",
            hop_words(hop, system)
        ),
        (None, Some(distance)) => format!(", before {system} (hop {distance})"),
        (None, None) => String::new(),
    };
    let own = dropped
        .host
        .then(|| format!("{system}'s own firewall"))
        .into_iter();
    // TCP is not told what this host's own firewall drops on the way out.
    let leaves = dropped.after.is_some() || dropped.before.as_ref().is_none_or(|hop| hop.hop > 1);
    let here = (!leaves).then(|| "this host's own firewall".to_string());
    let suspects: Vec<String> = dropped.by.iter().cloned().chain(own).chain(here).collect();
    let by = if dropped.by.is_empty() {
        String::new()
    } else {
        format!(": by {}", suspects.join(" or "))
    };
    format!("; {after}{before}{by}")
}

fn hop_words(hop: &Hop, system: &str) -> String {
    if hop.translates {
        let name = hop.firewall.as_deref().unwrap_or("a device");
        return format!("hop {}, {name}, which translates for {system}", hop.hop);
    }
    let by = hop.by.as_deref().unwrap_or("a silent device");
    match &hop.firewall {
        Some(firewall) => format!("{by} (hop {}, {firewall})", hop.hop),
        None => format!("{by} (hop {})", hop.hop),
    }
}

fn answered_after(path: &Path) -> String {
    let silent = path
        .hops
        .iter()
        .filter(|hop| hop.result == HopResult::Silent)
        .count();
    let hidden = if silent > 0 {
        format!(", {silent} of them unknown")
    } else {
        String::new()
    };
    match path.hops.last() {
        Some(hop) if matches!(hop.result, HopResult::Open | HopResult::Reset) => {
            format!("; answered after {} hops{hidden}", hop.hop)
        }
        _ => String::new(),
    }
}
