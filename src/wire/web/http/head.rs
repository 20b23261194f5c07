//! The head of an answer: status line and headers, within bounds.

use std::collections::BTreeMap;

use crate::observation::HttpSeen;

/// The most bytes of a head.
const LARGEST_HEAD: usize = 16 << 10;
/// The most headers of a head.
const MOST_HEADERS: usize = 64;
/// The most characters of a header that are kept.
const LONGEST_VALUE: usize = 400;
/// The most interim answers before the one that counts.
pub(super) const MOST_INTERIM: usize = 8;
/// The most characters of a reason phrase, and of a header in the evidence.
const LONGEST_TEXT: usize = 200;

/// The head of an answer, its texts cut to what evidence needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The second number of the version: 1 for `HTTP/1.1`.
    pub(crate) minor: u8,
    /// Status code.
    pub(crate) status: u16,
    /// Reason phrase.
    pub(crate) reason: String,
    /// Headers, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// A head that was parsed, its texts cut.
    pub(crate) fn of(response: &httparse::Response<'_, '_>) -> Option<Self> {
        let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
        Some(Self {
            minor: response.version?,
            status: response.code?,
            reason: cut(response.reason.unwrap_or_default(), LONGEST_TEXT),
            headers: response
                .headers
                .iter()
                .filter(|header| !header.name.is_empty())
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value);
                    (cut(header.name, LONGEST_TEXT), cut(&value, LONGEST_VALUE))
                })
                .collect(),
        })
    }

    /// The first header of a name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Every header of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a header that holds a list has this word in it.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    }

    /// Whether it is only an interim answer (1xx, RFC 9110 section 15.2): the final one has yet to come.
    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// Whether a final answer may still follow. After 101 the connection would speak another protocol, and no request
    /// here asks for that.
    pub(super) fn may_be_followed(&self) -> bool {
        self.is_interim() && self.status != 101
    }

    /// The parts that stand in an observation.
    pub(super) fn seen(&self) -> HttpSeen {
        let text = |name| Some(self.header(name)?.chars().take(LONGEST_TEXT).collect());
        HttpSeen {
            version: format!("HTTP/1.{}", self.minor),
            status: self.status,
            reason: self.reason.clone(),
            server: text("server"),
            via: text("via"),
            clock: None,
            verbs: BTreeMap::new(),
            meddling: Vec::new(),
            roles: Vec::new(),
        }
    }
}

/// What the bytes that came so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeadReading {
    /// The beginning of a head, perhaps.
    Partial,
    /// A head, and how many bytes it takes.
    Whole(Head, usize),
    /// A good status line, and then what cannot be read: it speaks HTTP, but where its head ends is not known.
    Spoilt(Head),
    /// Not HTTP.
    Garbage,
}

/// Reads a head from the first bytes that came.
pub(crate) fn read(bytes: &[u8]) -> HeadReading {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() < LARGEST_HEAD => HeadReading::Partial,
        Ok(httparse::Status::Complete(length)) => match Head::of(&response) {
            Some(head) => HeadReading::Whole(head, length),
            None => HeadReading::Garbage,
        },
        // Whoever sent a good status line speaks HTTP, even with a header that cannot be read or hundreds of them.
        Ok(httparse::Status::Partial) | Err(_) => {
            Head::of(&response).map_or(HeadReading::Garbage, HeadReading::Spoilt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_head_is_read_and_a_part_waits() {
        let bytes = b"HTTP/1.1 403 Forbidden\r\nServer: Microsoft-IIS/7.5\r\n\r\nbody";
        let HeadReading::Whole(head, length) = read(bytes) else {
            panic!("no head")
        };
        assert_eq!((head.status, head.minor, length), (403, 1, bytes.len() - 4));
        assert_eq!(head.header("SERVER"), Some("Microsoft-IIS/7.5"));
        assert_eq!(read(&bytes[..20]), HeadReading::Partial);
        assert_eq!(read(b"SSH-2.0-OpenSSH_9.2\r\n"), HeadReading::Garbage);
    }

    #[test]
    fn a_good_status_line_is_http_whatever_follows() {
        let many = "A: b\r\n".repeat(MOST_HEADERS + 1);
        let endless = "A".repeat(LARGEST_HEAD);
        for rest in ["no header\r\n\r\n", many.as_str(), endless.as_str()] {
            let reading = read(format!("HTTP/1.1 200 OK\r\n{rest}").as_bytes());
            let HeadReading::Spoilt(head) = reading else {
                panic!("{reading:?}")
            };
            assert_eq!(head.status, 200);
        }
    }

    #[test]
    fn a_list_is_searched_by_words() {
        let HeadReading::Whole(head, _) =
            read(b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nConnection: bar\r\n\r\n")
        else {
            panic!("no head")
        };
        assert!(head.lists("connection", "close") && head.lists("connection", "bar"));
        assert!(!head.lists("connection", "clo"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn what_is_kept_of_a_head_is_bounded(value in "[ -~]{0,2000}", count in 0_usize..40) {
            let headers = format!("X: {value}\r\n").repeat(count);
            if let HeadReading::Whole(head, _) | HeadReading::Spoilt(head) = read(format!("HTTP/1.1 \
                200 {value}\r\n{headers}\r\n").as_bytes()) {
                proptest::prop_assert!(head.reason.len() <= LONGEST_TEXT && head.headers.iter().all(|(_, value)| value.len() <= LONGEST_VALUE));
            }
        }
    }
}
