"""What a run without a person carries out (spec generic.md sections 4, 5 and 8; G7, G8, G9)."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from datetime import time as clock_time
from pathlib import Path
from typing import Any, BinaryIO

import boto3
import pytest
from pytest_django import Settings

from sync.commandfiles.intake import receive_file
from sync.errors import SourceError
from sync.models import CommandFile, Notification, ProcessorSettings, RunState, Schedule, Source, SyncRun
from sync.runs import services
from sync.runs.source_settings import SourceChoice, save_source
from sync.runs.undo import undo_run
from sync.schedules.fetch_files import fetch_files
from sync.schedules.source_preview import Verdict, preview_source
from sync.sources.drop_folder import DropFolder
from tests.installation import Installation
from tests.servers import PASSWORD
from tests.source_servers import USER, FtpServer, SftpServer, TokenServer, WebServer, s3_server
from toolsync_site.storages import storage_from_url

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"
OTHER = "username;firstname;lastname;email\neve;Eve;Fox;eve@x.org\n"
HEADERLESS = "nothing;that;is;known\n1;2;3;4\n"


@pytest.fixture
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture(autouse=True)
def quick(settings: Settings, drop: Path) -> None:
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    return tmp_path / "served"


def choose(installation: Installation, **choice: object) -> Source:
    return save_source(installation.site, "users", SourceChoice(**choice))  # type: ignore[arg-type]


def fetched(installation: Installation) -> list[str]:
    return [file.path for file in fetch_files(installation.site, "users")]


def told() -> list[str]:
    """Return the codes of what the last look had to tell."""
    return [code for code, _params in Source.objects.get().notes]


def carry_out_next(installation: Installation, **options: object) -> list[str]:
    """Do what a schedule does; gives what was carried out."""
    files = fetch_files(installation.site, "users")
    for file in files:
        run = services.queue_run(site=installation.site, processor="users", command_file=file, options=options)
        services.execute_run(run.pk)
    return [file.path for file in files]


# --- the file area ---------------------------------------------------------------------------------------------------


def test_a_tool_takes_its_usual_file(installation: Installation) -> None:
    assert fetched(installation) == []
    assert told() == ["source_nothing"]
    installation.put("/userimport.csv", FILE)
    assert fetched(installation) == ["/userimport.csv"]
    assert told() == []


@pytest.mark.parametrize(
    ("location", "one", "all_"),
    [
        ("in/b.csv", ["/in/b.csv"], ["/in/b.csv"]),
        ("in/none.csv, in/b.csv, in/a.csv", ["/in/b.csv"], ["/in/b.csv", "/in/a.csv"]),
        ("in/*.csv", ["/in/a.csv"], ["/in/a.csv", "/in/b.csv"]),
        ("in/b*.csv, in/*.csv", ["/in/b.csv"], ["/in/b.csv", "/in/a.csv"]),
        ("*.csv", [], []),
    ],
)
def test_a_list_and_a_wildcard_give_the_first_file_or_all(
    location: str, one: list[str], all_: list[str], installation: Installation
) -> None:
    for path in ("/in/b.csv", "/in/a.csv", "/in/a_tryback_20250304-091205.csv", "/in/0-tryback-failed.csv"):
        installation.put(path, FILE)
    choose(installation, location=location)
    assert fetched(installation) == one
    choose(installation, location=location, take_all=True)
    assert fetched(installation) == all_


def test_g8_a_wildcard_is_carried_out_a_file_each_run(installation: Installation) -> None:
    choose(installation, location="load_*.csv")
    installation.put("/load_02.csv", OTHER)
    installation.put("/load_01.csv", FILE)
    assert carry_out_next(installation, filecleanup=1) == ["/load_01.csv"]
    assert carry_out_next(installation, filecleanup=1) == ["/load_02.csv"]
    assert carry_out_next(installation, filecleanup=1) == []
    assert told() == ["source_nothing"]


def test_the_same_file_again_is_recognised_by_its_content_told_and_left_out_if_wished(
    installation: Installation,
) -> None:
    choose(installation, location="load_*.csv")
    installation.put("/load_01.csv", FILE)
    assert carry_out_next(installation) == ["/load_01.csv"]
    first = SyncRun.objects.get()
    assert carry_out_next(installation) == ["/load_01.csv"]
    assert told() == ["same_file_again"]
    again = SyncRun.objects.latest("pk")
    said = f"load_01.csv is the very same file that run {first.pk} has carried out already."
    assert said in installation.own_file(again, "report")
    assert "the very same file" not in installation.own_file(first, "report")
    installation.put("/load_02.csv", FILE)
    installation.put("/load_03.csv", OTHER)
    choose(installation, location="load_*.csv", leave_same=True)
    assert [file.verdict for file in preview_source(installation.site, "users").files] == [
        Verdict.SAME, Verdict.SAME, Verdict.TAKEN,
    ]  # fmt: skip
    assert carry_out_next(installation) == ["/load_03.csv"]
    assert told() == ["same_file_left_out", "same_file_left_out"]
    # Those that stay there aren't taken after a later one.
    assert carry_out_next(installation) == []


@pytest.mark.parametrize("names", [("load.csv",) * 3, ("load_01.csv", "load_02.csv", "load_03.csv")])
def test_a_file_that_goes_back_to_what_it_was_is_taken(installation: Installation, names: tuple[str, str, str]) -> None:
    choose(installation, location="load*.csv", leave_same=True)
    for name, text in zip(names, (FILE, OTHER, FILE), strict=True):
        installation.put(f"/{name}", text)
        assert carry_out_next(installation) == [f"/{name}"]
        assert carry_out_next(installation) == []


def test_a_file_is_taken_again_when_its_run_was_undone_or_its_options_have_changed(installation: Installation) -> None:
    choose(installation, leave_same=True)
    installation.put("/userimport.csv", FILE)
    assert carry_out_next(installation) == ["/userimport.csv"]
    assert carry_out_next(installation) == []
    undone = services.execute_run(undo_run(SyncRun.objects.latest("pk")).pk)
    assert undone.state == RunState.COMPLETED
    assert carry_out_next(installation) == ["/userimport.csv"]
    ProcessorSettings.objects.update_or_create(
        site=installation.site, processor="users", defaults={"values": {"primaryidentity": "username"}}
    )
    assert carry_out_next(installation) == ["/userimport.csv"]
    assert carry_out_next(installation) == []


def test_a_file_that_a_run_still_waits_for_is_not_taken_twice(installation: Installation) -> None:
    installation.queue("/userimport.csv", FILE)
    assert fetched(installation) == []
    assert told() == ["file_in_use"]


def test_the_people_of_feeds_are_told_once_what_keeps_files_away(installation: Installation, drop: Path) -> None:
    def feed(address: str, *processors: str, enabled: bool = True) -> None:
        Schedule.objects.create(
            site=installation.site, processors=processors, at=clock_time(2), recipients=[address], enabled=enabled
        )

    feed("night@x.org", "users", "groups")
    feed("noon@x.org", "users")
    feed("courses@x.org", "courses")
    feed("off@x.org", "users", enabled=False)
    choose(installation, kind="area", location="*.csv", take_all=True)
    (drop / "alock.txt").write_text("")
    os.utime(drop / "alock.txt", (0, 0))
    held = installation.queue("/a.csv", FILE)
    installation.queue("/b.csv", OTHER)
    SyncRun.objects.filter(pk=held.pk).update(state=RunState.HELD)

    for _look in range(2):
        assert fetched(installation) == []

    mails = {mail.fault[0]: (mail.fault[1].get("path"), mail.recipients) for mail in Notification.objects.all()}
    assert mails == {
        "drop_feeder_died": (None, ["night@x.org", "noon@x.org", "courses@x.org"]),
        "file_in_use": ("/a.csv", ["night@x.org", "noon@x.org"]),
    }
    assert Notification.objects.count() == 2


def test_g7_a_file_that_the_last_run_could_not_use_is_put_aside_and_the_next_run_is_a_normal_one(
    installation: Installation,
) -> None:
    choose(installation, location="in.csv")
    failed = installation.carry_out("/in.csv", HEADERLESS)
    assert failed.state == RunState.FAILED
    assert fetched(installation) == ["/in.csv"]
    services.save_settings(site=installation.site, processor="users", values={"discardfileonfailure": True})
    assert fetched(installation) == []
    assert told() == ["file_put_aside"]
    assert installation.area() == {"/in-tryback-failed.csv"}
    installation.put("/in.csv", FILE)
    assert fetched(installation) == ["/in.csv"]


def test_a_file_that_was_handed_in_again_after_it_failed_is_tried_again(installation: Installation) -> None:
    choose(installation, location="in.csv")
    services.save_settings(site=installation.site, processor="users", values={"discardfileonfailure": True})
    installation.carry_out("/in.csv", HEADERLESS, discardfileonfailure=0)
    installation.put("/in.csv", HEADERLESS)
    assert fetched(installation) == ["/in.csv"]


# --- the drop folder -------------------------------------------------------------------------------------------------


def test_g9_the_drop_folder_is_captured_unless_the_feeder_has_locked_it(installation: Installation, drop: Path) -> None:
    for name in ("userimport.csv", "_out.csv", ".x", "alock.txt"):
        (drop / name).write_text(FILE)
    assert fetched(installation) == []
    assert told() == ["drop_feeder_writes", "source_nothing"]
    assert installation.area() == set()
    look = preview_source(installation.site, "users")
    assert [note.code for note in look.notes] == ["source_nothing", "drop_feeder_writes"]
    (drop / "alock.txt").unlink()
    assert fetched(installation) == ["/userimport.csv"]
    assert installation.area() == {"/userimport.csv"}
    assert sorted(path.name for path in drop.iterdir()) == [".x", "_out.csv"]


def test_a_captured_file_replaces_the_one_of_its_name(installation: Installation, drop: Path) -> None:
    installation.put("/userimport.csv", FILE)
    (drop / "userimport.csv").write_text(OTHER)
    fetched(installation)
    assert installation.read("/userimport.csv") == OTHER.encode()


@pytest.mark.parametrize(
    ("lock", "taken", "code", "words"),
    [
        ("alock.txt", [], "drop_feeder_died", "alock.txt is 4 hours old"),
        ("lock.txt", ["/userimport.csv"], "drop_lock_taken_over", "lock.txt in the drop folder was 4 hours old"),
    ],
)
def test_a_lock_of_the_dead_is_told_in_the_log(
    installation: Installation, drop: Path, caplog: pytest.LogCaptureFixture, *,
    lock: str, taken: list[str], code: str, words: str,
) -> None:  # fmt: skip
    (drop / "userimport.csv").write_text(FILE)
    (drop / lock).touch()
    os.utime(drop / lock, (time.time() - 4 * 3600,) * 2)
    assert fetched(installation) == taken
    assert code in told()
    assert words in caplog.text


def test_a_file_that_is_still_being_written_stays_until_it_is_whole(
    installation: Installation, drop: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_SETTLE_SECONDS = 0.4
    growing = drop / "userimport.csv"
    growing.write_text("username;firstname;lastname;email\n")
    (drop / "whole.csv").write_text(OTHER)
    writer = threading.Timer(0.1, growing.write_text, [FILE])
    writer.start()
    assert fetched(installation) == []
    writer.join()
    assert told() == ["source_file_growing", "source_nothing"]
    assert installation.area() == {"/whole.csv"}
    assert fetched(installation) == ["/userimport.csv"]


def test_a_file_that_goes_on_growing_while_it_is_copied_is_neither_received_nor_removed(
    installation: Installation, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its feeder had paused for longer than it takes to settle."""
    copy = DropFolder.copy

    def copy_and_feed(place: DropFolder, name: str, out: BinaryIO) -> None:
        copy(place, name, out)
        with (drop / name).open("a") as growing:
            growing.write(OTHER.splitlines(keepends=True)[1])

    (drop / "userimport.csv").write_text(FILE)
    monkeypatch.setattr(DropFolder, "copy", copy_and_feed)
    assert fetched(installation) == []
    assert told() == ["source_file_growing", "source_nothing"]
    assert installation.area() == set()
    monkeypatch.undo()
    assert fetched(installation) == ["/userimport.csv"]
    assert installation.read("/userimport.csv").count(b"\n") == 3


def test_a_file_that_comes_after_one_was_copied_waits_for_its_own_turn(
    installation: Installation, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the same name: what is removed must be what was read."""

    def receive_and_feed(*args: Any, **more: Any) -> CommandFile:
        file = receive_file(*args, **more)
        (tmp_path / "new").write_text(OTHER)
        (tmp_path / "new").replace(tmp_path / "users.csv")
        return file

    settings.STORAGES = {**settings.STORAGES, "inbox-school": storage_from_url(tmp_path.as_uri())}
    choose(installation, kind="inbox", inbox="school", location="users.csv", remove_taken=True)
    (tmp_path / "users.csv").write_text(FILE)
    monkeypatch.setattr("sync.schedules.fetch_files.receive_file", receive_and_feed)
    assert carry_out_next(installation) == ["/fetched/users/users.csv"]
    assert told() == ["source_file_growing"]
    assert (tmp_path / "users.csv").read_text() == OTHER
    monkeypatch.undo()
    assert carry_out_next(installation) == ["/fetched/users/users.csv"]
    assert [run.counts for run in SyncRun.objects.order_by("pk")] == [{"created": 1}] * 2
    assert not (tmp_path / "users.csv").exists()


@pytest.mark.parametrize("mark", ["userimport.csv.done", "userimport.done", "userimport.csv.sha256"])
def test_a_marked_file_is_taken_at_once_and_its_mark_goes_with_it(
    mark: str, installation: Installation, drop: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_SETTLE_SECONDS = 60
    (drop / "userimport.csv").write_text(FILE)
    (drop / mark).write_text(hashlib.sha256(FILE.encode()).hexdigest() if "sha256" in mark else "")
    assert fetched(installation) == ["/userimport.csv"]
    assert list(drop.iterdir()) == []


def test_a_file_with_a_wrong_checksum_stays_and_others_are_taken(installation: Installation, drop: Path) -> None:
    (drop / "a.csv").write_text(FILE)
    (drop / "a.csv.sha256").write_text(hashlib.sha256(b"another").hexdigest())
    (drop / "userimport.csv").write_text(FILE)
    assert fetched(installation) == ["/userimport.csv"]
    assert told() == ["source_checksum_differs"]
    assert sorted(path.name for path in drop.iterdir()) == ["a.csv", "a.csv.sha256"]


def test_a_drop_folder_that_cannot_be_used_does_not_stop_the_tool(
    installation: Installation, drop: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_DROP_FOLDER = str(drop / "missing" / "drop")
    installation.put("/userimport.csv", FILE)
    assert fetched(installation) == ["/userimport.csv"]
    assert told() == ["drop_folder_failed"]


# --- other places ----------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_from_the_web_and_carried_out(installation: Installation, web: WebServer) -> None:
    web.put("/export.php?key=geheim", FILE.encode())
    choose(installation, kind="address", location=web.url("/export.php?key=geheim"), username="ann", password="Safe-1")
    assert carry_out_next(installation) == ["/fetched/users/userimport.csv"]
    assert SyncRun.objects.get().counts == {"created": 1}
    assert ("GET /export.php?key=geheim", "Basic YW5uOlNhZmUtMQ==") in web.asked


def test_a_token_is_asked_for_at_its_whole_address(installation: Installation, web: WebServer) -> None:
    tokens = TokenServer(web)
    web.answers["/token?tenant=geheim"] = web.answers.pop("/token")
    tokens.put("/users.csv", FILE.encode())
    query = {"token_address": web.url("/token?tenant=geheim"), "scope": ""}
    choose(installation, kind="oauth", location=web.url("/users.csv"), username=USER, password=PASSWORD, query=query)
    assert carry_out_next(installation) == ["/fetched/users/users.csv"]
    assert SyncRun.objects.get().counts == {"created": 1}
    assert Source.objects.get().query["token_address"] == web.url("/token")


def test_what_goes_wrong_on_the_way_is_told_and_nothing_is_taken(
    installation: Installation, web: WebServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = []
    choose(installation, kind="address", location=web.url("/users.csv?key=geheim"), password="Safe-1")
    with pytest.raises(SourceError, match="remote_private"):
        fetched(installation)
    assert told() == ["remote_private"]
    assert "nothing is fetched from there" in caplog.text
    assert "geheim" not in caplog.text
    assert not CommandFile.objects.exists()


@pytest.mark.parametrize("scheme", ["ftp", "sftp"])
@pytest.mark.parametrize("remove", [False, True])
def test_a_wildcard_on_a_server_gives_one_file_or_all(
    scheme: str, remove: bool, installation: Installation, served: Path
) -> None:
    for name in ("load_02.csv", "load_01.csv", "other.csv"):
        (served / name).write_text(FILE)
    (served / "load_01.csv.done").touch()
    server = (FtpServer if scheme == "ftp" else SftpServer)(served)
    address = f"{scheme}://{USER}:{PASSWORD}@localhost:{server.port}/load_*.csv"
    try:
        choose(installation, kind="address", location=address, remove_taken=remove)
        look = preview_source(installation.site, "users")
        assert [tuple(file) for file in look.files] == [
            ("load_01.csv", len(FILE), Verdict.TAKEN), ("load_02.csv", len(FILE), Verdict.LATER),
        ]  # fmt: skip
        assert (look.others, [note.code for note in look.notes]) == (1, [] if remove else ["source_never_next"])
        assert carry_out_next(installation) == ["/fetched/users/load_01.csv"]
        address = Source.objects.get().location
        choose(
            installation, kind="address", location=address, username=USER, take_all=True, remove_taken=remove
        )  # fmt: skip
        rest = ["/fetched/users/load_02.csv"]
        assert fetched(installation) == (rest if remove else ["/fetched/users/load_01.csv", *rest])
    finally:
        server.stop()
    assert sorted(path.name for path in served.glob("load*")) == (
        [] if remove else ["load_01.csv", "load_01.csv.done", "load_02.csv"]
    )


def test_the_first_sftp_server_that_is_met_is_the_one_to_trust(installation: Installation, served: Path) -> None:
    (served / "users.csv").write_text(FILE)
    first, second = SftpServer(served), SftpServer(served)
    try:
        address = f"sftp://{USER}:{PASSWORD}@localhost:{first.port}/users.csv"
        source = choose(installation, kind="address", location=address)
        preview_source(installation.site, "users")
        source.refresh_from_db()
        assert source.host_key == first.fingerprint
        Source.objects.update(host_key=second.fingerprint)
        with pytest.raises(SourceError, match="remote_host_key"):
            fetched(installation)
        assert told() == ["remote_host_key"]
    finally:
        first.stop()
        second.stop()


def test_files_are_fetched_from_a_bucket(installation: Installation, settings: Settings) -> None:
    with s3_server() as url:
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        client.create_bucket(Bucket="feeds")
        for name in ("users_1.csv", "users_2.csv", "other.csv"):
            client.put_object(Bucket="feeds", Key=f"out/{name}", Body=FILE.encode())
        entry = storage_from_url(f"s3://key:secret@feeds/?endpoint_url={url}&region_name=us-east-1")
        settings.STORAGES = {**settings.STORAGES, "inbox-school": entry}
        choose(
            installation, kind="inbox", inbox="school", location="out/users_*.csv", take_all=True, remove_taken=True
        )  # fmt: skip
        assert [file.verdict for file in preview_source(installation.site, "users").files] == [Verdict.SETTLES] * 2
        assert fetched(installation) == ["/fetched/users/users_1.csv", "/fetched/users/users_2.csv"]
        left = [item["Key"] for item in client.list_objects_v2(Bucket="feeds")["Contents"]]
    assert left == ["out/other.csv"]


def test_what_was_fetched_by_somebody_who_died_is_not_forgotten(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.STORAGES = {**settings.STORAGES, "inbox-school": storage_from_url(tmp_path.as_uri())}
    choose(installation, kind="inbox", inbox="school", location="users_*.csv", remove_taken=True)
    (tmp_path / "users_1.csv").write_text(FILE)
    (tmp_path / "users_2.csv").write_text(OTHER)

    assert fetched(installation) == ["/fetched/users/users_1.csv"]
    # No run was asked for: the worker died.
    assert carry_out_next(installation) == ["/fetched/users/users_1.csv"]
    assert told() == ["source_file_left_behind"]
    assert carry_out_next(installation) == ["/fetched/users/users_2.csv"]
    assert carry_out_next(installation) == []
    assert told() == ["source_nothing"]


def test_a_look_tells_that_the_first_file_of_a_wildcard_would_be_taken_for_ever(installation: Installation) -> None:
    def notes(**choice: object) -> list[str]:
        choose(installation, **{"location": "load_*.csv"} | choice)
        return [note.code for note in preview_source(installation.site, "users").notes]

    installation.put("/load_1.csv", FILE)
    assert notes() == []
    installation.put("/load_2.csv", OTHER)
    assert notes() == ["source_never_next"]
    assert notes(location="load_1.csv, load_2.csv") == notes(take_all=True) == notes(leave_same=True) == []
    services.save_settings(site=installation.site, processor="users", values={"filecleanup": True})
    assert notes() == []


def test_a_look_takes_nothing(installation: Installation, drop: Path) -> None:
    (drop / "userimport.csv").write_text(FILE)
    (drop / "marked.csv").write_text(FILE)
    (drop / "marked.done").touch()
    look = preview_source(installation.site, "users")
    assert sorted(tuple(file) for file in look.dropped) == [
        ("marked.csv", len(FILE), Verdict.TAKEN), ("userimport.csv", len(FILE), Verdict.SETTLES),
    ]  # fmt: skip
    assert len(list(drop.iterdir())) == 3
    assert not CommandFile.objects.exists()
    assert not Source.objects.exists()
