"""Private servers that files are fetched from: web, FTP, SFTP and S3, each on a free port of this machine, in a thread."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import asyncssh
import jwt
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.server import ThreadedMotoServer
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.servers import PASSWORD

USER = "feeder"

Answer = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """A web server.

    Shape: answers: path -> what it answers; asked: "GET /path" and the Authorization header, in order; bodies: of what was posted
    """

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if certificate is not None:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str, host: str = "localhost") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def put(self, path: str, content: bytes) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            if handler.command == "GET":
                handler.wfile.write(content)

        self.answers[path] = answer

    def redirect(self, path: str, target: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.answers[path] = answer

    def status(self, path: str, status: int) -> None:
        self.answers[path] = lambda handler: handler.send_error(status)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((f"{self.command} {self.path}", self.headers.get("Authorization", "")))
                answer = server.answers.get(self.path)
                try:
                    answer(self) if answer else self.send_error(404)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    return

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_POST(self) -> None:
                server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                self.do_GET()

            def log_message(self, *_args: Any) -> None:
                return

        return Handler


class TokenServer:
    """Gives tokens by OAuth 2, and answers with JSON or files to who shows the last one. Shape: tokens: given so far"""

    def __init__(self, web: WebServer, *, lasts: float = 3600) -> None:
        self.web, self.tokens, self.lasts = web, 0, lasts
        web.answers["/token"] = self._give

    @property
    def header(self) -> str:
        return f"Bearer token-{self.tokens}"

    def put_json(self, path: str, document: Any, *, total: int | None = None) -> None:
        """Answer with JSON, and how many there are in all. Shape: path: with its query"""
        self.put(path, json.dumps(document).encode(), {} if total is None else {"X-Total-Count": str(total)})

    def put(self, path: str, content: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            if handler.headers.get("Authorization") != self.header:
                handler.send_error(401)
                return
            handler.send_response(200)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            if handler.command == "GET":
                handler.wfile.write(content)

        self.web.answers[path] = answer

    def _give(self, handler: BaseHTTPRequestHandler) -> None:
        login = base64.b64decode(handler.headers.get("Authorization", "").partition(" ")[2]).decode()
        if login != f"{USER}:{PASSWORD}":
            answer: dict[str, Any] = {"error": "invalid_client"}
            status = 401
        else:
            self.tokens += 1
            answer = {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": self.lasts}
            status = 200
        content = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


class SheetServer:
    """Gives tokens to who signs with the key of a service account, and a sheet to the one that it is shared with.

    It looks at what Google's documents name: the signature, who asks, of whom, for what, and for how long. Shape: key_file: as
    Google gives it; seen: the claims of the requests for tokens; shared: whether the account may read the sheet
    """

    EMAIL = "feeds@school.iam.gserviceaccount.com"
    SHEET = "1mHIwMNPNhCmZGPkJ2P0Xg0Zs3YgBpBVN7m4Yk0aBcDe"
    SCOPES = frozenset(
        ("https://www.googleapis.com/auth/drive.readonly", "https://www.googleapis.com/auth/spreadsheets.readonly")
    )

    def __init__(self, web: WebServer) -> None:
        self.web, self.shared = web, True
        self.seen: list[dict[str, Any]] = []
        self.token = "none"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_file = key_of_account(self._key, web.url("/token"))
        web.answers["/token"] = self._give_token

    def altered(self, **changes: Any) -> str:
        """Return the key file with something else in it."""
        return json.dumps(json.loads(self.key_file) | changes)

    def url(self, tab: str = "0") -> str:
        return self.web.url(f"/spreadsheets/d/{self.SHEET}/edit?usp=sharing#gid={tab}")

    def put(self, tab: str, content: bytes) -> None:
        """Let the sheet have a tab, which is exported elsewhere, as Google does it."""
        self.web.answers[f"/spreadsheets/d/{self.SHEET}/export?format=csv&gid={tab}"] = self._send_on
        self.web.put("/export/signed", content)

    def _give_token(self, handler: BaseHTTPRequestHandler) -> None:
        fields = dict(parse_qsl(self.web.bodies[-1]))
        try:
            assert fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            assert jwt.get_unverified_header(fields["assertion"]) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
            claims = jwt.decode(
                fields["assertion"], self._key.public_key(), algorithms=["RS256"], audience=self.web.url("/token"),
                issuer=self.EMAIL, options={"require": ["exp", "iat", "aud", "iss"]},
            )  # fmt: skip
            assert set(claims["scope"].split()) == self.SCOPES
            assert 0 < claims["exp"] - claims["iat"] <= 3600
        except (AssertionError, jwt.PyJWTError, KeyError):
            self._answer(handler, 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
            return
        self.seen.append(claims)
        self.token = f"ya29.{len(self.seen)}"
        self._answer(handler, 200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 3599})

    def _send_on(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Authorization") != f"Bearer {self.token}":
            handler.send_error(401)
        elif not self.shared:
            handler.send_error(403)
        else:
            self.web.redirect("/now", self.web.url("/export/signed", "127.0.0.1"))
            self.web.answers["/now"](handler)

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def key_of_account(
    key: rsa.RSAPrivateKey | None = None, token_address: str = "https://oauth2.googleapis.com/token"
) -> str:
    """Return a key file of a service account, as Google gives it."""
    signs = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return json.dumps(
        {
            "type": "service_account", "project_id": "school", "private_key_id": "k1", "private_key": pem_of(signs),
            "client_email": SheetServer.EMAIL, "client_id": "1", "token_uri": token_address,
        }
    )  # fmt: skip


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as it stands in a key file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer with a file that never ends, a byte at a time."""
    handler.send_response(200)
    handler.end_headers()
    while handler.command == "GET":
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.02)


def ten_gigabytes(handler: BaseHTTPRequestHandler) -> None:
    """Say nothing about the size, and send as long as somebody takes it."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000 if handler.command == "GET" else 0):
        handler.wfile.write(b"x" * 1_000_000)


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than what comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"username;firstname\n")


def without_end(content: bytes) -> Answer:
    """Answer with bytes of which nobody says how many they are: the end of the connection is their end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content)

    return answer


def in_chunks(content: bytes, *, is_whole: bool = True) -> Answer:
    """Answer in chunks, of which the last one, which is empty, tells the end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(content), content) + (b"0\r\n\r\n" if is_whole else b""))

    return answer


class FtpServer:
    """An FTP server on a folder, with TLS when it has a certificate. Shape: is_old: it knows no commands of RFC 3659 but SIZE"""

    def __init__(self, folder: Path, certificate: trustme.LeafCert | None = None, *, is_old: bool = False) -> None:
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(folder), perm="elrd")
        base = FTPHandler if certificate is None else TLS_FTPHandler
        more: dict[str, Any] = {"authorizer": authorizer, "auth_failed_timeout": 0}
        if is_old:
            newer = ("OPTS", "MLSD", "MLST", "MDTM")
            more["proto_cmds"] = {name: what for name, what in FTPHandler.proto_cmds.items() if name not in newer}
        if certificate is not None:
            pem = folder.parent / "ftp.pem"
            pem.write_bytes(certificate.private_key_and_cert_chain_pem.bytes())
            more |= {"certfile": str(pem), "tls_control_required": True, "tls_data_required": True}
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), type("Handler", (base,), more), ioloop=self._loop)
        self.port = self._server.address[1]
        self._is_wanted = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_wanted = False
        self._thread.join()

    def _serve(self) -> None:
        while self._is_wanted:
            self._loop.loop(timeout=0.05, blocking=False)
        self._server.close_all()


class SftpServer:
    """An SFTP server on a folder. Shape: fingerprint: of its key, as ssh shows it; key: the private one that it lets in;
    may_delete: whether whoever logs in may do so
    """

    may_delete = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        digest = hashlib.sha256(self._host_key.public_data).digest()
        self.fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        self._folder = folder
        self._connections: list[asyncssh.SSHServerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result()
        self.port = self._server.get_port()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self, port: int) -> asyncssh.SSHAcceptor:
        key, connections = self.key, self._connections

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                connections.append(conn)

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == (USER, PASSWORD)

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, given: asyncssh.SSHKey) -> bool:
                return username == USER and given.public_data == key.public_data

        owner = self

        class Files(asyncssh.SFTPServer):
            def remove(self, path: bytes) -> Any:
                if not owner.may_delete:
                    raise asyncssh.SFTPPermissionDenied("This user may not delete.")
                return super().remove(path)

        def chrooted(channel: Any) -> asyncssh.SFTPServer:
            return Files(channel, chroot=bytes(self._folder))

        return await asyncssh.create_server(
            Login, "127.0.0.1", port, server_host_keys=[self._host_key], sftp_factory=chrooted
        )

    async def _close(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        for connection in self._connections:
            connection.abort()
            await connection.wait_closed()


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 server; gives its address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
