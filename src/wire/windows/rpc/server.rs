//! The other side of a lookup: an endpoint mapper that names a few TCP ports.
//!
//! A client binds to the mapper and calls `ept_lookup`; the answer names as many ports as it asks for at once. Where the
//! list goes on stands in the handle that the client sends back, so nothing is kept between calls. What else is asked is refused as the protocol has it. [`answer`] is pure: a message of
//! the client goes in, the answer comes out.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::{Uuid, uuid};
use winnow::Parser;
use winnow::binary::{le_u16, le_u32, u8};
use winnow::combinator::repeat;
use winnow::error::EmptyError;
use winnow::token::{rest, take};

use super::endpoints::{Handle, LOOKUP};
use super::pdu::{
    BIND, BIND_ACK, FAULT, HEADER, LARGEST_FRAGMENT, NDR, REQUEST, RESPONSE, message, syntax,
};
use super::{Interface, MANAGEMENT, MAPPER, NO_MORE, little_endian_uuid};
use crate::wire::message;

/// What a mapper names: no service, but a listener of this program.
const STAND_IN: Interface = Interface {
    uuid: uuid!("7c1f4d2e-52a9-4c37-9d6b-0f6a3b8e91c4"),
    major: 1,
    minor: 0,
};
/// What it calls itself.
const ANNOTATION: &[u8] = b"portproof listener\0";
/// The most messages that are answered on a connection.
const MOST_MESSAGES: usize = 32;
/// The most contexts of a bind; clients send one to three.
const MOST_CONTEXTS: u8 = 16;
/// The most transfer syntaxes of a context.
const MOST_SYNTAXES: u8 = 8;
/// The most entries of an answer, whatever is asked for: it has to fit into one fragment.
const MOST_ENTRIES: usize = 32;
/// `nca_s_op_rng_error`: there is no such call.
const NO_SUCH_CALL: u32 = 0x1c01_0002;

/// A message of a client.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Bind {
        call: u32,
        contexts: Vec<Context>,
    },
    Call {
        call: u32,
        context: u16,
        operation: u16,
        /// Where a lookup goes on, and how many entries it asks for.
        from: Handle,
        most: u32,
    },
}

/// An interface that a client wants to call, and whether the one encoding that we speak is among those it offers.
#[derive(Debug, PartialEq, Eq)]
struct Context {
    interface: Interface,
    speaks_ndr: bool,
}

/// Answers a client until it hangs up, or the time is over.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    own: u16,
    ports: &[u16],
    limit: Duration,
) {
    let deadline = Instant::now() + limit;
    for _ in 0..MOST_MESSAGES {
        let Ok(asked) = message::receive(stream, "RPC call", frame, deadline).await else {
            return;
        };
        let Some(answer) = answer(&asked, own, ports) else {
            return;
        };
        message::send(stream, "RPC answer", &answer, deadline).await;
    }
}

/// How long a message of a client is; `None`: we take no such message.
fn frame(bytes: &[u8]) -> Option<usize> {
    let is_known = |at: usize, known: &[u8]| bytes.get(at).is_none_or(|byte| known.contains(byte));
    let is_ours = is_known(0, &[5])
        && is_known(1, &[0, 1])
        && is_known(2, &[REQUEST, BIND])
        && is_known(4, &[0x10]);
    let length = match bytes {
        [_, _, _, _, _, _, _, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
        _ => HEADER,
    };
    let fits = (HEADER..=usize::from(LARGEST_FRAGMENT)).contains(&length);
    (is_ours && fits).then_some(length)
}

/// The answer to a whole message: of a mapper on `own` that names `ports`. `None`: the client does not speak RPC.
fn answer(bytes: &[u8], own: u16, ports: &[u16]) -> Option<Vec<u8>> {
    Some(match asked.parse(bytes).ok()? {
        Asked::Bind { call, contexts } => bind_ack(call, own, &contexts),
        Asked::Call {
            call,
            context,
            operation: LOOKUP,
            from,
            most,
        } => response(call, context, &entries(ports, &from, most)),
        Asked::Call { call, context, .. } => fault(call, context, NO_SUCH_CALL),
    })
}

fn asked(input: &mut &[u8]) -> Result<Asked, EmptyError> {
    let (_version, kind, _flags) = (take(2_usize), u8, u8).parse_next(input)?;
    let (_drep, _length, _auth, call) = (le_u32, le_u16, le_u16, le_u32).parse_next(input)?;
    if kind == BIND {
        let (_send, _receive, _group) = (le_u16, le_u16, le_u32).parse_next(input)?;
        let (count, _) = (u8, take(3_usize)).parse_next(input)?;
        let count = usize::from(count.min(MOST_CONTEXTS));
        let contexts = repeat(count, context).parse_next(input)?;
        // What follows is authentication that we do not look at.
        rest.parse_next(input)?;
        return Ok(Asked::Bind { call, contexts });
    }
    let (_hint, context, operation) = (le_u32, le_u16, le_u16).parse_next(input)?;
    // The last of the arguments; those before them would choose among the entries, which are few.
    let stub: &[u8] = rest.parse_next(input)?;
    let (before, most) = stub.split_last_chunk().unwrap_or((&[], &[0; 4]));
    let from = before.last_chunk().copied().unwrap_or_default();
    Ok(Asked::Call {
        call,
        context,
        operation,
        from,
        most: u32::from_le_bytes(*most),
    })
}

fn context(input: &mut &[u8]) -> Result<Context, EmptyError> {
    let (_number, count, _) = (le_u16, u8, u8).parse_next(input)?;
    let interface = interface(input)?;
    let count = usize::from(count.min(MOST_SYNTAXES));
    let syntaxes: Vec<Interface> = repeat(count, self::interface).parse_next(input)?;
    Ok(Context {
        interface,
        speaks_ndr: syntaxes.contains(&NDR),
    })
}

fn interface(input: &mut &[u8]) -> Result<Interface, EmptyError> {
    let (uuid, major, minor): (Uuid, _, _) =
        (little_endian_uuid, le_u16, le_u16).parse_next(input)?;
    Ok(Interface { uuid, major, minor })
}

/// Takes the contexts that lead to the mapper or to the management interface, and refuses the others.
fn bind_ack(call: u32, own: u16, contexts: &[Context]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(LARGEST_FRAGMENT.to_le_bytes());
    body.extend(LARGEST_FRAGMENT.to_le_bytes());
    body.extend(1_u32.to_le_bytes()); // an association group
    let address = format!("{own}\0");
    body.extend((address.len() as u16).to_le_bytes());
    body.extend(address.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([contexts.len() as u8, 0, 0, 0]);
    for context in contexts {
        let known = [MAPPER, MANAGEMENT].contains(&context.interface);
        let (result, reason): (u16, u16) = match (known, context.speaks_ndr) {
            (true, true) => (0, 0),
            (false, _) => (2, 1),
            (true, false) => (2, 2),
        };
        body.extend(result.to_le_bytes());
        body.extend(reason.to_le_bytes());
        body.extend(match result {
            0 => syntax(&NDR),
            _ => vec![0; 20],
        });
    }
    message(BIND_ACK, call, &body)
}

fn response(call: u32, context: u16, stub: &[u8]) -> Vec<u8> {
    let mut body = (stub.len() as u32).to_le_bytes().to_vec();
    body.extend(context.to_le_bytes());
    body.extend([0, 0]); // no cancels
    body.extend(stub);
    message(RESPONSE, call, &body)
}

fn fault(call: u32, context: u16, status: u32) -> Vec<u8> {
    let mut body = 0_u32.to_le_bytes().to_vec();
    body.extend(context.to_le_bytes());
    body.extend([0, 0]);
    body.extend(status.to_le_bytes());
    body.extend([0; 4]);
    message(FAULT, call, &body)
}

/// The place in the list that a handle stands for: its UUID holds the number, behind attributes that are zero.
fn place(handle: &Handle) -> usize {
    let number = handle.get(4..8).and_then(<[u8]>::first_chunk);
    number.map_or(0, |number| u32::from_le_bytes(*number) as usize)
}

/// The handle of a place that is not the start.
fn handle(place: usize) -> Handle {
    let mut handle = Handle::default();
    for (byte, of_number) in handle.iter_mut().skip(4).zip((place as u32).to_le_bytes()) {
        *byte = of_number;
    }
    handle
}

/// The results of `ept_lookup`: first the fixed parts, then the towers (C706, 14.3.12).
fn entries(ports: &[u16], from: &Handle, most: u32) -> Vec<u8> {
    let left = ports.get(place(from)..).unwrap_or_default();
    let ports = left.get(..MOST_ENTRIES.min(most as usize)).unwrap_or(left);
    let goes_on = ports.len() < left.len();
    let next = place(from).saturating_add(ports.len());
    let mut stub = match goes_on {
        true => handle(next),
        false => Handle::default(),
    }
    .to_vec();
    let count = ports.len() as u32;
    // The array has the size that was asked for, whatever is in it.
    for number in [count, most, 0, count] {
        stub.extend(number.to_le_bytes());
    }
    for place in 1..=count {
        stub.extend([0; 16]); // no object
        stub.extend(place.to_le_bytes()); // a pointer to the tower
        stub.extend(0_u32.to_le_bytes());
        stub.extend((ANNOTATION.len() as u32).to_le_bytes());
        stub.extend(ANNOTATION);
        stub.resize(stub.len().next_multiple_of(4), 0);
    }
    for port in ports {
        let tower = super::tower::over_tcp(&STAND_IN, &NDR, *port);
        let length = (tower.len() as u32).to_le_bytes();
        stub.extend(length);
        stub.extend(length);
        stub.extend(tower);
        stub.resize(stub.len().next_multiple_of(4), 0);
    }
    let status = if ports.is_empty() { NO_MORE } else { 0 };
    stub.extend(status.to_le_bytes());
    stub
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::super::{Binding, End, greet, lookup, pdu};
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// A stream with a mapper at its other end.
    fn mapper(ports: Vec<u16>) -> tokio::io::DuplexStream {
        let (near, mut far) = duplex(16_384);
        tokio::spawn(async move { serve(&mut far, 135, &ports, LIMIT).await });
        near
    }

    #[tokio::test]
    async fn a_client_reads_every_port_that_it_names() {
        let many: Vec<u16> = (49_152..49_352).collect();
        for ports in [vec![], vec![49_152], vec![49_152, 65_535], many] {
            let mapper = lookup(&mut mapper(ports.clone()), LIMIT)
                .await
                .expect("RPC");
            assert_eq!(mapper.end, End::Whole);
            assert_eq!(mapper.ports.keys().copied().collect::<Vec<_>>(), ports);
            for endpoint in mapper.ports.values().flatten() {
                assert_eq!(endpoint.annotation, "portproof listener");
                assert_eq!(endpoint.interface, STAND_IN);
            }
        }
    }

    #[tokio::test]
    async fn the_management_interface_is_there_and_others_are_not() {
        let greeted = greet(&mut mapper(vec![49_152]), LIMIT).await;
        assert_eq!(greeted, Ok(Binding::Accepted));
        let other = Interface {
            uuid: Uuid::from_u128(7),
            ..MAPPER
        };
        let refused = answer(&pdu::bind(&other), 135, &[]).expect("a bind");
        let refused = pdu::read(&refused);
        assert_eq!(
            refused,
            Some(pdu::Pdu::BindAck {
                result: 2,
                reason: 1
            })
        );
    }

    #[test]
    fn a_client_that_asks_for_few_goes_on_by_the_handle() {
        let ports = [1_025, 1_026, 1_027];
        let mut handle = Handle::default();
        let mut named = Vec::new();
        for expected in [2, 1] {
            let mut arguments = super::super::endpoints::arguments(&handle);
            let length = arguments.len();
            arguments[length - 4..].copy_from_slice(&2_u32.to_le_bytes());
            let answer = answer(&pdu::request(2, LOOKUP, &arguments), 135, &ports);
            let answer = answer.expect("a call");
            let Some(pdu::Pdu::Response { stub, .. }) = pdu::read(&answer) else {
                panic!("{answer:?}");
            };
            let round = super::super::endpoints::read(stub).expect("results");
            assert_eq!(round.towers.len(), expected);
            named.extend(round.towers.iter().map(|(tower, _)| tower.port));
            handle = round.handle;
        }
        assert_eq!((named.as_slice(), handle), (&ports[..], Handle::default()));
    }

    #[test]
    fn other_calls_are_refused_as_the_protocol_has_it() {
        let refused = answer(&pdu::request(2, 4, &[]), 135, &[49_152]).expect("a call");
        let status = NO_SUCH_CALL;
        assert_eq!(pdu::read(&refused), Some(pdu::Pdu::Fault { status }));
    }

    #[test]
    fn what_is_no_message_of_a_client_is_not_framed() {
        let own_answer = bind_ack(1, 135, &[]);
        let huge = [5, 0, BIND, 3, 0x10, 0, 0, 0, 0xff, 0xff];
        let tiny = [5, 0, BIND, 3, 0x10, 0, 0, 0, 15, 0];
        for bytes in [&own_answer[..], b"GET / HTTP/1.1", &huge, &tiny] {
            assert_eq!(frame(bytes), None, "{bytes:?}");
        }
        assert_eq!(frame(&pdu::bind(&MAPPER)), Some(pdu::bind(&MAPPER).len()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_without_panic(bytes: Vec<u8>) {
            let _ = frame(&bytes);
            for asked in [bytes.clone(), pdu::message(BIND, 1, &bytes), pdu::message(REQUEST, 1, &bytes)] {
                let answer = answer(&asked, 135, &[49_152; 400]).unwrap_or_default();
                prop_assert!(answer.len() <= usize::from(LARGEST_FRAGMENT));
            }
        }
    }
}
