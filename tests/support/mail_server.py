"""A real mail server for a test: aiosmtpd, which writes down each mail that it takes, as a line of JSON.

Arguments: address, port, folder, and how it protects conversations: starttls, implicit or none. Whoever logs in is
portproof with the password s3cret. Its certificate and key are in the folder.
"""

import email
import email.policy
import json
import signal
import ssl
import sys
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

ADDRESS, PORT, FOLDER, PROTECTION = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("full@"):
            return "452 4.2.2 the mailbox is full"
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody here has that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "protected": server.transport.get_extra_info("ssl_object") is not None,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "kind": mail.get_content_type(),
            "body": mail.get_content(),
            "defects": [repr(defect) for defect in mail.defects],
        }
        with open(FOLDER / "mails", "a") as mails:
            mails.write(json.dumps(line) + "\n")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"portproof", b"s3cret")
    with open(FOLDER / "logins", "a") as logins:
        logins.write(f"{mechanism} {is_right}\n")
    return AuthResult(success=is_right, handled=False, auth_data=data)


options = {"authenticator": authenticate}
if PROTECTION != "none":
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(FOLDER / "server.pem", FOLDER / "server.key")
if PROTECTION == "starttls":
    options |= {"tls_context": tls, "require_starttls": True, "auth_required": True}
if PROTECTION == "implicit":
    options |= {"ssl_context": tls, "auth_require_tls": False}
if PROTECTION == "none":
    options |= {"auth_require_tls": False}
controller = Controller(Handler(), hostname=ADDRESS, port=PORT, **options)
controller.start()
signal.sigwait([signal.SIGTERM, signal.SIGINT])
controller.stop()
