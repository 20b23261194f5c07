//! How a flow is tried, and what shows that it is as it must be, in words.

use crate::probe::{Datagram, Ladder};
use crate::product::Need;

/// What is sent, and what proves it.
pub(super) struct Tries {
    pub(super) tried: String,
    pub(super) proof: String,
}

/// How a flow with this need is tried; `to_list`: at its end a revocation list is fetched.
pub(super) fn tries(need: Need, ladder: Ladder, to_list: bool) -> Tries {
    if ladder == Ladder::None && need == Need::Forbidden {
        return words(
            "not at all: that a whole range of ports is closed cannot be shown by trying some",
            "nothing that this version does",
        );
    }
    match (need, ladder) {
        (Need::Forbidden, Ladder::Datagram(_)) => words(
            "a datagram",
            "an ICMP refusal; silence proves nothing, because most services do not answer what \
             they do not understand",
        ),
        (Need::Forbidden, _) => words(
            "a connection to the port, as many times as make silence proof",
            "a reset, an ICMP refusal or proved silence, and beside it a control: something that \
             shows that this host could have knocked. Any connection that opens shows the contrary",
        ),
        (Need::Required | Need::Optional, _) if to_list => words(
            "a connection to the port; when all certificates have been seen, the list itself over \
             HTTP",
            "a list that its authority has signed and that is not out of date",
        ),
        (Need::Required | Need::Optional, ladder) => needed(ladder),
    }
}

fn words(tried: &str, proof: &str) -> Tries {
    Tries {
        tried: tried.to_string(),
        proof: proof.to_string(),
    }
}

fn needed(ladder: Ladder) -> Tries {
    match ladder {
        Ladder::None => words("not at all", "nothing that this version does"),
        Ladder::Tcp => words(
            "a connection to the port",
            "it opens; more is not asked of it",
        ),
        Ladder::Datagram(datagram) => datagrams(datagram),
        Ladder::Smb => words(
            "a connection, and a negotiation of SMB; nobody logs in",
            "the server's answer to the negotiation",
        ),
        Ladder::Tds => words(
            "a connection, and a prelogin of SQL Server's protocol; nobody logs in",
            "the server's answer to the prelogin",
        ),
        Ladder::Ldap => words(
            "a connection, and an anonymous search of the directory's root",
            "the directory's answer",
        ),
        Ladder::Dns => words(
            "a connection, and a question for a name of the site",
            "an answer of a name server",
        ),
        Ladder::Kerberos => words(
            "a connection, and a request for a realm that cannot exist",
            "the refusal of a key distribution centre",
        ),
        Ladder::Nats => words(
            "a connection; nothing is said there",
            "the greeting of a NATS server",
        ),
        Ladder::RpcMapper => words(
            "a connection to the endpoint mapper, its list, and each dynamic port that it names",
            "the mapper's list",
        ),
        Ladder::RpcPort => words(
            "a connection, and a greeting of RPC",
            "an RPC service's answer",
        ),
        Ladder::RpcRange(_) => words(
            "the dynamic ports that the host's endpoint mapper names, each with a greeting of RPC \
             while the mapper's connection is open",
            "an RPC service's answer on every port that the mapper names",
        ),
        Ladder::Tls => words(
            "a connection, and a TLS handshake",
            "a handshake with a certificate that a client takes",
        ),
        Ladder::Http => words(
            "a connection and `GET /`; where the site needs it, also the paths that prove its \
             roles, and the verbs and headers of clients",
            "an HTTP answer below 500, and of each role a path that only this role has, where one \
             is known",
        ),
        Ladder::Https => words(
            "a connection, a TLS handshake with the name that the zone uses, and `GET /`; where \
             the site needs it, also the paths that prove its roles",
            "a certificate that a client takes, an HTTP answer below 500, and of each role a path \
             that only this role has, where one is known",
        ),
    }
}

fn datagrams(datagram: Datagram) -> Tries {
    match datagram {
        Datagram::Empty => words(
            "an empty datagram",
            "an answer; silence proves nothing, because most services do not answer what they do \
             not understand",
        ),
        Datagram::Dns => words(
            "a question for a name of the site",
            "an answer of a name server",
        ),
        Datagram::Kerberos => words(
            "a request for a realm that cannot exist",
            "the refusal of a key distribution centre",
        ),
        Datagram::Rpc => words("a call of RPC over UDP", "an RPC service's answer"),
    }
}
