//! A program that is told: the message comes to its standard input as JSON.
//!
//! No shell is between, so words of a message are never a command. Exit status 0 means that the program has it. Whatever
//! ends otherwise, or not in time, is tried again; a program that cannot be started is a refusal. When the time is over,
//! the program ends with all that it has started. The end of what it wrote to standard error goes into the fault, and
//! what it writes to standard output goes nowhere.

use std::io::{ErrorKind, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::Message;
use super::pace::Fault;
use crate::os;

/// The most bytes of its standard error that are kept.
const KEPT: usize = 300;
/// How often is asked whether it has ended.
const ASKED: Duration = Duration::from_millis(20);
/// How long its last words are waited for when it has ended. Programs that it left behind may keep the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs the program.
pub(super) fn run(words: &[String], timeout: Duration, message: &Message) -> Result<(), Fault> {
    let until = Instant::now() + timeout;
    let [program, arguments @ ..] = words else {
        return Err(Fault::refused("the command is empty"));
    };
    let input = serde_json::to_vec(message).map_err(|why| Fault::refused(why.to_string()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    os::in_a_group_of_its_own(&mut command);
    let mut child = command.spawn().map_err(|why| not_started(program, &why))?;
    feed(&mut child, input);
    let said = Said::listen(&mut child);
    let end = wait(&mut child, until);
    match end {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(Fault::later(format!("{program}: {status}: {}", said.end()))),
        Ok(None) => Err(Fault::later(format!(
            "{program} was ended after {timeout:?}: {}",
            said.end()
        ))),
        Err(why) => Err(Fault::later(format!("{program}: {why}"))),
    }
}

fn not_started(program: &str, why: &std::io::Error) -> Fault {
    let words = format!("{program} cannot be started: {why}");
    match why.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => Fault::refused(words),
        _ => Fault::later(words),
    }
}

/// Writes to its standard input. A program need not read it.
fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut pipe) = child.stdin.take() {
        thread::spawn(move || {
            // A program that ends without having read it all has its own reasons.
            let _ = pipe.write_all(&input);
        });
    }
}

/// Waits until it ends. `None`: it was ended.
fn wait(child: &mut Child, until: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            os::end_with_its_group(child)?;
            return Ok(None);
        }
        thread::sleep(ASKED);
    }
}

/// The end of what a program writes to standard error.
struct Said {
    kept: Arc<Mutex<Vec<u8>>>,
    over: mpsc::Receiver<()>,
}

impl Said {
    fn listen(child: &mut Child) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (tell, over) = mpsc::channel();
        if let Some(pipe) = child.stderr.take() {
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                keep_the_end(pipe, &kept);
                // Nobody listens any more when the program was given up.
                let _ = tell.send(());
            });
        }
        Self { kept, over }
    }

    fn end(&self) -> String {
        // What has not come by then is left out.
        let _ = self.over.recv_timeout(LAST_WORDS);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// Reads all, so that the program is never held up, and keeps the end.
fn keep_the_end(mut pipe: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut part = [0; 8 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut part) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&part[..length]);
        let beyond = kept.len().saturating_sub(KEPT);
        kept.drain(..beyond);
    }
}
