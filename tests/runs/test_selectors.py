"""What pages are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.utils import timezone

from sync.models import CommandFile, RunState
from sync.runs.selectors import (
    files_in,
    folders_of,
    preselected_file,
    processors_for,
    progress_of,
    visible_runs,
)
from sync.runs.source_settings import SourceChoice, save_source
from tests.installation import Installation, at

HEADER = "username;firstname;lastname;email\n"
# Lines 2 to 24; every third row is refused.
FILE = HEADER + "".join(f"user{n};First;Last;{'no' if n % 3 == 2 else f'u{n}@x.org'}\n" for n in range(23))


@pytest.mark.django_db
def test_people_see_the_tools_and_runs_that_they_have_the_right_to(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", FILE)
    person = User.objects.create_user("anna")
    assert processors_for(person) == []
    assert list(visible_runs(person, installation.site)) == []
    person.user_permissions.add(Permission.objects.get(codename="run_users"))
    person = User.objects.get(pk=person.pk)
    assert [processor.key for processor in processors_for(person)] == ["users"]
    assert list(visible_runs(person, installation.site)) == [run]


def test_each_tool_has_a_permission(transactional_db: None) -> None:
    from sync.processors.registry import REGISTRY

    codenames = set(Permission.objects.filter(content_type__model="syncrun").values_list("codename", flat=True))
    assert {f"run_{key}" for key in REGISTRY} <= codenames


def test_the_area_shows_folders_and_files_of_every_kind(installation: Installation) -> None:
    with at("2025-03-04 09:12:05"):
        installation.carry_out("/users/2025/in.csv", FILE, storereport=1, filearchive=1, filefailed=1)
    assert folders_of(installation.site) == ["/", "/archives/", "/reports/", "/users/", "/users/2025/"]
    assert [file.path for file in files_in(installation.site, "/users/2025/")] == [
        "/users/2025/in.csv",
        "/users/2025/in_tryback_20250304-091205.csv",
    ]
    (report,) = files_in(installation.site, "/reports/")
    assert (report.name, report.processor, report.command_file) == ("20250304-091205_report_in.txt", "users", None)
    (archive,) = files_in(installation.site, "/archives/")
    assert archive.size == len(FILE)
    assert list(files_in(installation.site, "/")) == []


def test_a_tool_preselects_its_usual_file_or_the_one_of_its_settings(installation: Installation) -> None:
    user, nobody = User.objects.create_user("ann"), AnonymousUser()
    assert preselected_file(installation.site, "users", nobody) is None
    usual = installation.put("/userimport.csv", FILE)
    assert preselected_file(installation.site, "users", nobody) == usual
    own = installation.put("/daily/people.csv", FILE)
    save_source(installation.site, "users", SourceChoice(location="daily/*.csv"))
    assert preselected_file(installation.site, "users", nobody) == own
    # What somebody else has put under the usual name is not the one to be offered.
    results = installation.put("/daily/people.csv", FILE + "x", armed=False)
    assert preselected_file(installation.site, "users", user) is None
    CommandFile.objects.filter(pk=results.pk).update(uploaded_by=user)
    assert preselected_file(installation.site, "users", user) == results


def test_progress_goes_by_the_rows_that_are_done(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    assert progress_of(run).percent == 0
    run.state, run.started_at = RunState.RUNNING, timezone.now() - timedelta(seconds=10)
    # Of a small file all bytes are read before the first chunk is done.
    run.bytes_read, run.file_size, run.rows_done, run.rows_expected = 1000, 1000, 100, 400
    progress = progress_of(run)
    assert (progress.percent, progress.seconds_left) == (25, 30)
    run.state, run.carried_out, run.finished_at = RunState.COMPLETED, True, timezone.now()
    assert (progress_of(run).percent, progress_of(run).seconds_left) == (100, None)
