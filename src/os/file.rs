//! Opening a file that somebody named, whatever stands there.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file for reading. It never waits: a FIFO without a writer opens at once, and has nothing to read.
///
/// # Errors
/// As the system says.
#[cfg(unix)]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use nix::libc;
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .read(true)
        // A terminal must not become this program's own.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// Opens a file for reading.
///
/// # Errors
/// As the system says.
#[cfg(not(unix))]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// What stands there in place of a regular file; `None`: a regular file.
pub(crate) fn other_than_regular(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some("a pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    (!kind.is_file()).then_some("no regular file")
}

/// Whether accounts other than the file's own may read it.
#[cfg(unix)]
pub(crate) fn others_may_read(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const GROUP_AND_OTHERS: u32 = 0o044;
    metadata.permissions().mode() & GROUP_AND_OTHERS != 0
}

/// Permissions elsewhere are lists of their own, which are not read here.
#[cfg(not(unix))]
pub(crate) fn others_may_read(_: &Metadata) -> bool {
    false
}
