//! The messages of the services other than the web: RPC, SMB, SQL, LDAP, DNS, Kerberos.

use super::{LIMIT, over};
use crate::wire::windows::rpc::datagram;
use crate::wire::windows::smb::Opening;
use crate::wire::{
    Fault, dns, windows::kerberos, windows::ldap, windows::rpc, windows::smb, windows::sql_browser,
    windows::tds,
};

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

/// The messages of an endpoint mapper, list and all, or of an object exporter.
pub fn rpc_lookup(bytes: &[u8]) -> bool {
    let of_exporter = over(bytes, async |peer| match rpc::alive(peer, LIMIT).await {
        rpc::Exporter::Alive(addresses) => Ok(addresses),
        _ => Err(Fault::Foreign),
    });
    if of_exporter {
        return true;
    }
    over(bytes, async |peer| rpc::lookup(peer, LIMIT).await)
}

/// The messages of an SMB server.
pub fn smb(bytes: &[u8]) -> bool {
    over(bytes, async |peer| {
        smb::exchange(peer, Opening::AnyDialect, LIMIT).await
    })
}

/// The answer of a SQL Server, or of its browser.
pub fn tds(bytes: &[u8]) -> bool {
    let of_browser = sql_browser::read(bytes).is_ok();
    of_browser || over(bytes, async |peer| tds::exchange(peer, LIMIT).await)
}
