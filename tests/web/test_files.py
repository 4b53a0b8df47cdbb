from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from sync.models import CommandFile, SyncRun
from tests.web.conftest import USERS_CSV, MakeFile, MakeRun, keep_run_file


def test_several_files_are_handed_in_at_once_into_a_new_folder(full_client: Client) -> None:
    uploads = [SimpleUploadedFile("a.csv", USERS_CSV), SimpleUploadedFile("b.csv", USERS_CSV)]
    answer = full_client.post(reverse("files"), {"uploads": uploads, "folder": "users/2026"}, follow=True)
    assert [file.path for file in CommandFile.objects.all()] == ["/users/2026/a.csv", "/users/2026/b.csv"]
    assert "2 files were handed in." in answer.text
    assert "a.csv" in answer.text


def test_a_bad_name_is_said_and_the_other_files_are_kept(full_client: Client) -> None:
    uploads = [SimpleUploadedFile("bad|name.csv", USERS_CSV), SimpleUploadedFile("b.csv", USERS_CSV)]
    answer = full_client.post(reverse("files"), {"uploads": uploads, "folder": "/"}, follow=True)
    assert [file.name for file in CommandFile.objects.all()] == ["b.csv"]
    assert "take out the character" in answer.text


def test_sending_the_form_without_a_file_says_so_beside_the_field(full_client: Client) -> None:
    answer = full_client.post(reverse("files"), {"folder": "/"})
    assert answer.status_code == 200
    assert "This field is required." in answer.text


def test_the_folders_below_are_shown_and_the_way_back(full_client: Client, make_file: MakeFile) -> None:
    make_file(folder="/users/2026/")
    assert "folder=%2Fusers%2F" in full_client.get(reverse("files")).text
    text = full_client.get(reverse("files"), {"folder": "/users/2026/"}).text
    assert "userimport.csv" in text
    assert "File area" in text


def test_a_file_is_downloaded_as_it_came_and_never_shown(full_client: Client, make_file: MakeFile) -> None:
    file = make_file("évil.html", b"<script>alert(1)</script>", by=full_client)
    answer = full_client.get(reverse("file_download", args=[file.pk]))
    assert answer.getvalue() == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "%C3%A9vil.html" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_name_is_escaped(full_client: Client, make_file: MakeFile) -> None:
    make_file("a&b'c.csv")
    text = full_client.get(reverse("files")).text
    assert "a&amp;b&#x27;c.csv" in text
    assert "a&b'c.csv" not in text


def test_deleting_asks_first_and_then_deletes(full_client: Client, make_file: MakeFile) -> None:
    url = reverse("file_delete", args=[make_file().pk])
    assert "/userimport.csv" in full_client.get(url).text
    assert CommandFile.objects.exists()
    full_client.post(url)
    assert not CommandFile.objects.exists()


def test_a_file_that_a_run_still_reads_stays(full_client: Client, make_file: MakeFile, make_run: MakeRun) -> None:
    file = make_file()
    run = make_run("queued", outcomes=())
    answer = full_client.post(reverse("file_delete", args=[file.pk]), follow=True)
    assert CommandFile.objects.exists()
    assert f"Run {run.pk} still has to read" in answer.text


def test_a_recognised_file_leads_to_its_tool(full_client: Client, make_file: MakeFile) -> None:
    file = make_file()
    assert f"{reverse('tool', args=['users'])}?file={file.pk}" in full_client.get(reverse("files")).text


def test_an_unknown_file_leads_to_the_choice_of_a_tool(full_client: Client, make_file: MakeFile) -> None:
    file = make_file("notes.txt", b"hello;there\n", by=full_client)
    use = reverse("file_use", args=[file.pk])
    assert use in full_client.get(reverse("files")).text
    assert f"{reverse('tool', args=['users'])}?file={file.pk}" in full_client.get(use).text


@pytest.mark.parametrize(("kind", "folder"), [("report", "/reports/"), ("archive", "/archives/")])
def test_standard_folders_list_what_runs_of_ones_tools_have_left(
    kind: str, folder: str, full_client: Client, make_run: MakeRun
) -> None:
    keep_run_file(make_run(), kind, path=f"{folder}mine.csv")
    keep_run_file(make_run(processor="users_delete"), kind, path=f"{folder}others.csv")
    text = full_client.get(reverse("files"), {"folder": folder}).text
    assert "mine.csv" in text
    assert "others.csv" not in text


def test_nobody_uploads_into_a_standard_folder(full_client: Client) -> None:
    upload = SimpleUploadedFile("a.csv", USERS_CSV)
    answer = full_client.post(reverse("files"), {"uploads": upload, "folder": "/reports/"}, follow=True)
    assert not CommandFile.objects.exists()
    assert "is filled by ToolSync only" in answer.text


def test_more_files_cost_no_more_queries(
    full_client: Client, make_file: MakeFile, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_file("one.csv")
    with CaptureQueriesContext(connection) as few:
        full_client.get(reverse("files"))
    for number in range(10):
        make_file(f"more{number}.csv")
    with django_assert_num_queries(len(few)):
        full_client.get(reverse("files"))


def test_a_file_says_in_which_runs_its_content_was(
    full_client: Client, files_client: Client, make_file: MakeFile, make_run: MakeRun
) -> None:
    file = make_file("students.csv", by=full_client)
    assert "none yet" in full_client.get(reverse("files")).text
    make_run()
    last = make_run(simulate=True)
    make_run(origin=SyncRun.Origin.PLAN, simulate=True)

    text = full_client.get(reverse("files")).text
    assert reverse("run", args=[last.pk]) in text
    assert "4 rows · 2 runs" in " ".join(text.split())
    assert "none yet" not in text
    assert reverse("run", args=[last.pk]) not in files_client.get(reverse("files")).text, "of a type that isn't theirs"
    make_file("students.csv", b"username\nann\n", by=full_client)
    assert "none yet" in full_client.get(reverse("files")).text
    assert file.name == "students.csv"


def test_a_file_that_would_be_replaced_is_shown_beside_the_one_that_was_sent(
    full_client: Client, make_file: MakeFile
) -> None:
    make_file("students.csv", b"username\nann\n", by=full_client)
    upload = SimpleUploadedFile("students.csv", b"username\nann\nbob\n")
    text = full_client.post(reverse("files"), {"uploads": upload, "folder": "/"}, follow=True).text.replace("\xa0", " ")
    assert "There is already a file /students.csv" in text
    assert "That one has 13 bytes (" in text
    assert "the one that was sent has 17 bytes." in text
    assert CommandFile.objects.get().size == 13


def test_files_are_searched_by_a_part_of_their_name(full_client: Client, make_file: MakeFile) -> None:
    for number in range(60):
        make_file(f"Users-{number:02}.csv", by=full_client)
    url = reverse("files")
    assert 'name="q"' in full_client.get(url).text

    text = full_client.get(url, {"q": "users-3"}).text
    assert "Users-39.csv" in text
    assert "Users-40.csv" not in text
    assert "Users-" not in full_client.get(url, {"q": "100%_"}).text
    assert "Search for a shorter part" in full_client.get(url, {"q": "students", "folder": "/reports/"}).text
    second = full_client.get(url, {"q": "users", "page": "2"}).text
    assert "Users-59.csv" in second
    assert "q=users" in second


def test_a_folder_of_one_page_has_no_search(full_client: Client, make_file: MakeFile) -> None:
    make_file(by=full_client)
    assert 'name="q"' not in full_client.get(reverse("files")).text
