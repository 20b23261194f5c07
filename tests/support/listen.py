"""Listens in one namespace: a JSON list of listeners as the argument, `ready` on standard output once all of them
accept, and an end when standard input does."""

import json
import os
import selectors
import socket
import struct
import sys
import threading
import time

IP_TRANSPARENT = (socket.SOL_IP, 19)
IPV6_TRANSPARENT = (socket.IPPROTO_IPV6, 75)
ANSWER = b"HTTP/1.1 200 OK\r\nServer: bed\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nServer: bed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nServer: bed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nServer: bed\r\nX-Padding: " + b"x" * 2000 + b"\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n" + b"y" * 5000
STARTS_IN = 6
held = []


def request_of(connection):
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 65536:
        part = connection.recv(4096)
        if not part:
            return None
        head += part
    return head


def http(connection, _):
    if request_of(connection) is not None:
        connection.sendall(ANSWER)
    connection.close()


def unavailable(connection, _):
    if request_of(connection) is not None:
        connection.sendall(UNAVAILABLE)
    connection.close()


def long(connection, _):
    if request_of(connection) is not None:
        connection.sendall(LONG)
    connection.close()


def starts(connection, listener):
    """The first request starts it; until then all wait."""
    if request_of(connection) is None:
        return
    ready = listener.setdefault("ready", time.monotonic() + STARTS_IN)
    time.sleep(max(0, ready - time.monotonic()))
    connection.sendall(ANSWER)
    connection.close()


def drips(connection, _):
    while True:
        connection.sendall(b"H")
        time.sleep(0.5)


def proxies(connection, listener):
    request = request_of(connection)
    if request is None:
        return
    try:
        with socket.create_connection(tuple(listener["target"]), timeout=1.5) as beyond:
            beyond.sendall(request)
            while part := beyond.recv(4096):
                connection.sendall(part)
    except OSError:
        connection.sendall(BAD_GATEWAY)
    connection.close()


CONVERSATIONS = {"http": http, "unavailable": unavailable, "long": long, "starts": starts, "drips": drips, "proxies": proxies}


def converse(connection, listener):
    try:
        CONVERSATIONS[listener["manner"]](connection, listener)
    except OSError:
        pass


def accepted(connection, listener):
    manner = listener["manner"]
    if manner == "holds":
        held.append(connection)
    elif manner == "resets":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    elif manner == "closes":
        connection.close()
    else:
        threading.Thread(target=converse, args=(connection, listener), daemon=True).start()


def listening(listener):
    address = listener["address"]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.get("transparent"):
        server.setsockopt(*(IPV6_TRANSPARENT if family == socket.AF_INET6 else IP_TRANSPARENT), 1)
    if address == "::":
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((address, listener["port"]))
    server.listen(4096)
    server.setblocking(False)
    return server


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


events = selectors.DefaultSelector()
for each in json.loads(sys.argv[1]):
    events.register(listening(each), selectors.EVENT_READ, each)
print("ready", flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
while True:
    for key, _ in events.select():
        try:
            opened = key.fileobj.accept()[0]
        except OSError:
            continue
        opened.setblocking(True)
        accepted(opened, key.data)
