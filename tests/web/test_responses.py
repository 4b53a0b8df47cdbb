"""What turns the direction of text is shown on pages, not obeyed."""

from __future__ import annotations

import pytest
from django.http import FileResponse, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from sync.models import MoodleSite
from toolsync_site.responses import DirectionMarks


def answer(response: HttpResponse) -> bytes:
    return DirectionMarks(lambda _request: response)(RequestFactory().get("/")).content  # type: ignore[attr-defined]


@pytest.mark.parametrize("sign", ["\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"])
def test_a_page_shows_the_sign(sign: str) -> None:
    assert answer(HttpResponse(f"<p>é ann{sign}gnp</p>")).decode() == f"<p>é ann[U+{ord(sign):04X}]gnp</p>"


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_files_stay_as_they_are(kind: str) -> None:
    assert "\u202e" in answer(HttpResponse("a\u202eb", content_type=kind)).decode()


def test_a_file_that_is_handed_out_is_not_read(db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.html"
    path.write_text("a\u202eb")
    response = FileResponse(path.open("rb"), content_type="text/html")
    assert DirectionMarks(lambda _request: response)(HttpRequest()) is response
    response.close()


def test_the_site_of_a_hostile_name_is_shown_with_marks(client_with) -> None:  # type: ignore[no-untyped-def]
    MoodleSite.objects.filter(slug="main").update(name="Our\u202eMoodle")
    client: Client = client_with("manage_files")
    page = client.get("/files/").content.decode()
    assert "Our[U+202E]Moodle" in page
    assert "\u202e" not in page
