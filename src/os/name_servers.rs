//! The name servers that this host asks: those of `/etc/resolv.conf` (resolv.conf(5)). Elsewhere none are known.

use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// How much of the file is read.
const LARGEST: u64 = 64 << 10;
/// The most servers that the system asks.
const MOST: usize = 3;
const PORT: u16 = 53;

/// The servers, in the order in which the system asks them.
pub fn name_servers() -> Vec<SocketAddr> {
    let mut text = String::new();
    let read = super::open(Path::new("/etc/resolv.conf"))
        .and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    match read {
        Ok(_) => servers(&text),
        Err(_) => Vec::new(),
    }
}

fn servers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| -> Option<IpAddr> {
        let mut words = line.split_ascii_whitespace();
        let is_one = words.next()? == "nameserver";
        words.next().filter(|_| is_one)?.parse().ok()
    };
    let all = text.lines().filter_map(address).take(MOST);
    all.map(|address| SocketAddr::new(address, PORT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_servers_are_those_that_are_asked() {
        let text = "# nameserver 192.0.2.9\nsearch corp.example\nnameserver 192.0.2.1\n \
            nameserver\t2001:db8::53 \nnameserver\nnameserver fe80::1%eth0\nnameserver \
            192.0.2.2\nnameserver 192.0.2.3\noptions edns0\n";
        let all: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(all, ["192.0.2.1:53", "[2001:db8::53]:53", "192.0.2.2:53"]);
        assert!(servers("").is_empty());
    }
}
