//! `portproof plan`.

use super::args::{Plan, PlanFormat};
use super::{WRONG, files, rules, write_out};
use crate::plan;
use crate::rules::Dialect;

pub(super) fn run(arguments: &Plan) -> anyhow::Result<u8> {
    let Some(loaded) = files::load(&arguments.file, arguments.shared.catalogue.as_deref())? else {
        return Ok(WRONG);
    };
    let plan = plan::derive(&loaded.site, &loaded.catalogue);
    let shape = match arguments.shared.format {
        PlanFormat::Text | PlanFormat::Json => {
            rules::refuse_options(arguments)?;
            let text = flows(arguments.shared.format, &loaded, &plan)?;
            write_out(arguments.shared.output.as_deref(), &text)?;
            return Ok(0);
        }
        PlanFormat::Csv => rules::Shape::Csv,
        PlanFormat::Markdown => rules::Shape::Markdown,
        PlanFormat::Nftables => rules::Shape::Device(Dialect::Nftables),
        PlanFormat::Iptables => rules::Shape::Device(Dialect::Iptables),
        PlanFormat::Windows => rules::Shape::Device(Dialect::Windows),
        PlanFormat::Asa => rules::Shape::Device(Dialect::Asa),
        PlanFormat::Panos => rules::Shape::Device(Dialect::Panos),
    };
    rules::run(arguments, &loaded, &plan, shape)
}

fn flows(format: PlanFormat, loaded: &files::Loaded, plan: &plan::Plan) -> anyhow::Result<String> {
    if format == PlanFormat::Json {
        let document = plan::document(&loaded.site, &loaded.file, plan);
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    Ok(plan::text(&loaded.site, plan))
}
