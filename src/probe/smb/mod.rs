//! SMB on TCP 445: the negotiation of a dialect, and nothing after it. No session, no tree, no name.
//!
//! [`Opening::AnyDialect`] begins with the SMB1 negotiate that offers SMB2 as well ([MS-SMB2] 3.2.4.2.2.1), because one
//! connection then reaches every generation: Windows Server 2003 answers in SMB1, all since 2008 in SMB2, and those
//! since 2008 R2 ask for a second, SMB2 negotiate, which names their best dialect. An SMB2 negotiate alone would make
//! Server 2003 hang up, which says nothing. A server hardened so far that it hangs up at the sight of SMB1 is met with
//! [`Opening::OnlySmb2`] on a new connection.

mod smb1;
mod smb2;

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::message::{self, Fault, begins_like};

/// The most bytes of an answer: the longest security token is far below it.
const LARGEST_ANSWER: usize = 1 << 16;
/// Bytes before each message on TCP: a zero and the length.
const PREFIX: usize = 4;

/// How the negotiation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// In SMB1, offering SMB2 too.
    AnyDialect,
    /// In SMB2.
    OnlySmb2,
}

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    /// The dialect it chose; `None`: none of those that were offered.
    pub(super) dialect: Option<Dialect>,
    /// Whether messages have to be signed.
    pub(super) signing: Signing,
}

/// A dialect of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `NT LM 0.12`, the last of SMB1.
    Smb1,
    /// SMB 2 or 3, by its revision number, as in `0x0311`.
    Smb2(u16),
}

/// Whether messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signing {
    /// The server does not sign.
    Off,
    /// It signs for those who ask.
    Enabled,
    /// It demands it.
    Required,
}

impl Signing {
    fn of(enabled: bool, required: bool) -> Self {
        match (enabled, required) {
            (_, true) => Self::Required,
            (true, false) => Self::Enabled,
            (false, false) => Self::Off,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smb1 => write!(formatter, "SMB 1"),
            Self::Smb2(revision) => {
                let [major, rest] = revision.to_be_bytes();
                write!(formatter, "SMB {major}.{}", rest >> 4)?;
                match rest & 0xf {
                    0 => Ok(()),
                    patch => write!(formatter, ".{patch}"),
                }
            }
        }
    }
}

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Settled(Spoken),
    /// SMB 2.1 or later: which, a negotiate in SMB2 tells.
    AskInSmb2(Signing),
}

/// Negotiates, within `limit`.
///
/// # Errors
/// What kept it from being recognised as SMB.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    opening: Opening,
    limit: Duration,
) -> Result<Spoken, Fault> {
    let deadline = Instant::now() + limit;
    let (request, next) = match opening {
        Opening::AnyDialect => (smb1::negotiate(), 1),
        Opening::OnlySmb2 => (smb2::negotiate(0), 1),
    };
    let signing = match ask(stream, &request, deadline).await? {
        Answer::Settled(spoken) => return Ok(spoken),
        Answer::AskInSmb2(signing) => signing,
    };
    match ask(stream, &smb2::negotiate(next), deadline).await {
        Ok(Answer::Settled(spoken)) => Ok(spoken),
        // It has spoken already.
        Ok(Answer::AskInSmb2(_)) | Err(_) => Ok(Spoken {
            dialect: None,
            signing,
        }),
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    deadline: Instant,
) -> Result<Answer, Fault> {
    message::send(stream, request, deadline).await;
    let bytes = message::receive(stream, frame, deadline).await?;
    read(&bytes).ok_or(Fault::Foreign)
}

/// How long a message is; `None`: this is none.
fn frame(bytes: &[u8]) -> Option<usize> {
    let length = match bytes {
        [0, high, middle, low, message @ ..] => {
            let is_smb = begins_like(message, smb1::MAGIC) || begins_like(message, smb2::MAGIC);
            is_smb.then_some(u32::from_be_bytes([0, *high, *middle, *low]) as usize)?
        }
        _ => begins_like(bytes, &[0]).then_some(0)?,
    };
    (length <= LARGEST_ANSWER).then_some(PREFIX + length)
}

/// Reads an answer that [`frame`] found whole.
fn read(bytes: &[u8]) -> Option<Answer> {
    let message = bytes.get(PREFIX..)?;
    smb2::read(message).or_else(|| smb1::read(message))
}

/// A message with its length before it.
fn prefixed(message: &[u8]) -> Vec<u8> {
    let mut bytes = (message.len() as u32).to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}
