"""The option `skipinvalidcells`: what can't be read is left out and said; what decides about the row still rejects it."""

from __future__ import annotations

from typing import Any

import pytest

from sync.columns import messages
from sync.columns.leaving_out import CELL_CODES
from sync.processors.courses.messages import TEXTS as COURSE_FIELD_TEXTS
from tests.moodle_sites import MoodleSite
from tests.processors.custom_fields.test_values import field
from tests.support import RunResult, run_file

NAMES = "username;firstname;lastname"


def run(site: MoodleSite, key: str, text: str, **options: Any) -> RunResult:
    return run_file(site, key, text, skipinvalidcells=True, **options)


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_cell_that_cannot_be_used_is_left_out_and_said(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    text = (
        f"{NAMES};country;timezone;maildisplay;email;profile_field_col\n"
        "one;O;N;Atlantis;Nowhere/Land;9;n/a;Nope\ntwo;T;W;FR;Europe/Paris;1;t@example.org;Green\n"
    )
    result = run(sqlite_site, "users", text, primaryidentity="username", chunk_rows=chunk_rows)

    assert result.counts == {"created": 2}
    assert [note.code for note in result.outcomes[0].notes] == ["cell_left_out"] * 5
    one, two = (sqlite_site.one("user", username=name) for name in ("one", "two"))
    assert (one["country"], one["maildisplay"], one["email"]) == ("", 2, "")
    assert (two["country"], two["maildisplay"]) == ("FR", 1)
    assert sqlite_site.rows("user_info_data", userid=one["id"]) == []
    assert (
        "column country: The cell was left out, the rest of the row is done. “Atlantis” is not a country."
        in result.report
    )


def test_every_way_in_which_a_cell_alone_is_faulty_lets_it_be_left_out() -> None:
    # What the reader, a workbook and the cleaning of texts say of a cell, but not of a whole row.
    of_files = {code for code in messages.TEXTS if code.startswith("cell_")}
    of_fields = {code for code in COURSE_FIELD_TEXTS if code.startswith("course_field_")}
    assert of_files - CELL_CODES == {"cell_empty", "cell_holds", "cell_left_out"}
    # What is wrong with the field itself, or beside another thing.
    assert of_fields - CELL_CODES == {
        "course_field_automatic", "course_field_kind_unknown", "course_field_required", "course_field_unknown",
        "course_field_value_taken",
    }  # fmt: skip


def test_quotes_and_numbers_of_fields_are_left_out(sqlite_site: MoodleSite) -> None:
    result = run(sqlite_site, "users", f'{NAMES};department\none;O;N;"The "old" one"\n', primaryidentity="username")
    assert result.counts == {"created": 1}
    assert sqlite_site.one("user", username="one")["department"] == ""
    field(sqlite_site, "number")
    result = run(sqlite_site, "courses", "shortname;fullname;category;customfield_thing\nN1;New;1;much\n")
    assert [note.params["hint"] for note in result.outcomes[0].notes if note.code == "cell_left_out"] == [
        ["course_field_not_number"]
    ]


def test_what_is_stored_stays(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "users", f"{NAMES};idnumber;country;profile_field_col\nann;Ann;Smith;A1;FR;Green\n")
    result = run(sqlite_site, "users", f"{NAMES};idnumber;country;profile_field_col\nann;Ann;Smith;A1;Atlantis;Nope\n")
    assert result.counts == {"unchanged": 1}
    assert sqlite_site.one("user", username="ann")["country"] == "FR"


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("users", f"{NAMES};deleted\nann;Ann;Smith;perhaps\n", "value_not_flag"),
        ("users", f"{NAMES};email\nnew;N;E;nonsense\n", "value_not_email"),
        # Without its end an enrolment would never end, without its start it would begin at once …
        (
            "enrolments",
            "cmd;cid;uid;rolename;enrol;starttime;endtime\nadd;C1;ann;student;manual;;never\n",
            "value_not_time",
        ),
        (
            "enrolments",
            "cmd;cid;uid;rolename;enrol;starttime;endtime\nadd;C1;ann;student;manual;soon;\n",
            "value_not_time",
        ),
        ("users", f"{NAMES};course1;enrol1;end1\nann;Ann;Smith;C1;manual;never\n", "value_not_time"),
        ("users", f"{NAMES};course1;enrol1;enrolperiod1\nann;Ann;Smith;C1;manual;a year\n", "value_not_number"),
        # … a user would stay open, and a course or a cohort be seen.
        ("users", f"{NAMES};suspended\nann;Ann;Smith;perhaps\n", "value_not_flag"),
        ("courses", "shortname;fullname;visible\nNEW;New;perhaps\n", "value_not_flag"),
        ("courses", "shortname;fullname;guest\nNEW;New;perhaps\n", "value_not_flag"),
        ("cohorts", "cname;cidnumber;visible\nNew;NEW;perhaps\n", "value_not_flag"),
        ("users_suspend", "username;suspended\nann;perhaps\n", "value_not_flag"),
        ("users_delete", "username;lastname\nann;" + "x" * 200 + "\n", "value_too_long"),
        ("enrolments", "cmd;cid;uid;rolename\ndrop;C1;ann;student\n", "value_not_among"),
        ("users", f"{NAMES};idnumber\nann;Ann;Smith;" + "9" * 300 + "\n", "value_too_long"),
    ],
)
def test_a_cell_that_decides_still_rejects_its_row(sqlite_site: MoodleSite, key: str, text: str, code: str) -> None:
    identity = "email" if "email" in text else "username"
    options = {"primaryidentity": identity} if key.startswith("users") else {}
    before = sqlite_site.snapshot()
    assert run(sqlite_site, key, text, **options).codes == [code]
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_it_is_off_by_default(sqlite_site: MoodleSite) -> None:
    text = f"{NAMES};country\nnew;N;E;France\n"
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.codes == ["country_unknown"]
    assert "“France” is not a country" in result.report
    assert "Did you mean “FR”?" in result.report


@pytest.mark.parametrize(
    ("name", "code"), [("france", "FR"), ("FRA", "FR"), ("Allemagne", "DE"), ("Österreich", "AT"), ("UK", "GB")]
)
def test_the_code_of_a_named_country_is_suggested(sqlite_site: MoodleSite, name: str, code: str) -> None:
    report = run_file(sqlite_site, "users", f"{NAMES};country\nnew;N;E;{name}\n", primaryidentity="username").report
    assert f"Did you mean “{code}”?" in report


def test_a_language_that_is_not_installed_is_left_to_the_site(
    sqlite_site: MoodleSite, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataroot = tmp_path_factory.mktemp("moodledata")
    (dataroot / "lang" / "de").mkdir(parents=True)
    before = sqlite_site.one("user", username="ann")["lang"]
    text = f"{NAMES};lang\nann;Ann;Smith;fr\nnew;N;E;fr\nother;O;T;de\n"

    result = run_file(sqlite_site, "users", text, primaryidentity="username", dataroot=dataroot)

    assert [note.code for note in result.outcomes[1].notes] == ["language_left_out"]
    languages = [sqlite_site.one("user", username=name)["lang"] for name in ("ann", "new", "other")]
    assert languages == [before, "en", "de"]


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("a@example..org", True), ("a@example.org.", True), ("a@exam_ple.org", True), ("é@example.org", True),
        ("a@exämple.org", True), ("x@localhost", True), (".a@example.org", True), ("a" * 65 + "@example.org", True),
        ("a.b+c@sub.example.org", False), ("o'neil_x@example.org", False), ("NO MAIL a@example.org", False),
    ],
)  # fmt: skip
def test_addresses_that_moodle_calls_invalid_are_warned_of(sqlite_site: MoodleSite, address: str, warned: bool) -> None:
    result = run_file(sqlite_site, "users", f"{NAMES};email\nnew;N;E;{address}\n", primaryidentity="username")
    assert result.counts == {"created": 1}
    assert [note.code for note in result.outcomes[0].notes] == (["email_not_mailable"] if warned else [])


def test_changeme_has_to_be_changed(sqlite_site: MoodleSite) -> None:
    text = f"{NAMES};password\nnew;N;E;changeme\nother;O;T;Changeme#1\n"
    run_file(sqlite_site, "users", text, primaryidentity="username")

    ids = [sqlite_site.one("user", username=name)["id"] for name in ("new", "other")]
    forced = [sqlite_site.rows("user_preferences", userid=i, name="auth_forcepasswordchange") for i in ids]
    assert [[row["value"] for row in rows] for rows in forced] == [["1"], []]
    again = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert again.counts == {"unchanged": 2}


@pytest.mark.parametrize("key", ["users_delete", "users_suspend", "users_restore"])
def test_lists_leave_a_user_of_another_name_alone(sqlite_site: MoodleSite, key: str) -> None:
    if key == "users_restore":
        sqlite_site.execute("UPDATE {user} SET suspended = 1 WHERE username IN ('ann', 'u1')")
    before = sqlite_site.one("user", username="ann")

    text = "username;firstname;lastname\nann;Bob;Smith\nann;Ann;\n"
    result = run_file(sqlite_site, key, text.partition("ann;Ann;")[0], primaryidentity="username")

    assert result.codes == ["account_of_another_person"]
    assert "is Ann Smith, not Bob Smith" in result.report
    assert sqlite_site.one("user", username="ann") == before


@pytest.mark.parametrize("names", ["Ann;Smith", "ANN;smith", ";Smith", "Änn;Smith", ";"])
def test_lists_take_names_as_people_write_them(sqlite_site: MoodleSite, names: str) -> None:
    text = f"username;firstname;lastname;suspended\nann;{names};1\n"
    assert run_file(sqlite_site, "users_suspend", text, primaryidentity="username").counts == {"updated": 1}


LONG = "x" * 300


@pytest.mark.parametrize(
    ("key", "before", "text", "options"),
    [
        ("cohorts", "cname;cidnumber\nK1;K1\n", f"cmd;cname;cid\ndel;{LONG};K1\n", {"cohortidentifier": "name"}),
        (
            "groups", "courseid;name;idnumber\nC1;Labs;\n", f"courseid;name;idnumber;selfgrouping\nC1;Labs;{LONG};1\n",
            {"groupidentifier": "name", "groupingidentifier": "name"},
        ),
        (
            "users", f"{NAMES};course1;enrol1;enrolstatus1\nann;Ann;Smith;C1;manual;1\n",
            f"{NAMES};course1;enrol1;enrolstatus1\nann;Ann;Smith;C1;manual;perhaps\n", {},
        ),
        ("categories", "category\nA\n", "category;visible\nB;perhaps\n", {}),
        *(
            ("enrolment_methods", "course;enrol\nC1;self\n", f"course;enrol;name;{column}\nC1;self;New;{cell}\n", {})
            for column, cell in (
                ("password", "k" * 51), ("disabled", "perhaps"), ("startdate", "soon"), ("enddate", "soon"), ("enrolperiod", "x"),
                ("maxenrolled", "few"), ("newenrols", "perhaps"), ("groupkeys", "perhaps"),
            )
        ),
    ],
)  # fmt: skip
def test_what_names_the_thing_or_opens_a_course_is_never_left_out(
    sqlite_site: MoodleSite, key: str, before: str, text: str, options: dict[str, str]
) -> None:
    run(sqlite_site, key, before)
    was = sqlite_site.snapshot()

    result = run(sqlite_site, key, text, **options)

    assert result.counts == {"rejected": 1}
    assert sqlite_site.diff(was, sqlite_site.snapshot()) == {}


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_cell_that_is_looked_at_before_rows_are_planned_is_left_out_once(
    sqlite_site: MoodleSite, chunk_rows: int
) -> None:
    """A row that was rejected for it all the same was planned again and again, until there was no memory left."""
    header = "shortname;events;logs;notes;grades;roles;local_roles;groups;groupings;modules;completion;comments"
    text = f"{header}\nC1;no;no;no;no;no;no;no;no;no;perhaps;maybe\nC2;no;no;no;no;no;no;no;no;no;no;no\n"

    result = run(sqlite_site, "courses_reset", text, chunk_rows=chunk_rows)

    assert result.counts == {"unchanged": 2}
    assert [note.code for note in result.outcomes[0].notes] == ["cell_left_out"] * 2
    assert not result.outcomes[1].notes
