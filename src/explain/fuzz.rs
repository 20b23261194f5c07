//! The reading of logs, under the name of its fuzz target: were these bytes recognised?

use std::sync::LazyLock;

use super::log::{MOST_CODES, MOST_PLACES};
use super::{About, ExplainDocument, Given, log, text};
use crate::diagnostic::visible;
use crate::paragraph::Width;
use crate::plan::{self, Plan};
use crate::product::{CONFIGMGR_2007, Catalogue};
use crate::site::Site;

/// Every target of this stage.
pub const TARGETS: &[crate::wire::fuzz::Target] = &[("client_log", client_log)];

/// The site of the example.
static SITE: LazyLock<Option<(Catalogue, Site, Plan)>> = LazyLock::new(|| {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).ok()?;
    let (config, mut problems) = crate::config::read(include_bytes!("../../probes.yaml"));
    let site = Site::new(&config?, &catalogue, &mut problems)?;
    let plan = plan::derive(&site, &catalogue);
    Some((catalogue, site, plan))
});

/// A log, read for the site of the example, and shown.
pub fn client_log(bytes: &[u8]) -> bool {
    let Some((catalogue, site, plan)) = &*SITE else {
        return false;
    };
    let given = Given {
        site,
        catalogue,
        plan,
        file: "probes.yaml",
    };
    let read = log("client.log", bytes, catalogue, Some(given));
    assert!(read.codes.len() + read.unknown.len() <= MOST_CODES);
    let places: usize = read.codes.iter().map(|code| code.places.len()).sum();
    assert!(places <= MOST_PLACES);
    let found = !read.codes.is_empty();
    let document = ExplainDocument::new(About::Log(Box::new(read)));
    let shown = text(&document, Width::UNKNOWN);
    let shown = anstream::adapter::strip_str(&shown).to_string();
    for line in shown.split('\n') {
        assert_eq!(visible(line), line);
    }
    found
}
