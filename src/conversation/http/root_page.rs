//! One exchange for the root page: does a web server answer at all?

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::head::{self, HeadReading};
use super::request::Request;
use crate::conversation::message;
use crate::observation::{HttpSeen, Service};

/// The request: it asks for the root page, says who asks, and changes nothing.
pub(crate) fn request(host: &str, port: u16) -> Vec<u8> {
    let host = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    Request::get("/").closing().bytes_to(&host)
}

/// Sends the request and reads the head of the answer, all within `limit`.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
    port: u16,
    limit: Duration,
) -> (Service, Option<HttpSeen>) {
    let deadline = Instant::now() + limit;
    message::send(stream, "GET", &request(host, port), deadline).await;
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
            Err(_) => return (Service::Mute, None),
            Ok(Ok(0) | Err(_)) if bytes.is_empty() => return (Service::HungUp, None),
            Ok(Ok(0) | Err(_)) => return (Service::NotHttp, None),
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
        }
        match head::read(bytes) {
            HeadReading::Partial => {}
            HeadReading::Garbage => return (Service::NotHttp, None),
            HeadReading::Whole(head, _) | HeadReading::Spoilt(head) => return said(head.seen()),
        }
    }
}

fn said(seen: HttpSeen) -> (Service, Option<HttpSeen>) {
    let service = match seen.status {
        status @ 500.. => Service::ServerError(status),
        _ => Service::Spoke,
    };
    (service, Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_host_port_and_who_asks() {
        let text = String::from_utf8(request("2001:db8::1", 8443)).expect("text");
        let start = "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nUser-Agent: portproof/";
        assert!(text.starts_with(start));
        assert!(text.ends_with("Connection: close\r\n\r\n"));
    }
}
