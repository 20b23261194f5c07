#!/usr/bin/env python3
"""How quickly the page of `serve` answers, and how large and quick a report is as HTML: benches/serve/page.py PROGRAM [FLOWS].

A site has so many flows on loopback, of which each twentieth finds nobody. `serve` runs it again and again. wrk (from
Debian) reads its page with 20 connections meanwhile. Then a report of the same site is written as HTML.
"""

import json
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

program, flows = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
folder = pathlib.Path(tempfile.mkdtemp())
FIRST = 20_000
listening = []
for number in range(flows):
    if number % 20:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", FIRST + number))
        listener.listen(16)
        listening.append(listener)
named = "".join(f"  - {{ from: here, to: web, port: {FIRST + number}, need: required }}\n" for number in range(flows))
(folder / "probes.yaml").write_text(
    f"""site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: 2000/s, dns: off, sweep: none }}
flows:
{named}"""
)
with socket.socket() as it:
    it.bind(("127.0.0.1", 0))
    port = it.getsockname()[1]
(folder / "serve.yaml").write_text(
    f"history: runs\npage: 127.0.0.1:{port}\nchecks: {{ pri: {{ site: probes.yaml, from: here, every: 1s, jitter: 1ms, sweep_every: never }} }}\n"
)
at = f"http://127.0.0.1:{port}"
daemon = subprocess.Popen([program, "serve", folder / "serve.yaml"], stderr=subprocess.PIPE, text=True)


def checks():
    return json.load(urllib.request.urlopen(at + "/api/v1/checks"))["checks"]


deadline = time.time() + 300
while True:
    try:
        if checks()[0]["run"]:
            break
    except OSError:
        pass
    assert time.time() < deadline
    time.sleep(0.2)
before = checks()[0]["run"]
script = folder / "percentiles.lua"
script.write_text("done = function(_, latency, _) print(string.format('95th percentile: %.1f ms', latency:percentile(95) / 1000)) end")
for path in ("/", "/checks/pri"):
    body = urllib.request.urlopen(at + path).read()
    print(f"{path}: {len(body):,} bytes", flush=True)
    print(subprocess.run(["wrk", "-t", "1", "-c", "20", "-d", "20s", "--latency", "-s", script, at + path], capture_output=True, text=True).stdout)
print(f"runs meanwhile: {checks()[0]['run'] - before}; {checks()[0]['summary']}")
status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
print([line for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))])
daemon.send_signal(signal.SIGTERM)
daemon.wait()
report = folder / "report.json"
run = str(before)
report.write_bytes(subprocess.run([program, "history", "show", run, "--format", "json", "--keep", folder / "runs"], capture_output=True).stdout)
begun = time.time()
html = folder / "report.html"
with open(html, "wb") as to:
    subprocess.run([program, "report", report, "--format", "html"], stdout=to)
print(f"HTML of {len(json.loads(report.read_text())['flows'])} flows: {html.stat().st_size:,} bytes, read and written in {time.time() - begun:.2f} s: {html}")
