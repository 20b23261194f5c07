//! Reading an HTTP/1.1 answer with its body, in pieces of any size.
//!
//! The head is read by httparse. Then the body comes as the head says: so many bytes, in chunks, or until the server
//! closes (RFC 9112 section 6.3). The body is bounded, and a length that is too large ends the reading before the first
//! byte of it.

use crate::wire::web::http::head;

/// The most bytes of an answer's head.
const LARGEST_HEAD: usize = 16 << 10;
/// The most bytes of the line before a chunk.
const LONGEST_CHUNK_LINE: usize = 1 << 10;
/// The most characters of a header that are kept.
const LONGEST_HEADER: usize = 2_048;

/// What the head of an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Status code.
    pub(crate) status: u16,
    /// `Location` header.
    pub(crate) location: Option<String>,
    /// `Content-Type` header.
    pub(crate) content_type: Option<String>,
    /// `Date` header.
    pub(crate) date: Option<String>,
    /// `Age` header, of an answer that a cache kept.
    pub(crate) age: Option<String>,
    /// The whole of it, cut to what evidence needs.
    pub(crate) whole: head::Head,
    framing: Framing,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

/// Why an answer cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is not HTTP.
    NotHttp,
    /// Its body is larger than it may be.
    TooLarge,
    /// The server closed before the end.
    CutShort,
    /// The server closed before its first byte.
    HungUp,
}

/// What has come of an answer so far.
#[derive(Debug)]
pub(crate) struct Answer {
    most: usize,
    /// Bytes that are not read yet: of the head, or of the frame of chunks.
    pending: Vec<u8>,
    head: Option<Head>,
    chunk: Chunk,
    body: Vec<u8>,
}

/// Where in a chunked body the reading is.
#[derive(Clone, Copy, Debug)]
enum Chunk {
    /// Before the line that says how long the next is.
    Line,
    /// Within one: so many bytes are to come.
    Data(u64),
    /// Before the line end that follows one.
    End,
}

impl Answer {
    /// An answer of which nothing has come, with a body of at most so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            pending: Vec::new(),
            head: None,
            chunk: Chunk::Line,
            body: Vec::new(),
        }
    }

    /// The head, once it is whole.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The body, as far as it has come.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Takes in what came; true when the answer is whole.
    ///
    /// # Errors
    /// That the rest is not worth waiting for.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<bool, Broken> {
        self.pending.extend_from_slice(bytes);
        if self.head.is_none() && !self.take_head()? {
            return Ok(false);
        }
        let framing = self.head.as_ref().map(|head| head.framing);
        match framing {
            Some(Framing::Chunked) => self.take_chunks(),
            Some(Framing::Length(length)) => self.take_length(length),
            Some(Framing::Close) | None => {
                let all = std::mem::take(&mut self.pending);
                self.keep(&all).map(|()| false)
            }
        }
    }

    /// What it means that the server closed now.
    ///
    /// # Errors
    /// That the answer is not whole.
    pub(crate) fn closed(&self) -> Result<(), Broken> {
        match &self.head {
            Some(head) if head.framing == Framing::Close => Ok(()),
            Some(_) => Err(Broken::CutShort),
            None if self.pending.is_empty() => Err(Broken::HungUp),
            None => Err(Broken::NotHttp),
        }
    }

    /// Reads the head when it is whole; interim answers (1xx) are passed over.
    fn take_head(&mut self) -> Result<bool, Broken> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            let length = match response.parse(&self.pending) {
                Ok(httparse::Status::Complete(length)) => length,
                Ok(httparse::Status::Partial) if self.pending.len() < LARGEST_HEAD => {
                    return Ok(false);
                }
                Ok(httparse::Status::Partial) | Err(_) => return Err(Broken::NotHttp),
            };
            let head = read(&response).ok_or(Broken::NotHttp)?;
            self.pending.drain(..length);
            if (100..200).contains(&head.status) {
                continue;
            }
            let fits = match head.framing {
                Framing::Length(length) => usize::try_from(length).is_ok_and(|it| it <= self.most),
                Framing::Chunked | Framing::Close => true,
            };
            self.head = Some(head);
            return if fits {
                Ok(true)
            } else {
                Err(Broken::TooLarge)
            };
        }
    }

    fn take_length(&mut self, length: u64) -> Result<bool, Broken> {
        let missing = usize::try_from(length).map_err(|_| Broken::TooLarge)? - self.body.len();
        // Whatever follows belongs to no answer that was asked for.
        self.pending.truncate(missing);
        let all = std::mem::take(&mut self.pending);
        self.keep(&all)?;
        Ok(all.len() == missing)
    }

    fn take_chunks(&mut self) -> Result<bool, Broken> {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        let whole = loop {
            match self.chunk {
                Chunk::Line => match httparse::parse_chunk_size(rest) {
                    // What may follow the last chunk is of no use here.
                    Ok(httparse::Status::Complete((_, 0))) => break true,
                    Ok(httparse::Status::Complete((line, size))) => {
                        rest = &rest[line..];
                        self.chunk = Chunk::Data(size);
                    }
                    Ok(httparse::Status::Partial) if rest.len() < LONGEST_CHUNK_LINE => {
                        break false;
                    }
                    Ok(httparse::Status::Partial) | Err(_) => return Err(Broken::NotHttp),
                },
                Chunk::Data(0) => self.chunk = Chunk::End,
                Chunk::Data(_) if rest.is_empty() => break false,
                Chunk::Data(missing) => {
                    let here = usize::try_from(missing).unwrap_or(usize::MAX);
                    let (part, after) = rest.split_at(here.min(rest.len()));
                    self.keep(part)?;
                    self.chunk = Chunk::Data(missing - part.len() as u64);
                    rest = after;
                }
                Chunk::End => match rest.split_first_chunk() {
                    None => break false,
                    Some((b"\r\n", after)) => {
                        rest = after;
                        self.chunk = Chunk::Line;
                    }
                    Some(_) => return Err(Broken::NotHttp),
                },
            }
        };
        self.pending = rest.to_vec();
        Ok(whole)
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), Broken> {
        if self.body.len() + part.len() > self.most {
            return Err(Broken::TooLarge);
        }
        self.body.extend_from_slice(part);
        Ok(())
    }
}

fn read(response: &httparse::Response<'_, '_>) -> Option<Head> {
    let header = |name: &str| {
        let mut found = response
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        let value = found.next()?.value;
        let text = String::from_utf8_lossy(value).trim().to_string();
        // Twice the same header with two values is no answer to rely on.
        let same = found.all(|other| other.value == value);
        (same && text.len() <= LONGEST_HEADER).then_some(text)
    };
    let has = |name: &str| {
        let mut headers = response.headers.iter();
        headers.any(|header| header.name.eq_ignore_ascii_case(name))
    };
    let framing = if has("transfer-encoding") {
        match header("transfer-encoding")?.eq_ignore_ascii_case("chunked") {
            true => Framing::Chunked,
            false => return None,
        }
    } else if has("content-length") {
        Framing::Length(header("content-length")?.parse().ok()?)
    } else {
        Framing::Close
    };
    Some(Head {
        status: response.code?,
        location: header("location"),
        content_type: header("content-type"),
        date: header("date"),
        age: header("age"),
        whole: head::Head::of(response)?,
        framing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_000;

    /// The body, or why there is none, of an answer after which the server closes.
    fn read(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
        read_pieces(&[bytes])
    }

    fn read_pieces(pieces: &[&[u8]]) -> Result<Vec<u8>, Broken> {
        let mut answer = Answer::new(MOST);
        for piece in pieces {
            if answer.take(piece)? {
                return Ok(answer.into_body());
            }
        }
        answer.closed()?;
        Ok(answer.into_body())
    }

    fn answer(head: &str, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), body].concat()
    }

    #[test]
    fn a_body_ends_where_the_head_says() {
        let length = answer("Content-Length: 4\r\n", b"listand more");
        assert_eq!(read(&length), Ok(b"list".to_vec()));
        let chunks = answer(
            "Transfer-Encoding: chunked\r\n",
            b"2;name=value\r\nli\r\n02\r\nst\r\n0\r\n\r\n",
        );
        assert_eq!(read(&chunks), Ok(b"list".to_vec()));
        assert_eq!(read(&answer("", b"list")), Ok(b"list".to_vec()));
        assert_eq!(read(&answer("Content-Length: 0\r\n", b"")), Ok(Vec::new()));
    }

    #[test]
    fn one_byte_at_a_time_is_the_same() {
        for bytes in [
            answer("Content-Length: 4\r\n", b"list"),
            answer(
                "Transfer-Encoding: chunked\r\n",
                b"2\r\nli\r\n2\r\nst\r\n0\r\n\r\n",
            ),
            answer("", b"list"),
        ] {
            let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read_pieces(&pieces), Ok(b"list".to_vec()));
        }
    }

    #[test]
    fn an_interim_answer_is_passed_over() {
        let bytes = [
            b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            answer("Content-Length: 4\r\n", b"list"),
        ];
        assert_eq!(read(&bytes.concat()), Ok(b"list".to_vec()));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_comes() {
        let announced = answer("Content-Length: 1001\r\n", b"");
        assert_eq!(read(&announced), Err(Broken::TooLarge));
        let absurd = answer("Content-Length: 18446744073709551615\r\n", b"");
        assert_eq!(read(&absurd), Err(Broken::TooLarge));
        let long = [b'x'; MOST + 1];
        assert_eq!(read(&answer("", &long)), Err(Broken::TooLarge));
        let chunk = [b"ffffffff\r\n", &long[..]].concat();
        let chunked = answer("Transfer-Encoding: chunked\r\n", &chunk);
        assert_eq!(read(&chunked), Err(Broken::TooLarge));
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        for bytes in [
            answer("Content-Length: 9\r\n", b"list"),
            answer("Transfer-Encoding: chunked\r\n", b"4\r\nlist\r\n"),
            answer("Transfer-Encoding: chunked\r\n", b"9\r\nlist"),
            answer("Transfer-Encoding: chunked\r\n", b"4\r\nlist"),
        ] {
            assert_eq!(read(&bytes), Err(Broken::CutShort));
        }
        assert_eq!(read(b""), Err(Broken::HungUp));
        assert_eq!(read(b"HTTP/1.1 200 O"), Err(Broken::NotHttp));
    }

    #[test]
    fn what_is_ambiguous_or_strange_is_not_http() {
        for bytes in [
            answer("Content-Length: 4\r\nContent-Length: 5\r\n", b"list"),
            answer("Content-Length: -4\r\n", b"list"),
            answer("Transfer-Encoding: gzip, chunked\r\n", b"list"),
            answer("Transfer-Encoding: chunked\r\n", b"list"),
            answer("Transfer-Encoding: chunked\r\n", b"4\r\nlistXX"),
            b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
            answer(
                "Transfer-Encoding: chunked\r\n",
                &[b'0'; LONGEST_CHUNK_LINE],
            ),
            answer(&"X: y\r\n".repeat(70), b"list"),
            vec![b'H'; LARGEST_HEAD],
        ] {
            assert_eq!(read(&bytes), Err(Broken::NotHttp));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_read_without_panic(pieces: Vec<Vec<u8>>) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _ = read_pieces(&pieces);
        }

        #[test]
        fn any_body_in_any_pieces_stays_within_its_bound(
            framing in 0_usize..3, pieces: Vec<Vec<u8>>,
        ) {
            let head = ["", "Transfer-Encoding: chunked\r\n", "Content-Length: 50\r\n"][framing];
            let mut answer_ = Answer::new(MOST);
            let _ = answer_.take(&answer(head, b""));
            for piece in &pieces {
                if answer_.take(piece).map_or(true, |whole| whole) {
                    break;
                }
            }
            proptest::prop_assert!(answer_.into_body().len() <= MOST);
        }

        #[test]
        fn chunks_of_any_size_are_put_together(parts in proptest::collection::vec(proptest::collection::vec(0_u8.., 1..50), 0..10)) {
            let mut body = Vec::new();
            for part in &parts {
                body.extend(format!("{:x}\r\n", part.len()).bytes());
                body.extend(part);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let read = read(&answer("Transfer-Encoding: chunked\r\n", &body));
            proptest::prop_assert_eq!(read, Ok(parts.concat()));
        }
    }
}
