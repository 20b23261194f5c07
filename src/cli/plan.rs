//! `portproof plan`.

use std::path::Path;

use super::args::{Format, Plan};
use super::files::Loaded;
use super::{WRONG, files, write_out};
use crate::change::{self, Side};
use crate::diagnostic::visible;
use crate::plan;

pub(super) fn run(arguments: &Plan) -> anyhow::Result<u8> {
    let Some(loaded) = files::load(&arguments.file, arguments.shared.catalogue.as_deref())? else {
        return Ok(WRONG);
    };
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    if let Some(old) = &arguments.against {
        return change(arguments, &loaded, &plan, old);
    }
    let text = match arguments.shared.format {
        Format::Text => plan::text(&loaded.site, &plan),
        Format::Json => {
            serde_json::to_string_pretty(&plan::document(&loaded.site, &loaded.file, &plan))? + "\n"
        }
    };
    write_out(arguments.shared.output.as_deref(), &text)?;
    Ok(0)
}

/// What a change from an older file asks for.
fn change(arguments: &Plan, new: &Loaded, plan: &plan::Plan, old: &Path) -> anyhow::Result<u8> {
    let Some(old) = files::load(old, arguments.shared.catalogue.as_deref())? else {
        return Ok(WRONG);
    };
    warn_of_another_site(new, &old);
    let before = plan::derive(&old.site, &old.catalogue);
    let change = change::compare(&side(&old, &before), &side(new, plan), &new.catalogue);
    let text = match arguments.shared.format {
        Format::Text => change::text(&change),
        Format::Json => serde_json::to_string_pretty(&change)? + "\n",
    };
    write_out(arguments.shared.output.as_deref(), &text)?;
    Ok(0)
}

fn side<'a>(loaded: &'a Loaded, plan: &'a plan::Plan) -> Side<'a> {
    Side {
        site: &loaded.site,
        plan,
        file: &loaded.file,
    }
}

/// Two files of different sites are compared, but hardly meant to be.
pub(super) fn warn_of_another_site(new: &Loaded, old: &Loaded) {
    let (new_code, old_code) = (&new.site.code, &old.site.code);
    if new_code != old_code {
        eprintln!(
            "warning: {} is of site {}, {} of site {}",
            new.file,
            visible(new_code),
            old.file,
            visible(old_code)
        );
    }
}
