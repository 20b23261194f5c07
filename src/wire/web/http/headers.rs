//! Do the headers of a role's clients pass? GET of the path that names nothing, without them, with all, with each.
//!
//! What refuses a request for its headers is seen from here. Only the far end can tell whether a header is silently
//! taken out: see `echo`. For `Range` and for what BITS needs of a download, an answer with a file tells.

use super::answer::{Answer, Reading};
use super::finding::Finding;
use super::pass_through::{Passage, passage};
use super::request::Request;
use crate::product::{Header, Verb};

/// The requests for these headers, in the order in which [`headers`] takes their answers.
pub(crate) fn requests(headers: &[Header]) -> Vec<Request> {
    let plain = || Request::nowhere(Verb::Get);
    let with = |request: Request, header: &Header| request.with(&header.name, &header.value);
    let all = headers.iter().fold(plain(), with);
    let each = headers.iter().map(|header| with(plain(), header));
    [plain(), all].into_iter().chain(each).collect()
}

/// Which headers keep a request from passing, from the answers to [`requests`].
pub(crate) fn headers(asked: &[Header], answers: &[Reading]) -> Vec<Finding> {
    let [plain, all, each @ ..] = answers else {
        return vec![Finding::NotCompared];
    };
    let Some(plain) = plain.answer() else {
        return vec![Finding::NotCompared];
    };
    let (how, by) = match passage(Some(plain), all) {
        Passage::Refused(how, by) => (how, by),
        Passage::NotAsked => return vec![Finding::NotCompared],
        Passage::Passed { .. } | Passage::Acknowledged { .. } => return Vec::new(),
    };
    let blocked = asked.iter().zip(each).filter_map(|(header, reading)| {
        let Passage::Refused(how, by) = passage(Some(plain), reading) else {
            return None;
        };
        Some(Finding::HeaderBlocked {
            headers: vec![header.name.clone()],
            how,
            by,
        })
    });
    let blocked: Vec<Finding> = blocked.collect();
    if !blocked.is_empty() {
        return blocked;
    }
    // Each one passes alone: it is their number or their size together.
    vec![Finding::HeaderBlocked {
        headers: asked.iter().map(|header| header.name.clone()).collect(),
        how,
        by,
    }]
}

/// The request for the first byte of a page, as BITS asks for parts of what it downloads.
pub(crate) fn part(path: &str) -> Request {
    Request::get(path).with("Range", "bytes=0-0")
}

/// What the answer to [`part`] tells of a page that is there.
///
/// A server may do without parts, and then does not say that it serves them. One that says so (`Accept-Ranges: bytes`),
/// knows how long the page is, and sends all of it has not been asked for a part.
pub(crate) fn part_seen(reading: &Reading) -> Option<Finding> {
    let head = &reading.answer()?.head;
    let is_plain = head.header("transfer-encoding").is_none();
    let length = head.header("content-length");
    let is_longer = length.and_then(|it| it.trim().parse().ok()) > Some(1_u64);
    let lost = match head.status {
        200 => is_plain && is_longer && head.lists("accept-ranges", "bytes"),
        206 => head.header("content-range").is_none(),
        _ => false,
    };
    lost.then_some(Finding::RangeLost {
        status: head.status,
    })
}

/// The requests for a file that clients download, in the order in which [`download`] takes their answers.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no path of a file is known that every role has")
)]
pub(crate) fn download_requests(path: &str) -> [Request; 2] {
    [Request::head(path), part(path)]
}

/// Whether a download by BITS could work: HEAD gives the size, and a range is honoured.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no path of a file is known that every role has")
)]
pub(crate) fn download(head: &Answer, ranged: &Answer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if head.head.status == 200 && head.head.header("content-length").is_none() {
        findings.push(Finding::SizeHidden);
    }
    let lost = |header: &str| Finding::HeaderLost {
        header: header.to_string(),
    };
    match ranged.head.status {
        // The server says that it knows ranges, and then behaves as if none had been asked for.
        200 if head.head.lists("accept-ranges", "bytes") => findings.push(lost("Range")),
        206 if ranged.head.header("content-range").is_none() => {
            findings.push(lost("Content-Range"));
        }
        _ => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::answer::Reader;
    use super::super::pass_through::tests::answered;
    use super::*;
    use crate::wire::web::http::finding::{Refusal, Refuser};

    fn asked() -> Vec<Header> {
        let header = |name: &str, value: &str| Header {
            name: name.to_string(),
            value: value.to_string(),
        };
        vec![
            header("Range", "bytes=0-0"),
            header("CCMClientIDSignature", &"0".repeat(1_024)),
        ]
    }

    #[test]
    fn a_part_is_lost_only_where_the_server_says_that_it_serves_parts() {
        let read = |status, headers: &str| {
            let text = format!("HTTP/1.1 {status} X\r\n{headers}\r\n");
            let reading = Reader::new(Verb::Get).feed((text + "1234").as_bytes());
            part_seen(&reading.expect("a whole answer"))
        };
        let lost = |status| Some(Finding::RangeLost { status });
        let (parts, long) = ("Accept-Ranges: bytes\r\n", "Content-Length: 4\r\n");
        assert_eq!(read(200, &format!("{parts}{long}")), lost(200));
        assert_eq!(read(206, long), lost(206));
        let range = "Content-Range: bytes 0-3/9\r\n";
        assert_eq!(read(206, &format!("{range}{long}")), None);
        // It does without, is made as it is asked for, or is no longer than the part.
        assert_eq!(read(200, long), None);
        assert_eq!(read(200, &format!("Accept-Ranges: none\r\n{long}")), None);
        assert_eq!(read(200, &format!("{parts}Content-Length: 1\r\n")), None);
        assert_eq!(read(200, &format!("{parts}Content-Length: 0\r\n")), None);
        assert_eq!(read(416, &format!("{parts}{long}")), None);
        assert_eq!(part_seen(&Reading::Silent), None);
    }

    #[test]
    fn headers_are_sent_together_and_one_by_one() {
        let requests = requests(&asked());
        let counts: Vec<_> = requests
            .iter()
            .map(|request| request.headers().len())
            .collect();
        assert_eq!(counts, [0, 2, 1, 1]);
    }

    #[test]
    fn the_one_header_that_is_refused_is_named() {
        let answers = [404, 400, 404, 400].map(|status| answered(status, ""));
        let blocked = Finding::HeaderBlocked {
            headers: vec!["CCMClientIDSignature".to_string()],
            how: Refusal::Status(400),
            by: Refuser::Either,
        };
        assert_eq!(headers(&asked(), &answers), [blocked]);
        let all_pass = [404, 404, 404, 404].map(|status| answered(status, ""));
        assert_eq!(headers(&asked(), &all_pass), []);
        let not_asked = [answered(404, ""), Reading::NotAsked];
        assert_eq!(headers(&asked(), &not_asked), [Finding::NotCompared]);
    }

    #[test]
    fn headers_that_are_refused_only_together_are_named_together() {
        let answers = [404, 431, 404, 404].map(|status| answered(status, ""));
        let findings = headers(&asked(), &answers);
        let [Finding::HeaderBlocked { headers, .. }] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_range_that_is_not_honoured_is_a_lost_header() {
        let head = answered(200, "Accept-Ranges: bytes\r\n");
        let (head, whole) = (head.answer().expect("one"), answered(200, ""));
        let part = answered(206, "Content-Range: bytes 0-0/9\r\n");
        assert_eq!(download(head, part.answer().expect("one")), []);
        let findings = download(head, whole.answer().expect("one"));
        assert_eq!(
            findings,
            [Finding::HeaderLost {
                header: "Range".to_string()
            }]
        );
    }
}
