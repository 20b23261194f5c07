//! Going through a proxy: HTTP CONNECT or SOCKS5, and for plain HTTP requests that an HTTP proxy passes on.
//!
//! `through` asks for a tunnel on a stream that leads to the proxy; the messages and what they say are pure (`connect`,
//! `socks5`). What comes back is the same stream, now leading to the target, or what the proxy said instead. Its own
//! refusal is told from what it says of the server. `forward` asks an HTTP proxy for a page of the target, as clients
//! do where no TLS is spoken. `credentials` are refused at most once.

mod connect;
pub(crate) mod credentials;
pub(crate) mod forward;
mod socks5;
pub(crate) mod through;
#[cfg(test)]
mod tests;

pub(crate) use crate::config::ProxyKind as Kind;

/// What came of asking for a tunnel.
#[derive(Debug)]
pub(crate) enum Passage<S> {
    /// The stream leads to the target now.
    Tunnel(S),
    /// It does not.
    Refused(Refused),
}

/// Why there is no tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The proxy wants to know who asks, or does not like the answer.
    Authentication {
        /// The schemes that it names.
        schemes: Vec<String>,
        /// What became of the credentials.
        credentials: Offered,
    },
    /// The proxy's rules do not allow it.
    Forbidden {
        /// Its words.
        said: String,
    },
    /// The proxy says that it could not reach the server: the only refusal that is about the server.
    Unreached {
        /// Why.
        why: Unreached,
        /// Its words.
        said: String,
    },
    /// Something that is no such proxy answered.
    NotProxy {
        /// What it said.
        said: String,
    },
    /// Nothing came in time: the proxy is silent, or still tries to reach the server.
    Silent,
    /// The proxy closed the connection without a word.
    Closed,
    /// The connection to the proxy was reset.
    Reset,
}

/// What became of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// There are none.
    None,
    /// There are some, and the proxy does not take any of their kind.
    NotTaken,
    /// They were sent, and refused.
    Refused,
    /// They were refused earlier in this run, and so not sent again.
    Withheld,
}

/// Why a proxy did not reach a server, as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// The name has no address, for the proxy.
    NoSuchName,
    /// The connection was refused.
    Refused,
    /// Nothing came back.
    TimedOut,
    /// No way to the host.
    HostUnreachable,
    /// No way to its network.
    NetworkUnreachable,
    /// It does not say.
    Unsaid,
}

impl Refused {
    fn not_a_proxy(said: &str) -> Self {
        Self::NotProxy {
            said: said.to_string(),
        }
    }
}
