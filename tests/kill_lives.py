"""The lives that are killed at any point: files of users and of enrolments, a run that is held, undos, a bundle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from sync.commandfiles.bundle_zip import HandedFile
from sync.models import RunState, SyncRun
from sync.runs import decisions
from sync.runs.bundles import opened_bundle, queue_bundle
from sync.runs.decisions import removed_by
from sync.runs.rights import OPERATOR
from sync.runs.services import execute_run
from sync.runs.undo import undo_run
from tests.installation import Installation
from tests.kill_points import Life

KEPT = {"storereport": 1, "filearchive": 1, "filefailed": 1}
PEOPLE, MEMBERS_EVERY = 60, 4
SHELL: Mapping[str, Any] = {"in_background": False}


def people() -> str:
    """Return users who are new, one who is changed, and rows that are rejected."""
    header = "username;firstname;lastname;email;idnumber;city;cohort;course1;role1;enrol1;profile_field_dept\n"
    rows = [
        f"kim{n:02};Kim;Nr {n};{'nowhere' if n % 13 == 5 else f'kim{n}@x.org'};K{n:02};Lyon;"
        + (";;;;" if n % MEMBERS_EVERY else "Year 1;C1;student;manual;D1")
        for n in range(PEOPLE)
    ]
    return (
        header
        + "\n".join([*rows[:20], "ann;Ann;Smith;ann@x.org;A1;Oslo;Year 1;C2;student;manual;D2", *rows[20:]])
        + "\n"
    )


def enrolments() -> str:
    rows = [f"add;C{1 + n % 2};kim{n:02};student;manual;gaddcreate;Group {n // 9}" for n in range(PEOPLE)]
    rows += [f"del;C1;kim{n:02};student;manual;;" for n in range(0, PEOPLE, MEMBERS_EVERY)]
    return "cmd;cid;uid;rolename;enrol;gcmd;g1\n" + "\n".join([*rows, "add;C9;kim01;student;manual;;"]) + "\n"


def _done(installation: Installation, path: str, text: str, **options: Any) -> SyncRun:
    run = installation.carry_out(path, text, **options)
    if run.waits_for_person:
        decisions.approve_run(run, OPERATOR, typed=str(removed_by(run.planned_totals)))
        run = execute_run(run.pk)
    assert run.state in (RunState.COMPLETED, RunState.COMPLETED_WITH_REJECTIONS), (run.error_code, run.error_params)
    return run


def _users(installation: Installation) -> None:
    installation.queue("/users/people.csv", people(), **KEPT, filecleanup=1, **SHELL)


def _enrolments(installation: Installation) -> None:
    _done(installation, "/people.csv", people())
    installation.queue("/enrols.csv", enrolments(), processor="enrolments", **KEPT, **SHELL)


def _held(installation: Installation) -> None:
    _done(installation, "/people.csv", people())
    gone = "username\n" + "".join(f"kim{n:02}\n" for n in range(PEOPLE - 3)) + "nobody\n"
    run = installation.queue("/gone.csv", gone, processor="users_delete", primaryidentity="username", **KEPT, **SHELL)
    # By night: what goes beyond the limits waits for a person.
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)


def _undo(installation: Installation) -> None:
    run = _done(installation, "/people.csv", people())
    undo_run(run, simulate=True, **SHELL)


def _undo_of_deletions(installation: Installation) -> None:
    _done(installation, "/people.csv", people())
    gone = "username\n" + "".join(f"kim{n:02}\n" for n in range(PEOPLE // 2))
    run = _done(installation, "/gone.csv", gone, processor="users_delete", primaryidentity="username")
    undo_run(run, simulate=True, **SHELL)


def _bundle(installation: Installation) -> None:
    files = {
        "userimport.csv": "username;firstname;lastname;email\n"
        + "".join(f"n{n};N;L{n};n{n}@x.org\n" for n in range(20)),
        "uploadcourses.csv": "shortname;fullname;category\n"
        + "".join(f"NEW{n};New {n};New/Year {n}\n" for n in range(4)),
        "enrols.csv": "uid;cid;rolename;enrol\n" + "".join(f"n{n};NEW{n % 5};student;manual\n" for n in range(20)),
    }
    handed = [HandedFile(name, io.BytesIO(text.encode())) for name, text in files.items()]
    with opened_bundle(handed) as found:
        queue_bundle(
            site=installation.site,
            name="term.zip",
            files=found,
            options={"users": {"primaryidentity": "username"}},
            **SHELL,
        )


LIVES: Mapping[str, Life] = {
    life.name: life
    for life in (
        Life("users", _users),
        Life("enrolments", _enrolments, is_guarded=False),
        Life("held", _held),
        Life("undo", _undo),
        Life("undo of deletions", _undo_of_deletions),
        Life("bundle", _bundle),
    )
}
