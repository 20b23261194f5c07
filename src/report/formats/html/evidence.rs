//! What was seen of a flow, in lines that can be unfolded: tries, certificates, the way, and what is documented.

use crate::diagnostic::visible;
use crate::observation::{Attempt, AttemptResult, Certificate, HopAnswer};
use crate::report::document::{Evidence, ReportFlow};
use crate::report::join::text::answer_words;
use crate::report::whole::ReportDocument;

/// The most tries at one address, and the most hops.
const MOST: usize = 12;

/// What was seen, by headings; those without lines are left out.
pub(super) fn evidence(
    report: &ReportDocument,
    flow: &ReportFlow,
) -> Vec<(&'static str, Vec<String>)> {
    let seen = &flow.evidence.seen;
    let all = [
        (
            "tries",
            flow.evidence.of_each_address().flat_map(tries).collect(),
        ),
        ("certificates", certificates(&flow.evidence)),
        ("way", hops(&flow.evidence)),
        (
            "server",
            seen.http
                .iter()
                .filter_map(|it| it.server.clone())
                .collect(),
        ),
        (
            "other vantages",
            flow.also
                .iter()
                .map(|it| answer_words(report, it))
                .collect(),
        ),
        ("rules", vec![rules(flow)]),
        ("site file", vec![declared(flow)]),
    ];
    let escaped = |lines: Vec<String>| lines.iter().map(|it| visible(it)).collect::<Vec<_>>();
    let all = all.map(|(name, lines)| (name, escaped(lines)));
    all.into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .collect()
}

fn tries(evidence: &Evidence) -> Vec<String> {
    let all = &evidence.seen.attempts;
    let mut lines: Vec<String> = all.iter().take(MOST).map(one_try).collect();
    if all.len() > MOST {
        lines.push(format!(
            "and {} more, the last at {}",
            all.len() - MOST,
            last(all)
        ));
    }
    lines
}

fn last(all: &[Attempt]) -> String {
    all.last().map_or_else(String::new, |it| it.at.to_string())
}

fn one_try(it: &Attempt) -> String {
    let from = it
        .local
        .map_or_else(String::new, |local| format!(" from {local}"));
    let result = match &it.result {
        AttemptResult::Open => "open".to_string(),
        AttemptResult::Reset => "reset".to_string(),
        AttemptResult::Silent => "silence".to_string(),
        AttemptResult::Rejected(rejection) => match rejection.by {
            Some(by) => format!("{} by {by}", rejection.says),
            None => rejection.says.to_string(),
        },
        AttemptResult::Trouble(trouble) => trouble.to_string(),
    };
    format!(
        "{:.3} {}{from}: {result} after {:.1} ms",
        it.at, it.remote, it.took_ms
    )
}

fn certificates(evidence: &Evidence) -> Vec<String> {
    let Some(tls) = &evidence.seen.tls else {
        return Vec::new();
    };
    let one = |it: &Certificate| {
        let until = it
            .not_after
            .map_or_else(String::new, |end| format!(", valid until {end}"));
        format!(
            "{} for {}, by {}, {}, SHA-256 {}{until}",
            it.subject,
            it.names.join(", "),
            it.issuer,
            it.key,
            it.sha256
        )
    };
    let session = [tls.version.as_deref(), tls.cipher.as_deref()];
    let session: Vec<&str> = session.into_iter().flatten().collect();
    let session = (!session.is_empty()).then(|| session.join(", "));
    session
        .into_iter()
        .chain(tls.chain.iter().map(one))
        .collect()
}

fn hops(evidence: &Evidence) -> Vec<String> {
    let Some(path) = &evidence.seen.path else {
        return Vec::new();
    };
    let one = |number: u8, answer: &HopAnswer| {
        let (by, what) = match answer {
            HopAnswer::Expired(by) => (Some(*by), "passes it on".to_string()),
            HopAnswer::Rejected(rejection) => (rejection.by, rejection.says.to_string()),
            HopAnswer::Open => (None, "open".to_string()),
            HopAnswer::Reset => (None, "reset".to_string()),
            HopAnswer::Silent => (None, "silence".to_string()),
        };
        let who = by.map_or_else(String::new, |by| match evidence.firewall_at(number, by) {
            Some(firewall) => format!(" {by} ({firewall})"),
            None => format!(" {by}"),
        });
        format!("hop {number}{who}: {what}")
    };
    let hops = path.hops.iter().take(MOST);
    hops.map(|it| one(it.number, &it.answer)).collect()
}

fn rules(flow: &ReportFlow) -> String {
    let source = flow.flow.source.as_ref();
    let source = source.map_or_else(String::new, |it| format!("; {it}"));
    format!(
        "{} ({}){source}",
        flow.flow.rules.join(", "),
        flow.flow.confidence
    )
}

fn declared(flow: &ReportFlow) -> String {
    let it = &flow.flow.declared;
    format!("{}:{}:{}", it.file, it.line, it.column)
}
