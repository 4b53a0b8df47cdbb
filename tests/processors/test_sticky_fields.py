"""Sticky fields in each file type that changes what is there: what is kept, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.registry import REGISTRY
from sync.values import STICKY_KEPT, Outcome
from tests.support import ANN_PASSWORD, MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("mariadb:4.5", "postgresql:5.1")

SIZES = (1, 2, 7, 5000)


def kept_of(outcome: Outcome) -> str:
    """Return the columns that a row left as they are, "" where it left none."""
    return "; ".join(note.params["columns"] for note in outcome.notes if note.code == STICKY_KEPT)


def kept(result: RunResult) -> list[str]:
    return [kept_of(outcome) for outcome in result.outcomes]


def told(result: RunResult) -> list[tuple[Any, ...]]:
    """Return what is told of each row; times differ by seconds, and new ids only run and dry run know."""
    return [(o.line, o.action, o.code, o.changes, kept_of(o)) for o in result.outcomes]


USER_RULES = {
    "city": "empty", "department": "empty", "institution": "never", "email": "creation", "password": "creation",
    "profile_field_": "never", "profile_field_dept": "creation",
}  # fmt: skip
USERS = (
    "username;firstname;lastname;city;department;institution;email;password;profile_field_dept;profile_field_bio\n"
    "ann;Ann;Jones;Paris;Maths;ENS;new@x.org;Other#99;Physics;hello\n"
    "bob;Bob;King;Rome;Maths;ENS;bob@x.org;Secret#1;Physics;hello\n"
)


def test_users_keep_what_rules_keep(moodle_site: MoodleSite) -> None:
    result = run_file(moodle_site, "users", USERS, sticky=USER_RULES, primaryidentity="username", protectemails=False)

    ann, bob = (moodle_site.one("user", username=name) for name in ("ann", "bob"))
    names = ("lastname", "city", "department", "institution", "email")
    assert [ann[name] for name in names] == ["Jones", "Lyon", "Maths", "", "ann@x.org"]
    assert [bob[name] for name in names] == ["King", "Rome", "Maths", "", "bob@x.org"]
    fields = {moodle_site.ids[name]: name for name in ("dept", "bio")}
    stored = {(row["userid"], fields[row["fieldid"]]): row["data"] for row in moodle_site.rows("user_info_data")}
    assert stored == {(bob["id"], "dept"): "Physics"}
    assert result.codes == ["account_updated", "account_created"]
    assert [change.field for change in result.outcomes[0].changes] == ["lastname", "department"]
    assert [set(columns.split(", ")) for columns in kept(result)] == [
        {"city", "institution", "email", "profile_field_bio", "profile_field_dept", "password"},
        {"institution", "profile_field_bio"},
    ]
    again = run_file(moodle_site, "users", USERS, sticky=USER_RULES, primaryidentity="username", protectemails=False)
    assert again.codes == ["account_unchanged"] * 2, "what only a rule keeps from changing is unchanged"
    assert again.before_images == []
    assert moodle_site.one("user", username="ann")["password"] == ann["password"]
    assert "ann" not in again.report, "what is kept each night is counted, not told row by row"


def city_of_ann(site: MoodleSite) -> str:
    city: str = site.one("user", username="ann")["city"]
    return city


def test_what_a_person_wrote_wins_until_the_file_says_the_same(moodle_site: MoodleSite) -> None:
    written: dict[tuple[str, int, str], str] = {}

    def city(name: str, columns: str = "") -> str:
        text = f"username;firstname;lastname;city;profile_field_dept\nann;Ann;Smith;{name};{name}\n"
        rules = {"city": "person", "profile_field_dept": "person"}
        result = run_file(moodle_site, "users", text, sticky=rules, written=written, primaryidentity="username")
        assert kept(result) == [columns]
        return city_of_ann(moodle_site)

    assert city("Paris", "city") == "Lyon", "nobody knows who wrote it"
    assert city("Lyon") == "Lyon", "now it is what the file says"
    assert city("Rome") == "Rome"
    moodle_site.execute("UPDATE {user} SET city = 'Nice' WHERE username = 'ann'")
    moodle_site.execute("UPDATE {user_info_data} SET data = 'Chemistry'")
    assert city("Oslo", "city, profile_field_dept") == "Nice"
    assert moodle_site.one("user_info_data")["data"] == "Chemistry"
    moodle_site.execute("UPDATE {user} SET city = '' WHERE username = 'ann'")
    assert city("Oslo", "city, profile_field_dept") == "", "emptied by a person"
    moodle_site.execute("UPDATE {user} SET city = 'Oslo' WHERE username = 'ann'")
    assert city("Oslo", "profile_field_dept") == "Oslo"
    assert city("Bern", "profile_field_dept") == "Bern"


COURSES = (
    "shortname;fullname;summary;category;startdate;enddate;visible;customfield_room\n"
    "C1;New name;New text;Other;2027-09-01;2027-12-01;0;B12\nNEW;New;Text;Other;2027-09-01;2027-12-01;0;B12\n"
    "C2;Course C2;Text of 2;;2027-09-01;;1;B13\n"
)
COURSE_RULES = {
    "fullname": "creation", "summary": "empty", "category": "creation", "enddate": "empty", "visible": "never",
    "customfield_": "empty",
}  # fmt: skip


def add_room(site: MoodleSite) -> int:
    """Add a custom field of courses, which C1 has filled."""
    times = {"timecreated": 1, "timemodified": 1}
    area = {"component": "core_course", "area": "course", "itemid": 0, "contextid": 1, "sortorder": 0}
    category = site.insert("customfield_category", name="C", **area, **times)
    field = site.insert(
        "customfield_field", shortname="room", name="Room", type="text", categoryid=category, sortorder=0,
        configdata="{}", **times,
    )  # fmt: skip
    extras = {"valuetrust": 0, "component": "core_course", "area": "course", "itemid": 0}
    present = {name: value for name, value in extras.items() if name in site.columns("customfield_data")}
    site.insert(
        "customfield_data", fieldid=field, instanceid=site.ids["C1"], contextid=site.ids["C1 context"], value="A1",
        valueformat=0, charvalue="A1", **times, **present,
    )  # fmt: skip
    return field


def test_courses_keep_what_rules_keep(moodle_site: MoodleSite) -> None:
    field = add_room(moodle_site)
    moodle_site.execute("UPDATE {course} SET summary = '', fullname = 'Course C2' WHERE shortname = 'C2'")
    moodle_site.execute("UPDATE {course} SET summary = 'Text' WHERE shortname = 'C1'")
    was = moodle_site.one("course", shortname="C1")

    result = run_file(moodle_site, "courses", COURSES, sticky=COURSE_RULES, forceupdate=True)

    one, new, two = (moodle_site.one("course", shortname=name) for name in ("C1", "NEW", "C2"))
    kept_values = (one["fullname"], one["summary"], one["category"], one["visible"])
    assert kept_values == (was["fullname"], "Text", was["category"], 1)
    assert (new["fullname"], new["visible"]) == ("New", 1)
    assert new["category"] != was["category"]
    assert two["summary"] == "Text of 2"
    assert one["enddate"] == new["enddate"] != 0, "where there was none"
    rooms = {row["instanceid"]: row["value"] for row in moodle_site.rows("customfield_data", fieldid=field)}
    assert rooms == {one["id"]: "A1", new["id"]: "B12", two["id"]: "B13"}
    assert result.codes == ["course_updated", "course_created", "course_updated"]
    assert [set(columns.split(", ")) for columns in kept(result)] == [
        {"fullname", "summary", "category", "visible", "customfield_room"}, {"visible"}, {""},
    ]  # fmt: skip
    again = run_file(moodle_site, "courses", COURSES, sticky=COURSE_RULES, forceupdate=True)
    assert again.counts == {"unchanged": 3}
    assert again.before_images == []


def test_courses_know_what_a_person_wrote(moodle_site: MoodleSite) -> None:
    add_room(moodle_site)
    written: dict[tuple[str, int, str], str] = {}
    rules = {"fullname": "person", "customfield_room": "person", "category": "person"}

    def run(name: str, room: str) -> RunResult:
        text = f"shortname;fullname;customfield_room;category\nC1;{name};{room};Sciences/Maths\nNEW;{name};{room};1\n"
        return run_file(moodle_site, "courses", text, sticky=rules, written=written, forceupdate=True)

    assert kept(run("First", "B1")) == ["fullname, category, customfield_room", ""]
    name = moodle_site.one("course", shortname="C1")["fullname"]
    assert kept(run(name, "A1"))[0] == "category"
    assert moodle_site.one("course", shortname="NEW")["fullname"] == name, "what ToolSync made is its own"
    moodle_site.execute("UPDATE {course} SET fullname = 'By hand' WHERE shortname = 'NEW'")
    moodle_site.execute("UPDATE {customfield_data} SET value = 'X' WHERE instanceid = :id", id=moodle_site.ids["C1"])
    assert kept(run("Third", "B3")) == ["category, customfield_room", "fullname"]
    assert moodle_site.one("course", shortname="C1")["fullname"] == "Third"
    assert moodle_site.one("course", shortname="NEW")["fullname"] == "By hand"


def test_groups_and_cohorts_keep_what_rules_keep(sqlite_site: MoodleSite) -> None:
    header = "courseid;type;name;idnumber;updateid;description\n"
    first = f"{header}C1;group;One;G1;;old\nC1;grouping;All;GA;;old\n"
    second = f"{header}C1;group;Other;G1;G1;new\nC1;grouping;Others;GA;GA;new\n"
    options: dict[str, Any] = {"groupidentifier": "idnumber", "groupingidentifier": "idnumber"}
    rules = {"name": "creation", "description": "person"}
    written: dict[tuple[str, int, str], str] = {}

    run_file(sqlite_site, "groups", first, sticky=rules, written=written, **options)
    sqlite_site.execute("UPDATE {groups} SET description = 'by hand'")
    result = run_file(sqlite_site, "groups", second, sticky=rules, written=written, **options)

    assert kept(result) == ["name, description", "name"]
    assert [outcome.action for outcome in result.outcomes] == ["unchanged", "updated"]
    group, grouping = sqlite_site.one("groups", idnumber="G1"), sqlite_site.one("groupings", idnumber="GA")
    assert (group["name"], group["description"]) == ("One", "by hand")
    assert (grouping["name"], grouping["description"]) == ("All", "new")

    rules = {"cname": "creation", "cdescription": "never", "visible": "person", "ccatcontext": "creation"}
    written = {}
    first = "cidnumber;cname;cdescription;visible\nK1;One;text;1\n"
    made = run_file(sqlite_site, "cohorts", first, sticky=rules, written=written)
    sqlite_site.execute("UPDATE {cohort} SET visible = 0")
    text = "cidnumber;cname;cdescription;visible;ccatcontext\nK1;Two;text;1;1\n"
    result = run_file(sqlite_site, "cohorts", text, sticky=rules, written=written)

    assert kept(made) == ["cdescription"]
    assert kept(result) == ["cname, cdescription, ccatcontext, visible"]
    cohort = sqlite_site.one("cohort", idnumber="K1")
    assert (cohort["name"], cohort["description"], cohort["visible"], cohort["contextid"]) == ("One", "", 0, 1)
    assert result.counts == {"unchanged": 1}


USERS_TWICE = "username;firstname;lastname;city;department;email\n" + "".join(
    f"{name};{name};X;{city};{department};{name}@x.org\n"
    for city, department in (("Lyon", "A"), ("Rome", ""), ("Bern", "B"))
    for name in ("ann", "new1", "new2", "new3")
)


@pytest.mark.parametrize("rule", ["empty", "creation", "never", "person"])
def test_dry_runs_and_chunks_of_any_size_tell_the_same(sqlite_site: MoodleSite, rule: str) -> None:
    sqlite_site.keep_as_template()
    seen = []
    for simulate in (True, False):
        for size in SIZES:
            sqlite_site.restore_template()
            seen.append(
                told(run_file(
                    sqlite_site, "users", USERS_TWICE, sticky=dict.fromkeys(("city", "department"), rule), written={},
                    chunk_rows=size, simulate=simulate, primaryidentity="username",
                ))
            )  # fmt: skip

    assert all(rows == seen[0] for rows in seen)
    assert any(kept for *_rest, kept in seen[0]) is (rule != "person"), "what the file itself wrote is no person's"


@pytest.mark.parametrize("rule", ["empty", "creation", "person"])
def test_the_same_of_courses(sqlite_site: MoodleSite, rule: str) -> None:
    add_room(sqlite_site)
    sqlite_site.keep_as_template()
    text = "shortname;fullname;summary;customfield_room;category\n" + "".join(
        f"{name};{name} {n};{summary};{room};{category}\n"
        for n, (summary, room, category) in enumerate((("a", "A1", "1"), ("b", "", "X/Y"), ("", "B2", "X")))
        for name in ("C1", "C2", "NEW")
    )
    rules = dict.fromkeys(("summary", "customfield_", "category"), rule)
    seen = []
    for simulate in (True, False):
        for size in SIZES:
            sqlite_site.restore_template()
            seen.append(
                [(line, action, code, columns) for line, action, code, _changes, columns in told(run_file(
                    sqlite_site, "courses", text, sticky=rules, written={}, chunk_rows=size, simulate=simulate,
                    forceupdate=True,
                ))]
            )  # fmt: skip

    assert all(rows == seen[0] for rows in seen)


def test_a_password_that_stands_is_neither_verified_against_another_nor_changed(sqlite_site: MoodleSite) -> None:
    text = f"username;firstname;lastname;password\nann;Ann;Smith;{ANN_PASSWORD}\n"

    same = run_file(sqlite_site, "users", text, sticky={"password": "never"}, primaryidentity="username")

    assert (same.codes, kept(same)) == (["account_unchanged"], [""]), (
        "it is the same, so nothing was kept from changing"
    )


def test_what_may_be_sticky_has_a_place_and_names_nothing(sqlite_site: MoodleSite) -> None:
    for processor in REGISTRY.values():
        for column, places in processor.sticky_columns:
            assert column in list(processor.columns)
            assert not column.ignored, column.name
            for table, name in places:
                assert name in sqlite_site.columns(table), column.name
    named = {sticky.column.name for processor in REGISTRY.values() for sticky in processor.sticky_columns}
    assert named.isdisjoint({"username", "idnumber", "shortname", "id", "cid", "cidnumber", "courseid", "updateid"})
