//! What `portproof agent` takes.

use std::path::PathBuf;

use clap::Args;

use super::{AsService, name};

/// `portproof agent`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portproof agent --write-server-config fleet --server nats.dmz.example \\
      --agent internet=internet --agent ibs01=perimeter:ibs01
                                          all keys, certificates and files for a NATS server and two agents
  portproof agent agent.yaml              on each host, with the files of its folder
  portproof check site.yaml --agents fleet/hub/agents.yaml
                                          try all zones at once
docs/agents.md has the ports that this needs, and what each side believes of the others.")]
pub(in crate::cli) struct Agent {
    /// The file of this agent. Without it, it is agent.yaml.
    pub(in crate::cli) file: Option<PathBuf>,
    /// Write what a NATS server, the hub and the agents need into this new folder, and end. No file of an agent is read.
    #[arg(long, value_name = "FOLDER", requires_all = ["server", "agent"], conflicts_with = "file")]
    #[cfg_attr(windows, arg(conflicts_with = "service"))]
    pub(in crate::cli) write_server_config: Option<PathBuf>,
    /// The name or address at which agents reach the NATS server.
    #[arg(long, value_name = "HOST", requires = "write_server_config", value_parser = name)]
    pub(in crate::cli) server: Option<String>,
    /// The name or address of a second NATS server inside, which the hub connects to and which connects to the first one.
    #[arg(long, value_name = "HOST", requires = "write_server_config", value_parser = name)]
    pub(in crate::cli) hub_server: Option<String>,
    /// An agent, the zone that its host is in, and the system of the site file that it is. The option is given for each
    /// agent.
    #[arg(long, value_name = "NAME=ZONE[:SYSTEM]", requires = "write_server_config", value_parser = name)]
    pub(in crate::cli) agent: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) how: AsService,
}
