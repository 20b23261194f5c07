//! Getting a list over HTTP: a request, an answer, and perhaps a few redirects.
//!
//! `request` and `next` are pure. `fetch` goes round them over connections that its caller makes: the caller
//! knows names, proxies and rates, and says which hosts may be asked.

use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::{Answer, Broken, Head};
use crate::observation::ServerClock;
use crate::wire::message;
use crate::wire::web::http::authority::Authorization;
use crate::wire::web::http::{date, head};

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 3;

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// `Content-Type` header.
    pub(crate) content_type: Option<String>,
    /// The addresses that were asked, the one that answered last.
    pub(crate) asked: Vec<Url>,
    /// What the server that answered said the time is.
    pub(crate) clock: Option<ServerClock>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotFetched {
    /// The address is not one that is fetched: not HTTP, or without a host.
    Unfit {
        /// The address.
        url: String,
    },
    /// No connection to the host.
    Unreachable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What failed.
        why: NotConnected,
    },
    /// The server says something else than 200.
    Status(u16),
    /// So says the server, or the proxy that was to pass the request on.
    Passed(Box<head::Head>),
    /// It sends elsewhere: to HTTPS, or to a host that must not be asked.
    Elsewhere {
        /// Where.
        to: String,
    },
    /// It sends on and on.
    TooManyRedirects,
    /// The answer is broken.
    Broken(Broken),
    /// It accepted and said nothing within the time.
    Mute,
    /// It did not come to an end within the time.
    TooSlow {
        /// How much had come.
        bytes: usize,
    },
}

/// Why there is no connection, as its maker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotConnected {
    /// The name of the host does not exist.
    NoSuchName,
    /// A reset.
    Closed,
    /// An ICMP message.
    Rejected,
    /// Silence.
    Silent,
    /// This machine's own trouble.
    OwnTrouble,
}

/// How a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On a connection that leads to the host.
    Straight,
    /// On one to a proxy, which passes it on, and may be told who asks.
    PassedOn(Option<Authorization>),
}

/// What to do after the head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read the body.
    Read,
    /// Ask there.
    Ask(Url),
}

/// The host and port that an address leads to; `None` when it is not HTTP with a host.
pub(crate) fn destination(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str().filter(|_| url.scheme() == "http")?;
    // IPv6 addresses stand in brackets in an address, and nowhere else.
    let host = host.trim_matches(['[', ']']).to_string();
    Some((host, url.port_or_known_default()?))
}

/// The request for an address: it says who asks, and changes nothing. A proxy is told the whole address (RFC 9112
/// section 3.2.2).
pub(crate) fn request(url: &Url, way: &Way) -> String {
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let host = format!("{}{port}", url.host_str().unwrap_or_default());
    let (before, login) = match way {
        Way::Straight => (String::new(), String::new()),
        Way::PassedOn(who) => (
            format!("http://{host}"),
            who.as_ref().map_or(String::new(), |who| {
                format!("Proxy-Authorization: {}\r\n", who.value())
            }),
        ),
    };
    format!(
        "GET {before}{}{query} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: portproof/{}\r\nAccept: \
         */*\r\nAccept-Encoding: identity\r\n{login}Connection: close\r\n\r\n",
        url.path(),
        env!("CARGO_PKG_VERSION")
    )
}

/// What to do after the head of the answer to the last of the addresses that were asked.
///
/// # Errors
/// That there is nothing to be had.
pub(crate) fn next(
    head: &Head,
    asked: &[Url],
    way: &Way,
    allows: impl Fn(&str, u16) -> bool,
) -> Result<Next, NotFetched> {
    match head.status {
        200 => return Ok(Next::Read),
        301 | 302 | 303 | 307 | 308 => {}
        _ if *way != Way::Straight => {
            return Err(NotFetched::Passed(Box::new(head.whole.clone())));
        }
        status => return Err(NotFetched::Status(status)),
    }
    let (Some(from), Some(location)) = (asked.last(), &head.location) else {
        return Err(NotFetched::Status(head.status));
    };
    let elsewhere = |to: &str| NotFetched::Elsewhere { to: to.to_string() };
    let to = from.join(location).map_err(|_| elsewhere(location))?;
    match destination(&to) {
        Some((host, port)) if allows(&host, port) => {}
        _ => return Err(elsewhere(to.as_str())),
    }
    if asked.len() > MOST_REDIRECTS {
        return Err(NotFetched::TooManyRedirects);
    }
    Ok(Next::Ask(to))
}

/// Fetches an address within `limit`, redirects and all, with at most `most` bytes of body. `connect` makes a
/// connection for a host and port, which leads there or to the proxy; `allows` says whether a redirect may lead there.
///
/// # Errors
/// Why nothing was fetched.
pub(crate) async fn fetch<S: AsyncRead + AsyncWrite + Unpin>(
    url: &Url,
    most: usize,
    way: &Way,
    connect: impl AsyncFn(String, u16) -> Result<S, NotConnected>,
    allows: impl Fn(&str, u16) -> bool,
    limit: Duration,
) -> Result<Fetched, NotFetched> {
    let deadline = Instant::now() + limit;
    let mut asked = vec![url.clone()];
    loop {
        let url = &asked[asked.len() - 1];
        let (host, port) = destination(url).ok_or_else(|| NotFetched::Unfit {
            url: url.to_string(),
        })?;
        let connected = match timeout_at(deadline, connect(host.clone(), port)).await {
            Ok(connected) => connected,
            Err(_) => Err(NotConnected::Silent),
        };
        let stream = connected.map_err(|why| NotFetched::Unreachable { host, port, why })?;
        match exchange(stream, &asked, most, way, &allows, deadline).await? {
            Exchanged::Redirect(to) => asked.push(to),
            Exchanged::Answer(answer) => {
                let head = answer.head();
                let content_type = head.and_then(|head| head.content_type.clone());
                let said = |head: &Head| {
                    date::clock(head.date.as_deref(), head.age.as_deref(), Timestamp::now())
                };
                let clock = head.and_then(said);
                return Ok(Fetched {
                    body: answer.into_body(),
                    content_type,
                    asked,
                    clock,
                });
            }
        }
    }
}

enum Exchanged {
    Answer(Answer),
    Redirect(Url),
}

/// One request and its answer.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    asked: &[Url],
    most: usize,
    way: &Way,
    allows: impl Fn(&str, u16) -> bool,
    deadline: Instant,
) -> Result<Exchanged, NotFetched> {
    let request = asked.last().map(|url| request(url, way));
    let request = request.unwrap_or_default();
    match way {
        Way::PassedOn(Some(_)) => {
            message::send_secretly(&mut stream, "GET", request.as_bytes(), deadline).await;
        }
        Way::Straight | Way::PassedOn(None) => {
            message::send(&mut stream, "GET", request.as_bytes(), deadline).await;
        }
    }
    let mut bytes = 0;
    let next = |head: &Head| next(head, asked, way, &allows);
    let end = read(&mut stream, &mut bytes, most, next, deadline).await;
    message::came("HTTP answer", bytes);
    end
}

/// Reads the answer; `total` counts its bytes.
async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    total: &mut usize,
    most: usize,
    next: impl Fn(&Head) -> Result<Next, NotFetched>,
    deadline: Instant,
) -> Result<Exchanged, NotFetched> {
    let mut answer = Answer::new(most);
    let mut buffer = vec![0_u8; 16 << 10];
    loop {
        let count = match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) if *total == 0 => return Err(NotFetched::Mute),
            Err(_) => return Err(NotFetched::TooSlow { bytes: *total }),
            Ok(count) => count,
        };
        let headless = answer.head().is_none();
        let whole = match count {
            Ok(0) => answer.closed().map(|()| true),
            Ok(count) => {
                *total += count;
                answer.take(&buffer[..count])
            }
            // A reset ends no body, whatever the head says.
            Err(_) => Err(answer.closed().err().unwrap_or(Broken::CutShort)),
        };
        // What the head says comes first: the body of an error or a redirect is of no interest.
        if headless
            && let Some(head) = answer.head()
            && let Next::Ask(to) = next(head)?
        {
            return Ok(Exchanged::Redirect(to));
        }
        if whole.map_err(NotFetched::Broken)? {
            return Ok(Exchanged::Answer(answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    fn head(status: u16, location: Option<&str>) -> Head {
        let location = location.map_or(String::new(), |to| format!("Location: {to}\r\n"));
        let mut answer = Answer::new(0);
        let bytes = format!("HTTP/1.1 {status} So\r\n{location}\r\n");
        answer.take(bytes.as_bytes()).expect("a head");
        answer.head().expect("a head").clone()
    }

    #[test]
    fn the_request_is_for_path_and_query_of_the_host() {
        let straight = |text| request(&url(text), &Way::Straight);
        let text = straight("http://pki.example.com:8080/ca+.crl?a=b#c");
        assert!(text.starts_with("GET /ca+.crl?a=b HTTP/1.1\r\nHost: pki.example.com:8080\r\n"));
        assert!(text.ends_with("\r\n\r\n"));
        let text = straight("http://[2001:db8::1]");
        assert!(text.starts_with("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n"));
    }

    #[test]
    fn a_proxy_is_told_the_whole_address_and_perhaps_who_asks() {
        let who = Authorization::new("Basic eDp5".to_string());
        let of = |who| {
            request(
                &url("http://pki.example.com:8080/ca.crl?a"),
                &Way::PassedOn(who),
            )
        };
        assert!(of(None).starts_with(
            "GET http://pki.example.com:8080/ca.crl?a HTTP/1.1\r\nHost: pki.example.com:8080\r\n"
        ));
        assert!(!of(None).contains("Authorization"));
        assert!(of(Some(who)).contains("\r\nProxy-Authorization: Basic eDp5\r\n"));
    }

    #[test]
    fn only_http_with_a_host_leads_somewhere() {
        let to = |text| destination(&url(text));
        assert_eq!(to("http://h/x"), Some(("h".to_string(), 80)));
        assert_eq!(to("http://[::1]:81/"), Some(("::1".to_string(), 81)));
        for text in ["https://h/x", "ldap://h/x", "file:///x", "data:x"] {
            assert_eq!(to(text), None, "{text}");
        }
    }

    #[test]
    fn redirects_lead_only_where_they_may_and_not_for_ever() {
        let asked = [url("http://h/a/list.crl")];
        let here = |host: &str, port: u16| host == "h" && port == 80;
        let after =
            |location: Option<&str>| next(&head(302, location), &asked, &Way::Straight, here);
        assert_eq!(after(Some("b.crl")), Ok(Next::Ask(url("http://h/a/b.crl"))));
        assert_eq!(after(Some("/b")), Ok(Next::Ask(url("http://h/b"))));
        for to in [
            "http://other/b",
            "https://h/b",
            "http://h:81/b",
            "ldap://h/b",
        ] {
            let to = url(to).to_string();
            assert_eq!(after(Some(&to)), Err(NotFetched::Elsewhere { to }));
        }
        assert_eq!(after(None), Err(NotFetched::Status(302)));
        let many = vec![url("http://h/"); MOST_REDIRECTS + 1];
        assert_eq!(
            next(&head(301, Some("/")), &many, &Way::Straight, here),
            Err(NotFetched::TooManyRedirects)
        );
        let as_many_as_may_be = &many[1..];
        assert!(
            next(
                &head(301, Some("/")),
                as_many_as_may_be,
                &Way::Straight,
                here
            )
            .is_ok()
        );
    }

    #[test]
    fn any_other_status_than_200_is_told() {
        let asked = [url("http://h/")];
        let all = |head: &Head, way| next(head, &asked, way, |_, _| true);
        assert_eq!(all(&head(200, None), &Way::Straight), Ok(Next::Read));
        let by_proxy = all(&head(403, None), &Way::PassedOn(None));
        assert!(matches!(by_proxy, Err(NotFetched::Passed(head)) if head.status == 403));
        for status in [204, 206, 304, 403, 404, 500] {
            assert_eq!(
                all(&head(status, Some("/")), &Way::Straight),
                Err(NotFetched::Status(status))
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_location_is_followed_or_told_without_panic(location: String) {
            let asked = [url("http://h/a")];
            let mut head = head(302, Some("/"));
            head.location = Some(location);
            let _ = next(&head, &asked, &Way::Straight, |_, _| true);
        }
    }
}
