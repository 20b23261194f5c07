//! SQL Server's browser on UDP 1434: which instances a host has, and where they listen ([MC-SQLR] 2.2).
//!
//! One byte asks for all; it changes nothing. A host whose SQL port resets may have its instance on another one.

use crate::wire::message::Fault;

/// The browser's port, whatever ports its instances have.
pub(crate) const PORT: u16 = 1434;

/// A request for all instances (CLNT_UCAST_EX).
pub(crate) const REQUEST: [u8; 1] = [3];
/// The first byte of an answer (SVR_RESP); the length of its text follows.
const ANSWER: u8 = 5;
const HEADER: usize = 3;
/// The most instances that are kept, and the most characters of a name: SQL Server's own limit is 16.
const MOST_INSTANCES: usize = 50;
const LONGEST_NAME: usize = 64;

/// An instance that listens on TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    /// Its name.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) port: u16,
}

/// Reads an answer: the instances that listen on TCP.
///
/// # Errors
/// [`Fault::Foreign`] where it is no such answer.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Instance>, Fault> {
    let (header, text) = bytes.split_first_chunk::<HEADER>().ok_or(Fault::Foreign)?;
    let length = usize::from(u16::from_le_bytes([header[1], header[2]]));
    if header[0] != ANSWER || length != text.len() {
        return Err(Fault::Foreign);
    }
    let text = String::from_utf8_lossy(text);
    if !text.starts_with("ServerName;") {
        return Err(Fault::Foreign);
    }
    let instances = text.split(";;").filter_map(instance);
    Ok(instances.take(MOST_INSTANCES).collect())
}

/// One instance: names and values in turn.
fn instance(text: &str) -> Option<Instance> {
    let mut words = text.split(';');
    let (mut name, mut port) = (None, None);
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        match key {
            "InstanceName" => name = Some(value.chars().take(LONGEST_NAME).collect()),
            "tcp" => port = value.parse().ok().filter(|port| *port != 0),
            _ => {}
        }
    }
    Some(Instance {
        name: name?,
        port: port?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Vec<u8> {
        let length = (text.len() as u16).to_le_bytes();
        [&[ANSWER], &length[..], text.as_bytes()].concat()
    }

    #[test]
    fn every_instance_on_tcp_is_named_with_its_port() {
        let text = "ServerName;SQL01;InstanceName;MSSQLSERVER;IsClustered;No;Version;10.50.6000.34;tcp;14330;;\
                    ServerName;SQL01;InstanceName;PIPES;IsClustered;No;Version;9.00.5000.00;np;\\\\SQL01\\pipe\\x;;\
                    ServerName;SQL01;InstanceName;CM;IsClustered;No;Version;10.50.6000.34;tcp;49170;np;\\\\SQL01\\pipe\\y;;";
        let found = read(&answer(text)).expect("an answer");
        let found: Vec<(&str, u16)> = found.iter().map(|it| (it.name.as_str(), it.port)).collect();
        assert_eq!(found, [("MSSQLSERVER", 14_330), ("CM", 49_170)]);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let whole = answer("ServerName;SQL01;InstanceName;CM;tcp;1;;");
        for bytes in [
            &whole[..whole.len() - 1],
            b"",
            b"\x05\x00\x00",
            b"\x03",
            &answer("HTTP/1.1 400 Bad"),
        ] {
            assert_eq!(read(bytes), Err(Fault::Foreign), "{bytes:?}");
        }
        let no_port = read(&answer("ServerName;S;InstanceName;CM;tcp;0;;"));
        assert_eq!(no_port, Ok(Vec::new()));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text: String) {
            let _ = read(&bytes);
            let _ = read(&answer(&text.chars().take(1_000).collect::<String>()));
        }
    }
}
