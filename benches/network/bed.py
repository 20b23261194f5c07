"""Two network namespaces with a link between them, and what a process in one of them takes."""
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def run(*words, **more):
    return subprocess.run(words, check=True, **more)


class Bed:
    """Every address of 10.77.0.0/16 is the server's. Both namespaces end with the bed."""

    def __init__(self, folder):
        self.folder = folder
        self.client, self.server = f"ps{os.getpid()}c", f"ps{os.getpid()}s"
        self.running = []

    def __enter__(self):
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
        return self

    def __exit__(self, *_):
        for child in self.running:
            child.send_signal(signal.SIGKILL)
            child.wait()
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def serve(self, *words):
        """Starts a server, which prints a line when it is ready."""
        child = subprocess.Popen(["ip", "netns", "exec", self.server, *words], stdout=subprocess.PIPE, preexec_fn=raise_limit)
        self.running.append(child)
        if child.stdout.readline() != b"ready\n":
            sys.exit(f"{words[0]} did not start")

    def hold(self, places):
        """Takes connections at each (address, port)."""
        (self.folder / "held").write_text("".join(f"{address} {port}\n" for address, port in places))
        self.serve(compiled(self.folder, "hold"), str(self.folder / "held"))

    def rules(self, text):
        run("ip", "netns", "exec", self.server, "nft", "-f", "-", input=text.encode())

    def drop(self, hosts, but):
        """Drops what comes for these hosts, but for these (address, port)."""
        accept = "".join(f"  ip daddr {address} tcp dport {port} accept\n" for address, port in but)
        self.rules(f"""table inet silent {{
 chain in {{
  type filter hook input priority 0; policy accept;
{accept}  ip daddr {{ {", ".join(hosts)} }} meta l4proto tcp drop
 }}
}}
""")

    def lose(self, percent):
        """Loses so much of all packets, each way."""
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

    def take(self, words):
        """Runs a program in the client's namespace: what it printed, and what it took."""
        began = time.monotonic()
        with open(self.folder / "said", "w") as said, open(self.folder / "errors", "w") as errors:
            child = subprocess.Popen(["ip", "netns", "exec", self.client, *words], stdout=said, stderr=errors, preexec_fn=raise_limit)
            resident = 0
            try:
                # What `wait4` tells of memory includes this script, of which the child was a copy.
                while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
                    resident = max(resident, peak(child.pid))
                    time.sleep(0.005)
            except BaseException:
                child.kill()
                raise
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(ended[1])
        # 0, 1 and 3 are verdicts of portproof; the others end with 0.
        if child.returncode not in (0, 1, 3):
            sys.exit(f"{' '.join(map(str, words[:2]))} ended with {child.returncode}: {(self.folder / 'errors').read_text()[-2000:]}")
        used = ended[2]
        return (self.folder / "said").read_text(), {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "mb": resident / 1024}


def raise_limit():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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


def compiled(folder, name):
    """A program of this folder in C."""
    made = folder / name
    if not made.exists():
        run("gcc", "-O2", "-o", str(made), str(HERE / f"{name}.c"))
    return str(made)


def certificates(folder, names):
    """A root `ca.pem`, and `leaf.pem` with `leaf.key` for these names."""
    (folder / "leaf.ext").write_text(
        f"subjectAltName={','.join(f'DNS:{name}' for name in names)}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for words in (f"req -x509 {curve} -keyout ca.key -out ca.pem -subj /CN=Bench -days 365",
                  f"req {curve} -keyout leaf.key -out leaf.csr -subj /CN=server",
                  "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 90 -extfile leaf.ext"):
        run("openssl", *words.split(), cwd=folder, stderr=subprocess.DEVNULL)
