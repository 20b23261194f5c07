#!/usr/bin/env bash
# Linux: a route that rejects says far less than a firewall rule that rejects, and both soon fall silent.
#
# Twenty SYNs to twenty ports leave at once, through a router at its defaults (net.ipv4.icmp_ratelimit = 1000). One expects
# twenty refusals, or a limit that is the same for all of them. A rule with "reject" answers six and then one a second. A
# route of type "unreachable" answers two. The other ports look exactly like ports that are dropped.
#
# Seen on Linux 6.18 with Python 3.11. Needs root, iproute2, nftables, python3. Uses three network namespaces of its own.
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
ip -n f$id-r route add unreachable 203.0.113.0/24
printf 'table ip f { chain f { type filter hook forward priority 0; ip daddr 192.0.2.10 reject with icmp type host-unreachable; }; }\n' |
  ip netns exec f$id-r nft -f -
ip netns exec f$id-a python3 - <<'P'
import platform, selectors, socket, time

def refused(host):
    waiting = selectors.DefaultSelector()
    for port in range(1000, 1020):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((host, port))
        waiting.register(s, selectors.EVENT_WRITE)
    came, end = 0, time.monotonic() + 0.8
    while waiting.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            came += key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
            waiting.unregister(key.fileobj)
    # A socket that stays open repeats its SYN, and that would spend what the router may say next.
    for key in list(waiting.get_map().values()):
        key.fileobj.close()
    return came

print("Linux", platform.release())
route = refused("203.0.113.10")
print(f"a route that rejects: {route} of 20 refused within 0.8 s")
time.sleep(7)
rule = refused("192.0.2.10")
print(f"a rule that rejects: {rule} of 20 refused within 0.8 s")
assert (rule, route) == (6, 2), (rule, route)
P
