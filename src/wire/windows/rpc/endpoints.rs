//! `ept_lookup` of the endpoint mapper: the arguments of a call, and the reading of its results (C706, appendix O).
//!
//! A call gives some entries and a handle with which the next call goes on; a null handle is the end. Samba gives its
//! entries together with the status that says there are none (more), so entries count whatever the status is.

use winnow::Parser;
use winnow::binary::{le_u32, length_take};
use winnow::combinator::repeat;
use winnow::error::EmptyError;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::take;

use super::tower::{self, Tower};

/// The number of the call in the interface.
pub(super) const LOOKUP: u16 = 2;
/// Entries asked for at once; Windows sends at most 500 or so of its own accord.
const ENTRIES_AT_ONCE: u32 = 500;
/// The longest annotation by the interface's definition.
const LONGEST_ANNOTATION: usize = 64;

/// Where a lookup goes on; all zero at its start and at its end.
pub(super) type Handle = [u8; 20];

/// The results of one call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) handle: Handle,
    /// Entries there were, those that lead elsewhere than to TCP ports included.
    pub(super) entries: usize,
    /// The entries that lead to TCP ports, with their annotations.
    pub(super) towers: Vec<(Tower, String)>,
    pub(super) status: u32,
}

/// Asks for all entries, from where the handle stands.
pub(super) fn arguments(handle: &Handle) -> Vec<u8> {
    let mut stub = Vec::new();
    stub.extend([0; 4]); // all elements
    stub.extend([0; 4]); // no object
    stub.extend([0; 4]); // no interface
    stub.extend(1_u32.to_le_bytes()); // any version
    stub.extend(handle);
    stub.extend(ENTRIES_AT_ONCE.to_le_bytes());
    stub
}

/// Reads the results of a call; `None`: these are no results.
pub(super) fn read(stub: &[u8]) -> Option<Round> {
    // Windows pads the end of some answers.
    let (_, round) = round.parse_peek(LocatingSlice::new(stub)).ok()?;
    Some(round)
}

type Input<'a> = LocatingSlice<&'a [u8]>;

/// First the fixed parts of all entries, then what their pointers point to, in the same order (C706, 14.3.12).
fn round(input: &mut Input<'_>) -> Result<Round, EmptyError> {
    let handle = take(20_usize)
        .try_map(|bytes: &[u8]| bytes.try_into())
        .parse_next(input)?;
    let (_number, _size, _offset, count) = (le_u32, le_u32, le_u32, le_u32).parse_next(input)?;
    let heads: Vec<Head> = repeat(count as usize, head).parse_next(input)?;
    let entries = heads.len();
    let mut towers = Vec::new();
    for head in heads.into_iter().filter(|head| head.has_tower) {
        aligned(input)?;
        let _size = le_u32.parse_next(input)?;
        let bytes = length_take(le_u32).parse_next(input)?;
        towers.extend(tower::read(bytes).map(|tower| (tower, head.annotation)));
    }
    aligned(input)?;
    let status = le_u32.parse_next(input)?;
    Ok(Round {
        handle,
        entries,
        towers,
        status,
    })
}

struct Head {
    has_tower: bool,
    annotation: String,
}

fn head(input: &mut Input<'_>) -> Result<Head, EmptyError> {
    aligned(input)?;
    let (_object, pointer, _offset) = (take(16_usize), le_u32, le_u32).parse_next(input)?;
    let annotation: &[u8] = length_take(le_u32).parse_next(input)?;
    let text = annotation.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let text = text.get(..LONGEST_ANNOTATION).unwrap_or(text);
    Ok(Head {
        has_tower: pointer != 0,
        annotation: String::from_utf8_lossy(text).into_owned(),
    })
}

/// Goes on to the next multiple of 4, counted from the start of the results.
fn aligned(input: &mut Input<'_>) -> Result<(), EmptyError> {
    let padding = input.current_token_start().wrapping_neg() % 4;
    take(padding).void().parse_next(input)
}
