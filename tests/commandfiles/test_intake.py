"""Files arrive, are found, replaced and deleted."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from pytest_django import Settings

from sync.commandfiles import intake
from sync.commandfiles.intake import FileTypes, find_file, receive_file
from sync.errors import CommandFileError
from sync.models import CommandFile, RunFile
from sync.runs import services
from tests.installation import Installation
from tests.open_files import all_closed
from tests.reader.test_workbook import xlsx

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"


def test_a_file_is_kept_with_size_digest_and_type(installation: Installation) -> None:
    file = installation.put("/users/userimport.csv", FILE)
    assert (file.path, file.size, file.processor) == ("/users/userimport.csv", len(FILE), "users")
    assert file.sha256 == hashlib.sha256(FILE.encode()).hexdigest()
    assert installation.read("/users/userimport.csv") == FILE.encode()


def test_a_file_of_this_machine_is_copied_and_stays(installation: Installation, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(FILE)
    file = services.receive_path(site=installation.site, path=source, folder="/shell/")
    assert file.path == "/shell/in.csv"
    assert source.read_text() == FILE


@pytest.mark.parametrize("content", [b"", b"\x00\x01binary", b"# only a comment\n", b"PK\x03\x04 cut off"])
def test_a_file_that_cannot_be_read_is_kept_without_a_type(installation: Installation, content: bytes) -> None:
    assert installation.put("/in.csv", content).processor == ""


def test_a_file_of_the_same_path_is_replaced(installation: Installation) -> None:
    first = installation.put("/in.csv", FILE)
    second = installation.put("/in.csv", FILE + "eve;Eve;Fox;eve@x.org\n")
    assert second.pk == first.pk
    assert installation.read("/in.csv").endswith(b"eve@x.org\n")
    assert CommandFile.objects.count() == 1


def test_a_file_that_is_too_large_is_refused(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_MAX_UPLOAD_MB = 1
    with pytest.raises(CommandFileError) as refused:
        installation.put("/in.csv", b"x" * 1_500_000)
    assert (refused.value.code, refused.value.params) == ("file_too_large", {"name": "in.csv", "size": 2, "limit": 1})
    assert installation.area() == set()


def test_a_folder_that_runs_fill_takes_no_uploads(installation: Installation) -> None:
    with pytest.raises(CommandFileError):
        installation.put("/reports/in.csv", FILE)


@pytest.mark.parametrize("path", ["/users/in.csv", "users/in.csv"])
def test_a_file_is_found_by_its_path(installation: Installation, path: str) -> None:
    file = installation.put("/users/in.csv", FILE)
    assert find_file(installation.site, path) == file
    assert find_file(installation.site, "in.csv") is None


def test_a_deleted_file_is_gone(installation: Installation) -> None:
    intake.delete_file(installation.put("/in.csv", FILE))
    assert installation.area() == set()
    assert find_file(installation.site, "/in.csv") is None


def test_a_file_that_a_run_waits_for_is_not_deleted(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    assert run.command_file is not None
    with pytest.raises(CommandFileError) as refused:
        intake.delete_file(run.command_file)
    assert refused.value.code == "file_in_use"
    assert installation.exists("/in.csv")


def test_a_tryback_that_was_mended_and_sent_under_its_name_is_no_file_of_the_old_run(
    installation: Installation,
) -> None:
    run = installation.carry_out("/in.csv", FILE + "eve;Eve;Fox;no\n", filefailed=1)
    tryback = run.files.get(kind=RunFile.Kind.TRYBACK)
    installation.put(tryback.path, installation.read(tryback.path).replace(b";no;", b";eve@x.org;"))
    assert not run.files.filter(kind=RunFile.Kind.TRYBACK).exists()
    assert installation.carry_out(tryback.path).counts == {"created": 1}


def test_a_workbook_is_closed_once_its_type_is_known(installation: Installation) -> None:
    content = xlsx([["username", "firstname"], ["ann", "Ann"], ["bob", "Bob"]])
    types = FileTypes(lambda name: name == "username", lambda names, _name: "users" if "username" in names else "")
    with all_closed():
        kept = receive_file(installation.site, io.BytesIO(content), "in.xlsx", "/", None, file_types=types)
    assert kept.processor == "users"
