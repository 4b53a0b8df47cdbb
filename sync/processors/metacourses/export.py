"""Metacourse links as a command file."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from sync.columns.general_options import GeneralOptions
from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.enrolments.enrolments import ENABLED
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.memberships.meta_sync import META


class MetaLinksExporter(Exporter[GeneralOptions]):
    """Links that are switched on; the scope is that of the courses that get the people."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    shows_people = False

    def header(self) -> list[str]:
        return ["cmd", "master", "meta"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        enrol, child = map(self.moodle.table, ("enrol", "course"))
        master = child.alias("master_course")
        identifier = self.options["courseidentifier"]
        joined = enrol.join(child, child.c.id == enrol.c.courseid).join(master, master.c.id == enrol.c.customint1)
        statement = (
            sa.select(
                enrol.c.id, master.c[identifier].label("master"), child.c[identifier].label("meta"),
                master.c.shortname.label("from_course"), child.c.shortname.label("into_course"),
            )
            .select_from(joined)
            .where(enrol.c.enrol == META, enrol.c.status == ENABLED, *self.courses_of_scope(child))
        )  # fmt: skip
        for rows in fetch_in_parts(self.moodle, statement, enrol.c.id):
            yield [
                ExportedRow(f"{row.from_course} → {row.into_course}", ["add", cell_of(row.master), cell_of(row.meta)])
                for row in rows
            ]
