"""Which token asks, for the length of a request: the API and the web services of the plugin say it once, not to each service.

A run knows whether a page or a program has asked for it. Everything that programs do goes through the services that pages use,
through several of them on the way to a run, a bundle or an undo; none of these does anything else for a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sync.models import ApiToken

_Find = Callable[[], ApiToken | None]

_asking: ContextVar[_Find | None] = ContextVar("asking", default=None)


@contextmanager
def asking_by(find: _Find) -> Iterator[None]:
    """Take this token for what asks. Shape: find: is called when a run is asked for, once it is known who asks"""
    before = _asking.set(find)
    try:
        yield
    finally:
        _asking.reset(before)


def asking_token() -> ApiToken | None:
    """Return the token that asks, None where no program does."""
    find = _asking.get()
    return find() if find is not None else None
