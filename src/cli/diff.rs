//! `portproof diff`.

use super::args::{Diff, Format};
use super::files;
use super::output::Output;
use super::signing::Verifier;
use crate::report::{self, ReportDocument};

/// The exit status when something is worse.
const WORSE: u8 = 1;

pub(super) fn run(arguments: &Diff) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let verifier = Verifier::new(&arguments.verify)?;
    let old = files::report(&arguments.old, &verifier)?;
    let new = files::report(&arguments.new, &verifier)?;
    write(&old, &new, arguments.format, output)
}

/// Compares two reports and writes what changed; the exit status.
pub(super) fn write(
    old: &ReportDocument,
    new: &ReportDocument,
    format: Format,
    output: Output,
) -> anyhow::Result<u8> {
    let diff = report::diff(old, new).map_err(anyhow::Error::msg)?;
    let text = match format {
        Format::Text => report::diff_text(&diff, output.width()),
        Format::Json => serde_json::to_string_pretty(&diff)? + "\n",
    };
    output.write(&text)?;
    Ok(if diff.is_worse() { WORSE } else { 0 })
}
