"""Counts what leaves a link by one address, until standard input ends. Then it prints one JSON object.

  count.py LINK ADDRESS [PORT]      PORT: sockets to lower ports are not counted

`syns` and `packets` are what left, `most_syns_a_second` the most SYNs in any second, `by_port` the SYNs to each port, and
`most_of_a_port` the most of them. `most_sockets_of_a_host` is the most connections to one address at once, silent ones too: the table of the
namespace in which this runs has them. `missed` is what the counter itself could not take.
"""
import collections
import json
import socket
import struct
import sys
import threading
import time

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
# Established, begun, answered: what an end has closed counts no more.
OPEN = ("01", "02", "03")


def main():
    link, own = sys.argv[1], socket.inet_aton(sys.argv[2])
    least = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    # Without the header of the link, which not every link has.
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    raw.bind((link, 0))
    raw.settimeout(0.1)
    over, most = threading.Event(), [0]
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), over.set()), daemon=True).start()
    sampler = threading.Thread(target=sample, args=(over, most, least))
    sampler.start()
    print("ready", flush=True)
    syns, packets, ports = [], 0, collections.Counter()
    while not over.is_set():
        try:
            packet = raw.recv(200)
        except TimeoutError:
            continue
        if packet[0] >> 4 != 4 or packet[9] != 6 or packet[12:16] != own:
            continue
        start = (packet[0] & 15) * 4
        packets += 1
        if packet[start + 13] & 0x12 == 2:
            syns.append(time.monotonic())
            ports[int.from_bytes(packet[start + 2:start + 4], "big")] += 1
    sampler.join()
    missed = struct.unpack("II", raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    print(json.dumps({"syns": len(syns), "packets": packets, "most_syns_a_second": busiest(syns),
                      "most_of_a_port": max(ports.values(), default=0), "most_sockets_of_a_host": most[0],
                      "by_port": ports, "missed": missed}))


def busiest(moments):
    window, most = collections.deque(), 0
    for moment in moments:
        window.append(moment)
        while moment - window[0] >= 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def sample(over, most, least):
    """The table is no picture of one moment. What stands in two readings was there between them."""
    last = set()
    while not over.is_set():
        now = set()
        for line in open("/proc/net/tcp").readlines()[1:]:
            _, here, there, state = line.split()[:4]
            if state in OPEN and int(there.split(":")[1], 16) >= least:
                now.add((here, there))
        by_host = collections.Counter(there.split(":")[0] for _, there in now & last)
        most[0] = max([most[0], *by_host.values()])
        last = now
        time.sleep(0.003)


main()
