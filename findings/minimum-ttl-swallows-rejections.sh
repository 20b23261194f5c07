#!/usr/bin/env bash
# Linux: IP_MINTTL on a TCP socket also drops ICMP errors, by the TTL of the packet that they quote.
#
# The option is documented as a bound on received packets. A bound of 64 lets a SYN-ACK of a neighbour pass (it comes with 64)
# and should let a router's rejection pass too: the message itself arrives with 64. It does not: the kernel compares the
# bound with the TTL inside the quoted SYN, which the router had already lowered to 63. The rejection becomes silence.
#
# Seen on Linux 6.18 with Python 3.11: without the option EHOSTUNREACH at once, with it nothing within a second.
# Needs root, iproute2, nftables, python3. Uses three network namespaces of its own.
set -euo pipefail
id=$$
trap 'for n in a r b; do ip netns del f$id-$n 2>/dev/null || true; done' EXIT
for n in a r b; do ip netns add f$id-$n; ip -n f$id-$n link set lo up; done
ip link add a0 netns f$id-a type veth peer name r0 netns f$id-r
ip link add b0 netns f$id-b type veth peer name r1 netns f$id-r
ip -n f$id-a addr add 198.51.100.10/24 dev a0; ip -n f$id-r addr add 198.51.100.1/24 dev r0
ip -n f$id-b addr add 192.0.2.10/24 dev b0; ip -n f$id-r addr add 192.0.2.1/24 dev r1
for e in a:a0 r:r0 r:r1 b:b0; do ip -n f$id-${e%:*} link set ${e#*:} up; done
ip -n f$id-a route add default via 198.51.100.1; ip -n f$id-b route add default via 192.0.2.1
ip netns exec f$id-r sysctl -qw net.ipv4.ip_forward=1
printf 'table ip f { chain f { type filter hook forward priority 0; tcp dport 81 reject with icmp type host-unreachable; }; }\n' |
  ip netns exec f$id-r nft -f -
ip netns exec f$id-a python3 - <<'P'
import errno, platform, socket
IP_MINTTL = 21

def ask(bound):
    s = socket.socket()
    s.settimeout(1)
    if bound:
        s.setsockopt(socket.IPPROTO_IP, IP_MINTTL, bound)
    try:
        s.connect(("192.0.2.10", 81))
        return "open"
    except TimeoutError:
        return "silence"
    except OSError as error:
        return errno.errorcode[error.errno]

print("Linux", platform.release())
for bound, expected in ((0, "EHOSTUNREACH"), (63, "EHOSTUNREACH"), (64, "silence")):
    came = ask(bound)
    print(f"IP_MINTTL {bound or 'unset'}: {came}")
    assert came == expected, f"expected {expected}"
P
