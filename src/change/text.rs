//! A change as text, in lines that fit: what differs, opens and closes, then the steps in order, then the clients that learn
//! of nothing.

use std::collections::BTreeMap;

use super::document::{ChangeDocument, Elsewhere, Leads, Moves, Needed, Staying, Step};
use crate::diagnostic::visible;
use crate::paragraph::{Page, Width};
use crate::plan::FlowEntry;
use crate::product::{At, Confidence, Gives, Stage};

/// No more than what was compared.
const COMPARED: &str = "Compared were the site, zones, firewalls and systems, the flows that they need, and where those \
     lead. How flows are tried, proxies on the way out, exceptions and pins were not.";

/// How far what is said of a flow stands behind the flow.
const DETAIL: usize = 14;

/// The change as text.
pub fn text(change: &ChangeDocument, width: Width) -> String {
    let mut page = Page::new(width);
    let files = format!(
        "Site {}, from {} to {}: ",
        visible(&change.site.code),
        visible(&change.against_file),
        visible(&change.file)
    );
    if change.is_empty() {
        page.paragraph(0, format!("{files}nothing differs of what is compared."));
        page.block(COMPARED);
        return page.into_text();
    }
    page.paragraph(
        0,
        format!(
            "{files}{} to open, {} to close, {} needed otherwise, {} led elsewhere. No packet was sent.",
            count(change.opens.len()),
            count(change.closes.len()),
            count(change.stays.len()),
            count(change.elsewhere.len())
        ),
    );
    differs(&mut page, change);
    let opens = change.opens.iter().map(|it| (&it.flow, it.of, ""));
    flows(&mut page, "Opens", opens);
    let fate = |forbidden| match forbidden {
        true => "the new file forbids it",
        false => "the new file no longer speaks of it",
    };
    let closes = change.closes.iter();
    let closes = closes.map(|it| (&it.flow, it.of, fate(it.forbidden)));
    flows(&mut page, "Closes", closes);
    stays(&mut page, &change.stays);
    elsewhere(&mut page, &change.elsewhere);
    for remark in &change.remarks {
        page.gap();
        page.paragraph(0, format!("note: {}", visible(remark)));
    }
    steps(&mut page, &change.steps);
    clients(&mut page, change);
    page.into_text()
}

fn count(flows: usize) -> String {
    match flows {
        1 => "1 flow".to_string(),
        many => format!("{many} flows"),
    }
}

fn title(page: &mut Page, words: &str) {
    page.gap();
    page.title(words);
}

fn differs(page: &mut Page, change: &ChangeDocument) {
    if change.settings.is_empty() {
        return;
    }
    title(page, "What differs");
    for it in &change.settings {
        let of = it.system.as_ref().map(|system| format!("{system}: "));
        let said = |value: &str| match value {
            "" => "nothing".to_string(),
            value => visible(value),
        };
        let (of, setting) = (of.unwrap_or_default(), &it.setting);
        let (old, new) = (said(&it.old), said(&it.new));
        page.paragraph(2, format!("{of}{setting}: {old} -> {new}"));
    }
}

/// A flow that opens or closes, and what becomes of it.
type Moving<'a> = (&'a FlowEntry, Moves, &'a str);

/// Flows by what they cross.
fn flows<'a>(page: &mut Page, head: &str, all: impl Iterator<Item = Moving<'a>>) {
    let mut groups: BTreeMap<(bool, String), Vec<Moving<'a>>> = BTreeMap::new();
    for moving in all {
        groups.entry(way(moving.0)).or_default().push(moving);
    }
    if groups.is_empty() {
        return;
    }
    title(page, head);
    for ((_, way), flows) in groups {
        page.gap();
        page.paragraph(2, visible(&way));
        for moving in flows {
            flow(page, moving);
        }
    }
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

fn flow(page: &mut Page, (flow, of, fate): Moving<'_>) {
    let host = flow.to.name.iter().chain(&flow.to.addresses);
    let host: Vec<&str> = host.map(String::as_str).collect();
    let (host, service) = (visible(&host.join(", ")), flow.service());
    let source = flow.from.system.as_ref().unwrap_or(&flow.from.zone);
    let (need, id, protocol) = (flow.need, &flow.id, &flow.protocol);
    page.paragraph(4, format!("{need:<9} {id}  ({protocol}, {of})"));
    page.paragraph(DETAIL, format!("{source} -> {host}: {service}"));
    page.paragraph(DETAIL, format!("why: {}", visible(&flow.why)));
    if !fate.is_empty() {
        page.paragraph(DETAIL, format!("now: {fate}"));
    }
}

fn stays(page: &mut Page, all: &[Staying]) {
    if all.is_empty() {
        return;
    }
    title(page, "Stays open, for other reasons");
    for it in all {
        let of = |needed: &Needed| {
            let rules = needed.rules.join(", ");
            format!("{} ({}) by {rules}", needed.need, needed.protocol)
        };
        page.paragraph(2, format!("{}: {} -> {}", it.id, of(&it.old), of(&it.new)));
    }
}

fn elsewhere(page: &mut Page, all: &[Elsewhere]) {
    if all.is_empty() {
        return;
    }
    title(page, "Leads elsewhere");
    for it in all {
        let (old, new) = leads(&it.old, &it.new);
        page.paragraph(
            2,
            format!("{}: {} -> {}", it.id, visible(&old), visible(&new)),
        );
    }
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

fn steps(page: &mut Page, all: &[Step]) {
    if all.is_empty() {
        return;
    }
    title(page, "In this order");
    let mut stage = None;
    for step in all {
        if stage != Some(step.stage) {
            stage = Some(step.stage);
            page.gap();
            page.paragraph(2, stage_words(step.stage));
        }
        let at = match step.places.is_empty() {
            true => String::new(),
            false => format!(" {}", step.places.join(", ")),
        };
        let (number, place) = (step.number, place_words(step.at));
        let (at, words) = (visible(&at), visible(&step.text));
        page.paragraph(2, format!("{number:>2}. {place}{at}: {words}"));
        page.paragraph(6, format!("why: {}", visible(&step.why)));
        if !step.flows.is_empty() {
            page.paragraph(6, format!("flows: {}", visible(&step.flows.join(", "))));
        }
        let source = source(step.confidence, step.source.as_deref());
        page.paragraph(6, format!("source: {}", visible(&source)));
    }
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

fn clients(page: &mut Page, change: &ChangeDocument) {
    if change.cannot_learn.is_empty() {
        return;
    }
    title(page, "Clients that do not learn of it by themselves");
    for it in &change.cannot_learn {
        let whether = match it.shown {
            true => "this site has clients in the Internet zone",
            false => "the site file does not tell whether there are any",
        };
        let source = source(it.confidence, it.source.as_deref());
        let (who, source) = (visible(&it.who), visible(&source));
        page.paragraph(2, format!("{who} ({whether}) [{source}]"));
    }
    if change.properties.is_empty() {
        return;
    }
    page.gap();
    page.paragraph(2, "Properties that they are installed with:");
    for it in &change.properties {
        let when = match it.changes {
            true => "  (changes)",
            false if it.gives == Gives::InternetOnly => {
                "  (only where a client never is in the intranet)"
            }
            false => "",
        };
        let source = source(it.confidence, it.source.as_deref());
        let (values, source) = (visible(&it.values.join(" or ")), visible(&source));
        page.paragraph(4, format!("{}={values}{when} [{source}]", it.name));
    }
}
