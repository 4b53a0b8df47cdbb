"""manage.py decide, and what runsync says of a run that waits."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.runs import services
from tests.installation import Installation
from tests.installation_fixture import installation

__all__ = ["installation"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(installation: Installation, settings: Settings) -> SyncRun:
    settings.TOOLSYNC_GUARD = True
    text = "username\n" + "".join(f"u{n}\n" for n in range(30))
    users = "username;firstname;lastname;email\n" + "".join(f"u{n};U;N{n};u{n}@x.org\n" for n in range(30))
    installation.carry_out("/users.csv", users, primaryidentity="username")
    installation.put("/gone.csv", text)
    with pytest.raises(SystemExit) as ended:
        call("runsync", "users_delete", "area:/gone.csv")
    assert ended.value.code == 4
    return SyncRun.objects.get(state=RunState.HELD)


def call(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def decide(run: SyncRun, *words: str) -> str:
    return call("decide", str(run.pk), *words)


def test_it_says_why_a_run_waits(held: SyncRun) -> None:
    told = decide(held)

    assert "Held" in told
    assert "30 users deleted: that is" in told


def test_the_operator_approves_with_the_number(held: SyncRun, installation: Installation) -> None:
    with pytest.raises(CommandError, match="Type 30 to confirm"):
        decide(held, "--approve")
    decide(held, "--approve", "--number", "30", "--reason", "asked for by mail")

    run = services.execute_run(held.pk)
    assert run.counts == {"deleted": 30}
    assert (run.decided_by_name, run.decision_reason) == ("", "asked for by mail")


def test_the_operator_declines(held: SyncRun) -> None:
    assert "Declined" in decide(held, "--decline")
    with pytest.raises(CommandError, match="waits for nobody"):
        decide(held, "--decline")


@pytest.mark.parametrize("number", ["0", "999999"])
def test_a_run_that_isn_t_there_is_said(number: str, db: Any) -> None:
    with pytest.raises(CommandError, match="There is no run"):
        call("decide", number)
