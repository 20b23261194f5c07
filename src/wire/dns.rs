//! DNS over UDP and TCP: one question, and what the answer says (RFC 1035).
//!
//! Any answer to our question proves the service, also that there is no such name or that it is refused. Messages are
//! built and taken apart by `domain`, part by part. The header and the question come first, then the records as far as
//! they can be read. So one odd record (or the cut end of a truncated answer) does not hide that a server spoke.

use std::net::IpAddr;
use std::time::Duration;

use domain::base::iana::{Class, Opcode, Rcode, Rtype};
use domain::base::{Message, MessageBuilder, Name, ParsedRecord};
use domain::rdata::{A, Aaaa, Srv};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::Uuid;

use super::message::{self, Fault, begins_like};
use crate::observation::PublishedPoint;

/// The most addresses that are kept.
const MOST_ADDRESSES: usize = 64;
/// The most places of a service that are kept.
const MOST_SERVICES: usize = 16;
/// The most records of an answer that are looked at.
const MOST_RECORDS: usize = 1_024;
/// Bytes of a header, and of the length before each message on TCP.
const HEADER: usize = 12;
const PREFIX: usize = 2;

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The zone's start of authority.
    Soa,
    /// Where a service is (RFC 2782).
    Srv,
}

/// One question, under an identifier that cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    id: u16,
    name: Name<Vec<u8>>,
    kind: Rtype,
    /// Whether the server shall ask others for what it does not know.
    recursion: bool,
}

/// An identifier that nobody can guess.
fn identifier() -> u16 {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    u16::from_be_bytes([high, low])
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it found something, by its own word.
    pub(crate) rcode: Rcode,
    /// Whether it is an authority for the zone (AA).
    pub(crate) authoritative: bool,
    /// Whether the answer was cut to fit a datagram (TC): ask over TCP.
    pub(crate) truncated: bool,
    /// How many records it says to have found.
    pub(crate) records: u16,
    /// Where the name leads, aliases followed.
    pub(crate) addresses: Vec<IpAddr>,
    /// Where the service of that name is, aliases followed.
    pub(crate) services: Vec<PublishedPoint>,
}

impl Query {
    /// A question; `None` where the text is no name that DNS can carry.
    pub(crate) fn new(name: &str, kind: Kind) -> Option<Self> {
        Some(Self {
            id: identifier(),
            name: name.parse().ok()?,
            kind: match kind {
                Kind::A => Rtype::A,
                Kind::Aaaa => Rtype::AAAA,
                Kind::Soa => Rtype::SOA,
                Kind::Srv => Rtype::SRV,
            },
            recursion: true,
        })
    }

    /// A question that a server answers by itself, if only with a refusal: who is in charge of the root, without asking
    /// others. One that waits for the servers it asks says nothing to other questions.
    pub(crate) fn of_itself() -> Self {
        Self {
            id: identifier(),
            name: Name::root_vec(),
            kind: Rtype::SOA,
            recursion: false,
        }
    }

    /// The datagram to send, without extensions.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut message = MessageBuilder::new_vec();
        message.header_mut().set_id(self.id);
        message.header_mut().set_rd(self.recursion);
        let mut message = message.question();
        // A header and one question always fit.
        let _ = message.push((&self.name, self.kind, Class::IN));
        message.finish()
    }

    /// Reads one datagram, or message, that came back.
    ///
    /// # Errors
    /// [`Fault::Foreign`] where it is no answer to this question.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Answer, Fault> {
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
            services: services(&message),
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

    /// How long an answer over TCP is; `None`: this is no answer.
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
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    query: &Query,
    limit: Duration,
) -> Result<Answer, Fault> {
    let deadline = Instant::now() + limit;
    let request = query.bytes();
    let length = (request.len() as u16).to_be_bytes();
    message::send(
        stream,
        "DNS query",
        &[&length, request.as_slice()].concat(),
        deadline,
    )
    .await;
    let bytes =
        message::receive(stream, "DNS answer", |bytes| query.frame(bytes), deadline).await?;
    query.read(bytes.get(PREFIX..).unwrap_or(&[]))
}

/// The records of the name at the end of the aliases; others that the server adds are not asked for.
fn records<'a>(message: &'a Message<&'a [u8]>) -> impl Iterator<Item = ParsedRecord<'a, &'a [u8]>> {
    let found = message.canonical_name().zip(message.answer().ok());
    found.into_iter().flat_map(|(name, answer)| {
        let records = answer.take(MOST_RECORDS).map_while(Result::ok);
        records.filter(move |record| record.owner() == name && record.class() == Class::IN)
    })
}

fn addresses(message: &Message<&[u8]>) -> Vec<IpAddr> {
    let addresses = records(message).filter_map(|record| {
        let v4 = record.to_record::<A>().ok().flatten();
        let v6 = record.to_record::<Aaaa>().ok().flatten();
        let v4 = v4.map(|record| IpAddr::V4(record.data().addr()));
        v4.or(v6.map(|record| IpAddr::V6(record.data().addr())))
    });
    addresses.take(MOST_ADDRESSES).collect()
}

/// The places of a service. The root in the place of a host says that there is none (RFC 2782).
fn services(message: &Message<&[u8]>) -> Vec<PublishedPoint> {
    let services = records(message).filter_map(|record| {
        let record = record.to_record::<Srv<_>>().ok().flatten()?;
        let target = record.data().target();
        (!target.is_root()).then(|| PublishedPoint {
            target: target.to_string(),
            port: record.data().port(),
        })
    });
    services.take(MOST_SERVICES).collect()
}

#[cfg(any(test, feature = "fuzzing"))]
impl Query {
    /// The question that an answer is to, by the answer's own word.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let message = Message::from_octets(bytes).ok()?;
        let question = message.sole_question().ok()?;
        Some(Self {
            id: message.header().id(),
            name: domain::base::name::ToName::to_name(question.qname()),
            kind: question.qtype(),
            recursion: message.header().rd(),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::base::iana::Rcode;
    use domain::rdata::Cname;
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn query() -> Query {
        Query::new("mp.example.com", Kind::A).expect("a name")
    }

    /// An answer to a query, with an alias and an address that somebody else's name has too.
    fn answer(query: &Query) -> Vec<u8> {
        let request = Message::from_octets(query.bytes()).expect("a message");
        let mut answer = MessageBuilder::new_vec()
            .start_answer(&request, Rcode::NOERROR)
            .expect("room");
        let name = |text: &str| -> Name<Vec<u8>> { text.parse().expect("a name") };
        let alias = Cname::new(name("ibs01.example.com"));
        answer
            .push((name("MP.example.com"), 60, alias))
            .expect("room");
        let address = A::from_octets(203, 0, 113, 10);
        answer
            .push((name("ibs01.example.com"), 60, address))
            .expect("room");
        let other = A::from_octets(203, 0, 113, 99);
        answer
            .push((name("other.example.com"), 60, other))
            .expect("room");
        answer.finish()
    }

    #[test]
    fn recursion_is_desired_but_for_what_a_server_answers_by_itself() {
        let recursion = |query: &Query| query.bytes()[2] & 1;
        assert_eq!(recursion(&query()), 1);
        assert_eq!(recursion(&Query::of_itself()), 0);
    }

    #[test]
    fn an_alias_is_followed_and_strangers_are_left_out() {
        let query = query();
        let read = query.read(&answer(&query)).expect("an answer");
        assert_eq!(
            read.addresses,
            ["203.0.113.10".parse::<IpAddr>().expect("one")]
        );
        assert_eq!((read.rcode, read.records), (Rcode::NOERROR, 3));
    }

    #[test]
    fn a_cut_answer_still_proves_the_server() {
        let query = query();
        let mut bytes = answer(&query);
        bytes[2] |= 0x02;
        bytes.truncate(bytes.len() - 20);
        let read = query.read(&bytes).expect("an answer");
        assert!(read.truncated);
    }

    /// An answer with SRV records, each of an owner with a port and a target.
    fn services_of(query: &Query, records: &[(&str, u16, &str)]) -> Vec<(String, u16)> {
        let request = Message::from_octets(query.bytes()).expect("a message");
        let mut answer = MessageBuilder::new_vec()
            .start_answer(&request, Rcode::NOERROR)
            .expect("room");
        let name = |text: &str| -> Name<Vec<u8>> { text.parse().expect("a name") };
        for (owner, port, target) in records {
            let record = Srv::new(0, 0, *port, name(target));
            answer.push((name(owner), 60, record)).expect("room");
        }
        let read = query.read(&answer.finish()).expect("an answer");
        let services = read.services.into_iter();
        services.map(|it| (it.target, it.port)).collect()
    }

    #[test]
    fn places_of_a_service_are_read_within_bounds_and_strangers_are_left_out() {
        let asked = "_mssms_mp_pri._tcp.corp.example";
        let query = Query::new(asked, Kind::Srv).expect("a name");
        let read = |records: &[(&str, u16, &str)]| services_of(&query, records);
        assert_eq!(
            read(&[
                (asked, 443, "cm01.corp.example"),
                ("_MSSMS_MP_PRI._TCP.Corp.Example", 8443, "cm02.corp.example"),
                ("_mssms_mp_abc._tcp.corp.example", 80, "cm03.corp.example"),
                (asked, 80, "."),
            ]),
            [
                ("cm01.corp.example".to_string(), 443),
                ("cm02.corp.example".to_string(), 8443)
            ]
        );
        let many = [(asked, 443, "cm01.corp.example"); 100];
        assert_eq!(read(&many).len(), MOST_SERVICES);
        let odd = read(&[(asked, 443, "\\027[31m\\000x.corp.example")]);
        assert!(
            odd[0].0.is_ascii() && !odd[0].0.contains('\u{1b}'),
            "{odd:?}"
        );
    }

    #[test]
    fn aliases_in_a_circle_lead_nowhere() {
        let query = query();
        let request = Message::from_octets(query.bytes()).expect("a message");
        let mut answer = MessageBuilder::new_vec()
            .start_answer(&request, Rcode::NOERROR)
            .expect("room");
        let name: Name<Vec<u8>> = "mp.example.com".parse().expect("a name");
        answer
            .push((name.clone(), 60, Cname::new(name)))
            .expect("room");
        let read = query.read(&answer.finish()).expect("an answer");
        assert!(read.addresses.is_empty());
    }

    #[test]
    fn who_cannot_read_the_question_proves_itself_by_the_identifier() {
        let query = query();
        let mut bytes = query.bytes()[..HEADER].to_vec();
        bytes[2..4].copy_from_slice(&[0x80, 0x01]);
        bytes[5] = 0;
        assert_eq!(
            query.read(&bytes).map(|answer| answer.rcode),
            Ok(Rcode::FORMERR)
        );
        bytes[3] = 0;
        assert_eq!(query.read(&bytes), Err(Fault::Foreign));
    }

    #[test]
    fn echoes_and_answers_to_other_questions_are_foreign() {
        let query = query();
        let mut other_id = answer(&query);
        other_id[0] ^= 1;
        let mut other = Query::new("mp.example.net", Kind::A).expect("a name");
        other.id = query.id;
        let mut other_kind = Query::new("mp.example.com", Kind::Soa).expect("a name");
        other_kind.id = query.id;
        let foreign = [
            query.bytes(),
            other_id,
            answer(&other),
            answer(&other_kind),
            b"HTTP/1.1 400".to_vec(),
            vec![],
        ];
        for bytes in foreign {
            assert_eq!(query.read(&bytes), Err(Fault::Foreign), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn over_tcp_a_length_goes_before() {
        let query = query();
        let message = answer(&query);
        let bytes = [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat();
        let over_tcp = exchange(&mut join(bytes.as_slice(), sink()), &query, LIMIT).await;
        assert_eq!(over_tcp, query.read(&message));
        let cut = exchange(&mut join(&bytes[..20], sink()), &query, LIMIT).await;
        assert_eq!(cut, Err(Fault::HungUpMidway));
        let banner = exchange(&mut join(&b"SSH-2.0-x\r\n"[..], sink()), &query, LIMIT).await;
        assert_eq!(banner, Err(Fault::Foreign));
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        assert_eq!(Query::new(&"a".repeat(64), Kind::A), None);
        assert_eq!(Query::new("two..dots", Kind::A), None);
    }
}
