//! The token that `listen` and `check` share: from a file, the environment or the service manager, never printed.

use std::path::Path;

use anyhow::Context as _;

use super::handed_over::handed_over;
use super::named::{self, Kind};
use super::secrets;
use crate::wire::Token;
use crate::wire::challenge::SHORTEST_TOKEN;

/// Where it is looked for when no file is named.
pub(super) const VARIABLE: &str = "PORTPROOF_TOKEN";
/// What it is called among the secrets that a service manager hands over; looked for last.
const CREDENTIAL: &str = "portproof.token";
/// How one is made.
pub(super) const HOW: &str = "make one with `openssl rand -hex 32`";

/// The token; `None`: the user gave none.
///
/// # Errors
/// When its file cannot be read, or it is too short.
pub(super) fn token(file: Option<&Path>) -> anyhow::Result<Option<Token>> {
    let (text, from) = match file {
        Some(file) => (read(file)?, file.display().to_string()),
        None => match std::env::var(VARIABLE) {
            Ok(text) => (text, VARIABLE.to_string()),
            Err(std::env::VarError::NotPresent) => match handed_over(CREDENTIAL) {
                Some(file) => (read(&file)?, file.display().to_string()),
                None => return Ok(None),
            },
            Err(std::env::VarError::NotUnicode(_)) => anyhow::bail!("{VARIABLE} is no text"),
        },
    };
    let token = Token::new(text.trim_end_matches(['\r', '\n']));
    token.map(Some).with_context(|| {
        format!("the token of {from} has fewer than {SHORTEST_TOKEN} characters; {HOW}")
    })
}

fn read(file: &Path) -> anyhow::Result<String> {
    let reading = || format!("reading the token file {}", file.display());
    let content = named::read(file, Kind::Token).with_context(reading)?;
    let text = content.text().with_context(reading)?.to_string();
    secrets::warn_if_open(file, Kind::Token, &content);
    Ok(text)
}
