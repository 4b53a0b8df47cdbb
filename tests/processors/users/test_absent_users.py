"""Users files that are complete for a scope: whoever of it isn't in the file is suspended or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import CommandFileError
from sync.processors.base.overlay import Overlay
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.5", "postgresql:5.1")

HEADER = "username;firstname;lastname\n"
PEOPLE = ("kim0", "kim1", "kim2", "kim3", "kim4", "kim5")
LDAP: dict[str, Any] = {"primaryidentity": "username", "absent": "suspend", "absentscope": "auth", "absentname": "ldap"}
SUSPENDED = "absent_user_suspended"


def file_of(*usernames: str) -> str:
    return HEADER + "".join(f"{username};First;Last\n" for username in usernames)


def add_user(site: MoodleSite, username: str, **more: Any) -> int:
    values = {"auth": "ldap", "confirmed": 1, "mnethostid": 1, "firstname": "First", "lastname": "Last", **more}
    return site.insert("user", username=username, email=f"{username}@x.org", **values)


def add_cohort(site: MoodleSite, idnumber: str, *userids: int) -> None:
    context = site.one("context", contextlevel=10)["id"]
    cohort = site.insert(
        "cohort",
        contextid=context,
        name=idnumber,
        idnumber=idnumber,
        descriptionformat=1,
        timecreated=1,
        timemodified=1,
    )
    for userid in userids:
        site.insert("cohort_members", cohortid=cohort, userid=userid, timeadded=1)


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """A Moodle with six users of LDAP, one of whom is suspended."""
    for username in PEOPLE:
        add_user(moodle_site, username, idnumber=username.upper(), suspended=int(username == "kim5"))
    return moodle_site


def suspended(site: MoodleSite) -> set[str]:
    """The people of these tests who are suspended: a real site has others, who are in no scope here."""
    found = {user["username"] for user in site.rows("user", suspended=1, deleted=0)}
    return {username for username in found if username.startswith(("kim", "new", "ann"))}


def told(result: RunResult) -> list[tuple[str, str, int]]:
    return [(outcome.code, outcome.subject, outcome.line) for outcome in result.outcomes]


def notes(result: RunResult) -> dict[str, Any]:
    return {note.code: note.params for note in result.notes if note.code.startswith("absent_")}


def test_absent_users_of_an_authentication_method_are_suspended_and_told_one_by_one(site: MoodleSite) -> None:
    site.insert(
        "sessions", state=0, sid="x", userid=site.one("user", username="kim3")["id"], timecreated=1, timemodified=1
    )
    result = run_file(site, "users", file_of("kim0", "kim1", "kim2"), **LDAP)

    assert suspended(site) == {"kim3", "kim4", "kim5"}
    assert told(result)[3:] == [(SUSPENDED, "kim3", 5), (SUSPENDED, "kim4", 6)]
    assert [tuple(change) for change in result.outcomes[3].changes] == [("suspended", "0", "1")]
    assert site.rows("sessions") == []
    assert "absent from the file: user suspended. Scope: the users whose authentication method is “ldap”." in (
        result.report
    )
    assert "3 of 6 users of the scope are absent from the file; suspended by this run: 2." in result.report
    assert result.counts == {"unchanged": 3, "updated": 2}


def test_the_same_file_again_changes_nothing_and_says_the_same_of_who_is_absent(site: MoodleSite) -> None:
    run_file(site, "users", file_of("kim0"), **LDAP)
    before = site.snapshot()

    result = run_file(site, "users", file_of("kim0"), **LDAP)

    assert site.diff(before, site.snapshot()) == {}
    assert result.codes == ["account_unchanged"]
    params = notes(result)["absent_users_suspend"]
    assert (params["count"], params["total"], params["done"]) == (5, 6, 0)


def test_what_somebody_undid_by_hand_is_mended_by_the_next_file(site: MoodleSite) -> None:
    run_file(site, "users", file_of("kim0"), **LDAP)
    site.execute("UPDATE {user} SET suspended = 0 WHERE username = 'kim4'")

    result = run_file(site, "users", file_of("kim0"), **LDAP)

    assert told(result) == [("account_unchanged", "kim0", 2), (SUSPENDED, "kim4", 3)]


def test_absent_members_of_cohorts_are_suspended_and_others_are_not(site: MoodleSite) -> None:
    ids = {username: site.one("user", username=username)["id"] for username in PEOPLE}
    add_cohort(site, "YEAR-1", ids["kim0"], ids["kim1"])
    add_cohort(site, "YEAR-2", ids["kim1"], ids["kim2"])
    add_cohort(site, "year-3", ids["kim3"])
    scope = {**LDAP, "absentscope": "cohorts", "absentname": "YEAR-"}

    result = run_file(site, "users", file_of("kim0"), **scope)

    assert suspended(site) == {"kim1", "kim2", "kim5"}
    params = notes(result)["absent_users_suspend"]
    assert (params["count"], params["total"], params["hint"]) == (2, 3, "absent_scope_cohorts")


def test_absent_users_are_deleted_when_that_is_chosen(site: MoodleSite) -> None:
    result = run_file(site, "users", file_of("kim0", "kim1"), **{**LDAP, "absent": "delete"})

    assert {user["username"] for user in site.rows("user", auth="ldap", deleted=0)} == {"kim0", "kim1"}
    assert [code for code, *_more in told(result)[2:]] == ["absent_user_deleted"] * 4
    params = notes(result)["absent_users_delete"]
    assert (params["count"], params["total"], params["done"]) == (4, 6, 4)


def test_nothing_happens_to_absent_users_unless_it_is_chosen(site: MoodleSite) -> None:
    result = run_file(site, "users", file_of("kim0"), **{**LDAP, "absent": "keep"})

    assert suspended(site) == {"kim5"}
    assert notes(result) == {}


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
@pytest.mark.parametrize("absent", ["suspend", "delete"])
def test_a_dry_run_foretells_what_the_run_tells(site: MoodleSite, absent: str, chunk_rows: int) -> None:
    text = "username;firstname;lastname;auth\nkim0;A;B;ldap\nnew1;A;B;ldap\nkim1;First;Last;manual\nnew2;A;B;manual\n"
    options = {**LDAP, "absent": absent}
    before = site.snapshot()
    foretold = run_file(site, "users", text, simulate=True, chunk_rows=chunk_rows, **options)
    assert site.diff(before, site.snapshot()) == {}

    done = run_file(site, "users", text, chunk_rows=chunk_rows, **options)

    assert foretold.outcomes == done.outcomes
    assert foretold.notes == done.notes
    (params,) = notes(done).values()
    # kim1 has left the scope, new1 has come into it.
    assert (params["count"], params["total"]) == (4, 6)


def test_a_dry_run_foretells_how_many_members_the_cohorts_have(site: MoodleSite) -> None:
    add_cohort(site, "YEAR-1", *(site.one("user", username=username)["id"] for username in PEOPLE[:2]))
    text = "username;firstname;lastname;cohort;cohortid\nkim0;First;Last;;\nnew1;A;B;;YEAR-1\nkim3;First;Last;Nine;YEAR-9\n"
    options = {**LDAP, "absentscope": "cohorts", "absentname": "YEAR-"}
    foretold = run_file(site, "users", text, simulate=True, chunk_rows=1, **options)

    done = run_file(site, "users", text, chunk_rows=1, **options)

    assert foretold.notes == done.notes
    params = notes(done)["absent_users_suspend"]
    assert (params["count"], params["total"]) == (1, 4)


@pytest.mark.parametrize(
    "row",
    ["kim3;;Last", "KIM3;First;Last"],
)
def test_whoever_a_row_names_is_not_absent_even_if_the_row_is_rejected(site: MoodleSite, row: str) -> None:
    run_file(site, "users", f"{HEADER}{row}\n" + "".join(f"kim{n};First;Last\n" for n in (0, 1)), **LDAP)

    assert suspended(site) == {"kim2", "kim4", "kim5"}


def test_a_user_is_named_by_any_identity_and_by_the_former_name(site: MoodleSite) -> None:
    text = (
        "username;oldusername;idnumber;firstname;lastname\n"
        "kim0;;;First;Last\n"
        "other;;KIM1;First;Last\n"
        "renamed;kim2;KIM2;First;Last\n"
        "nobody;kim3;;First;Last\n"
    )
    result = run_file(site, "users", text, **{**LDAP, "primaryidentity": "idnumber"}, allowrename=1)

    assert suspended(site) == {"kim4", "kim5"}
    assert result.codes[1] == "username_differs"


RENAMINGS = [
    # Rows, whether somebody may be meant who isn't named.
    ("new;First;Last;kin3", True),
    ("new;First;Last;kim3", False),
    ("kim3;First;Last;kin3", False),
    ("new;First;Last;\nnewer;First;Last;new", False),
    ("newer;First;Last;new\nnew;First;Last;", True),
]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("allowrename", [True, False])
@pytest.mark.parametrize(("rows", "is_unread"), RENAMINGS)
def test_nothing_is_taken_away_when_a_row_renames_nobody(
    site: MoodleSite, rows: str, is_unread: bool, allowrename: bool, chunk_rows: int
) -> None:
    text = f"username;firstname;lastname;oldusername\n{rows}\nkim0;First;Last;\n"
    options = {**LDAP, "allowrename": allowrename, "chunk_rows": chunk_rows}
    foretold = run_file(site, "users", text, simulate=True, **options)
    result = run_file(site, "users", text, **options)

    assert (suspended(site) == {"kim5"}) == is_unread
    assert ("absent_left_unread" in notes(result)) == is_unread
    assert notes(foretold) == notes(result)


def test_a_row_with_an_idnumber_of_somebody_names_that_user_whatever_the_old_name_is(site: MoodleSite) -> None:
    text = "username;firstname;lastname;oldusername;idnumber\nnew;First;Last;kin3;KIM3\n"
    result = run_file(site, "users", text, **LDAP)

    assert "absent_left_unread" not in notes(result)
    assert suspended(site) == {"kim0", "kim1", "kim2", "kim4", "kim5"}


@pytest.mark.parametrize(
    "row",
    [";First;Last", "kim3;First;Last;too;many", '"kim3;First;Last', "-kim3;First", " kim3;First", "#kim3;;Last;x"],
)
def test_nothing_is_taken_away_when_nobody_knows_whom_a_row_names(site: MoodleSite, row: str) -> None:
    result = run_file(site, "users", f"{file_of('kim0', 'kim1')}{row}\n", **LDAP)

    assert suspended(site) == {"kim5"}
    assert notes(result) == {"absent_left_unread": {"lines": "4"}}
    assert "It can't be told whom the rows in lines 4 name" in result.report


def odd_names(count: int) -> list[str]:
    return [f"kim o'{number}" for number in range(count)]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("row", ["kim 3;First;Last", "kim 3;;Last"])
def test_one_name_that_nobody_has_is_found_among_many_that_can_t_be_usernames(
    site: MoodleSite, row: str, chunk_rows: int
) -> None:
    for username in odd_names(30):
        add_user(site, username)
    text = f"{file_of(*odd_names(30))}{row}\n"
    result = run_file(site, "users", text, chunk_rows=chunk_rows, **LDAP)

    assert suspended(site) == {"kim5"}
    assert notes(result) == {"absent_left_unread": {"lines": "32"}}


def test_names_that_can_t_be_usernames_and_that_users_have_say_who_is_there(site: MoodleSite) -> None:
    for username in odd_names(30):
        add_user(site, username)
    run_file(site, "users", file_of("kim0", *odd_names(29)), **LDAP)

    assert suspended(site) == {"kim1", "kim2", "kim3", "kim4", "kim5", "kim o'29"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("username;firstname;lastname;_line;_code;_reason\nkim0;First;Last;2;x;y\n", "absent_left_tryback"),
        (f"{file_of('kim0', 'kim1')}kim2;Fi", "absent_left_short"),
        (f"{file_of('kim0', 'kim1')}# kim2; First\n", "absent_left_trouble"),
        (f"{HEADER}kim0;First;Last\n{HEADER}kim1;First;Last\n", "absent_left_trouble"),
    ],
)
def test_a_file_that_may_not_be_whole_takes_nothing_away(site: MoodleSite, text: str, code: str) -> None:
    result = run_file(site, "users", text, **LDAP)

    assert suspended(site) == {"kim5"}
    assert code in notes(result)


def test_a_file_with_many_short_rows_is_whole(site: MoodleSite) -> None:
    text = "username;firstname;lastname;city\n" + "".join(f"kim{n};First;Last\n" for n in range(4))
    run_file(site, "users", text, **LDAP)

    assert suspended(site) == {"kim4", "kim5"}


def test_protected_users_are_no_part_of_the_scope(site: MoodleSite) -> None:
    admin = site.one("user", username="admin")
    site.execute("UPDATE {user} SET auth = 'ldap' WHERE id = :id", id=admin["id"])
    site.execute("UPDATE {user} SET auth = 'ldap' WHERE username = 'guest'")

    for absent in ("suspend", "delete"):
        result = run_file(site, "users", file_of("kim0"), **{**LDAP, "absent": absent})
        (params,) = notes(result).values()
        assert (params["count"], params["total"]) == (5, 6)

    assert site.one("user", id=admin["id"])["suspended"] == 0
    assert site.one("user", username="guest")["deleted"] == 0


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"absentname": "ldpa"}, "absent_scope_empty"),
        ({"absentname": ""}, "absent_scope_missing"),
        ({"absentscope": "none"}, "absent_scope_missing"),
        ({"absentscope": "cohorts", "absentname": "NONE-"}, "absent_scope_empty"),
    ],
)
def test_a_scope_that_is_nobody_is_refused_before_anything_is_written(
    site: MoodleSite, scope: dict[str, Any], code: str
) -> None:
    before = site.snapshot()

    with pytest.raises(CommandFileError, match=code):
        run_file(site, "users", file_of("new"), **{**LDAP, **scope})

    assert site.diff(before, site.snapshot()) == {}


def test_a_scope_that_is_everybody_is_refused_unless_that_is_meant(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET auth = 'ldap'")
    before = site.snapshot()
    with pytest.raises(CommandFileError, match="absent_scope_everybody"):
        run_file(site, "users", file_of("new"), **LDAP)
    assert site.diff(before, site.snapshot()) == {}

    run_file(site, "users", file_of("new"), **LDAP, absentall=1)

    assert suspended(site) == {"ann", *PEOPLE}


def test_whom_earlier_files_of_a_bundle_take_away_or_suspend_isn_t_planned_again(site: MoodleSite) -> None:
    overlay = Overlay()
    by_name = {"primaryidentity": "username"}
    files: list[tuple[str, str, dict[str, Any]]] = [
        ("users_suspend", "username\nkim1\n", by_name),
        ("users_delete", "username\nkim2\n", by_name),
        ("users", file_of("kim0"), LDAP),
    ]
    for number, (key, text, options) in enumerate(files, 1):
        overlay.begin_file(number)
        planned = run_file(site, key, text, simulate=True, overlay=overlay, **options)
    overlay.close()

    done = [run_file(site, key, text, **options) for key, text, options in files][-1]

    assert told(planned) == told(done)
    assert [subject for _code, subject, _line in told(done)] == ["kim0", "kim3", "kim4"]
