//! Protocol towers: an interface and the way to it, one floor for each layer (C706, appendix L).

use std::net::Ipv4Addr;

use uuid::Uuid;
use winnow::Parser;
use winnow::binary::{le_u16, length_take};
use winnow::error::EmptyError;
use winnow::token::literal;

use super::{Interface, little_endian_uuid};

/// Protocol identifiers on the left side of a floor (C706, appendix I).
const INTERFACE: u8 = 0x0d;
const CONNECTION_ORIENTED: u8 = 0x0b;
const TCP: u8 = 0x07;
const IP: u8 = 0x09;

/// Where an interface listens on TCP over IPv4; towers have no other addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tower {
    pub(super) interface: Interface,
    pub(super) port: u16,
    pub(super) address: Ipv4Addr,
}

/// The left side, with the identifier of the protocol, and the right side, with the data of this endpoint.
type Floor<'a> = (&'a [u8], &'a [u8]);

/// Reads a tower; `None`: it leads elsewhere than to a TCP port, or is no tower.
pub(super) fn read(bytes: &[u8]) -> Option<Tower> {
    let (_, [interface, _syntax, protocol, port, address]) = floors.parse_peek(bytes).ok()?;
    let over_tcp = protocol.0 == [CONNECTION_ORIENTED] && port.0 == [TCP] && address.0 == [IP];
    let port = u16::from_be_bytes(port.1.try_into().ok()?);
    (over_tcp && port != 0).then_some(())?;
    let (uuid, major) = interface_and_major.parse(interface.0).ok()?;
    Some(Tower {
        interface: Interface {
            uuid,
            major,
            minor: u16::from_le_bytes(interface.1.try_into().ok()?),
        },
        port,
        address: <[u8; 4]>::try_from(address.1).ok()?.into(),
    })
}

/// The tower of an interface at a TCP port, at whatever address it is asked.
pub(super) fn over_tcp(interface: &Interface, syntax: &Interface, port: u16) -> Vec<u8> {
    let identified = |it: &Interface| {
        let mut left = vec![INTERFACE];
        left.extend(it.uuid.to_bytes_le());
        left.extend(it.major.to_le_bytes());
        (left, it.minor.to_le_bytes().to_vec())
    };
    let floors = [
        identified(interface),
        identified(syntax),
        (vec![CONNECTION_ORIENTED], vec![0, 0]),
        (vec![TCP], port.to_be_bytes().to_vec()),
        (vec![IP], vec![0; 4]),
    ];
    let mut tower = (floors.len() as u16).to_le_bytes().to_vec();
    for side in floors.into_iter().flat_map(|(left, right)| [left, right]) {
        tower.extend((side.len() as u16).to_le_bytes());
        tower.extend(side);
    }
    tower
}

fn floors<'a>(input: &mut &'a [u8]) -> Result<[Floor<'a>; 5], EmptyError> {
    let (_count, one, two, three, four, five) =
        (le_u16, floor, floor, floor, floor, floor).parse_next(input)?;
    Ok([one, two, three, four, five])
}

fn floor<'a>(input: &mut &'a [u8]) -> Result<Floor<'a>, EmptyError> {
    (length_take(le_u16), length_take(le_u16)).parse_next(input)
}

fn interface_and_major(input: &mut &[u8]) -> Result<(Uuid, u16), EmptyError> {
    let (_, uuid, major) = (literal(INTERFACE), little_endian_uuid, le_u16).parse_next(input)?;
    Ok((uuid, major))
}
