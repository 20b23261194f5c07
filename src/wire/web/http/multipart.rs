//! Bodies of `multipart/mixed` (RFC 2046 section 5.1): what management points and their clients exchange.

/// The boundary that Configuration Manager's own messages carry.
const BOUNDARY: &str = "aAbBcCdDv1234567890VxXyYzZ";

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its content type.
    pub(crate) content_type: String,
    /// Its bytes; they must not hold the boundary.
    pub(crate) bytes: Vec<u8>,
}

/// The content type of such a body.
pub(crate) fn content_type() -> String {
    format!("multipart/mixed; boundary=\"{BOUNDARY}\"")
}

/// The parts as one body.
pub(crate) fn body(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            part.content_type,
            part.bytes.len()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&part.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The parts of a body, as it arrived; `None` when it is not whole.
pub(crate) fn parts(body: &[u8]) -> Option<Vec<Part>> {
    let delimiter = format!("--{BOUNDARY}");
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, format!("\r\n{delimiter}").as_bytes())?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + 2 + delimiter.len()..];
    }
    (rest == b"--\r\n").then_some(parts)
}

fn part(bytes: &[u8]) -> Option<Part> {
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let httparse::Status::Complete((length, headers)) =
        httparse::parse_headers(bytes, &mut headers).ok()?
    else {
        return None;
    };
    let content_type = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-type"))?;
    Some(Part {
        content_type: String::from_utf8_lossy(content_type.value).into_owned(),
        bytes: bytes[length..].to_vec(),
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_body_is_not_whole() {
        let part = Part {
            content_type: "text/plain".to_string(),
            bytes: b"portproof".to_vec(),
        };
        let bytes = body(&[part]);
        for end in 0..bytes.len() {
            assert_eq!(parts(&bytes[..end]), None, "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parts(&bytes);
            let _ = parts(&[format!("--{BOUNDARY}\r\n").into_bytes(), bytes].concat());
        }

        #[test]
        fn parts_come_back_as_they_went(all in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..100), 0..5)) {
            let all: Vec<Part> = all.into_iter().map(|bytes| Part { content_type: "application/octet-stream".to_string(), bytes }).collect();
            proptest::prop_assert_eq!(parts(&body(&all)), Some(all));
        }
    }
}
