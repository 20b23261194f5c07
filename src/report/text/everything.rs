//! With `--verbose`: every flow with its evidence, and what was swept beside them.

use owo_colors::OwoColorize as _;

use super::style;
use crate::diagnostic::visible;
use crate::paragraph::Page;
use crate::report::document::ReportFlow;
use crate::report::findings::seen;
use crate::report::lines;
use crate::report::whole::ReportDocument;

pub(super) fn everything(page: &mut Page, report: &ReportDocument) {
    page.gap();
    page.line("Every flow");
    for it in &report.flows {
        flow(page, it);
    }
    for line in report.sweeps.iter().flat_map(lines::swept) {
        page.paragraph(2, visible(&line));
    }
}

fn flow(page: &mut Page, flow: &ReportFlow) {
    let accepted = match flow.accepted {
        Some(_) => " accepted",
        None => "",
    };
    let line = format!(
        "{:<8} {:<9} {}  {} ({}; {}){accepted}",
        flow.verdict.style(style(flow)),
        flow.flow.need,
        visible(&flow.flow.id),
        flow.cause,
        flow.state,
        visible(&flow.flow.rules.join(", ")),
    );
    page.paragraph(2, line);
    page.paragraph(4, format!("seen: {}", visible(&seen(flow))));
    for other in &flow.evidence.others {
        if let Some(address) = other.seen.address {
            page.paragraph(4, format!("at {address}: {}", other.seen.word()));
        }
    }
}
