//! What arrived, said by a stand-in at the far end: the head of the request, as `message/http` (RFC 9112 section 10.1).
//!
//! Only the far end sees what a device took out or changed. A stand-in of this program answers every request with the
//! head that it received; the two compared name each header that was lost or rewritten.

use super::answer::Answer;
use super::finding::{Direction, Finding};
use super::request::Request;

/// The content type of such an answer.
const MESSAGE: &str = "message/http";
/// The most bytes of a request's head that a stand-in gives back.
const LARGEST_HEAD: usize = 32 << 10;
/// The most headers of a request.
const MOST_HEADERS: usize = 100;
/// The most characters of a value in a finding.
const LONGEST_TEXT: usize = 200;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Verb.
    pub(crate) verb: String,
    /// The second number of the version.
    pub(crate) minor: u8,
    /// Headers.
    pub(crate) headers: Vec<(String, String)>,
}

/// How long the head of a request is; `None` while it is not whole, and when it is no head.
pub(crate) fn head_length(bytes: &[u8]) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(LARGEST_HEAD)];
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    match httparse::Request::new(&mut headers).parse(bytes) {
        Ok(httparse::Status::Complete(length)) => Some(length),
        Ok(httparse::Status::Partial) | Err(_) => None,
    }
}

/// What a stand-in answers to a request with this head.
pub(crate) fn answer(head: &[u8]) -> Vec<u8> {
    let own = format!(
        "HTTP/1.1 200 OK\r\nServer: portproof/{}\r\nContent-Type: {MESSAGE}\r\nCache-Control: \
         no-store\r\nContent-Length: {}\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        head.len()
    );
    [own.as_bytes(), head].concat()
}

/// The request that an answer gives back; `None` when it gives back none.
pub(crate) fn received(answer: &Answer) -> Option<Received> {
    if !answer.head.lists("content-type", MESSAGE) {
        return None;
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(_)) = request.parse(&answer.body) else {
        return None;
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Some(Received {
        verb: request.method?.to_string(),
        minor: request.version?,
        headers: request
            .headers
            .iter()
            .map(|header| (header.name.to_string(), text(header.value)))
            .collect(),
    })
}

/// What became of a request on the way.
pub(crate) fn changes(sent: &Request, received: &Received) -> Vec<Finding> {
    let cut = |text: &str| text.chars().take(LONGEST_TEXT).collect::<String>();
    let mut findings = Vec::new();
    if received.verb != sent.verb().name() {
        findings.push(Finding::VerbRewritten {
            verb: sent.verb(),
            arrived: cut(&received.verb),
        });
    }
    if received.minor == 0 {
        findings.push(Finding::Downgraded(Direction::Request));
    }
    let arrived = |name: &str| {
        let found = received
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    for (name, value) in sent.headers() {
        match arrived(name) {
            None => findings.push(Finding::HeaderLost {
                header: name.clone(),
            }),
            Some(same) if same == value => {}
            Some(other) => findings.push(Finding::HeaderRewritten {
                header: name.clone(),
                arrived: cut(other),
            }),
        }
    }
    if let Some(via) = arrived("via") {
        findings.push(Finding::Announced { via: cut(via) });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Verb;
    use crate::wire::web::http::answer::Reader;
    use crate::wire::web::http::authority::Authority;

    fn request() -> Request {
        Request::nowhere(Verb::CcmPost).with("CCMClientID", "GUID:0")
    }

    /// What arrives when a device turns the bytes of the request into others.
    fn seen(device: impl Fn(String) -> String) -> Vec<Finding> {
        let to = Authority::new("mp.example.com", 80).expect("a host");
        let sent = String::from_utf8(request().bytes(&to)).expect("text");
        let reading = Reader::new(Verb::CcmPost).feed(&answer(device(sent).as_bytes()));
        let reading = reading.expect("whole");
        let received = received(reading.answer().expect("an answer")).expect("an echo");
        changes(&request(), &received)
    }

    fn kind(finding: &Finding) -> &'static str {
        match finding {
            Finding::Downgraded(_) => "http-downgraded",
            Finding::HeaderRewritten { .. } => "header-rewritten",
            Finding::HeaderLost { .. } => "header-lost",
            Finding::Announced { .. } => "proxy-announced",
            Finding::VerbRewritten { .. } => "verb-rewritten",
            _ => "another",
        }
    }

    #[test]
    fn an_untouched_request_shows_no_change() {
        assert_eq!(seen(|request| request), []);
    }

    #[test]
    fn what_a_device_does_is_named() {
        let device = |request: String| {
            let request = request.replace("HTTP/1.1", "HTTP/1.0");
            let request = request.replace("CCMClientID: GUID:0\r\n", "Via: 1.0 isa01\r\n");
            request.replace("multipart/mixed", "text/plain")
        };
        let causes: Vec<_> = seen(device).iter().map(kind).collect();
        assert_eq!(
            causes,
            [
                "http-downgraded",
                "header-rewritten",
                "header-lost",
                "proxy-announced"
            ]
        );
        let verb = seen(|request| request.replace("CCM_POST", "POST"));
        assert_eq!(kind(&verb[0]), "verb-rewritten");
    }

    #[test]
    fn other_answers_are_no_echo() {
        let page = Reader::new(Verb::Get).feed(
            b"HTTP/1.1 200 OK\r\nContent-Type: \
            text/html\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        );
        let page = page.expect("whole");
        assert_eq!(received(page.answer().expect("an answer")), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = head_length(&bytes);
            if let Some(reading) = Reader::new(Verb::Get).feed(&answer(&bytes)) {
                let _ = received(reading.answer().expect("an answer"));
            }
        }
    }
}
