//! HTTP CONNECT (RFC 9110 section 9.3.6): the request, and what the proxy says to it.

use super::{Offered, Refused, Unreached};
use crate::wire::web::http::authority::Authority;
use crate::wire::web::http::head::{self, Head, HeadReading};

/// The most characters of a header that are quoted.
const LONGEST_TEXT: usize = 200;

/// The request for a tunnel. Names go to the proxy as names: it resolves them.
pub(super) fn request(target: &Authority, authorization: Option<&str>) -> Vec<u8> {
    let authorization = authorization
        .map(|value| format!("Proxy-Authorization: {value}\r\n"))
        .unwrap_or_default();
    format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: \
         portproof/{}\r\n{authorization}\r\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

/// What the bytes that came so far say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Not yet all.
    Partial,
    /// An interim answer of this many bytes: more follows.
    Interim(usize),
    /// What follows is the tunnel.
    Tunnel,
    /// No.
    Refused(Refused),
}

/// Reads the head of the proxy's answer; `clear` takes secrets out of what is quoted of it.
pub(super) fn read(bytes: &[u8], clear: impl Fn(&str) -> String) -> Said {
    match head::read(bytes) {
        HeadReading::Partial => Said::Partial,
        HeadReading::Garbage => Said::Refused(Refused::not_a_proxy("it does not speak HTTP")),
        HeadReading::Whole(head, length) if head.status < 200 => Said::Interim(length),
        // After a tunnel has opened there is no page (RFC 9110 section 9.3.6): whoever sends one has not understood.
        HeadReading::Whole(head, _) if head.status < 300 && announces_a_page(&head) => {
            Said::Refused(Refused::not_a_proxy(
                "it answers CONNECT with a page, as a web server does",
            ))
        }
        HeadReading::Whole(head, _) if head.status < 300 => Said::Tunnel,
        HeadReading::Whole(head, _) | HeadReading::Spoilt(head) => {
            Said::Refused(refused(&head, clear))
        }
    }
}

fn announces_a_page(head: &Head) -> bool {
    let has_length = head
        .header("content-length")
        .is_some_and(|length| length.trim() != "0");
    has_length
        || head.header("content-type").is_some()
        || head.header("transfer-encoding").is_some()
}

/// The refusal in an answer to a request that was to be passed on, where a proxy marks it as its own. `None`: it may be
/// the server's.
pub(super) fn own_word(head: &Head, clear: impl Fn(&str) -> String) -> Option<Refused> {
    let named = head.status == 407
        || head.header("x-squid-error").is_some()
        || head
            .header("proxy-status")
            .is_some_and(|status| status.contains("error="))
        || names_a_proxy(head);
    if !named || head.status < 400 {
        return None;
    }
    Some(match refused(head, clear) {
        // It has understood, and says no.
        Refused::NotProxy { said } => Refused::Forbidden { said },
        other => other,
    })
}

/// Whether the words of an error are those of a proxy: of ISA Server and TMG, Apache, Privoxy, tinyproxy.
fn names_a_proxy(head: &Head) -> bool {
    const IN_REASONS: [&str; 4] = ["Proxy Error", "ISA Server", "Forefront TMG", "Privoxy"];
    let server = head.header("server").unwrap_or_default();
    IN_REASONS.iter().any(|name| head.reason.contains(name)) || server.starts_with("tinyproxy/")
}

fn refused(head: &Head, clear: impl Fn(&str) -> String) -> Refused {
    let said = said(head, &clear);
    match head.status {
        407 => Refused::Authentication {
            schemes: head
                .all("proxy-authenticate")
                .filter_map(|challenge| scheme(&clear(challenge)))
                .collect(),
            credentials: Offered::None,
        },
        // 403 is the proxy's own rule, 451 a law's; both are about the way and not about the server.
        403 | 451 => Refused::Forbidden { said },
        // squid says 500 where it has no address to go to.
        500 | 502..=504 => Refused::Unreached {
            why: unreached(head),
            said,
        },
        _ => Refused::NotProxy { said },
    }
}

/// The first word of a challenge: the scheme.
fn scheme(challenge: &str) -> Option<String> {
    let word = challenge.split_whitespace().next()?;
    Some(word.trim_end_matches(',').chars().take(40).collect())
}

/// The proxy's words: status, and what proxies add to say more.
fn said(head: &Head, clear: impl Fn(&str) -> String) -> String {
    let mut text = format!("{} {}", head.status, clear(&head.reason));
    for name in ["Proxy-Status", "X-Squid-Error", "Via", "Server"] {
        if let Some(value) = head.header(name) {
            let value: String = clear(value).chars().take(LONGEST_TEXT).collect();
            text += &format!("; {name}: {value}");
        }
    }
    text
}

/// Why the proxy did not reach the server, from what it adds (RFC 9209 section 2.3, and squid's own header).
fn unreached(head: &Head) -> Unreached {
    let status = head.header("proxy-status").unwrap_or_default();
    let says = |error: &str| status.contains(&format!("error={error}"));
    let squid = head.header("x-squid-error").unwrap_or_default();
    // Behind squid's word stands the error number of its connect(), of Linux.
    let number = squid.strip_prefix("ERR_CONNECT_FAIL ").map(str::trim);
    if says("dns_error") || squid.starts_with("ERR_DNS_FAIL") {
        Unreached::NoSuchName
    } else if says("connection_refused") || number == Some("111") {
        Unreached::Refused
    } else if says("destination_ip_unroutable") || number == Some("113") {
        Unreached::HostUnreachable
    } else if number == Some("101") {
        Unreached::NetworkUnreachable
    } else if head.status == 504
        || says("connection_timeout")
        || says("dns_timeout")
        || number == Some("110")
    {
        Unreached::TimedOut
    } else {
        Unreached::Unsaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_the_target_and_only_then_the_credentials() {
        let target = Authority::new("2001:db8::1", 443).expect("a host");
        let text = |value| String::from_utf8(request(&target, value)).expect("text");
        assert!(
            text(None)
                .starts_with("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n")
        );
        assert!(!text(None).contains("Authorization"));
        assert!(text(Some("Basic eDp5")).ends_with("Proxy-Authorization: Basic eDp5\r\n\r\n"));
    }

    fn said(head: &str) -> Said {
        read(format!("{head}\r\n\r\n").as_bytes(), str::to_string)
    }

    #[test]
    fn what_the_proxy_refuses_is_told_from_what_it_could_not_reach() {
        for (head, why) in [
            ("HTTP/1.1 504 Gateway Timeout", Unreached::TimedOut),
            ("HTTP/1.1 502 Bad Gateway", Unreached::Unsaid),
            (
                "HTTP/1.1 500 X\r\nX-Squid-Error: ERR_CANNOT_FORWARD 0",
                Unreached::Unsaid,
            ),
            (
                "HTTP/1.1 503 X\r\nX-Squid-Error: ERR_DNS_FAIL 0",
                Unreached::NoSuchName,
            ),
            (
                "HTTP/1.1 503 X\r\nX-Squid-Error: ERR_CONNECT_FAIL 111",
                Unreached::Refused,
            ),
            (
                "HTTP/1.1 503 X\r\nX-Squid-Error: ERR_CONNECT_FAIL 113",
                Unreached::HostUnreachable,
            ),
            (
                "HTTP/1.1 502 X\r\nProxy-Status: a; error=connection_refused",
                Unreached::Refused,
            ),
        ] {
            let Said::Refused(Refused::Unreached { why: seen, .. }) = said(head) else {
                panic!("{head}")
            };
            assert_eq!(seen, why, "{head}");
        }
        assert!(matches!(
            said("HTTP/1.1 403 Forbidden"),
            Said::Refused(Refused::Forbidden { .. })
        ));
        assert!(matches!(
            said("HTTP/1.1 405 No"),
            Said::Refused(Refused::NotProxy { .. })
        ));
        assert!(matches!(
            said("HTTP/1.0 200 Connection established"),
            Said::Tunnel
        ));
        assert!(matches!(said("HTTP/1.1 100 Continue"), Said::Interim(25)));
    }

    #[test]
    fn a_page_in_answer_to_connect_is_a_web_server_and_no_tunnel() {
        for header in [
            "Content-Type: text/html",
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
        ] {
            let seen = said(&format!("HTTP/1.1 200 OK\r\n{header}"));
            assert!(
                matches!(seen, Said::Refused(Refused::NotProxy { .. })),
                "{header}"
            );
        }
        assert_eq!(said("HTTP/1.1 200 OK\r\nContent-Length: 0"), Said::Tunnel);
    }

    #[test]
    fn what_a_proxy_says_of_a_request_that_it_was_to_pass_on_is_told_by_its_marks() {
        let own = |head: &str| {
            let text = format!("{head}\r\n\r\n");
            let HeadReading::Whole(head, _) = head::read(text.as_bytes()) else {
                panic!("{text}")
            };
            own_word(&head, str::to_string)
        };
        for head in [
            "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0",
            "HTTP/1.1 400 Bad Request\r\nX-Squid-Error: ERR_INVALID_URL 0",
            "HTTP/1.1 403 Access denied\r\nServer: tinyproxy/1.11.1",
        ] {
            assert!(
                matches!(own(head), Some(Refused::Forbidden { .. })),
                "{head}"
            );
        }
        for head in [
            "HTTP/1.1 502 Proxy Error ( The connection was refused. )",
            "HTTP/1.1 503 Forwarding failure (Privoxy@here)",
            "HTTP/1.1 502 X\r\nProxy-Status: a; error=destination_unavailable",
        ] {
            assert!(
                matches!(own(head), Some(Refused::Unreached { .. })),
                "{head}"
            );
        }
        assert!(matches!(
            own("HTTP/1.1 407 X"),
            Some(Refused::Authentication { .. })
        ));
        for head in [
            "HTTP/1.1 403 Forbidden\r\nServer: Microsoft-IIS/7.5\r\nVia: 1.1 isa01",
            "HTTP/1.1 503 Service Unavailable\r\nServer: Microsoft-HTTPAPI/2.0",
            "HTTP/1.1 200 OK\r\nProxy-Status: a",
        ] {
            assert_eq!(own(head), None, "{head}");
        }
    }

    #[test]
    fn a_407_names_the_ways_to_say_who_one_is() {
        let seen = said(
            "HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic \
             realm=\"x\"",
        );
        let Said::Refused(Refused::Authentication { schemes, .. }) = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(schemes, ["Negotiate", "Basic"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes, str::to_string);
        }

        #[test]
        fn any_headers_are_read_without_panic(status in 100_u16..600, value in "[ -~]{0,300}") {
            let _ = said(&format!("HTTP/1.1 {status} X\r\nProxy-Authenticate: \
                {value}\r\nProxy-Status: {value}\r\nX-Squid-Error: {value}"));
        }
    }
}
