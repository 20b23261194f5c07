#!/usr/bin/env python3
"""What is left of a history when runs are killed: benches/history/kills.py PROGRAM [KILLS].

`check --keep` tries a site of 200 ports on loopback, and is killed with SIGKILL: half of the time at any moment, and half
of the time near its end, where it writes. After each kill the history must open, and the last report must be read. Every
run that had ended by itself must be there. So many kills are made on SQLite, and as many on a PostgreSQL of Debian's.
Run it in a network of its own: unshare -n sh -c 'ip link set lo up; benches/history/kills.py PROGRAM'.
"""

import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

program, kills = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]) if len(sys.argv) > 2 else 200
folder = pathlib.Path(tempfile.mkdtemp())
FIRST, PORTS, NOBODY = 20_000, 200, 65_534
listening = []
for number in range(PORTS):
    if number % 20:
        listener = socket.create_server(("127.0.0.1", FIRST + number), backlog=64)
        listening.append(listener)
named = "".join(f"  - {{ from: here, to: web, port: {FIRST + number}, need: required }}\n" for number in range(PORTS))
(folder / "probes.yaml").write_text(
    f"""site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ here: {{}}, there: {{}} }}
firewalls: {{ wall: {{ between: [here, there] }} }}
systems: {{ web: {{ zone: there, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: max, per_host: 256, dns: off, sweep: none }}
flows:
{named}"""
)


def server():
    """A PostgreSQL on a socket, as nobody; its end, and the address of its database."""
    home = pathlib.Path(tempfile.mkdtemp())
    home.chmod(0o755)
    os.chown(home, NOBODY, NOBODY)
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([found / "initdb", "-D", home / "data", "-U", "portproof", "-A", "trust", "-E", "UTF8", "--locale=C"], check=True, **as_nobody)
    running = subprocess.Popen([found / "postgres", "-D", home / "data", "-c", f"unix_socket_directories={home}", "-c", "listen_addresses="], **as_nobody)
    made = [found / "createdb", "-h", home, "-U", "portproof", "portproof"]
    while subprocess.run(made, stderr=subprocess.DEVNULL).returncode:
        assert running.poll() is None
        time.sleep(0.1)

    def end():
        running.terminate()
        running.wait()
        shutil.rmtree(home)

    return end, f"postgres://portproof@{str(home).replace('/', '%2F')}/portproof"


def history(place, *words):
    asked = subprocess.run([program, "history", *words, "--format", "json", "--keep", place], capture_output=True, text=True)
    assert asked.returncode != 2, asked.stderr
    return json.loads(asked.stdout)


def killed(place):
    words = [program, "check", str(folder / "probes.yaml"), "--from", "here", "--no-path", "--keep", place]
    begin = lambda: subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole, finished, in_time, part = [], 0, 0, 0
    for _ in range(5):
        begun = time.time()
        assert begin().wait() in (0, 1)
        whole.append(time.time() - begun)
        finished += 1
    took = statistics.median(whole)
    number = 0
    while in_time < kills:
        least = 0.0 if number % 2 else 0.8
        number += 1
        run = begin()
        time.sleep(took * random.uniform(least, 1.1))
        run.kill()
        status = run.wait()
        in_time += status == -9
        finished += status in (0, 1)
        assert status in (-9, 0, 1), status
        kept = history(place, "--last", "1000000")["runs"]
        assert len(kept) >= finished, f"{len(kept)} of {finished} finished runs are there"
        last = kept[0]
        assert last["has_report"] and last["changed"] is not None, last
        assert len(history(place, "show", str(last["id"]))["flows"]) >= PORTS
        part = len(kept) - finished
    return f"{in_time} runs killed of {took:.2f} s each, {finished} ended by themselves: none lost; {part} of those killed had been kept"


random.seed(1)
print("SQLite:", killed(str(folder / "kept")), flush=True)
end, address = server()
try:
    print("PostgreSQL:", killed(address), flush=True)
finally:
    end()
shutil.rmtree(folder)
