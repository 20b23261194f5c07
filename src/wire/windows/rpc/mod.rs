//! DCE/RPC as Windows speaks it: the endpoint mapper on TCP 135, what listens behind it, and UDP 135.
//!
//! [`lookup`] binds to the mapper and reads its whole list, call by call and fragment by fragment, within bounds. The
//! list becomes the set of TCP ports with the interfaces behind each. [`greet`] binds to the management interface,
//! which the run time of every RPC server answers for, so any port that speaks RPC is recognised. [`datagram`] asks the
//! same of UDP, and [`alive`] asks DCOM's object exporter which addresses the server knows itself by. All of it without
//! authentication, and nothing is called but queries: the lookup handles that the mapper keeps end with the connection.
//!
//! The messages are those of `pdu`; `endpoints` and `tower` read what the mapper sends in them. [`server`] is the other
//! side: an endpoint mapper that names a few ports.

pub(crate) mod datagram;
mod endpoints;
mod exporter;
mod pdu;
pub(crate) mod server;
mod tower;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::{Uuid, uuid};
use winnow::Parser;
use winnow::error::EmptyError;
use winnow::token::take;

use crate::wire::message::{self, Fault};
use endpoints::Handle;
use pdu::Pdu;

pub(crate) use exporter::{Exporter, alive};

/// The endpoint mapper.
const MAPPER: Interface = Interface {
    uuid: uuid!("e1af8308-5d1f-11c9-91a4-08002b14a0fa"),
    major: 3,
    minor: 0,
};
/// Remote management, which every server has.
const MANAGEMENT: Interface = Interface {
    uuid: uuid!("afa8bd80-7d8a-11c9-bef4-08002b102989"),
    major: 1,
    minor: 0,
};

/// The most calls of one lookup: at 500 entries each far beyond what a server has.
const MOST_CALLS: u32 = 32;
/// The most entries that are kept.
const MOST_ENTRIES: usize = 8_192;
/// The most bytes of the results of one call: 500 entries take some 90,000.
const MOST_RESULT_BYTES: usize = 1 << 18;
/// The most fragments of one call: an empty one adds no bytes.
const MOST_FRAGMENTS: usize = 256;
/// `ept_s_not_registered`: there are no (more) entries.
const NO_MORE: u32 = 0x16c9_a0d6;

/// An interface and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Interface {
    pub(crate) uuid: Uuid,
    pub(crate) major: u16,
    pub(crate) minor: u16,
}

/// An interface at a port, as the mapper has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub(crate) interface: Interface,
    /// What its server calls it; often empty.
    pub(crate) annotation: String,
    /// The address it was registered for: `0.0.0.0` for all, or one behind a NAT.
    pub(crate) address: Ipv4Addr,
}

/// What an endpoint mapper said; that there is this at all proves RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapper {
    /// TCP ports, and what listens behind each.
    pub(crate) ports: BTreeMap<u16, BTreeSet<Endpoint>>,
    /// How the list ended.
    pub(crate) end: End,
}

/// How the list of an endpoint mapper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was read whole.
    Whole,
    /// The mapper was not bound to, and there is no list.
    NotBound(Binding),
    /// A call failed with this status; 5 is access denied.
    Status(u32),
    /// It goes on beyond what this program reads.
    TooLong,
    /// RPC ended in the middle of it.
    Broken(Fault),
}

/// What a server said to a bind; each of it proves RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The interface is there and may be called.
    Accepted,
    /// The interface is not there, or not for us.
    Rejected {
        /// 1: by the user of the run time, 2: by the run time itself.
        result: u16,
        /// 1: no such interface, 2: no such encoding, 3: over a local limit.
        reason: u16,
    },
    /// No bind is taken at all.
    Refused {
        /// 1: busy, 2: over a local limit, 4: no such version, 8 and 9: authentication.
        reason: u16,
    },
    /// A fault instead of an answer.
    Fault(u32),
    /// Another message of the protocol.
    Other,
}

/// Reads the list of an endpoint mapper; the stream can be kept open afterwards.
///
/// `limit` holds for the bind, and once more for the list as a whole.
///
/// # Errors
/// What kept it from being recognised as RPC.
pub(crate) async fn lookup<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Mapper, Fault> {
    let binding = bind(stream, &MAPPER, limit).await?;
    let mut ports = BTreeMap::new();
    let end = match binding {
        Binding::Accepted => list(stream, Instant::now() + limit, &mut ports).await,
        _ => End::NotBound(binding),
    };
    Ok(Mapper { ports, end })
}

/// Asks whether a port speaks RPC.
///
/// # Errors
/// What kept it from being recognised as RPC.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Binding, Fault> {
    bind(stream, &MANAGEMENT, limit).await
}

async fn bind<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    interface: &Interface,
    limit: Duration,
) -> Result<Binding, Fault> {
    let deadline = Instant::now() + limit;
    message::send(stream, "RPC bind", &pdu::bind(interface), deadline).await;
    let bytes = message::receive(stream, "RPC answer to a bind", pdu::frame, deadline).await?;
    match pdu::read(&bytes).ok_or(Fault::Foreign)? {
        Pdu::BindAck { result: 0, .. } => Ok(Binding::Accepted),
        Pdu::BindAck { result, reason } => Ok(Binding::Rejected { result, reason }),
        Pdu::BindNak { reason } => Ok(Binding::Refused { reason }),
        Pdu::Fault { status } => Ok(Binding::Fault(status)),
        Pdu::Response { .. } | Pdu::Other => Ok(Binding::Other),
    }
}

async fn list<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    deadline: Instant,
    ports: &mut BTreeMap<u16, BTreeSet<Endpoint>>,
) -> End {
    let mut handle = Handle::default();
    let mut entries = 0;
    for number in 0..MOST_CALLS {
        let request = pdu::request(
            2 + number,
            endpoints::LOOKUP,
            &endpoints::arguments(&handle),
        );
        message::send(stream, "RPC request", &request, deadline).await;
        let stub = match results(stream, deadline).await {
            Ok(stub) => stub,
            Err(end) => return end,
        };
        let Some(round) = endpoints::read(&stub) else {
            return End::Broken(Fault::Foreign);
        };
        entries += round.entries;
        if entries > MOST_ENTRIES {
            return End::TooLong;
        }
        for (tower, annotation) in round.towers {
            ports.entry(tower.port).or_default().insert(Endpoint {
                interface: tower.interface,
                annotation,
                address: tower.address,
            });
        }
        match round.status {
            // With a null handle or nothing new there is no more to ask for, whatever the status says.
            0 | NO_MORE if round.handle == Handle::default() || round.entries == 0 => {
                return End::Whole;
            }
            0 | NO_MORE => handle = round.handle,
            status => return End::Status(status),
        }
    }
    End::TooLong
}

/// Puts the fragments of a call's results together.
async fn results<S: AsyncRead + Unpin>(stream: &mut S, deadline: Instant) -> Result<Vec<u8>, End> {
    let mut results = Vec::new();
    for _ in 0..MOST_FRAGMENTS {
        let bytes = message::receive(stream, "RPC answer", pdu::frame, deadline)
            .await
            .map_err(End::Broken)?;
        match pdu::read(&bytes) {
            Some(Pdu::Response { last, stub }) => {
                results.extend(stub);
                if results.len() > MOST_RESULT_BYTES {
                    return Err(End::TooLong);
                }
                if last {
                    return Ok(results);
                }
            }
            Some(Pdu::Fault { status }) => return Err(End::Status(status)),
            Some(_) | None => return Err(End::Broken(Fault::Foreign)),
        }
    }
    Err(End::TooLong)
}

/// A UUID as little-endian servers write it.
fn little_endian_uuid(input: &mut &[u8]) -> Result<Uuid, EmptyError> {
    take(16_usize)
        .try_map(|bytes: &[u8]| bytes.try_into().map(Uuid::from_bytes_le))
        .parse_next(input)
}

#[cfg(test)]
mod tests {
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);
    const BIND_ACK: u8 = 12;
    const BIND_NAK: u8 = 13;
    const RESPONSE: u8 = 2;
    const FAULT: u8 = 3;
    const LAST: u8 = 2;

    fn pdu(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![5, 0, kind, flags, 0x10, 0, 0, 0];
        bytes.extend((16 + body.len() as u16).to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(body);
        bytes
    }

    /// The answer to a bind; its secondary address takes four bytes and no padding but two.
    fn bind_ack(result: u16, reason: u16) -> Vec<u8> {
        let mut body = vec![0; 8];
        body.extend(b"\x04\x00135\0\0\0\x01\0\0\0");
        body.extend(result.to_le_bytes());
        body.extend(reason.to_le_bytes());
        body.extend([0; 20]);
        pdu(BIND_ACK, 3, &body)
    }

    fn fragment(flags: u8, stub: &[u8]) -> Vec<u8> {
        pdu(RESPONSE, flags, &[&[0; 8], stub].concat())
    }

    /// The results of a call with one entry, for the interface `MANAGEMENT` at a port.
    fn results(handle: u8, port: u16, status: u32) -> Vec<u8> {
        let floor = |left: &[u8], right: &[u8]| {
            let length = |side: &[u8]| (side.len() as u16).to_le_bytes();
            [&length(left), left, &length(right), right].concat()
        };
        let mut interface = vec![0x0d];
        interface.extend(MANAGEMENT.uuid.to_bytes_le());
        interface.extend([1, 0]);
        let tower = [
            vec![5, 0],
            floor(&interface, &[0, 0]),
            floor(&[0; 19], &[0, 0]),
            floor(&[0x0b], &[0, 0]),
            floor(&[0x07], &port.to_be_bytes()),
            floor(&[0x09], &[192, 0, 2, 1]),
        ]
        .concat();
        let mut stub = vec![handle; 20];
        for number in [1, 500, 0, 1_u32] {
            stub.extend(number.to_le_bytes());
        }
        stub.extend([0; 16]);
        stub.extend(b"\x01\0\0\0\0\0\0\0\x05\0\0\0mgmt\0\0\0\0");
        let length = (tower.len() as u32).to_le_bytes();
        stub.extend([&length, &length, tower.as_slice()].concat());
        stub.resize(stub.len().next_multiple_of(4), 0);
        stub.extend(status.to_le_bytes());
        stub
    }

    async fn look(answers: &[Vec<u8>]) -> Result<Mapper, Fault> {
        lookup(&mut join(answers.concat().as_slice(), sink()), LIMIT).await
    }

    #[tokio::test]
    async fn the_list_goes_on_by_its_handle_over_fragments_and_whatever_the_status() {
        let first = results(7, 49_152, NO_MORE);
        let (head, tail) = first.split_at(61);
        let last = results(0, 49_153, 0);
        let mapper = look(&[
            bind_ack(0, 0),
            fragment(1, head),
            fragment(LAST, tail),
            fragment(3, &last),
        ])
        .await
        .expect("RPC");
        assert_eq!(mapper.end, End::Whole);
        let endpoint = Endpoint {
            interface: MANAGEMENT,
            annotation: "mgmt".to_string(),
            address: Ipv4Addr::new(192, 0, 2, 1),
        };
        let expected = [49_152, 49_153].map(|port| (port, BTreeSet::from([endpoint.clone()])));
        assert_eq!(mapper.ports, BTreeMap::from(expected));
    }

    #[tokio::test]
    async fn an_endless_list_is_left_at_the_bound() {
        let mut answers = vec![bind_ack(0, 0)];
        answers.resize(100, fragment(3, &results(7, 49_152, 0)));
        assert_eq!(look(&answers).await.expect("RPC").end, End::TooLong);
        answers.truncate(1);
        answers.resize(1_000, fragment(1, &[]));
        assert_eq!(look(&answers).await.expect("RPC").end, End::TooLong);
        answers.truncate(1);
        answers.resize(1_000, fragment(1, &[0; 5_000]));
        assert_eq!(look(&answers).await.expect("RPC").end, End::TooLong);
    }

    #[tokio::test]
    async fn what_was_listed_before_the_end_is_kept() {
        let first = fragment(3, &results(7, 49_152, 0));
        let broken = [
            (vec![], End::Broken(Fault::HungUp)),
            (vec![5, 0, RESPONSE], End::Broken(Fault::HungUpMidway)),
            (b"HTTP/1.1 400".to_vec(), End::Broken(Fault::Foreign)),
            (fragment(3, &[1, 2, 3]), End::Broken(Fault::Foreign)),
            (
                pdu(FAULT, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0]),
                End::Status(5),
            ),
        ];
        for (after, end) in broken {
            let mapper = look(&[bind_ack(0, 0), first.clone(), after]).await;
            let mapper = mapper.expect("RPC");
            assert_eq!((mapper.ports.len(), mapper.end), (1, end));
        }
    }

    #[tokio::test]
    async fn a_refused_bind_is_rpc() {
        let told = [
            (
                bind_ack(2, 1),
                Binding::Rejected {
                    result: 2,
                    reason: 1,
                },
            ),
            (
                pdu(BIND_NAK, 3, &[4, 0, 1, 5, 0]),
                Binding::Refused { reason: 4 },
            ),
            (
                pdu(FAULT, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]),
                Binding::Fault(5),
            ),
            (pdu(17, 3, &[]), Binding::Other),
        ];
        for (bytes, binding) in told {
            let greeting = greet(&mut join(bytes.as_slice(), sink()), LIMIT).await;
            assert_eq!(greeting, Ok(binding));
            let mapper = look(&[bytes]).await.expect("RPC");
            assert_eq!(mapper.end, End::NotBound(binding));
        }
    }

    #[tokio::test]
    async fn echoes_and_other_protocols_are_not_rpc() {
        let own = pdu::bind(&MANAGEMENT);
        let others: [&[u8]; 4] = [
            &own,
            b"HTTP/1.1 400 Bad",
            b"\x05\0\x0c\x03\0",
            b"\x15\x03\x01",
        ];
        for bytes in others {
            let greeting = greet(&mut join(bytes, sink()), LIMIT).await;
            assert_eq!(greeting, Err(Fault::Foreign), "{bytes:?}");
        }
        assert_eq!(
            greet(&mut join(&b""[..], sink()), LIMIT).await,
            Err(Fault::HungUp)
        );
    }

    #[test]
    fn towers_that_lead_to_pipes_are_no_ports() {
        let mut stub = results(0, 49_152, 0);
        let port_floor = stub.windows(3).position(|bytes| bytes == [1, 0, 0x07]);
        stub[port_floor.expect("the floor of the port") + 2] = 0x0f;
        let round = endpoints::read(&stub).expect("results");
        assert_eq!((round.entries, round.towers.len()), (1, 0));
    }
}
