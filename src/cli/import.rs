//! `portproof import`: writes a site file of what a site says of itself.
//!
//! What an export may be and what becomes of it is the business of `import`. Here are the files and the words.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use super::args::Import;
use super::init::steps;
use super::named::{Kind, read};
use super::output::Output;
use super::streams::say;
use crate::config;
use crate::diagnostic::{Severity, counted, visible};
use crate::import::{self, Asked, Export, Known};
use crate::product::{self, Catalogue};

pub(super) fn run(arguments: &Import) -> anyhow::Result<u8> {
    let output = Output::open_new(&arguments.output, arguments.overwrite)?;
    let exports = arguments
        .files
        .iter()
        .map(|file| export(file, &arguments.files));
    let exports = exports.collect::<anyhow::Result<Vec<Export>>>()?;
    let asked = Asked {
        code: arguments.site.clone(),
        product: arguments.product.as_deref().and_then(catalogue),
    };
    let known = Known::of(&exports, &asked).map_err(|why| anyhow!(why))?;
    let written = import::text(&known);
    output.write(&written.text)?;
    for warning in known.warnings.iter().chain(&written.contradictions) {
        say!("warning: {warning}");
    }
    for what in &known.left_out {
        say!("left out: {what}");
    }
    if arguments.output != Path::new("-") {
        next_steps(&arguments.output, &written.text);
    }
    Ok(0)
}

fn export(file: &Path, all: &[PathBuf]) -> anyhow::Result<Export> {
    let content = read(file, Kind::Export)
        .with_context(|| format!("reading the export {}", file.display()))?;
    import::read(&name(file, all), &content.bytes).map_err(|why| {
        let file = file.display().to_string();
        anyhow!("{} cannot be imported: {}", visible(&file), visible(&why))
    })
}

/// What comments call a file: its name without folders, where no other has it.
fn name(file: &Path, all: &[PathBuf]) -> String {
    let short = file.file_name();
    let same = all.iter().filter(|other| other.file_name() == short);
    match (short, same.count()) {
        (Some(short), 1) => short.to_string_lossy().into_owned(),
        _ => file.display().to_string(),
    }
}

fn catalogue(product: &str) -> Option<Catalogue> {
    Catalogue::parse(product::find(product)?).ok()
}

fn next_steps(file: &Path, text: &str) {
    let (_, problems) = config::read(text.as_bytes());
    let open = problems
        .iter()
        .filter(|it| it.severity == Severity::Question)
        .count();
    let steps = steps(file, "asks for the answers, then lists the flows");
    say!(
        "{} is written, with {} that only you can answer: a \"?\" stands in each place. The next \
         steps:{steps}",
        file.display(),
        counted(open, "question")
    );
}
