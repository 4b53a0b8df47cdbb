"""Zips of pictures on the pages: handed in, looked at, run."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sync.models import CommandFile, SyncRun
from tests.pictures import picture, zip_of


def test_a_zip_is_handed_in_looked_at_and_run(client_with: Callable[..., Client]) -> None:
    client = client_with("run_userpictures")
    page = client.get(reverse("tool", args=["userpictures"]))
    assert ".zip" in page.text
    assert "A zip of JPEG, PNG or GIF pictures." in page.text
    assert reverse("tool_sample", args=["userpictures"]) not in page.text

    upload = SimpleUploadedFile("mine.zip", zip_of({"class/ann.png": picture()}))
    client.post(
        reverse("tool", args=["userpictures"]),
        {"do": "run", "upload": upload, "option_userfield": "username", "option_fileprefix": "userpictures_"},
    )
    run, file = SyncRun.objects.get(), CommandFile.objects.get()
    assert (run.processor, run.command_file, file.processor) == ("userpictures", file, "userpictures")

    chosen: dict[str, str | int] = {"command_file": file.pk, "option_encoding": "", "option_separator": ""}
    preview = client.get(reverse("tool_preview", args=["userpictures"]), chosen)
    assert "class/ann.png" in preview.text
    assert "ZIP" in preview.text


def test_what_is_no_zip_is_told_before_it_is_run(client_with: Callable[..., Client]) -> None:
    client = client_with("run_userpictures")
    upload = SimpleUploadedFile("userpictures_x.zip", b"no zip")
    client.post(
        reverse("tool", args=["userpictures"]), {"upload": upload, "option_userfield": "username"}
    )  # fmt: skip
    file = CommandFile.objects.get()

    preview = client.get(reverse("tool_preview", args=["userpictures"]), {"command_file": file.pk})
    assert "This is not a zip, or it is damaged." in preview.text
