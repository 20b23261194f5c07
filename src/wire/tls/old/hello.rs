//! The greeting of an old client.

/// Cipher suites in the order of preference: what a client of 2008 and before could have offered. Strong ones come
/// first, so that a server which follows the client shows its best.
const CIPHERS: &[u16] = &[
    // ECDHE with ECDSA and RSA: GCM, then CBC.
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc023, 0xc027, 0xc009, 0xc013, 0xc00a, 0xc014,
    // DHE with RSA and DSS.
    0x009e, 0x009f, 0x0067, 0x006b, 0x0033, 0x0039, 0x0032, 0x0038,
    // RSA key exchange.
    0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035,
    // 3DES: all that Windows Server 2003 has besides RC4.
    0xc008, 0xc012, 0x0016, 0x0013, 0x000a, // RC4.
    0xc007, 0xc011, 0x0005, 0x0004,
    // Single DES, 56-bit and 40-bit export: Windows 2000.
    0x0015, 0x0012, 0x0009, 0x0064, 0x0062, 0x0003, 0x0006, 0x0008,
    // Says that secure renegotiation is understood: some servers demand it (RFC 5746 section 3.3).
    0x00ff,
];
/// secp256r1, secp384r1, secp521r1.
const GROUPS: &[u16] = &[23, 24, 25];
/// RSA and ECDSA with SHA-256, SHA-384, SHA-512 and SHA-1, DSA with SHA-1, RSA with MD5.
const SIGNATURES: &[u16] = &[
    0x0401, 0x0403, 0x0501, 0x0503, 0x0601, 0x0603, 0x0201, 0x0203, 0x0202, 0x0101,
];
/// No key is ever agreed on, so nothing hangs on this being random; a constant keeps the greeting a function.
const RANDOM: [u8; 32] = *b"portproof asks only who is there";

/// An alert that takes leave: `close_notify`.
pub(super) const GOODBYE: [u8; 7] = [21, 3, 1, 0, 2, 1, 0];

/// TLS 1.2, as a hello says it.
pub(super) const TLS_1_2: u16 = 0x0303;

/// A ClientHello that offers TLS 1.2 and everything older.
pub(crate) fn old_hello(name: Option<&str>) -> Vec<u8> {
    hello(name, TLS_1_2)
}

/// A ClientHello that offers a version and everything older, in one record (RFC 5246 section 7.4.1.2).
///
/// The name goes in as SNI when it is one: addresses are never sent that way (RFC 6066 section 3).
pub(super) fn hello(name: Option<&str>, newest: u16) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = name.and_then(host_name) {
        let host = [&[0][..], &with_length(name.as_bytes())].concat();
        extensions.extend(extension(0, &with_length(&host)));
    }
    extensions.extend(extension(10, &with_length(&words(GROUPS))));
    // Points uncompressed.
    extensions.extend(extension(11, &[1, 0]));
    extensions.extend(extension(13, &with_length(&words(SIGNATURES))));
    let body = [
        &newest.to_be_bytes()[..],
        &RANDOM,
        // No session to resume.
        &[0],
        &with_length(&words(CIPHERS)),
        // No compression.
        &[1, 0],
        &with_length(&extensions),
    ]
    .concat();
    let message = [&[1, 0][..], &with_length(&body)].concat();
    // The record says 1.0: servers that know no better refuse others.
    [&[22, 3, 1][..], &with_length(&message)].concat()
}

/// The name as SNI carries it.
fn host_name(name: &str) -> Option<&str> {
    let name = name.trim_end_matches('.');
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let fits = (1..=253).contains(&name.len()) && name.is_ascii();
    (fits && !is_address).then_some(name)
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &with_length(content)].concat()
}

/// Every vector here is far below 65,536 bytes: the longest holds a name of at most 253.
fn with_length(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], content].concat()
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use tls_parser::{
        TlsExtension, TlsMessage, TlsMessageHandshake, TlsVersion,
        parse_tls_client_hello_extensions, parse_tls_plaintext,
    };

    use super::*;

    /// The greeting as another reader sees it: whether all was read, the extensions' kinds, the name.
    fn read(hello: &[u8]) -> (Vec<u16>, Option<String>) {
        let (rest, record) = parse_tls_plaintext(hello).expect("a record");
        assert!(rest.is_empty());
        let [TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello))] = &record.msg[..]
        else {
            panic!("{record:?}")
        };
        assert_eq!(hello.version, TlsVersion::Tls12);
        assert_eq!(hello.ciphers.len(), CIPHERS.len());
        let (rest, extensions) =
            parse_tls_client_hello_extensions(hello.ext.expect("extensions")).expect("extensions");
        assert!(rest.is_empty());
        let name = extensions.iter().find_map(|extension| match extension {
            TlsExtension::SNI(names) => names.first(),
            _ => None,
        });
        let name = name.map(|(_, name)| String::from_utf8_lossy(name).into_owned());
        (
            extensions.iter().map(|extension| kind(extension)).collect(),
            name,
        )
    }

    fn kind(extension: &TlsExtension<'_>) -> u16 {
        tls_parser::TlsExtensionType::from(extension).0
    }

    #[test]
    fn the_greeting_is_one_that_another_reader_understands() {
        let (kinds, name) = read(&old_hello(Some("ibs01.example.com.")));
        assert_eq!(kinds, [0, 10, 11, 13]);
        assert_eq!(name.as_deref(), Some("ibs01.example.com"));
    }

    #[test]
    fn without_a_name_and_for_addresses_no_name_is_sent() {
        let long = "a".repeat(300);
        for name in [
            None,
            Some("192.0.2.1"),
            Some("2001:db8::1"),
            Some(""),
            Some(&*long),
        ] {
            assert_eq!(read(&old_hello(name)), (vec![10, 11, 13], None), "{name:?}");
        }
    }

    #[test]
    fn no_cipher_is_offered_twice() {
        let mut ciphers = CIPHERS.to_vec();
        ciphers.sort_unstable();
        ciphers.dedup();
        assert_eq!(ciphers.len(), CIPHERS.len());
    }

    proptest::proptest! {
        #[test]
        fn any_name_gives_a_whole_greeting(name: String) {
            read(&old_hello(Some(&name)));
        }
    }
}
