//! DNS over UDP and TCP: one question, and what the answer says (RFC 1035).
//!
//! Any answer to our question proves the service, also that there is no such name or that it is refused. Messages are
//! built and taken apart by `domain`, part by part: the header and the question first, then the records as far as they
//! can be read, so that one odd record (or the cut end of a truncated answer) does not hide that a server spoke.

use std::net::IpAddr;
use std::time::Duration;

use domain::base::iana::{Class, Opcode, Rcode, Rtype};
use domain::base::{Message, MessageBuilder, Name};
use domain::rdata::{A, Aaaa};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::Uuid;

use super::message::{self, Fault, begins_like};

/// The most addresses that are kept.
const MOST_ADDRESSES: usize = 64;
/// The most records of an answer that are looked at.
const MOST_RECORDS: usize = 1_024;
/// Bytes of a header, and of the length before each message on TCP.
const HEADER: usize = 12;
const PREFIX: usize = 2;

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The zone's start of authority.
    Soa,
}

/// One question, under an identifier that cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    id: u16,
    name: Name<Vec<u8>>,
    kind: Rtype,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether it found something, by its own word.
    pub(super) rcode: Rcode,
    /// Whether it is an authority for the zone (AA).
    pub(super) authoritative: bool,
    /// Whether the answer was cut to fit a datagram (TC): ask over TCP.
    pub(super) truncated: bool,
    /// How many records it says to have found.
    pub(super) records: u16,
    /// Where the name leads, aliases followed.
    pub(super) addresses: Vec<IpAddr>,
}

impl Query {
    /// A question; `None` where the text is no name that DNS can carry.
    pub(super) fn new(name: &str, kind: Kind) -> Option<Self> {
        let [high, low, ..] = Uuid::new_v4().into_bytes();
        Some(Self {
            id: u16::from_be_bytes([high, low]),
            name: name.parse().ok()?,
            kind: match kind {
                Kind::A => Rtype::A,
                Kind::Aaaa => Rtype::AAAA,
                Kind::Soa => Rtype::SOA,
            },
        })
    }

    /// The datagram to send: recursion desired, no extensions.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id);
        message.header_mut().set_rd(true);
        let mut message = message.question();
        // A header and one question always fit.
        let _ = message.push((&self.name, self.kind, Class::IN));
        message.finish()
    }

    /// Reads one datagram, or message, that came back.
    ///
    /// # Errors
    /// [`Fault::Foreign`] where it is no answer to this question.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Answer, Fault> {
        let message = Message::from_octets(bytes).map_err(|_| Fault::Foreign)?;
        if !self.is_answered_by(&message) {
            return Err(Fault::Foreign);
        }
        let header = message.header();
        Ok(Answer {
            rcode: header.rcode(),
            authoritative: header.aa(),
            truncated: header.tc(),
            records: message.header_counts().ancount(),
            addresses: addresses(&message),
        })
    }

    fn is_answered_by(&self, message: &Message<&[u8]>) -> bool {
        let header = message.header();
        let repeats_question = message.sole_question().is_ok_and(|question| {
            question.qname() == &self.name
                && question.qtype() == self.kind
                && question.qclass() == Class::IN
        });
        // Who could not read the question need not repeat it.
        let repeats_nothing =
            message.header_counts().qdcount() == 0 && header.rcode() != Rcode::NOERROR;
        header.id() == self.id
            && header.qr()
            && header.opcode() == Opcode::QUERY
            && (repeats_question || repeats_nothing)
    }

    /// How long an answer over TCP is; `None`: this is none.
    fn frame(&self, bytes: &[u8]) -> Option<usize> {
        let Some((length, message)) = bytes.split_first_chunk::<PREFIX>() else {
            return Some(PREFIX);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let is_ours = length >= HEADER && begins_like(message, &self.id.to_be_bytes());
        is_ours.then_some(PREFIX + length)
    }
}

/// Asks over TCP, within `limit`.
///
/// # Errors
/// What kept it from being recognised as DNS.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    query: &Query,
    limit: Duration,
) -> Result<Answer, Fault> {
    let deadline = Instant::now() + limit;
    let request = query.bytes();
    let length = (request.len() as u16).to_be_bytes();
    message::send(stream, &[&length, request.as_slice()].concat(), deadline).await;
    let bytes = message::receive(stream, |bytes| query.frame(bytes), deadline).await?;
    query.read(bytes.get(PREFIX..).unwrap_or(&[]))
}

/// The addresses of the name at the end of the aliases; others that the server adds are not asked for.
fn addresses(message: &Message<&[u8]>) -> Vec<IpAddr> {
    let (Some(name), Ok(answer)) = (message.canonical_name(), message.answer()) else {
        return Vec::new();
    };
    answer
        .take(MOST_RECORDS)
        .map_while(Result::ok)
        .filter(|record| record.owner() == name && record.class() == Class::IN)
        .filter_map(|record| {
            let v4 = record.to_record::<A>().ok().flatten();
            let v6 = record.to_record::<Aaaa>().ok().flatten();
            let v4 = v4.map(|record| IpAddr::V4(record.data().addr()));
            v4.or(v6.map(|record| IpAddr::V6(record.data().addr())))
        })
        .take(MOST_ADDRESSES)
        .collect()
}
