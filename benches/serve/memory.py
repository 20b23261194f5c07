#!/usr/bin/env python3
"""`portproof serve` with many sites, in a network of its own, and the memory that it takes as runs go by.

  memory.py PROGRAM [--sites 50] [--systems 20] [--runs 10000] [--page]

Each system is an address of loopback with five required ports, which take connections. The checks run as often as they
may, once a second, so that months go by in minutes. With --page somebody reads the page and the metrics all the time.
Prints a line each tenth of the runs: how many runs are in the history, the seconds since the start, resident memory
now and at its most, and how large the history is. Needs root and Python 3. Nothing leaves the network.
"""
import argparse
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

LISTEN = """
import select, socket
ready = select.epoll()
listeners = {}
for port in range(1000, 1005):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('0.0.0.0', port))
    listener.listen(1024)
    listeners[listener.fileno()] = listener
    ready.register(listener.fileno(), select.EPOLLIN)
print('ready', flush=True)
while True:
    for number, _ in ready.poll():
        listeners[number].accept()[0].close()
"""


def site(number, systems):
    lines = "".join(
        f"  web{it}: {{ zone: there, addresses: {{ default: 127.{number + 1}.{it}.1 }}, roles: [console] }}\n"
        for it in range(systems)
    )
    flows = "".join(
        f"  - {{ from: here, to: web{it}, port: {port}, need: required }}\n" for it in range(systems) for port in range(1000, 1005)
    )
    return f"""site: {{ code: S{number:02}, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems:
{lines}flows:
{flows}probing: {{ second_look: off, timeout: 1s, rate: max, dns: off, sweep: none }}
"""


def serve_file(sites):
    checks = "".join(
        f"  s{it:02}: {{ site: s{it:02}.yaml, from: here, every: 1s, jitter: 500ms, sweep_every: never }}\n" for it in range(sites)
    )
    return f"history: runs\npage: 127.0.0.1:8642\nat_once: 4\nchecks:\n{checks}"


def memory(process):
    status = Path(f"/proc/{process}/status").read_text()
    return [int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1024 for field in ("VmRSS", "VmHWM")]


def runs(folder):
    database = sqlite3.connect(f"file:{folder}/runs/history.sqlite?mode=ro", uri=True, timeout=30)
    try:
        return database.execute("SELECT COALESCE(MAX(id), 0) FROM run").fetchone()[0]
    finally:
        database.close()


def read_pages(stop):
    while not stop.is_set():
        for path in ("/", "/metrics", "/checks/s00"):
            try:
                urllib.request.urlopen("http://127.0.0.1:8642" + path, timeout=20).read()
            except OSError:
                pass
        stop.wait(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--systems", type=int, default=20)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    if "PORTPROOF_ALONE" not in os.environ:
        os.environ["PORTPROOF_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with tempfile.TemporaryDirectory() as folder:
        for it in range(options.sites):
            Path(folder, f"s{it:02}.yaml").write_text(site(it, options.systems))
        Path(folder, "serve.yaml").write_text(serve_file(options.sites))
        listeners = subprocess.Popen([sys.executable, "-c", LISTEN], stdout=subprocess.PIPE)
        listeners.stdout.read(5)
        said = open(Path(folder, "said"), "wb")
        begun = time.monotonic()
        daemon = subprocess.Popen([options.program, "serve", f"{folder}/serve.yaml"], stderr=said)
        stop = threading.Event()
        if options.page:
            threading.Thread(target=read_pages, args=(stop,), daemon=True).start()
        try:
            time.sleep(2)
            for tenth in range(1, 11):
                while runs(folder) < options.runs * tenth // 10:
                    if daemon.poll() is not None:
                        sys.exit(Path(folder, "said").read_text()[-2000:])
                    time.sleep(0.2)
                now, most = memory(daemon.pid)
                size = sum(it.stat().st_size for it in Path(folder, "runs").iterdir()) / 1e6
                seconds = time.monotonic() - begun
                print(f"{runs(folder):6} runs  {seconds:6.0f} s  {now:5.0f} MiB now  {most:5.0f} MiB most  history {size:.0f} MB", flush=True)
        finally:
            stop.set()
            asked = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
            print(f"stopped in {time.monotonic() - asked:.2f} s")
            listeners.kill()


if __name__ == "__main__":
    main()
