"""manage.py checkmoodle."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.installation import Installation
from tests.moodle.course_content.furniture import insert
from tests.moodle.integrity.ground import put_in_order


def check(*arguments: str) -> tuple[int, list[str]]:
    """Return the exit status and what was printed."""
    out = io.StringIO()
    status = 0
    try:
        call_command("checkmoodle", *arguments, stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, out.getvalue().splitlines()


def test_a_sound_moodle_is_told_line_by_line(installation: Installation) -> None:
    status, lines = check()
    assert status == 0
    assert lines[0].startswith("ok      SQLite ")
    assert "Moodle 4.5" in lines[1]
    assert not [line for line in lines if line.startswith("ERROR") or "Content of" in line]


def test_a_moodle_that_is_away_ends_with_status_one(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    status, lines = check("--content")
    assert status == 1
    assert lines[0].startswith("ERROR   The Moodle database doesn't answer")
    assert not [line for line in lines if "Content of" in line]


def test_sound_content_ends_with_status_zero(installation: Installation) -> None:
    put_in_order(installation.moodle)
    status, lines = check("--content")
    assert status == 0
    assert lines[-1].startswith("ok      Content of the whole site: ")
    assert lines[-1].endswith(" checks made, 0 faults and 0 notes found.")


def test_faults_are_told_with_their_first_ids(installation: Installation) -> None:
    put_in_order(installation.moodle)
    course = installation.moodle.ids["C1"]
    rows = [installation.moodle.insert("course_sections", course=course, section=n, sequence="99") for n in range(7)]
    status, lines = check("--content")
    assert status == 1
    ids = ", ".join(map(str, rows[:5]))
    said = f"ERROR   mdl_course_sections, 7 rows (id {ids} …): Sections that list an activity"
    assert [line.startswith(said) for line in lines if "mdl_course_sections" in line] == [True]
    assert lines[-1].startswith("ERROR   Content of the whole site: ")
    assert lines[-1].endswith(" 1 fault and 0 notes found.")


def test_notes_are_told_and_do_no_harm(installation: Installation) -> None:
    put_in_order(installation.moodle)
    place = installation.moodle.ids["C1 context"]
    block = insert(installation.moodle, "block_instances", {"parentcontextid": place})
    status, lines = check("--content")
    assert status == 0
    assert [line for line in lines if line.startswith(f"note    mdl_block_instances, 1 row (id {block}): ")]
    assert lines[-1].endswith(" 0 faults and 1 note found.")


def test_single_courses_are_checked_alone(installation: Installation) -> None:
    installation.moodle.insert("course_sections", course=installation.moodle.ids["C1"], section=1, sequence="99")
    assert check("--course", "C2")[0] == 0
    status, lines = check("--course", "C2", "--course", "C1")
    assert status == 1
    assert lines[-1].startswith("ERROR   Content of 2 courses: ")


def test_an_unknown_course_is_a_sentence_and_status_two(installation: Installation) -> None:
    with pytest.raises(CommandError, match="There is no course with the short name “NONE”") as refused:
        call_command("checkmoodle", "--course", "C1", "--course", "NONE", stdout=io.StringIO())
    assert refused.value.returncode == 2


def test_an_unknown_site_is_a_sentence_and_status_one(installation: Installation) -> None:
    with pytest.raises(CommandError, match="There is no site “none”") as refused:
        call_command("checkmoodle", "--site", "none", stdout=io.StringIO())
    assert refused.value.returncode == 1


def test_scripts_get_one_object_as_the_last_line(installation: Installation) -> None:
    section = installation.moodle.insert(
        "course_sections", course=installation.moodle.ids["C1"], section=1, sequence="9"
    )
    status, lines = check("--course", "C1", "--json")
    assert status == 1
    told: dict[str, Any] = json.loads(lines[-1])
    assert not told["sound"]
    assert {found["level"] for found in told["connection"]} <= {"ok", "warning"}
    (found,) = [each for each in told["content"]["findings"] if each["level"] == "error"]
    assert told["content"]["checks"] > 50
    assert told["content"]["faults"] == 1
    assert found.pop("text").startswith("Sections that list an activity")
    assert found == {
        "level": "error", "code": "section_sequence_wrong", "table": "mdl_course_sections", "rows": 1, "ids": [section],
    }  # fmt: skip


def test_without_a_data_folder_the_contents_of_files_are_not_looked_for(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    said = "note    No data folder is set, so the contents of files weren't looked for."
    assert [line for line in check("--course", "C1")[1] if line.startswith(said)]
    (tmp_path / "data" / "filedir").mkdir(parents=True)
    settings.TOOLSYNC_MOODLE_DATAROOT = str(tmp_path / "data")
    assert not [line for line in check("--course", "C1")[1] if line.startswith(said)]
