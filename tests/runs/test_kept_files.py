"""What a run leaves where nobody has chosen anything, and its table of outcomes."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from typing import BinaryIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from sync.models import ProcessorSettings, RunFile
from sync.runs import services
from sync.runs.finalize import RunFinalizer
from tests.installation import Installation, at

HEADER = "username;firstname;lastname;email;password\n"
GOOD = "bob;Bob;@2+2;bob@x.org;Tr0ub4dor&3\n"
BAD = f"eve;Eve;Fox;no-address;Geheim-1\nzoe;Zoe;Fox;zoe@x.org;{'Geheim-2' * 80}\n"


def test_reports_archives_and_trybacks_are_kept_unless_somebody_says_otherwise(installation: Installation) -> None:
    with at("2025-03-04 09:12:05"):
        run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    assert installation.area() == {
        "/in.csv",
        "/archives/20250304-091205_in.csv",
        "/reports/20250304-091205_report_in.txt",
        "/in_tryback_20250304-091205.csv",
    }
    assert {file.kind: file.name for file in run.files.all()}["outcomes"] == "20250304-091205_outcomes_in.csv"
    off = {"storereport": 0, "filearchive": 0, "filefailed": 0}
    services.save_settings(site=installation.site, processor="users", values=off)
    with at("2025-03-05 09:12:05"):
        installation.carry_out("/other.csv", HEADER + GOOD + BAD)
    assert not any("20250305" in path for path in installation.area())


def test_who_has_chosen_options_before_keeps_what_applied(installation: Installation) -> None:
    stored = ProcessorSettings.objects.create(
        site=installation.site, processor="users", values={"storereport": True, "allowrename": True}
    )
    migration = importlib.import_module("sync.migrations.0013_kept_by_default")
    migration.keep_what_applied(apps, None)
    stored.refresh_from_db()
    assert stored.values == {"storereport": True, "allowrename": True, "filearchive": False, "filefailed": False}


def test_the_table_is_offered_on_the_page_and_named_by_the_shell(
    installation: Installation, admin_client: Client, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD + BAD)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("runsync", "users", str(tmp_path / "in.csv"), "--json", stdout=out)
    summary = json.loads(out.getvalue().splitlines()[-1])
    text = Path(summary["outcomes"]).read_text(encoding="utf-8-sig")
    assert text.startswith("line,identifier,action,code,text,field,old,new\n")
    run = RunFile.objects.get(kind="outcomes").run
    address = reverse("run_file", args=[run.pk, "outcomes"])
    assert f'href="{address}"' in admin_client.get(reverse("run", args=[run.pk])).text
    answer = admin_client.get(address)
    assert b"".join(answer.streaming_content).decode("utf-8-sig").replace("\r\n", "\n") == text  # type: ignore[attr-defined]
    assert "_outcomes_in.csv" in answer.headers["Content-Disposition"]


def test_no_clear_password_is_in_it(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    again = installation.carry_out("/again.csv", HEADER + GOOD.replace("Tr0ub4dor", "Anders") + BAD)
    for shown in (run, again):
        table = installation.own_file(shown, "outcomes")
        assert "eve" in table or "value_not_email" in table
        for secret in ("Tr0ub4dor", "Anders", "Geheim"):
            assert secret not in table


def test_a_simulation_has_a_table_and_a_refused_file_none(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD, simulate=True)
    assert "account_created" in installation.own_file(run, "outcomes")
    refused = installation.carry_out("/bad.csv", "shoe;size\nx;1\n")
    assert not refused.files.filter(kind="outcomes").exists()


def test_runs_that_end_at_the_same_time_have_reports_of_their_own(installation: Installation) -> None:
    """The second ends while the report of the first is being written, in the very second of the same start."""
    header = "username;firstname;lastname;email\n"
    runs = [
        installation.carry_out(f"/{folder}/in.csv", f"{header}{folder};F;L;{folder}@x.org\n", storereport=0)
        for folder in ("one", "two")
    ]
    for run in runs:
        run.options["storereport"] = True
        run.started_at = runs[0].started_at
        run.save()

    class Slow(RunFinalizer):
        def write_report(self, out: BinaryIO) -> None:
            RunFinalizer(runs[1]).make_report()
            super().write_report(out)

    Slow(runs[0]).make_report()

    paths = {RunFile.objects.get(run=run, kind="report").path for run in runs}
    assert len(paths) == 2
    for run in runs:
        assert run.file_path in installation.own_file(run, "report")
