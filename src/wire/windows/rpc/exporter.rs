//! `ServerAlive2` of the object exporter ([MS-DCOM] 3.1.2.5.1.6): the question with which every DCOM client begins. It
//! needs no login and changes nothing. The answer names the addresses that the server knows itself by.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::uuid;
use winnow::Parser;
use winnow::binary::{le_u16, le_u32};
use winnow::combinator::repeat;
use winnow::error::EmptyError;

use super::{Binding, End, Interface, bind, pdu, results};
use crate::wire::message::{self, Fault};

/// The object exporter.
pub(super) const OBJECT_EXPORTER: Interface = Interface {
    uuid: uuid!("99fcfec4-5260-101b-bbcb-00aa0021347a"),
    major: 0,
    minor: 0,
};
/// The number of the call in the interface.
pub(super) const SERVER_ALIVE_2: u16 = 5;
/// What an address of TCP is marked by (ncacn_ip_tcp).
const TCP: u16 = 7;
/// The most addresses that are kept, and the most characters of one.
const MOST_ADDRESSES: usize = 16;
const LONGEST_ADDRESS: usize = 255;

/// What the object exporter said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exporter {
    /// It answered; the addresses that the server knows itself by, names among them.
    Alive(Vec<String>),
    /// It is not to be had.
    NotBound(Binding),
    /// The call failed with this status; 5 is access denied.
    Status(u32),
    /// RPC ended in the middle of it, or its answer cannot be read.
    Broken(Fault),
}

/// Asks whether the server is alive, on a connection of its own; `limit` holds for the bind and once more for the call.
pub(crate) async fn alive<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Exporter {
    match bind(stream, &OBJECT_EXPORTER, limit).await {
        Ok(Binding::Accepted) => {}
        Ok(binding) => return Exporter::NotBound(binding),
        Err(fault) => return Exporter::Broken(fault),
    }
    let deadline = Instant::now() + limit;
    let request = pdu::request(2, SERVER_ALIVE_2, &[]);
    message::send(stream, "RPC request", &request, deadline).await;
    match results(stream, deadline).await {
        Ok(stub) => read(&stub).map_or(Exporter::Broken(Fault::Foreign), Exporter::Alive),
        Err(End::Status(status)) => Exporter::Status(status),
        Err(End::Broken(fault)) => Exporter::Broken(fault),
        Err(End::Whole | End::NotBound(_) | End::TooLong) => Exporter::Broken(Fault::Foreign),
    }
}

/// Reads the results of the call: a version, and a pointer to words that hold addresses up to an empty one.
fn read(stub: &[u8]) -> Option<Vec<String>> {
    // A reserved number and a status follow.
    let (_, words) = words.parse_peek(stub).ok()?;
    let mut found = Vec::new();
    for address in words.split(|word| *word == 0) {
        let Some((tower, text)) = address.split_first() else {
            break;
        };
        if *tower == TCP && found.len() < MOST_ADDRESSES {
            let text = String::from_utf16_lossy(text);
            found.push(text.chars().take(LONGEST_ADDRESS).collect());
        }
    }
    Some(found)
}

fn words(input: &mut &[u8]) -> Result<Vec<u16>, EmptyError> {
    let (_version, pointer) = (le_u32, le_u32).parse_next(input)?;
    if pointer == 0 {
        return Ok(Vec::new());
    }
    let (_size, count, security) = (le_u32, le_u16, le_u16).parse_next(input)?;
    // Behind the addresses stands what they take for security.
    repeat(usize::from(count.min(security)), le_u16).parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results that name these addresses, by the kind of transport of each.
    fn stub(addresses: &[(u16, &str)]) -> Vec<u8> {
        let mut words = Vec::new();
        for (tower, address) in addresses {
            words.push(*tower);
            words.extend(address.encode_utf16());
            words.push(0);
        }
        words.push(0);
        let security = words.len() as u16;
        words.extend([10, 0xffff, 0, 0]);
        let mut stub = vec![5, 0, 7, 0, 0, 0, 2, 0];
        stub.extend((words.len() as u32).to_le_bytes());
        stub.extend((words.len() as u16).to_le_bytes());
        stub.extend(security.to_le_bytes());
        stub.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        stub.extend([0; 8]);
        stub
    }

    #[test]
    fn a_server_names_the_addresses_that_it_knows_itself_by() {
        let named = [
            (7, "IBS01"),
            (7, "192.0.2.10"),
            (15, "\\\\IBS01"),
            (7, "10.0.0.10"),
        ];
        assert_eq!(
            read(&stub(&named)).expect("results"),
            ["IBS01", "192.0.2.10", "10.0.0.10"]
        );
        assert_eq!(read(&stub(&[])), Some(Vec::new()));
        assert_eq!(read(&stub(&named)[..30]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_within_bounds(bytes: Vec<u8>) {
            let found = read(&bytes).unwrap_or_default();
            proptest::prop_assert!(found.len() <= MOST_ADDRESSES);
        }
    }
}
