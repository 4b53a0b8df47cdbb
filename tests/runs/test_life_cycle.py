"""A whole run: what it leaves in the file area, and in which order. Source: generic.md section 15, G1, G2, G7, G12."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sync.errors import CommandFileError
from sync.models import RunFile, RunState, SyncRun
from sync.runs import services
from tests.installation import Installation, at

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")

HEADER = b"username;firstname;lastname;email"
GOOD = b"bob.k;Bob;King;bob@x.org"
BAD = b"eve;Eve;Fox;no-address"
FILE = HEADER + b"\r\n" + GOOD + b"\r\n" + BAD + b"\r\n"
KEEP_ALL: dict[str, Any] = {
    "filecleanup": 1,
    "filearchive": 1,
    "storereport": 1,
    "filefailed": 1,
    "primaryidentity": "username",
}


def test_g1_a_run_leaves_report_tryback_and_archive_and_takes_the_file_away(
    installation_everywhere: Installation,
) -> None:
    with at("2025-03-04 09:12:05"):
        run = installation_everywhere.carry_out("/users/in.csv", FILE, **KEEP_ALL)
    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert run.counts == {"created": 1, "rejected": 1}
    assert installation_everywhere.area() == {
        "/archives/20250304-091205_in.csv",
        "/reports/20250304-091205_report_in.txt",
        "/users/in_tryback_20250304-091205.csv",
    }
    assert installation_everywhere.read("/archives/20250304-091205_in.csv") == FILE
    tryback = installation_everywhere.read("/users/in_tryback_20250304-091205.csv")
    header, failed, rest = tryback.split(b"\r\n")
    assert header == HEADER + b";_line;_code;_reason"
    assert failed.startswith(BAD + b";3;value_not_email;")
    assert rest == b""


def test_g1_a_mended_tryback_is_carried_out(installation_everywhere: Installation) -> None:
    with at("2025-03-04 09:12:05"):
        installation_everywhere.carry_out("/users/in.csv", FILE, **KEEP_ALL)
    path = "/users/in_tryback_20250304-091205.csv"
    mended = installation_everywhere.read(path).replace(b"no-address", b"eve@x.org")
    run = installation_everywhere.carry_out(path, mended, **KEEP_ALL)
    assert run.counts == {"created": 1}
    assert installation_everywhere.moodle.one("user", username="eve")["email"] == "eve@x.org"


def test_g2_a_simulation_leaves_its_report_and_touches_nothing_else(installation_everywhere: Installation) -> None:
    before = installation_everywhere.moodle.snapshot()
    with at("2025-03-04 09:12:05"):
        run = installation_everywhere.carry_out("/users/in.csv", FILE, simulate=True, **KEEP_ALL)
    assert run.counts == {"created": 1, "rejected": 1}
    assert installation_everywhere.area() == {"/users/in.csv", "/reports/20250304-091205_report_simulation_in.txt"}
    assert installation_everywhere.moodle.diff(before, installation_everywhere.moodle.snapshot()) == {}
    report = installation_everywhere.read("/reports/20250304-091205_report_simulation_in.txt").decode()
    assert "SIMULATION : line 2: bob.k" in report
    assert not run.files.exclude(kind__in=("report", "outcomes")).exists()


def test_a_file_goes_only_after_it_was_archived(installation: Installation) -> None:
    archives = installation.folder / "main" / "archives"
    archives.parent.mkdir(parents=True, exist_ok=True)
    archives.write_text("not a folder")
    run = installation.carry_out("/in.csv", FILE, **KEEP_ALL)
    assert run.state == RunState.ERRORED
    assert installation.exists("/in.csv")
    assert {path.split("/")[1] for path in installation.area()} >= {"reports", "in.csv"}
    archives.unlink()
    services.resume_run(run)
    before = installation.moodle.snapshot()
    assert services.execute_run(run.pk).state == RunState.COMPLETED_WITH_REJECTIONS
    assert not installation.exists("/in.csv")
    assert len([path for path in installation.area() if path.startswith("/archives/")]) == 1
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


def test_the_same_file_again_changes_no_row(installation: Installation) -> None:
    installation.carry_out("/in.csv", FILE, primaryidentity="username")
    before = installation.moodle.snapshot()
    run = installation.carry_out("/in.csv", primaryidentity="username")
    assert run.counts == {"unchanged": 1, "rejected": 1}
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


def test_report_and_tryback_are_kept_with_the_run_when_they_are_not_stored(installation: Installation) -> None:
    not_stored = {"storereport": 0, "filearchive": 0, "filefailed": 0}
    run = installation.carry_out("/in.csv", FILE, primaryidentity="username", **not_stored)
    assert installation.area() == {"/in.csv"}
    assert "What needs you: 1 row was rejected." in installation.own_file(run, "report")
    assert installation.own_file(run, "tryback").startswith("username;firstname;lastname;email;_line;_code;_reason\r\n")
    assert [kept.path for kept in run.files.all()] == ["", "", ""]


def test_a_run_without_rejections_leaves_no_tryback(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + b"\n" + GOOD, **KEEP_ALL)
    assert run.state == RunState.COMPLETED
    assert not run.files.filter(kind=RunFile.Kind.TRYBACK).exists()


def test_a_refused_file_stays_and_leaves_nothing(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", "username;gender\nbob;m\n", **KEEP_ALL)
    assert (run.state, run.error_code) == (RunState.FAILED, "header_unknown_column")
    assert run.last_line == 0
    assert installation.area() == {"/in.csv"}


def test_a_refused_file_is_put_aside_when_asked(installation: Installation) -> None:
    run = installation.carry_out("/users/in.csv", "username;gender\nbob;m\n", discardfileonfailure=1)
    assert run.state == RunState.FAILED
    assert installation.area() == {"/users/in-tryback-failed.csv"}
    assert run.command_file is not None
    assert run.command_file.path == "/users/in-tryback-failed.csv"


def test_a_simulation_puts_no_file_aside(installation: Installation) -> None:
    installation.carry_out("/in.csv", "username;gender\nbob;m\n", discardfileonfailure=1, simulate=True)
    assert installation.area() == {"/in.csv"}


def test_the_file_stays_when_another_run_still_waits_for_it(installation: Installation) -> None:
    first = installation.queue("/in.csv", FILE, **KEEP_ALL)
    second = installation.queue("/in.csv", **KEEP_ALL)
    assert services.execute_run(first.pk).state == RunState.COMPLETED_WITH_REJECTIONS
    assert installation.exists("/in.csv")
    assert services.execute_run(second.pk).state == RunState.COMPLETED_WITH_REJECTIONS
    assert not installation.exists("/in.csv")


def test_a_file_that_was_replaced_in_the_storage_is_not_carried_out(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    (installation.folder / "main/inbox/in.csv").write_bytes(HEADER + b"\nother;Other;One;o@x.org\n")
    ended = services.execute_run(run.pk)
    assert (ended.state, ended.error_code) == (RunState.FAILED, "file_changed")
    assert not installation.moodle.rows("user", username="other")


def test_a_file_that_is_gone_is_told_by_its_name(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    (installation.folder / "main/inbox/in.csv").unlink()
    ended = services.execute_run(run.pk)
    assert (ended.state, ended.error_code, ended.error_params) == (
        RunState.FAILED,
        "file_not_found",
        {"path": "/in.csv"},
    )


def test_a_file_that_a_run_waits_for_is_held(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    with pytest.raises(CommandFileError) as refused:
        installation.put("/in.csv", HEADER)
    assert (refused.value.code, refused.value.params) == ("file_in_use", {"path": "/in.csv", "run": run.pk})
    services.cancel_run(run)
    installation.put("/in.csv", HEADER)


def test_a_worker_that_died_after_the_clean_up_leaves_an_ended_run(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", FILE, **KEEP_ALL)
    long_ago = timezone.now() - timedelta(hours=1)
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, heartbeat_at=long_ago, worker="dead")
    area = installation.area()
    assert services.execute_run(run.pk).state == RunState.COMPLETED_WITH_REJECTIONS
    assert installation.area() == area


def test_each_chunk_costs_a_fixed_number_of_queries(installation: Installation, settings: Settings) -> None:
    def queries_of(rows: int) -> int:
        lines = "".join(f"user{rows}x{n};F;L;u{rows}x{n}@x.org\n" for n in range(rows))
        run = installation.queue("/in.csv", "username;firstname;lastname;email\n" + lines)
        with CaptureQueriesContext(connection) as captured:
            assert services.execute_run(run.pk).state == RunState.COMPLETED
        return len(captured)

    settings.TOOLSYNC_CHUNK_ROWS = 10
    first = queries_of(10)
    # Nine for each chunk, one of them for its index and two for the ids of what it made; and four for its record in the audit.
    assert queries_of(50) - first <= 4 * (9 + 4)


def test_two_runs_of_one_second_share_no_file(installation: Installation) -> None:
    """Else somebody with a small right hands in a file of the usual name at the second at which the nightly run begins, and
    reads what that one leaves in the place of theirs."""
    other = FILE.replace(b"bob", b"ben")
    with at("2025-03-04 09:12:05"):
        runs = [installation.carry_out("/users/in.csv", FILE, **KEEP_ALL | {"filecleanup": 0})]
        runs += [installation.carry_out("/users/in.csv", other, **KEEP_ALL | {"filecleanup": 0})]
        runs += [installation.carry_out("/other/in.csv", FILE, **KEEP_ALL | {"filecleanup": 0})]
    kept = list(RunFile.objects.filter(run__in=runs))
    assert len({file.storage_key for file in kept}) == len(kept) == 12
    contents = [installation.read(RunFile.objects.get(run=run, kind="archive").path) for run in runs]
    assert contents == [FILE, other, FILE]
    for run in runs:
        tryback = RunFile.objects.get(run=run, kind="tryback")
        assert tryback.path in installation.own_file(run, "report")


def test_a_moodle_that_nobody_knows_is_simulated_but_not_changed(
    installation: Installation, settings: Settings
) -> None:
    installation.moodle.execute("UPDATE {config} SET value = '2099010100' WHERE name = 'version'")

    simulation = installation.carry_out("/in.csv", FILE, simulate=True)
    run = installation.carry_out("/in.csv", FILE)

    assert simulation.state == RunState.COMPLETED_WITH_REJECTIONS
    assert (run.state, run.error_code, run.rows_done) == (RunState.ERRORED, "moodle_version_unknown", 0)
    assert installation.moodle.rows("user", username="bob.k") == []
    settings.TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS = True
    assert installation.carry_out("/again.csv", FILE).state == RunState.COMPLETED_WITH_REJECTIONS
    assert len(installation.moodle.rows("user", username="bob.k")) == 1
