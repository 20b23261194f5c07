//! What is explained, as text.

use std::fmt::Write as _;

use owo_colors::OwoColorize;

use super::document::{
    About, CauseExplained, Entry, ExplainDocument, FlowExplained, Index, Known, RuleExplained,
    SeenFlow, TopicExplained,
};
use crate::diagnostic::visible;
use crate::product::Need;
use crate::verdict::Owner;

/// As text with colours; the caller strips them where they are not wanted.
pub fn text(document: &ExplainDocument) -> String {
    let mut page = Page::default();
    match &document.about {
        About::Flow(it) => flow(&mut page, it),
        About::Cause(it) => cause(&mut page, it),
        About::Rule(it) => rule(&mut page, it),
        About::Topic(it) => topic(&mut page, it),
        About::Index(it) => index(&mut page, it),
    }
    page.0
}

/// Lines as they come; all that is put in is made visible.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, word: &str, is: &str) {
        let _ = writeln!(self.0, "{}  {}", visible(word).bold(), visible(is));
    }

    /// `  NAME: TEXT`; nothing where there is no text.
    fn line(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.0, "  {name}: {}", visible(text));
        }
    }

    fn item(&mut self, mark: &str, text: &str) {
        let _ = writeln!(self.0, "  {mark} {}", visible(text));
    }

    fn gap(&mut self, title: &str) {
        let _ = writeln!(self.0, "\n{}", visible(title));
    }

    fn known(&mut self, known: &Known) {
        self.line("known", &known.sure);
        self.line("source", known.source.as_deref().unwrap_or_default());
    }

    fn topics(&mut self, topics: &[String]) {
        for topic in topics {
            self.line("port number", &format!("portproof explain {topic}"));
        }
    }
}

fn flow(page: &mut Page, it: &FlowExplained) {
    let entry = &it.flow;
    page.heading(&entry.id, entry.need.name());
    page.line("from", &from(it));
    page.line("to", &to(it));
    let crosses = match entry.crosses.is_empty() {
        true => "no firewall of the site file".to_string(),
        false => entry.crosses.join(", then "),
    };
    page.line("through", &crosses);
    if let Some(own) = entry.own_port {
        page.line(
            "leads to",
            &format!("port {own} of {}, by translation", entry.to.system),
        );
    }
    if entry.ipsec {
        page.line(
            "inside",
            "IPsec: on the way it is ESP, and only its own ends can try it",
        );
    }
    page.line("why", &entry.why);
    let without = match entry.need {
        Need::Forbidden => "when open",
        Need::Required | Need::Optional => "without it",
    };
    page.line(without, &entry.breaks);
    page.line("known", &it.sure);
    page.line("source", entry.source.as_deref().unwrap_or_default());
    let declared = &entry.declared;
    page.line(
        "declared",
        &format!("{}:{}:{}", declared.file, declared.line, declared.column),
    );
    page.line("tried with", &it.tried);
    page.line("proof", &it.proof);
    if let Some(exception) = &it.exception {
        let text = format!("accepted through {}: {}", exception.until, exception.why);
        page.line("exception", &text);
    }
    page.topics(&it.topics);
    if !it.reasons.is_empty() {
        page.gap("Rules");
        for reason in &it.reasons {
            let need = reason.need.as_deref().unwrap_or("by the site file");
            page.item(
                &format!("{}:", reason.rule),
                &format!("{need}; {}. {}", reason.known.sure, reason.why),
            );
        }
    }
    if !it.client_logs.is_empty() {
        page.gap("What clients log");
        for logs in &it.client_logs {
            for words in &logs.words {
                page.item(&format!("{}:", logs.when), words);
            }
        }
    }
    for seen in &it.seen {
        seen_flow(page, seen);
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

fn seen_flow(page: &mut Page, it: &SeenFlow) {
    let when = it
        .finished
        .as_deref()
        .unwrap_or("at a time that the report does not say");
    page.gap(&format!("As the report saw it ({when})"));
    page.item(
        &format!("{}:", it.verdict.name().to_uppercase()),
        &format!("{}, state {}, level {}", it.cause, it.state, it.level),
    );
    page.line("meaning", it.meaning.as_deref().unwrap_or_default());
    page.line("seen", &it.evidence);
    page.line("owner", it.owner.map_or("", Owner::name));
    if let Some(accepted) = &it.accepted {
        page.line(
            "accepted",
            &format!("until {}: {}", accepted.until, accepted.why),
        );
    }
    if let Some(lapsed) = &it.lapsed {
        let text = format!("accepted until {} ({})", lapsed.until, lapsed.why);
        page.line("lapsed", &text);
    }
    for words in &it.client_logs {
        page.line("client", words);
    }
    page.line("do", &it.advice);
}

fn cause(page: &mut Page, it: &CauseExplained) {
    page.heading(it.cause.name(), &it.meaning);
    page.line("how it is known", &it.known_by);
    let owners = match it.owners.is_empty() {
        true => "nobody".to_string(),
        false => it.owners.join(", or "),
    };
    page.line("who has to act", &owners);
    page.line("what to do", &it.to_do);
    if !it.seen_at.is_empty() {
        page.gap("In the report");
        for id in &it.seen_at {
            page.item("-", id);
        }
    }
}

fn rule(page: &mut Page, it: &RuleExplained) {
    page.heading(
        &it.rule,
        it.need.as_deref().unwrap_or("as the site file says"),
    );
    page.line("from", &it.from.join(", "));
    page.line("to", &it.to.join(", "));
    page.line("port", &it.ports.join("; "));
    let spoken: Vec<&str> = it
        .protocol
        .iter()
        .chain(&it.transport)
        .map(String::as_str)
        .collect();
    page.line("spoken", &spoken.join(" over "));
    page.line("holds when", &it.when.join(", "));
    page.line("why", &it.why);
    let without = match it.need.as_deref() {
        Some("forbidden") | None => "when open, or not as asked",
        Some(_) => "without it",
    };
    page.line(without, &it.breaks);
    page.known(&it.known);
    page.topics(&it.topics);
    if !it.flows.is_empty() {
        page.gap("Flows of the site file");
        for id in &it.flows {
            page.item("-", id);
        }
    }
}

fn topic(page: &mut Page, it: &TopicExplained) {
    page.heading(&it.topic, &it.title);
    for (number, step) in it.steps.iter().enumerate() {
        page.item(&format!("{}.", number + 1), step);
    }
    if !it.then.is_empty() {
        page.gap("Then");
        for text in &it.then {
            page.item("-", text);
        }
    }
    if !it.mind.is_empty() {
        page.gap("Mind");
        for text in &it.mind {
            page.item("-", text);
        }
    }
    page.gap("How this is known");
    page.known(&it.known);
}

fn index(page: &mut Page, it: &Index) {
    let mut list = |title: &str, entries: &[Entry]| {
        page.gap(title);
        for entry in entries {
            page.item(&format!("{}:", entry.word), &entry.is);
        }
    };
    list("Topics: where the console shows it", &it.topics);
    list("Causes of verdicts", &it.causes);
    let _ = writeln!(
        page.0,
        "\nAlso each flow of the site file, by its id in quotes (portproof plan lists them), and \
         each of the {} rules in [brackets] there.",
        it.rules.len()
    );
}
