//! The reading of exports, under the name of its fuzz target: were these bytes recognised?

use super::{Asked, Known, read, text};
use crate::config;
use crate::diagnostic::{Severity, visible};

/// Every target of this stage.
pub const TARGETS: &[crate::wire::fuzz::Target] = &[("site_export", site_export)];

/// An export, and the site file that is made of it.
pub fn site_export(bytes: &[u8]) -> bool {
    let export = match read("export.json", bytes) {
        Ok(export) => export,
        Err(why) => {
            assert!(why.len() <= 2_000, "{why}");
            return false;
        }
    };
    let Ok(known) = Known::of(&[export], &Asked::default()) else {
        return false;
    };
    let written = text(&known);
    let said = known.warnings.iter().chain(&known.left_out);
    for line in said.chain(&written.contradictions) {
        assert_eq!(visible(line), *line);
    }
    for line in written.text.split('\n') {
        assert_eq!(visible(line), line);
    }
    let (_, problems) = config::read(written.text.as_bytes());
    let mut others = problems
        .iter()
        .filter(|it| it.severity != Severity::Question);
    let other = others.next();
    assert!(other.is_none(), "{other:?}\n{}", written.text);
    assert!(!problems.is_empty(), "a zone is open");
    true
}
