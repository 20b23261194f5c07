//! A message that is signed: its kind, the signature, a head in JSON, and bytes.
//!
//! ```text
//! portproof.job/1\n  SIGNATURE (64 bytes)  HEAD (one line of JSON)\n  BODY
//! ```
//!
//! The signature is over all but itself, so that a result can never pass for a job. A body is what JSON was packed into.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::report::{SIGNATURE_LENGTH, SigningKey, VerifyingKey};

/// The most bytes of a message. A NATS server takes 1 MiB, headers included, if nobody configures it otherwise.
pub const LARGEST: usize = 1_000_000;
/// The most bytes of a body in one message: what is left beside the head.
pub(super) const LARGEST_BODY: usize = 900_000;
/// The most bytes that a body may be unpacked to.
const UNPACKED: u64 = 128 << 20;
/// The longest head.
const HEAD: usize = 64 << 10;

/// Why a message is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It has more bytes than any message of this program.
    TooLarge(usize),
    /// It is of another kind, or of another version of it; the first bytes of it say which.
    OtherKind(String),
    /// No key that is known has signed it as it is.
    NotSigned,
    /// It is signed, and cannot be read all the same.
    Malformed(String),
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(bytes) => {
                write!(
                    formatter,
                    "it has {bytes} bytes, and {LARGEST} are the limit"
                )
            }
            Self::OtherKind(kind) => write!(
                formatter,
                "it is `{kind}`, which this version does not know"
            ),
            Self::NotSigned => formatter
                .write_str("it is not signed by the key that has to sign it, or was changed"),
            Self::Malformed(why) => write!(formatter, "it is signed and cannot be read: {why}"),
        }
    }
}

/// Signs a message.
pub(super) fn seal(kind: &str, head: &impl Serialize, body: &[u8], key: &SigningKey) -> Vec<u8> {
    let head = serde_json::to_string(head).unwrap_or_default();
    let mut signed = Vec::with_capacity(kind.len() + head.len() + body.len() + 2);
    for part in [kind.as_bytes(), b"\n", head.as_bytes(), b"\n", body] {
        signed.extend_from_slice(part);
    }
    let signature = key.sign(&signed);
    let (kind, rest) = signed.split_at(kind.len() + 1);
    [kind, &signature[..], rest].concat()
}

/// Reads a message of a kind that one of the keys has signed.
///
/// # Errors
/// Why it is not read. Nothing of a message that is not signed is told, but its kind.
pub(super) fn open<H: DeserializeOwned>(
    kind: &str,
    message: &[u8],
    key: &VerifyingKey,
) -> Result<(H, Vec<u8>), Unopened> {
    if message.len() > LARGEST {
        return Err(Unopened::TooLarge(message.len()));
    }
    let begin = kind.len() + 1;
    let is_kind = message.starts_with(kind.as_bytes()) && message.get(kind.len()) == Some(&b'\n');
    if !is_kind || message.len() < begin + SIGNATURE_LENGTH {
        let first = message
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let first = String::from_utf8_lossy(&first[..first.len().min(40)]);
        return Err(Unopened::OtherKind(
            crate::diagnostic::visible(&first).to_string(),
        ));
    }
    let (kind, rest) = message.split_at(begin);
    let (signature, rest) = rest.split_at(SIGNATURE_LENGTH);
    key.verify(&[kind, rest].concat(), signature)
        .map_err(|_| Unopened::NotSigned)?;
    let malformed = |why: &str| Unopened::Malformed(why.to_string());
    let end = rest.iter().take(HEAD).position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| malformed("its head has no end"))?;
    let head =
        serde_json::from_slice(&rest[..end]).map_err(|error| malformed(&error.to_string()))?;
    Ok((head, rest[end + 1..].to_vec()))
}

/// Packs what JSON says.
pub(super) fn pack(content: &impl Serialize) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let json = serde_json::to_vec(content).unwrap_or_default();
    // Writing to memory does not fail.
    let _ = packer.write_all(&json);
    packer.finish().unwrap_or_default()
}

/// Unpacks it, within bounds.
///
/// # Errors
/// In words: it is no such thing, or too large.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, String> {
    let mut json = Vec::new();
    let unpacked = GzDecoder::new(packed)
        .take(UNPACKED + 1)
        .read_to_end(&mut json);
    unpacked.map_err(|error| error.to_string())?;
    if json.len() as u64 > UNPACKED {
        return Err(format!("it unpacks to more than {} MiB", UNPACKED >> 20));
    }
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{key, pair};
    use proptest::prelude::*;

    const KIND: &str = "portproof.test/1";

    #[test]
    fn what_was_sealed_is_opened_by_its_key_alone() {
        let (secret, public) = pair();
        let message = seal(KIND, &("head", 7), b"body\nof lines", &secret);
        let opened: Result<((String, u8), Vec<u8>), _> = open(KIND, &message, &public);
        assert_eq!(
            opened,
            Ok((("head".to_string(), 7), b"body\nof lines".to_vec()))
        );
        let other = open::<(String, u8)>(KIND, &message, &key());
        assert_eq!(other.err(), Some(Unopened::NotSigned));
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let (secret, public) = pair();
        let message = seal(KIND, &"head", b"body", &secret);
        for place in 0..message.len() {
            let mut changed = message.clone();
            changed[place] ^= 1;
            assert!(
                open::<String>(KIND, &changed, &public).is_err(),
                "byte {place}"
            );
        }
    }

    #[test]
    fn what_is_signed_as_one_kind_is_not_another() {
        let (secret, public) = pair();
        let message = seal("portproof.result/1", &"head", b"", &secret);
        let swapped = [
            b"portproof.job/1\n",
            &message["portproof.result/1\n".len()..],
        ]
        .concat();
        assert_eq!(
            open::<String>("portproof.job/1", &swapped, &public).err(),
            Some(Unopened::NotSigned)
        );
        let said = open::<String>("portproof.job/1", &message, &public).expect_err("refused");
        assert_eq!(
            said.to_string(),
            "it is `portproof.result/1`, which this version does not know"
        );
    }

    #[test]
    fn what_is_too_large_is_refused_unread() {
        let said = open::<String>(KIND, &vec![0; LARGEST + 1], &key());
        assert_eq!(said.err(), Some(Unopened::TooLarge(LARGEST + 1)));
        let zeros = pack(&"0".repeat(UNPACKED as usize + 1));
        assert!(zeros.len() < LARGEST);
        assert_eq!(
            unpack::<String>(&zeros),
            Err("it unpacks to more than 128 MiB".to_string())
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_opened_without_panic(bytes: Vec<u8>) {
            prop_assert!(open::<String>(KIND, &bytes, &key()).is_err());
            let _ = unpack::<String>(&bytes);
        }
    }
}
