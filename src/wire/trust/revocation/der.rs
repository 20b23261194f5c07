//! The few parts of DER that lists and responders are read and asked with.

use jiff::Timestamp;
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// Identifier octets.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_1: u8 = 0xa1;
pub(super) const CONTEXT_2: u8 = 0xa2;

/// What follows the first element and its content, when it has this identifier octet.
pub(super) fn element(bytes: &[u8], identifier: u8) -> Option<(&[u8], &[u8])> {
    if bytes.first() != Some(&identifier) {
        return None;
    }
    let (rest, any) = Any::from_der(bytes).ok()?;
    Some((rest, any.data))
}

/// An element with this content.
pub(super) fn encode(identifier: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut bytes = vec![identifier];
    match digits {
        [] => bytes.push(0),
        [short] if *short < 0x80 => bytes.push(*short),
        long => {
            // There are at most eight digits.
            bytes.push(0x80 | long.len() as u8);
            bytes.extend(long);
        }
    }
    bytes.extend(content);
    bytes
}

pub(super) fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_read_again(length in 0_usize..70_000, more: Vec<u8>) {
            let content = vec![7; length];
            let bytes = [encode(SEQUENCE, &content), more.clone()].concat();
            let (rest, read) = element(&bytes, SEQUENCE).expect("an element");
            proptest::prop_assert_eq!((rest, read), (&more[..], &content[..]));
            proptest::prop_assert_eq!(element(&bytes, OCTET_STRING), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, identifier: u8) {
            let _ = element(&bytes, identifier);
        }
    }
}
