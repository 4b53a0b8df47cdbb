"""What a site calls things that archives name: modules, roles, tags, custom fields, competencies, scales.

Ids of such things differ from site to site. Each property reads once what it needs.
Source: spec backup_format.md sections 5, 7 and 10
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from django.utils.functional import cached_property

from sync.moodle.course_content.backup.content import ArchivedRole
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, Writer, batched
from sync.moodle.versions import CONTEXT_COURSE

_QUESTION_TYPE = "qtype_"
# A filter that is switched off for the whole site. Source: TEXTFILTER_DISABLED
_DISABLED = -9999
# What a role may stand in for, where a site has no such role of its own.
_SECOND_CHOICE = {"editingteacher": "teacher"}


class SiteNames:
    """The names of one site. Queries: one for each kind of thing that is asked for"""

    def __init__(self, session: MoodleSession) -> None:
        self._session = session

    @cached_property
    def modules(self) -> dict[str, int]:
        return self._pairs("modules", "name", "id")

    @cached_property
    def blocks(self) -> dict[str, int]:
        return self._pairs("block", "name", "id")

    @cached_property
    def question_types(self) -> frozenset[str]:
        plugins = self._session.table("config_plugins")
        installed = sa.select(plugins.c.plugin).where(
            plugins.c.plugin.like("qtype\\_%", escape="\\"), plugins.c.name == "version"
        )
        return frozenset(plugin.removeprefix(_QUESTION_TYPE) for (plugin,) in self._session.fetch(installed))

    @cached_property
    def filters(self) -> frozenset[str]:
        """Those that aren't disabled for the whole site."""
        table = self._session.table("filter_active")
        enabled = sa.select(table.c.filter).where(
            table.c.contextid == self._session.system_contextid, table.c.active != _DISABLED
        )
        return frozenset(name for (name,) in self._session.fetch(enabled))

    @cached_property
    def capabilities(self) -> frozenset[str]:
        return frozenset(self._pairs("capabilities", "name", "id"))

    @cached_property
    def fields(self) -> dict[tuple[str, str, str], int]:
        """Custom fields. Shape: (area: "course", "group" …, short name, type) -> id"""
        custom, category = self._session.table("customfield_field"), self._session.table("customfield_category")
        found = self._session.fetch(
            sa.select(category.c.area, custom.c.shortname, custom.c.type, custom.c.id)
            .join(category, category.c.id == custom.c.categoryid)
            .order_by(custom.c.id.desc())
        )
        return {(area, shortname, kind): rowid for area, shortname, kind, rowid in found}

    @cached_property
    def competencies(self) -> dict[tuple[str, str], int]:
        """Shape: (idnumber of the framework, idnumber) -> id"""
        competency, framework = self._session.table("competency"), self._session.table("competency_framework")
        found = self._session.fetch(
            sa.select(framework.c.idnumber, competency.c.idnumber, competency.c.id).join(
                framework, framework.c.id == competency.c.competencyframeworkid
            )
        )
        return {(frame, idnumber): rowid for frame, idnumber, rowid in found}

    @cached_property
    def role_ids(self) -> dict[str, int]:
        """All roles of the site, by short name."""
        return self._pairs("role", "shortname", "id")

    @cached_property
    def scales(self) -> dict[str, int]:
        """The site's own scales. Shape: their items -> id"""
        return self._pairs("scale", "scale", "id", courseid=0)

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """The site's own outcomes, by short name."""
        return self._pairs("grade_outcomes", "shortname", "id", courseid=None)

    @cached_property
    def lti_types(self) -> frozenset[int]:
        """Tools of the whole site."""
        return frozenset(self._pairs("lti_types", "id", "id", course=self._siteid).values())

    def courseids(self, shortnames: Collection[str]) -> dict[str, int]:
        return self._named("course", "shortname", shortnames)

    def tags(self, names: Collection[str]) -> dict[str, int]:
        return self._named("tag", "name", names)

    def known_ids(self, table: str, ids: Collection[int]) -> set[int]:
        """Return those of the ids that are there."""
        return set(self._named(table, "id", ids).values()) if self._session.database.has_table(table) else set()

    def roles(self, archived: dict[int, ArchivedRole]) -> dict[int, int]:
        """Return for roles of an archive those of the site: by short name, else by archetype. Roles are never made."""
        role, levels = self._session.table("role"), self._session.table("role_context_levels")
        rows = self._session.fetch(
            sa.select(role.c.id, role.c.shortname, role.c.archetype)
            .join(levels, levels.c.roleid == role.c.id)
            .where(levels.c.contextlevel == CONTEXT_COURSE)
            .order_by(role.c.sortorder.desc())
        )
        by_name = {row.shortname: row.id for row in rows}
        by_archetype = {row.archetype: row.id for row in rows if row.archetype}
        found = {}
        for old, name in archived.items():
            second = _SECOND_CHOICE.get(name.archetype, "")
            new = by_name.get(name.shortname) or by_archetype.get(name.archetype) or by_archetype.get(second)
            if new is not None:
                found[old] = new
        return found

    @cached_property
    def _siteid(self) -> int:
        course = self._session.table("course")
        found = self._session.fetch(sa.select(course.c.id).where(course.c.category == 0))
        return int(found[0][0]) if found else 1

    def _pairs(self, table: str, key: str, value: str, **where: Any) -> dict[Any, Any]:
        if not self._session.database.has_table(table):
            return {}
        columns = self._session.table(table).c
        statement = sa.select(columns[key], columns[value]).order_by(columns.id.desc())
        return dict(self._session.fetch(statement.where(*(columns[name] == wanted for name, wanted in where.items()))))

    def _named(self, table: str, key: str, wanted: Collection[Any]) -> dict[Any, int]:
        columns = self._session.table(table).c
        found: dict[Any, int] = {}
        for part in batched(sorted(set(wanted)), MAX_KEYS):
            found |= dict(self._session.fetch(sa.select(columns[key], columns.id).where(columns[key].in_(part))))
        return found


def create_tags(writer: Writer, rawnames: dict[str, str], *, now: int) -> None:
    """Make tags. Shape: rawnames: name in small letters -> as it is written"""
    session = writer.session
    collection = session.table("tag_coll")
    default = session.fetch(sa.select(collection.c.id).order_by(collection.c.isdefault.desc(), collection.c.id))
    rows = [
        {
            "userid": session.operatorid, "tagcollid": default[0].id if default else 1, "name": name, "rawname": rawname,
            "isstandard": 0, "description": None, "descriptionformat": 0, "flag": 0, "timemodified": now,
        }
        for name, rawname in sorted(rawnames.items())
    ]  # fmt: skip
    writer.insert_many("tag", rows, ("name",))
