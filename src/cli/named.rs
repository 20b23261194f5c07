//! The files that a user names: what each may be, and reading it within its limit.
//!
//! Every file is read by `read`, so that no name can hold up a run or fill the memory. What stands there is looked at
//! before it is opened, because opening a device may do something; and again after, because it may have changed. Only
//! regular files are read: a pipe (`<(...)`, FIFOs) may never end, and cannot be read a second time. Standard input as
//! `/dev/stdin` is read where it is a regular file. The page on the site file lists all limits; a test compares.

use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;

use crate::os;
use crate::yaml;

/// What a file is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "nats"),
    expect(dead_code, reason = "only agents and their hub read some of them")
)]
pub(super) enum Kind {
    SiteFile,
    ServeFile,
    AgentFile,
    AgentsFile,
    AgentState,
    NatsCredentials,
    Catalogue,
    Ticket,
    Export,
    Report,
    Arrivals,
    ClientLog,
    Roots,
    ClientCertificate,
    Password,
    Token,
    PageKey,
    SigningKey,
    PublicKey,
    Signature,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Kind {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 20] = [
        Self::SiteFile,
        Self::ServeFile,
        Self::AgentFile,
        Self::AgentsFile,
        Self::AgentState,
        Self::NatsCredentials,
        Self::Catalogue,
        Self::Ticket,
        Self::Export,
        Self::Report,
        Self::Arrivals,
        Self::ClientLog,
        Self::Roots,
        Self::ClientCertificate,
        Self::Password,
        Self::Token,
        Self::PageKey,
        Self::SigningKey,
        Self::PublicKey,
        Self::Signature,
    ];

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SiteFile => "site file",
            Self::ServeFile => "file of `serve`",
            Self::AgentFile => "file of an agent",
            Self::AgentsFile => "file of the agents",
            Self::AgentState => "state of an agent",
            Self::NatsCredentials => "NATS credentials",
            Self::Catalogue => "catalogue",
            Self::Ticket => "ticket",
            Self::Export => "site export",
            Self::Report => "report",
            Self::Arrivals => "log of arrivals",
            Self::ClientLog => "log of a client",
            Self::Roots => "file of roots",
            Self::ClientCertificate => "client certificate",
            Self::Password => "password file",
            Self::Token => "token file",
            Self::PageKey => "key of the page",
            Self::SigningKey => "signing key",
            Self::PublicKey => "public key",
            Self::Signature => "signature",
        }
    }

    /// What whoever reads it can do with it, as the end of a sentence; nothing of what is no secret.
    pub(super) fn harm(self) -> &'static str {
        match self {
            Self::SigningKey => ": whoever has it can sign in its name",
            Self::PageKey => ": whoever has it can pass for the page",
            Self::Token => ": whoever has it can answer as a listener",
            Self::ClientCertificate => ": whoever has its key can pass for this client",
            Self::Password => ": whoever has it can log in with it",
            Self::NatsCredentials => ": whoever has it can connect in its name",
            Self::SiteFile
            | Self::ServeFile
            | Self::AgentFile
            | Self::AgentsFile
            | Self::AgentState
            | Self::Catalogue
            | Self::Ticket
            | Self::Export
            | Self::Report
            | Self::Arrivals
            | Self::ClientLog
            | Self::Roots
            | Self::PublicKey
            | Self::Signature => "",
        }
    }

    /// The most bytes that are read of it.
    pub(super) fn limit(self) -> u64 {
        match self {
            Self::SiteFile | Self::ServeFile | Self::AgentsFile | Self::Catalogue => {
                yaml::LARGEST_FILE as u64
            }
            // Some tens of thousands of flows, each with its evidence.
            Self::Report | Self::Arrivals => 128 * MIB,
            // Clients begin a new one at a few megabytes; the update agent's may be larger. PowerShell indents JSON by
            // hundreds of blanks.
            Self::ClientLog | Self::Export => 64 * MIB,
            // The bundle of a whole operating system has half of one.
            Self::Roots | Self::Ticket => 4 * MIB,
            Self::ClientCertificate | Self::AgentFile | Self::AgentState => MIB,
            Self::PageKey | Self::SigningKey | Self::PublicKey | Self::NatsCredentials => 64 * KIB,
            Self::Password | Self::Token | Self::Signature => 4 * KIB,
        }
    }

    /// Its limit as people say it.
    pub(super) fn limit_in_words(self) -> String {
        match self.limit() {
            bytes if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
            bytes => format!("{} KiB", bytes / KIB),
        }
    }
}

/// What stands in a file.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Whether accounts other than the file's own may read it.
    pub(super) open_to_others: bool,
}

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The system says no.
    Refused(io::Error),
    /// It is something else than a regular file.
    NotRegular(&'static str),
    /// It is too large for what it is named for.
    TooLarge(Kind),
    /// It is to be text, and is not.
    NotText,
}

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(formatter),
            Self::NotRegular(what) => write!(
                formatter,
                "it is {what}, and only regular files are read{}",
                match *what {
                    "a pipe" => ": save what comes out of it to a file, and name that file",
                    _ => "",
                }
            ),
            Self::TooLarge(kind) => write!(
                formatter,
                "it is larger than {}, the limit for a {}",
                kind.limit_in_words(),
                kind.name()
            ),
            Self::NotText => formatter.write_str("it is not UTF-8 text"),
        }
    }
}

impl std::error::Error for Unread {}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

/// Reads a file, whatever stands there.
///
/// # Errors
/// Why it is not read.
pub(super) fn read(path: &Path, kind: Kind) -> Result<Content, Unread> {
    must_be_regular(std::fs::metadata(path)?.file_type())?;
    let file = os::open(path)?;
    let metadata = file.metadata()?;
    must_be_regular(metadata.file_type())?;
    let limit = kind.limit();
    if metadata.len() > limit {
        return Err(Unread::TooLarge(kind));
    }
    // It may grow, and files that the system makes as they are read say that they are empty.
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Unread::TooLarge(kind));
    }
    Ok(Content {
        bytes,
        open_to_others: os::others_may_read(&metadata),
    })
}

impl Content {
    /// Its text.
    ///
    /// # Errors
    /// When it is not text.
    pub(super) fn text(&self) -> Result<&str, Unread> {
        std::str::from_utf8(&self.bytes).map_err(|_| Unread::NotText)
    }
}

fn must_be_regular(kind: std::fs::FileType) -> Result<(), Unread> {
    match os::other_than_regular(kind) {
        Some(what) => Err(Unread::NotRegular(what)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn refused(path: &Path, kind: Kind) -> String {
        match read(path, kind) {
            Ok(content) => panic!("{} bytes were read", content.bytes.len()),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_file_of_its_limit_is_read_and_one_of_a_byte_more_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        for kind in Kind::ALL {
            // Sparse: nothing of it stands on the disk.
            let file = File::create(&path).expect("a file");
            file.set_len(kind.limit()).expect("its size");
            let content = read(&path, kind).expect("a file within its limit");
            assert_eq!(content.bytes.len() as u64, kind.limit());
            for size in [kind.limit() + 1, 1 << 40] {
                file.set_len(size).expect("its size");
                let said = format!(
                    "it is larger than {}, the limit for a {}",
                    kind.limit_in_words(),
                    kind.name()
                );
                assert_eq!(refused(&path, kind), said);
            }
        }
    }

    #[test]
    fn a_folder_is_named_as_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for kind in Kind::ALL {
            assert_eq!(
                refused(folder.path(), kind),
                "it is a folder, and only regular files are read"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_told_in_the_words_of_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let why = read(&folder.path().join("nowhere"), Kind::Token).err();
        let Some(Unread::Refused(error)) = why else {
            panic!("{why:?}")
        };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_never_read_and_hold_up_nothing() {
        use std::os::unix::net::UnixListener;
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("mkfifo").success());
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        for kind in Kind::ALL {
            assert!(refused(Path::new("/dev/zero"), kind).starts_with("it is a device, "));
            assert!(refused(&socket, kind).starts_with("it is a socket, "));
            let said = refused(&fifo, kind);
            assert!(said.starts_with("it is a pipe, "), "{said}");
            assert!(said.ends_with("to a file, and name that file"), "{said}");
        }
        // A pipe that comes in the file's place after it was looked at opens at once, and shows itself.
        let opened = os::open(&fifo).expect("without a writer");
        let kind = opened.metadata().expect("metadata").file_type();
        assert_eq!(os::other_than_regular(kind), Some("a pipe"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_says_it_is_empty_is_read_to_its_limit_and_no_further() {
        // The system makes it as it is read: its size is said to be 0.
        let path = Path::new("/proc/self/smaps");
        assert_eq!(fs::metadata(path).expect("Linux").len(), 0);
        assert!(read(path, Kind::Report).is_ok_and(|it| it.bytes.len() > 4_096));
        assert!(refused(path, Kind::Token).starts_with("it is larger than 4 KiB"));
    }

    #[test]
    fn the_page_has_every_kind_with_its_limit_and_no_other() {
        let page = include_str!("../../docs/site-file.md");
        let table = page.split("## Files that are named\n").nth(1);
        let table = table.expect("the section").split("\n## ").next();
        let rows: Vec<&str> = table
            .unwrap_or_default()
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| file |"))
            .collect();
        for kind in Kind::ALL {
            let begins = format!("| {} |", kind.name());
            let ends = format!("| {} |", kind.limit_in_words());
            let row = rows.iter().find(|row| row.starts_with(&begins));
            assert!(
                row.is_some_and(|row| row.ends_with(&ends)),
                "{begins}{ends}"
            );
        }
        assert_eq!(rows.len(), Kind::ALL.len(), "{rows:?}");
    }
}
