"""An Ethernet cable between two namespaces, some milliseconds long: a TAP device in each, and this process between
them until standard input ends. It starts in the first namespace.

Without it an answer would be there while `connect` still runs, as no answer over a network ever is.

Arguments: the first device, the second namespace, its device, and the delay each way in milliseconds."""

import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0002, 0x1000, 0x40000000


def device(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as place:
        if libc.setns(place.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")


here_name, other_namespace, there_name, delay_ms = sys.argv[1:]
here = device(here_name)
enter(other_namespace)
there = device(there_name)
ends, delay = {here: there, there: here}, float(delay_ms) / 1000
under_way = collections.deque()
print("ready", flush=True)
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    readable, _, _ = select.select([here, there, sys.stdin], [], [], wait)
    if sys.stdin in readable and not os.read(0, 4096):
        break
    for end in readable:
        if end in ends:
            under_way.append((time.monotonic() + delay, ends[end], os.read(end, 65536)))
    while under_way and under_way[0][0] <= time.monotonic():
        _, other, frame = under_way.popleft()
        try:
            os.write(other, frame)
        except OSError:
            # The device is not up yet: what a link does with a frame then.
            pass
