"""The elements of an archive's XML files as rows of Moodle's tables.

Source: spec backup_format.md section 2
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.elements import Element, Fills, Node
from sync.moodle.course_content.backup.limits import in_mib
from sync.moodle.course_content.backup.row_spool import RowSpool
from sync.moodle.course_content.backup.xml_events import NULL, XmlEnd, XmlStart
from sync.moodle.course_content.graph.content_source import Row

# What "@…" in fills names, besides enclosing rows: "course", "context", "course_modules", "activity", "component" …
Place = Mapping[str, int | str]

# About what a row takes besides its texts.
_ROW_LENGTH = 500
_SKIPPED_NAMES = 1_000
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
# Around what plugins add; there whether the plugin has something to say or not.
_WRAPPERS = ("plugin_", "subplugin_")


@dataclass
class _Open:
    """An element that hasn't ended.

    Shape: node: None for a value, or for what isn't known; row: what is known of the row that it is; kept: the rows within
    it, while it isn't known whether it stays
    """

    name: str
    node: Node | None
    element: Element | None = None
    id: int = 0
    row: Row = field(default_factory=dict)
    length: int = 0
    is_encrypted: bool = False
    is_repeated: bool = False
    kept: list[tuple[str, Row]] | None = None


class ElementRowReader:
    """Reads one XML file into a spool.

    Shape: place: what the file's folder stands for; skipped: unknown elements are counted here, by name
    """

    def __init__(self, name: str, place: Place, spool: RowSpool, skipped: Counter[str], longest: int) -> None:
        self._name = name
        self._place = place
        self._spool = spool
        self._skipped = skipped
        self._longest = longest
        self._open: list[_Open] = []
        # How many elements deep we are in something that isn't read.
        self._unread = 0

    def read(self, events: Iterable[XmlStart | XmlEnd], root: Node) -> None:
        self._open = [_Open("", root)]
        for event in events:
            if self._unread:
                self._unread += 1 if isinstance(event, XmlStart) else -1
            elif isinstance(event, XmlStart):
                self._start(event)
            else:
                self._end(event)

    def _start(self, event: XmlStart) -> None:
        parent = self._open[-1]
        if parent.node is None:
            # It looked like a value, and holds elements: neither it nor they are read.
            self._skip(parent.name)
            self._open.pop()
            self._unread = 2
            return
        node = parent.node.children.get(event.name)
        element = node.element if node else None
        if element and not element.table:
            self._unread = 1
            return
        opened = _Open(event.name, node, element, is_encrypted=event.attributes.get("encrypted") == "true")
        if element:
            self._begin_row(opened, element, event.attributes)
        self._open.append(opened)

    def _begin_row(self, opened: _Open, element: Element, attributes: Mapping[str, str]) -> None:
        opened.row = {element.renamed.get(name, name): _value(text) for name, text in attributes.items()}
        given = attributes.get("id", "")
        if given in ("", NULL) or element.has_own_id:
            opened.id = self._spool.own_id(element.table)
        elif _ID.fullmatch(given):
            opened.id = int(given)
            opened.is_repeated = element.is_shared and self._spool.has(element.table, opened.id)
        else:
            raise ArchiveRefused("backup_row_id", member=self._name, element=opened.name, value=given[:40])
        if element.only or element.never or opened.is_repeated:
            opened.kept = []
        for table, column in element.tells.items():
            for enclosing in self._open:
                if enclosing.element and enclosing.element.table == table:
                    enclosing.row[column] = opened.id

    def _end(self, event: XmlEnd) -> None:
        ended = self._open.pop()
        if ended.element:
            self._end_row(ended, ended.element)
        elif ended.node is None and self._open:
            self._end_value(ended, event.text)

    def _end_value(self, ended: _Open, text: str | None) -> None:
        owner = self._open[-1]
        if owner.element and not ended.name.startswith(_WRAPPERS):
            self._grow(owner, len(text or ""))
            column = owner.element.renamed.get(ended.name, ended.name)
            owner.row[column] = None if ended.is_encrypted else text

    def _end_row(self, ended: _Open, element: Element) -> None:
        # Still the innermost one for what the fills name.
        self._open.append(ended)
        is_wanted = self._is_wanted(element, ended.row)
        row = {**ended.row, **self._filled(element.fills, ended.row), "id": ended.id}
        rows = list(self._further(element, row))
        self._open.pop()
        if is_wanted and not ended.is_repeated:
            rows = [(element.table, row), *(ended.kept or ()), *rows]
        if is_wanted:
            self._keep(rows, ended.length)

    def _further(self, element: Element, row: Row) -> Iterator[tuple[str, Row]]:
        further = element.further
        if further and (not further.condition or row.get(further.condition)):
            yield further.table, {**self._filled(further.fills, row), "id": self._spool.own_id(further.table)}

    def _keep(self, rows: Iterable[tuple[str, Row]], length: int) -> None:
        for opened in reversed(self._open):
            if opened.kept is not None:
                opened.kept += rows
                self._grow(opened, length + _ROW_LENGTH)
                return
        for table, row in rows:
            if not self._spool.add(table, row):
                self._skip(table)

    def _grow(self, opened: _Open, length: int) -> None:
        """Count what a row takes of memory before it is kept."""
        opened.length += length
        if opened.length > self._longest:
            raise ArchiveRefused("backup_xml_text", member=self._name, limit=in_mib(self._longest))

    def _skip(self, name: str) -> None:
        """Count what isn't known, of so many kinds as a person may want to read of."""
        if name in self._skipped or len(self._skipped) < _SKIPPED_NAMES:
            self._skipped[name] += 1

    def _is_wanted(self, element: Element, row: Row) -> bool:
        return all(self._is_among(row.get(name), values) for name, values in element.only.items()) and not any(
            self._is_among(row.get(name), values) for name, values in element.never.items()
        )

    def _is_among(self, value: str | None, values: Iterable[str | None]) -> bool:
        return any(value is one if one is None else value == str(self._fill(one, {})) for one in values)

    def _filled(self, fills: Fills, row: Row) -> Row:
        return {column: self._fill(fill, row) for column, fill in fills.items()}

    def _fill(self, fill: str, row: Row) -> Any:
        if fill.startswith("$"):
            return row.get(fill[1:])
        return self._named(fill[1:]) if fill.startswith("@") else fill

    def _named(self, name: str) -> int | str:
        for opened in reversed(self._open):
            if opened.element and opened.element.table == name:
                return opened.id
        return self._place[name]


def _value(text: str) -> str | None:
    return None if text == NULL else text
