//! What a change of the site asks of firewalls, servers and clients, and in which order.
//!
//! Two sites with their plans stand side by side. Flows that only one of them needs open or close (`flows`). The
//! numbers that differ (`numbers`) tell which of these are of a change of client request ports, or of an update point's
//! pair. A flow of both that now leads elsewhere is told apart from them. Around them the catalogue's steps are put in
//! order (`steps`), and the clients that learn of nothing are told, with what they need (`clients`). A document comes
//! out, and from it text. What a run of both files needs is here too: one site for both (`union`), and the flows of
//! clients of either (`client_doors`).

mod clients;
mod document;
mod flows;
mod numbers;
mod settings;
mod steps;
mod text;
mod union;
mod client_doors;
#[cfg(test)]
mod tests;

use crate::plan::{Plan, SiteName, ToolName};
use crate::product::Catalogue;
use crate::site::Site;

pub use client_doors::{ClientDoor, Of, client_doors};
pub use document::{
    CannotLearn, ChangeDocument, Closing, Elsewhere, GivenProperty, Leads, Moves, Needed, Opening,
    Retired, SettingChange, Staying, Step,
};
pub use numbers::settings;
pub use text::text;
pub use union::{Union, union};

/// One of the two site files.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its flows.
    pub plan: &'a Plan,
    /// The name of its file.
    pub file: &'a str,
}

/// Compares two sites, from the old one to the new one.
pub fn compare(old: &Side<'_>, new: &Side<'_>, catalogue: &Catalogue) -> ChangeDocument {
    let of_clients = numbers::of_clients(old, new);
    let of_update_points = numbers::of_update_points(old, new);
    let groups = [&of_clients, &of_update_points];
    let opens = flows::opens(old, new, catalogue, groups);
    let closes = flows::closes(old, new, catalogue, groups);
    let gains = flows::gains(old, new, catalogue, groups);
    let elsewhere = flows::elsewhere(old, new);
    let retire = flows::retire(new, &of_clients);
    ChangeDocument {
        schema: "portproof.change/1".to_string(),
        tool: ToolName::this(),
        site: SiteName::of(new.site),
        file: new.file.to_string(),
        against: SiteName::of(old.site),
        against_file: old.file.to_string(),
        settings: settings::settings(old, new),
        stays: flows::stays(old, new),
        steps: steps::steps(
            new,
            catalogue,
            groups,
            (&opens, &gains, &closes),
            &elsewhere,
            &retire,
        ),
        cannot_learn: clients::cannot_learn(new, catalogue, &of_clients),
        properties: clients::properties(new, catalogue, &of_clients),
        remarks: flows::remarks(old, new, &of_clients, &retire),
        opens,
        closes,
        elsewhere,
        retire,
    }
}
