//! TDS as SQL Server speaks it on TCP 1433: the PRELOGIN exchange ([MS-TDS] 2.2.6.5), and nothing after it.
//!
//! The server tells its version and what it thinks of encryption before anyone logs in. No login follows: the
//! connection is dropped, which SQL Server takes as a client that changed its mind. The request is a table of options
//! and their values, and so is the answer. There each option says at which place and how long its value is.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use winnow::Parser;
use winnow::binary::{be_u16, le_u16, le_u32, u8};
use winnow::error::EmptyError;
use winnow::token::{literal, take};

use crate::wire::message::{self, Fault, begins_like};

/// Types of packets: the request's, and the answer's.
const PRELOGIN: u8 = 0x12;
const TABULAR_RESULT: u8 = 0x04;
/// Status of a packet: the last of its message.
const END_OF_MESSAGE: u8 = 1;
/// Bytes of a packet's header.
const HEADER: usize = 8;
/// Options of the table.
const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const THREAD: u8 = 3;
const MARS: u8 = 4;
const TERMINATOR: u8 = 0xff;
/// The most options that are read; there are eight.
const MOST_OPTIONS: usize = 32;
/// The token of an error that stands in place of the table.
const ERROR: u8 = 0xaa;
/// The default instance, by the name that clients give it.
const DEFAULT_INSTANCE: &[u8] = b"MSSQLServer\0";

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// Its options.
    Options(Options),
    /// An error instead: it speaks TDS and takes nobody now. The number is that of `sys.messages`.
    Error(u32),
}

/// What a server tells before login; `None` where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Its version.
    pub(crate) version: Option<Version>,
    /// What it thinks of encryption, when asked without need for it.
    pub(crate) encryption: Option<Encryption>,
    /// Whether it is the default instance.
    pub(crate) default_instance: Option<bool>,
    /// Whether it knows several results at once.
    pub(crate) mars: Option<bool>,
}

/// The version of a server, as in `10.50.6000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Major: 9 is SQL Server 2005, 10 is 2008, 10.50 is 2008 R2.
    pub(crate) major: u8,
    /// Minor.
    pub(crate) minor: u8,
    /// Build.
    pub(crate) build: u16,
}

/// What a server thinks of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Only the login is encrypted.
    Off,
    /// Everything is.
    On,
    /// It cannot encrypt.
    NotSupported,
    /// Everything must be.
    Required,
    /// A value not known.
    Other(u8),
}

/// Asks within `limit`.
///
/// # Errors
/// What kept it from being recognised as TDS.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Spoken, Fault> {
    let deadline = Instant::now() + limit;
    message::send(stream, "TDS prelogin", &prelogin(), deadline).await;
    let bytes = message::receive(stream, "TDS answer", frame, deadline).await?;
    read(&bytes).ok_or(Fault::Foreign)
}

/// The request: no need for encryption beyond the login, the default instance, one result at a time.
fn prelogin() -> Vec<u8> {
    let options: [(u8, &[u8]); 5] = [
        (VERSION, &[0; 6]),
        (ENCRYPTION, &[0]),
        (INSTANCE, DEFAULT_INSTANCE),
        (THREAD, &[0; 4]),
        (MARS, &[0]),
    ];
    let mut table = Vec::new();
    let mut values: Vec<u8> = Vec::new();
    let start = options.len() * 5 + 1;
    for (option, value) in options {
        table.push(option);
        table.extend(((start + values.len()) as u16).to_be_bytes());
        table.extend((value.len() as u16).to_be_bytes());
        values.extend(value);
    }
    table.push(TERMINATOR);
    let length = (HEADER + table.len() + values.len()) as u16;
    let mut packet = vec![PRELOGIN, END_OF_MESSAGE];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 1, 0]); // process, packet 1, window
    packet.extend(table);
    packet.extend(values);
    packet
}

/// How long the answer is, which is one packet; `None`: it is no answer.
fn frame(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [TABULAR_RESULT, END_OF_MESSAGE, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            (length > HEADER).then_some(length)
        }
        _ => begins_like(bytes, &[TABULAR_RESULT, END_OF_MESSAGE]).then_some(HEADER),
    }
}

/// Reads an answer that [`frame`] found whole.
fn read(bytes: &[u8]) -> Option<Spoken> {
    let body = bytes.get(HEADER..)?;
    if let Ok((_, number)) = error.parse_peek(body) {
        return Some(Spoken::Error(number));
    }
    let mut options = Options::default();
    let mut table = body;
    for _ in 0..MOST_OPTIONS {
        let Ok((option, offset, length)) = entry(&mut table) else {
            // The table has to end with its terminator.
            return (table.first() == Some(&TERMINATOR)).then_some(Spoken::Options(options));
        };
        let start = usize::from(offset);
        let value = body.get(start..start + usize::from(length))?;
        options.take_in(option, value);
    }
    None
}

/// An option, and where its value is.
fn entry(input: &mut &[u8]) -> Result<(u8, u16, u16), EmptyError> {
    (u8.verify(|option| *option != TERMINATOR), be_u16, be_u16).parse_next(input)
}

/// The number of an error (2.2.7.10).
fn error(input: &mut &[u8]) -> Result<u32, EmptyError> {
    let (_, _length, number) = (literal(ERROR), le_u16, le_u32).parse_next(input)?;
    take(2_usize).parse_next(input)?; // state, class
    Ok(number)
}

impl Options {
    /// Takes in one option of the table; those not known are passed over.
    fn take_in(&mut self, option: u8, value: &[u8]) {
        match (option, value) {
            (VERSION, [major, minor, high, low, ..]) => {
                self.version = Some(Version {
                    major: *major,
                    minor: *minor,
                    build: u16::from_be_bytes([*high, *low]),
                });
            }
            (ENCRYPTION, [0, ..]) => self.encryption = Some(Encryption::Off),
            (ENCRYPTION, [1, ..]) => self.encryption = Some(Encryption::On),
            (ENCRYPTION, [2, ..]) => self.encryption = Some(Encryption::NotSupported),
            (ENCRYPTION, [3, ..]) => self.encryption = Some(Encryption::Required),
            (ENCRYPTION, [other, ..]) => self.encryption = Some(Encryption::Other(*other)),
            (INSTANCE, [differs, ..]) => self.default_instance = Some(*differs == 0),
            (MARS, [knows, ..]) => self.mars = Some(*knows == 1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn packet(body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![TABULAR_RESULT, END_OF_MESSAGE];
        bytes.extend((HEADER as u16 + body.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 1, 0]);
        bytes.extend(body);
        bytes
    }

    /// A table with these options, values after it in order.
    fn table(options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut table = Vec::new();
        let mut values = Vec::new();
        for (option, value) in options {
            let offset = (options.len() * 5 + 1 + values.len()) as u16;
            table.push(*option);
            table.extend(offset.to_be_bytes());
            table.extend((value.len() as u16).to_be_bytes());
            values.extend(*value);
        }
        table.push(TERMINATOR);
        [table, values].concat()
    }

    async fn ask(bytes: &[u8]) -> Result<Spoken, Fault> {
        exchange(&mut join(bytes, sink()), LIMIT).await
    }

    #[tokio::test]
    async fn each_way_of_encryption_is_told_apart() {
        for (value, encryption) in [
            (0, Encryption::Off),
            (1, Encryption::On),
            (2, Encryption::NotSupported),
            (3, Encryption::Required),
            (9, Encryption::Other(9)),
        ] {
            let answer = packet(&table(&[
                (VERSION, &[10, 50, 0x17, 0x70, 0, 0]),
                (1, &[value]),
            ]));
            let options = Options {
                version: Some(Version {
                    major: 10,
                    minor: 50,
                    build: 6_000,
                }),
                encryption: Some(encryption),
                ..Options::default()
            };
            assert_eq!(ask(&answer).await, Ok(Spoken::Options(options)));
        }
    }

    #[tokio::test]
    async fn a_named_instance_and_unknown_options_are_read_over() {
        let answer = packet(&table(&[(INSTANCE, &[1]), (200, &[1, 2]), (MARS, &[1])]));
        let options = Options {
            default_instance: Some(false),
            mars: Some(true),
            ..Options::default()
        };
        assert_eq!(ask(&answer).await, Ok(Spoken::Options(options)));
    }

    #[tokio::test]
    async fn an_error_instead_of_the_table_is_tds() {
        let body = [&[ERROR, 20, 0], &17_809_u32.to_le_bytes()[..], &[1, 20]].concat();
        assert_eq!(ask(&packet(&body)).await, Ok(Spoken::Error(17_809)));
    }

    #[tokio::test]
    async fn broken_tables_and_other_protocols_are_not_tds() {
        let beyond = table(&[(VERSION, &[0; 6])])[..9].to_vec();
        let endless = [0, 0, 0, 0, 0].repeat(MOST_OPTIONS + 1);
        let foreign = [
            packet(&beyond),
            packet(&[VERSION, 0, 0]),
            packet(&endless),
            prelogin(),
            b"HTTP/1.1 400".to_vec(),
            vec![TABULAR_RESULT, END_OF_MESSAGE, 0, 8, 0, 0, 0, 0],
        ];
        for bytes in foreign {
            assert_eq!(ask(&bytes).await, Err(Fault::Foreign), "{bytes:?}");
        }
        assert_eq!(ask(&packet(&[0; 9])[..12]).await, Err(Fault::HungUpMidway));
    }

    #[test]
    fn the_request_says_where_its_values_are() {
        let request = prelogin();
        let mut table = &request[HEADER..];
        let mut values = Vec::new();
        while let Ok((option, offset, length)) = entry(&mut table) {
            let start = HEADER + usize::from(offset);
            values.push((option, &request[start..start + usize::from(length)]));
        }
        assert_eq!(values.len(), 5);
        assert_eq!(values[2], (INSTANCE, DEFAULT_INSTANCE));
        assert_eq!(usize::from(request[3]), request.len());
    }
}
