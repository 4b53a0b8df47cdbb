"""Slow clients: how long the body of a request may take to arrive, and how many threads may wait for one.

A thread of gunicorn that waits for the rest of a body can do nothing else. A proxy that buffers requests takes that over; this
holds without one, too.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# Forms, which are sent at once. They are read before the application begins.
SMALL_BODY = 64 * 1024
_PIECE = 8 * 1024


class PatientBodies:
    """A WSGI application behind a watch on the bodies that arrive.

    Shape: waiting: so many threads of a process may wait for bodies at a time; all others get what has arrived within
    `moment`, or a 503. seconds: in this time a piece of 8 KiB has to arrive, or what is left of the body
    """

    def __init__(self, application: Application, *, waiting: int = 4, seconds: float = 10, moment: float = 0.1) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(waiting)
        self._seconds = seconds
        self._moment = moment

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = _length(environ)
        connection = environ.get("gunicorn.socket")
        if environ.get("HTTP_TRANSFER_ENCODING"):
            # Nobody knows how much is to come, nor when it ends; no browser sends a form like that.
            if connection is not None:
                _end_reading(connection)
            return _refuse(start_response, "411 Length Required")
        if not length or connection is None:
            return self._application(environ, start_response)
        may_wait = self._places.acquire(blocking=False)
        try:
            seconds = self._seconds if may_wait else self._moment
            with _WatchedBody(environ["wsgi.input"], connection, length, seconds) as body:
                if length > SMALL_BODY and not may_wait:
                    return _refuse(start_response, "503 Service Unavailable")
                if length > SMALL_BODY:
                    environ["wsgi.input"] = body
                    return self._application(environ, start_response)
                content = body.read(length)
        finally:
            if may_wait:
                self._places.release()
        if len(content) < length:
            return _refuse(start_response, "408 Request Timeout")
        environ["wsgi.input"] = io.BytesIO(content)
        return self._application(environ, start_response)


class _WatchedBody:
    """A body that ends when nothing more of it arrives. What is left unread at the end is not waited for, either."""

    def __init__(self, body: Any, connection: socket.socket, length: int, seconds: float) -> None:
        self._body = body
        self._connection = connection
        self._left = length
        self._seconds = seconds
        self._pieces = 0
        self._is_reading = False
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._end_when_silent, name="body", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()
        if self._left > 0:
            _end_reading(self._connection)

    def read(self, size: int = -1) -> bytes:
        pieces: list[bytes] = []
        left = size
        while left:
            piece = self._read_piece(_PIECE if left < 0 else min(left, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        """Django names it and never uses it."""
        line: bytes = self._body.readline(size)
        self._left -= len(line)
        return line

    def _read_piece(self, size: int) -> bytes:
        self._is_reading = True
        try:
            piece = self._body.read(size)
            self._left -= len(piece)
            return piece
        finally:
            self._is_reading = False
            self._pieces += 1

    def _end_when_silent(self) -> None:
        seen = -1
        while not self._is_over.wait(self._seconds):
            if self._is_reading and self._pieces == seen:
                # Wakes the thread that waits: for it the body ends here.
                _end_reading(self._connection)
                return
            seen = self._pieces


def _end_reading(connection: socket.socket) -> None:
    """For us the request ends here: whoever waits for more of it is woken, and the server looks for no rest of it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _length(environ: Environ) -> int:
    try:
        return max(0, int(environ.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _refuse(start_response: Callable[..., Any], status: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Retry-After", "15"), ("Connection", "close")])
    return [status.encode()]
