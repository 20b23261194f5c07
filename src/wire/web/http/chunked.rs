//! The chunked coding of a body (RFC 9112 section 7.1), read byte by byte so that it may come in any pieces.

/// The most bytes of a chunk's extensions, and of all trailers.
const LONGEST_ASIDE: usize = 8 << 10;

/// Where in the coding the reader is.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunked {
    place: Place,
    /// Bytes of extensions and trailers so far: a body may not be all asides.
    aside: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the hexadecimal size of a chunk.
    Size { size: u64, digits: u8 },
    /// Behind the size, in what a reader has to ignore.
    Extension { size: u64 },
    /// Behind the carriage return after the size.
    SizeEnd { size: u64 },
    /// In the data of a chunk.
    Data { left: u64 },
    /// Behind the data.
    DataCr,
    /// Behind the carriage return after the data.
    DataLf,
    /// In a trailer line; an empty line ends the body.
    Trailer { empty: bool },
    /// Behind the carriage return of a trailer line.
    TrailerLf { empty: bool },
}

impl Default for Place {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

/// What the coding says after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More has to come.
    More,
    /// The body ends here.
    End,
    /// More data came than was asked to be kept.
    Full,
    /// This is not the chunked coding, or far too much of what is to be ignored.
    Bad,
}

impl Chunked {
    /// Reads bytes, keeps the data among them in `kept` up to `most` bytes, and says how many were used.
    pub(super) fn feed(&mut self, bytes: &[u8], kept: &mut Vec<u8>, most: usize) -> (usize, Step) {
        let mut used = 0;
        while let Some(&byte) = bytes.get(used) {
            if let Place::Data { left } = self.place {
                let here = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len() - used);
                let room = most.saturating_sub(kept.len()).min(here);
                kept.extend_from_slice(&bytes[used..used + room]);
                used += here;
                if room < here {
                    return (used, Step::Full);
                }
                let left = left - here as u64;
                self.place = if left == 0 {
                    Place::DataCr
                } else {
                    Place::Data { left }
                };
                continue;
            }
            used += 1;
            match self.one(byte) {
                Step::More => {}
                ended => return (used, ended),
            }
        }
        (used, Step::More)
    }

    /// One byte outside of data.
    fn one(&mut self, byte: u8) -> Step {
        self.place = match (self.place, byte) {
            (Place::Size { size, digits }, _) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                Place::Size {
                    size: size * 16 + u64::from(digit),
                    digits: digits + 1,
                }
            }
            (Place::Size { digits: 0, .. }, _) => return Step::Bad,
            (Place::Size { size, .. } | Place::Extension { size }, b'\r') => {
                Place::SizeEnd { size }
            }
            (Place::Size { size, .. }, b';' | b' ' | b'\t') => Place::Extension { size },
            (Place::Extension { size }, _) if byte != b'\n' => Place::Extension { size },
            (Place::SizeEnd { size: 0 }, b'\n') => Place::Trailer { empty: true },
            (Place::SizeEnd { size }, b'\n') => Place::Data { left: size },
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::default(),
            (Place::Trailer { empty }, b'\r') => Place::TrailerLf { empty },
            (Place::Trailer { .. }, _) if byte != b'\n' => Place::Trailer { empty: false },
            (Place::TrailerLf { empty: true }, b'\n') => return Step::End,
            (Place::TrailerLf { empty: false }, b'\n') => Place::Trailer { empty: true },
            _ => return Step::Bad,
        };
        if matches!(self.place, Place::Extension { .. } | Place::Trailer { .. }) {
            self.aside += 1;
        }
        if self.aside > LONGEST_ASIDE {
            Step::Bad
        } else {
            Step::More
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> (Vec<u8>, usize, Step) {
        let (mut coding, mut kept, mut used) = (Chunked::default(), Vec::new(), 0);
        for part in bytes.chunks(piece) {
            let (count, step) = coding.feed(part, &mut kept, 1_000);
            used += count;
            if step != Step::More {
                return (kept, used, step);
            }
        }
        (kept, used, Step::More)
    }

    #[test]
    fn a_body_comes_out_the_same_in_any_pieces() {
        let bytes = b"4;name=value\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.1";
        for piece in 1..bytes.len() {
            assert_eq!(
                decode(bytes, piece),
                (b"Wikipedia".to_vec(), bytes.len() - 8, Step::End),
                "{piece}"
            );
        }
    }

    #[test]
    fn what_is_no_chunked_coding_is_told() {
        for bytes in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-4\r\n",
            b"4\nWiki",
            b"4\r\nWikiX",
            b"ffffffffffffffff\r\n",
            b"0\r\nTrailer\n",
        ] {
            assert_eq!(decode(bytes, 3).2, Step::Bad, "{bytes:?}");
        }
    }

    #[test]
    fn asides_without_end_are_no_body() {
        let extensions = b"1;aaaaaaaa\r\nx\r\n".repeat(2_000);
        assert_eq!(decode(&extensions, 4_096).2, Step::Bad);
        let trailers = [&b"0\r\n"[..], &b"A: b\r\n".repeat(2_000)].concat();
        assert_eq!(decode(&trailers, 4_096).2, Step::Bad);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, piece in 1_usize..64) {
            decode(&bytes, piece);
        }

        #[test]
        fn what_was_coded_comes_back(chunks in proptest::collection::vec(proptest::collection::vec(0_u8.., 1..50), 0..10), piece in 1_usize..64) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
            }
            bytes.extend(b"0\r\n\r\n");
            proptest::prop_assert_eq!(decode(&bytes, piece), (chunks.concat(), bytes.len(), Step::End));
        }

        #[test]
        fn no_more_is_kept_than_asked(size in 0_usize..5_000, most in 0_usize..5_000) {
            let bytes = [format!("{size:x}\r\n").into_bytes(), vec![b'x'; size]].concat();
            let mut kept = Vec::new();
            Chunked::default().feed(&bytes, &mut kept, most);
            proptest::prop_assert_eq!(kept.len(), size.min(most));
        }
    }
}
