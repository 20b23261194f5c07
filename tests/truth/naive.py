"""The naive reading: one connect() for each flow, all at once. Standard input: a JSON list of [address, port] and the
time-out in seconds as the argument. Standard output: for each `open`, `refused` or `other`."""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

LIMIT = float(sys.argv[1])


def word(target):
    try:
        socket.create_connection(tuple(target), timeout=LIMIT).close()
        return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "other"


targets = json.load(sys.stdin)
with ThreadPoolExecutor(max_workers=len(targets) or 1) as pool:
    print(json.dumps(list(pool.map(word, targets))))
