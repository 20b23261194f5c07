#!/usr/bin/env python3
"""How large and quick the HTML of a report of 5,000 flows is: benches/serve/html.py PROGRAM [SYSTEMS | REPORT].

The lab stands in for a site of so many distribution points, with its planted faults, unless a report is given. The report
is written as HTML three times, which is timed. Then Chromium opens the file three times. It comes from Debian (chromium and
chromium-driver), and selenium from PyPI. The page is interactive when it is loaded and two frames have been drawn after
that. Last, one finding is unfolded, and then all of them.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from selenium import webdriver

program, asked = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "265"
ROUNDS = 3
folder = pathlib.Path(tempfile.mkdtemp())
SITE = """site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  internet: { networks: ["0.0.0.0/0"] }
  perimeter: { networks: ["192.0.2.0/24", "198.51.100.0/24"] }
  intranet: { networks: ["10.0.0.0/16"] }
firewalls:
  front-end: { between: [internet, perimeter] }
  back-end: { between: [perimeter, intranet] }
clients: [internet, intranet]
probing: { rate: max, dns: off, sweep: none, second_look: off, timeout: 1s }
systems:
  cm01: { zone: intranet, names: { default: cm01.corp.example }, addresses: { default: 10.0.0.1 }, roles: [site-server, site-database, software-update-point], serves: [intranet] }
  mp01: { zone: intranet, names: { default: mp01.corp.example }, addresses: { default: 10.0.0.2 }, roles: [management-point], serves: [intranet] }
  ibs01: { zone: perimeter, names: { internet: ibs01.example.com, default: ibs01.dmz.example }, addresses: { internet: 203.0.113.10, default: 192.0.2.10 }, roles: [management-point, distribution-point, fallback-status-point, software-update-point], serves: [internet], initiated_by_site_server: true }
"""
systems = int(asked) if asked.isdecimal() else 0
for number in range(systems):
    network = ("192.0.2", "198.51.100")[number // 200]
    SITE += f"  dp{number:03}: {{ zone: perimeter, names: {{ default: dp{number:03}.dmz.example }}, addresses: {{ default: {network}.{number % 200 + 11} }}, roles: [distribution-point], serves: [internet] }}\n"
(folder / "probes.yaml").write_text(SITE)
report, html = folder / "report.json", folder / "report.html"
if systems:
    words = ["--lab", "--from", "internet", "--format", "json", "--output", report]
    subprocess.run([program, "check", folder / "probes.yaml", *words], stderr=subprocess.DEVNULL)
else:
    report = pathlib.Path(asked)
flows = json.loads(report.read_text())["flows"]
took = []
for _ in range(ROUNDS):
    begun = time.time()
    subprocess.run([program, "report", report, "--format", "html", "--output", html])
    took.append(time.time() - begun)
print(f"{len(flows):,} flows, {report.stat().st_size:,} bytes of JSON, {html.stat().st_size:,} bytes of HTML")
print(f"read and written in {statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f})")

# Two frames after the load event: what was laid out is on the screen, and the page takes input.
READY = """
const done = arguments[0];
const ready = () => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
document.readyState === "complete" ? ready() : addEventListener("load", ready);
"""
UNFOLD = """
const [all, done] = arguments;
const folded = [...document.querySelectorAll("details")];
const begun = performance.now();
for (const one of all ? folded : folded.slice(0, 1)) one.open = !one.open;
requestAnimationFrame(() => requestAnimationFrame(() => done([folded.length, performance.now() - begun])));
"""
ready, one, everything = [], [], []
for _ in range(ROUNDS):
    options = webdriver.ChromeOptions()
    for word in ("headless", "no-sandbox", "disable-gpu", "window-size=1280,1000", "force-device-scale-factor=1"):
        options.add_argument(f"--{word}")
    options.page_load_strategy = "none"
    with webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")) as browser:
        browser.set_script_timeout(60)
        browser.get(html.as_uri())
        while browser.current_url != html.as_uri():
            time.sleep(0.01)
        ready.append(browser.execute_async_script(READY))
        one.append(browser.execute_async_script(UNFOLD, False)[1])
        folded, took = browser.execute_async_script(UNFOLD, True)
        everything.append(took)
print(f"interactive in {statistics.median(ready) / 1000:.2f} s ({min(ready) / 1000:.2f} to {max(ready) / 1000:.2f})")
print(f"one flow unfolded in {statistics.median(one):.0f} ms, all {folded} in {statistics.median(everything):.0f} ms")
