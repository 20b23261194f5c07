//! NATS: the server speaks first. Before TLS begins it sends one line, `INFO` and in JSON what it is (the client protocol,
//! docs.nats.io/reference/reference-protocols/nats-protocol). Nothing is said to it.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncRead;
use tokio::time::Instant;

use crate::wire::message::{self, Fault};

/// What the line begins with.
const MARK: &[u8] = b"INFO {";
/// The most bytes of it: a server of a large cluster names all others.
const LONGEST: usize = 1 << 15;
/// The most characters of a name or a version.
const LONGEST_WORD: usize = 255;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Greeting {
    #[serde(rename = "server_id")]
    _id: String,
    /// Its version.
    pub(crate) version: Option<String>,
    /// Its name.
    #[serde(rename = "server_name")]
    pub(crate) name: Option<String>,
}

/// Waits for the greeting, within `limit`.
///
/// # Errors
/// What kept it from being recognised as NATS.
pub(crate) async fn greeting<S: AsyncRead + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Greeting, Fault> {
    let deadline = Instant::now() + limit;
    let line = message::receive(stream, "NATS greeting", frame, deadline).await?;
    read(&line).ok_or(Fault::Foreign)
}

fn frame(bytes: &[u8]) -> Option<usize> {
    if !message::begins_like(bytes, MARK) {
        return None;
    }
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => Some(end + 1),
        None if bytes.len() < LONGEST => Some(MARK.len().max(bytes.len() + 1)),
        None => None,
    }
}

fn read(line: &[u8]) -> Option<Greeting> {
    let json = line.strip_prefix(b"INFO ")?;
    let mut greeting: Greeting = serde_json::from_slice(json).ok()?;
    for word in [&mut greeting.version, &mut greeting.name] {
        *word = word
            .take()
            .map(|it| it.chars().take(LONGEST_WORD).collect());
    }
    Some(greeting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    async fn greeted(mut bytes: &[u8]) -> Result<Option<String>, Fault> {
        greeting(&mut bytes, LIMIT).await.map(|it| it.version)
    }

    #[tokio::test]
    async fn a_server_says_its_version() {
        let line = b"INFO {\"server_id\":\"NA\",\"version\":\"2.15.1\",\"tls_required\":true} \r\nPING\r\n";
        assert_eq!(greeted(line).await, Ok(Some("2.15.1".to_string())));
        assert_eq!(greeted(b"INFO {\"server_id\":\"NA\"}\n").await, Ok(None));
    }

    #[tokio::test]
    async fn what_greets_otherwise_is_no_nats_server() {
        for line in [
            "220 mail\r\n",
            "INFO {}\r\n",
            "INFO {\"server_id\":1}\r\n",
            "INFO {oh}\n",
        ] {
            assert_eq!(
                greeted(line.as_bytes()).await,
                Err(Fault::Foreign),
                "{line}"
            );
        }
        assert_eq!(greeted(b"").await, Err(Fault::HungUp));
        assert_eq!(greeted(b"INFO {\"ser").await, Err(Fault::HungUpMidway));
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_left() {
        let endless = [MARK, &vec![b' '; LONGEST]].concat();
        assert_eq!(greeted(&endless).await, Err(Fault::Foreign));
    }
}
