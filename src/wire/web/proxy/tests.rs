//! Proxies of every kind on the other end of a pipe: what comes of asking each for a tunnel.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::credentials::Credentials;
use super::through::{through, withheld};
use super::{Kind, Offered, Passage, Refused, Unreached};
use crate::wire::web::http::authority::Authority;

const LIMIT: Duration = Duration::from_millis(300);
const USER: &str = "probe";
const PASSWORD: &str = "s3cret-word";
const BASIC: &str = "cHJvYmU6czNjcmV0LXdvcmQ=";

fn target() -> Authority {
    Authority::new("mp.example.com", 443).expect("a host")
}

/// A proxy that answers each thing it hears with the next of these, keeps what it heard, and closes.
fn proxy(answers: &'static [&'static [u8]]) -> (DuplexStream, Arc<Mutex<Vec<u8>>>) {
    let (near, mut far) = duplex(1 << 16);
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keep = Arc::clone(&heard);
    tokio::spawn(async move {
        for answer in answers {
            let mut bytes = [0; 2_048];
            let count = far.read(&mut bytes).await.unwrap_or(0);
            keep.lock()
                .expect("no panic")
                .extend_from_slice(&bytes[..count]);
            let _ = far.write_all(answer).await;
        }
    });
    (near, heard)
}

async fn ask(
    kind: Kind,
    answers: &'static [&'static [u8]],
    credentials: Option<&Credentials>,
) -> (Result<Vec<u8>, Refused>, Vec<u8>) {
    let (near, heard) = proxy(answers);
    let result = match through(near, kind, &target(), credentials, LIMIT).await {
        Passage::Tunnel(mut stream) => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.expect("a tunnel");
            Ok(rest)
        }
        Passage::Refused(refused) => Err(refused),
    };
    let heard = heard.lock().expect("no panic").clone();
    (result, heard)
}

fn credentials() -> Credentials {
    Credentials::new(USER, PASSWORD).expect("fit")
}

#[tokio::test]
async fn what_the_server_says_at_once_belongs_to_the_tunnel() {
    let (said, _) = ask(
        Kind::HttpConnect,
        &[b"HTTP/1.1 200 OK\r\n\r\n220 smtp\r\n"],
        None,
    )
    .await;
    assert_eq!(said, Ok(b"220 smtp\r\n".to_vec()));
    const REPLY: &[&[u8]] = &[
        b"\x05\x00",
        b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00220 smtp\r\n",
    ];
    let (said, heard) = ask(Kind::Socks5, REPLY, None).await;
    assert_eq!(said, Ok(b"220 smtp\r\n".to_vec()));
    assert!(
        heard.ends_with(b"mp.example.com\x01\xbb"),
        "the name goes as a name"
    );
}

#[tokio::test]
async fn refused_credentials_are_sent_once_and_never_again() {
    let cases: [(Kind, &'static [&'static [u8]]); 3] = [
        (
            Kind::HttpConnect,
            &[b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n"],
        ),
        (Kind::Socks5, &[b"\x05\x02", b"\x01\x01"]),
        (Kind::Socks5, &[b"\x05\x02", b""]),
    ];
    for (kind, answers) in cases {
        let credentials = credentials();
        let (first, heard) = ask(kind, answers, Some(&credentials)).await;
        let Err(Refused::Authentication {
            credentials: Offered::Refused,
            ..
        }) = first
        else {
            panic!("{first:?}")
        };
        let sent = String::from_utf8_lossy(&heard).into_owned();
        assert!(sent.contains(BASIC) || sent.contains(PASSWORD));
        let (second, heard) = ask(kind, answers, Some(&credentials)).await;
        assert_eq!((second, heard), (Err(withheld()), Vec::new()));
    }
}

#[tokio::test]
async fn accepted_credentials_are_sent_again() {
    let credentials = credentials();
    for _ in 0..2 {
        let (said, heard) = ask(
            Kind::HttpConnect,
            &[b"HTTP/1.1 200 OK\r\n\r\n"],
            Some(&credentials),
        )
        .await;
        assert!(said.is_ok() && String::from_utf8_lossy(&heard).contains(BASIC));
    }
}

#[tokio::test]
async fn a_socks_proxy_that_does_not_ask_is_told_no_password() {
    const ANSWERS: &[&[u8]] = &[b"\x05\x00", b"\x05\x05"];
    let (said, heard) = ask(Kind::Socks5, ANSWERS, Some(&credentials())).await;
    assert!(
        matches!(
            said,
            Err(Refused::Unreached {
                why: Unreached::Refused,
                ..
            })
        ),
        "{said:?}"
    );
    assert!(!String::from_utf8_lossy(&heard).contains(PASSWORD));
}

#[tokio::test]
async fn credentials_that_a_proxy_gives_back_are_shown_nowhere() {
    let shown = Shown::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer({
            let shown = shown.clone();
            move || shown.clone()
        })
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let cases: [(Kind, &'static [&'static [u8]]); 4] = [
        (
            Kind::HttpConnect,
            &[b"HTTP/1.1 403 s3cret-word\r\nVia: cHJvYmU6czNjcmV0LXdvcmQ=\r\n\r\n"],
        ),
        (
            Kind::HttpConnect,
            &[b"HTTP/1.1 407 x\r\nProxy-Authenticate: cHJvYmU6czNjcmV0LXdvcmQ=\r\n\r\n"],
        ),
        (Kind::HttpConnect, &[b"cHJvYmU6czNjcmV0LXdvcmQ=\r\n"]),
        (Kind::Socks5, &[b"\x05\x02", b"s3"]),
    ];
    for (kind, answers) in cases {
        let credentials = credentials();
        let (said, _) = ask(kind, answers, Some(&credentials)).await;
        let text = format!("{said:?} {credentials:?}");
        tracing::error!("{text}");
        assert!(!text.contains(PASSWORD) && !text.contains(BASIC), "{text}");
    }
    let logged = String::from_utf8_lossy(&shown.0.lock().expect("no panic")).into_owned();
    assert!(
        logged.contains("Credentials("),
        "the log was kept: {logged}"
    );
    assert!(
        !logged.contains(PASSWORD) && !logged.contains(BASIC),
        "{logged}"
    );
}

/// What was logged.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_no_proxy_is_told_so() {
    let ssh: &[&[u8]] = &[b"SSH-2.0-OpenSSH_9.2p1\r\n"];
    let web: &[&[u8]] = &[b"HTTP/1.1 400 Bad Request\r\n\r\n"];
    for (kind, answers) in [
        (Kind::HttpConnect, ssh),
        (Kind::HttpConnect, web),
        (Kind::Socks5, ssh),
        (Kind::Socks5, web),
    ] {
        let (said, _) = ask(kind, answers, None).await;
        assert!(matches!(said, Err(Refused::NotProxy { .. })), "{said:?}");
    }
    let (said, _) = ask(Kind::Socks5, &[b""], None).await;
    assert_eq!(said, Err(Refused::Closed));
}

#[tokio::test]
async fn slow_and_endless_proxies_end_within_the_limit() {
    for (kind, begin, then, pause) in [
        (Kind::HttpConnect, &b""[..], &b"H"[..], 1_000),
        (Kind::HttpConnect, b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0),
        (Kind::HttpConnect, b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0),
        (Kind::HttpConnect, b"", b"xxxxxxxxxxxxxxxxxxxx", 0),
        (Kind::Socks5, b"\x05", b"", 1_000),
        (Kind::Socks5, b"\x05\x00\x05\x00\x00\x03\xff", b"x", 1_000),
    ] {
        let (near, mut far) = duplex(1 << 16);
        let peer = tokio::spawn(async move {
            let _ = far.write_all(begin).await;
            while far.write_all(then).await.is_ok() {
                match pause {
                    0 => tokio::task::yield_now().await,
                    pause => tokio::time::sleep(Duration::from_millis(pause)).await,
                }
            }
        });
        let begun = Instant::now();
        let passage = through(near, kind, &target(), None, LIMIT).await;
        assert!(matches!(passage, Passage::Refused(_)), "{passage:?}");
        assert!(
            begun.elapsed() < LIMIT + Duration::from_secs(1),
            "{kind:?} {:?}",
            begun.elapsed()
        );
        peer.abort();
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_of_a_proxy_end_without_panic(bytes: Vec<u8>, user: bool, socks: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (near, mut far) = duplex(1 << 16);
            far.write_all(&bytes).await.expect("room");
            let mut closing = far;
            closing.shutdown().await.expect("closed");
            let credentials = user.then(credentials);
            let kind = if socks { Kind::Socks5 } else { Kind::HttpConnect };
            let _ = through(near, kind, &target(), credentials.as_ref(), LIMIT).await;
        });
    }
}
