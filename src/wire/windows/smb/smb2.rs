//! The negotiate of SMB 2 and 3 ([MS-SMB2] 2.2.3 and 2.2.4).

use uuid::Uuid;
use winnow::Parser;
use winnow::binary::{le_u16, le_u32};
use winnow::error::EmptyError;
use winnow::token::{literal, take};

use super::{Answer, Dialect, Signing, Spoken, prefixed};

/// How messages begin.
pub(super) const MAGIC: &[u8] = b"\xfeSMB";
/// From 2.0.2 to 3.1.1.
const DIALECTS: [u16; 5] = [0x0202, 0x0210, 0x0300, 0x0302, 0x0311];
/// What a server of 2.1 or later answers to the negotiate of SMB1.
const ANY_SMB2: u16 = 0x02ff;
/// Flags: this is an answer.
const ANSWER: u32 = 1;
/// Security mode: signing enabled, required.
const ENABLED: u16 = 1;
const REQUIRED: u16 = 2;
/// Bytes of the header, and of the request up to its dialects.
const HEADER: usize = 64;
const FIXED: usize = 36;

/// The request, as the `number`th message of its connection.
pub(super) fn negotiate(number: u64) -> Vec<u8> {
    let mut message = MAGIC.to_vec();
    message.extend((HEADER as u16).to_le_bytes());
    message.extend([0; 8]); // credit charge, status, command 0: negotiate
    message.extend(1_u16.to_le_bytes()); // one credit
    message.extend([0; 8]); // flags, no next command
    message.extend(number.to_le_bytes());
    message.extend([0; 32]); // process, tree, session, signature

    message.extend((FIXED as u16).to_le_bytes());
    message.extend((DIALECTS.len() as u16).to_le_bytes());
    message.extend(ENABLED.to_le_bytes());
    message.extend([0; 6]); // reserved, no capabilities
    message.extend(Uuid::new_v4().as_bytes()); // a client never seen before
    let contexts = (HEADER + FIXED + 2 * DIALECTS.len()).next_multiple_of(8);
    message.extend((contexts as u32).to_le_bytes());
    message.extend([1, 0, 0, 0]); // one context
    message.extend(DIALECTS.iter().flat_map(|dialect| dialect.to_le_bytes()));
    message.resize(contexts, 0);
    message.extend(preauthentication());
    prefixed(&message)
}

/// The one context without which 3.1.1 is refused (2.2.3.1.1): the hash that would protect a session. No session
/// follows, so its salt need not be random.
fn preauthentication() -> Vec<u8> {
    const PREAUTH_INTEGRITY: u16 = 1;
    const SHA_512: u16 = 1;
    const SALT: [u8; 32] = [0; 32];
    let mut context = PREAUTH_INTEGRITY.to_le_bytes().to_vec();
    context.extend((6 + SALT.len() as u16).to_le_bytes());
    context.extend([0; 4]); // reserved
    context.extend(1_u16.to_le_bytes()); // one hash
    context.extend((SALT.len() as u16).to_le_bytes());
    context.extend(SHA_512.to_le_bytes());
    context.extend(SALT);
    context
}

/// Reads an answer; `None`: it is no answer.
pub(super) fn read(message: &[u8]) -> Option<Answer> {
    let (_, answer) = answer.parse_peek(message).ok()?;
    Some(answer)
}

fn answer(input: &mut &[u8]) -> Result<Answer, EmptyError> {
    (literal(MAGIC), take(4_usize)).parse_next(input)?;
    let (status, _command, _credits, flags) =
        (le_u32, literal([0, 0]), le_u16, le_u32).parse_next(input)?;
    if flags & ANSWER == 0 {
        return Err(EmptyError);
    }
    take(44_usize).parse_next(input)?; // next command to signature
    if status != 0 {
        return Ok(Answer::Settled(Spoken {
            dialect: None,
            signing: Signing::Off,
        }));
    }
    let (_size, mode, dialect) = (le_u16, le_u16, le_u16).parse_next(input)?;
    let signing = Signing::of(mode & ENABLED != 0, mode & REQUIRED != 0);
    Ok(match dialect {
        ANY_SMB2 => Answer::AskInSmb2(signing),
        revision => Answer::Settled(Spoken {
            dialect: Some(Dialect::Smb2(revision)),
            signing,
        }),
    })
}
