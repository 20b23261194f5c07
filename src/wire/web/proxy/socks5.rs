//! SOCKS5 (RFC 1928) with user name and password (RFC 1929): the messages, and what the proxy says to each.

use std::net::IpAddr;

use super::{Offered, Refused, Unreached};
use crate::wire::web::http::authority::{Authority, Host};

const VERSION: u8 = 5;
/// The version of the user name and password exchange.
const LOGIN_VERSION: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Which ways to say who one is are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// None.
    Nobody,
    /// A user name and password too.
    User,
}

/// The greeting.
pub(super) fn greeting(offer: Offer) -> &'static [u8] {
    match offer {
        Offer::Nobody => &[VERSION, 1, NO_AUTHENTICATION],
        Offer::User => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
    }
}

/// What the proxy chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Go on.
    Nobody,
    /// A user name and password first.
    User,
    /// No.
    Refused(Refused),
}

/// Reads the answer to the greeting.
pub(super) fn choice(offer: Offer, bytes: [u8; 2]) -> Choice {
    match (bytes, offer) {
        ([VERSION, NO_AUTHENTICATION], _) => Choice::Nobody,
        ([VERSION, USER_AND_PASSWORD], Offer::User) => Choice::User,
        ([VERSION, NONE_ACCEPTABLE], _) => Choice::Refused(Refused::Authentication {
            schemes: Vec::new(),
            credentials: match offer {
                Offer::Nobody => Offered::None,
                Offer::User => Offered::NotTaken,
            },
        }),
        ([VERSION, method], _) => Choice::Refused(Refused::not_a_proxy(&format!(
            "it chose method {method}, which was not offered"
        ))),
        _ => Choice::Refused(Refused::not_a_proxy("it does not speak SOCKS5")),
    }
}

/// The user name and password; both have 1 to 255 bytes.
pub(super) fn login(user: &str, password: &str) -> Vec<u8> {
    let mut bytes = vec![LOGIN_VERSION];
    for text in [user, password] {
        bytes.push(length(text));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// Whether the proxy took them.
pub(super) fn is_login_taken(bytes: [u8; 2]) -> bool {
    bytes == [LOGIN_VERSION, 0]
}

/// The request for a tunnel. Names go to the proxy as names: it resolves them.
pub(super) fn request(target: &Authority) -> Vec<u8> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    match target.host() {
        Host::Address(IpAddr::V4(address)) => {
            bytes.push(IPV4);
            bytes.extend_from_slice(&address.octets());
        }
        Host::Address(IpAddr::V6(address)) => {
            bytes.push(IPV6);
            bytes.extend_from_slice(&address.octets());
        }
        Host::Name(name) => {
            bytes.extend_from_slice(&[NAME, length(name)]);
            bytes.extend_from_slice(name.as_bytes());
        }
    }
    bytes.extend_from_slice(&target.port().to_be_bytes());
    bytes
}

/// The length of a text that has at most 255 bytes.
fn length(text: &str) -> u8 {
    u8::try_from(text.len()).unwrap_or(u8::MAX)
}

/// What the bytes that came so far say to the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// This many more are needed; not one more than the reply has, for what follows is the tunnel.
    Partial(usize),
    /// What follows is the tunnel.
    Tunnel,
    /// No.
    Refused(Refused),
}

/// Reads the reply.
pub(super) fn reply(bytes: &[u8]) -> Reply {
    let needed = match *bytes {
        [] => 2,
        [version, ..] if version != VERSION => {
            return Reply::Refused(Refused::not_a_proxy("it does not speak SOCKS5"));
        }
        [_] => 2,
        // A refusal is sure at its second byte; some proxies send no more.
        [_, code, ..] if code != 0 => return Reply::Refused(refused(code)),
        [_, _] | [_, _, _] => 4,
        [_, _, _, IPV4, ..] => 4 + 4 + 2,
        [_, _, _, IPV6, ..] => 4 + 16 + 2,
        [_, _, _, NAME] => 5,
        [_, _, _, NAME, length, ..] => 5 + usize::from(length) + 2,
        [_, _, _, _, ..] => {
            return Reply::Refused(Refused::not_a_proxy("its reply names no kind of address"));
        }
    };
    match needed.saturating_sub(bytes.len()) {
        0 => Reply::Tunnel,
        more => Reply::Partial(more),
    }
}

/// What a reply code says (RFC 1928 section 6).
fn refused(code: u8) -> Refused {
    let unreached = |why, said: &str| Refused::Unreached {
        why,
        said: format!("reply {code}: {said}"),
    };
    match code {
        1 => unreached(Unreached::Unsaid, "general failure"),
        2 => Refused::Forbidden {
            said: "reply 2: not allowed by its rules".to_string(),
        },
        3 => unreached(Unreached::NetworkUnreachable, "network unreachable"),
        4 => unreached(Unreached::HostUnreachable, "host unreachable"),
        5 => unreached(Unreached::Refused, "connection refused"),
        6 => unreached(Unreached::TimedOut, "time to live expired"),
        7 => Refused::not_a_proxy("reply 7: it does not do CONNECT"),
        8 => Refused::not_a_proxy("reply 8: it does not know this kind of address"),
        _ => unreached(Unreached::Unsaid, "not a known code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_as_names_and_addresses_as_addresses() {
        let request = |host| request(&Authority::new(host, 443).expect("a host"));
        assert_eq!(
            request("mp.example"),
            *b"\x05\x01\x00\x03\x0amp.example\x01\xbb"
        );
        assert_eq!(request("192.0.2.1"), [5, 1, 0, 1, 192, 0, 2, 1, 1, 187]);
        assert_eq!(request("2001:db8::1")[..5], [5, 1, 0, 4, 0x20]);
    }

    #[test]
    fn a_password_is_sent_only_where_it_was_offered_and_is_wanted() {
        assert_eq!(greeting(Offer::Nobody), [5, 1, 0]);
        assert_eq!(choice(Offer::User, [5, 2]), Choice::User);
        assert!(matches!(
            choice(Offer::Nobody, [5, 2]),
            Choice::Refused(Refused::NotProxy { .. })
        ));
        assert_eq!(choice(Offer::User, [5, 0]), Choice::Nobody);
        assert!(matches!(
            choice(Offer::Nobody, [5, 0xff]),
            Choice::Refused(Refused::Authentication {
                credentials: Offered::None,
                ..
            })
        ));
        assert!(matches!(
            choice(Offer::Nobody, *b"HT"),
            Choice::Refused(Refused::NotProxy { .. })
        ));
        assert_eq!(login("ab", "c"), *b"\x01\x02ab\x01c");
        assert!(is_login_taken([1, 0]) && !is_login_taken([1, 1]) && !is_login_taken([5, 0]));
    }

    #[test]
    fn a_reply_takes_exactly_its_own_bytes() {
        for whole in [
            &b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"[..],
            b"\x05\x00\x00\x03\x02ab\x00\x50",
            b"\x05\x00\x00\x04aaaaaaaaaaaaaaaa\x00\x50",
        ] {
            let mut taken = 0;
            while let Reply::Partial(more) = reply(&whole[..taken]) {
                taken += more;
            }
            assert_eq!((taken, reply(whole)), (whole.len(), Reply::Tunnel));
        }
    }

    #[test]
    fn what_the_proxy_refuses_is_told_from_what_it_could_not_reach() {
        for (code, why) in [
            (3, Unreached::NetworkUnreachable),
            (4, Unreached::HostUnreachable),
            (5, Unreached::Refused),
            (6, Unreached::TimedOut),
            (1, Unreached::Unsaid),
        ] {
            let Reply::Refused(Refused::Unreached { why: seen, .. }) = reply(&[5, code]) else {
                panic!("{code}")
            };
            assert_eq!(seen, why);
        }
        assert!(matches!(
            reply(&[5, 2]),
            Reply::Refused(Refused::Forbidden { .. })
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_ask_for_a_bounded_rest(bytes: Vec<u8>) {
            if let Reply::Partial(more) = reply(&bytes) {
                proptest::prop_assert!((1..=262).contains(&more));
            }
            for offer in [Offer::Nobody, Offer::User] {
                if let [one, other, ..] = bytes[..] {
                    let _ = (choice(offer, [one, other]), is_login_taken([one, other]));
                }
            }
        }
    }
}
