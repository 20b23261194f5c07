//! What a process has in memory, as Linux says it.
use std::fs;

/// A process's own memory, in KiB. Pages of the program's file do not count: how many of them are in memory is the
/// system's choice.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) now: usize,
    /// The most that it has had. The system counts it late, so it may be wrong by some hundred KiB.
    pub(crate) most: usize,
}

/// The memory of a process; `None` when it has ended.
pub(crate) fn memory(process: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = |field: &str| -> Option<usize> {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    Some(Memory {
        now: kib("RssAnon:")?,
        most: kib("VmHWM:")?.checked_sub(kib("RssFile:")?)?,
    })
}
