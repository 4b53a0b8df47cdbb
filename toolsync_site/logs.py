"""How log lines look, and what never gets into them."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.types import EventDict, Processor, WrappedLogger

from sync.secret_texts import HIDDEN, without_secrets

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|password|pepper|secret|token|api_?key|credential|authorization|cookie",
    re.IGNORECASE,
)
_OF_SEVERAL_LINES = frozenset(("exception", "stack"))


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank values under secret names, credentials in URLs and `password=...` in texts, tracebacks included."""
    return {name: _without_secrets(name, value) for name, value in event.items()}


def escape_line_ends(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write signs that end a line, move the cursor or turn the text as escapes: a name of a file must not look like another
    line of the log. Tracebacks keep their line ends.
    """
    return {name: _escaped(value, "\n\t" if name in _OF_SEVERAL_LINES else "") for name, value in event.items()}


def _escaped(value: Any, kept: str) -> Any:
    if isinstance(value, str) and not value.isprintable():
        return "".join(c if c in kept or not _is_sign(c) else c.encode("unicode_escape").decode() for c in value)
    return value


def _is_sign(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


class LogFormatter(logging.Formatter):
    """Lines of structlog, for its own events and for those of the standard library alike.

    structlog takes a tenth of a second to load, more than a small run at the shell: it is loaded for the first line.
    """

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        return self._made.format(record)

    @cached_property
    def _made(self) -> logging.Formatter:
        import structlog

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_processors(),
            # The traceback becomes text before secrets are hidden: exceptions of drivers quote URLs and parameters.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                escape_line_ends,
                structlog.processors.JSONRenderer() if self._as_json else structlog.dev.ConsoleRenderer(colors=False),
            ],
        )


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    """Return the `LOGGING` setting: one handler on stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "toolsync_site.logs.LogFormatter", "as_json": as_json}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own defaults add a handler that only prints when DEBUG is on, and a mail to ADMINS.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }


def _shared_processors() -> list[Processor]:
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_secrets(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: _without_secrets(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", item) for item in value]
    return value
