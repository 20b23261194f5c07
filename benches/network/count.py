"""Counts what leaves a link by one address: SYNs, packets, the most SYNs in any second, sockets of one host at once.

  count.py LINK ADDRESS      prints a line when it listens, and on SIGTERM one JSON object

A socket is counted from its first SYN until a FIN or reset of either end, or its last packet, whichever is first known.
"""
import collections
import json
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33


def main():
    link, own = sys.argv[1], socket.inet_aton(sys.argv[2])
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    raw.bind((link, 0))
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    raw.settimeout(0.1)
    print("ready", flush=True)
    syns, packets, flows = [], 0, {}
    while not stop:
        try:
            packet = raw.recv(200)
        except TimeoutError:
            continue
        now = time.monotonic()
        if packet[12:14] != b"\x08\x00" or packet[23] != 6:
            continue
        start = 14 + (packet[14] & 15) * 4
        source, target = packet[26:30], packet[30:34]
        ports = struct.unpack("!HH", packet[start:start + 4])
        flags = packet[start + 13]
        out = source == own
        key = (target, *ports) if out else (source, ports[1], ports[0])
        packets += out
        if out and flags & 0x12 == 2:
            syns.append(now)
            flows.setdefault(key, [now, now, None])
        flow = flows.get(key)
        if flow:
            flow[1] = now
            if flags & 5 and flow[2] is None:
                flow[2] = now
    print(json.dumps({"syns": len(syns), "packets": packets, "most_syns_a_second": busiest(syns),
                      "most_at_once_of_a_host": at_once(flows),
                      "drops": struct.unpack("II", raw.getsockopt(263, 6, 8))[1]}))


def busiest(moments):
    window, most = collections.deque(), 0
    for moment in moments:
        window.append(moment)
        while moment - window[0] >= 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def at_once(flows):
    most = 0
    by_host = collections.defaultdict(list)
    for (host, *_), (first, last, ended) in flows.items():
        by_host[host] += [(first, 1), (ended or last, -1)]
    for events in by_host.values():
        now = 0
        for _, step in sorted(events):
            now += step
            most = max(most, now)
    return most


main()
