"""Links in texts of a live course, and what they name.

Only whole addresses of the site itself are links here; relative ones and those to other places stay as they are.
Source: spec course_graph.md section 4; the link encoders of Moodle's backup
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import IdMap
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE
from sync.moodle.db.database import MoodleSession

_ACTIVITY = re.compile(r"/mod/([a-z0-9_]+)/([a-z0-9_]+)\.php")
# view.php of an activity takes the id of its own table under one of these letters.
_INSTANCE_LETTERS = "abcdfglnqrsuw"
_COURSE_PAGES = (
    "/course/view.php", "/grade/index.php", "/grade/report/index.php", "/badges/index.php", "/badges/view.php", "/user/index.php",
)  # fmt: skip
_SECTION_PAGE = "/course/section.php"
# What else scripts of an activity name.
_PARTS = {
    "book": {"chapterid": "book_chapters"},
    "data": {"rid": "data_records"},
    "forum": {"d": "forum_discussions", "parent": "forum_posts"},
    "glossary": {"courseid": COURSE, "eid": "glossary_entries"},
    "lesson": {"pageid": "lesson_pages"},
    "wiki": {"pageid": "wiki_pages"},
}


class LiveLinks:
    """Links of one site. Shape: wwwroot: "https://moodle.example/sub"; "" = unknown, there are no links then"""

    def __init__(self, wwwroot: str) -> None:
        self._bare = wwwroot.partition("://")[2].rstrip("/")
        root = re.escape(self._bare)
        # Bounded, or a text of nothing but beginnings of links would be read to its end from each of them.
        self._link = re.compile(rf"(?<=//{root})(?P<path>/[a-z0-9_/]{{1,200}}+\.php)\?(?P<query>[\w%=&;+.-]+)")
        self._file = re.compile(rf"(?<=//{root}/pluginfile\.php/)(?P<contextid>\d+)(?=/)")

    def has_links(self, text: str) -> bool:
        return bool(self._bare) and self._bare in text

    def rewrite(self, text: str, maps: IdMap) -> str:
        if not self.has_links(text):
            return text
        text = self._link.sub(lambda found: found["path"] + "?" + _query(found["path"], found["query"], maps), text)
        return self._file.sub(lambda found: str(maps.get(CONTEXT, int(found[0])) or found[0]), text)


def fetch_wwwroot(session: MoodleSession) -> str:
    """Return the address of the site: config.php holds it, the database only in the row of the site as a network host.

    Queries: one
    """
    hostid = session.config.get("mnet_localhost_id", "")
    if not hostid.isdigit() or not session.database.has_table("mnet_host"):
        return ""
    host = session.table("mnet_host")
    rows = session.fetch(sa.select(host.c.wwwroot).where(host.c.id == int(hostid)))
    return rows[0].wwwroot if rows else ""


def _query(path: str, query: str, maps: IdMap) -> str:
    """Return the query of a link with new ids, or as it is when any of the things isn't in the copy."""
    tables = _tables_of(path)
    # Odd places hold the separators, "&" or "&amp;".
    parts = re.split(r"(&amp;|&)", query)
    for place, part in enumerate(parts):
        name, _equals, value = part.partition("=")
        if name in tables and value.isdigit():
            new = maps.get(tables[name], int(value))
            if new is None:
                return query
            parts[place] = f"{name}={new}"
    return "".join(parts)


def _tables_of(path: str) -> Mapping[str, str]:
    """Return the table that each parameter of a script names."""
    if path in _COURSE_PAGES:
        return {"id": COURSE}
    if path == _SECTION_PAGE:
        return {"id": "course_sections"}
    found = _ACTIVITY.fullmatch(path)
    if found is None:
        return {}
    module, script = found.groups()
    if script == "index":
        return {"id": COURSE}
    instances = dict.fromkeys(_INSTANCE_LETTERS, module) if script == "view" else {}
    parts = _PARTS.get(module, {})
    return {"id": "course_modules", **parts, **instances}
