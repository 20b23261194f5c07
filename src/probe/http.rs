//! One HTTP/1.1 exchange: the request and the reading of the answer are pure, the socket work is a loop around them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::observation::{HttpSeen, Service};

/// The most bytes of an answer's head.
const LARGEST_HEAD: usize = 16 << 10;
/// The most characters of a header in the evidence.
const LONGEST_TEXT: usize = 200;

/// What has been read so far means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// More is needed.
    Partial,
    /// The head of an HTTP answer.
    Head(HttpSeen),
    /// Not HTTP.
    Garbage,
}

/// The request: it asks for the root page, says who asks, and changes nothing.
pub(super) fn request(host: &str, port: u16) -> String {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_string()
    };
    format!(
        "GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: portproof/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Reads the head of an answer.
pub(super) fn parse(bytes: &[u8]) -> Reading {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {
            head(&response).map_or(Reading::Garbage, Reading::Head)
        }
        // The status line may be known before the head is whole; a hundred headers are still HTTP.
        Ok(httparse::Status::Partial) if bytes.len() >= LARGEST_HEAD => {
            head(&response).map_or(Reading::Garbage, Reading::Head)
        }
        Ok(httparse::Status::Partial) => Reading::Partial,
        // Whoever sent a good status line speaks HTTP, even where a header after it cannot be read.
        Err(_) => head(&response).map_or(Reading::Garbage, Reading::Head),
    }
}

fn head(response: &httparse::Response<'_, '_>) -> Option<HttpSeen> {
    let header = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(
            String::from_utf8_lossy(found.value)
                .chars()
                .take(LONGEST_TEXT)
                .collect(),
        )
    };
    Some(HttpSeen {
        version: format!("HTTP/1.{}", response.version?),
        status: response.code?,
        reason: response
            .reason
            .unwrap_or_default()
            .chars()
            .take(LONGEST_TEXT)
            .collect(),
        server: header("server"),
        via: header("via"),
    })
}

/// Sends the request and reads the head of the answer, all within `limit`.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
    port: u16,
    limit: Duration,
) -> (Service, Option<HttpSeen>) {
    let deadline = Instant::now() + limit;
    // A peer that closed its side may still have said why: a failed write is not the end.
    let _ = timeout_at(deadline, stream.write_all(request(host, port).as_bytes())).await;
    let _ = timeout_at(deadline, stream.flush()).await;
    let mut bytes = Vec::with_capacity(1_024);
    let mut buffer = [0_u8; 4_096];
    loop {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => return (Service::Mute, None),
            Ok(Ok(0) | Err(_)) => {
                return (
                    if bytes.is_empty() {
                        Service::HungUp
                    } else {
                        Service::NotHttp
                    },
                    None,
                );
            }
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
        }
        match parse(&bytes) {
            Reading::Partial if bytes.len() < LARGEST_HEAD => {}
            Reading::Partial | Reading::Garbage => return (Service::NotHttp, None),
            Reading::Head(seen) if seen.status >= 500 => {
                return (Service::ServerError(seen.status), Some(seen));
            }
            Reading::Head(seen) => return (Service::Spoke, Some(seen)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_host_port_and_who_asks() {
        let text = request("2001:db8::1", 8443);
        assert!(
            text.starts_with(
                "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nUser-Agent: portproof/"
            )
        );
        assert!(text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_whole_head_is_read_and_a_part_waits() {
        let whole = b"HTTP/1.1 403 Forbidden\r\nServer: Microsoft-IIS/7.5\r\n\r\n";
        let Reading::Head(seen) = parse(whole) else {
            panic!("no head")
        };
        assert_eq!(
            (seen.status, seen.server.as_deref()),
            (403, Some("Microsoft-IIS/7.5"))
        );
        assert_eq!(parse(&whole[..20]), Reading::Partial);
        assert_eq!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), Reading::Garbage);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
