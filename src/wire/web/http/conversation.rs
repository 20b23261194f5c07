//! Several requests on one connection, and a new connection where one ends.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::answer::{Ended, Reader, Reading};
use super::authority::Authority;
use super::request::Request;
use crate::wire::message;

/// A connection that is asked one thing after the other.
pub(crate) struct Conversation<S> {
    stream: S,
    answered: usize,
    open: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            answered: 0,
            open: true,
        }
    }

    /// Whether another request can be asked on it.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Sends one request and reads its answer, all within `limit`.
    pub(crate) async fn ask(
        &mut self,
        request: &Request,
        to: &Authority,
        limit: Duration,
    ) -> Reading {
        let deadline = Instant::now() + limit;
        send(&mut self.stream, request, to, deadline).await;
        let reading = self.read(Reader::new(request.verb()), deadline).await;
        self.answered += 1;
        self.open = reading.answer().is_some_and(|answer| answer.reusable);
        reading
    }

    async fn read(&mut self, mut reader: Reader, deadline: Instant) -> Reading {
        let mut buffer = [0_u8; 4_096];
        let mut length = 0;
        let reading = loop {
            let ended = match timeout_at(deadline, self.stream.read(&mut buffer)).await {
                Err(_) => Ended::TimeUp,
                Ok(Ok(0)) => Ended::Closed,
                Ok(Err(error)) => ended(&error),
                Ok(Ok(count)) => {
                    length += count;
                    match reader.feed(&buffer[..count]) {
                        Some(reading) => break reading,
                        None => continue,
                    }
                }
            };
            break reader.end(ended);
        };
        message::came("HTTP answer", length);
        reading
    }
}

/// Sends one request. The log is told no length where that would tell how long a password is.
pub(super) async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    request: &Request,
    to: &Authority,
    deadline: Instant,
) {
    let (kind, bytes) = (request.verb().name(), request.bytes(to));
    match to.authorization() {
        Some(_) => message::send_secretly(stream, kind, &bytes, deadline).await,
        None => message::send(stream, kind, &bytes, deadline).await,
    }
}

/// What an error of a stream says about the peer.
fn ended(error: &io::Error) -> Ended {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ended::Closed,
        // TLS reports an alert, and what it cannot read, as invalid data.
        io::ErrorKind::InvalidData => Ended::Alert(error.to_string().chars().take(200).collect()),
        _ => Ended::Reset,
    }
}

/// Asks every request in turn, each within `limit`, on as few connections as the server allows.
///
/// A server may close a connection between two requests. What breaks on a used connection is therefore asked once more
/// on a new one before it counts. None of these requests does harm when it is asked twice. When no connection can be
/// had, the rest is [`Reading::NotAsked`].
pub(crate) async fn ask_each<S, C, F>(
    mut connect: C,
    to: &Authority,
    requests: &[Request],
    limit: Duration,
) -> Vec<Reading>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: FnMut() -> F,
    F: Future<Output = Option<S>>,
{
    let mut readings = Vec::with_capacity(requests.len());
    let mut current: Option<Conversation<S>> = None;
    for request in requests {
        if let Some(used) = current.as_mut().filter(|known| known.is_open()) {
            let reading = used.ask(request, to, limit).await;
            if !matches!(
                reading,
                Reading::Closed | Reading::Reset | Reading::Alert(_)
            ) {
                readings.push(reading);
                continue;
            }
        }
        current = connect().await.map(Conversation::new);
        readings.push(match &mut current {
            Some(fresh) => fresh.ask(request, to, limit).await,
            None => Reading::NotAsked,
        });
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Verb;
    use crate::wire::web::http::body::BodyEnd;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    const LIMIT: Duration = Duration::from_millis(300);

    fn to() -> Authority {
        Authority::new("mp.example.com", 80).expect("a host")
    }

    /// A peer that answers each request on a connection with the next of these, then closes.
    fn peer(answers: &'static [&'static [u8]]) -> DuplexStream {
        let (near, mut far) = duplex(16_384);
        tokio::spawn(async move {
            for answer in answers {
                let mut request = [0; 2_048];
                if far.read(&mut request).await.unwrap_or(0) == 0 {
                    return;
                }
                let _ = far.write_all(answer).await;
            }
        });
        near
    }

    const STAYS: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
    const CLOSES: &[u8] = b"HTTP/1.1 405 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    async fn statuses(
        answers: &'static [&'static [u8]],
        requests: usize,
    ) -> (Vec<Option<u16>>, usize) {
        let connections = AtomicUsize::new(0);
        let connect = || {
            connections.fetch_add(1, Ordering::Relaxed);
            async move { Some(peer(answers)) }
        };
        let requests = vec![Request::nowhere(Verb::Get); requests];
        let readings = ask_each(connect, &to(), &requests, LIMIT).await;
        let statuses = readings.iter().map(Reading::status).collect();
        (statuses, connections.into_inner())
    }

    #[tokio::test]
    async fn requests_share_a_connection_while_it_lasts() {
        let (seen, connections) = statuses(&[STAYS, STAYS, STAYS], 3).await;
        assert_eq!((seen, connections), (vec![Some(404); 3], 1));
        let (seen, connections) = statuses(&[CLOSES, STAYS], 3).await;
        assert_eq!((seen, connections), (vec![Some(405); 3], 3));
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_in_between_costs_no_answer() {
        let (seen, connections) = statuses(&[STAYS], 3).await;
        assert_eq!((seen, connections), (vec![Some(404); 3], 3));
    }

    #[tokio::test]
    async fn without_a_connection_nothing_was_asked() {
        let connect = || async { None::<DuplexStream> };
        let readings = ask_each(connect, &to(), &[Request::get("/")], LIMIT).await;
        assert_eq!(readings, [Reading::NotAsked]);
    }

    /// Whatever a peer sends, however slowly and however much, one request ends within its limit.
    async fn within_the_limit(
        begin: &'static [u8],
        then: &'static [u8],
        pause: Duration,
    ) -> Reading {
        let (near, mut far) = duplex(1 << 20);
        let peer = tokio::spawn(async move {
            let _ = far.write_all(begin).await;
            while far.write_all(then).await.is_ok() {
                match pause {
                    Duration::ZERO => tokio::task::yield_now().await,
                    pause => tokio::time::sleep(pause).await,
                }
            }
        });
        let begun = Instant::now();
        let mut conversation = Conversation::new(near);
        let reading = conversation.ask(&Request::get("/"), &to(), LIMIT).await;
        assert!(
            begun.elapsed() < LIMIT + Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
        peer.abort();
        reading
    }

    #[tokio::test]
    async fn slow_endless_and_lying_servers_end_within_the_limit() {
        let second = Duration::from_secs(1);
        let at_once = Duration::ZERO;
        assert_eq!(within_the_limit(b"", b"H", second).await, Reading::Silent);
        let slow = within_the_limit(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            b"x",
            second,
        )
        .await;
        let answer = slow.answer().expect("an answer");
        assert_eq!(answer.ended, BodyEnd::Cut);
        for (begin, then) in [
            (&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n"[..]),
            (b"HTTP/1.1 200 OK\r\n\r\n", b"xxxxxxxxxxxxxxxx"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"1;ext\r\nx\r\n",
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
                b"xxxxxxxxxxxxxxxx",
            ),
        ] {
            let reading = within_the_limit(begin, then, at_once).await;
            let answer = reading.answer().expect("an answer");
            assert!(!answer.reusable && answer.body.len() <= 64 << 10);
        }
        assert_eq!(
            within_the_limit(b"", b"HTTP/1.1 100 Continue\r\n\r\n", at_once).await,
            Reading::Interim
        );
        assert_eq!(
            within_the_limit(b"", &[b'\n'; 64], at_once).await,
            Reading::Garbage
        );
    }
}
