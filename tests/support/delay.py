"""A link with a delay between two namespaces: a TUN device in each, and this process between them, until standard
input ends. It starts in the first namespace. Arguments: the first device, the second namespace, its device, and the
delays from first to second and back, in milliseconds."""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0001, 0x1000, 0x40000000


def device(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as place:
        if libc.setns(place.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")


near_name, far_namespace, far_name, there_ms, back_ms = sys.argv[1:]
near = device(near_name)
enter(far_namespace)
far = device(far_name)
ways = {near: (far, float(there_ms) / 1000), far: (near, float(back_ms) / 1000)}
queue, number = [], 0
print("ready", flush=True)
while True:
    wait = max(0, queue[0][0] - time.monotonic()) if queue else None
    readable, _, _ = select.select([near, far, sys.stdin], [], [], wait)
    if sys.stdin in readable and not os.read(0, 4096):
        break
    for tun in (near, far):
        if tun in readable:
            out, delay = ways[tun]
            number += 1
            heapq.heappush(queue, (time.monotonic() + delay, number, out, os.read(tun, 65536)))
    while queue and queue[0][0] <= time.monotonic():
        _, _, out, packet = heapq.heappop(queue)
        try:
            os.write(out, packet)
        except OSError:
            # The device is down: what a link does with a packet then.
            pass
