"""A dry run of a file of courses tells what a run does, wherever its chunks end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, run_file

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")

# Header, rows (with the ids of courses), options, codes.
FILES: dict[str, tuple[str, tuple[str, ...], dict[str, Any], list[str]]] = {
    "categories that rows make": (
        "shortname;fullname;category",
        (
            "N1;One;Sci/Maths",
            "N2;Two;Sci/Maths/Algebra",
            "N3;Three;Sci",
            "C1;{C1};Sci/Maths",
            "N1;One;Arts",
            "N4;Four;",
        ),
        {"forceupdate": True},
        ["course_created", "course_created", "course_created", "course_updated", "course_updated", "course_created"],
    ),
    "names that go from one course to the next": (
        "id;shortname;fullname;idnumber",
        ("{id1};GONE;{C1};I1", "{id2};C1;{C2};I2", "{id1};C2;{C1};I2", "{id1};C2;{C1};I3", "{id2};C2;{C2};I2"),
        {"forceupdate": True, "courseidentifier": "id"},
        ["course_updated", "course_updated", "course_idnumber_taken", "course_updated", "course_shortname_taken"],
    ),
    "a new course of a name that a row frees": (
        "idnumber;shortname;fullname",
        ("IDC1;OTHER;{C1}", "NEW;C1;New", "NEW2;OTHER;New"),
        {"forceupdate": True, "courseidentifier": "idnumber"},
        ["course_updated", "course_created", "course_shortname_taken"],
    ),
    "a course that stays": (
        "shortname;fullname;category",
        ("N1;One;Sci", "N1;One;Arts", "N1;Other;Sci", "N2;Two;Sci"),
        {},
        ["course_created", "course_exists", "course_exists", "course_created"],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_tells_what_a_run_does(moodle_site: MoodleSite, name: str) -> None:
    header, rows, options, codes = FILES[name]
    site, faults = moodle_site, faults_of(moodle_site)
    site.execute("UPDATE {course} SET idnumber = 'IDC1' WHERE shortname = 'C1'")
    cells = {each: site.one("course", shortname=each)["fullname"] for each in ("C1", "C2")}
    lines = "\n".join(rows).format(id1=site.ids["C1"], id2=site.ids["C2"], **cells)
    text = f"{header}\n{lines}\n"
    before = site.snapshot()

    told = [run_file(site, "courses", text, simulate=True, chunk_rows=size, **options) for size in (1, 2, 100)]

    assert site.diff(before, site.snapshot()) == {}
    done = run_file(site, "courses", text, chunk_rows=100, **options)
    assert [*(each.codes for each in told), done.codes] == [codes] * 4, done.report
    assert_sound(site, but=faults)
