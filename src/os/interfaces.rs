//! What Linux tells everybody of its interfaces, as text in `/proc/net` (proc(5)).

use std::net::IpAddr;

/// The flag of an entry that is complete.
const COMPLETE: u32 = 0x2;

/// IPv4 addresses on this host's own networks with their hardware addresses, as ARP has found them.
pub fn neighbours() -> Vec<(IpAddr, String)> {
    std::fs::read_to_string("/proc/net/arp").map_or_else(|_| Vec::new(), |text| in_table(&text))
}

/// How many packets have come over loopback; `None`: the system does not tell.
pub fn loopback_packets() -> Option<u64> {
    received(&std::fs::read_to_string("/proc/net/dev").ok()?, "lo")
}

/// How many repeats of packets of TCP did not leave this host, as when its own firewall drops them; `None`: the system does
/// not tell.
pub fn repeats_kept_here() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/net/netstat").ok()?;
    counter(&text, "TcpExt", "TCPRetransFail")
}

/// Reads a counter of the table of counters: a line of names, and below it one of numbers, both with the group before.
fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text
        .lines()
        .filter(|line| line.split(':').next() == Some(group));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|it| it == name)?;
    numbers.split_whitespace().nth(place)?.parse().ok()
}

/// Reads the ARP table: address, hardware type, flags, hardware address, mask, interface.
fn in_table(text: &str) -> Vec<(IpAddr, String)> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        let flags = words.nth(1)?.strip_prefix("0x")?;
        let is_complete = u32::from_str_radix(flags, 16).ok()? & COMPLETE != 0;
        let hardware = words.next()?.to_string();
        is_complete.then_some((address, hardware))
    };
    text.lines().skip(1).filter_map(entry).collect()
}

/// Reads how many packets an interface has received: the second number of its line.
fn received(text: &str, interface: &str) -> Option<u64> {
    let numbers = text.lines().find_map(|line| {
        let (name, numbers) = line.split_once(':')?;
        (name.trim() == interface).then_some(numbers)
    })?;
    numbers.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_entries_of_the_arp_table_are_read() {
        let text = "IP address       HW type     Flags       HW address            Mask     Device
10.0.1.2         0x1         0x2         aa:bb:cc:00:00:01     *        e0
10.0.2.2         0x1         0x2         aa:bb:cc:00:00:01     *        e0
10.0.1.9         0x1         0x0         00:00:00:00:00:00     *        e0
nonsense
";
        let table = in_table(text);
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].1, table[1].1);
        assert!(in_table("").is_empty());
    }

    #[test]
    fn the_packets_of_an_interface_are_read() {
        let text = "Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo:   80000   1100    0    0    0     0          0         0    80000    1100    0
   e0: 5 6 0 0
";
        assert_eq!(received(text, "lo"), Some(1_100));
        assert_eq!(received(text, "e1"), None);
        assert_eq!(received("lo:", "lo"), None);
    }

    #[test]
    fn a_counter_is_found_by_its_group_and_name() {
        let text = "TcpExt: A TCPRetransFail B\nTcpExt: 1 22 3\nIpExt: TCPRetransFail\nIpExt: 9\n";
        assert_eq!(counter(text, "TcpExt", "TCPRetransFail"), Some(22));
        assert_eq!(counter(text, "TcpExt", "C"), None);
        assert_eq!(counter("TcpExt: A\n", "TcpExt", "A"), None);
        assert!(repeats_kept_here().is_some());
    }

    #[test]
    fn loopback_counts_its_packets_for_everybody() {
        assert!(loopback_packets().is_some());
    }
}
