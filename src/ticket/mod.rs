//! What somebody asked a firewall team for, against what the site needs.
//!
//! A ticket is a table of rows: source, destination, port, protocol (`read`). What a cell means on this site, a zone, systems
//! or a network, says `ends`. `compare` holds each row against the flows of the plan, and the flows against all rows.
//! `text` shows both. Only what goes from one zone to another is asked of a ticket: the rest crosses no firewall.

mod compare;
mod ends;
mod read;
mod text;

pub use compare::{Comparison, Judged, Standing, compare};
pub use read::{Row, Service, read};
pub use text::text;
