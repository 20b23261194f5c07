//! A first site file, made of what a site says of itself: exports that its administrator makes.
//!
//! The bytes of an export become objects of the SMS Provider: a class, and properties. `json`, `clixml` and
//! `control_file` read one format each. `shape` finds the objects in the first two, and `roles` knows the names of
//! roles. `gathered` goes through the objects of all files, and keeps what each says with its source: `site_facts` of the
//! site, `system` of each host. What two sources say differently is kept, both (`fact`). `same_host` joins a host that
//! stands there by two names. `Known` is what comes of it. `text` writes the file. Where only the user knows, and where
//! sources differ, it writes a `?`. What portproof does not know is listed, and nothing is guessed.
//!
//! The classes and the names of their properties are those of the SDK and of public scripts. No real export was there
//! to test with; the page docs/import.md says what rests on what.

mod clixml;
mod control_file;
mod fact;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod gathered;
mod json;
mod known;
mod object;
mod roles;
mod same_host;
mod shape;
mod site_facts;
mod system;
mod text;
mod update_ports;

#[cfg(test)]
mod tests;

use crate::charset;
use crate::product::Catalogue;

pub use known::Known;
pub use object::Export;
pub use text::{Written, text};

/// What the user says beside the exports.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The site, where the exports have several.
    pub code: Option<String>,
    /// The product, where the exports do not say it.
    pub product: Option<Catalogue>,
}

/// Reads an export; `name` is what it is called in comments.
///
/// # Errors
/// Why it is none, and what would be right.
pub fn read(name: &str, bytes: &[u8]) -> Result<Export, String> {
    let text = charset::text(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut export = Export::new(name);
    match text.chars().next() {
        None => Err("it is empty".to_string()),
        Some(_) if text.contains('\0') => Err(
            "it holds NUL characters: save it as UTF-8, or as UTF-16 with a byte order mark, as \
             PowerShell does"
                .to_string(),
        ),
        Some('{' | '[') => shape::find(&json::tree(text)?, &mut export),
        Some('<') => shape::find(&clixml::tree(text)?, &mut export),
        Some(_) if control_file::is_one(text) => control_file::read(text, &mut export),
        Some(_) => Err(format!(
            "it is no export that portproof reads: {}",
            shape::WHAT_IS_READ
        )),
    }?;
    Ok(export)
}
