//! What the program does, on standard error, for whoever asks with `PORTPROOF_LOG`: `docs/debugging.md`.
//!
//! A level that stands alone is that of this program. Another crate tells its part only where it is named: rustls shows
//! what servers said in their handshakes.

use std::env::{self, VarError};
use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The variable that says what is told.
const VARIABLE: &str = "PORTPROOF_LOG";
/// The levels, from the fewest lines to the most.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// What is told where nobody asks.
const QUIET: LevelFilter = LevelFilter::ERROR;

/// Starts to tell; what the variable gets wrong comes back, in one line. Nothing is then told.
pub(super) fn start() -> Result<(), String> {
    let wanted = match env::var(VARIABLE) {
        Ok(text) => targets(&text),
        Err(VarError::NotPresent) => Ok(quiet()),
        Err(VarError::NotUnicode(_)) => Err(format!("{VARIABLE} is not UTF-8")),
    };
    let (targets, wrong) = match wanted {
        Ok(targets) => (targets, Ok(())),
        Err(wrong) => (quiet(), Err(wrong)),
    };
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(colours)
        .with_writer(io::stderr)
        // A standard error that cannot be written ends no run.
        .log_internal_errors(false);
    // It fails only where somebody else in this process tells already.
    let _ = tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init();
    wrong
}

/// Whether lines are to be expected: a progress bar would garble them.
pub(super) fn is_on() -> bool {
    LevelFilter::current() > QUIET
}

fn quiet() -> Targets {
    own(QUIET)
}

fn own(level: LevelFilter) -> Targets {
    Targets::new().with_target(env!("CARGO_CRATE_NAME"), level)
}

/// Reads `LEVEL`, or `CRATE=LEVEL` and further ones behind commas.
fn targets(text: &str) -> Result<Targets, String> {
    let parts = text.split(',').map(str::trim);
    let mut parts = parts.filter(|part| !part.is_empty());
    parts.try_fold(quiet(), |targets, part| {
        let (target, word) = part
            .split_once('=')
            .unwrap_or((env!("CARGO_CRATE_NAME"), part));
        Ok(targets.with_target(target, level(word)?))
    })
}

fn level(word: &str) -> Result<LevelFilter, String> {
    let known = LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    match word.parse() {
        Ok(level) if known => Ok(level),
        _ => Err(format!(
            "{VARIABLE}: `{}` is no level; the levels are {}",
            crate::diagnostic::visible(word),
            LEVELS.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_alone_is_that_of_this_program() {
        let targets = targets("trace").expect("a level");
        assert!(targets.would_enable("portproof::probe", &Level::TRACE));
        assert!(!targets.would_enable("rustls::client::hs", &Level::ERROR));
    }

    #[test]
    fn another_crate_is_told_of_where_it_is_named() {
        let targets = targets("Debug, rustls=trace,").expect("levels");
        assert!(targets.would_enable("portproof::probe", &Level::DEBUG));
        assert!(!targets.would_enable("portproof::probe", &Level::TRACE));
        assert!(targets.would_enable("rustls::client::hs", &Level::TRACE));
    }

    #[test]
    fn nothing_but_errors_is_told_where_nobody_asks() {
        for text in ["", " ", "rustls=debug"] {
            let targets = targets(text).expect("nothing wrong");
            assert!(targets.would_enable("portproof", &Level::ERROR), "{text}");
            assert!(!targets.would_enable("portproof", &Level::WARN), "{text}");
        }
    }

    #[test]
    fn what_is_no_level_is_said_with_those_that_are() {
        for (text, word) in [
            ("debgu", "debgu"),
            ("rustls=5", "5"),
            ("debug,x=", ""),
            ("a\x1b", "a\\u{1b}"),
        ] {
            assert_eq!(
                targets(text).expect_err("no level"),
                format!(
                    "PORTPROOF_LOG: `{word}` is no level; the levels are off, error, warn, info, \
                     debug, trace"
                )
            );
        }
    }
}
