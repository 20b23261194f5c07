#!/usr/bin/env python3
"""Sweeps against nmap and a plain loop in C, whole processes, in network namespaces of its own.

  sweep.py PROGRAM [-n ROUNDS] [--write docs/performance.md] [WORKLOAD ...]

resets    65,535 ports of one host, 10 open, the rest reset
silence   1,000 ports of 16 hosts, 5 open, the rest silent; only portproof proves the silence
waiting   1,000 ports of 10 hosts, all silent
losses    1,000 open ports; 10 % of all packets are lost each way

All take turns within a round; a ratio is the median of the rounds' ratios. `--write` puts the table between the marks of
that page. Needs root, ip, nft, nmap, gcc and Python 3. Nothing leaves the namespaces.
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
OPEN = [22, 80, 135, 443, 445, 1433, 8080, 8530, 8531, 49668]
FEW = [(f"10.77.2.{1 + number * 3}", [22, 80, 135, 443, 445][number]) for number in range(5)]
WORK = {
    "resets": ([f"10.77.1.1"], "1-65535", 1000),
    "silence": ([f"10.77.2.{number}" for number in range(1, 17)], "1-1000", 16000),
    "waiting": ([f"10.77.6.{number}" for number in range(1, 11)], "1-1000", 10000),
    "losses": (["10.77.5.1"], "10001-11000", 1000),
}
HOLDS = """
import json, resource, selectors, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
events = selectors.DefaultSelector()
for address, port in json.loads(sys.argv[1]):
    server = socket.create_server((address, port), backlog=1024)
    server.setblocking(False)
    events.register(server, selectors.EVENT_READ)
print("ready", flush=True)
held = []
while True:
    for key, _ in events.select():
        try:
            held.append(key.fileobj.accept()[0])
        except OSError:
            pass
        if len(held) > 4000:
            del held[:2000]
"""


class Bed:
    """Two namespaces with a link between; every address of 10.77.0.0/16 is the server's."""

    def __init__(self):
        self.client, self.server = f"ps{os.getpid()}c", f"ps{os.getpid()}s"
        self.running = []
        for name in (self.client, self.server):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "a0", "netns", self.client, "type", "veth", "peer", "name", "b0", "netns", self.server)
        for name, link, address in ((self.client, "a0", "10.77.0.1/24"), (self.server, "b0", "10.77.0.2/24")):
            run("ip", "-n", name, "addr", "add", address, "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
        run("ip", "-n", self.client, "route", "add", "10.77.0.0/16", "via", "10.77.0.2")
        run("ip", "-n", self.server, "route", "add", "local", "10.77.0.0/16", "dev", "lo")
        run("ip", "-n", self.server, "route", "add", "10.77.0.1/32", "dev", "b0")
        listeners = [("10.77.1.1", port) for port in OPEN] + FEW + [("10.77.5.1", port) for port in range(10001, 11001)]
        server = subprocess.Popen(["ip", "netns", "exec", self.server, sys.executable, "-c", HOLDS, json.dumps(listeners)], stdout=subprocess.PIPE)
        self.running.append(server)
        assert server.stdout.readline() == b"ready\n"
        few = ", ".join(f"{address} . {port}" for address, port in FEW)
        self.rules(f"""table inet silent {{
 set open {{ type ipv4_addr . inet_service; elements = {{ {few} }}
 }}
 chain in {{
  type filter hook input priority 0; policy accept;
  ip daddr . tcp dport @open accept
  ip daddr {{ 10.77.2.0/24, 10.77.6.0/24 }} meta l4proto tcp drop
 }}
}}
""")

    def rules(self, text):
        subprocess.run(["ip", "netns", "exec", self.server, "nft", "-f", "-"], input=text.encode(), check=True)

    def lose(self, percent):
        self.rules(f"""table inet loss {{
 chain in {{
  type filter hook input priority -10; policy accept;
  meta l4proto tcp numgen random mod 100 < {percent} drop
 }}
 chain out {{
  type filter hook postrouting priority -10; policy accept;
  meta l4proto tcp numgen random mod 100 < {percent} drop
 }}
}}
""")

    def end(self):
        for child in self.running:
            child.send_signal(signal.SIGKILL)
            child.wait()
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False)


def run(*words):
    subprocess.run(words, check=True)


def site(hosts, ports, in_flight):
    systems = "".join(f"  h{number}: {{ zone: perimeter, names: {{ default: h{number}.example.com }}, addresses: {{ default: {host} }}, roles: [console] }}\n" for number, host in enumerate(hosts))
    return f"""site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: ["0.0.0.0/0"] }}, perimeter: {{ networks: ["10.77.0.0/16"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
{systems}probing: {{ second_look: off, dns: off, rate: max, authorised: "a benchmark", sweep: "{ports}", in_flight: {in_flight}, per_host: {in_flight} }}
"""


def commands(program, folder, name):
    hosts, ports, in_flight = WORK[name]
    low, high = map(int, ports.split("-"))
    (folder / "list").write_text("".join(f"{host} {port}\n" for host in hosts for port in range(low, high + 1)))
    (folder / "probes.yaml").write_text(site(hosts, ports, in_flight))
    wait = 3500 if name == "losses" else 1500
    return {
        "portproof": [program, "check", "--from", "internet", "--no-path", "--format", "json", "--output", f"{folder}/report.json", f"{folder}/probes.yaml"],
        "C loop": [f"{folder}/epoll", f"{folder}/list", str(min(in_flight, 15000)), str(wait)],
        "nmap -sS": ["nmap", "-n", "-Pn", "-oG", "-", "-sS", "-T5", "--min-rate", "20000", "--max-retries", "1", "-p", ports, *hosts],
    }


def once(bed, folder, who, words):
    began = time.monotonic()
    with open(folder / "said", "w") as said:
        child = subprocess.Popen(["ip", "netns", "exec", bed.client, *words], stdout=said, stderr=subprocess.DEVNULL)
        resident = 0
        # What `wait4` tells includes this script, of which the child was a copy.
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            resident = max(resident, peak(child.pid))
            time.sleep(0.005)
        used = ended[2]
    wall = time.monotonic() - began
    text = (folder / "said").read_text()
    if who == "portproof":
        sweeps = json.loads((folder / "report.json").read_text())["sweeps"]
        found = sum(len(numbers(swept["states"].get("open", ""))) for swept in sweeps)
    elif who == "C loop":
        found = int(re.search(r"open=(\d+)", text)[1])
    else:
        found = len(re.findall(r"\d+/open/tcp", text))
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "mb": resident / 1024, "open": found}


def peak(pid):
    """The most memory that a process has had resident, in KB; 0 before it has become the program."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    if re.search(r"Name:\s+(python|ip)", status):
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) if found else 0


def numbers(text):
    found = []
    for part in filter(None, text.split(",")):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def rows(name, rounds):
    median = lambda who, what: statistics.median(one[who][what] for one in rounds)
    for who in rounds[0]:
        ratio = statistics.median(one["portproof"]["wall"] / one[who]["wall"] for one in rounds)
        found = sorted({one[who]["open"] for one in rounds})
        found = str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
        yield f"| `{name}` | {who} | {median(who, 'wall'):.2f} | {median(who, 'cpu'):.2f} | {median(who, 'mb'):.0f} | {found} | {ratio:.2f} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("-n", type=int, default=7)
    parser.add_argument("--write", type=Path)
    parser.add_argument("work", nargs="*", default=list(WORK))
    asked = parser.parse_intermixed_args()
    program = str(Path(asked.program).resolve())
    table = ["| work | program | wall, s | CPU, s | resident, MB | open ports found | portproof's wall to it |", "|---|---|---:|---:|---:|---:|---:|"]
    bed = Bed()
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            run("gcc", "-O2", "-o", f"{folder}/epoll", str(HERE / "epoll.c"))
            for name in asked.work:
                if name == "losses":
                    bed.lose(10)
                all_of_it = commands(program, folder, name)
                rounds = [{who: once(bed, folder, who, words) for who, words in all_of_it.items()} for _ in range(asked.n)]
                table += rows(name, rounds)
    finally:
        bed.end()
    print("\n".join(table))
    if asked.write:
        page = asked.write.read_text()
        marks = ("<!-- sweeps: made by benches/network/sweep.py -->\n", "<!-- end -->")
        before, rest = page.split(marks[0])
        _, after = rest.split(marks[1], 1)
        asked.write.write_text(before + marks[0] + "\n".join(table) + "\n" + marks[1] + after)


main()
