//! The list of runs as text.

use jiff::Timestamp;

use super::{HistoryDocument, RunEntry};
use crate::diagnostic::{tallied, visible};
use crate::paragraph::{Page, Width};

const HEAD: [&str; 6] = ["run", "ended", "from", "exit", "verdicts", "changed"];

/// The list, a row for each run.
pub fn text(history: &HistoryDocument, width: Width) -> String {
    if history.runs.is_empty() {
        return "No run is kept here yet.\n".to_string();
    }
    let rows: Vec<Vec<String>> = history.runs.iter().map(row).collect();
    let mut page = Page::new(width);
    page.table(&HEAD, &rows);
    page.into_text()
}

fn row(run: &RunEntry) -> Vec<String> {
    vec![
        run.id.to_string(),
        seconds(&run.finished),
        run.place.clone().unwrap_or_else(|| "-".to_string()),
        run.exit_status.to_string(),
        verdicts(run),
        changed(run),
    ]
}

/// A time to the second; what is none as it is.
fn seconds(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => format!("{time:.0}"),
        Err(_) => visible(time),
    }
}

fn verdicts(run: &RunEntry) -> String {
    match (&run.summary, &run.failure) {
        (Some(summary), None) => summary.counted(0).join(", "),
        (Some(summary), Some(why)) => format!("{} ({why})", summary.counted(0).join(", ")),
        (None, why) => format!("no report: {}", why.as_deref().unwrap_or("not known why")),
    }
}

fn changed(run: &RunEntry) -> String {
    match run.changed {
        None if run.failure.is_some() => String::new(),
        None => "nothing to compare".to_string(),
        Some(counts) if counts.are_none() => "nothing".to_string(),
        Some(counts) => tallied([
            (counts.worse, "worse"),
            (counts.better, "better"),
            (counts.other, "otherwise"),
        ])
        .join(", "),
    }
}
