"""Plans on real servers and real sites: held, approved and applied; stale rows; what is left equals a run without a plan."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.runs import decisions, services
from sync.runs.rights import OPERATOR
from tests.installation import Installation

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sites("sqlite:4.1", "mariadb:5.1", "postgresql:5.2", "real:m45pg-seeded"),
]

ROWS = 60
HEADER = "username;firstname;lastname;email;course1;enrol1;role1\n"


def users(first: int, count: int) -> str:
    return HEADER + "".join(f"p{n};Pat;Nr {n};p{n}@x.org;C1;manual;student\n" for n in range(first, first + count))


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    settings.TOOLSYNC_CHUNK_ROWS = 25


def test_a_night_is_held_approved_and_applied(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    installation.carry_out("/users.csv", users(0, ROWS), primaryidentity="username")
    before = moodle.snapshot()
    text = "username\n" + "".join(f"p{n}\n" for n in range(ROWS))
    run = installation.queue("/gone.csv", text, processor="users_delete", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)

    held = services.execute_run(run.pk)

    assert held.state == RunState.HELD
    assert moodle.diff(before, moodle.snapshot()) == {}
    decisions.approve_run(held, OPERATOR, typed=str(ROWS))
    done = services.execute_run(run.pk)
    assert (done.state, done.counts) == (RunState.COMPLETED, {"deleted": ROWS})
    assert done.totals == done.plan.totals == {"users.deleted": ROWS}  # type: ignore[union-attr]
    assert not moodle.rows("user", firstname="Pat", deleted=0)


def test_of_a_plan_only_what_changed_since_is_left_out(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    installation.carry_out("/users.csv", users(0, ROWS), primaryidentity="username")
    mended = users(0, ROWS).replace("Pat;", "Paz;") + users(ROWS, 5).removeprefix(HEADER)
    simulated = installation.carry_out("/mended.csv", mended, simulate=True, primaryidentity="username")
    moodle.execute("UPDATE {user} SET firstname = 'Else' WHERE username IN ('p3', 'p40')")

    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    assert applied.counts == {"updated": ROWS - 2, "created": 5, "rejected": 2}
    assert {row["username"] for row in moodle.rows("user", firstname="Else")} == {"p3", "p40"}
    assert len(moodle.rows("user", firstname="Paz")) == ROWS - 2
    assert installation.own_file(applied, "tryback").count("changed_since_plan") == 2
