//! The list of runs as text.

use super::{HistoryDocument, RunEntry};
use crate::diagnostic::visible;

const HEAD: [&str; 6] = ["run", "ended", "from", "exit", "verdicts", "changed"];

/// The list, one line a run.
pub fn text(history: &HistoryDocument) -> String {
    if history.runs.is_empty() {
        return "No run is kept here yet.\n".to_string();
    }
    let rows: Vec<[String; 6]> = history.runs.iter().map(row).collect();
    let head = HEAD.map(str::to_string);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([&head])
            .map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths);
        let padded = cells.map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    [&head].into_iter().chain(&rows).map(line).collect()
}

fn row(run: &RunEntry) -> [String; 6] {
    let of = |text: &Option<String>| visible(text.as_deref().unwrap_or("-")).to_string();
    [
        run.id.to_string(),
        visible(&run.finished).to_string(),
        of(&run.place),
        run.exit_status.to_string(),
        verdicts(run),
        changed(run),
    ]
}

/// What is not as it must be, and all else in one number.
fn verdicts(run: &RunEntry) -> String {
    let Some(it) = &run.summary else {
        let why = run.failure.as_deref().unwrap_or("no report");
        return format!("no report: {}", visible(why));
    };
    let all = [
        (it.blocked, "blocked"),
        (it.down, "down"),
        (it.wrong, "wrong"),
        (it.exposed, "exposed"),
        (it.unknown, "unknown"),
        (it.accepted, "accepted"),
        (it.ok, "ok"),
    ];
    let told = all.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = told
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

fn changed(run: &RunEntry) -> String {
    match run.changed {
        None if run.failure.is_some() => String::new(),
        None => "nothing to compare".to_string(),
        Some(counts) if counts.are_none() => "nothing".to_string(),
        Some(counts) => {
            let all = [
                (counts.worse, "worse"),
                (counts.better, "better"),
                (counts.other, "otherwise"),
            ];
            let told = all.iter().filter(|(count, _)| *count > 0);
            let words: Vec<String> = told
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
            words.join(", ")
        }
    }
}
