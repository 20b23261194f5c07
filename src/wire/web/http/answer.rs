//! A whole answer, read from pieces as they come: interim heads, the head, the body.

use super::body::{Body, BodyEnd, Fed};
use super::head::{self, Head, HeadReading, MOST_INTERIM};
use crate::product::Verb;

/// What came back to one request. A server that says nothing is news, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// An HTTP answer.
    Answer(Answer),
    /// Something that is not HTTP.
    Garbage,
    /// Interim answers (1xx) only: a final one never came.
    Interim,
    /// No whole head within the time.
    Silent,
    /// The connection was closed before a whole head came.
    Closed,
    /// The connection was reset before a whole head came.
    Reset,
    /// TLS ended the connection with words of its own: an alert, as a rule.
    Alert(String),
    /// There was no connection to ask on.
    NotAsked,
}

impl Reading {
    /// The answer, when there is one.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::Garbage
            | Self::Interim
            | Self::Silent
            | Self::Closed
            | Self::Reset
            | Self::Alert(_)
            | Self::NotAsked => None,
        }
    }

    /// The status, when there is an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.head.status)
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its head.
    pub(crate) head: Head,
    /// The first bytes of its body.
    pub(crate) body: Vec<u8>,
    /// How the body ended.
    pub(crate) ended: BodyEnd,
    /// The statuses of interim answers before it.
    pub(crate) interim: Vec<u16>,
    /// Whether another request may follow on the same connection.
    pub(crate) reusable: bool,
}

impl Answer {
    /// One of which the head alone is known.
    pub(crate) fn of_head(head: Head) -> Self {
        Self {
            head,
            body: Vec::new(),
            ended: BodyEnd::Cut,
            interim: Vec::new(),
            reusable: false,
        }
    }
}

/// What ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The peer closed it.
    Closed,
    /// A reset.
    Reset,
    /// Nothing more came in time.
    TimeUp,
    /// TLS ended it.
    Alert(String),
}

/// Reads one answer.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    verb: Verb,
    /// Bytes that are not yet understood: a part of a head.
    bytes: Vec<u8>,
    interim: Vec<u16>,
    under_way: Option<(Head, Body)>,
}

impl Reader {
    /// A reader of the answer to a request with this verb.
    pub(crate) fn new(verb: Verb) -> Self {
        Self {
            verb,
            bytes: Vec::new(),
            interim: Vec::new(),
            under_way: None,
        }
    }

    /// Takes in bytes; `None`: more is needed.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<Reading> {
        self.bytes.extend_from_slice(bytes);
        while self.under_way.is_none() {
            match head::read(&self.bytes) {
                HeadReading::Partial => return None,
                HeadReading::Garbage => return Some(Reading::Garbage),
                HeadReading::Spoilt(head) if head.is_interim() => return Some(Reading::Interim),
                HeadReading::Spoilt(head) => {
                    return Some(self.answer(head, Vec::new(), BodyEnd::Broken, 0));
                }
                HeadReading::Whole(head, length) => {
                    if !self.begin(head, length) {
                        return Some(Reading::Interim);
                    }
                }
            }
        }
        let (head, mut body) = self.under_way.take()?;
        match body.feed(&self.bytes) {
            Fed::More => {
                self.bytes.clear();
                self.under_way = Some((head, body));
                None
            }
            Fed::End(used, end) => Some(self.answer(head, body.into_bytes(), end, used)),
        }
    }

    /// Takes in the end of the connection.
    pub(crate) fn end(mut self, ended: Ended) -> Reading {
        if let Some((head, body)) = self.under_way.take() {
            let end = match ended {
                Ended::Closed => body.closed(),
                Ended::Reset | Ended::TimeUp | Ended::Alert(_) => BodyEnd::Cut,
            };
            let mut answer = self.answer(head, body.into_bytes(), end, 0);
            if let Reading::Answer(answer) = &mut answer {
                answer.reusable = false;
            }
            return answer;
        }
        if !self.interim.is_empty() {
            return Reading::Interim;
        }
        match ended {
            Ended::TimeUp => Reading::Silent,
            Ended::Closed | Ended::Reset if !self.bytes.is_empty() => Reading::Garbage,
            Ended::Closed => Reading::Closed,
            Ended::Reset => Reading::Reset,
            Ended::Alert(words) => Reading::Alert(words),
        }
    }

    /// Goes on behind a head. False where no final answer is to be had: after 101, and after more interim answers than
    /// a server has reason to send.
    fn begin(&mut self, head: Head, length: usize) -> bool {
        self.bytes.drain(..length);
        if !head.is_interim() {
            let body = Body::after(self.verb, &head);
            self.under_way = Some((head, body));
            return true;
        }
        let goes_on = head.may_be_followed() && self.interim.len() < MOST_INTERIM;
        self.interim.push(head.status);
        goes_on
    }

    fn answer(&mut self, head: Head, body: Vec<u8>, ended: BodyEnd, used: usize) -> Reading {
        let stays = match head.minor {
            0 => head.lists("connection", "keep-alive"),
            _ => !head.lists("connection", "close"),
        };
        // What comes behind an answer was not asked for; what follows it could not be trusted.
        let behind = self.bytes.len() > used;
        let reusable = stays && ended == BodyEnd::Whole && !behind && head.status >= 200;
        Reading::Answer(Answer {
            head,
            body,
            ended,
            interim: std::mem::take(&mut self.interim),
            reusable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], piece: usize) -> Reading {
        let mut reader = Reader::new(Verb::Get);
        for part in bytes.chunks(piece) {
            if let Some(reading) = reader.feed(part) {
                return reading;
            }
        }
        reader.end(Ended::Closed)
    }

    #[test]
    fn an_answer_reads_the_same_in_any_pieces() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: \
            chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
        for piece in 1..bytes.len() {
            let reading = read(bytes, piece);
            let answer = reading.answer().expect("an answer");
            assert_eq!((answer.head.status, &answer.body[..]), (200, &b"body"[..]));
            assert_eq!(answer.interim, [100]);
            assert_eq!((answer.ended, answer.reusable), (BodyEnd::Whole, true));
        }
    }

    #[test]
    fn a_connection_stays_usable_only_where_the_end_of_the_answer_is_sure() {
        for (bytes, reusable) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..], true),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                false,
            ),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            (
                b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n",
                true,
            ),
            (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", false),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 again",
                false,
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", false),
        ] {
            let reading = read(bytes, 4_096);
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(
                reading.answer().expect("an answer").reusable,
                reusable,
                "{text}"
            );
        }
    }

    #[test]
    fn what_ends_before_a_head_is_named_by_how_it_ends() {
        let end = |ended| Reader::new(Verb::Get).end(ended);
        assert_eq!(end(Ended::Closed), Reading::Closed);
        assert_eq!(end(Ended::Reset), Reading::Reset);
        assert_eq!(end(Ended::TimeUp), Reading::Silent);
        assert_eq!(read(b"HTTP/1.1 200 O", 4_096), Reading::Garbage);
        assert_eq!(read(b"220 mail.example.com\r\n", 4_096), Reading::Garbage);
    }

    #[test]
    fn interim_answers_without_a_final_one_are_no_answer() {
        let once = b"HTTP/1.1 100 Continue\r\n\r\n";
        for bytes in [
            once.repeat(1_000),
            once.to_vec(),
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 20".to_vec(),
            b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".to_vec(),
            b"HTTP/1.1 103 Early Hints\r\nno header\r\n\r\n".to_vec(),
        ] {
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(read(&bytes, 7), Reading::Interim, "{text}");
        }
        let mut waits = Reader::new(Verb::Get);
        assert_eq!(waits.feed(once), None);
        assert_eq!(waits.end(Ended::TimeUp), Reading::Interim);
    }

    #[test]
    fn as_many_interim_answers_as_may_be_are_passed_over() {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(MOST_INTERIM);
        let bytes = [&interim[..], b"HTTP/1.1 204 No\r\n\r\n"].concat();
        let reading = read(&bytes, 7);
        let answer = reading.answer().expect("an answer");
        assert_eq!((answer.head.status, answer.interim.len()), (204, 8));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, piece in 1_usize..64) {
            read(&bytes, piece);
        }

        #[test]
        fn any_bytes_after_a_status_line_are_read_without_panic(rest: Vec<u8>, chunked: bool, piece in 1_usize..64) {
            let coding = if chunked { "Transfer-Encoding: chunked\r\n\r\n" } else { "" };
            let bytes = [format!("HTTP/1.1 200 OK\r\n{coding}").into_bytes(), rest].concat();
            let reading = read(&bytes, piece);
            proptest::prop_assert!(matches!(reading, Reading::Answer(_) | Reading::Garbage), "{:?}", reading);
        }
    }
}
