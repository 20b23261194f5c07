//! With `--verbose`: every flow with its evidence, and what was swept beside them.

use owo_colors::OwoColorize as _;

use super::style;
use crate::diagnostic::visible;
use crate::paragraph::Page;
use crate::report::document::{ReportFlow, Sweep};
use crate::report::findings::seen;
use crate::report::whole::ReportDocument;

pub(super) fn everything(page: &mut Page, report: &ReportDocument) {
    page.gap();
    page.line("Every flow");
    for it in &report.flows {
        flow(page, it);
    }
    for it in &report.sweeps {
        sweep(page, it);
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

fn sweep(page: &mut Page, sweep: &Sweep) {
    let ends = format!("swept {}>{}", sweep.from.zone, sweep.to.system);
    // Blanks behind the commas let the list be broken.
    let listed = |ports: &str| ports.replace(',', ", ");
    for (state, ports) in &sweep.states {
        let swept = format!("{ends}: {state} {}", listed(ports));
        page.paragraph(2, visible(&swept));
    }
    for run in &sweep.earlier {
        let swept = format!(
            "{ends} by an earlier run, between {} and {}: {}",
            run.started,
            run.finished,
            listed(&run.ports)
        );
        page.paragraph(2, visible(&swept));
    }
}
