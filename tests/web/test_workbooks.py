"""Workbooks are read by a worker: pages say so, follow it, and never open one themselves."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.commandfiles import readings, storage
from sync.health.records import Part, note_life
from sync.models import CommandFile, HealthRecord, MoodleSite, WorkbookReading
from sync.runs import services
from tests.web.conftest import USERS_CSV, MakeFile, read_workbooks

Rows = list[tuple[str, ...]]
USERS: Rows = [("username", "firstname", "lastname", "email"), ("ann", "Ann", "Lee", "ann@example.org")]
COHORTS: Rows = [("cname", "cidnumber"), ("Chemists", "CHEM")]


def book(**sheets: Rows) -> bytes:
    """Return a workbook. Shape: sheets: name -> rows"""
    made, out = openpyxl.Workbook(), io.BytesIO()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def web_server(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let nothing but the worker's task start the program that reads workbooks; return what lets it."""
    note_life(Part.WORKER)
    started = subprocess.Popen
    allowed: list[bool] = []

    def popen(*args: Any, **kwargs: Any) -> Any:
        assert allowed, "the web server has read a workbook"
        return started(*args, **kwargs)

    monkeypatch.setattr(subprocess, "Popen", popen)

    def work() -> None:
        allowed.append(True)
        read_workbooks()
        allowed.clear()

    return work


def hand_in(client: Client, content: bytes, name: str = "in.xlsx") -> str:
    answer = client.post(reverse("new_import"), {"upload": SimpleUploadedFile(name, content)})
    return str(answer.headers["Location"])


def upload(client: Client, content: bytes, name: str = "in.xlsx", **sent: str) -> str:
    sent = {"folder": "/", **sent}
    return client.post(reverse("files"), {"uploads": SimpleUploadedFile(name, content), **sent}, follow=True).text


def test_an_uploaded_workbook_is_being_read_and_then_has_its_type(
    full_client: Client, web_server: Callable[[], None]
) -> None:
    text = upload(full_client, book(a=USERS))
    assert "is being read" in text
    assert 'hx-trigger="every 2s"' in text
    assert "nobody reads" not in text
    web_server()
    assert CommandFile.objects.get().processor == "users"
    rows = full_client.get(reverse("files"), headers={"HX-Request": "true"}).text
    assert "<html" not in rows
    assert "is being read" not in rows
    assert "hx-trigger" not in rows
    assert "The workbooks have been read." in rows


def test_without_a_worker_the_pages_say_so(full_client: Client) -> None:
    HealthRecord.objects.all().delete()
    assert "nobody reads the workbooks now. No worker takes any work" in upload(full_client, book(a=USERS))
    text = full_client.get(hand_in(full_client, book(a=USERS))).text
    assert "nobody reads it now. No worker takes any work" in text
    assert 'hx-trigger="every 1s"' in text
    assert "Make the plan" not in text


def test_an_import_follows_its_workbook(full_client: Client, web_server: Callable[[], None]) -> None:
    address = hand_in(full_client, book(a=[*USERS, ("bob", "Bob", "Kay", "no address")]))
    text = full_client.get(address).text
    assert "A worker reads it as soon as one is free" in text
    web_server()
    text = full_client.post(address, headers={"HX-Request": "true"}).text
    assert "2 rows were checked: 1 with faults." in text
    assert "Make the plan" in text
    # It is the person who says of what type an upload is.
    assert CommandFile.objects.get().processor == ""


def test_a_page_that_asks_again_is_answered_only_when_there_is_something_new(
    full_client: Client, web_server: Callable[[], None]
) -> None:
    """Else a screen reader would read the same sentence out each second."""
    import_page = hand_in(full_client, book(a=USERS))
    file = CommandFile.objects.get()
    preview = reverse("tool_preview", args=["users"]) + f"?command_file={file.pk}"

    def ask(said: str) -> list[int]:
        headers = {"HX-Request": "true", "HX-Trigger": said}
        answers = (full_client.post(import_page, headers=headers), full_client.get(preview, headers=headers))
        return [answer.status_code for answer in answers]

    assert ask("being-read") == [204, 204]
    HealthRecord.objects.all().delete()
    assert ask("being-read") == [200, 200]
    assert ask("nobody-reads") == [204, 204]
    web_server()
    assert ask("nobody-reads") == [200, 200]


def test_a_plan_is_not_made_of_what_nobody_has_seen(full_client: Client) -> None:
    address = hand_in(full_client, book(a=USERS))
    answer = full_client.post(address, {"do": "plan", "file_type": "users", "shown_type": "users"})
    assert "The workbook is being read." in answer.text
    assert not CommandFile.objects.get().runs.exists()


def test_the_sheet_that_a_file_type_means_is_read_when_it_is_chosen(
    client_with: Callable[..., Client], web_server: Callable[[], None]
) -> None:
    client = client_with("run_users", "run_cohorts")
    address = hand_in(client, book(notes=[("just", "words")], people=USERS, groups=COHORTS))
    assert "is being read" in client.get(address).text
    web_server()
    for key, sheet in (("users", "people"), ("cohorts", "groups")):
        asked = {"file_type": key}
        while "is being read" in client.post(address, asked).text:
            web_server()
        assert f"Workbook, sheet “{sheet}”" in client.post(address, asked).text
    assert set(WorkbookReading.objects.values_list("place", "state")) == {(0, "read"), (1, "read"), (2, "read")}


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PK\x03\x04 cut off", "The workbook is damaged or incomplete."), (book(a=[]), "The file is empty")],
)
def test_why_a_workbook_can_not_be_read_is_said_where_it_is_looked_at(
    full_client: Client, web_server: Callable[[], None], content: bytes, said: str
) -> None:
    upload(full_client, content)
    address = hand_in(full_client, content)
    web_server()
    assert said in full_client.get(reverse("files")).text
    text = full_client.get(address).text
    assert said in text
    assert "Make the plan" not in text


def test_after_ten_minutes_nobody_waits_any_more_and_it_can_be_asked_for_again(
    full_client: Client, web_server: Callable[[], None]
) -> None:
    upload(full_client, book(a=USERS))
    address = hand_in(full_client, book(a=USERS))
    WorkbookReading.objects.update(asked_at=F("asked_at") - readings.WAITING_LIMIT - timedelta(seconds=1))
    text = full_client.get(reverse("files")).text
    assert "Nobody has read the workbook within 10 minutes" in text
    assert "hx-trigger" not in text
    text = full_client.get(address).text
    assert "Nobody has read the workbook within 10 minutes" in text
    assert "every 1s" not in text
    assert "is being read" in full_client.post(address, {"do": "look"}).text
    web_server()
    assert "1 row was checked, without faults." in full_client.get(address).text


def test_a_workbook_that_is_replaced_is_read_again(full_client: Client, web_server: Callable[[], None]) -> None:
    upload(full_client, book(a=USERS))
    web_server()
    upload(full_client, book(a=COHORTS), replace="on")
    file = CommandFile.objects.get()
    assert file.processor == ""
    web_server()
    file.refresh_from_db()
    assert file.processor == "cohorts"


def kept_files(site: MoodleSite, file_id: int) -> list[str]:
    return storage.names_in(f"{site.slug}/readings/{file_id}")[1]


def test_what_was_read_goes_with_its_file_and_after_a_day(
    full_client: Client, site: MoodleSite, make_file: MakeFile, web_server: Callable[[], None]
) -> None:
    upload(full_client, book(a=USERS))
    hand_in(full_client, book(a=USERS))
    web_server()
    first, second = CommandFile.objects.order_by("pk")
    assert (len(kept_files(site, first.pk)), len(kept_files(site, second.pk))) == (1, 1)
    full_client.post(reverse("file_delete", args=[first.pk]))
    assert kept_files(site, first.pk) == []
    readings.forget_readings()
    assert WorkbookReading.objects.count() == 1
    WorkbookReading.objects.update(asked_at=timezone.now() - timedelta(days=1, seconds=1))
    readings.forget_readings()
    assert kept_files(site, second.pk) == []
    assert "is being read" in full_client.get(reverse("import_file", args=[second.pk])).text


def test_of_a_long_sheet_the_beginning_is_kept(
    full_client: Client, site: MoodleSite, web_server: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "KEPT_BYTES", 2_000)
    address = hand_in(full_client, book(a=[USERS[0], *((f"u{n}", "A", "B", f"u{n}@x.org") for n in range(500))]))
    web_server()
    text = full_client.get(address).text
    assert "There are more; the plan checks them all." in text
    key = f"{site.slug}/readings/{CommandFile.objects.get().pk}"
    assert storage.size_of(f"{key}/{storage.names_in(key)[1][0]}") < 3_000


def test_workers_that_die_of_a_workbook_are_not_asked_for_ever(
    full_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(readings, "send_task", lambda _name, reading_id, **_more: sent.append(reading_id))
    address = hand_in(full_client, book(a=USERS))
    waiting = WorkbookReading.objects.all()
    waiting.update(asked_at=timezone.now() - timedelta(minutes=1))
    readings.follow_readings()
    assert sent == [waiting.get().pk]
    # One that is at work on it is left alone; when it has died the next is asked, three times.
    waiting.update(begun_at=timezone.now(), attempts=1)
    readings.follow_readings()
    assert len(sent) == 1
    waiting.update(begun_at=timezone.now() - timedelta(minutes=10), attempts=2)
    readings.follow_readings()
    assert len(sent) == 2
    waiting.update(attempts=3)
    readings.follow_readings()
    assert len(sent) == 2
    assert "have ended over it" in full_client.get(address).text


def test_a_task_that_is_delivered_twice_reads_once(full_client: Client, web_server: Callable[[], None]) -> None:
    hand_in(full_client, book(a=USERS))
    web_server()
    reading = WorkbookReading.objects.get()
    # The program would not be allowed to start.
    services.read_workbook(reading.pk)
    services.read_workbook(4711)
    assert WorkbookReading.objects.get().attempts == 1


def test_other_files_are_told_at_once(full_client: Client, make_file: MakeFile) -> None:
    upload(full_client, USERS_CSV, "in.csv")
    upload(full_client, b"PK\x05\x06" + b"\0" * 18, "course.mbz")
    assert set(CommandFile.objects.values_list("name", "processor")) == {("in.csv", "users"), ("course.mbz", "")}
    assert not WorkbookReading.objects.exists()
