//! Kerberos 5 on port 88: a request for a ticket that cannot be had, and the error that refuses it (RFC 4120).
//!
//! What is asked for: a ticket for the principal `portproof` in the realm `PORTPROOF.INVALID`. No such realm can exist
//! (RFC 2606). So a key distribution centre answers "wrong realm" or "client not found" before it comes to any account
//! of its own. None is looked at, none can be locked. The request carries no preauthentication, hence nothing derived
//! from a password; an account is only ever locked over wrong preauthentication. All that may remain is one line in the
//! log of the centre, which names who asked (on Windows event 4768, where failures are audited). A request for a
//! made-up principal in the true realm would be one step closer to guessing at names. Some monitors look for that, and
//! it would need the realm to be known.
//!
//! A centre that serves several realms may say nothing of another, and hangs up over TCP. It is then asked for
//! extensions of the transport that nobody knows. It has to refuse them (RFC 4120 section 7.2.2, RFC 5021 section 3),
//! and that names no realm. Over UDP its silence stays silence.

use std::time::Duration;

use asn1_rs::{Any, Class, FromBer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::Uuid;

use crate::wire::asn1::{
    self, BIT_STRING, GENERAL_STRING, GENERALIZED_TIME, INTEGER, SEQUENCE, application, element,
    elements, field,
};
use crate::wire::message::{self, Fault};

/// Who asks, and where.
const PRINCIPAL: &[u8] = b"portproof";
const REALM: &[u8] = b"PORTPROOF.INVALID";
/// Kinds of names: a principal, a service and its instance.
const NT_PRINCIPAL: u8 = 1;
const NT_SRV_INST: u8 = 2;
/// Encryption types: AES-256, AES-128, RC4; of them every server since Windows 2000 has one.
const ENCRYPTION_TYPES: [u8; 3] = [18, 17, 23];
/// As long as can be: the time that Windows itself asks for.
const TILL: &[u8] = b"20370913024805Z";

/// Numbers of messages (section 5.10).
const AS_REQ: u8 = 10;
const AS_REP: u8 = 11;
const KRB_ERROR: u8 = 30;
/// The most bytes of an answer.
const LARGEST_ANSWER: usize = 1 << 16;
/// Bytes before each message on TCP: its length.
const PREFIX: usize = 4;
/// The most characters of a realm in the evidence.
const LONGEST_REALM: usize = 255;

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// It refused, as it should.
    Error {
        /// The code: 6 client not found, 68 wrong realm, 52 too big for UDP (section 7.5.9).
        code: u32,
        /// The realm it names; `None`: none but ours, which anybody could repeat.
        realm: Option<String>,
    },
    /// It gave out a ticket; hardly a key distribution centre, yet it speaks Kerberos.
    Ticket,
}

/// The length of a message that asks which extensions of TCP there are: the high bit alone (RFC 5021 section 3).
const WHICH_EXTENSIONS: [u8; PREFIX] = [0x80, 0, 0, 0];

/// Asks over TCP for extensions of TCP, within `limit`. Only a refusal proves Kerberos: a list of extensions would look
/// like an echo.
///
/// # Errors
/// What kept it from being recognised as Kerberos.
pub(crate) async fn extensions<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Spoken, Fault> {
    let deadline = Instant::now() + limit;
    message::send(stream, "Kerberos extensions", &WHICH_EXTENSIONS, deadline).await;
    let bytes = message::receive(stream, "Kerberos answer", frame, deadline).await?;
    read(bytes.get(PREFIX..).unwrap_or(&[]))
}

/// Asks over TCP, within `limit`.
///
/// # Errors
/// What kept it from being recognised as Kerberos.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Spoken, Fault> {
    let deadline = Instant::now() + limit;
    let request = request();
    let length = (request.len() as u32).to_be_bytes();
    message::send(
        stream,
        "Kerberos request",
        &[&length, request.as_slice()].concat(),
        deadline,
    )
    .await;
    let bytes = message::receive(stream, "Kerberos answer", frame, deadline).await?;
    read(bytes.get(PREFIX..).unwrap_or(&[]))
}

/// A nonce protects a ticket from being an old one, and tells one request from a repetition of another. A centre
/// answers repetitions from memory, or not at all while the first is under way. 31 bits, the highest set, so that it
/// has four bytes.
fn nonce() -> [u8; 4] {
    let [one, two, three, four, ..] = Uuid::new_v4().into_bytes();
    [one & 0x7f | 0x40, two, three, four]
}

/// The request, as it goes in a datagram; no two are alike.
pub(crate) fn request() -> Vec<u8> {
    let body = [
        numbered(0, BIT_STRING, &[0; 5]), // no options: 32 bits, none unused
        element(field(1), &name(NT_PRINCIPAL, &[PRINCIPAL])),
        numbered(2, GENERAL_STRING, REALM),
        element(field(3), &name(NT_SRV_INST, &[b"krbtgt", REALM])),
        numbered(5, GENERALIZED_TIME, TILL),
        numbered(7, INTEGER, &nonce()),
        element(field(8), &element(SEQUENCE, &encryption_types())),
    ]
    .concat();
    let message = [
        numbered(1, INTEGER, &[5]), // version
        numbered(2, INTEGER, &[AS_REQ]),
        element(field(4), &element(SEQUENCE, &body)),
    ]
    .concat();
    element(application(AS_REQ), &element(SEQUENCE, &message))
}

fn numbered(number: u8, identifier: u8, content: &[u8]) -> Vec<u8> {
    element(field(number), &element(identifier, content))
}

fn name(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let parts: Vec<u8> = parts
        .iter()
        .flat_map(|part| element(GENERAL_STRING, part))
        .collect();
    let fields = [
        numbered(0, INTEGER, &[kind]),
        element(field(1), &element(SEQUENCE, &parts)),
    ];
    element(SEQUENCE, &fields.concat())
}

fn encryption_types() -> Vec<u8> {
    ENCRYPTION_TYPES
        .iter()
        .flat_map(|number| element(INTEGER, &[*number]))
        .collect()
}

/// How long an answer over TCP is; `None`: this is no answer.
fn frame(bytes: &[u8]) -> Option<usize> {
    let Some((length, message)) = bytes.split_first_chunk::<PREFIX>() else {
        return Some(PREFIX);
    };
    let length = u32::from_be_bytes(*length) as usize;
    let known = [application(KRB_ERROR), application(AS_REP)];
    let whole = asn1::frame(message, &known, LARGEST_ANSWER)?;
    // The length before the message has the last word on where it ends; what is inside must not go beyond.
    (whole <= length && length <= LARGEST_ANSWER).then_some(PREFIX + length)
}

/// Reads an answer, as it comes in a datagram.
///
/// # Errors
/// [`Fault::Foreign`] where it is no such answer.
pub(crate) fn read(bytes: &[u8]) -> Result<Spoken, Fault> {
    let (_, message) = Any::from_ber(bytes).map_err(|_| Fault::Foreign)?;
    match (message.class(), u8::try_from(message.tag().0)) {
        (Class::Application, Ok(KRB_ERROR)) => error(message.data).ok_or(Fault::Foreign),
        (Class::Application, Ok(AS_REP)) => Ok(Spoken::Ticket),
        _ => Err(Fault::Foreign),
    }
}

fn error(content: &[u8]) -> Option<Spoken> {
    let (_, fields) = Any::from_ber(content).ok()?;
    let inside = |number: u32| {
        elements(fields.data)
            .find(|field| field.class() == Class::ContextSpecific && field.tag().0 == number)
            .and_then(|field| Any::from_ber(field.data).ok())
            .map(|(_, value)| value)
    };
    let number = |field: u32| inside(field)?.u32().ok();
    let is_error = number(0)? == 5 && number(1)? == u32::from(KRB_ERROR);
    is_error.then_some(())?;
    let realm = inside(9)?.data;
    let text = || {
        let text = String::from_utf8_lossy(realm);
        text.chars().take(LONGEST_REALM).collect()
    };
    let says_nothing = realm.is_empty() || realm.eq_ignore_ascii_case(REALM);
    Some(Spoken::Error {
        code: number(6)?,
        realm: (!says_nothing).then(text),
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn refusal(code: u8, realm: &[u8]) -> Vec<u8> {
        let fields = [
            numbered(0, INTEGER, &[5]),
            numbered(1, INTEGER, &[KRB_ERROR]),
            numbered(6, INTEGER, &[code]),
            numbered(9, GENERAL_STRING, realm),
        ]
        .concat();
        element(application(KRB_ERROR), &element(SEQUENCE, &fields))
    }

    fn prefixed(message: &[u8]) -> Vec<u8> {
        [&(message.len() as u32).to_be_bytes(), message].concat()
    }

    async fn ask(bytes: &[u8]) -> Result<Spoken, Fault> {
        exchange(&mut join(bytes, sink()), LIMIT).await
    }

    #[tokio::test]
    async fn any_error_proves_kerberos_and_is_told() {
        for code in [6, 52, 68] {
            let spoken = Spoken::Error {
                code: code.into(),
                realm: Some("CORP.EXAMPLE".to_string()),
            };
            let refusal = refusal(code, b"CORP.EXAMPLE");
            assert_eq!(read(&refusal), Ok(spoken.clone()));
            assert_eq!(ask(&prefixed(&refusal)).await, Ok(spoken));
        }
    }

    #[test]
    fn our_own_realm_repeated_is_no_evidence_of_theirs() {
        let code = 6;
        let seen = read(&refusal(6, b"PORTPROOF.INVALID"));
        assert_eq!(seen, Ok(Spoken::Error { code, realm: None }));
    }

    #[tokio::test]
    async fn a_centre_that_hangs_up_on_strangers_refuses_unknown_extensions() {
        let refused = prefixed(&refusal(61, b"CORP.EXAMPLE"));
        let seen = extensions(&mut join(refused.as_slice(), sink()), LIMIT).await;
        assert!(
            matches!(seen, Ok(Spoken::Error { code: 61, .. })),
            "{seen:?}"
        );
        let echo = WHICH_EXTENSIONS.as_slice();
        let seen = extensions(&mut join(echo, sink()), LIMIT).await;
        assert_eq!(seen, Err(Fault::Foreign));
    }

    #[test]
    fn no_two_requests_are_alike() {
        let (one, other) = (request(), request());
        assert_ne!(one, other);
        assert_eq!(one.len(), other.len());
    }

    #[tokio::test]
    async fn a_ticket_proves_it_too() {
        let ticket = element(application(AS_REP), &element(SEQUENCE, &[]));
        assert_eq!(ask(&prefixed(&ticket)).await, Ok(Spoken::Ticket));
    }

    #[tokio::test]
    async fn echoes_lies_about_the_length_and_other_protocols_are_not_kerberos() {
        let whole = prefixed(&refusal(6, b"CORP.EXAMPLE"));
        let mut too_short = whole.clone();
        too_short[3] -= 1;
        let foreign = [
            prefixed(&request()),
            too_short,
            prefixed(&element(application(KRB_ERROR), &[])),
            b"HTTP/1.1 400".to_vec(),
            b"\xff\xff\xff\xff\x7e\x01".to_vec(),
        ];
        for bytes in foreign {
            assert_eq!(ask(&bytes).await, Err(Fault::Foreign), "{bytes:?}");
        }
        assert_eq!(ask(&whole[..20]).await, Err(Fault::HungUpMidway));
        assert_eq!(read(&request()), Err(Fault::Foreign));
    }

    #[test]
    fn the_request_holds_nothing_derived_from_a_password() {
        let (_, message) = Any::from_ber(&request())
            .map(|(rest, any)| (rest.len(), any.data.to_vec()))
            .expect("BER");
        let (_, sequence) = Any::from_ber(&message).expect("a sequence");
        let fields: Vec<u32> = elements(sequence.data).map(|field| field.tag().0).collect();
        // Field 3 would be preauthentication.
        assert_eq!(fields, [1, 2, 4]);
    }
}
