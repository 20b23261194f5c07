//! Reading what a server says in clear: records, the messages in them, and what they show.
//!
//! Bytes come in pieces of any size. Records are cut from them, and handshake messages from the records: a message may
//! span records, a record may hold several. Each is taken in order: ServerHello, Certificate, CertificateRequest,
//! ServerHelloDone. Others (ServerKeyExchange, CertificateStatus) are passed over.

use tls_parser::{
    TlsAlertSeverity, TlsCipherSuite, TlsHandshakeType, TlsMessage, TlsMessageHandshake,
    TlsRecordType, TlsVersion, nom, parse_tls_message_alert, parse_tls_message_handshake,
    parse_tls_raw_record,
};

use super::{Ending, Recognised, Shown, TooOld};
use crate::wire::tls::request::ClientCertificateRequest;

/// The most bytes of an answer. Chains and lists of authorities of real servers stay below 64 KiB.
const MOST_BYTES: usize = 256 << 10;
/// Type and length of a handshake message.
const MESSAGE_HEADER: usize = 4;

/// What has come so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    read: usize,
    /// Bytes that are no whole record yet.
    records: Vec<u8>,
    /// Bytes of records that are no whole message yet.
    messages: Vec<u8>,
    shown: Option<Shown>,
}

impl Reader {
    /// Takes in what came; an ending when nothing more is needed.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Ending> {
        self.read = self.read.saturating_add(bytes.len());
        if self.read > MOST_BYTES {
            return Some(Ending::TooLong);
        }
        self.records.extend_from_slice(bytes);
        loop {
            if !begins_as_tls(&self.records) {
                return Some(self.strange());
            }
            let (kind, data, rest) = match parse_tls_raw_record(&self.records) {
                Ok((rest, record)) => (record.hdr.record_type, record.data.to_vec(), rest.len()),
                Err(nom::Err::Incomplete(_)) => return None,
                Err(_) => return Some(self.strange()),
            };
            self.records.drain(..self.records.len() - rest);
            if let Some(ending) = self.record(kind, &data) {
                return Some(ending);
            }
        }
    }

    /// What it means that the server closed now.
    pub(crate) fn hung_up(&self) -> Ending {
        match self.read {
            0 => Ending::HungUp,
            _ => Ending::HungUpInHandshake,
        }
    }

    /// Puts the ending beside what was shown.
    pub(crate) fn finish(self, ending: Ending) -> Recognised {
        Recognised {
            ending,
            shown: self.shown,
        }
    }

    /// What is no TLS before anything was shown was never TLS; later it is broken.
    fn strange(&self) -> Ending {
        match self.shown {
            None => Ending::NotTls,
            Some(_) => Ending::Garbled,
        }
    }

    fn record(&mut self, kind: TlsRecordType, data: &[u8]) -> Option<Ending> {
        match kind {
            TlsRecordType::Handshake => {
                self.messages.extend_from_slice(data);
                self.take_messages()
            }
            TlsRecordType::Alert => alert(data),
            _ => Some(Ending::Garbled),
        }
    }

    fn take_messages(&mut self) -> Option<Ending> {
        while let Some(length) = first_message(&self.messages) {
            let message: Vec<u8> = self.messages.drain(..length).collect();
            if let Some(ending) = self.message(&message) {
                return Some(ending);
            }
        }
        None
    }

    /// Takes in one whole handshake message.
    fn message(&mut self, message: &[u8]) -> Option<Ending> {
        let kind = TlsHandshakeType(*message.first()?);
        let wanted = matches!(
            kind,
            TlsHandshakeType::ServerHello
                | TlsHandshakeType::Certificate
                | TlsHandshakeType::CertificateRequest
                | TlsHandshakeType::ServerDone
        );
        if !wanted {
            return None;
        }
        let parsed = match parse_tls_message_handshake(message) {
            Ok((_, TlsMessage::Handshake(parsed))) => parsed,
            Ok(_) | Err(_) => return Some(Ending::Garbled),
        };
        match (parsed, &mut self.shown) {
            (TlsMessageHandshake::ServerHello(hello), shown @ None) => {
                *shown = Some(Shown {
                    version: version(hello.version),
                    cipher: cipher(hello.cipher.0),
                    too_old: too_old(hello.version, hello.cipher.0),
                    chain: Vec::new(),
                    request: None,
                });
                None
            }
            (TlsMessageHandshake::Certificate(certificates), Some(shown)) => {
                let chain = certificates.cert_chain.iter();
                shown.chain = chain.map(|certificate| certificate.data.to_vec()).collect();
                None
            }
            (TlsMessageHandshake::CertificateRequest(request), Some(shown)) => {
                shown.request = Some(ClientCertificateRequest::of(&request.unparsed_ca));
                None
            }
            (TlsMessageHandshake::ServerDone(_), Some(_)) => Some(Ending::Whole),
            // Out of order, twice, or a draft of TLS 1.3 that was not offered.
            _ => Some(Ending::Garbled),
        }
    }
}

/// Whether the bytes may begin a record: one of its types, and major version 3.
fn begins_as_tls(bytes: &[u8]) -> bool {
    let kind = bytes.first().is_none_or(|kind| (20..=24).contains(kind));
    let major = bytes.get(1).is_none_or(|major| *major == 3);
    kind && major
}

/// The length of the first message, header included, when it is whole.
fn first_message(bytes: &[u8]) -> Option<usize> {
    let [_, high, middle, low] = *bytes.first_chunk::<MESSAGE_HEADER>()?;
    let body = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    let length = MESSAGE_HEADER + body;
    (bytes.len() >= length).then_some(length)
}

/// A warning lets the handshake go on; `close_notify` is a warning that does not.
fn alert(data: &[u8]) -> Option<Ending> {
    match parse_tls_message_alert(data) {
        Ok((_, TlsMessage::Alert(alert)))
            if alert.severity == TlsAlertSeverity::Warning
                && alert.code != tls_parser::TlsAlertDescription::CloseNotify =>
        {
            None
        }
        // By rustls' name, as where rustls itself receives one.
        Ok((_, TlsMessage::Alert(alert))) => {
            let alert = rustls::AlertDescription::from(alert.code.0);
            Some(Ending::Alert(format!("{alert:?}")))
        }
        Ok(_) | Err(_) => Some(Ending::Garbled),
    }
}

fn version(version: TlsVersion) -> String {
    match version {
        TlsVersion::Ssl30 => "SSLv3".to_string(),
        TlsVersion(number) => format!("TLSv1.{}", number.saturating_sub(0x0301)),
    }
}

fn cipher(number: u16) -> String {
    TlsCipherSuite::from_id(number)
        .map_or_else(|| format!("0x{number:04x}"), |suite| suite.name.to_string())
}

/// What rustls does not speak: versions before 1.2, and in 1.2 all but ECDHE with an authenticated cipher.
fn too_old(version: TlsVersion, cipher: u16) -> Option<TooOld> {
    let suites = rustls::crypto::ring::ALL_CIPHER_SUITES;
    if version.0 < TlsVersion::Tls12.0 {
        Some(TooOld::Version)
    } else if suites
        .iter()
        .all(|suite| u16::from(suite.suite()) != cipher)
    {
        Some(TooOld::Cipher)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[kind, 3, 1][..], &length, content].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("short").to_be_bytes();
        [&[kind], &length[1..], body].concat()
    }

    fn server_hello(version: u16, cipher: u16) -> Vec<u8> {
        let body = [
            &version.to_be_bytes()[..],
            &[7; 32],
            &[0],
            &cipher.to_be_bytes(),
            &[0],
        ];
        message(2, &body.concat())
    }

    fn certificates(ders: &[&[u8]]) -> Vec<u8> {
        let length = |length: usize| u32::try_from(length).expect("short").to_be_bytes();
        let list: Vec<u8> = ders
            .iter()
            .flat_map(|der| [&length(der.len())[1..], der].concat())
            .collect();
        message(11, &[&length(list.len())[1..], &list].concat())
    }

    /// A CertificateRequest of TLS 1.0, for one authority.
    fn request(authority: &[u8]) -> Vec<u8> {
        let length = |length: usize| u16::try_from(length).expect("short").to_be_bytes();
        let list = [&length(authority.len())[..], authority].concat();
        message(13, &[&[1, 1][..], &length(list.len()), &list].concat())
    }

    fn done() -> Vec<u8> {
        message(14, &[])
    }

    fn read(bytes: &[u8]) -> Recognised {
        let mut reader = Reader::default();
        let ending = reader.take(bytes).unwrap_or_else(|| reader.hung_up());
        reader.finish(ending)
    }

    /// CN=A.
    const A: &[u8] = &[48, 12, 49, 10, 48, 8, 6, 3, 85, 4, 3, 12, 1, 65];

    fn windows_2003() -> Vec<u8> {
        [
            server_hello(0x0301, 0x0004),
            certificates(&[b"leaf", b"root"]),
            request(A),
            done(),
        ]
        .concat()
    }

    fn of_windows_2003() -> Recognised {
        Recognised {
            ending: Ending::Whole,
            shown: Some(Shown {
                version: "TLSv1.0".to_string(),
                cipher: "TLS_RSA_WITH_RC4_128_MD5".to_string(),
                too_old: Some(TooOld::Version),
                chain: vec![b"leaf".to_vec(), b"root".to_vec()],
                request: Some(ClientCertificateRequest {
                    authorities: vec!["CN=A".to_string()],
                    more: 0,
                }),
            }),
        }
    }

    #[test]
    fn all_messages_in_one_record_are_read() {
        assert_eq!(read(&record(22, &windows_2003())), of_windows_2003());
    }

    #[test]
    fn messages_over_many_records_and_pieces_are_read() {
        let records: Vec<u8> = windows_2003()
            .chunks(5)
            .flat_map(|chunk| record(22, chunk))
            .collect();
        let mut reader = Reader::default();
        let (last, bytes) = records.split_last().expect("bytes");
        for byte in bytes {
            assert_eq!(reader.take(&[*byte]), None);
        }
        let ending = reader.take(&[*last]).expect("an end");
        assert_eq!(reader.finish(ending), of_windows_2003());
    }

    #[test]
    fn what_was_shown_before_a_hang_up_is_kept() {
        let seen = read(&record(22, &server_hello(0x0303, 0x000a)));
        assert_eq!(seen.ending, Ending::HungUpInHandshake);
        let shown = seen.shown.expect("a hello");
        assert_eq!(shown.cipher, "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
        assert_eq!(shown.too_old, Some(TooOld::Cipher));
        assert_eq!(read(b"").ending, Ending::HungUp);
    }

    #[test]
    fn a_modern_server_is_not_too_old() {
        let seen = read(&record(22, &server_hello(0x0303, 0xc02f)));
        assert_eq!(seen.shown.expect("a hello").too_old, None);
        let seen = read(&record(22, &server_hello(0x0300, 0x0005)));
        let shown = seen.shown.expect("a hello");
        assert_eq!(
            (shown.version.as_str(), shown.too_old),
            ("SSLv3", Some(TooOld::Version))
        );
    }

    #[test]
    fn an_alert_is_named_and_a_warning_passed_over() {
        let named = |code| read(&record(21, &[2, code])).ending;
        assert_eq!(named(40), Ending::Alert("HandshakeFailure".to_string()));
        assert_eq!(named(70), Ending::Alert("ProtocolVersion".to_string()));
        assert_eq!(named(112), Ending::Alert("UnrecognisedName".to_string()));
        let warned = [record(21, &[1, 112]), record(22, &windows_2003())].concat();
        assert_eq!(read(&warned), of_windows_2003());
        assert_eq!(
            read(&record(21, &[1, 0])).ending,
            Ending::Alert("CloseNotify".to_string())
        );
    }

    #[test]
    fn other_protocols_are_not_tls() {
        for said in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"220 mail\r\n",
            b"\0",
            b"\x16\x02",
            // A record longer than any may be.
            b"\x16\x03\x01\xff\xff",
        ] {
            assert_eq!(read(said).ending, Ending::NotTls, "{said:?}");
        }
    }

    #[test]
    fn a_handshake_that_turns_into_something_else_is_garbled() {
        let hello = record(22, &server_hello(0x0301, 5));
        for next in [
            b"HTTP/1.1 200 OK".to_vec(),
            record(23, b"data"),
            record(22, &server_hello(0x0301, 5)),
            // A ServerHelloDone where none may be, and a certificate list that is longer than its message.
            record(22, &message(11, &[0, 0, 9, 0])),
        ] {
            let bytes = [hello.clone(), next].concat();
            assert_eq!(read(&bytes).ending, Ending::Garbled);
        }
        assert_eq!(read(&record(22, &done())).ending, Ending::Garbled);
        assert_eq!(read(&record(21, &[2])).ending, Ending::Garbled);
    }

    #[test]
    fn a_message_that_never_ends_is_given_up() {
        let mut reader = Reader::default();
        let begun = record(
            22,
            &[&server_hello(0x0301, 5)[..], &[11, 0xff, 0xff, 0xff]].concat(),
        );
        assert_eq!(reader.take(&begun), None);
        let endless = record(22, &[0; 16_000]);
        let mut records = 0;
        while reader.take(&endless).is_none() {
            records += 1;
            assert!(records < 17);
        }
        assert_eq!(reader.take(&[]), Some(Ending::TooLong));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_read_without_panic(pieces: Vec<Vec<u8>>) {
            let mut reader = Reader::default();
            let ended = pieces.iter().find_map(|piece| reader.take(piece));
            let ending = ended.unwrap_or_else(|| reader.hung_up());
            let _ = reader.finish(ending);
        }

        #[test]
        fn a_damaged_answer_is_read_without_panic(at: proptest::sample::Index, with: u8) {
            let mut bytes = record(22, &windows_2003());
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = read(&bytes);
        }

        #[test]
        fn the_pieces_do_not_matter(at: proptest::sample::Index) {
            let bytes = record(22, &windows_2003());
            let (first, second) = bytes.split_at(at.index(bytes.len()));
            let mut reader = Reader::default();
            proptest::prop_assert_eq!(reader.take(first), None);
            let ending = reader.take(second).expect("an end");
            proptest::prop_assert_eq!(reader.finish(ending), of_windows_2003());
        }
    }
}
