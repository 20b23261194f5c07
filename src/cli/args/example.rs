//! What `portproof example` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `portproof example`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof example
  portproof example published-by-a-proxy --output probes.yaml
`portproof init` asks for your networks and servers, and writes a file of them.")]
pub(in crate::cli) struct Example {
    /// Where the servers of the site stand.
    #[arg(value_enum, default_value = "roles-in-the-perimeter")]
    pub(in crate::cli) shape: Shape,
    /// Write the file here; `-` is standard output.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "-",
        hide_default_value = true
    )]
    pub(in crate::cli) output: PathBuf,
    /// Replace the file of --output if it is there already.
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
}

/// The shape of a site. Each is a folder of `examples`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shape {
    /// The site stands in the intranet, and servers for Internet clients in the perimeter.
    RolesInThePerimeter,
    /// All servers stand in the intranet, and a web proxy in the perimeter publishes them.
    PublishedByAProxy,
    /// A whole site for Internet clients stands in the perimeter. Its parent site and its console are in the intranet.
    SiteInThePerimeter,
    /// A site of the current branch. Clients on the Internet come through a cloud management gateway.
    CloudManagementGateway,
}
