//! Plain HTTP through an HTTP proxy, as clients go: a request that names the whole URL (RFC 9112 section 3.2.2), and no
//! tunnel. Proxies as a rule open tunnels to port 443 alone.
//!
//! The root page is asked for, or a revocation list ([`fetch`]). What comes back may be the server's answer or the
//! proxy's own word. Some proxies mark theirs (`connect::own_word`). Of the others the answer is compared with the
//! proxy's voice: what it says of a host that cannot exist ([`NOBODY`]).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use super::connect;
use super::credentials::{Credentials, Loan};
use super::through::{settle, withheld};
use super::{Refused, Unreached};
use crate::wire::entrusted::Entrusted;
use crate::wire::trust::revocation::answer::Broken;
use crate::wire::trust::revocation::fetch::{self, Fetched, NotConnected, NotFetched, Way};
use crate::wire::web::http::answer::{Answer, Reading};
use crate::wire::web::http::authority::Authority;
use crate::wire::web::http::conversation::Conversation;
use crate::wire::web::http::is_one_speaker;
use crate::wire::web::http::request::Request;

/// A host that no resolver knows (RFC 6761 section 6.4), so that a proxy itself has to answer for it.
pub(crate) const NOBODY: &str = "portproof.invalid";

/// Asks the proxy at the end of `stream` for the root page of `target`, within `limit`.
///
/// # Errors
/// Why there is no answer of the server, as far as the proxy marks its own words.
pub(crate) async fn root_page<S: AsyncRead + AsyncWrite + Entrusted + Unpin>(
    stream: S,
    target: &Authority,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Result<Answer, Refused> {
    let loan = match credentials {
        Some(credentials) => Some(credentials.lend().await.ok_or_else(withheld)?),
        None => None,
    };
    let authorization = loan.as_ref().map(Loan::authorization);
    let to = target.clone().by_way_of_a_proxy(authorization);
    let request = Request::get("/").closing();
    let reading = Conversation::new(stream).ask(&request, &to, limit).await;
    // A proxy might give back what it was told.
    let clear = |text: &str| match credentials {
        Some(credentials) => credentials.cleared(text),
        None => text.to_string(),
    };
    settle(loan, read(reading, clear))
}

/// Fetches what stands at an address, redirects and all, over connections to the proxy that `connect` makes. Inside is
/// what came of it at the server, or of an answer that may be the proxy's own and bears no mark.
///
/// # Errors
/// The proxy's own word, or that it gave no answer at all.
pub(crate) async fn fetch<S: AsyncRead + AsyncWrite + Entrusted + Unpin>(
    url: &Url,
    most: usize,
    credentials: Option<&Credentials>,
    connect: impl AsyncFn(String, u16) -> Result<S, NotConnected>,
    allows: impl Fn(&str, u16) -> bool,
    limit: Duration,
) -> Result<Result<Fetched, NotFetched>, Refused> {
    let loan = match credentials {
        Some(credentials) => Some(credentials.lend().await.ok_or_else(withheld)?),
        None => None,
    };
    let way = Way::PassedOn(loan.as_ref().map(Loan::authorization));
    let came = fetch::fetch(url, most, &way, connect, allows, limit).await;
    if let Err(NotFetched::Unreachable { .. }) = came {
        // Nobody was told who asks.
        return Ok(came);
    }
    let clear = |text: &str| match credentials {
        Some(credentials) => credentials.cleared(text),
        None => text.to_string(),
    };
    settle(loan, by_whom(came, clear))
}

/// Takes what is the proxy's own from what is the server's.
fn by_whom(
    came: Result<Fetched, NotFetched>,
    clear: impl Fn(&str) -> String,
) -> Result<Result<Fetched, NotFetched>, Refused> {
    match came {
        Err(NotFetched::Passed(head)) => match connect::own_word(&head, clear) {
            Some(refused) => Err(refused),
            None => Ok(Err(NotFetched::Passed(head))),
        },
        Err(NotFetched::Mute) => Err(Refused::Silent),
        Err(NotFetched::Broken(Broken::HungUp)) => Err(Refused::Closed),
        Err(NotFetched::Broken(Broken::NotHttp)) => {
            Err(Refused::not_a_proxy("it does not speak HTTP"))
        }
        // Whoever was told a secret might send it on.
        Err(NotFetched::Elsewhere { to }) => Ok(Err(NotFetched::Elsewhere { to: clear(&to) })),
        other => Ok(other),
    }
}

fn read(reading: Reading, clear: impl Fn(&str) -> String) -> Result<Answer, Refused> {
    match reading {
        Reading::Answer(answer) => match connect::own_word(&answer.head, clear) {
            Some(refused) => Err(refused),
            None => Ok(answer),
        },
        Reading::Silent | Reading::Interim => Err(Refused::Silent),
        Reading::Closed | Reading::NotAsked => Err(Refused::Closed),
        Reading::Reset => Err(Refused::Reset),
        Reading::Garbage | Reading::Alert(_) => Err(Refused::not_a_proxy("it does not speak HTTP")),
    }
}

/// Whether an answer says no in a way in which proxies do, so that it may be the proxy's own word.
pub(crate) fn may_be_its_own(answer: &Answer) -> bool {
    matches!(answer.head.status, 403 | 451 | 500 | 502..=504)
}

/// What an answer is that [may be the proxy's own](may_be_its_own), compared with the proxy's voice; `None`: another
/// spoke.
pub(crate) fn in_its_voice(answer: &Answer, voice: &Answer) -> Option<Refused> {
    if !is_one_speaker(voice, answer) {
        return None;
    }
    let said = format!(
        "{} {}; so it says of a host that does not exist, too",
        answer.head.status, answer.head.reason
    );
    Some(match answer.head.status {
        403 | 451 => Refused::Forbidden { said },
        _ => Refused::Unreached {
            why: Unreached::Unsaid,
            said,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Verb;
    use crate::wire::web::http::answer::Reader;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const LIMIT: Duration = Duration::from_millis(300);

    /// A proxy that says this to one request; what it was asked comes back.
    async fn proxy_says(mut far: DuplexStream, says: impl AsRef<[u8]>) -> String {
        let mut bytes = [0; 2_048];
        let count = far.read(&mut bytes).await.expect("a request");
        let _ = far.write_all(says.as_ref()).await;
        String::from_utf8(bytes[..count].to_vec()).expect("text")
    }

    /// What comes of a proxy that says this, and what it was asked.
    async fn ask(
        says: &'static str,
        credentials: Option<&Credentials>,
    ) -> (Result<u16, Refused>, String) {
        let (near, far) = tokio::io::duplex(1 << 16);
        let proxy = tokio::spawn(proxy_says(far, says));
        let target = Authority::new("web.example.com", 80).expect("a host");
        let came = root_page(near, &target, credentials, LIMIT).await;
        let asked = proxy.await.expect("no panic");
        (came.map(|answer| answer.head.status), asked)
    }

    #[tokio::test]
    async fn a_page_is_asked_for_by_its_whole_url_and_no_tunnel_is() {
        let (came, asked) = ask(
            "HTTP/1.1 403 No\r\nServer: Microsoft-IIS/7.5\r\nContent-Length: 0\r\n\r\n",
            None,
        )
        .await;
        assert_eq!(came, Ok(403));
        assert!(
            asked.starts_with(
                "GET http://web.example.com:80/ HTTP/1.1\r\nHost: web.example.com:80\r\n"
            ),
            "{asked}"
        );
        assert!(!asked.contains("Authorization"));
    }

    #[tokio::test]
    async fn a_word_that_the_proxy_marks_as_its_own_is_not_the_servers() {
        let denied = "HTTP/1.1 403 No\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n";
        assert!(matches!(
            ask(denied, None).await.0,
            Err(Refused::Forbidden { .. })
        ));
        let down = "HTTP/1.1 502 X\r\nProxy-Status: a; error=connection_refused\r\n\r\n";
        let (came, _) = ask(down, None).await;
        assert!(
            matches!(
                came,
                Err(Refused::Unreached {
                    why: Unreached::Refused,
                    ..
                })
            ),
            "{came:?}"
        );
        assert_eq!(ask("", None).await.0, Err(Refused::Closed));
        assert!(matches!(
            ask("SSH-2.0-x\r\n\r\n", None).await.0,
            Err(Refused::NotProxy { .. })
        ));
    }

    #[tokio::test]
    async fn a_login_that_is_refused_is_never_sent_again() {
        let credentials = Credentials::new("probe", "s3cret-word").expect("fit");
        let refused = "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
        let (came, asked) = ask(refused, Some(&credentials)).await;
        assert!(
            matches!(came, Err(Refused::Authentication { .. })),
            "{came:?}"
        );
        assert!(asked.contains("\r\nProxy-Authorization: Basic cHJvYmU6czNjcmV0LXdvcmQ=\r\n"));
        assert!(credentials.are_burnt());
    }

    /// What comes of fetching a list through a proxy that says this, and what it was asked.
    async fn list(
        says: String,
        credentials: Option<&Credentials>,
    ) -> (Result<Result<Fetched, NotFetched>, Refused>, String) {
        let (near, far) = tokio::io::duplex(1 << 16);
        let proxy = tokio::spawn(proxy_says(far, says));
        let url = Url::parse("http://pki.example.com/ca+.crl").expect("an address");
        let near = std::sync::Mutex::new(Some(near));
        let connect = async |_, _| {
            let near = near.lock().expect("no panic").take();
            near.ok_or(NotConnected::Closed)
        };
        let came = fetch(&url, 1_000, credentials, connect, |_, _| false, LIMIT).await;
        drop(near);
        (came, proxy.await.expect("no panic"))
    }

    #[tokio::test]
    async fn a_list_is_asked_for_by_its_whole_address_and_the_proxys_word_is_told_from_the_servers()
    {
        let said = |text: &str| format!("HTTP/1.1 {text}\r\nContent-Length: 4\r\n\r\nlist");
        let (came, asked) = list(said("200 OK"), None).await;
        assert!(matches!(came, Ok(Ok(fetched)) if fetched.body == b"list"));
        assert!(
            asked.starts_with(
                "GET http://pki.example.com/ca+.crl HTTP/1.1\r\nHost: pki.example.com\r\n"
            ),
            "{asked}"
        );
        let (came, _) = list(said("404 Not Found"), None).await;
        assert!(matches!(came, Ok(Err(NotFetched::Passed(head))) if head.status == 404));
        let marked = said("403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0");
        let (came, _) = list(marked, None).await;
        assert!(matches!(came, Err(Refused::Forbidden { .. })), "{came:?}");
        assert!(matches!(
            list(String::new(), None).await.0,
            Err(Refused::Closed)
        ));
    }

    #[tokio::test]
    async fn a_login_for_a_list_is_not_sent_again_and_stands_in_no_text() {
        let credentials = Credentials::new("probe", "s3cret-word").expect("fit");
        let back = "HTTP/1.1 302 Found\r\nLocation: http://x.example/s3cret-word\r\n\r\n";
        let (came, asked) = list(back.to_string(), Some(&credentials)).await;
        assert!(asked.contains("\r\nProxy-Authorization: Basic "), "{asked}");
        assert!(!format!("{came:?}").contains("s3cret"), "{came:?}");
        let credentials = Credentials::new("probe", "s3cret-word").expect("fit");
        let refused = "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
        let (came, _) = list(refused.to_string(), Some(&credentials)).await;
        assert!(
            matches!(came, Err(Refused::Authentication { .. })),
            "{came:?}"
        );
        assert!(credentials.are_burnt());
    }

    fn answer(head: &str) -> Answer {
        let text = format!("{head}\r\nContent-Length: 0\r\n\r\n");
        let reading = Reader::new(Verb::Get).feed(text.as_bytes());
        let reading = reading.expect("a whole answer");
        reading.answer().expect("an answer").clone()
    }

    #[test]
    fn an_unmarked_word_is_the_proxys_where_it_speaks_of_nobody_in_the_same_voice() {
        let voice = answer("HTTP/1.1 502 Bad Gateway\r\nServer: guard/1.0");
        let refused = answer("HTTP/1.1 403 Forbidden\r\nServer: guard/1.0");
        let of_iis =
            answer("HTTP/1.1 403 Forbidden\r\nServer: Microsoft-IIS/7.5\r\nVia: 1.1 guard");
        assert!(may_be_its_own(&refused) && may_be_its_own(&of_iis));
        assert!(matches!(
            in_its_voice(&refused, &voice),
            Some(Refused::Forbidden { .. })
        ));
        assert_eq!(in_its_voice(&of_iis, &voice), None);
        assert!(matches!(
            in_its_voice(&answer("HTTP/1.1 503 X\r\nServer: guard/1.0"), &voice),
            Some(Refused::Unreached { .. })
        ));
        assert!(!may_be_its_own(&answer(
            "HTTP/1.1 404 X\r\nServer: guard/1.0"
        )));
    }
}
