//! Programs that this one starts, and ends when they take too long.

use std::io;
use std::process::{Child, Command};

/// Has a program and all that it starts form a group of their own.
#[cfg(unix)]
pub(crate) fn in_a_group_of_its_own(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

/// Groups of processes are a thing of Unix.
#[cfg(not(unix))]
pub(crate) fn in_a_group_of_its_own(_: &mut Command) {}

/// Ends a program that runs in a group of its own, and all of that group.
///
/// # Errors
/// As the system says.
#[cfg(unix)]
pub(crate) fn end_with_its_group(child: &mut Child) -> io::Result<()> {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    let group = i32::try_from(child.id()).map_err(io::Error::other)?;
    // It was not waited for yet, so its number is still its own.
    killpg(Pid::from_raw(group), Signal::SIGKILL)?;
    child.wait()?;
    Ok(())
}

/// Ends a program. What it started goes on.
///
/// # Errors
/// As the system says.
#[cfg(not(unix))]
pub(crate) fn end_with_its_group(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}
