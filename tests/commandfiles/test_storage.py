"""The storage: exact keys, whatever the backend does with names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, Storage, storages
from pytest_django import Settings

from sync.commandfiles import storage
from sync.errors import StorageUnavailable
from sync.whole_files import digest_of


@pytest.fixture(params=["folder", "memory"], autouse=True)
def kept_files(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Storage:
    backends = {
        "folder": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
        "memory": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    settings.STORAGES = {**settings.STORAGES, "files": backends[request.param]}
    return storages["files"]


def read(key: str) -> bytes:
    with storage.opened(key) as file:
        return file.read()


def test_a_file_is_kept_under_exactly_its_key_and_replaced() -> None:
    assert storage.save("main/inbox/a b.csv", io.BytesIO(b"one")) == 3
    storage.save("main/inbox/a b.csv", io.BytesIO(b"second"))
    assert read("main/inbox/a b.csv") == b"second"
    assert storage.file_storage().listdir("main/inbox") == ([], ["a b.csv"])


def test_of_two_who_save_at_once_the_last_one_wins(kept_files: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    original = kept_files.delete

    def delete_and_be_late(key: str) -> None:
        original(key)
        monkeypatch.setattr(kept_files, "delete", original)
        kept_files.save(key, io.BytesIO(b"the other"))

    monkeypatch.setattr(kept_files, "delete", delete_and_be_late)
    storage.save("main/inbox/in.csv", io.BytesIO(b"ours"))
    assert read("main/inbox/in.csv") == b"ours"
    assert kept_files.listdir("main/inbox") == ([], ["in.csv"])


def test_content_is_kept_from_its_beginning() -> None:
    content = io.BytesIO(b"whole")
    content.read(2)
    storage.save("k", content)
    assert read("k") == b"whole"


def test_a_file_that_is_not_there_is_told_alike_by_every_backend() -> None:
    storage.save("main/other", io.BytesIO(b"x"))
    with pytest.raises(FileNotFoundError), storage.opened("main/none"):
        pass


@pytest.mark.parametrize("in_its_place", ["nothing", "a file", "an empty folder"])
def test_without_its_disk_no_file_is_taken_for_missing(in_its_place: str, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "files": backend}
    storage.save("main/in.csv", io.BytesIO(b"kept"))
    folder.rename(tmp_path / "away")
    if in_its_place == "a file":
        folder.touch()
    elif in_its_place == "an empty folder":
        folder.mkdir()

    with pytest.raises(StorageUnavailable), storage.opened("main/in.csv"):
        pass

    if in_its_place == "an empty folder":
        folder.rmdir()
    folder.unlink(missing_ok=True)
    (tmp_path / "away").rename(folder)
    assert read("main/in.csv") == b"kept"


def test_a_disk_that_comes_back_while_a_file_is_looked_for_makes_no_file_missing(
    kept_files: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(kept_files, FileSystemStorage):
        pytest.skip("it has no disk")
    storage.save("main/in.csv", io.BytesIO(b"kept"))
    folder, original = tmp_path / "files", kept_files.exists

    def answer_while_it_comes_back(key: str) -> bool:
        folder.rename(tmp_path / "away")
        answer = original(key)
        (tmp_path / "away").rename(folder)
        monkeypatch.setattr(kept_files, "exists", original)
        return answer

    monkeypatch.setattr(kept_files, "exists", answer_while_it_comes_back)
    assert read("main/in.csv") == b"kept"
    monkeypatch.setattr(kept_files, "exists", answer_while_it_comes_back)
    assert storage.exists("main/in.csv")


def test_a_disk_that_goes_before_a_file_is_opened_makes_no_file_missing(
    kept_files: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(kept_files, FileSystemStorage):
        pytest.skip("it has no disk")
    storage.save("main/in.csv", io.BytesIO(b"kept"))
    original = kept_files.open

    def open_while_it_is_away(key: str, mode: str) -> Any:
        monkeypatch.setattr(kept_files, "open", original)
        raise FileNotFoundError(key)

    monkeypatch.setattr(kept_files, "open", open_while_it_is_away)
    assert read("main/in.csv") == b"kept"


def test_before_the_first_file_there_is_nothing() -> None:
    assert not storage.exists("main/in.csv")
    assert storage.names_in("main") == ([], [])


def test_deleting_what_is_not_there_does_nothing() -> None:
    storage.delete("main/none")
    storage.delete_folder("main/runs/7")


def test_a_folder_goes_with_all_that_is_in_it_and_nothing_else() -> None:
    for key in ("main/runs/1/report.txt", "main/runs/1/outcomes/000000000002.jsonl.gz", "main/runs/12/report.txt"):
        storage.save(key, io.BytesIO(b"x"))
    storage.delete_folder("main/runs/1")
    assert not storage.exists("main/runs/1/report.txt")
    assert storage.file_storage().listdir("main/runs") == (["12"], [])


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/in.csv", "main/inbox/in.csv"),
        ("/users/in.csv", "main/inbox/users/in.csv"),
        ("/reports/r.csv", "main/reports/r.csv"),
        ("/archives/a.csv", "main/archives/a.csv"),
    ],
)
def test_what_people_see_as_a_path_has_one_key(path: str, key: str) -> None:
    assert storage.key_of_path("main", path) == key


def test_a_digest_leaves_the_stream_at_its_beginning() -> None:
    stream = io.BytesIO(b"abc")
    stream.read(1)
    assert digest_of(stream) == ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)
    assert stream.read() == b"abc"
