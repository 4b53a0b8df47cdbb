"""A private mail server, and a web server that takes webhooks, each on a port of this machine, in a thread."""

from __future__ import annotations

import base64
import email
import ssl
import subprocess
import threading
import time
from email.message import EmailMessage, Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port


class MailServer:
    """A mail server.

    Shape: port: 0 = a free one; received: (recipient, message) in order; refused: recipients to turn away; answer: to them
    """

    def __init__(self, port: int = 0) -> None:
        self.received: list[tuple[str, EmailMessage]] = []
        self.refused: set[str] = set()
        self.answer = "550 no such person"
        self.port = port or free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop(no_assert=True)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd calls it by the verb)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[Any]
    ) -> str:
        if address in self.refused:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content or b"", policy=default)  # type: ignore[arg-type]
        assert isinstance(message, EmailMessage)
        self.received += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"


class HookServer:
    """A web server that takes webhooks, over TLS when it has a certificate.

    Shape: received: headers and body, in order; status: what it answers, after a delay
    """

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.received: list[tuple[Message, bytes]] = []
        self.status = 200
        self.delay = 0.0
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hooks.received.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(hooks.delay)
                self.send_response(hooks.status)
                if hooks.status == 302:
                    self.send_header("Location", "http://10.0.0.1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"{scheme}://localhost:{self._server.server_address[1]}/hooks/geheim?token=geheim"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def assert_signed(key: str, headers: Message, body: bytes) -> None:
    """Check a message as Standard Webhooks says a receiver should, with openssl's HMAC in place of Python's."""
    secret = base64.b64decode(key.removeprefix("whsec_")).hex()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret}", "-binary"],
        input=signed, capture_output=True, check=True,
    ).stdout  # fmt: skip
    version, _comma, signature = headers["webhook-signature"].partition(",")
    assert (version, base64.b64decode(signature)) == ("v1", digest)
    assert not [name for name in headers if name.lower().startswith("x-toolsync")]
