"""What is exported plans back as unchanged, whatever is in Moodle, and what no file can say is named."""

from __future__ import annotations

from typing import Any

import pytest

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.processors.base.export import ExportScope, ScopeKind
from sync.processors.registry import REGISTRY
from sync.runs.exports import ExportResult, export, exportable
from tests.moodle_sites import MoodleSite
from tests.processors.custom_fields.fields import add_course_fields
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:4.1", "real:m45pg-seeded", "real:m520-seeded")

# What makes trouble in a CSV file, in a spreadsheet or on the way through an encoding.
AWKWARD = ('Ann "the" O;Brien, 1', "=Total", "#comment", "-1+2", "a|b c", "Zoë 東京 😀", "(x)", "d'7'", "a\nb;c\n")
# Options with which every cell of the file counts.
STRICT: dict[str, dict[str, Any]] = {
    "users": {"protectemails": False},
    "courses": {"forceupdate": True},
    "cohort_courses": {"followenrolments": False},
}


def exported(
    site: MoodleSite, key: str, scope: ExportScope | None = None, **options: Any
) -> tuple[bytes, ExportResult]:
    moodle, result, processor = MoodleDatabase(MoodleConnection(site.url, site.prefix)), ExportResult(), REGISTRY[key]
    values = processor.options.resolve(options)
    content = b"".join(export(moodle, processor, values, scope or ExportScope(), result))
    moodle.dispose()
    return content, result


def check_round_trip(site: MoodleSite, key: str, **options: Any) -> ExportResult:
    """Export a file, and see that a simulation of it finds nothing to do."""
    content, result = exported(site, key, **options)
    again = run_file(site, key, content, simulate=True, **{**options, **STRICT.get(key, {})})
    assert again.counts == ({"unchanged": result.rows} if result.rows else {}), key
    return result


def add_awkward_things(site: MoodleSite) -> None:
    ann, course, other = site.ids["ann"], site.ids["C1"], site.ids["C2"]
    names = ("firstname", "lastname", "institution", "department", "address", "city", "alternatename", "middlename")
    for name, text in zip(names, AWKWARD, strict=False):
        site.execute(f"UPDATE {{user}} SET {name} = :text WHERE id = :id", text=text.strip(), id=ann)
    site.execute(
        "UPDATE {user} SET description = :text, idnumber = '00123' WHERE id = :id", text="<p>a</p>\n\n<b>;</b>", id=ann
    )
    site.execute(
        "UPDATE {course} SET shortname = '# C; \"1\"', fullname = '=Algebra', idnumber = 'é'  WHERE id = :id", id=course
    )
    site.execute(
        "UPDATE {course} SET startdate = 1793498400, enddate = 1993498461, summary = 'x\n;y' WHERE id = :id", id=course
    )
    method = site.rows("enrol", courseid=course, enrol="manual")[0]["id"]
    site.execute("DELETE FROM {user_enrolments} WHERE userid = :ann AND enrolid = :enrol", ann=ann, enrol=method)
    # An hour that the clock shows twice, and one that it shows once.
    site.insert(
        "user_enrolments", enrolid=method, userid=ann, status=0, timestart=1793498400, timeend=1793502000, modifierid=2
    )
    site.insert("user_preferences", userid=ann, name="htmleditor", value='a;"b"')
    add_course_fields(site)
    run_file(site, "custom_fields", "course;field;value\nC2;level;Master\nC2;due;2027-09-01 08:30\nC2;note;=x\n")
    site.execute("DELETE FROM {groups_members} WHERE userid = :ann", ann=ann)
    group = site.insert("groups", courseid=course, name='G;"1"', idnumber="=G", description="a\nb", descriptionformat=1)
    bare = site.insert("groups", courseid=course, name="Bare group", idnumber="")
    grouping = site.insert("groupings", courseid=course, name="=Grouping", idnumber="-GG", description="")
    site.insert("groupings_groups", groupingid=grouping, groupid=group, timeadded=1)
    for groupid in (group, bare):
        site.insert("groups_members", groupid=groupid, userid=ann, timeadded=1)
    cohort = site.insert(
        "cohort", contextid=1, name='Year "1"; A', idnumber="+Y1", description="<p>a\nb</p>", descriptionformat=1,
        timecreated=1, timemodified=1,
    )  # fmt: skip
    site.insert("cohort_members", cohortid=cohort, userid=ann, timeadded=1)
    site.insert("enrol", enrol="cohort", courseid=other, customint1=cohort, roleid=5, sortorder=91)
    for level in (10, 30, 40, 50):
        context = site.rows("context", contextlevel=level)[-1]["id"]
        site.insert("role_assignments", roleid=2, contextid=context, userid=ann, timemodified=1)


def test_every_file_type_plans_back_as_unchanged(moodle_site: MoodleSite) -> None:
    add_awkward_things(moodle_site)
    results = {processor.key: check_round_trip(moodle_site, processor.key) for processor in exportable()}
    assert {key for key, result in results.items() if not result.rows} <= {"courses_meta"}
    (bare,) = (left for left in results["groupmembers"].left_out if "Bare" in left.label)
    assert bare.reason.startswith("The column groupid would be empty")
    assert {key: results[key].left_out for key in ("users", "courses", "groups", "cohorts", "enrolments")} == {
        "users": [], "courses": [], "groups": [], "cohorts": [], "enrolments": [],
    }  # fmt: skip


@pytest.mark.sites("sqlite:5.1")
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("users", {"primaryidentity": "id", "separator": ","}),
        ("courses", {"courseidentifier": "id", "categoryidentifier": "idnumber", "separator": "tab"}),
        ("enrolments", {"courseidentifier": "idnumber", "useridentifier": "email", "encoding": "UTF-8"}),
        ("groups", {"courseidentifier": "id", "groupidentifier": "name", "groupingidentifier": "id"}),
        ("groupmembers", {"groupidentifier": "name", "useridentifier": "id"}),
        ("cohorts", {"cohortidentifier": "name", "useridentifier": "idnumber"}),
        ("cohort_courses", {"cohortidentifier": "id", "roleidentifier": "id"}),
        ("categories", {"categoryidentifier": "id"}),
        ("enrolment_methods", {"courseidentifier": "idnumber", "cohortidentifier": "name"}),
        ("user_preferences", {"useridentifier": "id"}),
    ],
)
def test_files_name_things_as_the_options_say(key: str, options: dict[str, Any], moodle_site: MoodleSite) -> None:
    add_awkward_things(moodle_site)
    assert check_round_trip(moodle_site, key, **options).rows


@pytest.mark.sites("sqlite:5.1")
def test_custom_fields_are_exported_where_everything_has_them(moodle_site: MoodleSite) -> None:
    site, stamps = moodle_site, {"timecreated": 1, "timemodified": 1}
    category = site.insert(
        "customfield_category", name="C", component="core_course", area="course", itemid=0, sortorder=0, contextid=1, **stamps
    )  # fmt: skip
    kinds = {"level": ("select", '{"options": "Bachelor\\r\\nMaster"}'), "due": ("date", "{}"), "note": ("textarea", "{}"),
             "open": ("checkbox", "{}"), "code": ("text", "{}")}  # fmt: skip
    for number, (name, (kind, config)) in enumerate(kinds.items()):
        site.insert(
            "customfield_field", shortname=name, name=name, type=kind, categoryid=category, sortorder=number,
            configdata=config, **stamps,
        )  # fmt: skip
    names = [course["shortname"] for course in site.rows("course") if course["category"]]
    lines = [f'{name};{name};Master;2027-09-01 08:30;"a\n;b";1;="x' for name in names]
    header = "shortname;fullname;" + ";".join(f"customfield_{name}" for name in kinds)
    filled = run_file(site, "courses", "\n".join([header, *lines]), forceupdate=True)
    assert filled.counts == {"updated": len(names)}
    content, _result = exported(site, "courses")
    assert all(f"customfield_{name}".encode() in content for name in kinds)
    assert check_round_trip(site, "courses").rows == len(names)
    field = site.one("customfield_field", shortname="note")["id"]
    site.execute(
        "DELETE FROM {customfield_data} WHERE fieldid = :field AND instanceid = :id", field=field, id=site.ids["C1"]
    )
    content, _result = exported(site, "courses")
    assert (b"customfield_note" in content, b"customfield_level" in content) == (False, True)
    assert check_round_trip(site, "courses").rows == len(names)


@pytest.mark.sites("sqlite:5.1")
def test_profile_fields_are_exported_where_everybody_has_them(moodle_site: MoodleSite) -> None:
    site = moodle_site
    users = [user["id"] for user in site.rows("user", deleted=0) if user["username"] != "guest"]
    site.execute("DELETE FROM {user_info_data}")
    for userid in users:
        site.insert("user_info_data", userid=userid, fieldid=site.ids["col"], data="Blue", dataformat=0)
        site.insert("user_info_data", userid=userid, fieldid=site.ids["bio"], data="<p>a</p>\n;b", dataformat=1)
    site.insert("user_info_data", userid=users[0], fieldid=site.ids["dept"], data="only one", dataformat=0)
    content, result = exported(site, "users")
    header = content.splitlines()[0]
    assert header.endswith(b"profile_field_bio;profile_field_col")
    assert (result.rows, b"only one" in content) == (len(users), False)
    assert check_round_trip(site, "users").rows == len(users)


@pytest.mark.sites("sqlite:5.1")
def test_what_no_file_can_say_is_named_at_the_end(moodle_site: MoodleSite) -> None:
    site = moodle_site
    # Blanks at the ends and tabs are taken off every cell, a formula is no result.
    site.execute("UPDATE {user} SET city = ' Rome ', firstname = 'Line\nbreak' WHERE id = :id", id=site.ids["ann"])
    site.execute("UPDATE {course} SET fullname = '=SUM(A1)' WHERE id = :id", id=site.ids["C1"])
    content, result = exported(site, "users")
    assert [left.label for left in result.left_out] == [site.one("user", id=site.ids["ann"])["username"]]
    last = content.decode().splitlines()[-1]
    assert last.startswith("# ann: ")
    assert "city: ' Rome ' → 'Rome'" in last
    assert run_file(site, "users", content, simulate=True).counts == {"unchanged": result.rows}
    # Quotes of other programs are part of no name.
    site.execute("UPDATE {user} SET city = '', middlename = :text WHERE id = :id", text="'7'", id=site.ids["ann"])
    _content, result = exported(site, "users")
    assert ["“'7'” stands in quotes" in left.reason for left in result.left_out] == [True]
    courses, result = exported(site, "courses")
    assert ([left.label for left in result.left_out], b"=SUM(A1)" in courses) == (["C1"], False)


@pytest.mark.sites("sqlite:5.1", "mariadb:4.1")
def test_a_scope_narrows_each_file_type_that_knows_it(moodle_site: MoodleSite) -> None:
    add_awkward_things(moodle_site)
    site = moodle_site
    category = site.one("course", id=site.ids["C2"])["category"]
    scopes = {
        ScopeKind.CATEGORY: (ExportScope(category=category), ExportScope(category=99_999)),
        ScopeKind.COURSES: (ExportScope(courses="#*\"1\""), ExportScope(courses="#_*")),
        ScopeKind.COHORTS: (ExportScope(cohorts="+Y"), ExportScope(cohorts="_Y")),
        ScopeKind.AUTH: (ExportScope(auth="manual"), ExportScope(auth="nothing")),
    }  # fmt: skip
    found: dict[str, list[bool]] = {}
    for processor in exportable():
        assert processor.exporter is not None
        for kind in processor.exporter.scopes:
            some, none = scopes[kind]
            assert exported(site, processor.key, none)[1].rows == 0, (processor.key, kind)
            found.setdefault(kind, []).append(bool(exported(site, processor.key, some)[1].rows))
    assert all(any(of_kind) for of_kind in found.values())


@pytest.mark.sites("sqlite:5.1")
def test_an_export_holds_no_password(moodle_site: MoodleSite) -> None:
    content, _result = exported(moodle_site, "users")
    password = moodle_site.one("user", id=moodle_site.ids["ann"])["password"]
    assert password
    assert password.encode() not in content
    assert b"password" not in content
