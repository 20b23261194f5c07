#!/usr/bin/env python3
"""A healthy site of N systems behind one firewall, in network namespaces, and a run of portproof from the internet.

Every tenth system has all roles that serve clients, and the others are distribution points.

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

ALL = "management-point, distribution-point, fallback-status-point, software-update-point"
HERE = Path(__file__).resolve().parent
COUNT = HERE.parent.parent / "tests/support/count.py"
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
    roles: [site-server, site-database]{''.join(systems)}
tls: {{ roots: [ca.pem] }}
probing: {{ dns: off, rate: {options.rate} }}
"""
    path = folder / "probes.yaml"
    path.write_text(text)
    return path


def certificates(folder, options):
    names = ",".join(f"DNS:ibs{number:04}.example.com" for number in range(options.systems))
    (folder / "leaf.ext").write_text(
        f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    run = lambda words: subprocess.run(words, cwd=folder, shell=True, check=True, stderr=subprocess.DEVNULL)
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem"
        " -subj '/CN=Bench CA' -days 365")
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj '/CN=ibs'")
    run("openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 90"
        " -extfile leaf.ext")


class Bed:
    """Prober, firewall, host with all addresses; removed at the end."""

    def __init__(self):
        self.names = [f"pb{os.getpid()}{part}" for part in "pfh"]
        self.children = []

    def lay(self, options):
        prober, wall, host = self.names
        for name in self.names:
            sh(f"ip netns add {name}; ip -n {name} link set lo up")
        for (one, here), (other, there) in [((prober, "p0"), (wall, "f0")), ((wall, "f1"), (host, "h0"))]:
            sh(f"ip link add {here} netns {one} type veth peer name {there} netns {other}")
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
    parse.add_argument("--rate", default="100/s")
    parse.add_argument("--keep", help="write the report there")
    parse.add_argument("arguments", nargs="*")
    options = parse.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portproof-bench-"))
    bed = Bed()
    try:
        certificates(folder, options)
        path = site_file(folder, options)
        bed.lay(options)
        server = bed.start(2, ["/usr/bin/python3", HERE / "serve.py", folder], stdout=subprocess.PIPE)
        server.stdout.readline()
        watch = bed.start(0, ["/usr/bin/python3", COUNT, "p0", PROBER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        watch.stdout.readline()
        report = Path(options.keep) if options.keep else folder / "report.json"
        words = ["ip", "netns", "exec", bed.names[0], options.program, "check", path, "--from", "internet",
                 "--format", "json", "--output", report, *options.arguments]
        began = time.monotonic()
        errors = open(folder / "stderr" if not options.keep else options.keep + ".stderr", "w+")
        status = subprocess.run(words, stderr=errors, stdin=subprocess.DEVNULL).returncode
        wall = time.monotonic() - began
        sent = json.loads(watch.communicate()[0])
        try:
            summary = json.loads(report.read_text())["summary"]
        except (OSError, ValueError):
            errors.seek(0)
            summary = errors.read()[-2000:]
        print(json.dumps({"systems": options.systems, "wall_s": round(wall, 2), "exit": status, "summary": summary,
                          **sent}), flush=True)
    finally:
        bed.remove()


main()
