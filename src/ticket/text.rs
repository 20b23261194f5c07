//! A comparison for people: what is missing first, then what must not be opened.

use super::compare::{Comparison, Judged, Standing};
use super::read::Row;
use crate::diagnostic::{cut, visible};
use crate::paragraph::{Page, Width};
use crate::plan::{Flow, firewalls_in_words, id};
use crate::product::Transport;
use crate::site::Site;

/// How far what is said of a row stands behind it.
const DETAIL: usize = 6;
/// The most flows that are named for one row.
const MOST_NAMED: usize = 8;
/// The most bytes of a row that are shown.
const SHOWN: usize = 400;

/// The comparison as text.
pub fn text(site: &Site, ticket: &str, comparison: &Comparison<'_>, width: Width) -> String {
    let mut page = Page::new(width);
    page.block(format!(
        "Ticket {}, {} rows, against site {}. No packet was sent. What stays inside one zone is left out: it crosses no \
         firewall.",
        visible(ticket),
        comparison.rows.len(),
        visible(&site.code)
    ));
    missing(&mut page, site, comparison);
    for (standing, title) in [
        (
            Standing::TooWide,
            "Asked for, and wider than what is needed",
        ),
        (Standing::Forbidden, "Asked for, and must be closed"),
        (Standing::NotNeeded, "Asked for, and not needed"),
        (Standing::Optional, "Asked for, and optional"),
        (Standing::Needed, "Asked for, and needed"),
    ] {
        let rows = comparison.rows.iter();
        let rows: Vec<&Judged<'_>> = rows.filter(|it| it.standing == standing).collect();
        if rows.is_empty() {
            continue;
        }
        heading(&mut page, title, rows.len());
        for row in rows {
            judged(&mut page, site, row);
        }
    }
    page.into_text()
}

fn heading(page: &mut Page, title: &str, count: usize) {
    page.gap();
    page.title(format!("{title}: {count}"));
}

fn missing(page: &mut Page, site: &Site, comparison: &Comparison<'_>) {
    heading(
        page,
        "Required, and not asked for in full",
        comparison.missing.len(),
    );
    for flow in &comparison.missing {
        page.paragraph(2, visible(&id(site, flow)));
        let way = way(site, flow);
        page.paragraph(DETAIL, format!("{way}{}", visible(&flow.reason.why)));
    }
    if !comparison.optional.is_empty() {
        let count = comparison.optional.len();
        page.paragraph(
            2,
            format!(
                "{count} optional flows are not asked for either; `portproof plan` lists them."
            ),
        );
    }
}

/// The firewalls that a flow crosses, as the beginning of a sentence.
fn way(site: &Site, flow: &Flow) -> String {
    let Some(end) = flow.end(site) else {
        return String::new();
    };
    let crossed = site.crosses(flow.start(site), end);
    let crossed: Vec<String> = crossed.into_iter().map(str::to_string).collect();
    match crossed.is_empty() {
        true => String::new(),
        false => format!(
            "through {}: ",
            visible(&firewalls_in_words(
                &crossed,
                |name| site.device_of(name),
                ", then "
            ))
        ),
    }
}

fn judged(page: &mut Page, site: &Site, judged: &Judged<'_>) {
    page.paragraph(2, written(judged.row));
    if !judged.needed.is_empty() {
        let ids = judged.needed.iter().take(MOST_NAMED);
        let ids: Vec<String> = ids.map(|flow| visible(&id(site, flow))).collect();
        let more = judged.needed.len().saturating_sub(MOST_NAMED);
        page.paragraph(DETAIL, format!("for {}{}", ids.join(", "), and_more(more)));
    }
    for (entry, ports) in judged.forbidden.iter().take(MOST_NAMED) {
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let ends = visible(&entry.ends(site));
        let (ports, why) = (ports.join(", "), visible(&entry.reason.why));
        page.paragraph(DETAIL, format!("must be closed: {ends}: {ports}. {why}"));
    }
    let more = judged.forbidden.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        page.paragraph(
            DETAIL,
            format!("must be closed as well: {more} other pairs of ends"),
        );
    }
    if judged.standing == Standing::NotNeeded {
        page.paragraph(
            DETAIL,
            "no flow of the plan is between these ends at these ports; write it under `flows` of the site file \
             where it is needed",
        );
    }
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// A row as it is written.
fn written(row: &Row) -> String {
    let services = row.services.iter().map(|it| match it.transport {
        Transport::Tcp | Transport::Udp => format!("{}/{}", it.ports, it.transport),
        Transport::Esp => it.transport.to_string(),
    });
    let services: Vec<String> = services.collect();
    let ends = [&row.sources, &row.destinations].map(|it| visible(&cut(&it.join(", "), SHOWN)));
    let services = cut(&services.join(", "), SHOWN);
    format!("line {}: {} to {}, {services}", row.line, ends[0], ends[1])
}
