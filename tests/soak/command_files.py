"""Command files of every kind for workers that are killed and paused: what has to be there before, and what is compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.runs.test_kill import contents_of

ADDRESS = "kim{}@example.org"
# Every so many people are sent their password.
MAILS_EVERY = 25


@dataclass(frozen=True)
class SoakFile:
    """A kind of file.

    Shape: text: rows -> file; before: rows -> (file type, file) of what has to be there; contents: further statements;
    rows, chunk_rows: for each kill
    """

    processor: str
    text: Callable[[int], str]
    before: Callable[[int], list[tuple[str, str]]] = lambda _rows: []
    contents: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 4_000
    chunk_rows: int = 1_000

    def prepare(self, installation: Installation, moodle: MoodleSite, rows: int) -> None:
        """Put a Moodle back, and into it what the file speaks of."""
        moodle.restore_template()
        for number, (processor, text) in enumerate(self.before(rows)):
            run = installation.carry_out(f"/before{number}.csv", text, processor=processor)
            assert set(run.counts) == {"created"}, run.counts

    def contents_of(self, moodle: MoodleSite) -> dict[str, list[Any]]:
        return contents_of(moodle, {**_EVERYWHERE, **self.contents})


def _people(rows: int) -> str:
    return "username;firstname;lastname;email;idnumber\n" + "".join(
        f"kim{n:06};Kim;Nr {n};{ADDRESS.format(n)};K{n:06}\n" for n in range(rows)
    )


def _people_with_passwords(rows: int) -> str:
    return "username;firstname;lastname;email;password\n" + "".join(
        f"kim{n:06};Kim;Nr {n};{ADDRESS.format(n)};{'' if n % MAILS_EVERY else f'Kx7#secret-{n}'}\n"
        for n in range(rows)
    )


def _enrolments(rows: int) -> str:
    return "cmd;cid;uid;rolename;enrol;gcmd;g1\n" + "".join(
        f"add;C{1 + n % 2};kim{n:06};student;manual;gaddcreate;Group {n // 700}\n" for n in range(rows)
    )


def _cohorts(rows: int) -> str:
    return "cmd;cidnumber;cname;userid\n" + "".join(f"add;K{n // 900};Year {n // 900};kim{n:06}\n" for n in range(rows))


def _followed_cohorts(rows: int) -> list[tuple[str, str]]:
    return [
        ("users", _people(rows)),
        ("cohorts", "cmd;cidnumber;cname;userid\nadd;K0;Year 0;ann\nadd;K1;Year 1;ann\n"),
        ("cohort_courses", "cmd;course;cohort;role\nadd;C1;K0;student\nadd;C2;K1;student\n"),
    ]


def _groups(rows: int) -> str:
    return "type;courseid;name;idnumber;selfgrouping;grouping\n" + "".join(
        f"group;C{1 + n % 2};Group {n};G{n};{int(n % 50 == 0)};\n" for n in range(rows)
    )


def _courses(rows: int) -> str:
    return "shortname;fullname;category;idnumber;self;topic1\n" + "".join(
        f"N{n:05};New {n};Faculty {n % 3}/Year {n // 300};IDN{n:05};{n % 2};First\n" for n in range(rows)
    )


_COURSE_OF = " JOIN {course} c ON c.id = %s.courseid"
_EVERYWHERE = {
    "user_enrolments": "SELECT u.username, c.shortname, e.enrol, ue.status, ue.timeend FROM {user_enrolments} ue"
    " JOIN {user} u ON u.id = ue.userid JOIN {enrol} e ON e.id = ue.enrolid" + _COURSE_OF % "e",
    "role_assignments": "SELECT u.username, x.contextlevel, x.instanceid, ra.roleid, ra.component FROM {role_assignments} ra"
    " JOIN {user} u ON u.id = ra.userid JOIN {context} x ON x.id = ra.contextid",
    "groups": "SELECT c.shortname, g.name, g.idnumber, g.description FROM {groups} g" + _COURSE_OF % "g",
    "groups_members": "SELECT c.shortname, g.name, u.username, m.component FROM {groups_members} m"
    " JOIN {user} u ON u.id = m.userid JOIN {groups} g ON g.id = m.groupid" + _COURSE_OF % "g",
    "groupings": "SELECT c.shortname, g.name, g.idnumber FROM {groupings} g" + _COURSE_OF % "g",
    "groupings_groups": "SELECT c.shortname, gg.name, g.name FROM {groupings_groups} b JOIN {groupings} gg ON"
    " gg.id = b.groupingid JOIN {groups} g ON g.id = b.groupid" + _COURSE_OF % "g",
    "cohort": "SELECT name, idnumber, contextid, visible, component FROM {cohort}",
    "course": "SELECT c.shortname, c.fullname, c.idnumber, k.name, c.sortorder, c.visible, c.format FROM {course} c"
    " LEFT JOIN {course_categories} k ON k.id = c.category",
    "course_categories": "SELECT k.name, k.depth, k.coursecount, k.sortorder, k.visible, p.name FROM {course_categories} k"
    " LEFT JOIN {course_categories} p ON p.id = k.parent",
    "course contexts": "SELECT c.shortname, x.depth, p.contextlevel FROM {context} x JOIN {course} c ON c.id = x.instanceid"
    " AND x.contextlevel = 50 JOIN {context} p ON x.path = CONCAT(p.path, '/', x.id)",
    "enrol": "SELECT c.shortname, e.enrol, e.status, e.sortorder, e.roleid FROM {enrol} e" + _COURSE_OF % "e",
    "course_sections": "SELECT c.shortname, s.section, s.name FROM {course_sections} s JOIN {course} c ON c.id = s.course",
    "blocks": "SELECT x.contextlevel, x.instanceid IN (SELECT id FROM {course}), b.blockname FROM {block_instances} b"
    " JOIN {context} x ON x.id = b.parentcontextid",
}

# Passwords are salted.
_WITHOUT_SALTS = (
    "SELECT username, firstname, lastname, email, idnumber, auth, confirmed, suspended, deleted, lang, LEFT(password, 4)"
    " FROM {user}"
)
_WITHOUT_MOMENTS = (
    "SELECT u.username, p.name, CASE WHEN p.name LIKE '%time' THEN '' ELSE p.value END FROM {user_preferences} p"
    " JOIN {user} u ON u.id = p.userid"
)

SOAK_FILES: Mapping[str, SoakFile] = {
    "users": SoakFile("users", _people),
    "passwords": SoakFile(
        "users",
        _people_with_passwords,
        contents={"user": _WITHOUT_SALTS, "user_preferences": _WITHOUT_MOMENTS},
        options={"sendpasswordtousers": 1},
    ),
    "enrolments": SoakFile("enrolments", _enrolments, lambda rows: [("users", _people(rows))]),
    "cohorts": SoakFile("cohorts", _cohorts, _followed_cohorts),
    "groups": SoakFile("groups", _groups),
    "courses": SoakFile("courses", _courses, rows=600, chunk_rows=150),
}
# Those that a soak tries.
KINDS = os.environ.get("SOAK_FILES", ",".join(SOAK_FILES)).split(",")
