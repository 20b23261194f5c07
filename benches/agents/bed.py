"""A fleet for the programs beside this file: a site on loopback, its files, its processes, and what is true of it."""

import atexit
import json
import pathlib
import re
import subprocess
import time

FIRST, MONITOR = 20_000, 8_222
LISTEN = """
import collections, resource, select, socket, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
first, count = int(sys.argv[1]), int(sys.argv[2])
ready, listeners, held = select.epoll(), {}, collections.deque()
for number in range(count):
    if number % 10:
        listener = socket.create_server(("127.0.0.1", first + number), backlog=4096)
        listeners[listener.fileno()] = listener
        ready.register(listener.fileno(), select.EPOLLIN)
print("ready", flush=True)
while True:
    for number, _ in ready.poll(1):
        held.append((time.monotonic() + 2, listeners[number].accept()[0]))
    while held and held[0][0] < time.monotonic():
        held.popleft()[1].close()
"""
STARTED = []


@atexit.register
def end_all():
    """Nothing that was started here stays."""
    for running in STARTED:
        running.kill()


def stand_in(count, place=()):
    """Takes connections at so many ports of loopback, but for every tenth, and holds each for two seconds."""
    running = subprocess.Popen([*place, "/usr/bin/python3", "-c", LISTEN, str(FIRST), str(count)], stdout=subprocess.PIPE)
    STARTED.append(running)
    assert running.stdout.readline() == b"ready\n"
    return running


def site(zones, count, rate):
    """Each zone has to reach all of these ports of one system."""
    named = ", ".join(f"{zone}: {{}}" for zone in [*zones, "there"])
    walls = ", ".join(f"wall-{zone}: {{ between: [{zone}, there] }}" for zone in zones)
    flows = "".join(
        f"  - {{ from: {zone}, to: web, port: {FIRST + number}, need: required }}\n" for zone in zones for number in range(count)
    )
    return f"""site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ {named} }}
firewalls: {{ {walls} }}
systems: {{ web: {{ zone: there, addresses: {{ default: 127.0.0.1 }}, roles: [console] }} }}
probing: {{ second_look: off, timeout: 1s, rate: {rate}, per_host: 256, dns: off, sweep: none }}
flows:
{flows}"""


class Process:
    """A program in a folder of its own, whose words stand in the file `said` there."""

    def __init__(self, words, folder, place=()):
        self.words, self.folder, self.place = words, folder, place
        self.start()

    def start(self):
        with open(self.folder / "said", "ab") as said:
            self.begins = said.tell()
            words = [*self.place, *map(str, self.words)]
            self.child = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        STARTED.append(self.child)

    def said(self):
        """What it has said since it was started last."""
        with open(self.folder / "said", "rb") as said:
            said.seek(self.begins)
            return said.read().decode()

    def until(self, words, longest=30, since=0):
        """Waits for words, and gives the time at which they were there."""
        end = time.time() + longest
        while words not in self.said()[since:]:
            assert time.time() < end, f"{self.words} does not say `{words}`: {self.said()}"
            time.sleep(0.02)
        return time.time()

    def kill(self):
        self.child.kill()
        self.child.wait()


class Fleet:
    """The files of a fleet, written by the program itself."""

    def __init__(self, program, server, folder, agents, at, hub_at=None):
        self.program, self.server, self.folder = str(pathlib.Path(program).resolve()), str(pathlib.Path(server).resolve()), folder
        self.agents = agents
        words = [self.program, "agent", "--write-server-config", folder / "fleet", "--server", at]
        words += [f"--agent={name}={zone}" for name, zone in agents.items()] + (["--hub-server", hub_at] if hub_at else [])
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        with open(folder / "fleet/nats-server/nats-server.conf", "a") as file:
            file.write(f"http: 127.0.0.1:{MONITOR}\n")

    def start_server(self, place=(), name="nats-server"):
        server = Process([self.server, "-c", "nats-server.conf"], self.folder / "fleet" / name, place)
        server.until("Server is ready")
        return server

    def start_agent(self, name, place=()):
        return Process([self.program, "agent", "agent.yaml"], self.folder / f"fleet/agent-{name}", place)

    def check(self, name, place=(), *more):
        """A run, whose report comes into a file of a folder of this name."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        agents = self.folder / "fleet/hub/agents.yaml"
        words = [self.program, "check", self.folder / "probes.yaml", "--agents", agents, "--no-path", "--format", "json"]
        return Process([*words, "--output", "report.json", *more], folder, place)

    def streams(self, place=()):
        """How many jobs and results the server keeps."""
        asked = f"http://127.0.0.1:{MONITOR}/jsz?streams=1&accounts=1"
        script = f"import urllib.request; print(urllib.request.urlopen({asked!r}).read().decode())"
        told = subprocess.run([*place, "/usr/bin/python3", "-c", script], capture_output=True, text=True, check=True).stdout
        streams = json.loads(told)["account_details"][0]["stream_detail"]
        kept = {it["name"]: it["state"]["messages"] for it in streams}
        return kept["PORTPROOF_JOBS"], kept["PORTPROOF_RESULTS"]


def verdicts(report):
    """What the flows that have to pass were found to be; each stands there once."""
    flows = [it for it in json.loads(report.read_text())["flows"] if it["need"] == "required"]
    found = {it["id"]: (it["verdict"], it["cause"]) for it in flows}
    assert len(found) == len(flows), "a flow stands in the report twice"
    return found


def truth(zones, count):
    """What is true of the stand-ins."""
    ports = range(FIRST, FIRST + count)
    return {f"{zone}>web:{port}/tcp": "ok" if (port - FIRST) % 10 else "down" for zone in zones for port in ports}


def jobs(agents, what):
    """The jobs of which these agents have said this, over all of their lives, each with its agent."""
    return [(it.folder.name, job) for it in agents for job in re.findall(rf"job (\S+) {what}", (it.folder / "said").read_text())]
