"""What a backup's XML becomes: rows of Moodle's tables, with nothing that people did, and nothing that isn't known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.moodle.course_content.backup.content import ArchivedContent
from sync.moodle.course_content.backup.row_spool import RowSpool
from sync.moodle.course_content.graph.content_source import BATCH_ROWS, SourceContext
from tests.moodle.course_content.backup.archives import (
    BLOB,
    FILES,
    MANIFEST,
    PAGE,
    PICTURE,
    activity,
    backup,
    file_row,
    manifest,
    opened,
    tar_gz,
    zipped,
)

Open = Callable[..., ArchivedContent]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Open]:
    """Open a sound backup to which members are added."""
    contents: list[ArchivedContent] = []

    def read(members: dict[str, bytes], **how: Any) -> ArchivedContent:
        contents.append(opened(tmp_path / f"archive{len(contents)}", tar_gz({**backup(), **members}), **how))
        return contents[-1]

    yield read
    for content in contents:
        content.close()


def rows(content: ArchivedContent, table: str) -> list[dict[str, Any]]:
    return [dict(row) for batch in content.rows(table) for row in batch]


def of_module(read: Open, module: str, within: str) -> ArchivedContent:
    return read(
        {MANIFEST: manifest(activities=[(module, 7)]), f"activities/{module}_7/{module}.xml": activity(module, within)}
    )


def test_tar_and_zip_hold_the_same(tmp_path: Path) -> None:
    found = []
    for pack in (tar_gz, zipped):
        with opened(tmp_path / pack.__name__, pack(backup())) as content:
            found.append([{table: rows(content, table) for table in content.tables()}, list(content.files())])
            with content.open_blob(BLOB[-40:]) as blob:
                assert blob.read() == PICTURE

    assert found[0] == found[1]
    assert found[0][0] == {
        "page": [{"id": 70, "name": "The page", "content": "Hello", "course": 3}],
        "course_modules": [
            {
                "id": 7, "version": "1", "modulename": "page", "sectionid": "5", "course": 3, "section": "5", "instance": 70,
            }
        ],
        "course_sections": [{"id": 5, "section": "1", "sequence": "7", "course": 3}],
    }  # fmt: skip


def test_values_are_texts_or_null_and_blanks_between_elements_are_nothing(read: Open) -> None:
    within = "<intro>\n a &lt;b&gt; &amp; ü \n</intro><content>$@NULL@$</content><display/>\n  <tags>\n </tags>"
    page = rows(read({PAGE: activity("page", within)}), "page")

    assert page == [
        {
            "id": 70,
            "name": "The page",
            "intro": "\n a <b> & ü \n",
            "content": None,
            "display": "",
            "tags": "\n ",
            "course": 3,
        }
    ]


def test_elements_are_renamed_and_know_what_they_stand_in(read: Open) -> None:
    content = of_module(
        read,
        "lesson",
        '<pages><page id="11"><title>One</title><answers><answer id="21"><answer_text>Yes</answer_text>'
        '<attempts><attempt id="1"><userid>5</userid></attempt></attempts></answer></answers></page></pages>',
    )

    assert rows(content, "lesson_pages") == [{"id": 11, "title": "One", "lessonid": 70}]
    assert rows(content, "lesson_answers") == [{"id": 21, "answer": "Yes", "pageid": 11, "lessonid": 70}]
    assert content.tables() == {"course_sections", "lesson", "lesson_answers", "lesson_pages"}
    assert content.skipped == {}


def test_overrides_of_people_are_left_out(read: Open) -> None:
    content = of_module(
        read,
        "quiz",
        '<overrides><override id="1"><userid>5</userid></override>'
        '<override id="2"><userid>$@NULL@$</userid><groupid>4</groupid></override></overrides>',
    )

    assert rows(content, "quiz_overrides") == [{"id": 2, "userid": None, "groupid": "4", "quiz": 70}]


def test_what_plugins_add_is_counted_when_it_holds_something(read: Open) -> None:
    content = read(
        {
            PAGE: activity(
                "page",
                "<plugin_local_fox_page>\n</plugin_local_fox_page><plugin_tool_owl_page><x><y>1</y></x><x/>"
                "</plugin_tool_owl_page><intro>Kept</intro><strange><thing>1</thing></strange>",
            )
        }
    )

    assert content.skipped == {"plugin_tool_owl_page": 1, "strange": 1}
    assert rows(content, "page") == [{"id": 70, "name": "The page", "intro": "Kept", "course": 3}]


def test_rows_without_a_number_get_one_above_all_others(read: Open) -> None:
    option = "<courseformatoption><name>{}</name></courseformatoption>"
    content = read(
        {
            "course/course.xml": (
                '<course id="3"><courseformatoptions>'
                + option.format("a")
                + option.format("b")
                + "</courseformatoptions>"
                '<tags><tag id="9"><rawname>Red</rawname></tag></tags></course>'
            ).encode(),
            "sections/section_5/section.xml": b'<section id="5"><course_format_options id="77"><name>c</name>'
            b"</course_format_options></section>",
        }
    )

    options = rows(content, "course_format_options")
    assert [row["name"] for row in options] == ["c", "a", "b"]
    assert [row["id"] for row in options] == sorted({row["id"] for row in options})
    assert options[1]["id"] > 10**10
    assert (options[0]["sectionid"], options[0]["courseid"]) == (5, 3)
    # The number of a tag is not that of its use.
    (tag,) = rows(content, "tag_instance")
    assert tag["id"] != 9
    assert {**tag, "id": 0} == {
        "id": 0, "rawname": "Red", "tagid": "9", "itemtype": "course", "itemid": 3, "component": "core", "contextid": 30,
    }  # fmt: skip


def test_a_question_and_what_it_shares_with_others(read: Open) -> None:
    dataset = (
        '<dataset_definitions><dataset_definition id="6"><name>x</name><dataset_items><dataset_item id="8"><number>1</number>'
        "</dataset_item></dataset_items></dataset_definition></dataset_definitions>"
    )
    question = (
        '<question_bank_entry id="{0}"><question_version><question_versions id="{0}"><version>1</version><questions>'
        '<question id="{1}"><qtype>calculated</qtype><plugin_qtype_calculated_question><answers><answer id="{1}">'
        "<answertext>42</answertext></answer></answers>" + dataset + "</plugin_qtype_calculated_question></question>"
        "</questions></question_versions></question_version></question_bank_entry>"
    )
    content = read(
        {
            "questions.xml": (
                '<question_categories><question_category id="1"><contextid>30</contextid><contextlevel>50</contextlevel>'
                f"<question_bank_entries>{question.format(100, 200)}{question.format(101, 201)}</question_bank_entries>"
                "</question_category></question_categories>"
            ).encode()
        }
    )

    assert [
        (row["id"], row["questionbankentryid"], row["questionid"]) for row in rows(content, "question_versions")
    ] == [
        (100, 100, 200),
        (101, 101, 201),
    ]
    assert [(row["id"], row["question"], row["answer"]) for row in rows(content, "question_answers")] == [
        (200, 200, "42"),
        (201, 201, "42"),
    ]
    assert [row["id"] for row in rows(content, "question_dataset_definitions")] == [6]
    assert rows(content, "question_dataset_items") == [{"id": 8, "itemnumber": "1", "definition": 6}]
    assert [(row["question"], row["datasetdefinition"]) for row in rows(content, "question_datasets")] == [
        (200, 6),
        (201, 6),
    ]
    assert content.skipped == {}


def test_tools_of_the_site_and_secrets_of_another_site_are_left_out(read: Open) -> None:
    tool = (
        '<ltitype id="{}"><name>T</name><course>{}</course><ltitypesconfigs><ltitypesconfig id="{}"><name>a</name>'
        '</ltitypesconfig></ltitypesconfigs></ltitype><password encrypted="true">c2VjcmV0</password>'
    )
    members = {
        MANIFEST: manifest(activities=[("lti", 7), ("lti", 8), ("lti", 9)]),
        **{
            f"activities/lti_{cmid}/lti.xml": activity(
                "lti", tool.format(*ids), cmid=cmid, instance=cmid * 10, contextid=cmid * 100
            )
            for cmid, ids in {7: (1, 3, 11), 8: (1, 3, 11), 9: (2, 1, 12)}.items()
        },
    }
    content = read(members)

    assert [(row["id"], row["course"]) for row in rows(content, "lti_types")] == [(1, "3")]
    assert [(row["id"], row["typeid"]) for row in rows(content, "lti_types_config")] == [(11, 1)]
    assert [row["password"] for row in rows(content, "lti")] == [None, None, None]


def test_events_of_people_and_those_that_moodle_makes_anew_are_left_out(read: Open) -> None:
    event = '<event id="{}"><courseid>{}</courseid><eventtype>{}</eventtype><type>{}</type></event>'
    course = [(1, 3, "course", 0), (2, 3, "group", 0), (3, 3, "user", 0), (4, 3, "course", 1)]
    module = [(5, 3, "open", 0), (6, 3, "due", 1), (7, 0, "due", 0), (8, 3, "user", 0)]
    content = read(
        {
            path: f"<events>{''.join(event.format(*values) for values in events)}</events>".encode()
            for path, events in (("course/calendar.xml", course), ("activities/page_7/calendar.xml", module))
        }
    )

    assert [row["id"] for row in rows(content, "event")] == [1, 2, 5]


def test_outcomes_and_names_of_roles_bring_rows_along(read: Open) -> None:
    content = read(
        {
            "outcomes.xml": b'<outcomes_definition><outcome id="4"><courseid>$@NULL@$</courseid></outcome></outcomes_definition>',
            "roles.xml": b'<roles_definition><role id="5"><shortname>student</shortname><archetype>student</archetype>'
            b'<nameincourse>Apprentice</nameincourse></role><role id="6"><shortname>x</shortname>'
            b"<nameincourse>$@NULL@$</nameincourse></role></roles_definition>",
        }
    )

    assert rows(content, "grade_outcomes") == [{"id": 4, "courseid": None}]
    assert [(row["courseid"], row["outcomeid"]) for row in rows(content, "grade_outcomes_courses")] == [(3, 4)]
    assert [(row["roleid"], row["contextid"], row["name"]) for row in rows(content, "role_names")] == [
        (5, 30, "Apprentice")
    ]
    assert content.roles()[5] == ("student", "student", "Apprentice")
    assert content.roles()[6] == ("x", "", "")
    assert "role" not in content.tables()


def test_blocks_of_the_course_and_of_an_activity_have_contexts(read: Open) -> None:
    block = '<block id="{0}" contextid="{1}"><blockname>html</blockname><parentcontextid>{2}</parentcontextid></block>'
    override = b'<roles><role_overrides><override id="2"><roleid>5</roleid></override></role_overrides></roles>'
    content = read(
        {
            "course/blocks/html_1/block.xml": block.format(1, 41, 30).encode(),
            "course/blocks/html_1/roles.xml": override,
            "activities/page_7/blocks/html_2/block.xml": block.format(2, 42, 31).encode(),
            # The manifest doesn't list this activity.
            "activities/page_8/blocks/html_3/block.xml": block.format(3, 43, 32).encode(),
        }
    )

    assert content.contexts() == {
        30: SourceContext(50, 3),
        31: SourceContext(70, 7),
        41: SourceContext(80, 1),
        42: SourceContext(80, 2),
    }
    assert [(row["id"], row["parentcontextid"]) for row in rows(content, "block_instances")] == [(1, "30"), (2, "31")]
    assert rows(content, "role_capabilities") == [{"id": 2, "roleid": "5", "contextid": 41}]


@pytest.mark.parametrize(
    ("changed", "is_content"),
    [
        ({}, True),
        ({"component": "mod_page", "contenthash": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "filesize": "0"}, True),
        ({"component": "mod_forum", "filearea": "post"}, False),
        ({"component": "user", "filearea": "icon"}, False),
    ],
    ids=["of the page", "empty", "of a post", "of a user"],
)
def test_files_of_people_are_left_out(read: Open, changed: dict[str, str], is_content: bool) -> None:
    content = read({FILES: file_row(**changed)})

    assert [row["id"] for batch in content.files() for row in batch] == [9] * is_content
    assert all(content.has_blob(row["contenthash"]) for batch in content.files() for row in batch)


@pytest.mark.parametrize(("component", "is_content"), [("mod_page", False), ("question", True), ("qtype_match", True)])
def test_files_that_nothing_refers_to_are_left_out_but_for_those_of_questions(
    read: Open, component: str, is_content: bool
) -> None:
    content = read({FILES: file_row(component=component), "activities/page_7/inforef.xml": b"<inforef/>"})

    assert [row["id"] for batch in content.files() for row in batch] == [9] * is_content


def test_a_backup_may_lack_the_bytes_of_its_files(tmp_path: Path) -> None:
    members = {name: data for name, data in backup(include_files="0").items() if name != BLOB}

    with opened(tmp_path / "archive", tar_gz(members)) as content:
        assert [row["id"] for batch in content.files() for row in batch] == [9]
        assert not content.has_blob(BLOB[-40:])


@pytest.mark.parametrize(
    ("module", "modules"),
    [("fox", None), ("page", ["quiz"])],
    ids=["that we don't know", "that the target lacks"],
)
def test_activities_of_a_module_are_left_out_with_all_that_belongs_to_them(
    read: Open, module: str, modules: list[str] | None
) -> None:
    content = read({MANIFEST: manifest(activities=[(module, 7)])}, modules=modules)

    assert [activity.moduleid for activity in content.left_out] == [7]
    assert content.tables() == {"course_sections"}
    assert rows(content, "course_sections")[0]["sequence"] == ""
    assert set(content.contexts()) == {30}
    assert list(content.files()) == []


def test_the_file_of_another_module_is_not_read(read: Open) -> None:
    content = read({"activities/page_7/quiz.xml": activity("quiz", "")})

    assert content.tables() == {"course_modules", "course_sections", "page"}


def test_a_course_may_have_no_start(tmp_path: Path) -> None:
    with opened(tmp_path / "archive", tar_gz(backup(original_course_startdate=""))) as content:
        assert content.manifest.startdate == 0


def test_an_activity_that_the_backup_does_not_include_is_not_read(read: Open) -> None:
    content = read({MANIFEST: manifest(left_out="page_7")})

    assert content.left_out == []
    assert content.tables() == {"course_sections"}


def test_rows_come_in_batches_of_few_rows_and_of_little_text(tmp_path: Path) -> None:
    spool = RowSpool(tmp_path / "rows.sqlite")
    for number in range(BATCH_ROWS + 1, 0, -1):
        spool.add("groups", {"id": number})
    for number in range(3):
        spool.add("page", {"id": number, "content": "x" * 10 * 1024**2})
    spool.finish()

    assert [len(batch) for batch in spool.batches("groups")] == [BATCH_ROWS, 1]
    assert [batch[0]["id"] for batch in spool.batches("groups")] == [1, BATCH_ROWS + 1]
    assert [len(batch) for batch in spool.batches("page")] == [2, 1]
    spool.close()
