"""A Moodle that is sound and has a row of everything that is checked, to be damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.moodle.db.database import MoodleConnection
from sync.moodle.files.file_pool import EMPTY_HASH, FilePool, file_pool_of
from sync.moodle.files.files import pathname_hash
from tests.moodle.course_content.furniture import insert
from tests.moodle_sites import MoodleSite

CONTENT = b"what somebody keeps"
HASH = hashlib.sha1(CONTENT).hexdigest()
STUDENT = 5


@dataclass
class Ground:
    """Shape: ids: what things are called here -> ids of their rows; dataroot: Moodle's data folder."""

    site: MoodleSite
    dataroot: Path
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def pool(self) -> FilePool | None:
        return file_pool_of(MoodleConnection("", dataroot=self.dataroot))

    @property
    def blob(self) -> Path:
        """The content of the one file."""
        return self.dataroot / "filedir" / HASH[:2] / HASH[2:4] / HASH

    def add(self, name: str, table: str, **values: Any) -> int:
        self.ids[name] = insert(self.site, table, values)
        return self.ids[name]

    def change(self, name: str, table: str, **values: Any) -> None:
        columns = ", ".join(f"{column} = :{column}" for column in values)
        self.site.execute(f"UPDATE {{{table}}} SET {columns} WHERE id = :rowid", rowid=self.ids[name], **values)

    def add_context(self, name: str, level: int, parent: str) -> None:
        """Add the context of the thing of that name, below another one's."""
        holder: Mapping[str, Any] = (
            self.site.one("context", id=self.ids[f"{parent} context"]) if parent else {"path": "/1", "depth": 1}
        )
        own = self.add(
            f"{name} context", "context", contextlevel=level, instanceid=self.ids[name], depth=holder["depth"] + 1
        )
        self.change(f"{name} context", "context", path=f"{holder['path']}/{own}")

    def add_file(self, name: str, filepath: str, filename: str, **more: Any) -> int:
        place = {
            "contextid": self.ids["page context"], "component": "mod_page", "filearea": "content", "itemid": 0,
            "filepath": filepath, "filename": filename,
        } | more  # fmt: skip
        content = {"contenthash": EMPTY_HASH, "filesize": 0}
        if filename != ".":
            content = {"contenthash": HASH, "filesize": len(CONTENT)}
        return self.add(name, "files", **{**content, **place}, pathnamehash=pathname_hash(place))


def make_ground(site: MoodleSite, folder: Path) -> Ground:
    ground = Ground(site, folder, {name: site.ids[name] for name in ("C1", "C1 context", "C1 manual", "C2", "ann")})
    ground.ids["C2 context"], ground.ids["C2 manual"] = site.ids["C2 context"], site.ids["C2 manual"]
    ground.blob.parent.mkdir(parents=True)
    ground.blob.write_bytes(CONTENT)
    put_in_order(site)
    for add in (_add_category, _add_activities, _add_people, _add_grades, _add_questions, _add_quiz, _add_files):
        add(ground)
    return ground


def put_in_order(site: MoodleSite) -> None:
    """Bring the base of the tests into Moodle's order; the blocks of its contexts weren't captured."""
    site.execute("DELETE FROM {context} WHERE contextlevel = 80")
    site.execute("UPDATE {course_categories} SET coursecount = 2")
    for place, name in enumerate(("C1", "C2"), start=1):
        site.execute("UPDATE {course} SET sortorder = :order WHERE id = :id", order=10_000 + place, id=site.ids[name])


def _add_category(ground: Ground) -> None:
    own = ground.add("category", "course_categories", parent=0, depth=1, sortorder=20_000, coursecount=0)
    ground.change("category", "course_categories", path=f"/{own}")
    ground.add_context("category", 40, "")


def _add_activities(ground: Ground) -> None:
    for number, name in enumerate(("section", "second section", "empty section")):
        ground.add(name, "course_sections", course=ground.ids["C1"], section=number, sequence="")
    for name, module, section in (
        ("page", "page", "section"),
        ("quiz", "quiz", "section"),
        ("bare", "page", "second section"),
    ):
        _add_activity(ground, name, module, section)
    block = {"parentcontextid": ground.ids["C1 context"], "blockname": "html"}
    ground.add("block", "block_instances", **block)
    ground.add_context("block", 80, "C1")
    if "subsection" in ground.site.table_names:
        _add_activity(ground, "subsection", "subsection", "section")
        delegate = {"component": "mod_subsection", "itemid": ground.ids["subsection row"], "sequence": ""}
        ground.add("delegated section", "course_sections", course=ground.ids["C1"], section=3, **delegate)


def _add_activity(ground: Ground, name: str, module: str, section: str) -> None:
    course = ground.ids["C1"]
    row = ground.add(f"{name} row", module, course=course)
    place = {"course": course, "module": ground.site.one("modules", name=module)["id"], "section": ground.ids[section]}
    cm = ground.add(name, "course_modules", **place, instance=row, deletioninprogress=0)
    listed = ground.site.one("course_sections", id=ground.ids[section])["sequence"]
    ground.change(section, "course_sections", sequence=f"{listed},{cm}".strip(","))
    ground.add_context(name, 70, "C1")


def _add_people(ground: Ground) -> None:
    course, ann = ground.ids["C1"], ground.ids["ann"]
    method = ground.add("cohort method", "enrol", enrol="cohort", courseid=course, roleid=STUDENT, status=0)
    ground.add("enrolment", "user_enrolments", enrolid=method, userid=ann, status=0)
    role = {"roleid": STUDENT, "contextid": ground.ids["C1 context"], "userid": ann}
    ground.add("role", "role_assignments", **role, component="enrol_cohort", itemid=method)
    group = ground.add("group", "groups", courseid=course)
    grouping = ground.add("grouping", "groupings", courseid=course)
    ground.add("group in grouping", "groupings_groups", groupid=group, groupingid=grouping)
    ground.add("member", "groups_members", groupid=group, userid=ann)
    ground.add("C2 group", "groups", courseid=ground.ids["C2"])


def _add_grades(ground: Ground) -> None:
    course = {"courseid": ground.ids["C1"]}
    top = ground.add("grade category", "grade_categories", **course, parent=None, depth=1)
    ground.change("grade category", "grade_categories", path=f"/{top}/")
    sub = ground.add("grade subcategory", "grade_categories", **course, parent=top, depth=2)
    ground.change("grade subcategory", "grade_categories", path=f"/{top}/{sub}/")
    ground.add("course total", "grade_items", **course, itemtype="course", iteminstance=top)
    of_quiz = {"itemtype": "mod", "itemmodule": "quiz", "iteminstance": ground.ids["quiz row"]}
    item = ground.add("quiz item", "grade_items", **course, **of_quiz, categoryid=sub)
    ground.add("manual item", "grade_items", **course, itemtype="manual", categoryid=top)
    ground.add("grade", "grade_grades", itemid=item, userid=ground.ids["ann"])


def _add_questions(ground: Ground) -> None:
    place = {"contextid": ground.ids["C1 context"]}
    top = ground.add("top question category", "question_categories", **place, parent=0)
    category = ground.add("question category", "question_categories", **place, parent=top)
    entry = ground.add("entry", "question_bank_entries", questioncategoryid=category)
    question = ground.add("question", "question", parent=0, qtype="truefalse")
    ground.add("version", "question_versions", questionbankentryid=entry, version=1, questionid=question)


def _add_quiz(ground: Ground) -> None:
    quiz = ground.ids["quiz row"]
    ground.add("quiz section", "quiz_sections", quizid=quiz, firstslot=1)
    use = {"usingcontextid": ground.ids["quiz context"], "component": "mod_quiz", "questionarea": "slot"}
    slot = ground.add("slot", "quiz_slots", quizid=quiz, slot=1, page=1)
    entry = {"questionbankentryid": ground.ids["entry"], "version": None}
    ground.add("reference", "question_references", **use, itemid=slot, **entry)
    slot = ground.add("random slot", "quiz_slots", quizid=quiz, slot=2, page=2)
    bank = {"questionscontextid": ground.ids["C1 context"]}
    ground.add("set reference", "question_set_references", **use, itemid=slot, **bank)


def _add_files(ground: Ground) -> None:
    ground.add_file("top folder", "/", ".")
    ground.add_file("folder", "/sub/", ".")
    ground.add_file("file", "/sub/", "a.txt")
    reference = ground.add("file reference", "files_reference")
    ground.add_file("alias", "/", "b.txt", referencefileid=reference, contenthash="0" * 40)
