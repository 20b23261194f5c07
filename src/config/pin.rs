//! Pins: the certificate that the site expects, by the SHA-256 of its DER bytes.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of a certificate as it was sent.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// Reads 64 hexadecimal digits, in either case, with or without colons or blanks between the bytes.
    pub fn read(text: &str) -> Option<Self> {
        let mut digits = text
            .chars()
            .filter(|character| !matches!(character, ':' | ' '))
            .map(|character| character.to_digit(16));
        let mut bytes = [0_u8; 32];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// Whether a certificate is the pinned one.
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        *self == Self::of(certificate)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pin({self})")
    }
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Pin::of(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_pin_is_read_as_openssl_and_windows_print_it() {
        let pin = Pin::read(OF_NOTHING).expect("a pin");
        assert_eq!(pin, Pin::of(b""));
        assert_eq!(pin.to_string(), OF_NOTHING);
        let pairs: Vec<String> = OF_NOTHING
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        assert_eq!(Pin::read(&pairs.join(":")), Some(pin));
        assert_eq!(Pin::read(&pairs.join(" ")), Some(pin));
    }

    #[test]
    fn what_is_not_a_sha256_is_no_pin() {
        assert_eq!(Pin::read(&OF_NOTHING[2..]), None);
        assert_eq!(Pin::read(&format!("{OF_NOTHING}00")), None);
        assert_eq!(Pin::read(&OF_NOTHING.replace('e', "g")), None);
        assert_eq!(Pin::read(""), None);
    }

    #[test]
    fn another_certificate_is_not_the_pinned_one() {
        let pin = Pin::of(b"one");
        assert!(pin.is_of(b"one"));
        assert!(!pin.is_of(b"other"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = Pin::read(&text);
        }
    }
}
