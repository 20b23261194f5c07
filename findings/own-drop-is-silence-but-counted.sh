#!/usr/bin/env bash
# Linux: a "drop" in a host's own output chain gives TCP no error, and yet the host can know.
#
# One expects EPERM, as "ping" gets it and a datagram socket does. `connect` waits instead, exactly as if a firewall far away had
# dropped the packet. But the second packet of the connection, a second later, is counted as one that could not be sent:
# TCPRetransFail in /proc/net/netstat, which everybody may read. It does not grow where the network drops.
#
# Seen on Linux 6.18 with Python 3.11. Needs root, iproute2, nftables, util-linux, python3. Uses two network namespaces of
# its own.
set -euo pipefail
id=$$
trap 'for n in a b; do ip netns del f$id-$n 2>/dev/null || true; done' EXIT
for n in a b; do ip netns add f$id-$n; ip -n f$id-$n link set lo up; done
ip link add a0 netns f$id-a type veth peer name b0 netns f$id-b
ip -n f$id-a addr add 192.0.2.1/24 dev a0; ip -n f$id-b addr add 192.0.2.2/24 dev b0
ip -n f$id-a addr add 2001:db8::1/64 dev a0 nodad; ip -n f$id-b addr add 2001:db8::2/64 dev b0 nodad
ip -n f$id-a link set a0 up; ip -n f$id-b link set b0 up
printf 'table inet f { chain f { type filter hook output priority 0; meta l4proto { tcp, udp } th dport 1000 drop; }; }\n' |
  ip netns exec f$id-a nft -f -
printf 'table inet f { chain f { type filter hook input priority 0; tcp dport 1001 drop; }; }\n' |
  ip netns exec f$id-b nft -f -
ip netns exec f$id-a setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 - <<'P'
import platform, socket

def failed():
    names, numbers = [line.split() for line in open("/proc/net/netstat") if line.startswith("TcpExt:")]
    return int(numbers[names.index("TCPRetransFail")])

def tried(host, port):
    before = failed()
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.settimeout(1.5)
    try:
        s.connect((host, port))
        end = "open"
    except OSError as error:
        end = type(error).__name__
    s.close()
    return end, failed() - before

print("Linux", platform.release())
for host in ("192.0.2.2", "2001:db8::2"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.socket(family, socket.SOCK_DGRAM).sendto(b"", (host, 1000))
        datagram = "no error"
    except OSError as error:
        datagram = type(error).__name__
    here, there = tried(host, 1000), tried(host, 1001)
    print(f"{host}: dropped here: {here[0]}, TCPRetransFail +{here[1]} (a datagram: {datagram})")
    print(f"{host}: dropped by the other end: {there[0]}, TCPRetransFail +{there[1]}")
    assert here == ("TimeoutError", 1) and there == ("TimeoutError", 0), (here, there)
    assert datagram == "PermissionError", datagram
P
