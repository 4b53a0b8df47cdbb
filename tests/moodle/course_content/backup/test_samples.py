"""Backups that Moodle made: they hold as many rows as Moodle's own restore inserts."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.content import ArchivedContent, open_archive
from sync.moodle.course_content.backup.elements import known_modules
from sync.moodle.course_content.graph.content_source import SourceContext
from sync.moodle.course_content.graph.graph import load_graph
from tests.real_sites import moodle_data, needs_moodle_data

pytestmark = needs_moodle_data

# What a restore makes besides: the course itself, the ways to enrol of a new course.
_MADE = {"course": 1, "enrol": 3}
_OF_5_1 = known_modules() - {"chat", "survey"}


def opened(folder: Path, name: str, modules: Collection[str] | None = None) -> ArchivedContent:
    return open_archive(moodle_data() / "mbz" / name, folder, modules=modules)


@pytest.mark.parametrize(
    ("archive", "case", "modules", "made"),
    [
        ("tpl1-m45-nousers.mbz", "tpl1-m45-nousers.mbz into 4.5", None, {}),
        ("tpl1-m45-nousers-zip.mbz", "tpl1-m45-nousers.mbz into 4.5", None, {}),
        ("tpl1-m45-users.mbz", "tpl1-m45-users.mbz into 4.5, setting users=0", None, {}),
        ("tpl1-m41-nousers.mbz", "tpl1-m41-nousers.mbz into 4.1", None, {}),
        ("tpl1-m51-nousers.mbz", "tpl1-m51-nousers.mbz into 5.1", None, {}),
        # The question bank of the course becomes an activity.
        (
            "tpl1-m45-nousers.mbz",
            "tpl1-m45-nousers.mbz into 5.1",
            _OF_5_1,
            {"qbank": 1, "course_modules": 1, "context": 1},
        ),
        # The criterion names the page, which is left out.
        ("unknown-module.mbz", "unknown-module.mbz into 4.5", None, {"course_completion_criteria": -1}),
    ],
    ids=["4.5", "zip", "with users", "4.1", "5.1", "4.5 into 5.1", "unknown module"],
)
def test_a_backup_holds_the_rows_that_moodle_restores(
    tmp_path: Path, archive: str, case: str, modules: Collection[str] | None, made: dict[str, int]
) -> None:
    restored = json.loads((moodle_data() / "mbz" / "expected_rows.json").read_text())[case]
    for table, count in {**_MADE, **made}.items():
        restored[table] = restored.get(table, 0) - count

    with opened(tmp_path, archive, modules) as content:
        held = {table: sum(map(len, content.rows(table))) for table in content.tables()}
        held |= {"files": sum(map(len, content.files())), "context": len(content.contexts())}

    assert held == {table: count for table, count in restored.items() if count}
    assert content.skipped == {}


def test_a_backup_says_where_it_is_from_and_what_is_in_it(tmp_path: Path) -> None:
    with opened(tmp_path, "tpl1-m45-nousers.mbz") as content:
        manifest = content.manifest
        modules = {row["id"]: row for batch in content.rows("course_modules") for row in batch}
        sections = {row["id"]: row for batch in content.rows("course_sections") for row in batch}
        hashes = {row["contenthash"] for batch in content.files() for row in batch}
        references = [row for batch in content.rows("question_references") for row in batch]

        assert (str(manifest.moodle_version), manifest.backup_version) == ("2024100705.01", 2024100700)
        assert (manifest.courseid, manifest.contextid, manifest.shortname) == (22, 234, "TEMPLATE")
        assert (manifest.settings["users"], manifest.settings["blocks"]) == ("0", "1")
        assert content.course["fullname"] == "Template course"
        assert {role.shortname for role in content.roles().values()} == {"student"}
        # As the manifest lists them, whatever `sequence` says.
        assert sections[82]["sequence"] == "25,29,33,37,41"
        assert [section.parentcmid for section in manifest.sections].count(44) == 1
        assert {row["instance"] for row in modules.values() if row["modulename"] == "quiz"} == {1}
        assert content.contexts()[236] == SourceContext(70, 23)
        assert content.contexts()[258] == SourceContext(80, 6)
        assert {(row["usingcontextid"], row["itemid"]) for row in references} == {(236, 1), (236, 2)}
        # 53, and that of folders and empty files.
        assert len(hashes) == 54
        assert all(content.has_blob(contenthash) for contenthash in hashes)
        with content.open_blob("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d") as blob:
            assert blob.read() == b"hello"
    # Nothing of the XML stays behind.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "rows.sqlite"]


def test_nothing_that_people_did_is_read(tmp_path: Path) -> None:
    graph = load_graph()
    with opened(tmp_path, "c1-m45-users.mbz") as content:
        assert content.manifest.settings["users"] == "1"
        assert {"groups", "course_sections"} <= content.tables()
        assert {table for table in content.tables() if graph.tables[table].kind == "user"} == set()


def test_an_unknown_module_is_named(tmp_path: Path) -> None:
    with opened(tmp_path, "unknown-module.mbz") as content:
        assert [(activity.modulename, activity.title) for activity in content.left_out] == [("foomod", "The page")]


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        ("evil-traversal.mbz", "backup_member_name"),
        ("evil-bomb.mbz", "backup_ratio"),
        ("evil-badhash.mbz", "backup_blob_differs"),
    ],
)
def test_a_hostile_backup_is_refused(tmp_path: Path, archive: str, code: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    with pytest.raises(ArchiveRefused) as refused:
        opened(folder, archive)

    assert refused.value.code == code
    assert list(tmp_path.iterdir()) == [folder]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 10 * 1024**2
