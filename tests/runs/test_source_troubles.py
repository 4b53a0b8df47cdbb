"""What keeps files away from a run without a person: people are told in a sentence, not for ever, and nothing is left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from pytest_django import Settings

from sync.messages import text_of
from sync.models import CommandFile, Notification, SequenceRun, SequenceState, Source, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.fetch_files import fetch_files
from sync.schedules.sequences import carry_on_sequence, steps_of
from tests.installation import Installation
from tests.source_servers import WebServer, drip, ten_gigabytes

FILE = b"username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"


class Hostile(NamedTuple):
    """Addresses that nothing good comes from. Shape: inner: servers that must not be asked for anything"""

    addresses: dict[str, str]
    inner: list[WebServer]


@pytest.fixture
def hostile(authority: trustme.CA, settings: Settings) -> Iterator[Hostile]:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    settings.TOOLSYNC_FETCH_SECONDS = 2
    settings.TOOLSYNC_MAX_UPLOAD_MB = 3
    web, private, distrusted = WebServer(), WebServer(), WebServer(authority.issue_cert("localhost"))
    private.put("/users.csv", FILE)
    web.redirect("/private.csv", private.url("/users.csv", host="127.0.0.1"))
    web.answers |= {"/endless.csv": drip, "/huge.csv": ten_gigabytes}
    addresses = {name: web.url(f"/{name}.csv") for name in ("private", "endless", "huge")}
    yield Hostile(addresses | {"distrusted": distrusted.url("/users.csv?key=geheim")}, [private, distrusted])
    for server in (web, private, distrusted):
        server.stop()


@pytest.fixture
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def told() -> list[list[Any]]:
    return list(Notification.objects.order_by("pk").values_list("fault", flat=True))


@pytest.mark.parametrize(
    ("name", "code", "is_fault"),
    [
        ("private", "remote_private", True),
        ("endless", "remote_too_slow", True),
        ("distrusted", "remote_certificate", True),
        # What is wrong with one file doesn't make the address a bad one.
        ("huge", "remote_too_large", False),
    ],
)
def test_a_hostile_address_is_told_and_leaves_nothing(
    installation: Installation, hostile: Hostile, name: str, code: str, *, is_fault: bool
) -> None:
    save_rule(installation.site, "users", RuleChoice({"failure": ["a@x.org"]}))
    save_source(
        installation.site, "users", SourceChoice(kind="address", location=hostile.addresses[name], password="Safe-1")
    )
    sequence = SequenceRun.objects.create(site=installation.site, processors=["users"])
    carry_on_sequence(sequence.pk)
    sequence.refresh_from_db()

    assert sequence.state == (SequenceState.FAILED if is_fault else SequenceState.COMPLETED)
    assert steps_of(sequence)[0].state == ("failed" if is_fault else "nothing_came")
    ((fault, params),) = told()
    assert fault == code == Source.objects.get().notes[0][0]
    assert "geheim" not in text_of(code, params)
    assert [server.asked for server in hostile.inner] == [[], []]
    assert not CommandFile.objects.exists()
    assert not SyncRun.objects.exists()
    assert installation.area() == set()


def test_a_source_that_cannot_be_reached_stops_a_sequence_that_is_to_stop(
    installation: Installation, hostile: Hostile, drop: Path
) -> None:
    address = hostile.addresses["private"]
    save_source(installation.site, "users", SourceChoice(kind="address", location=address))
    installation.put("/enrols.csv", "cmd;rolename;uid;cid\nadd;student;ann;C1\n")
    sequence = SequenceRun.objects.create(
        site=installation.site, processors=["users", "enrolments"], stop_on_failure=True
    )
    carry_on_sequence(sequence.pk)
    sequence.refresh_from_db()
    assert sequence.state == SequenceState.STOPPED
    assert not SyncRun.objects.exists()


def test_people_are_told_once_of_a_drop_folder_whose_feeder_died(installation: Installation, drop: Path) -> None:
    tools = ("users", "courses")
    for tool in tools:
        save_rule(installation.site, tool, RuleChoice({"failure": ["a@x.org"]}))
    lock = drop / "alock.txt"

    def look(hours: int) -> None:
        lock.touch()
        os.utime(lock, (time.time() - hours * 3600,) * 2)
        for tool in tools:
            fetch_files(installation.site, tool)

    died = ["drop_feeder_died", {"lock": "alock.txt", "hours": 4}]
    look(1)
    assert told() == []
    look(4)
    look(5)
    assert told() == [died]
    lock.unlink()
    for tool in tools:
        fetch_files(installation.site, tool)
    look(4)
    assert told() == [died, died]


def test_people_are_told_of_each_file_whose_checksum_differs(installation: Installation, drop: Path) -> None:
    save_rule(installation.site, "users", RuleChoice({"failure": ["a@x.org"]}))
    for name in ("a.csv", "b.csv"):
        (drop / name).write_bytes(FILE)
        (drop / f"{name}.sha256").write_text("0" * 64)
        fetch_files(installation.site, "users")
    assert [(code, params["name"]) for code, params in told()] == [
        ("source_checksum_differs", "a.csv"),
        ("source_checksum_differs", "b.csv"),
    ]
