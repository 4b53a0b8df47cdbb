"""A provider of OpenID Connect on this machine: real HTTP, real signed tokens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "toolsync", "only-between-us"


@dataclass
class Provider:
    """Who is logged in there, and what the provider says of them. Shape: claims: in place of the right ones, or beside them"""

    claims: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def token(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **self.claims}
        signed = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": signed}

    def back(self, query: dict[str, list[str]]) -> str:
        """Return where somebody who has logged in there is sent: back, with a code."""
        self.asked.append(query)
        return f"{query['redirect_uri'][0]}?{urlencode({'code': 'code', 'state': query['state'][0]})}"


@contextmanager
def openid_provider() -> Iterator[Provider]:
    """Serve until the end of the block."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.back(parse_qs(place.query)))
                self.end_headers()
            elif place.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
                self._send(
                    {name: value for name, value in provider.claims.items() if name not in ("iss", "aud", "exp")}
                )
            else:
                self._send(provider.configuration())

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            is_ours = sent.get("client_secret") == [CLIENT_SECRET] and sent.get("code") == ["code"]
            # It was announced by its digest (PKCE).
            self._send(provider.token() if is_ours and "code_verifier" in sent else {"error": "invalid_grant"})

        def _send(self, values: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(values).encode())

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
