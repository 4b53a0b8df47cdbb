"""Command files that nobody would write, and what a Moodle holds after them, for tests of what must always agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.support import MoodleSite, run_file

# What is likely is named more than once.
_USERS = ("u1", "u1", "u1", "u2", "u2", "u3", "u4", "u5", "u6", "nobody", "")
_COURSES = ("C1", "C1", "C1", "C2", "C2", "C3", "C4", "C9", "m45")
_ROLES = ("student", "student", "teacher", "editingteacher", "", "chef")
_COHORTS = ("K1", "K1", "K2", "K3", "K4", "")
_DATES = ("", "", "0", "1700000000", "1900000000", "5")


# How a line of a real file may look: what is made of its cells, and of the line with the header above it.
FLAWS: Mapping[str, Callable[[str, str], str]] = {
    "a blank at its beginning": lambda line, _header: f" {line}",
    "a comment": lambda line, _header: f"({line}",
    "a blank before its quotes": lambda line, _header: ";".join(f' "{cell}" ' for cell in line.split(";")),
    "the header once more": lambda line, header: f"{header}\n{line}",
    "an error of a formula": lambda line, _header: f"#N/A{line[line.find(';') :]}",
    "a rounded number": lambda line, _header: f"{line[: line.rfind(';') + 1]}2,026E+07",
    "a quote that is closed nowhere": lambda line, _header: (
        f'{line[: line.rfind(";") + 1]}"{line[line.rfind(";") + 1 :]}'
    ),
    "cells that keep zeros": lambda line, _header: ";".join(f'="{cell}"' if cell else cell for cell in line.split(";")),
    "NULL": lambda line, _header: ";".join(cell or "\\N" for cell in line.split(";")),
    "a cell of two lines": lambda line, _header: f'{line[: line.rfind(";") + 1]}"{line[line.rfind(";") + 1 :]}\nx"',
    "blank lines above": lambda line, _header: f"\n;;\n{line}",
}


class RandomFile(NamedTuple):
    """A command file. Shape: key: its file type; flaws: place of a row -> how it looks, the name of one of FLAWS"""

    key: str
    header: str
    rows: tuple[tuple[str, ...], ...]
    options: dict[str, Any]
    flaws: Mapping[int, str] = MappingProxyType({})

    @property
    def text(self) -> str:
        lines = [self.header]
        for place, row in enumerate(self.rows):
            line = ";".join(row)
            flaw = self.flaws.get(place)
            lines.append(FLAWS[flaw](line, self.header) if flaw else line)
        return "".join(f"{line}\n" for line in lines)


def _file(key: str, header: str, *cells: tuple[str, ...], **options: tuple[Any, ...]) -> st.SearchStrategy[RandomFile]:
    rows = st.lists(st.tuples(*map(st.sampled_from, cells)), min_size=1, max_size=9).map(tuple)
    chosen = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in options.items()})
    flaws = st.dictionaries(st.integers(0, 6), st.sampled_from(sorted(FLAWS)), max_size=2)
    return st.builds(RandomFile, st.just(key), st.just(header), rows, chosen, flaws)


_YES, _ANY = (True,), ("0", "1")
FILES: Mapping[str, st.SearchStrategy[RandomFile]] = {
    "users": _file(
        "users", "username;firstname;lastname;email;idnumber;oldusername;deleted;suspended;cohort;cohortid;course1;role1;group1",
        ("u1", "u2", "u3", "new1", "new2", "New1", "admin", "u1\u200b"), ("F", "G"), ("L",),
        ("a@x.org", "b@x.org", "u2@x.org", ""), ("", "U1", "U2", "N1", "Ñ1", "N\u0303\u200e1"),
        ("", "", "u1", "u2", "new1"), ("", "", "", "1"), ("", "", "0", "1"), ("", "", "K1", "K9"), ("", "", "K2", "K9"),
        ("", "", "C1", "C2", "C9"), ("", "student", "chef"),
        ("", "", "G1", "NEW"),
        allowrename=_YES, resurrect=_YES, protectemails=_YES, primaryidentity=("idnumber", "email", "username"),
    ),
    "passwords": _file(
        "users", "username;firstname;lastname;email;password;suspended;profile_field_dept;auth",
        ("u1", "u1", "u2", "new1", "new1"), ("F",), ("L",), ("a@x.org", "u2@x.org", ""), ("", "", "Aa1!aaaa", "Bb1!bbbb"),
        ("", "", *_ANY), ("", "Maths", "Physics"), ("", "", "manual", "ldap", "nologin"),
        primaryidentity=("username",), createpasswords=_YES, sendpasswordtousers=_YES,
    ),
    "courses": _file(
        "courses", "shortname;fullname;idnumber;category;visible;self;guest;topic1;teacher1_account;template",
        ("C1", "C2", "N1", "N2", "n1", "Ñ1", "N\u03031"), ("F", "G"), ("", "", "IDC1", "X1", "x́1"),
        ("", "", "A/B", "a/b", "A", "9999", "A//B", "Á", r"A\/B", "A / B", "1", "/1"),
        ("", *_ANY), ("", *_ANY), ("", *_ANY), ("", "", "One", "Two|words"), ("", "", "u1", "u2", "nobody"),
        ("", "", "C1", "C2", "N1", "NOPE"),
        forceupdate=_YES, newcategoriesvisible=(False,), protectcategory=_YES, templatemode=("0", "1", "2"),
        courseidentifier=("shortname", "idnumber"),
    ),
    "enrolments": _file(
        "enrolments", "cmd;cid;uid;rolename;enrol;starttime;endtime;gcmd;g1;g2",
        ("add", "add", "add", "del", "shift", "enable", "disable", "", "boom"), _COURSES, _USERS, _ROLES,
        ("manual", "manual", "manual", "", "self", "cohort", "none"), _DATES, _DATES,
        ("", "gadd", "gaddcreate", "greplace", "greplacecreate", "gdel"), ("", "G1", "G1", "G2", "NEW"), ("", "", "G1", "G2"),
        enableenrolondisabled=_YES, protectgroups=_YES, purgeemptygroups=("1", "2"), createmanual=_YES,
    ),
    "role assignments": _file(
        "enrolments", "cmd;cid;uid;rolename", ("add", "del", "shift", "", "disable"), _COURSES, _USERS, _ROLES,
        defaultcmd=("del", "shift"),
    ),
    "roles": _file(
        "roles", "cmd;context;instance;course;userid;role;component",
        ("add", "add", "del", "shift", ""), ("course", "course", "system", "category", "user", "activity", "block"),
        ("C1", "C1", "C2", "1", "", "", "u2", "9"), ("", "", "", "C1"), _USERS,
        ("student", "teacher", "coursecreator", "manager", "*", "chef"), ("", "", "", "", "enrol_sync", "boom"),
        categoryidentifier=("id",),
    ),
    "groups": _file(
        "groups", "type;courseid;name;idnumber;updateid;description;selfgrouping;grouping",
        ("", "group", "grouping"), _COURSES, ("G1", "G2", "X", "Y", "ÿ"), ("", "G1", "G2", "X1", "Y1"),
        ("", "", "G1", "X1", "Y1", "NOPE"), ("", "words"), ("", *_ANY), ("", "", "X1", "Y1"),
        autogrouping=_YES, groupidentifier=("name", "idnumber"),
    ),
    "groupmembers": _file(
        "groupmembers", "cmd;courseid;groupid;userid",
        ("add", "add", "del", "shift", ""), _COURSES, ("G1", "G1", "G2", "NOPE", ""), _USERS,
        purgeemptygroups=("0", "1", "2"), groupidentifier=("name", "idnumber"),
    ),
    "cohorts": _file(
        "cohorts", "cmd;cidnumber;cname;userid;cdescription",
        ("add", "add", "add", "del", "free", "", "boom"), _COHORTS, ("", "", "", "K1", "K2", "K3", "N", "Ń"), _USERS,
        ("", "words"),
        syncdelete=_YES, autocreate=(False,), allowequalnames=_YES, followenrolments=(False,), cohortidentifier=("name",),
    ),
    "cohort_courses": _file(
        "cohort_courses", "cmd;course;cohort;role;makegroup",
        ("add", "add", "del", "restore", "fulldel", ""), _COURSES, _COHORTS, ("", *_ROLES, "*"), ("", *_ANY),
        followenrolments=(False,),
    ),
    "enrolment_methods": _file(
        "enrolment_methods", "cmd;course;enrol;name;newname;disabled;source;role;enrolperiod",
        ("add", "add", "update", "del", ""), _COURSES, ("manual", "self", "self", "guest", "cohort", "meta", "nosuch"),
        ("", "", "A"), ("", "", "A", "B"), ("", *_ANY), ("", "", "K1", "K2", "C1", "C2"), ("", *_ROLES), ("", "", "7"),
    ),
    "custom_fields": _file(
        "custom_fields", "course;field;value", (*_COURSES, "c1"), ("level", "due", "note", "open", "code", "Code", "nope"),
        ("", "Master", "Doctor", "2027-09-01", "01/09/2027", "09/25/2027", "yes", "0", "A1", "a1", "Ä1", "A\u03081"),
        dateorder=("dmy", "mdy"),
    ),
    "user_preferences": _file(
        "user_preferences", "cmd;user;name;value", ("set", "set", "unset", ""), _USERS,
        ("htmleditor", "htmleditor", "auth_forcepasswordchange", "newemailkey", "Odd"), ("", "tiny", "1", "0"),
    ),
    "courses_meta": _file("courses_meta", "cmd;master;meta", ("add", "add", "del", ""), _COURSES, _COURSES),
    "courses_delete": _file("courses_delete", "C2", ("C1", "C1", "C2", "C3", "C4", "C9", "m45", "c2")),
    "courses_reset": _file(
        "courses_reset", "shortname;roles;groups;groupings;local_roles;notes;events;logs;grades;modules",
        ("C1", "C1", "C2", "C3", "C4", "C9"), ("", "student", "teacher,Student", "all", "chef"),
        ("", "members", "all", "remove"), ("", "members", "all"), ("", "all"), ("", *_ANY), ("", *_ANY),
        ("",), ("", "all"), ("", "1"),
    ),
    "users_suspend": _file("users_suspend", "username;suspended", _USERS, ("", *_ANY), primaryidentity=("username",)),
    "users_delete": _file("users_delete", "username", _USERS, primaryidentity=("username",)),
    "users_restore": _file("users_restore", "username", _USERS, primaryidentity=("username",)),
    "categories": _file(
        "categories", "cmd;category;name;idnumber;parent;visible;contentto",
        ("add", "add", "update", "del", ""), ("A", "A/B", "A/B/C", "a", "Other", "Empty", "Empty/Deeper", "Category 1"),
        ("", "", "Named", "Ñ"), ("", "", "I1", "I2", "i1"), ("", "", "A", "A/B", "/", "Other"), ("", *_ANY),
        ("", "", "A", "Other"),
    ),
    "categories_delete": _file("categories_delete", "categoryid", ("1", "2", "3", "4", "9")),
}  # fmt: skip


def furnish(site: MoodleSite) -> None:
    """Put there what the files speak of: people, courses, groups, cohorts, and who belongs where."""
    numbers = range(1, 6)
    people = "".join(f"u{n};F{n};L{n};u{n}@x.org;U{n}\n" for n in numbers)
    groups = "".join(f"{course};{name};{name}\n" for course in ("C1", "C2") for name in ("G1", "G2"))
    enrolled = (
        "add;C1;u1;student;manual;gadd;G1\nadd;C1;u2;teacher;manual;;\nadd;C2;u1;student;manual;gadd;G2\n"
        "add;C2;u3;student;self;;\nadd;C3;u2;student;manual;;\n"
    )
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort,meta' WHERE name = 'enrol_plugins_enabled'")
    site.insert("config_plugins", plugin="auth_ldap", name="preventpassindb", value="1")
    for key, text in (
        ("users", f"username;firstname;lastname;email;idnumber\n{people}"),
        ("courses", "shortname;fullname;idnumber;self\nC3;Three;IDC3;1\nC4;Four;IDC4;0\n"),
        ("courses", "shortname;fullname;self\nC2;Course C2;1\n"),
        ("courses", "shortname;fullname;category\nGONE;Gone;Empty/Deeper\nGONE2;Gone;Other\n"),
        ("courses_delete", "GONE\nGONE2\n"),
        ("groups", f"courseid;name;idnumber\n{groups}"),
        ("enrolments", f"cmd;cid;uid;rolename;enrol;gcmd;g1\n{enrolled}"),
        ("cohorts", "cname;cidnumber;userid\nK1;K1;u1\nK1;K1;u4\nK2;K2;u2\n"),
        ("cohort_courses", "course;cohort;role\nC3;K1;student\n"),
        ("courses_meta", "cmd;master;meta\nadd;C1;C4\n"),
        ("users_suspend", "username\nu5\n"),
        ("users", "username;firstname;lastname\nu6;F;L\n"),
        ("users_delete", "username\nu6\n"),
    ):
        result = run_file(site, key, text, forceupdate=True) if key == "courses" else run_file(site, key, text)
        assert "rejected" not in result.counts, result.report


# A preference that holds when a password was set.
_MOMENT = "auth_manual_passwordupdatetime"


def state_of(site: MoodleSite) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a Moodle holds, told by names: ids and moments differ from one way of doing a thing to the other."""
    return {table: sorted(rows, key=repr) for table, rows in _named_rows(site)}


def _named_rows(site: MoodleSite) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    # The name of a deleted user ends with the moment.
    users = {
        row["id"]: row["username"].rstrip("0123456789") if row["deleted"] else row["username"]
        for row in site.rows("user")
    }
    courses = {row["id"]: row["shortname"] for row in site.rows("course")}
    categories = {row["id"]: row["name"] for row in site.rows("course_categories")}
    cohorts = {row["id"]: (row["idnumber"], row["name"]) for row in site.rows("cohort")}
    groups = {row["id"]: (courses[row["courseid"]], row["name"], row["idnumber"]) for row in site.rows("groups")}
    groupings = {row["id"]: (courses[row["courseid"]], row["name"], row["idnumber"]) for row in site.rows("groupings")}
    sources = {"cohort": cohorts, "meta": courses}
    methods = {
        row["id"]: (
            courses[row["courseid"]], row["enrol"], row["roleid"],
            sources.get(row["enrol"], {}).get(row["customint1"], row["customint1"]),
        )
        for row in site.rows("enrol")
    }  # fmt: skip
    named: dict[int, Mapping[int, Any]] = {30: users, 40: categories, 50: courses}
    places: dict[int, Any] = {
        row["id"]: named[row["contextlevel"]].get(row["instanceid"])
        for row in site.rows("context")
        if row["contextlevel"] in named
    }

    def rows(table: str, *columns: str, **names: Mapping[Any, Any]) -> tuple[str, list[tuple[Any, ...]]]:
        found = site.rows(table)
        return table, [
            (*(names[name].get(row[name], row[name]) for name in names), *(row[column] for column in columns))
            for row in found
        ]

    yield rows("user", "firstname", "email", "idnumber", "suspended", "deleted", id=users)
    yield rows("course", "shortname", "fullname", "idnumber", "visible", "visibleold", "sortorder", category=categories)
    yield rows(
        "course_categories", "name", "idnumber", "visible", "visibleold", "coursecount", "depth", "sortorder", parent=categories
    )  # fmt: skip
    yield rows("course_sections", "section", "name", "summary", course=courses)
    yield rows("forum", "type", "name", course=courses)
    yield rows("user_info_data", "data", userid=users)
    preferences = [
        (users.get(row["userid"], row["userid"]), row["name"], "" if row["name"] == _MOMENT else row["value"])
        for row in site.rows("user_preferences")
    ]
    yield "user_preferences", preferences
    yield rows("customfield_data", "fieldid", "value", "intvalue", "charvalue", instanceid=courses)
    yield rows("enrol", "status", "name", "enrolperiod", id=methods)
    yield rows("user_enrolments", "status", "timeend", enrolid=methods, userid=users)
    yield rows("role_assignments", "roleid", "component", contextid=places, userid=users, itemid=methods)
    yield rows("groups", "description", id=groups)
    yield rows("groups_members", "component", groupid=groups, userid=users)
    yield rows("groupings", id=groupings)
    yield rows("groupings_groups", groupingid=groupings, groupid=groups)
    yield rows("cohort", "description", id=cohorts, contextid=places)
    yield rows("cohort_members", cohortid=cohorts, userid=users)
