//! What an administrator holds, as text: codes, logs, words, and what the site file names.

use super::document::{
    CodeExplained, CodeSeen, Entry, FindingExplained, FirewallExplained, FlowToTry, LogExplained,
    PlaceSeen, RoleExplained, SystemExplained, TimesSeen, UnknownCode, VerdictExplained,
};
use super::sheet::Sheet;
use crate::diagnostic::counted;

pub(super) fn code(sheet: &mut Sheet, it: &CodeExplained) {
    sheet.heading(&it.code, &it.symbols.join(", "));
    about_code(sheet, it);
    for words in &it.client_logs {
        sheet.line("logged", words);
    }
}

fn about_code(sheet: &mut Sheet, it: &CodeExplained) {
    let others = it.numbers.iter().filter(|number| **number != it.code);
    let others: Vec<&str> = others.map(String::as_str).collect();
    sheet.line("also written", &others.join(", "));
    sheet.line("facility", it.facility.as_deref().unwrap_or_default());
    match &it.means {
        Some(means) => sheet.line("means", means),
        None => sheet.line("means", "not known here; the number alone says no more"),
    }
    if let Some(known) = &it.known {
        sheet.known(known);
    }
    for to in &it.points_to {
        let causes: Vec<&str> = to.causes.iter().map(|cause| cause.name()).collect();
        sheet.line(&to.when, &format!("a check says {}", causes.join(", ")));
    }
    if it.means.is_some() && it.points_to.is_empty() {
        sheet.line("flows", "it says nothing of a flow");
    }
}

pub(super) fn log(sheet: &mut Sheet, it: &LogExplained) {
    let entries = match it.entries.count {
        1 => "1 entry".to_string(),
        count => format!("{count} entries"),
    };
    let codes = counted(it.codes.len() + it.unknown.len(), "code");
    sheet.heading(&it.log, &format!("{entries}{}, {codes}", span(&it.entries)));
    if !it.about.is_empty() {
        let source = it.about_source.as_deref().unwrap_or_default();
        sheet.line("is about", &format!("{} ({source})", it.about.join(", ")));
    }
    if it.site_file.is_none() {
        sheet.line("flows", "no site file was read, and so none are named");
    }
    for code in &it.codes {
        seen(sheet, code);
    }
    if !it.unknown.is_empty() {
        sheet.part("Not known here");
        for code in &it.unknown {
            unknown(sheet, code);
        }
    }
    if it.codes_left_out > 0 {
        let text = format!("{} more have codes that are left out", it.codes_left_out);
        sheet.line("entries", &text);
    }
}

/// From when to when, where that is known.
fn span(times: &TimesSeen) -> String {
    match (&times.first, &times.last) {
        (Some(first), Some(last)) if first != last => format!(", {first} to {last}"),
        (Some(first), _) => format!(", {first}"),
        (None, _) => String::new(),
    }
}

fn seen(sheet: &mut Sheet, it: &CodeSeen) {
    sheet.0.gap();
    let symbol = it.code.symbols.first().map(|symbol| format!("{symbol}, "));
    let times = counted_times(&it.seen);
    sheet.heading(&it.code.code, &(symbol.unwrap_or_default() + &times));
    about_code(sheet, &it.code);
    for place in &it.places {
        seen_place(sheet, place);
    }
    if it.places_left_out > 0 {
        let text = format!("{} more name hosts that are left out", it.places_left_out);
        sheet.line("entries", &text);
    }
    if !it.may_be.is_empty() {
        sheet.line("at", "no entry names a host; these flows may fail so");
        flows(sheet, &it.may_be, it.may_be_left_out);
    }
}

fn counted_times(times: &TimesSeen) -> String {
    format!(
        "{} time{}{}",
        times.count,
        if times.count == 1 { "" } else { "s" },
        span(times)
    )
}

fn seen_place(sheet: &mut Sheet, it: &PlaceSeen) {
    let port = it
        .port
        .map_or_else(String::new, |port| format!(", port {port}"));
    let system = match &it.system {
        Some(system) => format!(", {system} of the site file"),
        None => String::new(),
    };
    let times = match it.count {
        1 => "once".to_string(),
        count => format!("{count} times"),
    };
    sheet.line("at", &format!("{}{port}{system}: {times}", it.host));
    sheet.line("note", &it.note);
    flows(sheet, &it.flows, it.flows_left_out);
}

/// Each flow with what proves it; flows in a row with one command share its line.
fn flows(sheet: &mut Sheet, all: &[FlowToTry], left_out: usize) {
    for (number, flow) in all.iter().enumerate() {
        sheet.line("flow", &format!("{} ({})", flow.id, flow.need));
        let next = all.get(number + 1).map(|next| &next.check);
        if next != Some(&flow.check) {
            sheet.line("proved by", &flow.check);
        }
    }
    if left_out > 0 {
        sheet.line("flows", &format!("{left_out} more are left out"));
    }
}

fn unknown(sheet: &mut Sheet, it: &UnknownCode) {
    let facility = it.facility.as_deref().unwrap_or("none");
    let numbers = it.numbers.join(", ");
    let text = format!("facility {facility}, {}", counted_times(&it.seen));
    sheet.item(&format!("{numbers}:"), &text);
}

pub(super) fn verdict(sheet: &mut Sheet, it: &VerdictExplained) {
    sheet.heading(it.verdict.name(), &it.meaning);
    sheet.line(
        "more",
        "docs/verdicts.md says when a flow has it; each cause can be explained",
    );
    list(sheet, "In the report", &it.seen_at);
}

pub(super) fn finding(sheet: &mut Sheet, it: &FindingExplained) {
    let mut says = it.says.iter();
    sheet.heading(&it.finding, says.next().map_or("", String::as_str));
    for says in says {
        sheet.line("more", says);
    }
}

pub(super) fn role(sheet: &mut Sheet, it: &RoleExplained) {
    sheet.heading(&it.role, &it.does);
    sheet.line("systems", &it.systems.join(", "));
    let mut rules = |title: &str, entries: &[Entry]| {
        if !entries.is_empty() {
            sheet.part(title);
        }
        for entry in entries {
            sheet.item(&format!("{}:", entry.word), &entry.is);
        }
    };
    rules("Rules that lead to it", &it.rules_to);
    rules("Rules that start at it", &it.rules_from);
}

pub(super) fn system(sheet: &mut Sheet, it: &SystemExplained) {
    sheet.heading(&it.system, &format!("a system in {}", it.zone));
    let declared = &it.declared;
    sheet.line(
        "declared",
        &format!("{}:{}:{}", declared.file, declared.line, declared.column),
    );
    for known in &it.known_as {
        let zone = known.zone.as_deref().unwrap_or("every other zone");
        sheet.line(&format!("known to {zone} as"), &known.by.join(", "));
    }
    sheet.line("roles", &it.roles.join(", "));
    if let Some(zones) = &it.serves {
        sheet.line("serves", &zones.join(", "));
    }
    part(sheet, "Flows to it", &it.flows_to);
    part(sheet, "Flows from it", &it.flows_from);
    must_not_pass(sheet, it.forbidden);
}

pub(super) fn firewall(sheet: &mut Sheet, it: &FirewallExplained) {
    sheet.heading(
        &it.firewall,
        &format!("a firewall between {}", it.between.join(" and ")),
    );
    sheet.line("interfaces", &it.addresses.join(", "));
    sheet.line("box", it.device.as_deref().unwrap_or_default());
    part(sheet, "Flows through it", &it.flows);
    must_not_pass(sheet, it.forbidden);
}

fn part(sheet: &mut Sheet, title: &str, all: &[FlowToTry]) {
    if !all.is_empty() {
        sheet.part(title);
        flows(sheet, all, 0);
    }
}

fn must_not_pass(sheet: &mut Sheet, count: usize) {
    sheet.0.gap();
    let text = format!(
        "{} must not pass (portproof plan lists them)",
        counted(count, "flow")
    );
    sheet.line("closed", &text);
}

fn list(sheet: &mut Sheet, title: &str, words: &[String]) {
    if !words.is_empty() {
        sheet.part(title);
    }
    for word in words {
        sheet.item("-", word);
    }
}
