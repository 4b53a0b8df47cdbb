"""The page of a plan and of a run that waits, and the page of limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.errors import PlanRefused
from sync.models import AuditRecord, GuardLimits, MoodleSite, RunState, SyncRun
from sync.runs import decisions
from sync.runs.plans import limits_of
from sync.runs.rights import OPERATOR
from tests.web.conftest import OUTCOMES, MakeRun

ClientOf = Callable[..., Client]

REASON = ["guard_count", {"kind": "users.deleted", "count": 397, "limit": 50}]


@pytest.fixture
def client_of(db: None) -> ClientOf:
    def make(*permissions: str) -> Client:
        user = User.objects.create_user(f"user{User.objects.count()}")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def held(make_run: MakeRun) -> SyncRun:
    plan = make_run(
        simulate=True, origin=SyncRun.Origin.PLAN, totals={"users.deleted": 397}, carried_out=True, rows_done=397
    )
    return make_run(
        RunState.HELD, outcomes=(), plan=plan, held_for=[REASON], held_at=timezone.now(), origin=SyncRun.Origin.SCHEDULE
    )


def page_of(client: Client, run: SyncRun) -> str:
    return client.get(reverse("run", args=[run.pk])).text


def test_a_held_run_says_why_and_what_it_would_do(client_of: ClientOf, held: SyncRun) -> None:
    text = page_of(client_of("run_users"), held)

    assert "397 users deleted: at most 50 may be" in text
    assert "What would happen" in text
    assert OUTCOMES[0].subject in text, "the rows of its plan"
    assert 'value="approve"' not in text


def test_who_may_approve_types_the_number_and_lets_it_go_on(client_of: ClientOf, held: SyncRun) -> None:
    client = client_of("run_users", "approve_runs")
    assert "Type 397 to confirm" in page_of(client, held)
    url = reverse("run_decide", args=[held.pk])

    wrong = client.post(url, {"decision": "approve", "typed": "39"}, follow=True)
    assert "Type 397 to confirm: that is what would be taken away." in wrong.text
    client.post(url, {"decision": "approve", "typed": "397", "reason": "end of term"})

    held.refresh_from_db()
    assert (held.state, held.decision, held.decision_reason) == (RunState.QUEUED, "approved", "end of term")


def test_who_may_not_approve_is_refused(client_of: ClientOf, held: SyncRun) -> None:
    answer = client_of("run_users").post(
        reverse("run_decide", args=[held.pk]), {"decision": "approve", "typed": "397"}, follow=True
    )

    assert "You may not decide on this run." in answer.text
    held.refresh_from_db()
    assert held.state == RunState.HELD


def test_a_held_run_is_declined(client_of: ClientOf, held: SyncRun) -> None:
    client_of("run_users", "approve_runs").post(reverse("run_decide", args=[held.pk]), {"decision": "decline"})

    held.refresh_from_db()
    assert held.state == RunState.DECLINED


def test_what_waits_is_said_first_on_the_home_page_and_the_plan_is_in_no_list(
    client_of: ClientOf, held: SyncRun
) -> None:
    client = client_of("run_users")
    assert "Needs you" in client.get(reverse("home")).text

    runs = client.get(reverse("runs")).text
    assert reverse("run", args=[held.pk]) in runs
    assert f'data-label="Rows">{held.plan.rows_done}<' in runs, "those of its plan"  # type: ignore[union-attr]
    assert reverse("run", args=[held.plan.pk]) not in runs  # type: ignore[union-attr]


def test_a_simulation_that_takes_much_away_asks_for_the_number(client_of: ClientOf, make_run: MakeRun) -> None:
    simulated = make_run(simulate=True, totals={"users.created": 3, "users.deleted": 21}, carried_out=True)
    client = client_of("run_users")
    assert "Type 21 to confirm" in page_of(client, simulated)

    client.post(reverse("run_apply", args=[simulated.pk]))
    assert not SyncRun.objects.filter(plan=simulated).exists()
    client.post(reverse("run_apply", args=[simulated.pk]), {"typed": "21"})

    applied = SyncRun.objects.get(plan=simulated)
    assert applied.decision == "confirmed"
    assert f'href="{reverse("run", args=[applied.pk])}"' in page_of(client, simulated)


@pytest.mark.parametrize("totals", [{"users.deleted": 397}, {"users.created": 397}])
def test_a_simulation_beyond_the_limits_says_so_before_it_is_applied(
    client_of: ClientOf, make_run: MakeRun, totals: dict[str, int]
) -> None:
    simulated = make_run(simulate=True, totals=totals, carried_out=True, held_for=[REASON])

    approver, other = (
        page_of(client_of("run_users", "approve_runs"), simulated),
        page_of(client_of("run_users"), simulated),
    )

    for text in (approver, other):
        assert "397 users deleted: at most 50 may be" in text
        assert text.count(reverse("run_apply", args=[simulated.pk])) == 1
    assert "Approve and apply" in approver
    assert "Approve and apply" not in other
    assert "Once applied it is held until somebody who may do so approves this" in other


def test_who_applies_a_simulation_is_no_second_person_for_it(
    client_of: ClientOf, make_run: MakeRun, site: MoodleSite
) -> None:
    GuardLimits.objects.create(site=site, needs_second_person=True)
    simulated = make_run(simulate=True, totals={"users.deleted": 2}, carried_out=True, held_for=[REASON])
    client = client_of("run_users", "approve_runs")
    assert "Approve and apply" not in page_of(client, simulated)

    client.post(reverse("run_apply", args=[simulated.pk]))

    assert SyncRun.objects.get(plan=simulated).decision == "confirmed"


def test_the_page_says_that_a_newer_file_was_carried_out_before_anything_goes_on(
    client_of: ClientOf, make_run: MakeRun, held: SyncRun
) -> None:
    others = [
        make_run(simulate=True, totals={"users.created": 3}, carried_out=True),
        make_run(RunState.PAUSED, last_line=2),
    ]
    last = make_run()
    SyncRun.objects.filter(pk=last.pk).update(file_sha256="other")
    client = client_of("run_users", "approve_runs")

    for run in (held, *others):
        text = page_of(client, run)
        assert f"Run {last.pk} has carried out a newer file of this feed since ({last.file_name})" in text

    simulated, paused = others
    assert page_of(client, simulated).count(reverse("run_apply", args=[simulated.pk])) == 1
    assert f'data-confirm="Run {last.pk} has carried out' in page_of(client, paused)


def test_limits_are_set_for_all_and_for_one_file_type(client_of: ClientOf, site: MoodleSite) -> None:
    client = client_of("manage_limits", "run_users")
    page = client.get(reverse("limits", args=["all"]))
    assert page.status_code == 200
    sent = {"is_on": "on", "users_deleted_percent": "2.5", "users_deleted_number": ""}

    client.post(reverse("limits", args=["all"]), sent)
    client.post(reverse("limits", args=["users"]), {**sent, "is_on": "", "needs_second_person": "on"})

    assert limits_of(site, "users_delete").values["users.deleted"] == [2.5, None]
    own = limits_of(site, "users")
    assert (own.is_on, own.needs_second_person) == (False, True)
    client.post(reverse("limits_delete", args=["users"]))
    assert limits_of(site, "users").is_on
    assert AuditRecord.objects.filter(kind="settings", person="user0").count() == 3


@pytest.mark.parametrize("number", ["-1", "many", "1e400", "nan"])
def test_limits_that_make_no_sense_are_refused(client_of: ClientOf, site: MoodleSite, number: str) -> None:
    client = client_of("manage_limits", "run_users")

    answer = client.post(reverse("limits", args=["all"]), {"is_on": "on", "users_deleted_percent": number})

    assert answer.status_code == 200
    assert not GuardLimits.objects.filter(site=site).exists()


@pytest.mark.parametrize(
    "sent",
    [
        {}, {"decision": ""}, {"decision": "Approve"}, {"decision": "approve", "typed": "397", "reason": "nul \0 sign"},
        {"decision": "decline", "reason": "x" * 501}, {"decision": "approve", "typed": "9" * 5000},
    ],
)  # fmt: skip
def test_what_is_no_decision_decides_nothing(client_of: ClientOf, held: SyncRun, sent: dict[str, str]) -> None:
    answer = client_of("run_users", "approve_runs").post(reverse("run_decide", args=[held.pk]), sent, follow=True)

    assert "Nothing was decided" in answer.text
    held.refresh_from_db()
    assert (held.state, held.decision) == (RunState.HELD, "")


@pytest.mark.parametrize(
    "typed", ["12481", " 12481 ", "12,481", "12.481", "12 481", "12\xa0481", "12\u202f481", "12\u2019481"]
)
def test_the_number_may_be_typed_as_the_page_writes_it(client_of: ClientOf, held: SyncRun, typed: str) -> None:
    SyncRun.objects.filter(application=held).update(totals={"users.deleted": 12_481})
    client = client_of("run_users", "approve_runs")
    text = page_of(client, held)
    assert "Type 12,481 to confirm" in text
    assert "Approve (12,481)" in text

    client.post(reverse("run_decide", args=[held.pk]), {"decision": "approve", "typed": typed})

    held.refresh_from_db()
    assert held.decision == "approved"


@pytest.mark.parametrize("typed", ["", "1,2481", "1248", "12,48", "12481.0", "12,,481", "124,81", "x12481"])
def test_another_number_lets_nothing_go_on(held: SyncRun, typed: str) -> None:
    SyncRun.objects.filter(application=held).update(totals={"users.deleted": 12_481})
    held.refresh_from_db()
    with pytest.raises(PlanRefused, match="decision_number_wrong"):
        decisions.approve_run(held, OPERATOR, typed=typed)


def test_of_two_people_who_decide_at_once_the_first_counts(held: SyncRun) -> None:
    seen_by_both = SyncRun.objects.get(pk=held.pk)
    decisions.approve_run(held, OPERATOR, typed="397")

    with pytest.raises(PlanRefused, match="decision_too_late"):
        decisions.decline_run(seen_by_both, OPERATOR)

    held.refresh_from_db()
    assert (held.state, held.decision) == (RunState.QUEUED, "approved")
