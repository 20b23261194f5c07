//! The commands: reading files, printing, exit statuses. The only place that prints (`streams`, `output`).

#[cfg(feature = "nats")]
mod agent;
#[cfg(feature = "nats")]
mod agents;
mod alerts;
mod args;
mod check;
mod credentials;
mod diff;
mod example;
mod explain;
mod files;
mod history;
mod handed_over;
mod import;
mod init;
mod licences;
mod listen;
mod location;
mod log;
mod man;
mod named;
mod plan;
mod output;
mod report;
mod request;
mod rules;
mod runtime;
mod schema;
mod secrets;
mod serve;
mod service;
mod shown;
mod token;
mod signing;
mod streams;
mod via;

use std::panic;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Arguments, Command};
use streams::say;

/// The exit status when the command or a file is wrong, or the program itself failed.
const WRONG: u8 = 2;
/// What is said of a refusal whose findings stand on standard error.
const NOT_READ: &str = "the command or a file is wrong; standard error says what";

/// Runs the program. Whatever happens, it ends with a status of its own.
pub fn main() -> ExitCode {
    streams::faults_in_one_line();
    // The fault has been said where it was found.
    let ended =
        panic::catch_unwind(obey).or_else(|_| without_report("a fault of portproof itself"));
    ExitCode::from(ended.unwrap_or(WRONG))
}

/// The end of a command that has no report: one for Nagios has a status of its own.
fn without_report(why: &str) -> anyhow::Result<u8> {
    let words = std::env::args_os().map(|it| it.to_string_lossy().into_owned());
    match shown::is_for_nagios(words) {
        true => shown::could_not_check(why),
        false => Ok(WRONG),
    }
}

/// Does what the command line says.
fn obey() -> u8 {
    let done = match Arguments::try_parse() {
        Ok(arguments) => {
            if let Err(wrong) = log::start() {
                say!("warning: {wrong}");
            }
            run(arguments.command)
        }
        Err(instead) => show(&instead),
    };
    done.unwrap_or_else(|error| {
        say!("portproof: {error:#}");
        WRONG
    })
}

/// Prints help or version where they were asked for, and else what is wrong with the command line.
fn show(instead: &clap::Error) -> anyhow::Result<u8> {
    let printed = instead.print();
    if instead.use_stderr() {
        return without_report(NOT_READ);
    }
    streams::printed(printed)?;
    Ok(0)
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Example(arguments) => example::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        #[cfg(feature = "nats")]
        Command::Agent(arguments) => agent::run(&arguments),
        Command::Schema { of } => schema::run(of),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "portproof", &mut script);
            streams::print(&String::from_utf8_lossy(&script))?;
            Ok(0)
        }
        Command::Licences => licences::run(),
        Command::Man { into } => man::run(into.as_deref()),
    }
}
