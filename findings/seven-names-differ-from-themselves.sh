#!/usr/bin/env bash
# FWShift: a PAN-OS policy with rules to seven names differs from itself; one with six does not.
#
# FWShift compares two firewall policies connection by connection, and its comparison is meant as a check that nothing
# changes. One expects a file to be equal to itself, whatever is in it. Addresses by name (`fqdn`) it cannot resolve, so it
# goes through all combinations of names that match or do not. From seven names on these are too many for it: what depends
# on names then counts as "possible" on either side, and the same file is told as one connection opened and one closed. A
# script that takes any difference for a failure fails on a policy that nobody touched. The certain differences stay none.
#
# Seen with FWShift 0.40.18 (PyPI) and Python 3.11: "6 names: certain 0, possible 0; 7 names: certain 0, possible 2".
# Needs python3 with venv, and PyPI.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tool
tool/bin/pip install --quiet --disable-pip-version-check fwshift==0.40.18

policy() { # NAMES
  echo 'set address inside ip-netmask 10.0.0.5/32'
  echo 'set service https protocol tcp port 443'
  for number in $(seq "$1"); do
    echo "set address name$number fqdn host$number.example.net"
    echo "set rulebase security rules rule$number from intranet to internet source inside destination name$number application any service https action allow"
  done
}
differences() { # NAMES
  policy "$1" >policy.set
  tool/bin/fwshift compare --from panos --from-second panos --json --fail-on none policy.set policy.set >compared.json
  python3 - <<'P'
import json
found = json.load(open("compared.json"))["differences"]
certain = sum(it["certain"] for it in found)
print(f"certain {certain}, possible {len(found) - certain}", end="")
P
}
seen="6 names: $(differences 6); 7 names: $(differences 7)"
echo "$seen"
[ "$seen" = "6 names: certain 0, possible 0; 7 names: certain 0, possible 2" ]
