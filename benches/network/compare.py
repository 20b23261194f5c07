#!/usr/bin/env python3
"""portproof against nmap and bare loops: whole processes from site file to written report, in namespaces of their own.

  compare.py PROGRAM [--rounds 7] [--write docs/performance.md] [WORKLOAD ...]

w1        65,535 ports of one host, 10 open, the rest reset
w2        1,000 ports of 16 hosts, 5 open, the rest silent; only portproof proves the silence
w3        20,000 flows to 200 hosts, half of the ports open, the rest reset
w3-sweep  the same ports as a sweep
w4        a verified TLS handshake with 5,000 systems
w5-10     1,000 open ports; 10 % of all packets are lost each way
w5-20     the same with 20 %
w6        1,000 ports of 10 hosts, all silent, all in flight at once
far       a healthy site of 2 systems, 150 ms away one way
site-1, site-10, site-100     a healthy site of so many systems, behind a firewall that resets
drops-100, silent-100         the same behind one that drops; nothing answers at all

All programs of a workload take turns within a round; a ratio is the median of the rounds' ratios. `--write` puts the rows
between the marks of that page, and leaves the rows of other workloads. Without names all workloads run.

The loops over tokio and rustls stand beside the program: cargo build --release --bins --example bench-peers.
Needs root, ip, nft, nmap, openssl, gcc and Python 3. Nothing leaves the namespaces.
"""
import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bed import HERE, Bed, certificates, compiled

OPEN = [22, 80, 135, 443, 445, 1433, 8080, 8530, 8531, 49668]
MARKS = "<!-- {}: made by benches/network/compare.py -->\n", "<!-- end -->"
HEADS = {
    "programs": "| work | program | wall, s | CPU, s | resident, MB | open ports found | portproof's wall to it | its CPU to it | rounds |\n"
                "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    "sites": "| site | wall, s | SYNs | most SYNs in a second | most sockets of a host | verdicts | rounds |\n|---|---:|---:|---:|---:|---|---:|",
}


@dataclass
class Ports:
    """The same ports of some hosts."""

    hosts: list
    ports: range
    open: list
    silent: bool = False
    loss: int = 0
    in_flight: int = 1000
    # The ports are flows of the file, not a sweep.
    flows: bool = False

    def site(self):
        swept = "none" if self.flows else f'"{self.ports[0]}-{self.ports[-1]}"'
        flows = "flows:\n" if self.flows else ""
        for number in range(len(self.hosts)) if self.flows else []:
            flows += "".join(f"  - {{ from: internet, to: h{number}, port: {port}, need: optional }}\n" for port in self.ports)
        return site([(f"h{number}", host) for number, host in enumerate(self.hosts)], flows,
                    f'authorised: "a benchmark", sweep: {swept}, in_flight: {self.in_flight}, per_host: {self.in_flight}')

    def lay(self, bed):
        bed.hold(self.open)
        if self.silent:
            bed.drop(self.hosts, self.open)
        if self.loss:
            bed.lose(self.loss)

    def programs(self, program, peers, folder):
        """Each by its name, with how many open ports it found."""
        (folder / "list").write_text("".join(f"{host} {port}\n" for host in self.hosts for port in self.ports))
        # Under loss the system's own repeats, after 1 and 3 s, are a loop's only ones.
        loop = [f"{folder}/list", str(self.in_flight), "3500" if self.loss else "1500"]
        nmap = ["nmap", "-n", "-Pn", "-oG", "-", "-sS", "-T5", "--min-rate", "20000", "--max-retries", "1"]
        said = lambda text: int(re.search(r"open=(\d+)", text)[1])
        return {
            "portproof": (check(program, folder), lambda _: found(folder, self.flows)),
            "C loop": ([compiled(folder, "epoll"), *loop], said),
            "tokio loop": ([peers, "connect", *loop], said),
            "nmap -sS": ([*nmap, "-p", f"{self.ports[0]}-{self.ports[-1]}", *self.hosts],
                         lambda text: len(re.findall(r"\d+/open/tcp", text))),
        }


@dataclass
class Tls:
    """One TLS service of each of many systems."""

    systems: int

    def hosts(self):
        return [(f"h{number:04}", f"10.77.{64 + number // 250}.{1 + number % 250}") for number in range(self.systems)]

    def site(self):
        flows = "".join(f"  - {{ from: internet, to: {name}, port: 443, protocol: tls, need: required }}\n" for name, _ in self.hosts())
        return site(self.hosts(), "tls: { roots: [ca.pem] }\nflows:\n" + flows, "sweep: none")

    def lay(self, bed):
        certificates(bed.folder, ["*.example.com"])
        bed.serve(sys.executable, str(HERE / "serve.py"), str(bed.folder))

    def programs(self, program, peers, folder):
        (folder / "list").write_text("".join(f"{address} {name}.example.com\n" for name, address in self.hosts()))
        return {
            "portproof": (check(program, folder), lambda _: found(folder, True)),
            "portproof plan": ([program, "plan", f"{folder}/probes.yaml", "--format", "json", "--output", f"{folder}/plan.json"], lambda _: None),
            "rustls loop": ([peers, "tls", f"{folder}/list", "256", f"{folder}/ca.pem"],
                            lambda text: int(re.search(r"open=(\d+)", text)[1])),
        }


@dataclass
class Site:
    """A healthy site of `site.py`, by its arguments."""

    arguments: list = field(default_factory=list)


def hosts(network, number):
    return [f"10.77.{network}.{host}" for host in range(1, number + 1)]


FEW = [(f"10.77.2.{1 + number * 3}", [22, 80, 135, 443, 445][number]) for number in range(5)]
HALF = [(host, port) for host in hosts(3, 200) for port in range(20000, 20100, 2)]
LOSSY = [("10.77.5.1", port) for port in range(10001, 11001)]
WORK = {
    "w1": Ports(hosts(1, 1), range(1, 65536), [("10.77.1.1", port) for port in OPEN]),
    "w2": Ports(hosts(2, 16), range(1, 1001), FEW, silent=True, in_flight=15000),
    "w3": Ports(hosts(3, 200), range(20000, 20100), HALF, flows=True),
    "w3-sweep": Ports(hosts(3, 200), range(20000, 20100), HALF),
    "w4": Tls(5000),
    "w5-10": Ports(hosts(5, 1), range(10001, 11001), LOSSY, loss=10),
    "w5-20": Ports(hosts(5, 1), range(10001, 11001), LOSSY, loss=20),
    "w6": Ports(hosts(6, 10), range(1, 1001), [], silent=True, in_flight=10000),
    "far": Site(["--systems", "2", "--delay", "150"]),
    "site-1": Site(["--systems", "1"]),
    "site-10": Site(["--systems", "10"]),
    "site-100": Site(["--systems", "100"]),
    "drops-100": Site(["--systems", "100", "--forbidden", "drop"]),
    "silent-100": Site(["--systems", "100", "--silent"]),
}


def site(systems, more, probing):
    listed = "".join(f"  {name}: {{ zone: perimeter, names: {{ default: {name}.example.com }}, addresses: {{ default: {address} }}, roles: [console] }}\n"
                     for name, address in systems)
    return f"""site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{ networks: ["0.0.0.0/0"] }}, perimeter: {{ networks: ["10.77.0.0/16"] }} }}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
{listed}{more}probing: {{ second_look: off, dns: off, rate: max, {probing} }}
"""


def check(program, folder):
    return [program, "check", "--from", "internet", "--no-path", "--format", "json", "--output", f"{folder}/report.json", f"{folder}/probes.yaml"]


def found(folder, flows):
    """How many ports a report calls open: its flows, or what its sweeps found."""
    report = json.loads((folder / "report.json").read_text())
    if flows:
        return sum(flow["state"] == "open" for flow in report["flows"])
    return sum(len(numbers(swept["states"].get("open", ""))) for swept in report["sweeps"])


def numbers(text):
    listed = []
    for part in filter(None, text.split(",")):
        low, _, high = part.partition("-")
        listed += range(int(low), int(high or low) + 1)
    return listed


def compared(work, program, peers, rounds):
    """What each program took and found, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "probes.yaml").write_text(work.site())
        with Bed(folder) as bed:
            work.lay(bed)
            programs = work.programs(program, peers, folder)
            return [{who: one(bed, *how) for who, how in programs.items()} for _ in range(rounds)]


def one(bed, words, opened):
    text, took = bed.take(words)
    return {**took, "open": opened(text)}


def rows(name, rounds):
    median = lambda who, what: statistics.median(one[who][what] for one in rounds)
    for who in rounds[0]:
        yield (f"| `{name}` | {who} | {median(who, 'wall'):.2f} | {median(who, 'cpu'):.2f} | {median(who, 'mb'):.0f} | "
               f"{span(one[who]['open'] for one in rounds)} | {ratio(rounds, who, 'wall')} | {ratio(rounds, who, 'cpu')} | {len(rounds)} |")


def ratio(rounds, who, what):
    """portproof's to another program's. Of `w4` the CPU of a check is taken without that of its plan."""
    if who.startswith("portproof"):
        return ""
    own = lambda one: one["portproof"][what] - (one["portproof plan"]["cpu"] if what == "cpu" and "portproof plan" in one else 0)
    return f"{statistics.median(own(one) / one[who][what] for one in rounds):.2f}"


def span(values):
    values = sorted({value for value in values if value is not None})
    return "" if not values else str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"


def visited(name, work, program, rounds):
    """The row of a site."""
    lines = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, HERE / "site.py", program, *work.arguments], check=True, capture_output=True, text=True)
        lines.append(json.loads(done.stdout))
    median = lambda what: statistics.median(line[what] for line in lines)
    verdicts = span(", ".join(f"{number} {word}" for word, number in line["summary"].items() if number) for line in lines)
    return (f"| `{name}` | {median('wall_s'):.1f} | {median('syns'):.0f} | {max(line['most_syns_a_second'] for line in lines)} | "
            f"{max(line['most_sockets_of_a_host'] for line in lines)} | {verdicts} | {rounds} |")


def write(page, table, made):
    """Puts the rows of the workloads that ran into a table of the page, in the order of `WORK`."""
    begin, end = MARKS[0].format(table), MARKS[1]
    text = page.read_text()
    before, rest = text.split(begin)
    old, after = rest.split(end, 1)
    kept = {name: [] for name in WORK}
    for line in old.splitlines()[2:]:
        kept.setdefault(line.split("`")[1], []).append(line)
    kept.update(made)
    lines = [HEADS[table]] + [line for lines in kept.values() for line in lines]
    page.write_text(before + begin + "\n".join(lines) + "\n" + end + after)


def main():
    # However it is ended, its namespaces end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", type=Path)
    parser.add_argument("work", nargs="*", metavar="WORKLOAD")
    asked = parser.parse_intermixed_args()
    unknown = [name for name in asked.work if name not in WORK]
    if unknown:
        parser.error(f"unknown workload {unknown[0]}; there are {', '.join(WORK)}")
    program = str(asked.program.resolve())
    peers = str(asked.program.resolve().parent / "examples/bench-peers")
    if not Path(peers).exists():
        parser.error(f"{peers} is missing: cargo build --release --bins --example bench-peers")
    for table in HEADS:
        print(HEADS[table], flush=True)
        for name in asked.work or WORK:
            work = WORK[name]
            if isinstance(work, Site) != (table == "sites"):
                continue
            made = [visited(name, work, program, asked.rounds)] if table == "sites" else list(rows(name, compared(work, program, peers, asked.rounds)))
            print("\n".join(made), flush=True)
            if asked.write:
                write(asked.write, table, {name: made})


if __name__ == "__main__":
    main()
