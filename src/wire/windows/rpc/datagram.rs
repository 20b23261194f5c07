//! Connectionless DCE/RPC, as on UDP 135 (C706, 12.5): one datagram asks, one proves that RPC is there.
//!
//! The question is `is_server_listening` of the management interface: it has no arguments, changes nothing and opens no
//! handle. It is marked idempotent, so a server answers without calling back first to see whether we are alive. One
//! that does call back has spoken all the same.

use uuid::{Uuid, uuid};
use winnow::Parser;
use winnow::binary::{le_u16, le_u32, u8};
use winnow::error::EmptyError;
use winnow::token::take;

use super::{MANAGEMENT, little_endian_uuid};
use crate::wire::message::Fault;

/// `rpc_mgmt_is_server_listening` (C706, appendix Q).
const IS_SERVER_LISTENING: u16 = 2;
/// The conversation manager, which servers call at clients (C706, appendix P).
const CONVERSATION: Uuid = uuid!("333a2276-0000-0000-0d00-00809c000000");
/// The call may be made twice; no acknowledgements of fragments.
const IDEMPOTENT: u8 = 0x20;
const NO_FACK: u8 = 0x08;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;
const FAULT: u8 = 3;
const WORKING: u8 = 4;
const NO_CALL: u8 = 5;
const REJECT: u8 = 6;
const FACK: u8 = 9;

/// A question to ask in a datagram; each try of it is the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    activity: Uuid,
}

/// What a server sent; each of it proves RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datagram {
    /// The call was answered.
    Response,
    /// The call failed, with this status.
    Fault(u32),
    /// The call was not taken, with this status.
    Reject(u32),
    /// The call is under way, or was not understood as one yet.
    Underway,
    /// The server calls back to see who we are.
    CallsBack,
}

struct Header {
    version: u8,
    kind: u8,
    representation: u8,
    interface: Uuid,
    activity: Uuid,
}

impl Question {
    /// A call of its own, so that late answers to others are not taken for its answer.
    pub(crate) fn new() -> Self {
        Self {
            activity: Uuid::new_v4(),
        }
    }

    /// The datagram to send.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![4, REQUEST, IDEMPOTENT | NO_FACK, 0, 0x10, 0, 0, 0];
        bytes.extend([0; 16]); // no object
        bytes.extend(MANAGEMENT.uuid.to_bytes_le());
        bytes.extend(self.activity.to_bytes_le());
        bytes.extend([0; 4]); // the server's boot time is not known
        bytes.extend(MANAGEMENT.major.to_le_bytes());
        bytes.extend(MANAGEMENT.minor.to_le_bytes());
        bytes.extend([0; 4]); // the first call of the activity
        bytes.extend(IS_SERVER_LISTENING.to_le_bytes());
        bytes.extend([0xff; 4]); // no hints
        bytes.extend([0; 6]); // no body, fragment 0, no authentication, serial 0
        bytes
    }

    /// Reads one datagram that came back.
    ///
    /// # Errors
    /// [`Fault::Foreign`] where it is no answer to this question.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Datagram, Fault> {
        let (body, header) = header.parse_peek(bytes).map_err(|_| Fault::Foreign)?;
        let mine = header.activity == self.activity;
        let status = body
            .first_chunk()
            .map_or(0, |status| u32::from_le_bytes(*status));
        let asks_for_me =
            header.interface == CONVERSATION && body.starts_with(&self.activity.to_bytes_le());
        match header {
            Header { version, .. } if version != 4 => Err(Fault::Foreign),
            Header { representation, .. } if representation != 0x10 => Err(Fault::Foreign),
            Header { kind: REQUEST, .. } if asks_for_me => Ok(Datagram::CallsBack),
            Header { kind: RESPONSE, .. } if mine => Ok(Datagram::Response),
            Header { kind: FAULT, .. } if mine => Ok(Datagram::Fault(status)),
            Header { kind: REJECT, .. } if mine => Ok(Datagram::Reject(status)),
            Header {
                kind: WORKING | NO_CALL | FACK,
                ..
            } if mine => Ok(Datagram::Underway),
            Header { .. } => Err(Fault::Foreign),
        }
    }
}

fn header(input: &mut &[u8]) -> Result<Header, EmptyError> {
    let (version, kind, _flags) = (u8, u8, le_u16).parse_next(input)?;
    let (representation, _, _object) = (u8, take(3_usize), little_endian_uuid).parse_next(input)?;
    let (interface, activity) = (little_endian_uuid, little_endian_uuid).parse_next(input)?;
    let _boot_version_sequence = (le_u32, le_u32, le_u32).parse_next(input)?;
    let _operation_to_serial = take(12_usize).parse_next(input)?;
    Ok(Header {
        version,
        kind,
        representation,
        interface,
        activity,
    })
}

#[cfg(any(test, feature = "fuzzing"))]
impl Question {
    /// The question that an answer is to, by the answer's own word.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (_, header) = header.parse_peek(bytes).ok()?;
        let activity = header.activity;
        Some(Self { activity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u8, activity: Uuid, body: &[u8]) -> Vec<u8> {
        let mut bytes = Question { activity }.bytes();
        bytes[1] = kind;
        bytes.extend(body);
        bytes
    }

    #[test]
    fn every_kind_of_answer_to_the_call_proves_rpc() {
        let question = Question::new();
        let told = [
            (RESPONSE, Datagram::Response),
            (FAULT, Datagram::Fault(0x1c01_0003)),
            (REJECT, Datagram::Reject(0x1c01_0003)),
            (WORKING, Datagram::Underway),
            (NO_CALL, Datagram::Underway),
            (FACK, Datagram::Underway),
        ];
        for (kind, datagram) in told {
            let bytes = answer(kind, question.activity, &[3, 0, 1, 0x1c]);
            assert_eq!(question.read(&bytes), Ok(datagram));
        }
    }

    #[test]
    fn a_server_that_calls_back_for_this_call_has_spoken() {
        let question = Question::new();
        let mut bytes = answer(REQUEST, Uuid::new_v4(), &question.activity.to_bytes_le());
        bytes[24..40].copy_from_slice(&CONVERSATION.to_bytes_le());
        assert_eq!(question.read(&bytes), Ok(Datagram::CallsBack));
        assert_eq!(Question::new().read(&bytes), Err(Fault::Foreign));
    }

    #[test]
    fn echoes_answers_to_others_and_short_datagrams_are_foreign() {
        let question = Question::new();
        let mut other_version = answer(RESPONSE, question.activity, &[]);
        other_version[0] = 5;
        let foreign = [
            question.bytes(),
            answer(RESPONSE, Uuid::new_v4(), &[]),
            other_version,
            answer(RESPONSE, question.activity, &[])[..79].to_vec(),
        ];
        for bytes in foreign {
            assert_eq!(question.read(&bytes), Err(Fault::Foreign));
        }
    }
}
