//! What `portproof import` takes.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::product;

/// `portproof import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof import roles.json components.json site.json
                                  write probes.yaml, with a \"?\" where only you know
  portproof import roles.xml -o - print it
  portproof import sitectrl.ct0   the site control file of Configuration Manager 2007
  portproof plan probes.yaml      asks for each answer that is open
docs/import.md has the command that makes each export.")]
pub(in crate::cli) struct Import {
    /// The exports of one site: JSON, CliXML, or a site control file.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Write the site file here; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "probes.yaml")]
    pub(in crate::cli) output: PathBuf,
    /// Replace the site file if it is there already.
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// The site code, where the exports are of several sites.
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(in crate::cli) site: Option<String>,
    /// The product, where the exports do not say it.
    #[arg(long, value_name = "PRODUCT", value_parser = PossibleValuesParser::new(product::all()))]
    pub(in crate::cli) product: Option<String>,
}

/// A site code, in capitals.
fn code(text: &str) -> Result<String, String> {
    match text.len() == 3 && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err("a site code has 3 letters or digits, as in PRI".to_string()),
    }
}
