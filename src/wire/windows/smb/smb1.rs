//! The negotiate of SMB1 ([MS-CIFS] 2.2.4.52, [MS-SMB] 2.2.4.5), offering SMB2 as well.

use winnow::Parser;
use winnow::binary::{le_u16, u8};
use winnow::combinator::cond;
use winnow::error::EmptyError;
use winnow::token::{literal, take};

use super::{Answer, Dialect, Signing, Spoken, prefixed};

/// How messages begin.
pub(super) const MAGIC: &[u8] = b"\xffSMB";
const NEGOTIATE: u8 = 0x72;
/// Flags: paths without case; in answers: this is one.
const CASELESS: u8 = 0x08;
const ANSWER: u8 = 0x80;
/// More flags: long names, extended security, NT status codes, Unicode.
const FLAGS2: u16 = 0xc801;
/// The dialects offered; an answer names its choice by the place in this list.
const DIALECTS: [&str; 3] = ["NT LM 0.12", "SMB 2.002", "SMB 2.???"];
/// Security mode: signatures enabled, required.
const ENABLED: u8 = 0x04;
const REQUIRED: u8 = 0x08;

/// The request.
pub(super) fn negotiate() -> Vec<u8> {
    let mut message = MAGIC.to_vec();
    message.push(NEGOTIATE);
    message.extend([0; 4]); // status
    message.push(CASELESS);
    message.extend(FLAGS2.to_le_bytes());
    message.extend([0; 12]); // process, signature, reserved
    message.extend([0xff, 0xff]); // no tree
    message.extend([0; 6]); // process, user, multiplex
    message.push(0); // no words
    let dialects: Vec<u8> = DIALECTS
        .iter()
        .flat_map(|dialect| [b"\x02", dialect.as_bytes(), b"\0"].concat())
        .collect();
    message.extend((dialects.len() as u16).to_le_bytes());
    message.extend(dialects);
    prefixed(&message)
}

/// Reads an answer; `None`: it is no answer.
pub(super) fn read(message: &[u8]) -> Option<Answer> {
    let (_, spoken) = answer.parse_peek(message).ok()?;
    Some(Answer::Settled(spoken))
}

fn answer(input: &mut &[u8]) -> Result<Spoken, EmptyError> {
    (literal(MAGIC), literal(NEGOTIATE), take(4_usize)).parse_next(input)?;
    u8.verify(|flags| flags & ANSWER != 0).parse_next(input)?;
    let (_rest, words) = (take(22_usize), u8).parse_next(input)?;
    let choice = cond(words > 0, le_u16).parse_next(input)?;
    let mode = cond(words >= 17, u8).parse_next(input)?.unwrap_or(0);
    Ok(Spoken {
        dialect: (choice == Some(0)).then_some(Dialect::Smb1),
        signing: Signing::of(mode & ENABLED != 0, mode & REQUIRED != 0),
    })
}
