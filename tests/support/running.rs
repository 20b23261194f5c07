//! Programs that run for as long as a test needs them.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

/// A Python program in a network namespace, which ends with this.
pub(crate) struct Running(Child);

impl Running {
    /// Starts one, and waits until it prints `ready`. It needs Python, which `scripts/test` installs.
    pub(crate) fn python(namespace: &str, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("ip");
        command
            .args([
                "netns",
                "exec",
                namespace,
                "/usr/bin/python3",
                "-c",
                program,
            ])
            .args(arguments);
        Self::ready(&mut command)
    }

    /// Starts a program, and waits until it prints `ready`. Its standard input stays open.
    pub(crate) fn ready(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut running = Self(child.expect("it starts"));
        let mut word = [0_u8; 5];
        let output = running.0.stdout.as_mut().expect("its output");
        output.read_exact(&mut word).expect("it says a word");
        assert_eq!(&word, b"ready");
        running
    }

    /// Closes its standard input, and takes what else it prints until it ends.
    pub(crate) fn rest(mut self) -> String {
        drop(self.0.stdin.take());
        let mut text = String::new();
        let output = self.0.stdout.as_mut().expect("its output");
        output.read_to_string(&mut text).expect("text");
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
