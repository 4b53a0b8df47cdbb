"""Sticky fields in runs: frozen with the plan, counted, and what ToolSync itself wrote is known whoever carried it out."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from sync.errors import OptionError, PlanRefused
from sync.models import RunState, StickyField, SyncRun, WrittenValue
from sync.runs import decisions, services
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from sync.runs.sticky import rules_of, save_rules
from sync.runs.undo import undo_run
from tests.installation import Installation

pytestmark = pytest.mark.django_db

HEADER = "username;firstname;lastname;city;department\n"


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    settings.TOOLSYNC_CHUNK_ROWS = 2


def users(city: str, count: int = 3, department: str = "") -> str:
    return HEADER + "".join(f"p{n};Pat;X;{city};{department}\n" for n in range(count))


def run(installation: Installation, text: str, *, path: str = "/in.csv", **more: Any) -> SyncRun:
    return installation.carry_out(path, text, primaryidentity="username", **more)


def city_of(installation: Installation, name: str = "p0") -> str:
    city: str = installation.moodle.one("user", username=name)["city"]
    return city


def test_what_is_kept_is_counted_in_plan_run_and_report(installation: Installation) -> None:
    run(installation, users("Lyon", department="A"))
    save_rules(installation.site, "users", {"city": "empty", "department": "creation"})

    simulated = run(installation, users("Rome", count=4, department="B"), simulate=True)
    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    for made in (simulated, applied):
        assert made.counts == {"unchanged": 3, "created": 1}
        assert made.kept == {"city": 3, "department": 3}
        report = installation.own_file(made, "report")
        assert "Sticky field city: what stands in Moodle was kept in 3 rows that would have changed it." in report
        assert "p0" not in report
    assert [len(outcome.notes) for outcome in read_rows(applied)] == [1, 1, 1, 0]
    assert (city_of(installation), city_of(installation, "p3")) == ("Lyon", "Rome")


def test_a_plan_that_was_made_under_other_rules_is_refused(installation: Installation) -> None:
    run(installation, users("Lyon"))
    simulated = run(installation, users("Rome"), simulate=True)
    confirmed = decisions.apply_plan(run(installation, users("Bern"), simulate=True, path="/other.csv"), OPERATOR)
    save_rules(installation.site, "users", {"city": "creation"})

    with pytest.raises(PlanRefused, match="plan_made_under_other_rules"):
        decisions.apply_plan(simulated, OPERATOR)
    ended = services.execute_run(confirmed.pk)

    assert (ended.state, ended.error_code) == (RunState.ERRORED, "plan_made_under_other_rules")
    assert city_of(installation) == "Lyon"


def test_a_held_run_isn_t_approved_under_other_rules(installation: Installation) -> None:
    run(installation, users("Lyon", count=6))
    text = "username\n" + "".join(f"p{n}\n" for n in range(5))
    asked = installation.queue("/gone.csv", text, processor="users_suspend", in_background=False)
    SyncRun.objects.filter(pk=asked.pk).update(origin=SyncRun.Origin.SCHEDULE)
    held = services.execute_run(asked.pk)
    assert held.state == RunState.HELD
    StickyField.objects.create(site=installation.site, processor="users_suspend", column="x", rule="never")

    with pytest.raises(PlanRefused, match="plan_made_under_other_rules"):
        decisions.approve_run(held, OPERATOR)

    held.refresh_from_db()
    assert held.state == RunState.HELD


def test_an_unattended_plan_that_nobody_has_seen_is_made_again(installation: Installation) -> None:
    run(installation, users("Lyon"))
    plan = run(installation, users("Rome"), simulate=True)
    SyncRun.objects.filter(pk=plan.pk).update(origin=SyncRun.Origin.PLAN)
    asked = installation.queue("/in.csv", primaryidentity="username", in_background=False)
    SyncRun.objects.filter(pk=asked.pk).update(origin=SyncRun.Origin.SCHEDULE, plan=plan)
    save_rules(installation.site, "users", {"city": "creation"})

    ended = services.execute_run(asked.pk)

    assert (ended.state, ended.counts, ended.kept) == (RunState.COMPLETED, {"unchanged": 3}, {"city": 3})
    plan.refresh_from_db()
    assert (plan.sticky, plan.kept) == ({"city": "creation"}, {"city": 3})


def test_rules_that_can_t_be_read_stop_a_run_before_it_writes(installation: Installation) -> None:
    StickyField.objects.create(site=installation.site, processor="users", column="city", rule="sometimes")

    ended = run(installation, users("Lyon"))

    assert (ended.state, ended.error_code) == (RunState.ERRORED, "sticky_rule_unknown")
    assert installation.moodle.rows("user", username="p0") == []


def test_what_toolsync_wrote_is_no_persons_whoever_carried_it_out(installation: Installation) -> None:
    save_rules(installation.site, "users", {"city": "person", "suspended": "person"})
    run(installation, users("Lyon"))
    changed = run(installation, users("Rome"))
    assert (changed.counts, changed.kept, city_of(installation)) == ({"updated": 3}, {}, "Rome")
    undone = services.execute_run(undo_run(changed, in_background=False).pk)
    assert undone.state == RunState.COMPLETED
    assert city_of(installation) == "Lyon"
    installation.carry_out("/off.csv", "username\np0\n", processor="users_suspend", primaryidentity="username")
    installation.moodle.execute("UPDATE {user} SET city = 'Nice' WHERE username = 'p1'")

    again = run(installation, users("Bern").replace("city", "suspended;city").replace(";X;", ";X;0;"))

    assert (again.counts, again.kept) == ({"updated": 2, "unchanged": 1}, {"city": 1})
    assert [city_of(installation, f"p{n}") for n in range(3)] == ["Bern", "Nice", "Bern"]
    assert installation.moodle.one("user", username="p0")["suspended"] == 0


def test_what_a_person_wrote_is_still_theirs_once_a_deletion_is_undone(
    installation: Installation, settings: Settings
) -> None:
    # Two of so few would be held.
    settings.TOOLSYNC_GUARD = False
    save_rules(installation.site, "users", {"email": "person"})
    save_rules(installation.site, "courses", {"fullname": "person"})
    people = "username;firstname;lastname;email\np0;Pat;X;{0}0@x.org\np1;Pat;X;{0}1@x.org\n"
    courses = "shortname;fullname;category\nK0;{0} zero;1\nK1;{0} one;1\n"
    run(installation, people.format("a"))
    installation.carry_out("/courses.csv", courses.format("First"), processor="courses", forceupdate=True)
    installation.moodle.execute("UPDATE {user} SET email = 'own@x.org' WHERE username = 'p0'")
    installation.moodle.execute("UPDATE {course} SET fullname = 'Own' WHERE shortname = 'K0'")
    for path, text, key in (
        ("/u.csv", "username\np0\np1\n", "users_delete"), ("/c.csv", "K0\nK1\n", "courses_delete"),
    ):  # fmt: skip
        gone = installation.carry_out(path, text, processor=key)
        assert gone.counts == {"deleted": 2}, installation.own_file(gone, "report")
        assert services.execute_run(undo_run(gone, in_background=False).pk).state == RunState.COMPLETED

    kept = run(installation, people.format("b"), protectemails=False)
    left = installation.carry_out("/courses.csv", courses.format("Second"), processor="courses", forceupdate=True)

    assert (kept.kept, left.kept) == ({"email": 1}, {"fullname": 1}), installation.own_file(kept, "report")
    emails = [installation.moodle.one("user", username=name)["email"] for name in ("p0", "p1")]
    names = [installation.moodle.one("course", shortname=name)["fullname"] for name in ("K0", "K1")]
    assert (emails, names) == (["own@x.org", "b1@x.org"], ["Own", "Second one"])


def test_what_toolsync_left_is_forgotten_once_no_rule_asks(installation: Installation) -> None:
    save_rules(installation.site, "users", {"city": "person"})
    run(installation, users("Lyon"))
    values = WrittenValue.objects.filter(site=installation.site)
    assert set(values.values_list("table", "column")) == {("user", "city")}
    assert values.count() == 3

    save_rules(installation.site, "users", {"city": "never"})

    assert not values.exists()


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"nowhere": "never"}, "sticky_column_unknown"), ({"idnumber": "never"}, "sticky_column_identifies"),
        ({"deleted": "never"}, "sticky_column_not_updated"), ({"city": "sometimes"}, "sticky_rule_unknown"),
        ({"lastname": "never"}, "sticky_column_needed"), ({"password": "person"}, "sticky_writer_unknown"),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(installation: Installation, rules: dict[str, str], code: str) -> None:
    with pytest.raises(OptionError, match=code):
        save_rules(installation.site, "users", rules)

    assert rules_of(installation.site, "users") == {}
