"""What custom fields of courses hold, as a command file."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from sync.moodle.courses.rows import fetch_course_fields
from sync.moodle.db.keyset import fetch_in_parts
from sync.processors.base.course_fields import field_cell
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.custom_fields.cells import CustomFieldsOptions


class FieldsExporter(Exporter[CustomFieldsOptions]):
    """A row for each value that is stored; what no course has stored stays away."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    shows_people = False

    def header(self) -> list[str]:
        return ["course", "field", "value"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        fields = {field.id: field for field in fetch_course_fields(self.moodle).values()}
        data, course = map(self.moodle.table, ("customfield_data", "course"))
        columns = [data.c[name] for name in ("id", "fieldid", "intvalue", "value")]
        statement = (
            sa.select(*columns, course.c[self.options.courseidentifier].label("named"), course.c.shortname)
            .select_from(data.join(course, course.c.id == data.c.instanceid))
            .where(data.c.fieldid.in_(sorted(fields)), *self.courses_of_scope(course))
        )
        for rows in fetch_in_parts(self.moodle, statement, data.c.id) if fields else ():
            yield [
                ExportedRow(
                    f"{row.shortname} / {(field := fields[row.fieldid]).shortname}",
                    [cell_of(row.named), field.shortname, field_cell(field, row._mapping, self.time_cell)],
                )
                for row in rows
            ]
