"""XML as a stream of events, for files that nobody vouches for.

Straight on expat: no tree, no DTD, so no entities but XML's own five, and limits that hold while reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.limits import BackupLimits, in_mib

_CHUNK = 64 * 1024
# How Moodle writes it.
NULL = "$@NULL@$"


class XmlStart(NamedTuple):
    """An element begins."""

    name: str
    attributes: Mapping[str, str]


class XmlEnd(NamedTuple):
    """An element ends. Shape: text: since the last element began or ended; None for Moodle's NULL"""

    name: str
    text: str | None


def read_events(stream: BinaryIO, name: str, limits: BackupLimits) -> Iterator[XmlStart | XmlEnd]:
    """Return the elements of an XML file as they begin and end.

    Raises: ArchiveRefused when it isn't well-formed, declares a document type, or goes beyond the limits
    """
    reader = _Reader(name, limits)
    while chunk := stream.read(_CHUNK):
        yield from reader.feed(chunk)
    yield from reader.feed(b"", is_last=True)


class _Reader:
    """One file. Shape: name: of the member, for messages"""

    def __init__(self, name: str, limits: BackupLimits) -> None:
        self._name = name
        self._limits = limits
        self._events: list[XmlStart | XmlEnd] = []
        self._text: list[str] = []
        self._length = 0
        self._depth = 0
        self._fed = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, is_last: bool = False) -> list[XmlStart | XmlEnd]:
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise ArchiveRefused(
                "backup_xml_broken", member=self._name, xmlline=error.lineno, xmlcolumn=error.offset + 1
            ) from None
        self._fed += len(chunk)
        # A tag that doesn't end would be kept in memory.
        if not is_last and self._fed - self._parser.CurrentByteIndex > self._limits.text + _CHUNK:
            raise self._too_long()
        # The parser keeps every name that it has met.
        if len(self._parser.intern) > self._limits.names:
            raise ArchiveRefused("backup_xml_names", member=self._name, limit=self._limits.names)
        events, self._events = self._events, []
        return events

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._limits.depth:
            raise ArchiveRefused("backup_xml_deep", member=self._name, limit=self._limits.depth)
        self._take_text()
        self._events.append(XmlStart(name, attributes))

    def _end(self, name: str) -> None:
        self._depth -= 1
        text = self._take_text()
        self._events.append(XmlEnd(name, None if text == NULL else text))

    def _characters(self, data: str) -> None:
        self._length += len(data)
        if self._length > self._limits.text:
            raise self._too_long()
        self._text.append(data)

    def _doctype(self, *_declared: object) -> None:
        raise ArchiveRefused("backup_xml_doctype", member=self._name)

    def _take_text(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        self._length = 0
        return text

    def _too_long(self) -> ArchiveRefused:
        return ArchiveRefused("backup_xml_text", member=self._name, limit=in_mib(self._limits.text))
