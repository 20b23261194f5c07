"""The services of a healthy site: HTTP on 80 and 8530, HTTPS on 443 and 8531, at every address of this host.

  serve.py FOLDER      with leaf.pem and leaf.key; prints a line when it listens
"""
import asyncio
import ssl
import sys

SERVED = [b"/SMS_MP/", b"/SMS_DP_SMSPKG$", b"/SMS_DP_SMSSIG$", b"/SMS_FSP", b"/CLIENTWEBSERVICE/", b"/SIMPLEAUTHWEBSERVICE/"]
LIST = b"<MPList><MP Name='ibs'/></MPList>"


def answer(line):
    path = line.split(b" ")[1] if line.count(b" ") >= 2 else b"/"
    if b"MPLIST" in path.upper():
        return b"200 OK", LIST
    if path.startswith(b"/SelfUpdate"):
        return b"200 OK", b"MSCF\0\0\0\0"
    if path == b"/" or any(path.upper().startswith(known) for known in SERVED):
        return b"200 OK", b"ok"
    return b"404 Not Found", b""


async def serve(reader, writer):
    try:
        while True:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            status, body = answer(head.split(b"\r\n")[0])
            length = str(len(body)).encode()
            body = b"" if head.startswith(b"HEAD ") else body
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: " + length + b"\r\n\r\n" + body)
            await writer.drain()
    except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{sys.argv[1]}/leaf.pem", f"{sys.argv[1]}/leaf.key")
    for port, tls in [(80, None), (8530, None), (443, context), (8531, context)]:
        await asyncio.start_server(serve, "0.0.0.0", port, ssl=tls, backlog=1024)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
