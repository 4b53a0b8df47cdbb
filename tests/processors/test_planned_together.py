"""Files of several types planned one after the other on one overlay: each comes to what it does once the others are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from sync.processors.base.overlay import Overlay
from sync.values import Action, Outcome
from tests.processors.custom_fields.fields import add_course_fields
from tests.support import MoodleSite, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5")


class File(NamedTuple):
    """A command file. Shape: key: its type"""

    key: str
    text: str


NEW_TERM = (
    File(
        "users",
        "username;firstname;lastname;email;idnumber\n"
        "nora;Nora;New;nora@x.org;N1\nnils;Nils;New;nils@x.org;N2\nann;Ann;Again;ann2@x.org;\n",
    ),
    File("users_suspend", "username\nnils\n"),
    File("categories", "category;visible\nSciences;\nSciences/Maths;0\nCategory 1;0\n"),
    File("courses", "shortname;fullname;idnumber;category\nNEW1;New one;n-1;Sciences/Maths\nNEW2;New two;n-2;1\n"),
    File("custom_fields", "course;field;value\nNEW1;level;Master\nC1;level;Bachelor\n"),
    File("cohorts", "cname;cidnumber;userid\nFreshers;FRESH;nora\nFreshers;FRESH;nils\n"),
    File("cohort_courses", "cohort;course\nFRESH;NEW2\n"),
    File("enrolment_methods", "course;enrol;name;disabled\nNEW1;self;Keyed;0\nC1;manual;;1\nC1;manual;;0\n"),
    File("groups", "courseid;name;idnumber;grouping;selfgrouping\nNEW1;Tuesday;TUE;;1\nC1;Late;LATE;;0\n"),
    File(
        "enrolments",
        "uid;cid;rolename;enrol;gcmd;g1\nnora;NEW1;student;manual;gadd;Tuesday\nnils;NEW1;student;manual;gaddcreate;Wednesday\n"
        "nora;C1;student;manual;gadd;Late\nnobody;NEW1;student;manual;;\n",
    ),
    File("user_preferences", "user;name;value\nnora;htmleditor;tiny\nann;htmleditor;tiny\n"),
    File("groupmembers", "courseid;groupid;userid\nNEW1;TUE;nora\nNEW1;TUE;nils\nC1;LATE;nora\n"),
)
OPTIONS: dict[str, dict[str, Any]] = {
    "users": {"primaryidentity": "username"},
    "users_suspend": {"primaryidentity": "username"},
    "groupmembers": {"groupidentifier": "idnumber"},
}


def planned(site: MoodleSite, files: Sequence[File], chunk_rows: int = 1000) -> Iterator[list[Outcome]]:
    overlay = Overlay()
    for number, file in enumerate(files, 1):
        overlay.begin_file(number)
        yield run_file(
            site,
            file.key,
            file.text,
            simulate=True,
            overlay=overlay,
            chunk_rows=chunk_rows,
            **OPTIONS.get(file.key, {}),
        ).outcomes
    overlay.close()


def carried_out(site: MoodleSite, files: Sequence[File]) -> Iterator[list[Outcome]]:
    for file in files:
        yield run_file(site, file.key, file.text, **OPTIONS.get(file.key, {})).outcomes


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_the_files_of_a_new_term_come_to_what_was_planned(moodle_site: MoodleSite, chunk_rows: int) -> None:
    add_course_fields(moodle_site)
    before = moodle_site.snapshot()
    plans = list(planned(moodle_site, NEW_TERM, chunk_rows))
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}

    done = list(carried_out(moodle_site, NEW_TERM))

    assert dict(zip([file.key for file in NEW_TERM], plans, strict=True)) == dict(
        zip([file.key for file in NEW_TERM], done, strict=True)
    )
    assert [outcome.action for outcome in done[-3]] == [Action.CREATED] * 3 + [Action.REJECTED]
