//! `portproof plan`.

use super::args::{Format, Plan};
use super::{WRONG, files, write_out};
use crate::plan;

pub(super) fn run(arguments: &Plan) -> anyhow::Result<u8> {
    let Some(loaded) = files::load(&arguments.file, arguments.shared.catalogue.as_deref())? else {
        return Ok(WRONG);
    };
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    loaded.review(&plan);
    let text = match arguments.shared.format {
        Format::Text => plan::text(&loaded.site, &plan),
        Format::Json => {
            serde_json::to_string_pretty(&plan::document(&loaded.site, &loaded.file, &plan))? + "\n"
        }
    };
    write_out(arguments.shared.output.as_deref(), &text)?;
    Ok(0)
}
