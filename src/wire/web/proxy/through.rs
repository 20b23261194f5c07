//! Asking for a tunnel: the socket work around the messages.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::connect::{self, Said};
use super::credentials::{Credentials, Loan};
use super::socks5::{self, Choice, Offer, Reply};
use super::{Kind, Offered, Passage, Refused};
use crate::wire::entrusted::Entrusted;
use crate::wire::message;
use crate::wire::web::http::authority::{Authority, Authorization};

/// The most bytes that a proxy may say before the tunnel.
const LARGEST_ANSWER: usize = 32 << 10;

/// Asks the proxy at the end of `stream` for a tunnel, within `limit`.
///
/// Waiting until another request has tried the credentials for the first time does not count. The stream is read byte
/// by byte where only the bytes themselves say where the tunnel begins, so that none of its bytes is lost.
pub(crate) async fn through<S: AsyncRead + AsyncWrite + Entrusted + Unpin>(
    mut stream: S,
    kind: Kind,
    target: &Authority,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Passage<S> {
    if credentials.is_some_and(Credentials::are_burnt) {
        return Passage::Refused(withheld());
    }
    let result = match kind {
        Kind::HttpConnect => by_connect(&mut stream, target, credentials, limit).await,
        Kind::Socks5 => by_socks5(&mut stream, target, credentials, limit).await,
    };
    match result {
        Ok(()) => Passage::Tunnel(stream),
        Err(refused) => Passage::Refused(refused),
    }
}

pub(super) fn withheld() -> Refused {
    Refused::Authentication {
        schemes: Vec::new(),
        credentials: Offered::Withheld,
    }
}

async fn by_connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: &Authority,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Result<(), Refused> {
    let loan = match credentials {
        Some(credentials) => Some(credentials.lend().await.ok_or_else(withheld)?),
        None => None,
    };
    let authorization = loan.as_ref().map(Loan::authorization);
    let mut line = Line {
        stream,
        deadline: Instant::now() + limit,
    };
    let authorization_text = authorization.as_ref().map(Authorization::value);
    let request = connect::request(target, authorization_text);
    match authorization {
        Some(_) => message::sent_secretly("CONNECT request"),
        None => message::sent("CONNECT request", request.len()),
    }
    line.send(&request).await;
    // A proxy might give back what it was told.
    let clear = |text: &str| match credentials {
        Some(credentials) => credentials.cleared(text),
        None => text.to_string(),
    };
    settle(loan, answer_to_connect(&mut line, clear).await)
}

/// What a request with credentials makes of them, by what came back.
pub(super) fn settle<T>(loan: Option<Loan<'_>>, result: Result<T, Refused>) -> Result<T, Refused> {
    let Some(loan) = loan else {
        return result;
    };
    match &result {
        // Whoever tries to reach the server has let the request in.
        Ok(_) | Err(Refused::Unreached { .. }) => loan.accepted(),
        // What is no proxy is not told a password twice.
        Err(Refused::Authentication { .. } | Refused::NotProxy { .. }) => loan.refused(),
        Err(Refused::Forbidden { .. } | Refused::Silent | Refused::Closed | Refused::Reset) => {}
    }
    result.map_err(|refused| match refused {
        Refused::Authentication { schemes, .. } => Refused::Authentication {
            schemes,
            credentials: Offered::Refused,
        },
        other => other,
    })
}

async fn answer_to_connect<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<'_, S>,
    clear: impl Fn(&str) -> String,
) -> Result<(), Refused> {
    let mut bytes = Vec::new();
    for length in 0..LARGEST_ANSWER {
        if let Err(ended) = line.receive(&mut bytes, 1).await {
            message::came("CONNECT answer", length);
            // What came without the end of a line may be another protocol.
            return Err(match connect::read(&bytes, &clear) {
                Said::Refused(refused) if !bytes.is_empty() => refused,
                _ => ended,
            });
        }
        if bytes.last() != Some(&b'\n') {
            continue;
        }
        let end = match connect::read(&bytes, &clear) {
            Said::Partial => continue,
            Said::Interim(length) => {
                drop(bytes.drain(..length));
                continue;
            }
            Said::Tunnel => Ok(()),
            Said::Refused(refused) => Err(refused),
        };
        message::came("CONNECT answer", length + 1);
        return end;
    }
    Err(Refused::not_a_proxy("its answer has no end"))
}

async fn by_socks5<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: &Authority,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Result<(), Refused> {
    let offer = match credentials {
        Some(_) => Offer::User,
        None => Offer::Nobody,
    };
    let mut line = Line {
        stream,
        deadline: Instant::now() + limit,
    };
    line.tell("SOCKS5 greeting", socks5::greeting(offer)).await;
    match (
        socks5::choice(offer, line.pair("SOCKS5 choice").await?),
        credentials,
    ) {
        (Choice::Refused(refused), _) => return Err(refused),
        (Choice::User, Some(credentials)) => log_in(&mut line, credentials).await?,
        (Choice::User, None) | (Choice::Nobody, _) => {}
    }
    line.tell("SOCKS5 request", &socks5::request(target)).await;
    let mut bytes = Vec::new();
    let end = loop {
        let ended = match socks5::reply(&bytes) {
            Reply::Partial(more) => line.receive(&mut bytes, more).await,
            Reply::Tunnel => break Ok(()),
            Reply::Refused(refused) => Err(refused),
        };
        if ended.is_err() {
            break ended;
        }
    };
    message::came("SOCKS5 reply", bytes.len());
    end
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<'_, S>,
    credentials: &Credentials,
) -> Result<(), Refused> {
    let left = line.deadline.saturating_duration_since(Instant::now());
    let loan = credentials.lend().await.ok_or_else(withheld)?;
    line.deadline = Instant::now() + left;
    message::sent_secretly("SOCKS5 login");
    line.send(&socks5::login(loan.user(), loan.password()))
        .await;
    match line.pair("SOCKS5 answer to the login").await {
        Ok(bytes) if socks5::is_login_taken(bytes) => {
            loan.accepted();
            Ok(())
        }
        // Some proxies close instead of saying no.
        Ok(_) | Err(Refused::Closed | Refused::Reset) => {
            loan.refused();
            Err(Refused::Authentication {
                schemes: Vec::new(),
                credentials: Offered::Refused,
            })
        }
        Err(other) => Err(other),
    }
}

/// A stream to a proxy, until a deadline.
struct Line<'a, S> {
    stream: &'a mut S,
    deadline: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<'_, S> {
    /// Sends what holds no secret.
    async fn tell(&mut self, kind: &str, bytes: &[u8]) {
        message::sent(kind, bytes.len());
        self.send(bytes).await;
    }

    /// A failed write is not the end: the proxy may have said why before it closed.
    async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout_at(self.deadline, self.stream.write_all(bytes)).await;
        let _ = timeout_at(self.deadline, self.stream.flush()).await;
    }

    /// Adds exactly this many bytes.
    async fn receive(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<(), Refused> {
        let begin = bytes.len();
        bytes.resize(begin + count, 0);
        let mut filled = begin;
        while filled < bytes.len() {
            let ended = match timeout_at(self.deadline, self.stream.read(&mut bytes[filled..]))
                .await
            {
                Err(_) => Refused::Silent,
                Ok(Ok(0)) => Refused::Closed,
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Refused::Closed,
                Ok(Err(_)) => Refused::Reset,
                Ok(Ok(count)) => {
                    filled += count;
                    continue;
                }
            };
            bytes.truncate(filled);
            return Err(ended);
        }
        Ok(())
    }

    async fn pair(&mut self, kind: &str) -> Result<[u8; 2], Refused> {
        let mut bytes = Vec::new();
        let ended = self.receive(&mut bytes, 2).await;
        message::came(kind, bytes.len());
        ended?;
        Ok([bytes[0], bytes[1]])
    }
}
