//! The commands: reading files, printing, exit statuses. The only place that prints.
#![expect(clippy::print_stderr, reason = "the commands print, nothing else does")]

mod args;
mod check;
mod credentials;
mod diff;
mod explain;
mod files;
mod listen;
mod log;
mod man;
mod named;
mod plan;
mod report;
mod rules;
mod schema;
mod token;
mod signing;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};

use args::{Arguments, Command};

/// The exit status when the command or a file is wrong, or the program itself failed.
const WRONG: u8 = 2;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(wrong) = log::start() {
        eprintln!("warning: {wrong}");
    }
    match run(arguments.command) {
        Ok(status) => ExitCode::from(status),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portproof: {error:#}");
            ExitCode::from(WRONG)
        }
    }
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Schema { of } => schema::run(of),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "portproof", &mut script);
            write_out(None, &String::from_utf8_lossy(&script))?;
            Ok(0)
        }
        Command::Man { into } => man::run(into.as_deref()),
    }
}

/// A reader such as `head` that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Writes a result to a file, or to standard output with its colours where these are wanted.
fn write_out(output: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match output {
        Some(path) => std::fs::write(path, anstream::adapter::strip_str(text).to_string())
            .with_context(|| format!("writing {}", path.display())),
        None => {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes())?;
            Ok(out.flush()?)
        }
    }
}
