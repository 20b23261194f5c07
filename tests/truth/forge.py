"""Forges ICMP errors against every SYN that leaves by an interface, until standard input ends.

Each error is made as one who does not see the packets would make it: of the right addresses and ports with a sequence
number that is not the SYN's, or of a packet that was never sent. Argument: the interface."""

import os
import random
import select
import socket
import struct
import sys

ERRORS = {4: [(3, 1), (3, 3), (3, 13), (3, 0), (11, 0)], 6: [(1, 1), (1, 3), (1, 4), (1, 0), (3, 0)]}
FOR_EACH_SYN = 40

wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
wire.bind((sys.argv[1], 0))
senders = {
    4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn_of(packet):
    """IP version, IP header and TCP header of a SYN; None of anything else."""
    version = packet[0] >> 4
    length = (packet[0] & 15) * 4 if version == 4 else 40
    protocol = packet[9] if version == 4 else packet[6]
    tcp = packet[length : length + 20]
    if protocol != socket.IPPROTO_TCP or len(tcp) < 20 or tcp[13] & 0x12 != 0x02:
        return None
    return version, packet[:length], tcp


def forge(version, header, tcp):
    ports, sequence = tcp[:4], struct.unpack("!I", tcp[4:8])[0]
    for number in range(FOR_EACH_SYN):
        wrong = (sequence + random.randrange(2, 2**32 - 2)) % 2**32
        quoted = ports + struct.pack("!I", wrong) + tcp[8:]
        if number % 4 == 3:
            quoted = struct.pack("!HH", random.randrange(1024, 65536), random.randrange(1, 65536)) + quoted[4:]
        kind, code = random.choice(ERRORS[version])
        source = header[12:16] if version == 4 else header[8:24]
        body = struct.pack("!I", 0) + header + quoted
        message = struct.pack("!BBH", kind, code, 0) + body
        if version == 4:
            message = struct.pack("!BBH", kind, code, checksum(message)) + body
            target = (socket.inet_ntoa(source), 0)
        else:
            target = (socket.inet_ntop(socket.AF_INET6, source), 0)
        senders[version].sendto(message, target)


print("ready", flush=True)
while True:
    readable, _, _ = select.select([wire, sys.stdin], [], [])
    if sys.stdin in readable and not os.read(0, 4096):
        break
    if wire in readable:
        packet, where = wire.recvfrom(65535)
        # 0 is a packet for this host, 4 one that it sends; the prober's pass through.
        syn = syn_of(packet) if packet and where[2] in (0, 3) else None
        if syn:
            forge(*syn)
