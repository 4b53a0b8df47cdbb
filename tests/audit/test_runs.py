"""What runs change is in the audit: who, when, from which line, from what to what; found by user and by course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sync.audit.erasure import erase_person, find_person
from sync.audit.selectors import AuditQuery, find_entries
from sync.audit.services import RunAudit
from sync.models import AuditName, AuditRecord, SyncRun
from sync.runs import services
from sync.runs.decisions import apply_plan
from sync.runs.recorder import RunRecorder
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.undo import undo_run
from sync.values import Change
from tests.audit.kit import ADA, BOB, HEADER, NEW_NAME, faults, found
from tests.installation import Installation


def test_a_change_is_found_with_run_file_line_person_and_both_values(installation: Installation) -> None:
    root = User.objects.create_user("root", is_superuser=True)
    installation.carry_out("/users.csv", HEADER + ADA + BOB)
    run = installation.carry_out("/changed.csv", HEADER + BOB + NEW_NAME, user=root)

    assert found(installation.site, user="ADA") == [
        (3, "updated", "ada", [Change("lastname", "King", "Lovelace")]),
        (2, "created", "ada", []),
    ]
    record = find_entries(installation.site, AuditQuery(user="ADA")).lines[0].record
    assert (record.run, record.run_number, record.file, record.person) == (run, run.pk, "/changed.csv", "root")
    assert record.origin == "person"
    assert faults(installation.site) == []


@pytest.mark.parametrize("name", ["ada", "A-1815", "ada@x.org", " Ada@X.ORG "])
def test_a_user_is_found_by_every_name_that_the_file_gives(name: str, installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA + BOB)
    assert found(installation.site, user=name) == [(2, "created", "ada", [])]


def test_rows_that_change_nothing_are_not_in_the_audit(installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA + "eve;Eve;Fox;no address;E\n")
    installation.carry_out("/again.csv", HEADER + ADA)
    assert [record.entries for record in AuditRecord.objects.all()] == [1]


def test_a_simulation_is_not_in_the_audit(installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA, simulate=True)
    assert not AuditRecord.objects.exists()
    assert not AuditName.objects.exists()


def test_an_enrolment_is_found_by_its_user_and_by_its_course(installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA + BOB)
    installation.carry_out(
        "/courses.csv", "shortname;fullname;category\nALG1;Algebra;Maths\nGEO;Geometry;Maths\n", processor="courses"
    )
    rows = "cmd;cid;uid;rolename\nadd;ALG1;ada;student\nadd;GEO;ada;student\nadd;ALG1;bob;student\n"
    installation.carry_out("/enrol.csv", rows, processor="enrolments")

    both = found(installation.site, user="ada", course="alg1")
    assert [(line, subject) for line, _action, subject, _changes in both] == [(2, "ada / ALG1")]
    of_course = found(installation.site, course="ALG1")
    assert [(line, subject) for line, _action, subject, _changes in of_course] == [
        (2, "ada / ALG1"),
        (4, "bob / ALG1"),
        (2, "ALG1"),
    ]


def test_of_a_row_about_a_course_only_what_is_about_people_is_sealed(installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA)
    header = "shortname;fullname;category;teacher1_account;teacher1_role\n"
    installation.carry_out("/courses.csv", header + "ALG1;Algebra;Maths;;\n", processor="courses")
    row = "ALG1;Algebra I;Maths;ada;editingteacher\n"
    installation.carry_out("/teachers.csv", header + row, processor="courses", forceupdate=1)
    number = str(installation.moodle.rows("user", username="ada")[0]["id"])
    changes = [Change("fullname", "Algebra", "Algebra I"), Change("teacher", "", number)]
    assert found(installation.site, user="ada", course="ALG1") == [(2, "updated", "ALG1", changes)]

    erase_person(installation.site, ["ada"], OPERATOR)
    erased = [Change("fullname", "Algebra", "Algebra I"), Change("teacher", "", "")]
    assert found(installation.site, course="ALG1")[0] == (2, "updated", "ALG1", erased)


def test_what_an_undo_changes_back_is_found_and_erased_as_well(installation: Installation) -> None:
    installation.carry_out("/users.csv", HEADER + ADA)
    changed = installation.carry_out("/changed.csv", HEADER + NEW_NAME)
    services.execute_run(undo_run(changed).pk)
    number = installation.moodle.rows("user", username="ada")[0]["id"]
    line, action, subject, changes = found(installation.site, user="ada")[0]
    assert (line, action, subject) == (2, "updated", f"user {number}")
    # That it was changed last in another second is one more.
    assert changes[0] == Change("lastname", "Lovelace", "King")
    assert f"user {number}" in find_person(installation.site, "ada").other_names

    erase_person(installation.site, ["ada", f"user {number}"], OPERATOR)
    assert "Lovelace" not in str(found(installation.site))
    assert faults(installation.site) == []


def test_who_lets_a_plan_be_carried_out_is_in_the_audit(installation: Installation) -> None:
    plan = installation.carry_out("/users.csv", HEADER + ADA, simulate=True)
    kim = Responsible.of(User.objects.create_user("kim", is_superuser=True))
    run = apply_plan(plan, kim)
    assert services.execute_run(run.pk).counts == {"created": 1}
    lines = find_entries(installation.site, AuditQuery(kind="approval")).lines
    assert [(line.record.person, line.record.run_number, line.entry and line.entry.changes) for line in lines] == [
        ("kim", run.pk, [Change("decision", "", "confirmed")])
    ]
    assert found(installation.site, user="ada") == [(2, "created", "ada", [])]
    assert faults(installation.site) == []


def test_the_audit_outlives_the_run(installation: Installation) -> None:
    run = installation.carry_out("/users.csv", HEADER + ADA)
    number = run.pk
    run.delete()
    record = AuditRecord.objects.get()
    assert (record.run, record.run_number, record.file) == (None, number, "/users.csv")
    assert found(installation.site, user="ada") == [(2, "created", "ada", [])]
    assert faults(installation.site) == []


def test_each_chunk_is_a_record_of_its_own(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 2
    rows = "".join(f"kim{n};Kim;Nr;kim{n}@x.org;K{n}\n" for n in range(5))
    installation.carry_out("/users.csv", HEADER + rows)
    lines = AuditRecord.objects.order_by("sequence").values_list("sequence", "first_line", "last_line", "entries")
    assert list(lines) == [(1, 2, 3, 2), (2, 4, 5, 2), (3, 6, 6, 1)]
    assert faults(installation.site) == []
    pages, start = [], None
    while True:
        page = find_entries(installation.site, AuditQuery(), start=start, most=2)
        pages.append([line.entry.line for line in page.lines if line.entry])
        start = page.following
        if start is None:
            break
    assert pages == [[6, 4], [5, 2], [3]]


@pytest.mark.parametrize("at", ["confirm", "store", "append"])
@pytest.mark.parametrize("before", [True, False])
def test_a_killed_run_is_in_the_audit_once(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, at: str, before: bool
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 5
    rows = "".join(f"kim{n:02};Kim;Nr;kim{n}@x.org;K{n}\n" for n in range(23))
    run = installation.queue("/users.csv", HEADER + rows)
    with monkeypatch.context() as patch:
        kill(patch, at, 3, before=before)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert faults(installation.site) == []

    assert services.execute_run(run.pk).counts == {"created": 23}
    lines = [line for line, _action, _subject, _changes in found(installation.site)]
    assert sorted(lines) == list(range(2, 25))
    assert faults(installation.site) == []
    assert found(installation.site, user="K13") == [(15, "created", "kim13", [])]


class Killed(BaseException):
    """Stands for `kill -9`: no code of ours may catch it."""


def kill(patch: pytest.MonkeyPatch, method: str, call: int, *, before: bool) -> None:
    """Make the process die at the n-th call of a method."""
    owner: type = RunRecorder if method == "confirm" else RunAudit
    original = getattr(owner, method)
    calls = 0

    def dying(self: object, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and before:
            raise Killed
        done = original(self, *args)
        if calls == call:
            raise Killed
        return done

    patch.setattr(owner, method, dying)
