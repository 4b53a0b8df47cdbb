"""Links in texts of an archive: what they lead to in the restored course.

Moodle's backup writes `$@PAGEVIEWBYID*25@$` for a link into its own course. Where the archive doesn't hold what is linked to, the
link leads to the original site again.
Source: spec backup_format.md section 4; backup_links.json
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

from sync.moodle.course_content.graph.content_source import IdMap
from sync.moodle.course_content.graph.graph import COURSE
from sync.moodle.versions import Feature

_MARK = "$@"
_TOKEN = re.compile(r"\$@([A-Z0-9]+)\*(\d{1,18})(?:\*(\d{1,18}))?@\$")
_COURSE_FILES = "$@FILEPHP@$"
# Tokens that stand for a piece of an address and hold no id.
_PIECES = {"$@SLASH@$": "/", "$@FORCEDOWNLOAD@$": "?forcedownload=1"}
_H5P, _H5P_PAGE = "$@H5PEMBED@$", "/h5p/embed.php"


class _Link(NamedTuple):
    """What a token stands for. Shape: url: "/mod/page/view.php?id=$1"; ids: table of each id; older: (feature, url before it)"""

    url: str
    ids: tuple[str, ...]
    is_encoded: bool
    older: tuple[Feature, str] | None


class ArchiveLinks:
    """The links of one archive.

    Shape: origin: address of the site that the archive comes from; wwwroot: of the site that it goes to, "" = not known: links
    are then relative to the server; version: of Moodle there; courseid: the old one
    """

    def __init__(self, origin: str, wwwroot: str, version: float, courseid: int) -> None:
        self._origin = origin.rstrip("/")
        self._wwwroot = wwwroot.rstrip("/")
        self._version = version
        self._courseid = courseid

    def has_links(self, text: str) -> bool:
        return _MARK in text

    def rewrite(self, text: str, maps: IdMap) -> str:
        if _MARK not in text:
            return text
        text = _TOKEN.sub(lambda found: self._address(found, maps), text)
        text = text.replace(_H5P, self._wwwroot + _H5P_PAGE)
        if _COURSE_FILES in text:
            text = text.replace(_COURSE_FILES, f"{self._wwwroot}/file.php/{maps.get(COURSE, self._courseid)}")
        for token, piece in _PIECES.items():
            text = text.replace(token, piece)
        return text

    def _address(self, found: re.Match[str], maps: IdMap) -> str:
        link = _links().get(found[1])
        old = [int(number) for number in found.groups()[1:] if number]
        if link is None or len(old) != len(link.ids):
            return found[0]
        new = [maps.get(table, number) for table, number in zip(link.ids, old, strict=True)]
        known = [number for number in new if number is not None]
        is_here = len(known) == len(new)
        address = self._wwwroot if is_here else self._origin
        url = link.older[1] if link.older and not link.older[0].is_in(self._version) else link.url
        for place, number in enumerate(known if is_here else old, start=1):
            url = url.replace(f"${place}", str(number))
        return quote(address + url, safe="") if link.is_encoded else address + url


@cache
def _links() -> dict[str, _Link]:
    document = json.loads(files(__package__).joinpath("backup_links.json").read_text(encoding="utf-8"))
    return {
        row["token"]: _Link(
            row["url"],
            tuple(row["ids"]),
            row.get("encoded", False),
            (Feature[row["until"]["feature"]], row["until"]["url"]) if "until" in row else None,
        )
        for row in document["tokens"]
    }
