#!/usr/bin/env bash
# MIT Kerberos: a KDC that serves two realms does not answer for a third at all; one that serves a single realm does.
#
# RFC 4120 has an error for a realm that a KDC does not serve (68, KDC_ERR_WRONG_REALM), and a KDC of one realm refuses the
# same request with an error (6, client not found). One expects the same of a KDC of two. It drops the datagram, and closes the TCP connection
# without a word: to a health check it looks like a port that is filtered, or like a service that crashes. Asked over TCP
# for extensions (RFC 5021: a length of 0x80000000) it answers, though it has never heard of them: it takes them for a
# message of 2 GiB, says that this is too long (61), and names the first of its realms.
#
# Seen with MIT krb5 1.20.1 (Debian 12, 1.20.1-2+deb12u5) and Python 3.11: "one realm: UDP error 6, TCP error 6; two
# realms: UDP nothing, TCP closed, extensions error 61". Needs apt-get, dpkg-deb, python3. Loopback only.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(cat "$folder"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
version=1.20.1-2+deb12u5
for package in krb5-kdc libkrb5-3 libk5crypto3 libkrb5support0 libgssapi-krb5-2 libgssrpc4 libkadm5clnt-mit12 libkadm5srv-mit12 libkdb5-10; do
  apt-get -o APT::Sandbox::User=root download -qq "$package=$version" >/dev/null
done
for package in libverto1=0.3.1-1 libverto-libev1=0.3.1-1 libev4=1:4.33-1 libkeyutils1=1.6.3-2; do
  apt-get -o APT::Sandbox::User=root download -qq "$package" >/dev/null
done
for file in *.deb; do dpkg-deb -x "$file" root; done
library=$(dirname "$(find root/usr/lib -name 'libkdb5.so.*' | head -n 1)")
export LD_LIBRARY_PATH=$folder/$library:$folder/root/lib/${library##*/}

kdc() { # NAME PORT REALM...
  local name=$1 port=$2 realm named=()
  shift 2
  export KRB5_CONFIG=$folder/$name.conf KRB5_KDC_PROFILE=$folder/$name.kdc
  printf '[libdefaults]\n default_realm = %s\n' "$1" >"$KRB5_CONFIG"
  {
    printf '[kdcdefaults]\n kdc_listen = 127.0.0.1:%s\n kdc_tcp_listen = 127.0.0.1:%s\n' "$port" "$port"
    printf '[dbmodules]\n db_module_dir = %s/%s/krb5/plugins/kdb\n[logging]\n kdc = FILE:%s/%s.log\n[realms]\n' "$folder" "$library" "$folder" "$name"
    for realm; do
      printf ' %s = {\n  database_name = %s/%s-%s\n  key_stash_file = %s/%s-%s.stash\n }\n' \
        "$realm" "$folder" "$name" "$realm" "$folder" "$name" "$realm"
    done
  } >"$KRB5_KDC_PROFILE"
  for realm; do
    root/usr/sbin/kdb5_util -r "$realm" -P some-word create -s >/dev/null
    named+=(-r "$realm")
  done
  root/usr/sbin/krb5kdc -n "${named[@]}" >/dev/null 2>&1 &
  echo $! >"$name.pid"
}
kdc one 18801 ONE.EXAMPLE
kdc two 18802 ONE.EXAMPLE TWO.EXAMPLE
sleep 1
python3 - <<'P'
import socket

def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content

def field(number, tag, content):
    return der(0xA0 + number, der(tag, content))

def name(kind, *parts):
    texts = der(0x30, *(der(0x1B, part) for part in parts))
    return der(0x30, field(0, 2, bytes([kind])), der(0xA1, texts))

realm = b"THIRD.EXAMPLE"
body = der(0x30,
    field(0, 3, bytes(5)), der(0xA1, name(1, b"someone")), field(2, 0x1B, realm),
    der(0xA3, name(2, b"krbtgt", realm)), field(5, 0x18, b"20370913024805Z"), field(7, 2, b"\x41\x42\x43\x44"),
    der(0xA8, der(0x30, der(2, bytes([18])))))
request = der(0x6A, der(0x30, field(1, 2, b"\x05"), field(2, 2, b"\x0a"), der(0xA4, body)))

def meaning(answer):
    at = answer.find(b"\xa6\x03\x02\x01")
    return "nothing" if not answer else f"error {answer[at + 4]}"

def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.sendto(request, ("127.0.0.1", port))
    try:
        return meaning(s.recv(4096))
    except TimeoutError:
        return "nothing"

def tcp(port, message):
    s = socket.create_connection(("127.0.0.1", port), 2)
    s.sendall(message)
    answer = s.recv(4096)
    return meaning(answer) if answer else "closed"

framed = len(request).to_bytes(4, "big") + request
extensions = (0x80000000).to_bytes(4, "big")
one = (udp(18801), tcp(18801, framed))
two = (udp(18802), tcp(18802, framed), tcp(18802, extensions))
print("MIT krb5 1.20.1")
print(f"one realm: UDP {one[0]}, TCP {one[1]}; two realms: UDP {two[0]}, TCP {two[1]}, extensions {two[2]}")
assert one[0] == one[1] and one[0].startswith("error"), one
assert two == ("nothing", "closed", "error 61"), two
P
