//! `portproof diff`.

use super::args::{Diff, Format};
use super::files;
use super::output::Output;
use super::signing::Verifier;
use crate::report;

/// The exit status when something is worse.
const WORSE: u8 = 1;

pub(super) fn run(arguments: &Diff) -> anyhow::Result<u8> {
    let output = Output::open(arguments.output.as_deref())?;
    let verifier = Verifier::new(&arguments.verify)?;
    let old = files::report(&arguments.old, &verifier)?;
    let new = files::report(&arguments.new, &verifier)?;
    let diff = report::diff(&old, &new).map_err(anyhow::Error::msg)?;
    let text = match arguments.format {
        Format::Text => report::diff_text(&diff, output.width()),
        Format::Json => serde_json::to_string_pretty(&diff)? + "\n",
    };
    output.write(&text)?;
    Ok(status(&diff))
}

/// What a comparison says to the shell.
pub(super) fn status(diff: &report::DiffDocument) -> u8 {
    match diff.is_worse() {
        true => WORSE,
        false => 0,
    }
}
