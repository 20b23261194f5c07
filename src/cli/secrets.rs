//! Files that hold secrets: a password, and a warning where others may read one.

use std::path::Path;

use super::handed_over::is_handed_over;
use super::named::{Content, Kind, Unread, read};
use super::streams::say;

/// Reads the first line of a password file, without its end.
pub(super) fn password_of(path: &Path) -> Result<String, Unread> {
    let content = read(path, Kind::Password)?;
    let line = content
        .text()?
        .lines()
        .next()
        .unwrap_or_default()
        .to_string();
    warn_if_open(path, Kind::Password, &content);
    Ok(line)
}

/// Warns where others may read a secret. The service manager keeps the folder of its credentials shut, whatever the
/// permissions of the files in it.
pub(super) fn warn_if_open(path: &Path, kind: Kind, content: &Content) {
    if content.open_to_others && !is_handed_over(path) {
        let path = path.display();
        say!(
            "warning: others on this host may read the {} {path}{} (chmod 600 {path})",
            kind.name(),
            kind.harm()
        );
    }
}
