"""One small command file for each file type, with rows that create, update, delete and reject something.

A new file type is held to the whole contract once it is listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.processors.registry import REGISTRY
from tests.pictures import BLUE, GREEN, picture, zip_of
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.random_files import furnish
from tests.support import MoodleSite, run_file

# So many users, courses, categories and deleted users are there for the files with many rows.
MANY = 20


@dataclass(frozen=True)
class ContractSpec:
    """What the contract is tried with.

    Shape: text: the file; counts: action -> rows of it; again: the same when it is carried out once more; mended: wrong text ->
    right text, for every row that is rejected; rows: gives a header and that many rows alike, at most MANY
    """

    key: str
    text: str | bytes
    counts: Mapping[str, int]
    again: Mapping[str, int]
    rows: Callable[[int], str | bytes]
    mended: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        return REGISTRY[self.key].default_filename

    @property
    def writes(self) -> bool:
        return bool(self.counts.keys() - {"unchanged", "rejected"})

    def mend(self, data: bytes) -> bytes:
        """Return a file, or its tryback, without what is wrong in it."""
        for wrong, right in self.mended.items():
            assert wrong.encode() in data, f"{wrong} isn't in {data!r}"
            data = data.replace(wrong.encode(), right.encode())
        return data


def prepare(site: MoodleSite) -> None:
    """Put there what the files are about."""
    furnish(site)
    # Over other users.
    site.insert("role_context_levels", roleid=site.one("role", shortname="teacher")["id"], contextlevel=30)
    add_course_fields(site)
    numbers = range(MANY)
    people = "".join(f"p{n:02};P;L{n};p{n:02}@x.org\nd{n:02};D;L{n};d{n:02}@x.org\n" for n in numbers)
    for key, text in (
        ("users", f"username;firstname;lastname;email\n{people}"),
        ("users_delete", "username\n" + "".join(f"d{n:02}\n" for n in numbers)),
        (
            "courses",
            "shortname;fullname;category;self\n"
            + "".join(f"X{n:02};Course {n};;1\nE{n:02};Gone {n};Empty {n:02};0\n" for n in numbers),
        ),
        ("courses_delete", "".join(f"E{n:02}\n" for n in numbers)),
        ("enrolments", "cmd;cid;uid;rolename;enrol\n" + "".join(f"add;C1;p{n:02};student;manual\n" for n in numbers)),
        ("cohort_courses", "course;cohort;role\nC4;K2;student\n"),
        ("cohorts", "cmd;cidnumber;userid\n" + "".join(f"add;K2;p{n:02}\n" for n in numbers)),
    ):
        result = run_file(site, key, text)
        assert "rejected" not in result.counts, result.report


def _lines(header: str, row: Callable[[int], str]) -> Callable[[int], str]:
    def rows(count: int) -> str:
        return "".join(f"{line}\n" for line in ([header] if header else []) + [row(n) for n in range(count)])

    return rows


def _pictures(count: int) -> bytes:
    return zip_of({f"p{n:02}.png": picture(colour=(n, n, 9)) for n in range(count)})


_RESET = "shortname;roles;groups;groupings;local_roles;notes;events;logs;grades;modules"
SPECS: Mapping[str, ContractSpec] = {
    spec.key: spec
    for spec in (
        ContractSpec(
            "users",
            "username;oldusername;firstname;lastname;email;idnumber;password;suspended;cohort;course1;role1;enrol1;group1\n"
            "new1;;New;One;n1@x.org;N1;Aa1!aaaa;;Year 1;C1;student;manual;NEWGROUP\n"
            "u1;;F1;L1;other@x.org;U1;;;;;;;\n"
            "new2;;New;Two;n2@x.org;N2;;;;C9;student;manual;\n"
            "bad name;;New;Three;n3@x.org;N3;;;;;;;\n"
            "u2;;F2;L2;u2@x.org;U2;;1;;C2;teacher;manual;\n"
            "renamed;u3;F3;L3;u3@x.org;U3;;;;;;;\n"
            "new1;;New;One;n1@x.org;N1;;;Year 1;C2;student;manual;\n",
            {"created": 1, "updated": 4, "partial": 1, "rejected": 1},
            {"unchanged": 5, "rejected": 2},
            _lines("username;firstname;lastname;email;cohort;course1", lambda n: f"many{n};M;L{n};many{n}@x.org;K2;C1"),
            {"C9": "C3", "bad name": "good.name"},
            {"primaryidentity": "username", "allowrename": True},
        ),
        ContractSpec(
            "users_delete",
            "username\nu1\nnobody\nu4\np00\n",
            {"deleted": 3, "rejected": 1},
            {"unchanged": 3, "rejected": 1},
            _lines("username", lambda n: f"p{n:02}"),
            {"nobody": "u3"},
            {"primaryidentity": "username"},
        ),
        ContractSpec(
            "users_suspend",
            "username\nu1\nnobody\nu4\nu1\n",
            {"updated": 2, "rejected": 1, "unchanged": 1},
            {"unchanged": 3, "rejected": 1},
            _lines("username", lambda n: f"p{n:02}"),
            {"nobody": "u3"},
            {"primaryidentity": "username"},
        ),
        ContractSpec(
            "users_restore",
            "username\nu5\nu6\nnobody\nd00\nu1\n",
            {"updated": 3, "rejected": 1, "unchanged": 1},
            {"unchanged": 4, "rejected": 1},
            _lines("username", lambda n: f"d{n:02}"),
            {"nobody": "d01"},
            {"primaryidentity": "username"},
        ),
        ContractSpec(
            "userpictures",
            zip_of({"u1.png": picture(), "zz.png": picture(colour=BLUE), "u2.png": picture(colour=GREEN)}),
            {"updated": 2, "rejected": 1},
            {"unchanged": 2, "rejected": 1},
            _pictures,
            {"zz.png": "u3.png"},
        ),
        ContractSpec(
            "courses",
            "shortname;fullname;idnumber;category;visible;self;topic1;teacher1_account;template\n"
            "N1;New one;NI1;A/B;1;1;One;u1;\n"
            "C1;Course one;IDC1;A/B;0;;Topic;;C4\n"
            "N2;New two;NI2;A/B/C;1;0;Two;nobody;\n"
            "N3;New three;NI3;A;1;0;;;NOPE\n"
            "N4;New four;NI4;A/D;1;;;u2;C2\n"
            "N1;New one;NI1;A/B;1;1;One;u1;\n",
            {"created": 2, "updated": 1, "unchanged": 1, "rejected": 2},
            {"unchanged": 4, "rejected": 2},
            _lines("shortname;fullname;category;self;topic1;teacher1_account", lambda n: f"M{n};Many {n};A/B;1;One;u1"),
            {"nobody": "u3", "NOPE": "C3"},
            {"forceupdate": True, "templatemode": "1"},
        ),
        ContractSpec(
            "courses_reset",
            f"{_RESET}\nC1;student;all;;all;1;1;;;\nC9;student;;;;;;;;\nC2;student;members;;;;;;;\nC3;student;;;;;;;;\n",
            {"updated": 3, "rejected": 1},
            {"unchanged": 3, "rejected": 1},
            _lines(_RESET, lambda n: f"X{n:02};student;all;;;;;;;"),
            {"C9": "C4"},
        ),
        ContractSpec(
            "courses_check",
            "C1\nC9\nC2\n",
            {"unchanged": 3},
            {"unchanged": 3},
            _lines("", lambda n: f"X{n:02}"),
        ),
        ContractSpec(
            "courses_delete",
            "C1\nC9\nC1\nX00\nC4\n",
            {"deleted": 3, "rejected": 1, "unchanged": 1},
            {"rejected": 5},
            _lines("", lambda n: f"X{n:02}"),
            {"C9": "C3"},
        ),
        ContractSpec(
            "categories",
            "cmd;category;name;visible;parent;contentto\n"
            "add;Fresh;;1;;\n"
            "add;Fresh/Inner;;1;;\n"
            "add;Nowhere/Inner;;1;;\n"
            "add;Category 1;Renamed;;;\n"
            "add;Other;;0;Fresh;\n"
            "del;Empty;;;;Fresh\n"
            "add;Fresh/Inner;;1;;\n",
            {"created": 2, "rejected": 1, "updated": 2, "deleted": 1, "unchanged": 1},
            {"unchanged": 6, "rejected": 1},
            _lines("category;visible", lambda n: f"Empty {n:02};0"),
            {"Nowhere/Inner": "Other two"},
        ),
        ContractSpec(
            "custom_fields",
            "course;field;value\nC1;level;Master\nC9;level;Master\nC2;code;A1\nC1;level;Master\nC3;level;Master\n",
            {"created": 3, "rejected": 1, "unchanged": 1},
            {"rejected": 1, "unchanged": 4},
            _lines("course;field;value", lambda n: f"X{n:02};code;V{n}"),
            {"C9": "C4"},
        ),
        ContractSpec(
            "user_preferences",
            "cmd;user;name;value\nset;u1;htmleditor;tiny\nset;u2;newemailkey;x\nset;u3;htmleditor;tiny\nset;u1;htmleditor;plain\n"
            "unset;u1;auth_forcepasswordchange;\nunset;u3;htmleditor;\n",
            {"created": 2, "rejected": 1, "updated": 1, "unchanged": 1, "deleted": 1},
            {"updated": 2, "rejected": 1, "created": 1, "unchanged": 1, "deleted": 1},
            _lines("user;name;value", lambda n: f"p{n:02};htmleditor;tiny"),
            {"newemailkey": "drawer-open-nav"},
        ),
        ContractSpec(
            "categories_delete",
            "categoryid;path\n4;Deeper\n1;Category 1\n2;Empty\n4;Deeper\n3;Other\n",
            {"deleted": 3, "rejected": 1, "unchanged": 1},
            {"rejected": 5},
            _lines("categoryid", lambda n: f"{n + 5}"),
            {"1;Category 1": "6;Empty 01"},
        ),
        ContractSpec(
            "courses_meta",
            "cmd;master;meta\nadd;C1;C2\nadd;C9;C3\ndel;C1;C4\nadd;C3;C2\nadd;C1;C2\n",
            {"created": 2, "rejected": 1, "updated": 1, "unchanged": 1},
            {"unchanged": 4, "rejected": 1},
            _lines("master;meta", lambda n: f"C1;X{n:02}"),
            {"C9": "C2"},
        ),
        ContractSpec(
            "cohorts",
            "cmd;cidnumber;cname;userid;cdescription\n"
            "add;NEW;New cohort;u1;words\n"
            "add;K1;;u3;\n"
            "del;K1;;u4;\n"
            "add;K1;;nobody;\n"
            "add;NEW;New cohort;u2;words\n"
            "free;K2;;;\n",
            {"created": 3, "deleted": 1, "rejected": 1, "updated": 1},
            {"unchanged": 5, "rejected": 1},
            _lines("cmd;cidnumber;userid", lambda n: f"add;K1;p{n:02}"),
            {"nobody": "u5"},
        ),
        ContractSpec(
            "cohort_courses",
            "cmd;course;cohort;role;makegroup\n"
            "add;C1;K1;student;1\n"
            "add;C9;K2;student;\n"
            "del;C3;K1;student;\n"
            "add;C2;K2;teacher;\n"
            "fulldel;C4;K2;student;\n"
            "add;C4;K1;student;\n",
            {"created": 3, "rejected": 1, "updated": 1, "deleted": 1},
            {"unchanged": 5, "rejected": 1},
            _lines("cmd;course;cohort;role", lambda n: f"add;X{n:02};K1;student"),
            {"C9": "C3"},
        ),
        ContractSpec(
            "enrolment_methods",
            "cmd;course;enrol;name;disabled;source;role\n"
            "add;C1;self;Keyed;0;;\n"
            "add;C9;self;;0;;\n"
            "add;C2;manual;;1;;\n"
            "del;C3;manual;;;;\n"
            "add;C2;cohort;;0;K2;student\n"
            "add;C1;self;Keyed;0;;\n",
            {"created": 2, "updated": 1, "deleted": 1, "rejected": 1, "unchanged": 1},
            {"unchanged": 5, "rejected": 1},
            _lines("course;enrol;name", lambda n: f"X{n:02};self;Another"),
            {"C9": "C4"},
        ),
        ContractSpec(
            "groups",
            "type;courseid;name;idnumber;updateid;description;selfgrouping\n"
            "group;C1;X;X1;;words;1\n"
            "group;C2;G1;G1;G1;other words;\n"
            "group;C9;Y;Y1;;;\n"
            "grouping;C2;Y;Y1;;;\n"
            "group;C1;G1 renamed;;G1;;\n",
            {"created": 2, "updated": 2, "rejected": 1},
            {"unchanged": 4, "rejected": 1},
            _lines("courseid;name;idnumber;selfgrouping", lambda n: f"C1;Many {n};M{n};1"),
            {"C9": "C3"},
        ),
        ContractSpec(
            "groupmembers",
            "cmd;courseid;groupid;userid\n"
            "add;C1;G1;u2\n"
            "del;C1;G1;u1\n"
            "add;C1;NOPE;u1\n"
            "add;C1;G2;u1\n"
            "shift;C2;G1;u1\n",
            {"created": 3, "deleted": 1, "rejected": 1},
            {"unchanged": 4, "rejected": 1},
            _lines("cmd;courseid;groupid;userid", lambda n: f"add;C1;G1;p{n:02}"),
            {"NOPE": "G2"},
            {"purgeemptygroups": "1"},
        ),
        ContractSpec(
            "enrolments",
            "cmd;cid;uid;rolename;enrol;gcmd;g1\n"
            "add;C1;u3;student;manual;gaddcreate;NEW\n"
            "del;C1;u1;student;manual;;\n"
            "add;C1;nobody;student;manual;;\n"
            "shift;C2;u1;teacher;manual;;\n"
            "disable;C1;u2;teacher;manual;;\n"
            "add;C1;u3;teacher;manual;;\n",
            {"created": 1, "deleted": 4, "rejected": 1, "updated": 3},
            {"unchanged": 5, "rejected": 1},
            _lines("cmd;cid;uid;rolename;enrol;gcmd;g1", lambda n: f"add;C2;p{n:02};student;manual;gadd;G1"),
            {"nobody": "u4"},
            {"purgeemptygroups": "1"},
        ),
        ContractSpec(
            "roles",
            "cmd;context;instance;userid;role\n"
            "add;course;C1;u3;teacher\n"
            "add;user;u2;u1;teacher\n"
            "shift;course;C2;u1;teacher\n"
            "add;system;;nobody;coursecreator\n"
            "del;course;C1;u2;*\n"
            "add;category;1;u3;coursecreator\n"
            "add;system;;u3;coursecreator\n"
            "add;system;;u3;coursecreator\n",
            {"created": 4, "updated": 1, "deleted": 1, "rejected": 1, "unchanged": 1},
            {"unchanged": 7, "rejected": 1},
            _lines("cmd;context;instance;userid;role", lambda n: f"add;course;X{n:02};p{n:02};teacher"),
            {"nobody": "u4"},
            {"categoryidentifier": "id"},
        ),
    )
}  # fmt: skip
