"""A backup that names everything which is called otherwise on another site: questions, roles, fields, conditions, links."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any

from tests.moodle.course_content.backup.archives import FILES, MANIFEST, activity, backup, file_row, manifest, tar_gz

COURSE, BANK, QUIZ, QUIZ_CM, PAGE_CM = 3, 40, 33, 9, 7
LINKS = (
    "$@PAGEVIEWBYID*7@$ $@BOOKVIEWBYIDCH*99*1@$ $@COURSEVIEWBYID*3@$ $@PLUGINFILEBYCONTEXT*31@$/mod_page/intro/a.png "
    "$@PLUGINFILEBYCONTEXTURLENCODED*31@$%2Fx $@H5PEMBED@$?url=1 $@FILEPHP@$$@SLASH@$a.txt$@FORCEDOWNLOAD@$ $@NOSUCH*1@$"
)
_HTML = f'O:8:"stdClass":1:{{s:4:"text";s:{len(LINKS)}:"{LINKS}";}}'


def xml(name: str, /, *within: str, **attributes: Any) -> str:
    named = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{named}>{''.join(within)}</{name}>"


def row(name: str, rowid: int | None, within: str = "", /, **values: Any) -> str:
    texts = "".join(xml(key, "$@NULL@$" if value is None else escape(str(value))) for key, value in values.items())
    return xml(name, texts, within, **({} if rowid is None else {"id": rowid}))


def category(rowid: int, contextid: int, level: int, parent: int, *entries: str, **more: Any) -> str:
    values = {
        "name": "top" if not parent else f"Category {rowid}", "contextid": contextid, "contextlevel": level, "info": "",
        "stamp": f"stamp {rowid}", "parent": parent, "sortorder": 0, "idnumber": None, **more,
    }  # fmt: skip
    return row("question_category", rowid, xml("question_bank_entries", *entries), **values)


def entry(rowid: int, kind: str = "description", tag: str = "") -> str:
    tags = xml("tags", row("tag", 5, name=tag.lower(), rawname=tag, contextid=BANK)) if tag else ""
    question = row(
        "question", rowid, tags, parent=0, name="Q", questiontext="?", qtype=kind, stamp=f"q{rowid}", createdby=77
    )
    version = row("question_versions", rowid, xml("questions", question), version=1, status="ready")
    return row("question_bank_entry", rowid, xml("question_version", version), idnumber=None, ownerid=77)


def slot(number: int, within: str) -> str:
    return row("question_instance", number, within, slot=number, page=1, maxmark="1.0000000")


def reference(number: int, entryid: int) -> str:
    values = {"usingcontextid": QUIZ, "component": "mod_quiz", "questionarea": "slot", "questionbankentryid": entryid}
    return row("question_reference", number, **values)


def random_reference(number: int, condition: dict[str, Any]) -> str:
    values = {"usingcontextid": QUIZ, "component": "mod_quiz", "questionarea": "slot", "questionscontextid": BANK}
    return row("question_set_reference", number, **values, filtercondition=json.dumps(condition))


OLD_FILTER = {"questioncategoryid": 2, "includingsubcategories": True, "tags": ["5,frog"]}
NEW_FILTER = {
    "filter": {"category": {"jointype": 1, "values": ["2"], "filteroptions": {"includesubcategories": True}}},
    "cat": f"2,{BANK}",
}


def rich_backup() -> bytes:
    """Return the backup: a page and a quiz; questions in the course's bank, the quiz's, and that of a category of courses."""
    members = backup(activities=(("page", PAGE_CM), ("quiz", QUIZ_CM)))
    questions = xml(
        "question_categories",
        category(1, BANK, 50, 0), category(2, BANK, 50, 1, entry(11, tag="Frog"), entry(12, "foo"), idnumber="one"),
        category(3, QUIZ, 70, 0), category(4, QUIZ, 70, 3, entry(13)),
        category(5, 99, 40, 0), category(6, 99, 40, 5, entry(14), idnumber="one", stamp="stamp 2"),
    )  # fmt: skip
    slots = xml(
        "question_instances", slot(1, reference(1, 11)), slot(2, reference(2, 12)), slot(3, reference(3, 13)),
        slot(4, random_reference(4, OLD_FILTER)), slot(5, random_reference(5, NEW_FILTER)),
    )  # fmt: skip
    sections = xml(
        "sections",
        *(row("section", first, firstslot=first, heading=name) for first, name in ((1, "A"), (2, "B"), (3, "C"))),
    )
    availability = json.dumps({"op": "&", "c": [{"type": "completion", "cm": PAGE_CM, "e": 1}], "showc": [True]})
    module = row("module", QUIZ_CM, modulename="quiz", sectionid=5, visible=1, availability=availability)
    item = row(
        "grade_item", 21, categoryid=8, itemname="Quiz", itemtype="mod", itemmodule="quiz", iteminstance=90, itemnumber=0,
        scaleid=6, gradetype=1, needsupdate=0,
    )  # fmt: skip
    scale = row("scale", 6, courseid=0, userid=77, name="Of us", scale="no,yes", description="")
    overrides = xml(
        "role_overrides", row("override", None, roleid=5, capability="moodle/known:one", permission=-1),
        row("override", None, roleid=5, capability="moodle/unknown:one", permission=-1),
        row("override", None, roleid=8, capability="moodle/known:one", permission=-1),
    )  # fmt: skip
    field = {"value": "chem", "valueformat": 0}
    course = row(
        "course", COURSE,
        xml("customfields", row("customfield", 1, shortname="faculty", type="text", **field),
            row("customfield", 2, shortname="unknown", type="text", **field)),
        shortname="CHEM", fullname="Chemistry", summary=LINKS, format="foo", startdate=0, enablecompletion=1,
    ).replace("<course ", '<course contextid="30" ')  # fmt: skip
    return tar_gz({
        **members,
        MANIFEST: manifest(activities=(("page", PAGE_CM), ("quiz", QUIZ_CM)), original_site_identifier_hash=""),
        "course/course.xml": course.encode(),
        FILES: file_row(component="question", filearea="questiontext", itemid="14", contextid="99", filepath="/a/"),
        "course/roles.xml": xml("roles", overrides).encode(),
        "course/calendar.xml": xml("events", row("event", 1, name="E", eventtype="course", type=0, timestart=9, courseid=COURSE),
                                   row("event", 2, name="A", eventtype="due", type=1, timestart=9)).encode(),
        "course/blocks/html_1/block.xml": block(1, "html"),
        "course/blocks/foo_2/block.xml": block(2, "foo"),
        "roles.xml": xml("roles_definition", row("role", 5, shortname="learner", archetype="student", nameincourse="Pupil"),
                         row("role", 8, shortname="odd", archetype="", nameincourse=None)).encode(),
        "scales.xml": xml("scales_definition", scale).encode(),
        "questions.xml": questions.encode(),
        "completion.xml": (
            "<course_completion>" + row("course_completion_criteria", 1, criteriatype=7, role=5)
            + row("course_completion_criteria", 2, criteriatype=8, courseinstanceshortname="NOBODY")
            + row("course_completion_criteria", 3, criteriatype=4, module="quiz", moduleinstance=QUIZ_CM) + "</course_completion>"
        ).encode(),
        f"activities/quiz_{QUIZ_CM}/quiz.xml": activity("quiz", slots + sections, cmid=QUIZ_CM, instance=90, contextid=QUIZ),
        f"activities/quiz_{QUIZ_CM}/module.xml": module.encode(),
        f"activities/quiz_{QUIZ_CM}/grades.xml": xml("activity_gradebook", xml("grade_items", item)).encode(),
    })  # fmt: skip


def block(rowid: int, name: str) -> bytes:
    values = {"blockname": name, "parentcontextid": 30, "pagetypepattern": "course-view-*", "defaultregion": "side-pre"}
    return (
        row("block", rowid, **values, configdata=base64.b64encode(_HTML.encode()).decode())
        .replace("<block ", f'<block contextid="{500 + rowid}" ')
        .encode()
    )
