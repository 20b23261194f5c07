//! Messages of connection-oriented DCE/RPC 1.1 (The Open Group C706, chapter 12; [MS-RPCE] 2.2.2).
//!
//! Only the little-endian representation is read: Windows and Samba send no other.

use uuid::uuid;
use winnow::Parser;
use winnow::binary::{le_u16, le_u32, u8};
use winnow::error::EmptyError;
use winnow::token::{rest, take};

use super::Interface;

/// The network data representation, the one encoding of arguments that every server accepts.
pub(super) const NDR: Interface = Interface {
    uuid: uuid!("8a885d04-1ceb-11c9-9fe8-08002b104860"),
    major: 2,
    minor: 0,
};
/// The largest fragment we send or take; as Windows does.
pub(super) const LARGEST_FRAGMENT: u16 = 5_840;
/// Bytes of the header that all messages share.
pub(super) const HEADER: usize = 16;
/// First fragment, last fragment.
pub(super) const FIRST: u8 = 1;
pub(super) const LAST: u8 = 2;

pub(super) const REQUEST: u8 = 0;
pub(super) const RESPONSE: u8 = 2;
pub(super) const FAULT: u8 = 3;
pub(super) const BIND: u8 = 11;
pub(super) const BIND_ACK: u8 = 12;
const BIND_NAK: u8 = 13;
const ALTER_CONTEXT_RESP: u8 = 15;
const SHUTDOWN: u8 = 17;

/// What a server sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pdu<'a> {
    /// The answer to a bind, with the result for its one context.
    BindAck { result: u16, reason: u16 },
    /// The bind was refused as a whole.
    BindNak { reason: u16 },
    /// A fragment of a call's results.
    Response { last: bool, stub: &'a [u8] },
    /// The call failed.
    Fault { status: u32 },
    /// Another message that servers send.
    Other,
}

/// A bind with one context.
pub(super) fn bind(interface: &Interface) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(LARGEST_FRAGMENT.to_le_bytes());
    body.extend(LARGEST_FRAGMENT.to_le_bytes());
    body.extend([0; 4]); // a new association group
    body.extend([1, 0, 0, 0]); // one context
    body.extend([0, 0, 1, 0]); // number 0, with one transfer syntax
    body.extend(syntax(interface));
    body.extend(syntax(&NDR));
    message(BIND, 1, &body)
}

/// A call of the interface that was bound.
pub(super) fn request(call: u32, operation: u16, stub: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((stub.len() as u32).to_le_bytes());
    body.extend([0, 0]); // context 0
    body.extend(operation.to_le_bytes());
    body.extend(stub);
    message(REQUEST, call, &body)
}

/// Version 5.0, one fragment, little-endian, without authentication.
pub(super) fn message(kind: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let mut message = vec![5, 0, kind, FIRST | LAST, 0x10, 0, 0, 0];
    message.extend(((HEADER + body.len()) as u16).to_le_bytes());
    message.extend([0, 0]);
    message.extend(call.to_le_bytes());
    message.extend(body);
    message
}

pub(super) fn syntax(interface: &Interface) -> Vec<u8> {
    let mut bytes = interface.uuid.to_bytes_le().to_vec();
    bytes.extend(interface.major.to_le_bytes());
    bytes.extend(interface.minor.to_le_bytes());
    bytes
}

/// How long a message of a server is; `None`: this is no message.
pub(super) fn frame(bytes: &[u8]) -> Option<usize> {
    let is_known = |at: usize, known: &[u8]| bytes.get(at).is_none_or(|byte| known.contains(byte));
    let is_ours = is_known(0, &[5])
        && is_known(1, &[0, 1])
        && is_known(
            2,
            &[
                RESPONSE,
                FAULT,
                BIND_ACK,
                BIND_NAK,
                ALTER_CONTEXT_RESP,
                SHUTDOWN,
            ],
        )
        && is_known(4, &[0x10]);
    let length = match bytes {
        [_, _, _, _, _, _, _, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
        _ => HEADER,
    };
    (is_ours && length >= HEADER).then_some(length)
}

/// Reads a message that [`frame`] found whole.
pub(super) fn read(bytes: &[u8]) -> Option<Pdu<'_>> {
    pdu.parse(bytes).ok()
}

fn pdu<'a>(input: &mut &'a [u8]) -> Result<Pdu<'a>, EmptyError> {
    let (_version, kind, flags) = (take(2_usize), u8, u8).parse_next(input)?;
    let (_drep, _length, _auth, _call) = (le_u32, le_u16, le_u16, le_u32).parse_next(input)?;
    let pdu = match kind {
        BIND_ACK => bind_ack.parse_next(input)?,
        BIND_NAK => le_u16
            .map(|reason| Pdu::BindNak { reason })
            .parse_next(input)?,
        RESPONSE => {
            let (_hint, _context, _cancels) = (le_u32, le_u16, le_u16).parse_next(input)?;
            let last = flags & LAST != 0;
            rest.map(|stub| Pdu::Response { last, stub })
                .parse_next(input)?
        }
        FAULT => {
            let (_hint, _context, _cancels) = (le_u32, le_u16, le_u16).parse_next(input)?;
            le_u32
                .map(|status| Pdu::Fault { status })
                .parse_next(input)?
        }
        _ => Pdu::Other,
    };
    rest.parse_next(input)?;
    Ok(pdu)
}

fn bind_ack<'a>(input: &mut &'a [u8]) -> Result<Pdu<'a>, EmptyError> {
    let (_sizes, _group, address) = (le_u32, le_u32, le_u16).parse_next(input)?;
    take(address).parse_next(input)?;
    // The results are aligned to 4, counted from the header, which is a multiple of 4 itself.
    take((2 + usize::from(address)).wrapping_neg() % 4).parse_next(input)?;
    let (_count, result, reason) = (le_u32, le_u16, le_u16).parse_next(input)?;
    Ok(Pdu::BindAck { result, reason })
}
