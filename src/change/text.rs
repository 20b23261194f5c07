//! A change as text: what differs, opens and closes, then the steps in order, then the clients that learn of nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::document::{ChangeDocument, Elsewhere, Leads, Moves, Staying, Step};
use crate::diagnostic::visible;
use crate::plan::FlowEntry;
use crate::product::{At, Confidence, Gives, Stage};

/// No more than what was compared.
const NOTHING_DIFFERS: &str = "nothing differs of what is compared.
Compared were the site, zones, firewalls and systems, the flows that they need, and where those lead. How flows are tried,
proxies on the way out, exceptions and pins were not.
";

/// The change as text.
pub fn text(change: &ChangeDocument) -> String {
    let mut out = format!(
        "Site {}, from {} to {}: ",
        visible(&change.site.code),
        visible(&change.against_file),
        visible(&change.file)
    );
    if change.is_empty() {
        out += NOTHING_DIFFERS;
        return out;
    }
    let _ = writeln!(
        out,
        "{} to open, {} to close, {} needed otherwise, {} led elsewhere. No packet was sent.",
        count(change.opens.len()),
        count(change.closes.len()),
        count(change.stays.len()),
        count(change.elsewhere.len())
    );
    out += &differs(change);
    out += &flows("Opens", change.opens.iter().map(|it| (&it.flow, it.of, "")));
    let fate = |forbidden| match forbidden {
        true => "the new file forbids it",
        false => "the new file no longer speaks of it",
    };
    let closes = change.closes.iter();
    out += &flows(
        "Closes",
        closes.map(|it| (&it.flow, it.of, fate(it.forbidden))),
    );
    out += &stays(&change.stays);
    out += &elsewhere(&change.elsewhere);
    for remark in &change.remarks {
        let _ = writeln!(out, "\nnote: {}", visible(remark));
    }
    out += &steps(&change.steps);
    out += &clients(change);
    out
}

fn count(flows: usize) -> String {
    match flows {
        1 => "1 flow".to_string(),
        many => format!("{many} flows"),
    }
}

fn title(words: &str) -> String {
    format!("\n{words}\n{}\n", "=".repeat(words.chars().count()))
}

fn differs(change: &ChangeDocument) -> String {
    if change.settings.is_empty() {
        return String::new();
    }
    let mut out = title("What differs");
    for it in &change.settings {
        let of = it.system.as_ref().map(|system| format!("{system}: "));
        let said = |value: &str| match value {
            "" => "nothing".to_string(),
            value => visible(value),
        };
        let _ = writeln!(
            out,
            "  {}{}: {} -> {}",
            of.unwrap_or_default(),
            it.setting,
            said(&it.old),
            said(&it.new)
        );
    }
    out
}

/// Flows by what they cross.
fn flows<'a>(head: &str, all: impl Iterator<Item = (&'a FlowEntry, Moves, &'a str)>) -> String {
    let mut groups: BTreeMap<(bool, String), String> = BTreeMap::new();
    for (flow, of, fate) in all {
        let group = groups.entry(way(flow)).or_default();
        *group += &line(flow, of, fate);
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut out = title(head);
    for ((_, way), lines) in groups {
        let _ = write!(out, "\n  {way}\n{lines}");
    }
    out
}

fn way(flow: &FlowEntry) -> (bool, String) {
    let to = flow.to.zone.as_ref().unwrap_or(&flow.to.system);
    match flow.crosses.is_empty() {
        false => (
            false,
            format!(
                "Through {}: {} to {to}",
                flow.crosses.join(", then "),
                flow.from.zone
            ),
        ),
        true if *to == flow.from.zone => (true, format!("Inside {to} (crosses no firewall)")),
        true => (true, format!("From {} to {to}", flow.from.zone)),
    }
}

fn line(flow: &FlowEntry, of: Moves, fate: &str) -> String {
    let host = flow.to.name.iter().chain(&flow.to.addresses);
    let host: Vec<&str> = host.map(String::as_str).collect();
    let source = flow.from.system.as_ref().unwrap_or(&flow.from.zone);
    let mut out = format!(
        "    {:<9} {}  ({}, {of})\n",
        flow.need, flow.id, flow.protocol
    );
    let _ = writeln!(
        out,
        "              {source} -> {}: {}",
        visible(&host.join(", ")),
        flow.service()
    );
    let _ = writeln!(out, "              why: {}", visible(&flow.why));
    if !fate.is_empty() {
        let _ = writeln!(out, "              now: {fate}");
    }
    out
}

fn stays(all: &[Staying]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut out = title("Stays open, for other reasons");
    for it in all {
        let of = |needed: &super::document::Needed| {
            format!(
                "{} ({}) by {}",
                needed.need,
                needed.protocol,
                needed.rules.join(", ")
            )
        };
        let _ = writeln!(out, "  {}: {} -> {}", it.id, of(&it.old), of(&it.new));
    }
    out
}

fn elsewhere(all: &[Elsewhere]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut out = title("Leads elsewhere");
    for it in all {
        let (old, new) = leads(&it.old, &it.new);
        let _ = writeln!(out, "  {}: {} -> {}", it.id, visible(&old), visible(&new));
    }
    out
}

/// What two ways differ in, in words: that of the old file, and that of the new.
fn leads(old: &Leads, new: &Leads) -> (String, String) {
    let words = old.words().into_iter().zip(new.words());
    let (old, new): (Vec<String>, Vec<String>) = words.filter(|(old, new)| old != new).unzip();
    (old.join("; "), new.join("; "))
}

impl Leads {
    /// The same things in the same places, whatever the file says.
    fn words(&self) -> Vec<String> {
        let some = |all: &[String], none: &str| match all.is_empty() {
            true => none.to_string(),
            false => all.join(", "),
        };
        vec![
            format!("from {}", self.from),
            format!("by {}", some(&self.from_addresses, "an address not given")),
            format!(
                "in {}",
                self.to.zone.as_deref().unwrap_or("no zone of the file")
            ),
            self.to
                .name
                .clone()
                .unwrap_or_else(|| "no name".to_string()),
            some(&self.to.addresses, "no address given"),
            match self.own_port {
                Some(port) => format!("own port {port}"),
                None => "own port the same".to_string(),
            },
            match self.ipsec {
                true => "inside IPsec".to_string(),
                false => "not inside IPsec".to_string(),
            },
            format!("through {}", some(&self.crosses, "no firewall")),
        ]
    }
}

fn steps(all: &[Step]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut out = title("In this order");
    let mut stage = None;
    for step in all {
        if stage != Some(step.stage) {
            stage = Some(step.stage);
            let _ = writeln!(out, "\n  {}", stage_words(step.stage));
        }
        let at = match step.places.is_empty() {
            true => String::new(),
            false => format!(" {}", step.places.join(", ")),
        };
        let _ = writeln!(
            out,
            "  {:>2}. {}{}: {}",
            step.number,
            place_words(step.at),
            visible(&at),
            visible(&step.text)
        );
        let _ = writeln!(out, "      why: {}", visible(&step.why));
        if !step.flows.is_empty() {
            let _ = writeln!(out, "      flows: {}", visible(&step.flows.join(", ")));
        }
        let _ = writeln!(
            out,
            "      source: {}",
            visible(&source(step.confidence, step.source.as_deref()))
        );
    }
    out
}

fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Open => "Open the new numbers",
        Stage::Listen => "Listen on both",
        Stage::Move => "Move the clients",
        Stage::Close => "Close the old numbers",
    }
}

fn place_words(at: At) -> &'static str {
    match at {
        At::Firewall => "firewall",
        At::Proxy => "proxy",
        At::WebServer => "web server",
        At::UpdatePoint | At::SharedUpdatePoint => "update point",
        At::Console => "console",
        At::Clients => "clients",
        At::Prober => "here",
        At::Site => "all over the site",
    }
}

/// What stands behind a statement, as a plan says it.
fn source(confidence: Confidence, source: Option<&str>) -> String {
    let source = source.unwrap_or_default();
    match confidence {
        Confidence::Documented => source.to_string(),
        Confidence::LaterVersion => format!("{source} (documented for later versions)"),
        Confidence::Derived => format!("follows from: {source}"),
        Confidence::Unconfirmed => "not confirmed by any document".to_string(),
    }
}

fn clients(change: &ChangeDocument) -> String {
    if change.cannot_learn.is_empty() {
        return String::new();
    }
    let mut out = title("Clients that do not learn of it by themselves");
    for it in &change.cannot_learn {
        let _ = writeln!(
            out,
            "  {} ({}) [{}]",
            visible(&it.who),
            match it.shown {
                true => "this site has clients in the Internet zone",
                false => "the site file does not tell whether there are any",
            },
            visible(&source(it.confidence, it.source.as_deref()))
        );
    }
    if change.properties.is_empty() {
        return out;
    }
    out += "\n  Properties that they are installed with:\n";
    for it in &change.properties {
        let _ = writeln!(
            out,
            "    {}={}{} [{}]",
            it.name,
            visible(&it.values.join(" or ")),
            match it.changes {
                true => "  (changes)",
                false if it.gives == Gives::InternetOnly => {
                    "  (only where a client never is in the intranet)"
                }
                false => "",
            },
            visible(&source(it.confidence, it.source.as_deref()))
        );
    }
    out
}
