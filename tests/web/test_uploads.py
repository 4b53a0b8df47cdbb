"""How large a request may be, and who may send files at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from pytest_django import Settings

from sync.models import CommandFile

ClientWith = Callable[..., Client]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of all files that came to lie on disk."""
    names: list[str] = []
    new_file = TemporaryFileUploadHandler.new_file

    def noted(self: TemporaryFileUploadHandler, field_name: str, file_name: str, *args: Any) -> None:
        names.append(file_name)
        new_file(self, field_name, file_name, *args)

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", noted)
    return names


def upload(size: int = 100) -> SimpleUploadedFile:
    return SimpleUploadedFile("users.csv", b"username\n" + b"x" * size)


@pytest.mark.parametrize("address", ["/login/", "/language/", "/tools/users/", "/files/", "/nowhere/"])
def test_a_stranger_leaves_no_file(db: None, kept: list[str], address: str) -> None:
    Client().post(address, {"upload": upload(), "uploads": upload()})
    assert kept == []
    assert not CommandFile.objects.exists()


@pytest.mark.parametrize("address", ["/login/", "/tools/users/", "/nowhere/"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
def test_a_stranger_may_send_no_more_than_a_form(db: None, address: str, kind: str) -> None:
    response = Client().generic("POST", address, b"x" * 70_000, kind)
    assert response.status_code == 413
    assert "signed in" in response.content.decode()


def test_a_form_that_asks_for_no_file_keeps_none(client_with: ClientWith, kept: list[str]) -> None:
    client_with("manage_files").post("/language/", {"language": "en", "upload": upload()})
    assert kept == []


def test_a_form_that_asks_for_a_file_gets_it(client_with: ClientWith, kept: list[str]) -> None:
    client_with("manage_files").post("/files/", {"uploads": upload(), "folder": ""})
    assert kept == ["users.csv"]


def test_an_upload_beyond_the_limit_is_refused_before_it_is_kept(
    client_with: ClientWith, kept: list[str], settings: Settings
) -> None:
    settings.TOOLSYNC_MAX_UPLOAD_MB = 1
    response = client_with("manage_files").post("/files/", {"uploads": upload(6_000_000), "folder": ""})
    assert response.status_code == 413
    assert "5 MB" in response.content.decode()
    assert kept == []


def test_a_browser_is_told_so_on_a_page(client_with: ClientWith, settings: Settings) -> None:
    settings.TOOLSYNC_MAX_UPLOAD_MB = 1
    files = {"uploads": upload(6_000_000), "folder": ""}
    response = client_with("manage_files").post("/files/", files, headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 413
    assert "This is too large to be sent" in response.text
    assert 'href="/files/"' in response.text
    stranger = Client().generic("POST", "/files/", b"x" * 70_000, headers={"Accept": "text/html"})
    assert stranger.status_code == 413
    assert 'href="/login/"' in stranger.text


def test_the_folder_of_uploads_is_not_that_of_the_system(settings: Settings) -> None:
    assert Path(settings.FILE_UPLOAD_TEMP_DIR) != Path(tempfile.gettempdir())
