"""Message code -> translatable text. The texts stand beside what they are about: in the `messages.py` of each package.

Codes are stable: trybacks, the API and people's spreadsheets rely on them. Texts are free to improve.
A text names what is wrong and what to do about it; `%(name)s` parameters come from the rejection, note or error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy as _, override


class Quantity(int):
    """How many there are: a number, by which a plural is chosen, and as people write it: "12,481", "12 481" in French."""

    def __str__(self) -> str:
        return number_format(int(self), force_grouping=True)


class PluralText:
    """A text with a singular and a plural; the parameter `count` decides. Shape: form: gives the form for a number"""

    def __init__(self, form: Callable[[int], str]) -> None:
        self._form = form

    def __str__(self) -> str:
        return self._form(2)

    def template(self, count: object) -> str:
        """Return the form for a number in the active language; the plural where it is none."""
        return self._form(count if isinstance(count, int) else 2)


class Texts(NamedTuple):
    """The texts of all packages.

    Shapes: by_code: code -> text; missing_tables: code of a rejection that says that something is missing -> table of Moodle
    in which it is (`MISSING` beside the texts)
    """

    by_code: Mapping[str, Any]
    missing_tables: Mapping[str, str]


@cache
def texts() -> Texts:
    """Return the texts of every `messages.py`, read when the first is asked for: many a command says nothing of a row.

    Raises: ImproperlyConfigured where two packages share a code
    """
    folder = Path(__file__).parent
    by_code: dict[str, Any] = {}
    missing_tables: dict[str, str] = {}
    # By their names alone: to go through all packages would load them.
    for path in sorted(folder.rglob("*/messages.py")):
        module = import_module(".".join((__package__, *path.relative_to(folder).with_suffix("").parts)))
        added: dict[str, Any] = module.TEXTS
        if twice := added.keys() & by_code.keys():
            raise ImproperlyConfigured(f"{module.__name__} repeats texts: {', '.join(sorted(twice))}")
        by_code.update(added)
        missing_tables.update(getattr(module, "MISSING", {}))
    return Texts(by_code, missing_tables)


# Addresses of servers, folders, and what these say of an error: for those who run ToolSync.
_INNER_NAMES = frozenset(("server", "reason", "folder"))
# Here the server is a product.
_NAMES_OF_PRODUCTS = frozenset(("health_database_answers", "check_server"))

# Below it numbers have no groups of digits.
_GROUPED_FROM = 1_000
# Parameters that say how many there are.
_QUANTITIES = frozenset((
    "count", "limit", "length", "least", "most", "total", "done", "rows", "size", "before", "courses", "categories", "questions",
    "contents",
))  # fmt: skip

# What of a row was left out, by how the code of the reason begins; the first that fits.
LEFT_OUT_TEXTS: tuple[tuple[str, Any], ...] = (
    ("group_", _("the group was left out")),
    ("grouping_", _("the grouping was left out")),
    ("cohort_", _("not added to the cohort")),
    ("course_reset_role_", _("not everybody was unenrolled")),
    ("course_", _("not enrolled")),
    ("role_", _("not enrolled")),
    ("enrol_", _("not enrolled")),
    ("", _("a part was left out")),
)


def part_left_out(code: str) -> str:
    """Return what of a partial row was left out, by the code that says why."""
    return str(next(text for beginning, text in LEFT_OUT_TEXTS if code.startswith(beginning)))


def text_at_column(code: str, params: Mapping[str, Any]) -> str:
    """Return the text of a code, with the column at fault in front where there is one."""
    text = text_of(code, params)
    if column := params.get("column"):
        return str(_("column %(column)s: %(text)s") % {"column": column, "text": text})
    return text


def text_of(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Return the text of a code in the active language.

    A code without a text is a fault of ours that must not hide the message from the person: it is shown as it is. The
    parameter `hint` may hold the code of a further sentence, or several.
    """
    return _filled(code, params) if params else _text_alone(code, get_language())


def _filled(code: str, params: Mapping[str, Any]) -> str:
    found = texts().by_code.get(code)
    if isinstance(found, PluralText):
        template: str | None = found.template(params.get("count"))
    else:
        template = _template(code, get_language())
    text = code if template is None else template % _as_written(params)
    hint = params.get("hint")
    hints = [hint] if isinstance(hint, str) else hint
    return " ".join([text, *(text_of(code, {**params, "hint": ""}) for code in hints or () if code)])


def _as_written(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters with their quantities as people write them; lines and numbers of records are none."""
    large = {
        name: Quantity(value)
        for name, value in params.items()
        if value.__class__ is int and value >= _GROUPED_FROM and name in _QUANTITIES
    }
    return {**params, **large} if large else params


@lru_cache(maxsize=2000)
def _text_alone(code: str, language: str | None) -> str:
    """The text of a code that takes nothing, in a language: that of most rows."""
    with override(language):
        return _filled(code, {})


@lru_cache(maxsize=2000)
def _template(code: str, language: str | None) -> str | None:
    """The text of a code in a language; a report may need the same one a million times."""
    with override(language):
        found = texts().by_code.get(code)
        return None if found is None else str(found)


def without_addresses(code: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a finding with addresses of servers and the like left out."""
    hidden = frozenset() if code in _NAMES_OF_PRODUCTS else _INNER_NAMES
    return {name: "…" if name in hidden else value for name, value in params.items()}
