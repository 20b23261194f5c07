//! One exchange for the root page: does a web server answer at all?

use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::authority::Authority;
use super::conversation;
use super::date;
use super::head::{self, Head, HeadReading, MOST_INTERIM};
use super::request::Request;
use crate::observation::{HttpSeen, Service};
use crate::wire::message;

/// The request: it asks for the root page, and changes nothing.
fn request() -> Request {
    Request::get("/").closing()
}

/// Sends the request and reads the head of the final answer, all within `limit`. Interim answers (1xx) are passed over: a
/// server that sends nothing else has not answered.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    to: &Authority,
    limit: Duration,
) -> (Service, Option<HttpSeen>) {
    let deadline = Instant::now() + limit;
    conversation::send(stream, &request(), to, deadline).await;
    let mut bytes = Vec::with_capacity(1_024);
    let said = answer(stream, &mut bytes, deadline).await;
    message::came("HTTP answer", bytes.len());
    said
}

async fn answer<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes: &mut Vec<u8>,
    deadline: Instant,
) -> (Service, Option<HttpSeen>) {
    let mut buffer = [0_u8; 4_096];
    loop {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => return ended(bytes, Service::Mute),
            Ok(Ok(0) | Err(_)) if bytes.is_empty() => return (Service::HungUp, None),
            Ok(Ok(0) | Err(_)) => return ended(bytes, Service::NotHttp),
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
        }
        match final_head(bytes).0 {
            HeadReading::Partial => {}
            HeadReading::Garbage => return ended(bytes, Service::NotHttp),
            HeadReading::Whole(head, _) | HeadReading::Spoilt(head) => return said(&head),
        }
    }
}

/// Reads the first head that is not passed over; the last that was comes beside it.
fn final_head(mut bytes: &[u8]) -> (HeadReading, Option<Head>) {
    let mut interim = None;
    for _ in 0..MOST_INTERIM {
        match head::read(bytes) {
            HeadReading::Whole(head, length) if head.may_be_followed() => {
                bytes = &bytes[length..];
                interim = Some(head);
            }
            reading => return (reading, interim),
        }
    }
    (head::read(bytes), interim)
}

/// What a server said that has sent no final head: interim answers, or what it would be without them.
fn ended(bytes: &[u8], without: Service) -> (Service, Option<HttpSeen>) {
    match final_head(bytes).1 {
        Some(interim) => (Service::InterimOnly, Some(interim.seen())),
        None => (without, None),
    }
}

fn said(head: &Head) -> (Service, Option<HttpSeen>) {
    let service = match head.status {
        status @ 500.. => Service::ServerError(status),
        _ if head.is_interim() => Service::InterimOnly,
        _ => Service::Spoke,
    };
    let clock = date::clock(head.header("date"), head.header("age"), Timestamp::now());
    let seen = HttpSeen {
        clock,
        ..head.seen()
    };
    (service, Some(seen))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[test]
    fn the_request_names_host_port_and_who_asks() {
        let to = Authority::new("2001:db8::1", 8443).expect("a host");
        let text = String::from_utf8(request().bytes(&to)).expect("text");
        let start = "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nUser-Agent: portproof/";
        assert!(text.starts_with(start));
        assert!(text.ends_with("Connection: close\r\n\r\n"));
    }

    /// What a server is taken for that says this and closes.
    async fn said_then_closed(bytes: &[u8]) -> (Service, Option<u16>) {
        let (mut near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(bytes).await.expect("written");
        drop(far);
        let limit = Duration::from_secs(10);
        let to = Authority::new("h", 80).expect("a host");
        let (service, seen) = exchange(&mut near, &to, limit).await;
        (service, seen.map(|seen| seen.status))
    }

    #[tokio::test]
    async fn a_final_status_decides_and_interim_ones_are_passed_over() {
        let once = "HTTP/1.1 100 Continue\r\n\r\n";
        for (bytes, expected) in [
            (
                format!("{once}HTTP/1.1 200 OK\r\n\r\n"),
                (Service::Spoke, 200),
            ),
            (
                format!("{}HTTP/1.1 503 No\r\n\r\n", once.repeat(8)),
                (Service::ServerError(503), 503),
            ),
            (once.to_string(), (Service::InterimOnly, 100)),
            (once.repeat(9), (Service::InterimOnly, 100)),
            (format!("{once}HTTP/1.1 20"), (Service::InterimOnly, 100)),
            (format!("{once}SSH-2.0-x\r\n"), (Service::InterimOnly, 100)),
            (
                "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".to_string(),
                (Service::InterimOnly, 101),
            ),
            (
                "HTTP/1.1 103 Early Hints\r\nno header\r\n\r\n".to_string(),
                (Service::InterimOnly, 103),
            ),
        ] {
            let (service, status) = expected;
            let said = said_then_closed(bytes.as_bytes()).await;
            assert_eq!(said, (service, Some(status)), "{bytes}");
        }
    }
}
