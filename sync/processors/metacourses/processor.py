"""`courses_meta`: let courses take their people from others, and cut such links."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import one_of, text
from sync.columns.column import About, DefaultColumn, OptionalColumn, RequiredColumn
from sync.columns.general_options import CourseIdentifier, GeneralOptions
from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import DISABLED, ENABLED, EnrolInstance
from sync.processors.base.errors import RowError
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.base.processor import Processor
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.meta_sync import META, sync_meta_instance
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.processors.metacourses.export import MetaLinksExporter
from sync.values import Action, Change, Outcome


@dataclass(frozen=True)
class MetaState:
    """Shape: memberships: of everybody in the courses that the rows name."""

    now: int
    memberships: MembershipState


class CoursesMetaOptions(GeneralOptions):
    courseidentifier = CourseIdentifier(
        aliases=("courses_filemetabindingidentifier",),
        help=_("What the columns master and meta hold."),
    )


class MetaLinkCells(Cells, subject="{master} → {meta}", elsewhere={"group": "elsewhere_method_group"}):
    """A link between two courses."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of("add", "del"), aliases=("operation",), default="add", sample="add",
                        help=_("add makes the link, del switches it off."))
    master = RequiredColumn(text(255), aliases=("metacohort",), refers=True, about=About.COURSE, sample="ALG1",
                            help=_("The course whose people are taken."))
    meta = RequiredColumn(text(255), aliases=("shortname",), refers=True, about=About.COURSE, sample="SEMINAR",
                          help=_("The course that gets them."))
    method = OptionalColumn(one_of("meta"), help=_("Known from Moodle's plugin for enrolment methods: meta."))
    disabled = OptionalColumn(one_of({"0": 0}), help=_("Known from the same: 0."))


class CoursesMeta(Processor[MetaLinkCells, MetaState, Plan]):
    """Links of the enrolment method meta, and the people whom they bring at once. Spec: courses.md section 5."""

    key = "courses_meta"
    label = _("Courses: metacourse links")
    summary = _("Let a course take its people from another one (enrolment method meta), or cut such a link.")
    default_filename = "metacourses.csv"
    after = ("users", "courses")
    # A row may bring everybody of a course.
    rows_per_chunk: ClassVar[int | None] = 50
    options = CoursesMetaOptions
    exporter = MetaLinksExporter

    def fetch(self, rows: Sequence[MetaLinkCells]) -> MetaState:
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={text for row in rows for text in (row.master, row.meta)},
            userids=None,
        )
        return MetaState(int(time.time()), memberships)

    def plan(self, rows: Sequence[MetaLinkCells], state: MetaState) -> Plan:
        plan = Plan()
        memberships = MembershipRows(state.memberships, plan, now=state.now)
        plan.outcomes.extend(
            plan_each(
                rows,
                lambda row: _plan_row(row, memberships),
                lambda row: f"{row.master} → {row.meta}",
            )
        )
        memberships.finish()
        return plan


def _plan_row(row: MetaLinkCells, rows: MembershipRows) -> Outcome:
    if META not in rows.state.enabled_methods:
        raise RowError("meta_not_enabled")
    master, child = _course(rows, row, MetaLinkCells.master), _course(rows, row, MetaLinkCells.meta)
    if master.id == child.id:
        raise RowError("meta_of_itself", "meta", course=row.meta)
    links = [i for i in rows.instances.of_course(child.id) if i.enrol == META and i.customint1 == master.id]
    link = links[0] if links else None
    if row.cmd == "del":
        return _cut(row, rows, link)
    return _tie(row, rows, link, master, child)


def _tie(
    row: MetaLinkCells, rows: MembershipRows, link: EnrolInstance | None, master: Course, child: Course
) -> Outcome:
    """Make the link, or switch it on again, and let the people of the master course follow at once."""
    before = rows.touches
    code = "meta_link_unchanged"
    if link is None:
        link = rows.add_instance(child.id, META, {"customint1": master.id}, row.line)
        code = "meta_link_created"
    elif rows.instances.set_status(link, ENABLED, row.line):
        link = link._replace(status=ENABLED)
        code = "meta_link_revived"
    present = set(rows.enrolled_by(link.id))
    sync_meta_instance(rows, link, row.line)
    new = len(set(rows.enrolled_by(link.id)) - present)
    changes = (Change("people", str(len(present)), str(len(present) + new)),) if new else ()
    if code == "meta_link_created":
        return Outcome(row.line, Action.CREATED, code, {"count": new}, changes=changes)
    if rows.touches == before:
        return Outcome(row.line, Action.UNCHANGED, code, {})
    return Outcome(
        row.line, Action.UPDATED, "meta_link_synced" if code == "meta_link_unchanged" else code, {}, changes=changes
    )


def _cut(row: MetaLinkCells, rows: MembershipRows, link: EnrolInstance | None) -> Outcome:
    """Switch the link off: its roles go, its enrolments stay without effect."""
    if link is None:
        raise RowError("meta_link_missing", "master", master=row.master, meta=row.meta)
    if not rows.instances.set_status(link, DISABLED, row.line):
        return Outcome(row.line, Action.UNCHANGED, "meta_link_off_already", {})
    for user in rows.enrolled_by(link.id):
        rows.unassign_roles_of(user, link, row.line)
    return Outcome(row.line, Action.UPDATED, "meta_link_disabled", {})


def _course(rows: MembershipRows, row: MetaLinkCells, column: RequiredColumn[str]) -> Course:
    return accepted(find_course(rows.state, column.of(row), column.name))
