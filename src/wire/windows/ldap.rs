//! LDAP: an anonymous search of the root DSE, which every server lets anyone read (RFC 4512, section 5.1).
//!
//! No bind goes before it: a connection is anonymous from its start (RFC 4513, section 4). Any LDAP message in answer
//! proves the service, also an error or the notice that it disconnects. An unbind ends it, as clients end theirs: servers
//! log a connection that is only dropped as lost.

use std::time::Duration;

use asn1_rs::{Any, Class, Enumerated, FromBer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::wire::asn1::{
    self, BOOLEAN, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, application, element, elements,
};
use crate::wire::message::{self, Fault};

/// The most bytes of a message: a root DSE with these attributes takes some 200.
const LARGEST_MESSAGE: usize = 1 << 16;
/// The most messages that are read; a search of one entry is answered by two.
const MOST_MESSAGES: usize = 8;
/// The most values of an attribute, and the most characters of one.
const MOST_VALUES: usize = 16;
const LONGEST_VALUE: usize = 255;
/// How long the server may search, in seconds.
const TIME_LIMIT: u8 = 10;

const SUPPORTED_VERSION: &str = "supportedLDAPVersion";
const NAMING_CONTEXT: &str = "defaultNamingContext";
const HOST_NAME: &str = "dnsHostName";

/// Operations that servers send (RFC 4511, appendix B).
const SEARCH_ENTRY: u32 = 4;
const SEARCH_DONE: u32 = 5;
const EXTENDED_RESPONSE: u32 = 24;
const OTHER_RESPONSES: [u32; 8] = [1, 7, 9, 11, 13, 15, 19, 25];

/// What the server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// Versions of the protocol that it supports.
    pub(crate) versions: Vec<String>,
    /// The domain of a domain controller, as in `DC=corp,DC=example`.
    pub(crate) naming_context: Option<String>,
    /// The server's name for itself.
    pub(crate) host_name: Option<String>,
    /// The result code of the search (0: success, 1: operations error), or of the notice that it disconnects.
    pub(crate) result: Option<u32>,
}

/// Searches, within `limit`.
///
/// # Errors
/// What kept it from being recognised as LDAP.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Spoken, Fault> {
    let deadline = Instant::now() + limit;
    message::send(stream, "LDAP search", &search(), deadline).await;
    let mut spoken = Spoken::default();
    for number in 0..MOST_MESSAGES {
        let bytes = match message::receive(stream, "LDAP answer", frame, deadline).await {
            Ok(bytes) => bytes,
            Err(fault) if number == 0 => return Err(fault),
            Err(_) => break,
        };
        match spoken.take_in(&bytes) {
            Some(Next::Message) => {}
            Some(Next::Nothing) => break,
            None if number == 0 => return Err(Fault::Foreign),
            None => break,
        }
    }
    message::send(stream, "LDAP unbind", &unbind(), deadline).await;
    Ok(spoken)
}

/// The end of a conversation, which has no answer (RFC 4511 section 4.3).
fn unbind() -> Vec<u8> {
    // A primitive element of application number 2, empty.
    let operation = element(0x42, &[]);
    element(SEQUENCE, &[element(INTEGER, &[2]), operation].concat())
}

/// The request: base object search of the empty name for any object, a few attributes.
fn search() -> Vec<u8> {
    let attributes = [SUPPORTED_VERSION, NAMING_CONTEXT, HOST_NAME]
        .map(|name| element(OCTET_STRING, name.as_bytes()))
        .concat();
    let request = [
        element(OCTET_STRING, b""),       // base
        element(ENUMERATED, &[0]),        // scope: this object
        element(ENUMERATED, &[0]),        // aliases are not followed
        element(INTEGER, &[1]),           // one entry
        element(INTEGER, &[TIME_LIMIT]),  // seconds
        element(BOOLEAN, &[0]),           // values too
        element(PRESENT, b"objectClass"), // filter
        element(SEQUENCE, &attributes),
    ]
    .concat();
    let operation = element(application(3), &request);
    element(SEQUENCE, &[element(INTEGER, &[1]), operation].concat())
}

/// The filter "this attribute is there", a primitive element of context number 7.
const PRESENT: u8 = 0x87;

/// How long a message is; `None`: this is no message.
fn frame(bytes: &[u8]) -> Option<usize> {
    asn1::frame(bytes, &[SEQUENCE], LARGEST_MESSAGE)
}

/// What is to be read after a message.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Message,
    Nothing,
}

impl Spoken {
    /// Takes in a message that [`frame`] found whole; `None`: it is no answer.
    fn take_in(&mut self, bytes: &[u8]) -> Option<Next> {
        let (_, message) = Any::from_ber(bytes).ok()?;
        let mut parts = elements(message.data);
        parts.next()?.u32().ok()?;
        let operation = parts.next()?;
        if operation.class() != Class::Application {
            return None;
        }
        match operation.tag().0 {
            SEARCH_ENTRY => {
                self.take_in_entry(operation.data);
                Some(Next::Message)
            }
            SEARCH_DONE | EXTENDED_RESPONSE => {
                let code = Enumerated::from_ber(operation.data).ok();
                self.result = code.map(|(_, code)| code.0);
                Some(Next::Nothing)
            }
            other => OTHER_RESPONSES.contains(&other).then_some(Next::Message),
        }
    }

    /// Takes in an entry: its name, and a sequence of attributes with their sets of values.
    fn take_in_entry(&mut self, entry: &[u8]) {
        let attributes = elements(entry).nth(1);
        for attribute in attributes.iter().flat_map(|all| elements(all.data)) {
            let mut parts = elements(attribute.data);
            let (Some(name), Some(values)) = (parts.next(), parts.next()) else {
                continue;
            };
            let mut values = elements(values.data).take(MOST_VALUES).map(text);
            let is = |wanted: &str| name.data.eq_ignore_ascii_case(wanted.as_bytes());
            if is(SUPPORTED_VERSION) {
                self.versions = values.collect();
            } else if is(NAMING_CONTEXT) {
                self.naming_context = values.next();
            } else if is(HOST_NAME) {
                self.host_name = values.next();
            }
        }
    }
}

fn text(value: Any<'_>) -> String {
    let text = String::from_utf8_lossy(value.data);
    text.chars().take(LONGEST_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{join, sink};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn message(id: u8, operation: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&element(INTEGER, &[id]), operation].concat())
    }

    fn result(operation: u8, code: u8) -> Vec<u8> {
        let text = element(OCTET_STRING, b"");
        let content = [element(ENUMERATED, &[code]), text.clone(), text].concat();
        element(application(operation), &content)
    }

    async fn ask(bytes: &[u8]) -> Result<Spoken, Fault> {
        exchange(&mut join(bytes, sink()), LIMIT).await
    }

    #[tokio::test]
    async fn an_error_and_a_notice_of_disconnection_prove_ldap() {
        for bytes in [message(1, &result(5, 1)), message(0, &result(24, 52))] {
            let spoken = ask(&bytes).await.expect("LDAP");
            assert!(spoken.result.is_some_and(|code| [1, 52].contains(&code)));
        }
    }

    #[tokio::test]
    async fn lengths_as_active_directory_writes_them_are_read() {
        let attribute = [
            element(OCTET_STRING, b"defaultnamingcontext"),
            element(0x31, &element(OCTET_STRING, b"DC=corp,DC=example")),
        ]
        .concat();
        let attributes = element(SEQUENCE, &element(SEQUENCE, &attribute));
        let entry = [element(OCTET_STRING, b""), attributes].concat();
        let mut operation = vec![application(4), 0x84];
        operation.extend((entry.len() as u32).to_be_bytes());
        operation.extend(entry);
        let content = [element(INTEGER, &[1]), operation].concat();
        let mut bytes = vec![SEQUENCE, 0x84];
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(content);
        bytes.extend(message(1, &result(5, 0)));
        let spoken = ask(&bytes).await.expect("LDAP");
        assert_eq!(spoken.naming_context.as_deref(), Some("DC=corp,DC=example"));
        assert_eq!(spoken.result, Some(0));
    }

    #[tokio::test]
    async fn a_server_that_goes_after_its_first_message_has_spoken() {
        let first = message(1, &element(application(4), &element(OCTET_STRING, b"")));
        for after in [&b""[..], b"\x30", b"HTTP"] {
            let spoken = ask(&[&first, after].concat()).await;
            assert_eq!(spoken, Ok(Spoken::default()));
        }
        let endless = ask(&first.repeat(100)).await;
        assert_eq!(endless, Ok(Spoken::default()));
    }

    #[tokio::test]
    async fn echoes_and_other_protocols_are_not_ldap() {
        let others: [&[u8]; 4] = [
            &search(),
            b"HTTP/1.1 400",
            b"0\x05\x02\x01\x01\x04\0",
            b"0\x80",
        ];
        for bytes in others {
            assert_eq!(ask(bytes).await, Err(Fault::Foreign), "{bytes:?}");
        }
        assert_eq!(ask(b"").await, Err(Fault::HungUp));
        assert_eq!(ask(b"0\x09\x02").await, Err(Fault::HungUpMidway));
    }
}
