//! SMB on TCP 445: the negotiation of a dialect, and nothing after it. No session, no tree, no name.
//!
//! [`Opening::AnyDialect`] begins with the SMB1 negotiate that offers SMB2 as well ([MS-SMB2] 3.2.4.2.2.1), because one
//! connection then reaches every generation. Windows Server 2003 answers in SMB1, all since 2008 in SMB2. Those since
//! 2008 R2 ask for a second, SMB2 negotiate, which names their best dialect. An SMB2 negotiate alone would make Server
//! 2003 hang up, which says nothing. A server hardened so far that it hangs up at the sight of SMB1 is met with
//! [`Opening::OnlySmb2`] on a new connection.

mod smb1;
mod smb2;

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::wire::message::{self, Fault, begins_like};

/// The most bytes of an answer: the longest security token is far below it.
const LARGEST_ANSWER: usize = 1 << 16;
/// Bytes before each message on TCP: a zero and the length.
const PREFIX: usize = 4;

/// How the negotiation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// In SMB1, offering SMB2 too.
    AnyDialect,
    /// In SMB2.
    OnlySmb2,
}

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// The dialect it chose; `None`: none of those that were offered.
    pub(crate) dialect: Option<Dialect>,
    /// Whether messages have to be signed.
    pub(crate) signing: Signing,
}

/// A dialect of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `NT LM 0.12`, the last of SMB1.
    Smb1,
    /// SMB 2 or 3, by its revision number, as in `0x0311`.
    Smb2(u16),
}

/// Whether messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
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
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
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
    message::send(stream, "SMB negotiation", request, deadline).await;
    let bytes = message::receive(stream, "SMB answer", frame, deadline).await?;
    read(&bytes).ok_or(Fault::Foreign)
}

/// How long a message is; `None`: this is no message.
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

#[cfg(test)]
mod tests {
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    /// An answer in SMB1 with these words.
    fn smb1(words: &[u8]) -> Vec<u8> {
        let mut message = b"\xffSMB\x72\0\0\0\0\x88".to_vec();
        message.resize(32, 0);
        message.push((words.len() / 2) as u8);
        message.extend(words);
        message.extend([0, 0]);
        prefixed(&message)
    }

    /// An answer in SMB2.
    fn smb2(status: u32, mode: u16, dialect: u16) -> Vec<u8> {
        let mut message = b"\xfeSMB\x40\0\0\0".to_vec();
        message.extend(status.to_le_bytes());
        message.extend([0, 0, 1, 0, 1, 0, 0, 0]);
        message.resize(64, 0);
        message.extend([65, 0]);
        message.extend(mode.to_le_bytes());
        message.extend(dialect.to_le_bytes());
        message.resize(128, 0);
        prefixed(&message)
    }

    async fn negotiate(answers: &[Vec<u8>]) -> Result<Spoken, Fault> {
        let bytes = answers.concat();
        exchange(
            &mut join(bytes.as_slice(), sink()),
            Opening::AnyDialect,
            LIMIT,
        )
        .await
    }

    #[tokio::test]
    async fn a_server_of_2003_chooses_smb1_and_says_whether_it_signs() {
        for (mode, signing) in [
            (0x03, Signing::Off),
            (0x07, Signing::Enabled),
            (0x0f, Signing::Required),
        ] {
            let mut words = vec![0, 0, mode];
            words.resize(34, 0);
            let dialect = Some(Dialect::Smb1);
            let spoken = Spoken { dialect, signing };
            assert_eq!(negotiate(&[smb1(&words)]).await, Ok(spoken));
        }
    }

    #[tokio::test]
    async fn no_common_dialect_is_smb_all_the_same() {
        let spoken = Spoken {
            dialect: None,
            signing: Signing::Off,
        };
        assert_eq!(negotiate(&[smb1(&[0xff, 0xff])]).await, Ok(spoken));
        assert_eq!(negotiate(&[smb2(0xc000_00bb, 0, 0)]).await, Ok(spoken));
    }

    #[tokio::test]
    async fn a_server_that_falls_silent_after_the_first_answer_has_spoken() {
        let first = smb2(0, 3, 0x02ff);
        let spoken = Spoken {
            dialect: None,
            signing: Signing::Required,
        };
        assert_eq!(negotiate(std::slice::from_ref(&first)).await, Ok(spoken));
        assert_eq!(negotiate(&[first.clone(), first]).await, Ok(spoken));
    }

    #[tokio::test]
    async fn echoes_other_protocols_and_huge_answers_are_not_smb() {
        let foreign = [
            smb1::negotiate(),
            smb2::negotiate(0),
            b"HTTP/1.1 400".to_vec(),
            b"\0\0\0\x0cHTTP/1.1 400".to_vec(),
            b"\0\xff\xff\xff\xfeSMB".to_vec(),
            vec![0; 4],
        ];
        for bytes in foreign {
            assert_eq!(negotiate(&[bytes]).await, Err(Fault::Foreign));
        }
        assert_eq!(negotiate(&[]).await, Err(Fault::HungUp));
        let cut = smb2(0, 1, 0x0311)[..90].to_vec();
        assert_eq!(negotiate(&[cut]).await, Err(Fault::HungUpMidway));
    }

    #[test]
    fn dialects_are_named_as_people_name_them() {
        let names = [0x0202, 0x0210, 0x0300, 0x0302, 0x0311]
            .map(|revision| Dialect::Smb2(revision).to_string());
        let expected = ["SMB 2.0.2", "SMB 2.1", "SMB 3.0", "SMB 3.0.2", "SMB 3.1.1"];
        assert_eq!(names, expected);
    }
}
