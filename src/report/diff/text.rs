//! What changed, as text.

use std::fmt::Write as _;

use owo_colors::{OwoColorize, Style};

use super::{Change, DiffDocument, Stand};
use crate::diagnostic::visible;
use crate::report::document::Vantage;
use crate::report::join::place;

/// What changed, with colours; the caller strips them where they are not wanted.
pub fn text(diff: &DiffDocument) -> String {
    let mut out = format!("Site {}\n", visible(&diff.site.code));
    out += &seen("old", &diff.old);
    out += &seen("new", &diff.new);
    for note in &diff.notes {
        let _ = writeln!(out, "\nnote: {}", visible(note));
    }
    let (red, green, plain) = (
        Style::new().red().bold(),
        Style::new().green().bold(),
        Style::new().bold(),
    );
    out += &part("Worse", red, &diff.worse);
    out += &part("New", plain, &diff.added);
    out += &part("Another cause", plain, &diff.changed);
    out += &part("Better", green, &diff.better);
    out += &part("Gone", plain, &diff.gone);
    let bad = diff.added.iter().filter(|change| change.worse).count();
    let _ = writeln!(
        out,
        "\n{} worse, {} better, {} with another cause, {} new ({bad} of them wrong), {} gone, {} \
         as before",
        diff.worse.len(),
        diff.better.len(),
        diff.changed.len(),
        diff.added.len(),
        diff.gone.len(),
        diff.unchanged
    );
    out
}

fn seen(which: &str, vantages: &[Vantage]) -> String {
    let line = |vantage: &Vantage| {
        format!(
            "{which}: {}, {}\n",
            visible(&place(vantage)),
            visible(&vantage.started)
        )
    };
    vantages.iter().map(line).collect()
}

/// Flows that changed in the same way stand together; what is to be done of the first of them stands for all.
fn part(heading: &str, style: Style, changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
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
    let mut out = format!("\n{}\n", heading.style(style));
    for (stands, changes) in alike {
        let _ = writeln!(out, "  {stands}");
        for change in &changes {
            let _ = writeln!(out, "    {}", visible(&change.id));
        }
        let advice = changes[0].new.as_ref().map_or("", |new| &new.advice);
        if changes[0].worse && !advice.is_empty() {
            let likewise = match changes.len() {
                1 => "",
                _ => " (Of the first of them; likewise of the others.)",
            };
            let _ = writeln!(out, "    do: {}{likewise}", visible(advice));
        }
    }
    out
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
