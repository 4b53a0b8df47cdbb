"""Ways around what protects Moodle from a wrong file: tokens, rights that were taken away, other names, roundabout deletions."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles.bundle_zip import HandedFile
from sync.errors import PlanRefused
from sync.models import ApiToken, GuardLimits, RunState, Scope, SyncRun
from sync.people.rights import narrow
from sync.people.tokens import make_token, narrowing_of
from sync.runs import decisions, services
from sync.runs.asking import asking_by
from sync.runs.bundle_uploads import hand_in_bundle
from sync.runs.bundles import plan_again
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.undo import undo_run
from tests.installation import Installation
from tests.runs.test_closing import add_cohorts
from tests.runs.test_plans import active_users, at_night, filled, gone, person, users

__all__ = ["filled", "person"]

MANY = 60
Person = Callable[..., User]


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True


def token_of(user: User, installation: Installation, *scopes: str) -> tuple[ApiToken, Responsible]:
    """Return a token of somebody, and the person as a request with it has them."""
    token = make_token(user, installation.site, user, name="sis", scopes=scopes, file_types=[], days=30).token
    asking = User.objects.get(pk=user.pk)
    narrow(asking, narrowing_of(token))
    return token, Responsible.of(asking)


def simulated(installation: Installation, user: User, count: int) -> SyncRun:
    return installation.carry_out("/gone.csv", gone(count), processor="users_delete", simulate=True, user=user)


@pytest.mark.parametrize(
    ("scopes", "state"), [((Scope.APPLY,), RunState.HELD), ((Scope.APPLY, Scope.APPROVE), RunState.COMPLETED)]
)
def test_a_token_that_may_not_approve_does_not_apply_a_plan_beyond_the_limits(
    filled: Installation, person: Person, scopes: tuple[str, ...], state: str
) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    plan = simulated(filled, approver, MANY)
    token, asking = token_of(approver, filled, *scopes)
    before = active_users(filled)
    with asking_by(lambda: token):
        run = decisions.apply_plan(plan, asking, typed=str(MANY))

    run = services.execute_run(run.pk)

    assert run.state == state
    assert active_users(filled) == before - (MANY if state == RunState.COMPLETED else 0)


@pytest.mark.parametrize("loss", ["revoked", "deleted", "scope"])
def test_an_approval_by_a_token_ends_with_what_the_token_may(filled: Installation, person: Person, loss: str) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    run = at_night(filled, "/gone.csv", gone(MANY))
    token, asking = token_of(approver, filled, Scope.APPROVE)
    with asking_by(lambda: token):
        decisions.approve_run(run, asking, typed=str(MANY))
    before = active_users(filled)
    if loss == "revoked":
        ApiToken.objects.update(revoked_at=timezone.now())
    elif loss == "deleted":
        ApiToken.objects.all().delete()
    else:
        ApiToken.objects.update(scopes=[Scope.APPLY])

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, "approver_without_right")
    assert active_users(filled) == before


def test_an_approval_by_a_token_that_has_run_out_since_counts(filled: Installation, person: Person) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    run = at_night(filled, "/gone.csv", gone(MANY))
    token, asking = token_of(approver, filled, Scope.APPROVE)
    with asking_by(lambda: token):
        decisions.approve_run(run, asking, typed=str(MANY))
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert services.execute_run(run.pk).state == RunState.COMPLETED


@pytest.mark.parametrize("how", ["mended", "undone"])
def test_a_complete_file_is_not_compared_with_mended_rows_nor_with_what_was_undone(
    filled: Installation, person: Person, how: str
) -> None:
    somebody = person("eve", "run_users")
    lines = ["username;firstname;lastname\n", *(
        f"{row['username']};{row['firstname']};{row['lastname']}\n"
        for row in filled.moodle.rows("user")
        if row["auth"] == "manual" and not row["deleted"]
    )]  # fmt: skip
    run = complete_upload(filled, somebody, "".join(lines), "students.csv")
    GuardLimits.objects.create(site=filled.site, values={"users.suspended": [None, None]})
    between = complete_upload(filled, somebody, "".join(lines[: len(lines) // 3]), "between.csv")
    between.state = RunState.COMPLETED
    between.mends = run if how == "mended" else None
    between.save()
    if how == "undone":
        undo = SyncRun.objects.get(pk=between.pk)
        undo.pk, undo.plan, undo.undoes, undo.last_line = None, None, between, 1
        undo.save()

    cut = complete_upload(filled, somebody, "".join(lines[: len(lines) // 3]), "students (1).csv")

    assert "guard_fewer_rows" in [code for code, _params in cut.held_for]


@pytest.mark.parametrize("loss", ["right", "user", "token"])
def test_who_confirmed_and_may_no_more_has_not_confirmed(filled: Installation, person: Person, loss: str) -> None:
    asking, helper = person("eve", "run_users_delete"), person("bob", "run_users_delete")
    run = filled.carry_out("/gone.csv", gone(3), processor="users_delete", user=asking)
    assert run.state == RunState.UNCONFIRMED
    token, narrowed = token_of(helper, filled, Scope.APPLY)
    with asking_by(lambda: token if loss == "token" else None):
        decisions.approve_run(run, narrowed if loss == "token" else Responsible.of(helper))
    before = active_users(filled)
    if loss == "right":
        helper.user_permissions.clear()
    elif loss == "user":
        helper.delete()
    else:
        ApiToken.objects.update(revoked_at=timezone.now())

    run = services.execute_run(run.pk)

    assert run.state == RunState.UNCONFIRMED
    assert active_users(filled) == before
    decisions.approve_run(run, Responsible.of(asking))
    assert services.execute_run(run.pk).counts == {"deleted": 3}


COMPLETE = {
    "absent": "suspend",
    "absentscope": "auth",
    "absentname": "manual",
    "absentall": 1,
    "primaryidentity": "username",
}


def complete_upload(installation: Installation, user: User, text: str, name: str, **more: Any) -> SyncRun:
    """Hand a file in for a run, as pages and programs do: in a folder of its own."""
    file = services.receive_for_run(installation.site, io.BytesIO(text.encode()), name, "users", user)
    run = services.queue_run(
        site=installation.site, processor="users", command_file=file, options={**COMPLETE, **more}, user=user
    )
    return services.execute_run(run.pk)


def test_half_a_complete_file_is_held_whatever_it_is_called_and_whoever_brings_it(
    filled: Installation, person: Person
) -> None:
    first, second = person("eve", "run_users"), person("bob", "run_users")
    everybody = "username;firstname;lastname\n" + "".join(
        f"{row['username']};{row['firstname']};{row['lastname']}\n"
        for row in filled.moodle.rows("user")
        if row["auth"] == "manual" and not row["deleted"]
    )
    lines = everybody.splitlines(keepends=True)
    run = complete_upload(filled, first, everybody, "students.csv")
    # Site administrators are left alone, and rejected.
    assert run.state == RunState.COMPLETED_WITH_REJECTIONS, (run.state, run.held_for, run.error_code)

    # Short enough to be within the limits of what is taken away, were these alone asked.
    GuardLimits.objects.create(site=filled.site, values={"users.suspended": [None, None]})
    cut = complete_upload(filled, second, "".join(lines[: len(lines) // 3]), "students (1).csv")

    assert cut.state == RunState.HELD
    assert "guard_fewer_rows" in [code for code, _params in cut.held_for]
    # Of another scope it says nothing.
    other = complete_upload(filled, second, "".join(lines[:9]), "new.csv", absentscope="created", absentname="")
    assert other.state == RunState.UNCONFIRMED
    assert {code for code, _params in other.held_for} == {"plan_removes"}


def test_an_undo_that_deletes_the_users_whom_a_file_brought_back_is_counted_as_deletions(filled: Installation) -> None:
    with override_settings(TOOLSYNC_GUARD=False):
        filled.carry_out("/gone.csv", gone(MANY), processor="users_delete")
        restored = filled.carry_out("/back.csv", gone(MANY), processor="users_restore")
    assert restored.counts == {"updated": MANY}, (restored.state, restored.counts, restored.error_code)
    before = active_users(filled)

    run = services.execute_run(undo_run(restored, in_background=False).pk)

    assert run.state == RunState.HELD
    assert run.plan is not None
    assert run.plan.totals["users.deleted"] == MANY
    assert active_users(filled) == before


def test_a_tryback_under_another_name_is_no_complete_file(filled: Installation) -> None:
    text = users(100) + "p5x;Pat;Nr;not an address\n"
    options = {"absent": "suspend", "absentscope": "auth", "absentname": "manual", "absentall": 1}
    run = filled.carry_out("/in.csv", text, primaryidentity="username", **options, user=None)
    if run.waits_for_person:
        decisions.approve_run(run, OPERATOR, typed=str(decisions.removed_by(run.planned_totals)))
        run = services.execute_run(run.pk)
    tryback = filled.own_file(run, "tryback")
    before = [row["suspended"] for row in filled.moodle.rows("user")]
    again = filled.carry_out(
        "/term.csv", tryback.replace("not an address", "p5x@x.org"), primaryidentity="username", **options
    )
    assert "absent_left_tryback" in dict(again.notes), (again.state, again.notes, tryback)
    assert [row["suspended"] for row in filled.moodle.rows("user")][: len(before)] == before


def test_people_whom_a_file_lets_log_in_no_more_are_counted_as_suspended(filled: Installation) -> None:
    text = "username;firstname;lastname;auth\n" + "".join(f"p{n};Pat;Nr {n};nologin\n" for n in range(MANY))
    run = at_night(filled, "/auth.csv", text, "users", primaryidentity="username")
    assert run.state == RunState.HELD
    assert [(code, params["kind"]) for code, params in run.held_for] == [("guard_count", "users.suspended")]


def test_whose_file_it_was_is_no_second_person_for_a_bundle_of_it(filled: Installation, person: Person) -> None:
    GuardLimits.objects.create(site=filled.site, needs_second_person=True)
    rights = ("run_users_delete", "approve_runs")
    author, helper, third = person("eve", *rights), person("bob", *rights), person("ada", *rights)
    handed = [HandedFile("gone.csv", io.BytesIO(gone(MANY).encode()), "users_delete", author.pk)]
    bundle = hand_in_bundle(site=filled.site, handed=handed, user=helper)
    run = services.execute_run(bundle.runs.get().pk)
    assert run.state == RunState.HELD
    for somebody in (author, helper):
        with pytest.raises(PlanRefused, match="decision_refused"):
            decisions.approve_run(run, Responsible.of(somebody), typed=str(MANY))

    decisions.approve_run(run, Responsible.of(third), typed=str(MANY))
    assert services.execute_run(run.pk).state == RunState.COMPLETED


def test_a_bundle_that_is_planned_again_knows_whose_files_it_has(filled: Installation, person: Person) -> None:
    author, helper = person("eve", "run_users_delete"), person("bob", "run_users_delete")
    handed = [HandedFile("gone.csv", io.BytesIO(gone(3).encode()), "users_delete", author.pk)]
    bundle = hand_in_bundle(site=filled.site, handed=handed, user=helper)
    services.execute_run(bundle.runs.get().pk)
    assert set(plan_again(bundle, {}, helper).author_ids) == {author.pk, helper.pk}


def test_a_held_bundle_is_planned_again_by_who_asked_for_it_and_may_not_approve(
    filled: Installation, person: Person
) -> None:
    GuardLimits.objects.create(site=filled.site, needs_second_person=True)
    author, helper = person("eve", "run_users_delete"), person("bob", "run_users_delete")
    handed = [HandedFile("gone.csv", io.BytesIO(gone(MANY).encode()), "users_delete", author.pk)]
    bundle = hand_in_bundle(site=filled.site, handed=handed, user=helper)
    run = services.execute_run(bundle.runs.get().pk)
    assert run.state == RunState.HELD
    SyncRun.objects.filter(pk=run.pk).update(owner=None)

    made = plan_again(bundle, {}, helper)

    run.refresh_from_db()
    assert (run.state, run.decided_by_name) == (RunState.DECLINED, "bob")
    assert set(made.author_ids) == {author.pk, helper.pk}
    with pytest.raises(PlanRefused, match="decision_too_late"):
        plan_again(bundle, {}, helper)


def test_a_scope_of_all_cohorts_is_not_hidden_behind_one_of_a_plugin(installation: Installation) -> None:
    moodle = installation.moodle
    ids = add_cohorts(moodle, ["A", "B"])
    moodle.execute("UPDATE {cohort} SET idnumber = 'K-more' WHERE idnumber NOT LIKE 'K%'")
    moodle.execute("UPDATE {cohort} SET idnumber = 'X', component = 'local_other' WHERE id = :id", id=ids["B"])
    options = {"absent": "remove", "absentscope": "prefix", "absentname": "K", "useridentifier": "username"}
    run = installation.carry_out("/in.csv", "cidnumber;userid\nKA;ann\n", processor="cohorts", **options)
    assert (run.state, run.error_code) == (RunState.FAILED, "absent_cohorts_all")
