"""manage.py runbundle: exit status, simulation, options of file types, JSON."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.models import Bundle, RunState
from tests.installation import Installation

USERS = "username;firstname;lastname;email\nnora;Nora;New;nora@x.org\n"
COHORTS = "cname;cidnumber;userid\nFreshers;FRESH;nora\n"
BY_USERNAME = ("--option", "users.primaryidentity=username")


def runbundle(*args: str) -> tuple[int, str]:
    """Return the exit status and what was written to standard output."""
    out = io.StringIO()
    try:
        call_command("runbundle", *args, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def packed(tmp_path: Path) -> str:
    path = tmp_path / "term.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cohorts.csv", COHORTS)
        archive.writestr("userimport.csv", USERS)
    return str(path)


def test_a_zip_is_carried_out_in_order(installation: Installation, packed: str) -> None:
    status, said = runbundle(packed, *BY_USERNAME, "--json")

    told = json.loads(said.splitlines()[-1])
    assert status == 0
    assert [(run["state"], run["counts"]["created"]) for run in told["runs"]] == [("completed", 1), ("completed", 1)]
    assert installation.moodle.one("cohort", idnumber="FRESH")


def test_a_simulation_says_what_each_file_would_do_and_writes_nothing(installation: Installation, packed: str) -> None:
    before = installation.moodle.snapshot()

    status, said = runbundle(packed, *BY_USERNAME, "--simulate")

    assert status == 0
    assert said.index("1 user created") < said.index("1 cohort created")
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert {run.state for run in Bundle.objects.get().runs.all()} == {RunState.DECLINED}


def test_several_files_with_rejections_end_with_one(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "userimport.csv").write_text(USERS)
    (tmp_path / "cohorts.csv").write_text(COHORTS + "Freshers;FRESH;nobody\n")
    status, _said = runbundle(str(tmp_path / "cohorts.csv"), str(tmp_path / "userimport.csv"), *BY_USERNAME)
    assert status == 1
    assert installation.moodle.one("user", username="nora")


def test_a_bundle_beyond_the_limits_waits_with_four(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_GUARD = True
    (tmp_path / "userdelete.csv").write_text("username\nann\n")
    status, said = runbundle(str(tmp_path / "userdelete.csv"), "--option", "users_delete.primaryidentity=username")
    assert status == 4
    assert "userdelete.csv: 1 user deleted" in said


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(
    ("args", "status"),
    [
        (("no/such/file.zip",), 2),
        (("{packed}", "--option", "nothing.x=1"), 3),
        (("{packed}", "--option", "users.nothing=1"), 3),
        (("{packed}", "{packed}"), 2),
        (("{packed}", "--site", "nowhere"), 3),
    ],
)
def test_what_can_not_be_carried_out_is_refused(packed: str, args: tuple[str, ...], status: int) -> None:
    assert runbundle(*(arg.format(packed=packed) for arg in args))[0] == status
    assert not Bundle.objects.exists()


def test_an_option_of_one_file_holds_for_no_other_of_its_type(installation: Installation, tmp_path: Path) -> None:
    for name, user in (("users_1.csv", "nora"), ("users_2.csv", "otto")):
        (tmp_path / name).write_text(USERS.replace("nora", user))
    files = [str(tmp_path / name) for name in ("users_1.csv", "users_2.csv")]

    status, said = runbundle(*files, *BY_USERNAME, "--option", "users_2.csv:storereport=0")

    assert status == 0, said
    assert [bool(run.options["storereport"]) for run in Bundle.objects.get().runs.order_by("pk")] == [True, False]
    assert runbundle(*files, "--option", "users_3.csv:storereport=1") == (
        3, "There is no file “users_3.csv” in the bundle. Its files: users_1.csv, users_2.csv."
    )  # fmt: skip


def test_a_bundle_waits_for_its_confirmation_where_that_is_asked_for(installation: Installation, packed: str) -> None:
    before = installation.moodle.snapshot()

    status, _said = runbundle(packed, *BY_USERNAME, "--ask")

    assert status == 4
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    first, second = Bundle.objects.get().runs.order_by("pk")
    assert (first.state, second.state) == (RunState.UNCONFIRMED, RunState.PENDING)
