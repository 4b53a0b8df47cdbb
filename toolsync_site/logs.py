"""How log lines look, and what never gets into them."""

from __future__ import annotations

import re
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|password|pepper|secret|token|api_?key|credential|authorization|cookie",
    re.IGNORECASE,
)
_WORD_WITH_ADDRESS = re.compile(r"[^\s'\"]++")
_BEFORE_PASSWORD = re.compile(r"://[^/@:]*+:")
# Possessive, and looking ahead once for each word: nothing is read twice, whatever the text is.
_ASSIGNED_SECRET = re.compile(
    r"(?P<name>\b(?=\w*(?:password|passwd|pwd|secret|token|api_?key))\w++['\"]?+\s*+(?:=|:\s*+(?=['\"])))\s*+"
    r"(?:'[^']*+'|\"[^\"]*+\"|[^\s,;&)}\]]++)",
    re.IGNORECASE,
)
# No line of a log is longer than this; what an error quotes may be.
_LONGEST_TEXT = 100_000


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank values under secret names, credentials in URLs and `password=...` in texts, tracebacks included."""
    return {name: _without_secrets(name, value) for name, value in event.items()}


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    """Give the `LOGGING` setting: one handler on stderr for structlog and for the standard library alike."""
    renderer: list[Processor] = (
        [structlog.processors.JSONRenderer()] if as_json else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structlog": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared_processors(),
                # The traceback becomes text before secrets are hidden: exceptions of drivers quote URLs and parameters.
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    hide_secrets,
                    *renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structlog"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own defaults add a handler that only prints when DEBUG is on, and a mail to ADMINS.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }


def configure_structlog() -> None:
    """Hand structlog's events to the standard library, so that levels and handlers are set in one place."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _shared_processors() -> list[Processor]:
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


def without_secrets(text: str) -> str:
    """Return a text with what looks like a password in it hidden; what is longer than a log can use is cut off."""
    if "://" in text:
        text = _WORD_WITH_ADDRESS.sub(_without_credentials, text)
    text = _ASSIGNED_SECRET.sub(rf"\g<name>{HIDDEN}", text)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def _without_credentials(word: re.Match[str]) -> str:
    """Hide user and password of the first address in a word that has them, up to the last "@": passwords may hold one."""
    text = word[0]
    end = text.rfind("@")
    found = _BEFORE_PASSWORD.search(text, 0, max(end, 0))
    return text if found is None else f"{text[: found.start()]}://{HIDDEN}{text[end:]}"
