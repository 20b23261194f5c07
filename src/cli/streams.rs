//! Standard output and standard error.
//!
//! What a command prints for programs goes to standard output: when it cannot be written, the command has failed. A reader
//! such as `head` that has seen enough is no failure, and the exit status stays what the result asks for.
//!
//! What is said to whoever sits there goes to standard error by `say!`. It never ends a run: a full disk or a closed pipe
//! behind it loses the words, not the report. The macros of the standard library panic there, so lints refuse them.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context as _;

use crate::diagnostic::visible;
use crate::os::{Make, made};

/// Says something on standard error, as `eprintln!` does; a line end that is there already is not doubled.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::cli::streams::tell(format_args!($($words)*))
    };
}
pub(super) use say;

/// What takes the words in the place of standard error.
static LOG: OnceLock<Mutex<File>> = OnceLock::new();

/// From now on, words are appended to a file.
pub(super) fn tell_a_file(file: File) {
    let _ = LOG.set(Mutex::new(file));
}

pub(super) fn tell(words: fmt::Arguments<'_>) {
    let mut text = words.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let _ = match LOG.get() {
        Some(file) => {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(text.as_bytes())
        }
        None => io::stderr().write_all(text.as_bytes()),
    };
}

/// Asks whoever sits there: the answer may stand behind the words, in the same line.
pub(super) fn ask(words: &str) {
    let mut to = io::stderr().lock();
    let _ = to.write_all(words.as_bytes()).and_then(|()| to.flush());
}

/// Prints a result on standard output, with its colours where these are wanted.
///
/// # Errors
/// When standard output takes it no more, a closed pipe aside.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    // To leave colours out takes long for a large text, and most have none.
    let mut out: Box<dyn Write> = match text.contains('\u{1b}') {
        true => Box::new(anstream::stdout().lock()),
        false => Box::new(io::stdout().lock()),
    };
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a large result on standard output as it is made; it has no colours.
///
/// # Errors
/// As [`print`].
pub(super) fn print_as_it_comes(make: &Make<'_>) -> anyhow::Result<()> {
    printed(made(io::stdout().lock(), make))
}

/// What the end of printing means.
pub(super) fn printed(ended: io::Result<()>) -> anyhow::Result<()> {
    match ended {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ended => ended.context("writing to standard output"),
    }
}

/// Lets a fault of the program itself be said in one line. With `RUST_BACKTRACE` the backtrace is shown instead.
pub(super) fn faults_in_one_line() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|fault| say!("{}", in_one_line(fault))));
    }
}

fn in_one_line(fault: &PanicHookInfo<'_>) -> String {
    let payload = fault.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = fault
        .location()
        .map(|at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "portproof: a fault of the program itself{}: {}; RUST_BACKTRACE=1 shows more, which helps \
         in a report of the fault",
        place.unwrap_or_default(),
        visible(text.unwrap_or("no words"))
    )
}
