//! The user's files, and texts that stand in them: written by friends, and still read as if by others.

use std::sync::OnceLock;

use super::at_most;
use crate::config;
use crate::config::Via;
use crate::diagnostic::{Problem, render, visible};
use crate::plan::derive;
use crate::product::{CONFIGMGR_2007, Catalogue};
use crate::site::Site;
use crate::wire::trust::certificate::Pin;
use crate::wire::web::http::authority::Authority;

/// A catalogue, or the findings about it.
pub fn catalogue(bytes: &[u8]) -> bool {
    let read = Catalogue::parse(bytes);
    if let Err(problems) = &read {
        assert!(!problems.is_empty());
        are_shown_plainly(bytes, problems);
    }
    read.is_ok()
}

/// A site file, the findings about it, and the plan that follows from it.
pub fn site_file(bytes: &[u8]) -> bool {
    let catalogue = embedded_catalogue();
    let (config, mut problems) = config::read(bytes);
    let site = config.and_then(|config| Site::new(&config, catalogue, &mut problems));
    are_shown_plainly(bytes, &problems);
    let plan = site.map(|site| derive(&site, catalogue));
    assert!(plan.is_some() || !problems.is_empty());
    plan.is_some()
}

/// A proxy's URL, a host or a pin.
pub fn site_values(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let via = Via::parse(&text).ok();
    if let Some(via) = &via {
        let at = Authority::new(&via.host, via.port);
        fits_into_a_line(&at.unwrap_or_else(|| panic!("no place: {via}")));
        let user = via.user.as_deref().unwrap_or("nobody");
        assert!((1..=255).contains(&user.len()) && !user.contains(':'));
        assert!(!user.contains(char::is_control));
    }
    let host = Authority::new(&text, 65_535);
    host.iter().for_each(fits_into_a_line);
    let pin = Pin::read(&text);
    assert!(pin.is_none_or(|pin| Pin::read(&pin.to_string()) == Some(pin)));
    via.is_some() || host.is_some() || pin.is_some()
}

fn embedded_catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::parse(CONFIGMGR_2007).unwrap_or_else(|_| unreachable!()))
}

/// Findings can be printed on any terminal.
fn are_shown_plainly(bytes: &[u8], problems: &[Problem]) {
    let source = String::from_utf8_lossy(bytes);
    let shown = render("file.yaml", source.trim_start_matches('\u{feff}'), problems);
    for line in shown.split('\n') {
        assert_eq!(visible(line), line);
    }
}

/// The longest DNS name, a colon and a port.
fn fits_into_a_line(authority: &Authority) {
    let text = authority.to_string();
    at_most(&text, 253 + 6);
    assert!(text.chars().all(|c| c.is_ascii_graphic()));
}
