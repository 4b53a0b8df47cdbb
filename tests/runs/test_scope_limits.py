"""Limits of a category and of cohorts: what is little of the site and all of a part of it is held."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from sync.models import GuardLimits, RunState, ScopeLimits, SyncRun
from sync.runs import decisions, services
from sync.runs.rights import OPERATOR
from tests.installation import Installation

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sites("sqlite:4.5", "mariadb:4.1", "postgresql:5.1", "real:m51-seeded"),
]

BIG, SMALL, PEOPLE = 30, 2, 24
NO_LIMITS: dict[str, Any] = {"percent": None, "number": None}


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    settings.TOOLSYNC_CHUNK_ROWS = 5


@pytest.fixture
def filled(installation_everywhere: Installation) -> Installation:
    """A site with 30 courses in one category and 2 below another, ARTS; 24 people, 4 of them in ARTS and in cohort YEAR-1."""
    installation = installation_everywhere
    courses = [f"b{n};B {n};Big" for n in range(BIG)] + [f"s{n};S {n};Arts / Painting" for n in range(SMALL)]
    text = "\n".join(["shortname;fullname;category", *courses])
    assert installation.carry_out("/c.csv", text, processor="courses").counts == {"created": BIG + SMALL}
    installation.moodle.execute("UPDATE {course_categories} SET idnumber = 'ARTS' WHERE name = 'Arts'")
    for name in ("YEAR-1", "OTHER"):
        add_cohort(installation, name)
    people = [
        f"p{n};Pat;Nr {n};p{n}@x.org;{'s0' if n < 4 else 'b0'};manual;student;{'YEAR-1' if n < 4 else 'OTHER'}"
        for n in range(PEOPLE)
    ]
    text = "\n".join(["username;firstname;lastname;email;course1;enrol1;role1;cohortid", *people])
    assert installation.carry_out("/u.csv", text, primaryidentity="username").counts == {"created": PEOPLE}
    return installation


def add_cohort(installation: Installation, idnumber: str) -> None:
    context = installation.moodle.one("context", contextlevel=10)["id"]
    installation.moodle.insert(
        "cohort",
        contextid=context,
        name=idnumber,
        idnumber=idnumber,
        descriptionformat=1,
        timecreated=1,
        timemodified=1,
    )


def carry_out(
    installation: Installation, path: str, processor: str, header: str, rows: list[str], **more: Any
) -> SyncRun:
    """Carry a file out as a schedule does."""
    run = installation.queue(path, "\n".join([header, *rows]) + "\n", processor=processor, in_background=False, **more)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)
    return services.execute_run(run.pk)


def of_scopes(run: SyncRun) -> list[tuple[str, str, int]]:
    """Return for which limits of scopes a run is held."""
    return [(params["kind"], code, params["count"]) for code, params in run.held_for if "scope" in params]


def delete_courses(installation: Installation, *names: str) -> SyncRun:
    return carry_out(installation, "/gone.csv", "courses_delete", names[0], list(names[1:]))


def limit(installation: Installation, kind: str, name: str, **values: list[Any]) -> ScopeLimits:
    stored = {kind.replace("__", "."): value for kind, value in values.items()}
    return ScopeLimits.objects.create(site=installation.site, kind=kind, name=name, values=stored)


def test_a_file_that_empties_a_small_category_is_held_though_it_is_little_of_the_site(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=[50, None])

    other = delete_courses(filled, "b1", "b2")
    half = delete_courses(filled, "s1")
    all_of_it = delete_courses(filled, "s0")

    assert (other.state, half.state) == (RunState.COMPLETED, RunState.COMPLETED)
    assert half.plan is not None
    assert half.plan.scoped_totals == {"category:ARTS": {"courses.deleted": 1}}
    assert other.plan is not None
    assert other.plan.scoped_totals == {"category:ARTS": {}}
    assert all_of_it.state == RunState.HELD
    where = {"scope": "category", "name": "ARTS"}
    share = {"kind": "courses.deleted", "count": 1, "total": 1, "percent": 100.0, "limit": 50.0}
    assert all_of_it.held_for == [["guard_percent", {**share, **where}]]
    assert filled.moodle.rows("course", shortname="s0")

    decisions.approve_run(all_of_it, OPERATOR)
    assert services.execute_run(all_of_it.pk).counts == {"deleted": 1}


def test_enrolments_and_roles_are_counted_by_category(filled: Installation) -> None:
    limit(filled, "category", "ARTS", enrolments__deleted=[60, None], roles__deleted=[None, 100])
    rows = [f"del;;p{n};{'s0' if n < 4 else 'b0'};manual" for n in (0, 1, 2, 4, 5)]

    run = carry_out(filled, "/e.csv", "enrolments", "cmd;rolename;uid;cid;enrol", rows, useridentifier="username")

    assert run.state == RunState.HELD
    assert run.plan is not None
    assert run.plan.scoped_totals == {"category:ARTS": {"enrolments.deleted": 3, "roles.deleted": 3}}
    assert of_scopes(run) == [("enrolments.deleted", "guard_percent", 3)]


def test_users_and_members_are_counted_by_cohorts(filled: Installation) -> None:
    limit(filled, "cohorts", "YEAR-", users__suspended=[None, 2], users__updated=[10, None])
    rows = [f"p{n};Pat;Nr {n};p{n}@x.org;1" for n in range(1, 6)]

    run = carry_out(
        filled, "/s.csv", "users", "username;firstname;lastname;email;suspended", rows, primaryidentity="username"
    )

    assert run.state == RunState.HELD
    assert run.plan is not None
    assert run.plan.totals == {"users.suspended": 5}
    assert run.plan.scoped_totals == {"cohorts:YEAR-": {"users.suspended": 3}}
    assert of_scopes(run) == [("users.suspended", "guard_count", 3)]


def test_a_file_type_may_have_limits_of_its_own_for_a_scope(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=[None, 0])
    ScopeLimits.objects.create(site=filled.site, processor="courses_delete", kind="category", name="ARTS", values={})

    assert delete_courses(filled, "s0").state == RunState.COMPLETED


def test_a_scope_of_which_nothing_is_left_in_moodle_holds_what_may_concern_it(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=[50, None])
    filled.moodle.execute("UPDATE {course_categories} SET idnumber = 'ARTZ' WHERE idnumber = 'ARTS'")

    held = delete_courses(filled, "b1")
    creating = carry_out(filled, "/n.csv", "courses", "shortname;fullname;category", ["n;New;Big"])

    assert held.state == RunState.HELD
    assert held.held_for == [["guard_scope_empty", {"scope": "category", "name": "ARTS"}]]
    assert creating.state == RunState.COMPLETED


def test_a_plan_that_is_older_than_the_limits_is_made_again(filled: Installation) -> None:
    simulated = filled.carry_out("/gone.csv", "b1\n", processor="courses_delete", simulate=True)
    limit(filled, "category", "ARTS", courses__deleted=[50, None])

    run = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    # The operator is who approves as well.
    assert run.state == RunState.COMPLETED
    again = filled.carry_out("/gone.csv", "b2\n", processor="courses_delete", simulate=True)
    SyncRun.objects.filter(pk=again.pk).update(scoped_totals={})
    night = filled.queue("/gone.csv", processor="courses_delete", in_background=False)
    SyncRun.objects.filter(pk=night.pk).update(plan=again, origin=SyncRun.Origin.SCHEDULE)
    held = services.execute_run(night.pk)
    assert held.held_for == [["guard_scope_uncounted", {"scope": "category", "name": "ARTS"}]]


def test_limits_that_can_t_be_read_stop_the_run_before_anything_is_written(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=["many", None])

    run = delete_courses(filled, "s0")

    assert (run.state, run.error_code) == (RunState.ERRORED, "limits_unreadable")
    assert filled.moodle.rows("course", shortname="s0")


def test_a_night_stops_before_it_takes_more_of_a_scope_than_was_planned(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=[None, 1])
    planned = filled.carry_out("/gone.csv", "b1\ns0\nx\n", processor="courses_delete", simulate=True)
    filled.moodle.execute("UPDATE {course} SET shortname = 'x' WHERE shortname = 's1'")
    run = filled.queue("/gone.csv", processor="courses_delete", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(plan=planned, origin=SyncRun.Origin.SCHEDULE)

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, "totals_beyond_plan")
    assert filled.moodle.rows("course", shortname="x")
    assert filled.moodle.rows("course", shortname="s0"), "its chunk goes as a whole, or not at all"


def test_without_the_guard_scopes_hold_nothing(filled: Installation) -> None:
    limit(filled, "category", "ARTS", courses__deleted=[None, 0])
    GuardLimits.objects.create(site=filled.site, is_on=False)

    assert delete_courses(filled, "s0").counts == {"deleted": 1}
