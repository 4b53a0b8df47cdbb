"""A client of Moodle's web services as people write them: the address of the site, a token, form fields nested as PHP does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class MoodleClient:
    """Calls functions of one site. Shape: base: its address, all that a caller of the plugin changes"""

    def __init__(self, base: str, token: str) -> None:
        self.base = base
        self.token = token

    def call(self, function: str, /, **params: Any) -> Any:
        """Return what a function answers as JSON; the fields go into the body, url-encoded."""
        return json.loads(self.raw(function, "json", params))

    def raw(self, function: str, form: str, params: Mapping[str, Any], *, multipart: bool = False) -> bytes:
        """Return an answer as it comes. Shape: form: json or xml; multipart: as PHP's curl sends an array"""
        fields = [
            ("wstoken", self.token), ("wsfunction", function), ("moodlewsrestformat", form), *flattened(params)
        ]  # fmt: skip
        address = f"{self.base}/webservice/rest/server.php"
        if multipart:
            return self._send(address, *as_multipart(fields))
        return self._send(address, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def get(self, function: str, **params: Any) -> Any:
        """Return what a function answers whose fields all stand in the address."""
        fields = [
            ("wstoken", self.token), ("wsfunction", function), ("moodlewsrestformat", "json"), *flattened(params)
        ]  # fmt: skip
        with urlopen(f"{self.base}/webservice/rest/server.php?{urlencode(fields)}", timeout=60) as answer:
            return json.load(answer)

    def upload(self, name: str, content: bytes, *, itemid: int = 0) -> Any:
        """Return what becomes of a file that is uploaded into a draft area."""
        fields = [("token", self.token), ("itemid", str(itemid)), ("filearea", "draft")]
        body, kind = as_multipart(fields, ("resourcefile", name, content))
        return json.loads(self._send(f"{self.base}/webservice/upload.php", body, kind))

    @staticmethod
    def _send(address: str, body: bytes, kind: str) -> bytes:
        request = Request(address, data=body, headers={"Content-Type": kind})
        with urlopen(request, timeout=60) as answer:
            content: bytes = answer.read()
        return content


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Return fields as PHP's http_build_query() names them: enrols[0][userid]=5."""
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in items:
            yield from flattened(inner, f"{name}[{key}]" if name else str(key))
    else:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)


def as_multipart(fields: list[tuple[str, str]], *files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """Return a body of fields, then files, and what kind it is. Shape: files: (field, name, content)"""
    boundary = secrets.token_hex(16)
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    parts += [
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'.encode()
        + content
        for field, name, content in files
    ]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
