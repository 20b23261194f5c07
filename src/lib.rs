//! Does the network let a Configuration Manager site work, and nothing else? Say what must flow, try it, judge it.
//!
//! The modules stand in the order in which the data goes through them; each imports only modules above it
//! (`tests/it/layers.rs` keeps that). `diagnostic` to `attribution`, `verdict`, `report`, `rules`, `explain`,
//! `first_file` and `import` are pure: no sockets, files or clocks.

/// What is wrong in a user's file, where, and what would be right.
pub mod diagnostic;
/// Text for people, in lines that fit.
pub mod paragraph;
/// Text from outside as a cell of a table.
mod cells;
/// The bytes of a file of Windows as text.
mod charset;
/// Closed sets of words.
mod words;
/// YAML files with positions.
mod yaml;
/// The rules of a product, as data.
pub mod product;
/// The site file as written, with positions.
pub mod config;
/// The site with every name resolved; it cannot be wrong.
pub mod site;
/// Who must, may, or must not reach whom: the flows.
pub mod plan;
/// What a change of the site asks for, and in which order.
pub mod change;
/// What somebody asked a firewall team for, against what the site needs.
pub mod ticket;
/// What came back when a flow was tried.
pub mod observation;
/// Who answered, and where silent packets are dropped: what to find out, and what it proves.
pub mod attribution;
/// What depends on the operating system, all in one place.
pub mod os;
/// What is said on an open port: the messages of each protocol.
pub mod wire;
/// Trying flows over real sockets.
pub mod probe;
/// What an observation means for a need.
pub mod verdict;
/// Which zone and system this host is.
pub mod vantage;
/// All verdicts of a run, and how they are shown.
pub mod report;
/// The runs of a scheduled check, kept in a folder.
pub mod history;
/// Who is told what changed, and by which channels.
pub mod alert;
/// What firewalls have to let through, in the words of each kind.
pub mod rules;
/// What a flow, a cause, a rule or a topic is about, in words.
pub mod explain;
/// A first site file, made of the answers to eight questions.
pub mod first_file;
/// A first site file, made of what a site says of itself.
pub mod import;
/// Standing in for a system's services before they exist, so that paths can be proved.
pub mod listen;
/// A stand-in site on loopback with planted faults.
pub mod lab;
/// One run: plan, try, judge, report; with events while it lasts.
pub mod run;
/// Checks that go on for months.
pub mod serve;
/// Every zone at once: jobs for agents in other zones, and what they come back with.
#[cfg(feature = "nats")]
pub mod fleet;
/// The commands.
pub mod cli;
/// The readings of what others wrote, for fuzzers.
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
