//! What the product does beside the plan.

use super::known::is_server_end;
use crate::product::{Catalogue, Unplanned};
use crate::site::Site;

/// The connections that somebody of this site may start, and that have no flow because their end is no system.
pub fn beside<'a>(site: &Site, catalogue: &'a Catalogue) -> Vec<&'a Unplanned> {
    let is_there = |entry: &&Unplanned| {
        let mut ends = entry.from.iter();
        ends.any(|end| (0..site.systems.len()).any(|system| is_server_end(site, *end, system)))
    };
    catalogue.unplanned.iter().filter(is_there).collect()
}
