//! YAML files with positions: a tree of nodes, and the reading of keys and scalars that collects every finding.

mod node;
mod read;
mod typed;

pub(crate) use node::{LARGEST_FILE, Node, Value, parse};
pub(crate) use read::{At, PortRange as Ports};
pub(crate) use read::{
    Fields, address, boolean, drives, duration, list, of_no_host, one_or_list, port, port_pairs,
    ports, text, time_span, word, wrong_type,
};
pub(crate) use typed::typed;
