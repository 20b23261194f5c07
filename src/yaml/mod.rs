//! YAML files with positions: a tree of nodes (the crate in `yaml/`), and the reading of keys and scalars that collects every
//! finding.

mod parse;
mod read;
mod typed;

pub(crate) use parse::{LARGEST_FILE, parse};
pub(crate) use portproof_yaml::{Node, Value};
pub(crate) use read::{At, PortRange as Ports};
pub(crate) use read::{
    Fields, address, boolean, drives, duration, list, of_no_host, one_or_list, port, port_pairs,
    ports, text, time_span, word, wrong_type,
};
pub(crate) use typed::{embedded, typed};
