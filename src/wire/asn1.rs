//! BER as LDAP and Kerberos use it: elements to write, with definite lengths, and to read, with `asn1_rs`.
//!
//! Not DER: Active Directory writes lengths in four bytes where one would do.

use asn1_rs::{Any, FromBer, Header, nom};

use super::message::begins_like;

/// Identifiers of universal types.
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const GENERAL_STRING: u8 = 0x1b;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The identifier of a constructed element of an application's own types, and of a field's number.
pub(crate) const fn application(number: u8) -> u8 {
    0x60 | number
}
pub(crate) const fn field(number: u8) -> u8 {
    0xa0 | number
}

/// An element with this identifier.
pub(crate) fn element(identifier: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![identifier];
    match content.len() {
        short @ 0..=0x7f => bytes.push(short as u8),
        long => {
            bytes.push(0x82);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

/// How long the element is that the bytes begin; `None`: they begin none of these identifiers, or a longer one.
pub(crate) fn frame(bytes: &[u8], identifiers: &[u8], longest: usize) -> Option<usize> {
    let known = identifiers.iter().any(|one| begins_like(bytes, &[*one]));
    known.then_some(())?;
    match Header::from_ber(bytes) {
        Ok((content, header)) => {
            let length = header.length().definite().ok()?;
            let whole = length.checked_add(bytes.len() - content.len())?;
            (whole <= longest).then_some(whole)
        }
        Err(nom::Err::Incomplete(_)) => Some(bytes.len() + 1),
        Err(_) => None,
    }
}

/// The elements that stand side by side, up to the first that cannot be read.
pub(crate) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Any<'_>> {
    std::iter::from_fn(move || {
        let (rest, element) = Any::from_ber(bytes).ok()?;
        bytes = rest;
        Some(element)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_known_from_the_header_in_either_form() {
        let whole = |bytes: &[u8]| frame(bytes, &[SEQUENCE], 1_000);
        assert_eq!(whole(&[]), Some(1));
        assert_eq!(whole(&[0x30]), Some(2));
        assert_eq!(whole(&[0x30, 5]), Some(7));
        assert_eq!(whole(&[0x30, 0x84, 0, 0]), Some(5));
        assert_eq!(whole(&[0x30, 0x84, 0, 0, 0, 5, 2]), Some(11));
        assert_eq!(whole(b"HTTP"), None);
    }

    #[test]
    fn lengths_that_are_endless_or_too_long_are_refused() {
        let whole = |bytes: &[u8]| frame(bytes, &[SEQUENCE], 1_000);
        assert_eq!(whole(&[0x30, 0x80]), None);
        assert_eq!(whole(&[0x30, 0x82, 0xff, 0xff]), None);
        assert_eq!(
            whole(&[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]),
            None
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let long = vec![7; 300];
        let bytes = [element(OCTET_STRING, b"ab"), element(OCTET_STRING, &long)].concat();
        let read: Vec<&[u8]> = elements(&bytes).map(|element| element.data).collect();
        assert_eq!(read, [b"ab".as_slice(), &long]);
    }
}
