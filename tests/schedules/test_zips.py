"""Zips of command files that come by themselves: taken as one bundle, held as a whole, and what is unknown in them put aside."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from pytest_django import Settings

from sync.models import (
    CommandFile,
    Notification,
    NotificationRule,
    RunState,
    SequenceRun,
    SequenceState,
    Source,
)
from sync.runs import services
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.arming import arm_file
from sync.schedules.fetch_files import capture_drop_folder
from tests.installation import Installation
from tests.runs.test_rights import person
from tests.schedules.test_sequences import ENROLMENTS, USERS, fates, start, work

FILES = {"term/userimport.csv": USERS, "term/enrols.csv": ENROLMENTS}


@pytest.fixture(autouse=True)
def drop(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    settings.TOOLSYNC_DROP_FOLDER = str(folder)
    folder.mkdir()
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    return folder


def zip_of(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def put_zip(installation: Installation, name: str, files: dict[str, str]) -> None:
    """Put a zip into the file area, as the source of users files."""
    file = installation.put(name, zip_of(files), armed=False)
    arm_file(file, "users", OPERATOR)
    save_source(installation.site, "users", SourceChoice(location=name.removeprefix("/")))


def told(installation: Installation, processor: str = "users") -> list[str]:
    return [code for code, _params in Source.objects.get(site=installation.site, processor=processor).notes]


def counts(sequence: SequenceRun) -> list[tuple[str, dict[str, int]]]:
    return [(run.processor, run.counts) for run in sequence.runs.order_by("pk")]


def test_a_zip_in_the_drop_folder_is_planned_as_one_bundle(installation: Installation, drop: Path) -> None:
    (drop / "term.zip").write_bytes(zip_of({**FILES, "term/readme.txt": "Read me first.\nThank you.\n"}))
    sequence = start(installation, together=True)

    work(sequence)

    assert sequence.state == SequenceState.COMPLETED
    assert counts(sequence) == [("users", {"created": 1}), ("enrolments", {"created": 1})]
    assert sequence.runs.exclude(bundle=sequence.bundle).count() == 0
    assert list(drop.iterdir()) == []
    assert told(installation) == ["zip_file_unknown"]
    assert [file.name for file in CommandFile.objects.filter(folder="/", name__startswith="readme")] == [
        "readme-tryback-failed.txt"
    ]


def test_a_zip_that_a_source_brings_is_held_as_a_whole(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    for number in range(30):
        installation.moodle.insert("user", auth="manual", confirmed=1, mnethostid=1, username=f"p{number}")
    gone = "username\n" + "".join(f"p{number}\n" for number in range(30))
    put_zip(installation, "/term.zip", {**FILES, "userdelete.csv": gone})
    sequence = start(installation, ["users", "users_delete", "enrolments"], together=True)
    before = installation.moodle.snapshot()

    work(sequence)

    first, *others = sequence.runs.order_by("pk")
    assert first.state == RunState.HELD
    assert {run.state for run in others} == {RunState.PENDING}
    assert len(others) == 2
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert not installation.exists("/term.zip"), "its files are there"


def test_what_isn_t_in_the_schedule_is_put_aside_and_somebody_is_told(installation: Installation) -> None:
    NotificationRule.objects.create(site=installation.site, recipients={"failure": ["it@x.org"]})
    put_zip(installation, "/term.zip", {**FILES, "cohorts.csv": "cname;cidnumber\nC;C\n", "notes.csv": "a;b\n1;2\n"})
    sequence = start(installation, ["users", "enrolments"], together=True)

    work(sequence)

    assert sequence.state == SequenceState.COMPLETED
    assert counts(sequence) == [("users", {"created": 1}), ("enrolments", {"created": 1})]
    assert sorted(told(installation)) == ["zip_file_not_scheduled", "zip_file_unknown"]
    assert Notification.objects.filter(event="failure").count() == 2
    assert installation.moodle.rows("cohort", idnumber="C") == []


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"PK\x03\x04 nothing else", "bundle_broken"), (zip_of({"a/in.csv": USERS, "b/IN.csv": USERS}), "zip_same_names"),
     (zip_of({"a.csv": USERS, "enrol 02:00.csv": ENROLMENTS}), "file_name_character"),
     (zip_of({"a.csv": USERS, "b" * 230 + ".csv": ENROLMENTS}), "file_name_too_long")],
)  # fmt: skip
def test_a_zip_that_can_t_be_used_is_put_aside_and_nothing_is_begun(
    installation: Installation, drop: Path, content: bytes, code: str
) -> None:
    file = installation.put("/term.zip", content, armed=False)
    arm_file(file, "users", OPERATOR)
    save_source(installation.site, "users", SourceChoice(location="term.zip"))
    installation.put("/enrols.csv", ENROLMENTS)
    (drop / "other.zip").write_bytes(content)
    sequence = start(installation, together=True)

    work(sequence)

    assert sequence.state == SequenceState.STOPPED
    assert [fault[1] for fault in sequence.faults] == [code]
    assert sequence.runs.count() == 0
    assert told(installation).count("zip_put_aside") == 2
    assert [path.name for path in drop.iterdir()] == ["_aside_other.zip"]
    assert installation.exists("/term-tryback-failed.zip")
    assert not CommandFile.objects.filter(name="a.csv").exists()


def test_a_zip_with_files_whose_turn_is_over_stays_and_says_so(installation: Installation) -> None:
    installation.put("/userimport.csv", USERS)
    file = installation.put("/term.zip", zip_of(FILES), armed=False)
    arm_file(file, "enrolments", OPERATOR)
    save_source(installation.site, "enrolments", SourceChoice(location="term.zip"))
    sequence = start(installation, together=True)

    work(sequence)

    assert fates(sequence)["enrolments"] == "failed"
    assert [fault[1] for fault in sequence.faults] == ["zip_turn_over"]
    assert {run.state for run in sequence.runs.all()} == {RunState.CANCELLED}
    assert installation.exists("/term.zip")


def test_whoever_lets_a_zip_be_taken_must_be_allowed_to_run_all_of_it(installation: Installation) -> None:
    file = installation.put("/term.zip", zip_of(FILES), armed=False)
    arm_file(file, "users", Responsible.of(person("keeper", "run_users")))
    save_source(installation.site, "users", SourceChoice(location="term.zip"))
    sequence = start(installation, together=True)

    work(sequence)

    assert [fault[1] for fault in sequence.faults] == ["zip_without_right"]
    assert installation.moodle.rows("user", username="kim") == []


def test_a_process_that_died_while_it_unpacked_is_followed_by_another(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_zip(installation, "/term.zip", FILES)
    sequence = start(installation, together=True)
    with monkeypatch.context() as patch:
        patch.setattr("sync.schedules.sequences._queue_runs", lambda *_given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work(sequence)
    SequenceRun.objects.update(claimed_at=None, claimed_by="")
    assert sequence.runs.count() == 0

    work(sequence)

    assert sequence.state == SequenceState.COMPLETED
    assert counts(sequence) == [("users", {"created": 1}), ("enrolments", {"created": 1})]


def test_files_of_a_zip_that_are_still_to_be_read_are_not_replaced(installation: Installation, drop: Path) -> None:
    waiting = installation.queue("/userimport.csv", USERS)
    (drop / "term.zip").write_bytes(zip_of({"userimport.csv": USERS.replace("kim", "tom"), "enrols.csv": ENROLMENTS}))

    notes = capture_drop_folder(installation.site)

    assert [note.code for note in notes] == ["file_in_use"]
    assert not installation.exists("/enrols.csv"), "all of a zip, or nothing"
    assert (drop / "term.zip").exists()
    assert services.execute_run(waiting.pk).counts == {"created": 1}
    capture_drop_folder(installation.site)
    assert installation.exists("/enrols.csv")
