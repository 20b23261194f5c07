//! Why the operating system's resolver gave no addresses. Its function says the same of silence, of a server that
//! refuses this host, and of one that could not find out. So its servers are asked once more, directly.

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::Rcode;
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::observation::{Prohibition, ResolverError, Unresolved};
use crate::os::{self, Datagram};
use crate::wire::dns::{Answer, Kind, Query};

/// How long a server may take: it has just been asked the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Why there was no answer for a name.
pub(super) async fn why(name: &str) -> Unresolved {
    asked_of(name, os::name_servers()).await
}

async fn asked_of(name: &str, servers: Vec<SocketAddr>) -> Unresolved {
    let asked = servers.into_iter().map(|server| ask(name, server));
    of_all(&join_all(asked).await)
}

/// What one server met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    /// An answer that is no error.
    Answer,
    Error(ResolverError),
    Silence,
}

/// A server that answers well was not what failed; else the first error tells.
fn of_all(all: &[Met]) -> Unresolved {
    let mut errors = all.iter().filter_map(|met| match met {
        Met::Error(error) => Some(*error),
        Met::Answer | Met::Silence => None,
    });
    match errors.next() {
        Some(error) if !all.contains(&Met::Answer) => Unresolved::ResolverError(error),
        _ => Unresolved::ResolverSilent,
    }
}

/// What came of one question to one server.
pub(super) enum Came {
    Answer(Answer),
    /// No name server is there.
    Absent,
    /// Nothing that answers the question, or it cannot be asked.
    Nothing,
}

/// Asks one server once.
pub(super) async fn question(server: SocketAddr, name: &str, kind: Kind, limit: Duration) -> Came {
    let Some(query) = Query::new(name.trim_end_matches('.'), kind) else {
        return Came::Nothing;
    };
    let bytes = query.bytes();
    let came = timeout(limit, os::ask_datagram(server, &bytes, |_| {})).await;
    match came {
        Ok(Datagram::Answer(bytes)) => query.read(&bytes).map_or(Came::Nothing, Came::Answer),
        Ok(Datagram::Rejected(rejection)) if rejection.says == Prohibition::PortUnreachable => {
            Came::Absent
        }
        Ok(Datagram::Rejected(_) | Datagram::Trouble(_)) | Err(_) => Came::Nothing,
    }
}

async fn ask(name: &str, server: SocketAddr) -> Met {
    match question(server, name, Kind::A, LONGEST).await {
        Came::Answer(answer) => of_rcode(answer.rcode),
        Came::Absent => Met::Error(ResolverError::Absent),
        Came::Nothing => Met::Silence,
    }
}

fn of_rcode(rcode: Rcode) -> Met {
    match rcode {
        Rcode::NOERROR | Rcode::NXDOMAIN => Met::Answer,
        Rcode::REFUSED => Met::Error(ResolverError::Refused),
        _ => Met::Error(ResolverError::Failed),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::*;

    /// A server that answers one question with this code.
    async fn server(rcode: u8) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut bytes = [0; 512];
            let (length, from) = socket.recv_from(&mut bytes).await.expect("a question");
            bytes[2] |= 0x80;
            bytes[3] = (bytes[3] & 0xf0) | rcode;
            let _ = socket.send_to(&bytes[..length], from).await;
        });
        address
    }

    #[tokio::test]
    async fn a_server_that_refuses_or_fails_is_not_silent() {
        let why = async |servers| asked_of("mp.example.com.", servers).await;
        let error = |error| Unresolved::ResolverError(error);
        let refuses = why(vec![server(5).await]).await;
        assert_eq!(refuses, error(ResolverError::Refused));
        let fails = why(vec![server(2).await]).await;
        assert_eq!(fails, error(ResolverError::Failed));
        let answers = why(vec![server(5).await, server(0).await]).await;
        assert_eq!(answers, Unresolved::ResolverSilent, "that was not it");
        assert_eq!(why(Vec::new()).await, Unresolved::ResolverSilent);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_from_one_that_is_silent() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let address = silent.local_addr().expect("an address");
        let why = async |server| asked_of("mp.example.com", vec![server]).await;
        assert_eq!(why(address).await, Unresolved::ResolverSilent);
        drop(silent);
        let absent = Unresolved::ResolverError(ResolverError::Absent);
        assert_eq!(why(address).await, absent);
    }
}
