//! `portproof example`: the site files of `examples`, which the program carries with it.

use super::args::{Example, Shape};
use super::output::Output;

pub(super) fn run(arguments: &Example) -> anyhow::Result<u8> {
    let output = Output::open_new(&arguments.output, arguments.overwrite)?;
    output.write(text(arguments.shape))?;
    Ok(0)
}

fn text(shape: Shape) -> &'static str {
    match shape {
        Shape::RolesInThePerimeter => {
            include_str!("../../examples/roles-in-the-perimeter/probes.yaml")
        }
        Shape::PublishedByAProxy => include_str!("../../examples/published-by-a-proxy/probes.yaml"),
        Shape::SiteInThePerimeter => {
            include_str!("../../examples/site-in-the-perimeter/probes.yaml")
        }
        Shape::CloudManagementGateway => {
            include_str!("../../examples/cloud-management-gateway/probes.yaml")
        }
    }
}
