"""Names that rows have exchanged come back whole, however few rows of the undo make a part."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.runs import services
from sync.runs.undo import undo_run
from sync.values import Action
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.runs.test_interruptions import die_at
from tests.runs.undo_checks import bring_in_order, check_round_trip, check_same, outcomes, undo

SERVERS = pytest.mark.sites("mariadb:5.2", "postgresql:4.5")
PARTS = pytest.mark.parametrize("rows", [1, 2, 7])
RING = [f"ring{number}" for number in range(8)]


def add(installation: Installation, key: str, content: str, **options: Any) -> SyncRun:
    run = installation.carry_out("/in.csv", content, processor=key, **options)
    assert run.state == RunState.COMPLETED, (run.counts, run.error_code, run.error_params)
    return run


def add_users(moodle: MoodleSite, names: list[str]) -> None:
    for name in names:
        moodle.insert(
            "user", auth="manual", confirmed=1, mnethostid=1, username=name, firstname=name, lastname="Last",
            email=f"{name}@x.org",
        )  # fmt: skip


def renaming(*renamed: tuple[str, str]) -> str:
    """Return a file that renames users one after the other; their other cells stay as they are."""
    person_by_name: dict[str, str] = {}
    rows: list[str] = []
    for old, new in renamed:
        person = person_by_name[new] = person_by_name.pop(old, old)
        rows.append(f"{old};{new};{person};Last;{person}@x.org\n")
    return "oldusername;username;firstname;lastname;email\n" + "".join(rows)


def shift(names: list[str]) -> list[tuple[str, str]]:
    """Return how each gets the name of the next, the last that of the first."""
    return [(names[-1], "aside"), *reversed(list(pairwise(names))), ("aside", names[0])]


USERS = {"primaryidentity": "username", "allowrename": 1}


@SERVERS
@pytest.mark.parametrize(("rows", "run_rows"), [(1, 1), (2, 1000), (7, 1)])
def test_usernames_that_went_round_in_a_ring_come_back(
    installation_everywhere: Installation, settings: Settings, rows: int, run_rows: int
) -> None:
    moodle = installation_everywhere.moodle
    add_users(moodle, [*RING, "one", "two", "chain0", "chain1", "chain2"])
    before = moodle.snapshot()
    text = renaming(
        *shift(RING), *shift(["one", "two"]), ("chain2", "chain3"), ("chain1", "chain2"), ("chain0", "chain1")
    )  # fmt: skip
    settings.TOOLSYNC_CHUNK_ROWS = run_rows
    run = add(installation_everywhere, "users", text, **USERS)
    assert moodle.one("user", username="ring1")["firstname"] == "ring0"
    settings.TOOLSYNC_CHUNK_ROWS = rows
    check_round_trip(installation_everywhere, run, before)


def exchange(moodle: MoodleSite, kind: str) -> tuple[str, str, dict[str, Any]]:
    """Return a file that lets two courses, or cohorts, exchange their names: file type, content, options."""
    if kind == "shortnames":
        text = "idnumber;shortname;fullname\nIDC1;aside;Course C1\nIDC2;C1;Course C2\nIDC1;C2;Course C1\n"
        return "courses", text, {"courseidentifier": "idnumber", "forceupdate": 1}
    if kind == "course idnumbers":
        text = "shortname;fullname;idnumber\nC1;Course C1;aside\nC2;Course C2;IDC1\nC1;Course C1;IDC2\n"
        return "courses", text, {"forceupdate": 1}
    system = moodle.one("context", contextlevel=10)["id"]
    for name in "AB":
        moodle.insert(
            "cohort", contextid=system, name=name, idnumber=f"K{name}", descriptionformat=1, component="", timecreated=1,
            timemodified=1,
        )  # fmt: skip
    return "cohorts", "cname;cidnumber\nA;aside\nB;KA\nA;KB\n", {"cohortidentifier": "name"}


@SERVERS
@PARTS
def test_names_of_courses_and_cohorts_that_were_exchanged_come_back(
    installation_everywhere: Installation, settings: Settings, rows: int
) -> None:
    moodle = installation_everywhere.moodle
    for name in ("C1", "C2"):
        # As on the small sites; a real one calls its own otherwise.
        moodle.execute(
            "UPDATE {course} SET fullname = :fullname, idnumber = :idnumber WHERE id = :id",
            fullname=f"Course {name}", idnumber=f"ID{name}", id=moodle.ids[name],
        )  # fmt: skip
    bring_in_order(moodle)
    for kind in ("shortnames", "course idnumbers", "cohort idnumbers"):
        key, text, options = exchange(moodle, kind)
        before = moodle.snapshot()
        settings.TOOLSYNC_CHUNK_ROWS = 1
        run = add(installation_everywhere, key, text, **options)
        settings.TOOLSYNC_CHUNK_ROWS = rows
        check_round_trip(installation_everywhere, run, before)


TAKEN_IN_BETWEEN: dict[str, tuple[str, dict[str, Any]]] = {
    "users": (
        (
            "oldusername;username;firstname;lastname;email\nold;mid;One;Last;old@x.org\n;old;Two;Last;two@x.org\n"
            "mid;new;One;Last;old@x.org\n;mid;Three;Last;three@x.org\n"
        ),
        USERS,
    ),
    "courses": (
        "idnumber;shortname;fullname;category\nIDC1;mid;Course C1;\nNEW;C1;Another;New\nIDC1;new;Course C1;\n",
        {"courseidentifier": "idnumber", "forceupdate": 1},
    ),
    "cohorts": ("cname;cidnumber\nA;mid\nNew;KA\nA;new\n", {"cohortidentifier": "name"}),
}


@pytest.mark.sites("sqlite:4.1", "mariadb:5.2", "postgresql:4.5")
@pytest.mark.parametrize("key", TAKEN_IN_BETWEEN)
def test_a_name_that_a_new_row_has_taken_from_one_that_was_renamed_twice_comes_back(
    installation_everywhere: Installation, settings: Settings, key: str
) -> None:
    moodle = installation_everywhere.moodle
    add_users(moodle, ["old"])
    exchange(moodle, "cohort idnumbers")
    moodle.execute("UPDATE {course} SET fullname = 'Course C1', idnumber = 'IDC1' WHERE id = :id", id=moodle.ids["C1"])
    bring_in_order(moodle)
    before = moodle.snapshot()
    text, options = TAKEN_IN_BETWEEN[key]
    settings.TOOLSYNC_CHUNK_ROWS = 1
    run = add(installation_everywhere, key, text, **options)
    check_round_trip(installation_everywhere, run, before)


def test_who_was_renamed_and_then_deleted_comes_back_before_what_belonged_to_them(
    installation: Installation, settings: Settings
) -> None:
    moodle = installation.moodle
    add_users(moodle, ["old"])
    userid = moodle.one("user", username="old")["id"]
    moodle.insert("user_enrolments", enrolid=moodle.ids["C1 manual"], userid=userid, status=0, timestart=1, timeend=0)
    before = moodle.snapshot()
    settings.TOOLSYNC_CHUNK_ROWS = 1
    text = "oldusername;username;firstname;lastname;email;deleted\nold;mid;One;Last;o@x.org;\n;mid;One;Last;o@x.org;1\n"
    run = add(installation, "users", text, **USERS)
    assert moodle.one("user", id=userid)["deleted"] == 1
    check_round_trip(installation, run, before)


@PARTS
def test_a_chain_whose_end_somebody_has_taken_stays_as_it_is_and_is_told(
    installation: Installation, settings: Settings, rows: int
) -> None:
    moodle = installation.moodle
    add_users(moodle, ["chain0", "chain1", "chain2", "one", "two"])
    settings.TOOLSYNC_CHUNK_ROWS = 1
    chain = [("chain2", "chain3"), ("chain1", "chain2"), ("chain0", "chain1")]
    run = add(installation, "users", renaming(*chain, *shift(["one", "two"])), **USERS)
    add_users(moodle, ["chain0"])
    before = moodle.snapshot()
    settings.TOOLSYNC_CHUNK_ROWS = rows

    undone = undo(run)

    told = {outcome.subject: (outcome.action, outcome.code) for outcome in outcomes(undone)}
    ids = {user["firstname"]: user["id"] for user in moodle.rows("user") if user["username"] != "chain0"}
    refused = (Action.REJECTED, "undo_key_taken")
    assert {told[f"user {ids[f'chain{number}']}"] for number in range(3)} == {refused}
    assert told[f"user {ids['one']}"][0] == told[f"user {ids['two']}"][0] == Action.UPDATED
    usernames = {user["firstname"]: user["username"] for user in moodle.rows("user") if user["username"] != "chain0"}
    assert (usernames["one"], usernames["two"]) == ("one", "two")
    assert usernames["chain0"] == "chain1"
    # Whoever stands at the free end of the chain can have the old name only once the one before has left it.
    assert (usernames["chain1"], usernames["chain2"]) == ("chain2", "chain3")
    changed = moodle.diff(before, moodle.snapshot())
    assert {change["id"] for change in changed["user"]["updated"]} == {ids["one"], ids["two"]}

    # Once the name is free, the run is undone once more.
    moodle.execute("DELETE FROM {user} WHERE username = 'chain0'")
    assert undo(run).state == RunState.COMPLETED
    assert {user["username"] for user in moodle.rows("user")} >= {"chain0", "chain1", "chain2", "one", "two"}


@pytest.mark.parametrize(
    ("place", "call"),
    [
        *((place, call) for place in (("prepare", False), ("confirm", True)) for call in (1, 2, 5)),
        # Only the first part owes something.
        (("settle", True), 1),
    ],
)
def test_a_killed_undo_tells_the_same_of_names_that_came_back_early(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, place: tuple[str, bool], call: int
) -> None:
    moodle = installation.moodle
    add_users(moodle, RING)
    before = moodle.snapshot()
    settings.TOOLSYNC_CHUNK_ROWS = 1
    run = add(installation, "users", renaming(*shift(RING)), **USERS)
    undoing = undo_run(run, in_background=False)
    die_at(monkeypatch, undoing, place[0], call, before=place[1])

    undone = services.execute_run(undoing.pk)

    check_same(before, moodle.snapshot(), outcomes(undone))
    assert undone.counts == {"updated": len(RING)}
    assert all({"username"} <= {change.field for change in outcome.changes} for outcome in outcomes(undone))
