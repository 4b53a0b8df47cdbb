"""The column `template` of a file of courses: what new courses are made like, and how.

A template is a live course, named by its short name, or a backup (`course_archives.py`). Spec: courses.md section 1.5
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.moodle.course_content.delete.delete import unknown_plugins
from sync.moodle.course_content.graph.content_source import ContentSource, CourseTarget
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.restore.inventory import Inventory, fetch_inventories
from sync.moodle.course_content.restore.live_source import LiveCourse, fetch_content_weights
from sync.moodle.course_content.restore.restore_content import restore_content
from sync.moodle.course_content.restore.text_replacements import TextReplacement, replace_texts
from sync.moodle.courses.courses import Course
from sync.moodle.courses.creation import CourseRows, NewCourse
from sync.moodle.courses.rows import CourseRow
from sync.moodle.courses.sections import name_sections
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import is_temporary

# A chunk ends before so many rows of content, by rough estimate: one transaction, during which Moodle's users wait.
CHUNK_WEIGHT = 50_000

# What a course doesn't take over from its template; the site's defaults or the file's cells stand there.
_OWN_COLUMNS = (
    "category", "sortorder", "fullname", "shortname", "idnumber", "visible", "visibleold", "timecreated", "timemodified",
    "cacherev", "requested",
)  # fmt: skip
# Columns that refer to what is in the course; they are rewritten once that is known.
_REFERRING = ("summary", "defaultgroupingid")


@dataclass(frozen=True)
class Template:
    """A course that others are made like.

    Shape: key: the same for rows that mean the same; course: its row, as far as it is known; open: returns its content; weight:
    about how many rows that is; unknown: plugins whose tables aren't known; refusal: why it can't be used: code, parameters;
    is_backup: it isn't a course of the site; is_for_moodle: Moodle restores it; inventory: what is in it, where that was
    asked for
    """

    key: str
    course: Mapping[str, Any]
    open: Callable[[Writer, CourseGraph], ContentSource] = field(repr=False, compare=False)
    weight: int = 0
    unknown: tuple[str, ...] = ()
    refusal: tuple[str, Mapping[str, Any]] | None = None
    is_backup: bool = False
    is_for_moodle: bool = False
    inventory: Inventory = field(default_factory=Inventory, repr=False)

    @property
    def courseid(self) -> int:
        """The course that it is; 0 for a backup."""
        return 0 if self.is_backup else int(self.key)


class FromTemplate(NamedTuple):
    """How a course takes the content of its template.

    Shape: values, topics: see CourseTarget.values and NewCourse.sections; replacements: texts that change in a new course
    """

    template: Template
    date_offset: int
    values: Mapping[str, Any]
    topics: Mapping[int, Mapping[str, Any]]
    replacements: Sequence[TextReplacement] = ()


def fetch_templates(
    moodle: MoodleSession,
    graph: CourseGraph,
    texts: Collection[str],
    named: Mapping[str, Sequence[CourseRow]],
    *,
    with_inventory: bool = False,
) -> dict[str, Template]:
    """Return the templates that texts name.

    Shape: named: short name -> rows; absent = unknown
    Queries: four, with inventories those of `fetch_inventories` too; none without texts
    """
    rows = {text: named[text][0] for text in texts if named.get(text)}
    courses = {row["id"]: Course(row["id"], row["contextid"], row["path"] or "") for row in rows.values()}
    # Of courses that aren't in Moodle yet nothing can be read.
    present = [course for course in courses.values() if not is_temporary(course.id) and course.path]
    ids = [course.id for course in present]
    unknown = unknown_plugins(moodle, graph, present)
    weights = fetch_content_weights(moodle, ids)
    inventories = fetch_inventories(moodle, graph, ids) if with_inventory else {}
    columns = moodle.table("course").c.keys()
    return {
        text: Template(
            key=str(row["id"]),
            course={name: row[name] for name in columns if name in row} | {"originalcourseid": row["id"]},
            open=_opener(courses[row["id"]]),
            weight=weights.get(row["id"], 0),
            unknown=tuple(unknown.get(row["id"], ())),
            inventory=inventories.get(row["id"], Inventory()),
        )
        for text, row in rows.items()
    }


def find_template(templates: Mapping[str, Template], text: str) -> Template:
    """Return the template that a cell names.

    Raises: RowError when there is none, or when it can't be copied
    """
    template = templates.get(text)
    if template is None or template.course.get("deletioninprogress"):
        code = "course_template_archive" if is_archive(text) else "course_template_unknown"
        raise RowError(code, "template", template=text)
    if template.refusal:
        code, params = template.refusal
        raise RowError(code, "template", **params)
    if template.course.get("category") == 0:
        raise RowError("course_template_site", "template", template=text)
    if template.unknown:
        code = "course_backup_plugins" if template.is_backup else "course_template_plugins"
        raise RowError(code, "template", template=text, plugins=", ".join(template.unknown))
    return template


def is_archive(text: str) -> bool:
    """Tell whether a cell names a backup instead of a course."""
    return ".mbz" in text.lower()


def values_from(template: Template, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `course` for a course made like a template: the file's cells, then the template, then the site.

    Dates that follow from the template's move with the start.
    """
    course = template.course
    inherited = {name: value for name, value in course.items() if name not in (*_OWN_COLUMNS, "id")}
    values = {**{name: defaults[name] for name in _OWN_COLUMNS if name in defaults}, **inherited, **given}
    if "enddate" not in given and course["enddate"]:
        values["enddate"] = course["enddate"] + date_offset(template, values)
    if "defaultgroupingid" not in given:
        values["defaultgroupingid"] = 0
    return values


def date_offset(template: Template, values: Mapping[str, Any]) -> int:
    """Return by how many seconds the dates of the content move."""
    old, new = template.course["startdate"], values["startdate"]
    return int(new - old) if old and new else 0


def referring_values(template: Template, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the template's row that refer to what is in it, of those that the file leaves alone."""
    return {name: template.course[name] for name in _REFERRING if name not in given and name in template.course}


def target_of(course: NewCourse, made: CourseRows, how: FromTemplate) -> CourseTarget:
    """Return a new course as the place where content comes to."""
    return CourseTarget(
        made.id,
        made.context.id,
        made.context.path,
        how.date_offset,
        how.values,
        own_fields=frozenset(course.fields),
        own_options=frozenset(course.options),
    )


def restore_templates(
    writer: Writer, graph: CourseGraph, wanted: Sequence[tuple[CourseTarget, FromTemplate]], *, now: int
) -> None:
    """Fill courses with what is in their templates; each template is read once."""
    by_template: dict[str, list[tuple[CourseTarget, FromTemplate]]] = {}
    for item in wanted:
        by_template.setdefault(item[1].template.key, []).append(item)
    for items in by_template.values():
        source = items[0][1].template.open(writer, graph)
        restore_content(writer, graph, source, [target for target, _how in items], now=now)
    replace_texts(writer, {target.courseid: how.replacements for target, how in wanted})
    name_sections(writer, {target.courseid: how.topics for target, how in wanted if how.topics}, now=now)


def _opener(course: Course) -> Callable[[Writer, CourseGraph], ContentSource]:
    return lambda writer, graph: LiveCourse(writer.session, graph, course)
