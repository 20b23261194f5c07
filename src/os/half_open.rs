//! Linux: connections whose answer was not acknowledged, in the state `SYN_RECV` of `/proc/net/tcp` (proc(5)).

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How much of each table is read: some 25,000 sockets.
const LARGEST: u64 = 4 << 20;
const SYN_RECV: &str = "03";

/// Half-open connections, this end and the other; `None`: the system does not show them.
pub fn half_open() -> Option<Vec<(SocketAddr, SocketAddr)>> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(File::open);
    if tables.iter().all(Result::is_err) {
        return None;
    }
    let lines = tables.into_iter().flatten().flat_map(|table| {
        let lines = BufReader::new(table.take(LARGEST)).lines();
        lines.map_while(Result::ok)
    });
    Some(lines.filter_map(|line| entry(&line)).collect())
}

/// The ends of a half-open connection; `None`: the line shows another socket.
fn entry(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    (state == SYN_RECV).then_some(())?;
    Some((end(local)?, end(remote)?))
}

/// An address and port: 32-bit words as this machine reads them from memory, where they stand in network order.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |text: &str| Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes());
    let address: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(address)?).into(),
        32 => {
            let mut octets = [0; 16];
            for (place, bytes) in octets.chunks_exact_mut(4).enumerate() {
                bytes.copy_from_slice(&word(address.get(8 * place..8 * place + 8)?)?);
            }
            Ipv6Addr::from(octets).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_both_families_are_read_and_other_states_passed_over() {
        let v4 = "   3: 0A0200C0:01BB 0A6433C6:9C40 03 00000000:00000000 01:00000063 00000000     \
            0        0 0 1 0";
        let v6 = "   0: B80D0120000000000000000010000000:0050 \
            B80D0120000000000000000001000000:9C41 03 00000000:00000000";
        assert_eq!(
            entry(v4),
            Some((
                "192.0.2.10:443".parse().expect("an address"),
                "198.51.100.10:40000".parse().expect("an address")
            ))
        );
        assert_eq!(
            entry(v6),
            Some((
                "[2001:db8::10]:80".parse().expect("an address"),
                "[2001:db8::1]:40001".parse().expect("an address")
            ))
        );
        assert_eq!(entry(&v4.replace(" 03 ", " 01 ")), None);
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt";
        assert_eq!(entry(head), None);
    }

    #[test]
    fn the_table_of_this_host_is_read() {
        assert!(half_open().is_some());
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic(line: String, address in "[0-9A-Fé]{0,40}", port in "[0-9A-F]{0,6}") {
            let _ = entry(&line);
            let _ = entry(&format!("0: {address}:{port} {address}:{port} 03"));
        }
    }
}
