//! The readings of bytes from the network, each under the name of its fuzz target: were these bytes recognised?
//!
//! To add one: a function here and its line in [`TARGETS`], a file in `fuzz/fuzz_targets`, its `[[bin]]` in
//! `fuzz/Cargo.toml`, and real answers in a folder of its name in `fuzz/seeds`. The tests below hold these together.

use std::time::Duration;

use tokio::io::{Join, Sink, join, sink};

use super::message::Fault;
use super::rpc::datagram;
use super::smb::Opening;
use super::{dns, kerberos, ldap, rpc, smb, tds};

/// A name, and the function of that name.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("dns", dns),
    ("dns_tcp", dns_tcp),
    ("kerberos", kerberos),
    ("kerberos_tcp", kerberos_tcp),
    ("ldap", ldap),
    ("rpc_datagram", rpc_datagram),
    ("rpc_lookup", rpc_lookup),
    ("smb", smb),
    ("tds", tds),
];

/// All bytes are there, so no wait is ever long.
const LIMIT: Duration = Duration::from_secs(60);

/// A DNS answer in a datagram, to the question that it repeats.
pub fn dns(bytes: &[u8]) -> bool {
    dns::Query::of(bytes).is_some_and(|query| query.read(bytes).is_ok())
}

/// A DNS answer over TCP, to the question that it repeats.
pub fn dns_tcp(bytes: &[u8]) -> bool {
    let query = bytes.get(2..).and_then(dns::Query::of);
    query.is_some_and(|query| over(bytes, async |peer| dns::exchange(peer, &query, LIMIT).await))
}

/// A Kerberos answer in a datagram.
pub fn kerberos(bytes: &[u8]) -> bool {
    kerberos::read(bytes).is_ok()
}

/// A Kerberos answer over TCP.
pub fn kerberos_tcp(bytes: &[u8]) -> bool {
    over(bytes, async |peer| kerberos::exchange(peer, LIMIT).await)
}

/// The messages of an LDAP server.
pub fn ldap(bytes: &[u8]) -> bool {
    over(bytes, async |peer| ldap::exchange(peer, LIMIT).await)
}

/// An RPC answer in a datagram, to the call that it names.
pub fn rpc_datagram(bytes: &[u8]) -> bool {
    datagram::Question::of(bytes).is_some_and(|question| question.read(bytes).is_ok())
}

/// The messages of an endpoint mapper, list and all.
pub fn rpc_lookup(bytes: &[u8]) -> bool {
    over(bytes, async |peer| rpc::lookup(peer, LIMIT).await)
}

/// The messages of an SMB server.
pub fn smb(bytes: &[u8]) -> bool {
    over(bytes, async |peer| {
        smb::exchange(peer, Opening::AnyDialect, LIMIT).await
    })
}

/// The answer of a SQL Server.
pub fn tds(bytes: &[u8]) -> bool {
    over(bytes, async |peer| tds::exchange(peer, LIMIT).await)
}

/// Talks to a peer that says all its bytes, whatever it is told, and then hangs up.
fn over<T>(
    bytes: &[u8],
    talk: impl AsyncFnOnce(&mut Join<&[u8], Sink>) -> Result<T, Fault>,
) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.is_ok_and(|runtime| runtime.block_on(talk(&mut join(bytes, sink()))).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new("fuzz/seeds").join(target);
        let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display()));
        let seeds = files.map(|file| {
            let path = file.expect("a file").path();
            let bytes = fs::read(&path).expect("a seed");
            (path.display().to_string(), bytes)
        });
        seeds.collect()
    }

    #[test]
    fn every_real_answer_is_recognised() {
        for (target, recognised) in TARGETS {
            let seeds = seeds(target);
            assert!(!seeds.is_empty(), "{target}");
            for (name, bytes) in seeds {
                assert!(recognised(&bytes), "{name}");
            }
        }
    }

    #[test]
    fn every_target_has_its_file() {
        let files = fs::read_dir("fuzz/fuzz_targets").expect("the targets");
        let files = files.map(|file| file.expect("a file").path().with_extension(""));
        let stems = files.filter_map(|path| Some(path.file_name()?.to_str()?.to_string()));
        let names = TARGETS.iter().map(|(name, _)| name.to_string());
        assert_eq!(stems.collect::<BTreeSet<_>>(), names.collect());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            for (_, recognised) in TARGETS {
                recognised(&bytes);
            }
        }

        #[test]
        fn real_answers_cut_and_changed_are_read_without_panic(
            seed: Index,
            cut: Index,
            changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..8),
        ) {
            for (target, recognised) in TARGETS {
                let seeds = seeds(target);
                let (_, whole) = seed.get(&seeds);
                let mut bytes = whole.clone();
                for (at, byte) in &changes {
                    *at.get_mut(&mut bytes) = *byte;
                }
                recognised(&bytes);
                recognised(&bytes[..cut.index(bytes.len())]);
            }
        }
    }
}
