//! Going through a proxy: HTTP CONNECT or SOCKS5.
//!
//! `via` reads where the proxy is. `through` asks for a tunnel on a stream that leads to it; the messages and what they
//! say are pure (`connect`, `socks5`). What comes back is the same stream, now leading to the target, or what the proxy
//! said instead: its own refusal is told from what it says of the server. `credentials` are refused at most once.

#![cfg_attr(
    not(test),
    expect(dead_code, reason = "knocking does not yet go through proxies")
)]

mod connect;
pub(crate) mod credentials;
mod socks5;
pub(crate) mod through;
pub(crate) mod via;
#[cfg(test)]
mod tests;

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP CONNECT.
    HttpConnect,
    /// SOCKS5.
    Socks5,
}

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

    /// Whether it says something of the server, and not of the proxy or the way to it.
    pub(crate) fn is_about_the_server(&self) -> bool {
        match self {
            Self::Unreached { .. } => true,
            Self::Authentication { .. }
            | Self::Forbidden { .. }
            | Self::NotProxy { .. }
            | Self::Silent
            | Self::Closed
            | Self::Reset => false,
        }
    }
}
