"""Clients that send half of what they announce, before a real gunicorn."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.servers import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
CLIENTS = 40


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve a site of its own with one process of gunicorn."""
    port = free_port()
    environment = os.environ | {
        "TOOLSYNC_VAR": str(tmp_path_factory.mktemp("var")),
        "TOOLSYNC_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
    }
    environment.pop("DATABASE_URL", None)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "gunicorn", "toolsync_site.wsgi", f"--bind=127.0.0.1:{port}", "--threads=8"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: has_started(port))
            yield port
        finally:
            process.terminate()


def has_started(port: int) -> bool:
    try:
        return answer(port) == 200
    except OSError:
        return False


def answer(port: int, body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", body, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def half_sent(port: int, length: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\nuser" % length
    )
    return client


@pytest.mark.parametrize("length", [1_000, 60_000_000])
def test_half_sent_bodies_do_not_keep_others_waiting(port: int, length: int) -> None:
    with ExitStack() as stack:
        for _client in range(CLIENTS):
            stack.enter_context(closing(half_sent(port, length)))
        started = time.monotonic()
        assert answer(port) == 200
        # A whole form is taken, too; without a token it is forbidden.
        assert answer(port, b"username=ann&password=x") == 403
        assert time.monotonic() - started < 8


@pytest.mark.parametrize("method", [b"POST", b"GET"])
def test_bodies_without_length_keep_nobody_waiting(port: int, method: bytes) -> None:
    """They come in pieces, of which there may be more at any time: none is waited for, not even to be passed over."""
    with ExitStack() as stack:
        clients = []
        for _client in range(CLIENTS):
            client = stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=30)))
            client.sendall(
                method + b" /login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nuser"
            )
            clients.append(client)
        started = time.monotonic()
        assert answer(port) == 200
        assert clients[0].recv(100).startswith(b"HTTP/1.1 411 ")
        assert time.monotonic() - started < 8
