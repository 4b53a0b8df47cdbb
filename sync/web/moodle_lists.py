"""How pages name the lists of what is in Moodle, and their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.moodle.lookup.lists import LIST_COLUMNS, Listed, ListedRow

LIST_LABELS: dict[Listed, Promise] = {
    Listed.ROLES: _("Roles"),
    Listed.CATEGORIES: _("Categories"),
    Listed.COURSES: _("Courses"),
    Listed.COHORTS: _("Cohorts"),
    Listed.GROUPS: _("Groups"),
    Listed.USER_FIELDS: _("Profile fields"),
    Listed.COURSE_FIELDS: _("Course fields"),
}
_COLUMN_LABELS: dict[str, Promise] = {
    "shortname": _("Short name"),
    "fullname": _("Full name"),
    "name": _("Name"),
    "idnumber": _("Idnumber"),
    "category": _("Category"),
    "course": _("Course"),
    "datatype": _("Kind"),
    "type": _("Kind"),
}
# The beginning of a file's column in which the short names of custom fields stand.
_PREFIXES = {Listed.USER_FIELDS: "profile_field_", Listed.COURSE_FIELDS: "customfield_"}
# What files name things by.
_NAMING = frozenset(("shortname", "name", "idnumber"))


class ListLink(NamedTuple):
    """A list that there is a page of."""

    kind: str
    label: Promise


class ShownCell(NamedTuple):
    """A cell of a list. Shape: copied: what is taken when it is copied, "" = it is only shown"""

    column: Promise
    text: str
    copied: str


def list_links() -> list[ListLink]:
    """Return all lists that there are."""
    return [ListLink(kind.value, label) for kind, label in LIST_LABELS.items()]


def column_labels(kind: Listed) -> list[Promise]:
    """Return the titles of the columns of a list."""
    return [_COLUMN_LABELS[name] for name in LIST_COLUMNS[kind]]


def shown_rows(
    kind: Listed, rows: Sequence[ListedRow], paths: dict[int, str]
) -> Iterator[tuple[ListedRow, list[ShownCell], str]]:
    """Return the rows with their cells. Shape: paths: category -> its names from the root on, shown with each category"""
    names = LIST_COLUMNS[kind]
    for row in rows:
        cells = [
            ShownCell(_COLUMN_LABELS[name], text, _copied(kind, name, text))
            for name, text in zip(names, row.cells, strict=True)
        ]
        yield row, cells, paths.get(row.id, "")


def _copied(kind: Listed, name: str, text: str) -> str:
    if name not in _NAMING or not text:
        return ""
    return _PREFIXES.get(kind, "") + text if name == "shortname" else text
