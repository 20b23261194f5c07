#!/usr/bin/env python3
"""A healthy site of N systems behind one firewall, in network namespaces, and a run of portproof from the internet.

Every tenth system has all roles that serve clients, and the others are distribution points. The active software
update point is the site server.

  site.py PROGRAM [--systems N] [--forbidden reset|drop] [--silent] [--delay MS] [--rate R] [-- CHECK ARGUMENTS]

Prints one line: wall time, exit status, verdicts, SYNs and packets that left the prober, the most SYNs in one second,
and the most sockets of one host at once. Needs root, ip, nft, openssl and Python 3. Nothing leaves the namespaces.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bed import certificates

ALL = "management-point, distribution-point, fallback-status-point, software-update-point"
HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent.parent / "tests/support"
PROBER = "198.51.100.10"


def sh(line):
    subprocess.run(line, shell=True, check=True)


def address(number):
    return f"203.0.{113 + number // 200}.{10 + number % 200}"


def site_file(folder, options):
    systems = []
    for number in range(options.systems):
        systems.append(f"""
  ibs{number:04}:
    zone: perimeter
    names: {{ internet: ibs{number:04}.example.com, default: ibs{number:04}.dmz.example }}
    addresses: {{ internet: {address(number)} }}
    roles: [{ALL if number % 10 == 0 else "distribution-point"}]
    serves: [internet]""")
    text = f"""site:
  code: PRI
  product: configmgr-2007
  client_ports: {{ http: [80], https: [443] }}
  software_update_ports: {{ http: 8530, https: 8531 }}
  crl_check: false
zones:
  internet: {{ networks: ["0.0.0.0/0"] }}
  perimeter: {{ networks: ["203.0.0.0/16"] }}
  intranet: {{ networks: ["10.0.0.0/8"] }}
firewalls:
  front-end: {{ between: [internet, perimeter] }}
  back-end: {{ between: [perimeter, intranet] }}
clients: [internet]
systems:
  cm01:
    zone: intranet
    names: {{ intranet: cm01.corp.example }}
    roles: [site-server, site-database, software-update-point]
    serves: []{''.join(systems)}
tls: {{ roots: [ca.pem] }}
probing: {{ dns: off, rate: {options.rate} }}
"""
    path = folder / "probes.yaml"
    path.write_text(text)
    return path


class Bed:
    """Prober, firewall, host with all addresses; removed at the end."""

    def __init__(self):
        self.names = [f"pb{os.getpid()}{part}" for part in "pfh"]
        self.children = []

    def lay(self, options):
        prober, wall, host = self.names
        for name in self.names:
            sh(f"ip netns add {name}; ip -n {name} link set lo up")
        if options.delay:
            words = ["/usr/bin/python3", SUPPORT / "delay.py", "p0", wall, "f0", options.delay, options.delay]
            self.start(0, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE).stdout.readline()
        else:
            sh(f"ip link add p0 netns {prober} type veth peer name f0 netns {wall}")
        sh(f"ip link add f1 netns {wall} type veth peer name h0 netns {host}")
        for name, link, own in [(prober, "p0", f"{PROBER}/24"), (wall, "f0", "198.51.100.1/24"),
                                (wall, "f1", "203.0.0.1/16"), (host, "h0", "203.0.0.2/16")]:
            sh(f"ip -n {name} addr add {own} dev {link}; ip -n {name} link set {link} up")
        sh(f"ip -n {prober} route add default via 198.51.100.1; ip -n {host} route add default via 203.0.0.1")
        sh(f"ip netns exec {wall} sysctl -qw net.ipv4.ip_forward=1")
        lines = "".join(f"addr add {address(number)}/16 dev h0\n" for number in range(options.systems))
        subprocess.run(["ip", "-n", host, "-batch", "-"], input=lines, text=True, check=True)
        if options.silent:
            rules = "policy drop;"
        else:
            full = ", ".join(address(number) for number in range(0, options.systems, 10))
            accept = ("ct state established,related accept; tcp dport 443 accept; "
                      f"ip daddr {{ {full} }} tcp dport {{ 80, 8530, 8531 }} accept;")
            if options.forbidden == "reset":
                accept += " reject with tcp reset;"
            rules = f"policy drop; {accept}"
        table = ("table inet wall { chain forward { type filter hook forward priority 0; "
                 + rules.replace("; ", ";\n") + "\n}\n}\n")
        subprocess.run(["ip", "netns", "exec", wall, "nft", "-f", "-"], input=table, text=True, check=True)

    def start(self, place, words, **more):
        child = subprocess.Popen(["ip", "netns", "exec", self.names[place], *words], **more)
        self.children.append(child)
        return child

    def remove(self):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("program")
    parse.add_argument("--systems", type=int, default=1)
    parse.add_argument("--forbidden", choices=["reset", "drop"], default="reset")
    parse.add_argument("--silent", action="store_true", help="nothing answers at all")
    parse.add_argument("--delay", metavar="MS", help="how long a packet takes from the prober to the firewall, and as long back")
    parse.add_argument("--rate", default="100/s")
    parse.add_argument("--keep", help="write the report there")
    parse.add_argument("arguments", nargs="*")
    options = parse.parse_args()
    with tempfile.TemporaryDirectory(prefix="portproof-bench-") as folder:
        check(Path(folder), options)


def check(folder, options):
    bed = Bed()
    try:
        certificates(folder, [f"ibs{number:04}.example.com" for number in range(options.systems)])
        path = site_file(folder, options)
        bed.lay(options)
        server = bed.start(2, ["/usr/bin/python3", HERE / "serve.py", folder], stdout=subprocess.PIPE)
        server.stdout.readline()
        watch = bed.start(0, ["/usr/bin/python3", SUPPORT / "count.py", "p0", PROBER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        watch.stdout.readline()
        report = Path(options.keep) if options.keep else folder / "report.json"
        words = ["ip", "netns", "exec", bed.names[0], options.program, "check", path, "--from", "internet",
                 "--format", "json", "--output", report, *options.arguments]
        began = time.monotonic()
        ended = subprocess.run(words, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        wall = time.monotonic() - began
        sent = json.loads(watch.communicate()[0])
        status = ended.returncode
        if options.keep:
            Path(options.keep + ".stderr").write_text(ended.stderr)
        if status not in (0, 1, 3):
            sys.exit(f"portproof ended with {status}: {ended.stderr[-2000:]}")
        summary = json.loads(report.read_text())["summary"]
        print(json.dumps({"systems": options.systems, "wall_s": round(wall, 2), "exit": status, "summary": summary,
                          **sent}), flush=True)
    finally:
        bed.remove()


main()
