//! Lists of a file that are short where they are honest: whoever wrote the file may not be.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// The most of them.
const MOST: usize = 256;

/// The most such lists within one another: addresses of a flow, and ports of an address.
const DEEPEST: u8 = 2;

thread_local! {
    /// How many such lists are being read, each within the one before. A reader calls itself for each.
    static DEEP: Cell<u8> = const { Cell::new(0) };
}

/// Reads a list of things that may have such lists themselves.
pub(crate) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    if DEEP.get() == DEEPEST {
        return Err(D::Error::custom(
            "lists stand within one another too deeply",
        ));
    }
    DEEP.set(DEEP.get() + 1);
    let read = Vec::deserialize(from);
    DEEP.set(DEEP.get() - 1);
    match read {
        Ok(list) if list.len() > MOST => {
            let said = format!("a list has {} entries, more than {MOST}", list.len());
            Err(D::Error::custom(said))
        }
        other => other,
    }
}
