//! What is explained, as text, in lines that fit.

use super::document::{
    About, CauseExplained, Entry, ExplainDocument, FlowExplained, Index, RuleExplained, SeenFlow,
    TopicExplained,
};
use super::sheet::Sheet;
use super::text_held as held;
use crate::paragraph::{Page, Width};
use crate::product::Need;
use crate::verdict::Owner;

/// As text with colours; the caller strips them where they are not wanted.
pub fn text(document: &ExplainDocument, width: Width) -> String {
    let mut sheet = Sheet(Page::new(width));
    match &document.about {
        About::Flow(it) => flow(&mut sheet, it),
        About::Cause(it) => cause(&mut sheet, it),
        About::Rule(it) => rule(&mut sheet, it),
        About::Topic(it) => topic(&mut sheet, it),
        About::Code(it) => held::code(&mut sheet, it),
        About::Log(it) => held::log(&mut sheet, it),
        About::Verdict(it) => held::verdict(&mut sheet, it),
        About::Finding(it) => held::finding(&mut sheet, it),
        About::Role(it) => held::role(&mut sheet, it),
        About::System(it) => held::system(&mut sheet, it),
        About::Firewall(it) => held::firewall(&mut sheet, it),
        About::Index(it) => index(&mut sheet, it),
    }
    sheet.0.into_text()
}

fn flow(sheet: &mut Sheet, it: &FlowExplained) {
    let entry = &it.flow;
    sheet.heading(&entry.id, entry.need.name());
    sheet.line("from", &from(it));
    sheet.line("to", &to(it));
    let crosses = match entry.crosses.is_empty() {
        true => "no firewall of the site file".to_string(),
        false => entry.crosses.join(", then "),
    };
    sheet.line("through", &crosses);
    if let Some(own) = entry.own_port {
        sheet.line(
            "leads to",
            &format!("port {own} of {}, by translation", entry.to.system),
        );
    }
    if entry.ipsec {
        sheet.line(
            "inside",
            "IPsec: on the way it is ESP, and only its own ends can try it",
        );
    }
    sheet.line("why", &entry.why);
    let without = match entry.need {
        Need::Forbidden => "when open",
        Need::Required | Need::Optional => "without it",
    };
    sheet.line(without, &entry.breaks);
    sheet.line("known", &it.sure);
    sheet.line("source", entry.source.as_deref().unwrap_or_default());
    let declared = &entry.declared;
    sheet.line(
        "declared",
        &format!("{}:{}:{}", declared.file, declared.line, declared.column),
    );
    sheet.line("tried with", &it.tried);
    sheet.line("proof", &it.proof);
    if let Some(exception) = &it.exception {
        let text = format!("accepted through {}: {}", exception.until, exception.why);
        sheet.line("exception", &text);
    }
    sheet.topics(&it.topics);
    if !it.reasons.is_empty() {
        sheet.part("Rules");
        for reason in &it.reasons {
            let need = reason.need.as_deref().unwrap_or("by the site file");
            sheet.item(
                &format!("{}:", reason.rule),
                &format!("{need}; {}. {}", reason.known.sure, reason.why),
            );
        }
    }
    if !it.client_logs.is_empty() {
        sheet.part("What clients log");
        for logs in &it.client_logs {
            for words in &logs.words {
                sheet.item(&format!("{}:", logs.when), words);
            }
        }
    }
    for seen in &it.seen {
        seen_flow(sheet, seen);
    }
}

fn from(it: &FlowExplained) -> String {
    let from = &it.flow.from;
    match &from.system {
        Some(system) => format!("{system} in {}, and nothing else there", from.zone),
        None => format!("anything in {}", from.zone),
    }
}

fn to(it: &FlowExplained) -> String {
    let to = &it.flow.to;
    let zone = to.zone.as_ref().map(|zone| format!(" in {zone}"));
    let seen_by: Vec<&str> = to
        .name
        .iter()
        .chain(&to.addresses)
        .map(String::as_str)
        .collect();
    let seen_by = match seen_by.is_empty() {
        true => String::new(),
        false => format!(" ({})", seen_by.join(", ")),
    };
    format!(
        "{}{}{seen_by}, {}, spoken: {}",
        to.system,
        zone.unwrap_or_default(),
        it.flow.service(),
        it.flow.protocol
    )
}

fn seen_flow(sheet: &mut Sheet, it: &SeenFlow) {
    let when = it
        .finished
        .as_deref()
        .unwrap_or("at a time that the report does not say");
    sheet.part(&format!("As the report saw it ({when})"));
    sheet.item(
        &format!("{}:", it.verdict.name().to_uppercase()),
        &format!("{}, state {}, level {}", it.cause, it.state, it.level),
    );
    sheet.line("meaning", it.meaning.as_deref().unwrap_or_default());
    sheet.line("seen", &it.evidence);
    sheet.line("owner", it.owner.map_or("", Owner::name));
    if let Some(accepted) = &it.accepted {
        sheet.line(
            "accepted",
            &format!("until {}: {}", accepted.until, accepted.why),
        );
    }
    if let Some(lapsed) = &it.lapsed {
        let text = format!("accepted until {} ({})", lapsed.until, lapsed.why);
        sheet.line("lapsed", &text);
    }
    for words in &it.client_logs {
        sheet.line("client", words);
    }
    sheet.line("do", &it.advice);
}

fn cause(sheet: &mut Sheet, it: &CauseExplained) {
    sheet.heading(it.cause.name(), &it.meaning);
    sheet.line("how it is known", &it.known_by);
    let owners = match it.owners.is_empty() {
        true => "nobody".to_string(),
        false => it.owners.join(", or "),
    };
    sheet.line("who has to act", &owners);
    sheet.line("what to do", &it.to_do);
    if !it.seen_at.is_empty() {
        sheet.part("In the report");
        for id in &it.seen_at {
            sheet.item("-", id);
        }
    }
}

fn rule(sheet: &mut Sheet, it: &RuleExplained) {
    sheet.heading(
        &it.rule,
        it.need.as_deref().unwrap_or("as the site file says"),
    );
    sheet.line("from", &it.from.join(", "));
    sheet.line("to", &it.to.join(", "));
    sheet.line("port", &it.ports.join("; "));
    let spoken: Vec<&str> = it
        .protocol
        .iter()
        .chain(&it.transport)
        .map(String::as_str)
        .collect();
    sheet.line("spoken", &spoken.join(" over "));
    sheet.line("holds when", &it.when.join(", "));
    sheet.line("why", &it.why);
    let without = match it.need.as_deref() {
        Some("forbidden") | None => "when open, or not as asked",
        Some(_) => "without it",
    };
    sheet.line(without, &it.breaks);
    sheet.known(&it.known);
    if !it.editions.is_empty() {
        sheet.part("Pages that do not agree");
        for edition in &it.editions {
            sheet.item("-", &format!("{}: {}", edition.page, edition.says));
        }
    }
    sheet.topics(&it.topics);
    if !it.flows.is_empty() {
        sheet.part("Flows of the site file");
        for id in &it.flows {
            sheet.item("-", id);
        }
    }
}

fn topic(sheet: &mut Sheet, it: &TopicExplained) {
    sheet.heading(&it.topic, &it.title);
    for (number, step) in it.steps.iter().enumerate() {
        sheet.item(&format!("{}.", number + 1), step);
    }
    if !it.then.is_empty() {
        sheet.part("Then");
        for text in &it.then {
            sheet.item("-", text);
        }
    }
    if !it.mind.is_empty() {
        sheet.part("Mind");
        for text in &it.mind {
            sheet.item("-", text);
        }
    }
    sheet.part("How this is known");
    sheet.known(&it.known);
}

fn index(sheet: &mut Sheet, it: &Index) {
    let mut list = |title: &str, entries: &[Entry]| {
        sheet.part(title);
        for entry in entries {
            sheet.item(&format!("{}:", entry.word), &entry.is);
        }
    };
    list("Topics: where the console shows it", &it.topics);
    list("Verdicts", &it.verdicts);
    list("Causes of verdicts", &it.causes);
    list("Roles", &it.roles);
    sheet.0.gap();
    sheet.0.paragraph(
        0,
        format!(
            "Also each flow of the site file, by its id in quotes (portproof plan lists them), each of \
             the {} rules in [brackets] there, and the file's systems and firewalls. Each finding, by \
             its code. The codes of a client's logs, as number or name, a line of a log, and with \
             --log a whole log.",
            it.rules.len()
        ),
    );
}
