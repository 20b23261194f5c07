//! What changed, as text.

use owo_colors::{OwoColorize, Style};

use super::{Change, DiffDocument, Stand};
use crate::diagnostic::visible;
use crate::paragraph::{Page, Width};
use crate::report::document::Vantage;
use crate::report::folded::folded;
use crate::report::join::place;

/// What changed, with colours; the caller strips them where they are not wanted.
pub fn text(diff: &DiffDocument, width: Width) -> String {
    let mut page = Page::new(width);
    page.paragraph(0, format!("Site {}", visible(&diff.site.code)));
    seen(&mut page, "old", &diff.old);
    seen(&mut page, "new", &diff.new);
    for note in &diff.notes {
        page.gap();
        page.paragraph(0, format!("note: {}", visible(note)));
    }
    let (red, green, plain) = (
        Style::new().red().bold(),
        Style::new().green().bold(),
        Style::new().bold(),
    );
    part(&mut page, "Worse", red, &diff.worse);
    part(&mut page, "New", plain, &diff.added);
    part(&mut page, "Another cause", plain, &diff.changed);
    part(&mut page, "Better", green, &diff.better);
    part(&mut page, "Gone", plain, &diff.gone);
    let bad = diff.added.iter().filter(|change| change.worse).count();
    page.gap();
    page.paragraph(
        0,
        format!(
            "{} worse, {} better, {} with another cause, {} new ({bad} of them wrong), {} gone, \
             {} as before",
            diff.worse.len(),
            diff.better.len(),
            diff.changed.len(),
            diff.added.len(),
            diff.gone.len(),
            diff.unchanged
        ),
    );
    page.into_text()
}

fn seen(page: &mut Page, which: &str, vantages: &[Vantage]) {
    for vantage in vantages {
        let (place, started) = (visible(&place(vantage)), visible(&vantage.started));
        page.paragraph(0, format!("{which}: {place}, {started}"));
    }
}

/// Flows that changed in the same way stand together, folded where they differ only in the port. What is to be done of
/// the first of them stands for all.
fn part(page: &mut Page, heading: &str, style: Style, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let mut alike: Vec<(String, Vec<&Change>)> = Vec::new();
    // What is wrong and new comes before what is merely new.
    let (bad, rest): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|it| it.worse);
    for change in bad.into_iter().chain(rest) {
        let stands = stands(change);
        match alike.iter_mut().find(|(first, _)| *first == stands) {
            Some((_, changes)) => changes.push(change),
            None => alike.push((stands, vec![change])),
        }
    }
    page.gap();
    page.line(heading.style(style));
    for (stands, changes) in alike {
        page.paragraph(2, stands);
        for ids in folded(changes.iter().map(|it| it.id.as_str())) {
            page.paragraph(4, visible(&ids));
        }
        let advice = changes[0].new.as_ref().map_or("", |new| &new.advice);
        if changes[0].worse && !advice.is_empty() {
            let likewise = match changes.len() {
                1 => "",
                _ => " (Of the first of them; likewise of the others.)",
            };
            page.paragraph(4, format!("do: {}{likewise}", visible(advice)));
        }
    }
}

fn stands(change: &Change) -> String {
    let both = [&change.old, &change.new].into_iter().flatten();
    both.map(stand).collect::<Vec<_>>().join(" -> ")
}

fn stand(it: &Stand) -> String {
    let accepted = if it.accepted { ", accepted" } else { "" };
    let words = format!("{} {} ({}{accepted})", it.verdict, it.cause, it.level);
    visible(&words)
}
