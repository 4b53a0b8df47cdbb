"""New import: a file is handed in, recognised and planned."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sync.models import CommandFile, SyncRun
from tests.web.conftest import USERS_CSV, MakeFile

NEW = "/imports/new/"


def hand_in(client: Client, content: bytes = USERS_CSV, name: str = "people.csv") -> Any:
    return client.post(NEW, {"upload": SimpleUploadedFile(name, content)})


def form_of(page: Any, **changed: str) -> dict[str, str]:
    """Return what the form of a page would send."""
    fields = {field.html_name: field.value() for field in page.form}
    sent = {name: "on" if value is True else str(value) for name, value in fields.items() if value not in (False, None)}
    return {**sent, "file_type": page.key, "shown_type": page.key, **changed}


def page_of(answer: Any) -> Any:
    return answer.context["page"]


def test_a_file_is_kept_for_its_run_and_recognised(users_client: Client) -> None:
    answer = hand_in(users_client)
    file = CommandFile.objects.get()
    assert answer.headers["Location"] == reverse("import_file", args=[file.pk])
    assert (file.folder.startswith("/uploads/"), file.processor) == (True, "users")
    text = users_client.get(answer.headers["Location"]).text
    assert "99 % sure" in text
    assert "Secret-1" not in text


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4\n\0\0"])
def test_what_can_not_be_read_is_not_kept(users_client: Client, content: bytes) -> None:
    assert hand_in(users_client, content).context["form"].errors["upload"]
    assert not CommandFile.objects.exists()


def test_the_plan_is_a_simulation_with_the_options_of_the_page(users_client: Client) -> None:
    address = hand_in(users_client).headers["Location"]
    sent = form_of(page_of(users_client.get(address)), do="plan", option_allowrename="on")
    answer = users_client.post(address, sent)
    run = SyncRun.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.pk])
    assert (run.simulate, run.processor, run.options["allowrename"]) == (True, "users", True)


def test_another_type_has_options_of_its_own_which_are_seen_first(client_with: Any) -> None:
    client = client_with("run_users", "run_users_suspend")
    address = hand_in(client).headers["Location"]
    sent = form_of(page_of(client.get(address)), file_type="users_suspend", do="plan")
    page = page_of(client.post(address, sent))
    assert (page.key, SyncRun.objects.exists()) == ("users_suspend", False)
    assert client.post(address, form_of(page, do="plan")).status_code == 302
    assert (SyncRun.objects.get().processor, CommandFile.objects.get().processor) == ("users_suspend", "users_suspend")


def test_a_type_that_one_may_not_use_is_no_choice(users_client: Client) -> None:
    address = hand_in(users_client, b"username\nann\n").headers["Location"]
    page = users_client.post(address, {"file_type": "users_delete", "do": "plan"})
    assert (page.status_code, page.context["page"].key) == (200, "")
    assert not SyncRun.objects.exists()


def test_a_file_of_others_is_taken_for_its_own_type_only(client_with: Any, make_file: MakeFile) -> None:
    file = make_file()
    client = client_with("run_users", "run_users_suspend")
    page = client.get(reverse("import_file", args=[file.pk])).context["page"]
    assert [key for key, _label in page.type_form.fields["file_type"].choices] == ["", "users"]
    unknown = make_file("notes.txt", b"hello;there\n")
    assert client.get(reverse("import_file", args=[unknown.pk])).status_code == 404
