from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sync.models import CommandFile, MoodleSite, ProcessorSettings, SyncRun
from sync.processors.registry import REGISTRY
from sync.runs.source_settings import SourceChoice, save_source
from tests.web.conftest import USERS_CSV, MakeFile, read_workbooks

USERS = "/tools/users/"
OPTIONS = {
    "option_primaryidentity": "username",
    "option_courseidentifier": "shortname",
    "option_absent": "keep",
    "option_absentscope": "none",
}


def send(client: Client, **values: Any) -> Any:
    return client.post(USERS, {"do": "simulate", **OPTIONS, **values})


def test_simulate_queues_a_simulation_and_leads_to_its_page(users_client: Client, make_file: MakeFile) -> None:
    answer = send(users_client, command_file=make_file().pk)
    run = SyncRun.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.pk])
    assert (run.simulate, run.state, run.file_path) == (True, "queued", "/userimport.csv")
    assert run.requested_by is not None


def test_run_now_queues_a_real_run_with_the_options_as_set(users_client: Client, make_file: MakeFile) -> None:
    send(users_client, command_file=make_file().pk, do="run", option_allowrename="on", option_separator=";")
    run = SyncRun.objects.get()
    assert not run.simulate
    assert (run.options["primaryidentity"], run.options["allowrename"], run.options["separator"]) == (
        "username",
        True,
        ";",
    )
    # An unticked box is "no", also where the default is "yes".
    assert run.options["protectemails"] is False


def test_upload_and_run_keeps_the_file_and_uses_it(users_client: Client) -> None:
    send(users_client, upload=SimpleUploadedFile("new.csv", USERS_CSV))
    assert SyncRun.objects.get().command_file == CommandFile.objects.get(name="new.csv")


def test_a_form_without_a_file_says_so_beside_the_field(users_client: Client) -> None:
    answer = send(users_client)
    assert "Choose a file, or hand one in." in answer.text
    assert not SyncRun.objects.exists()


def test_what_the_service_refuses_is_said_beside_the_field(users_client: Client) -> None:
    answer = send(users_client, upload=SimpleUploadedFile("bad|name.csv", USERS_CSV))
    assert answer.context["form"].errors["upload"]
    assert not SyncRun.objects.exists()


def test_a_choice_that_isnt_offered_is_refused_beside_its_field(users_client: Client, make_file: MakeFile) -> None:
    answer = send(users_client, command_file=make_file().pk, option_primaryidentity="shoe size")
    assert answer.context["form"].errors["option_primaryidentity"]
    assert not SyncRun.objects.exists()


def test_options_are_remembered_only_when_asked(users_client: Client, make_file: MakeFile) -> None:
    file = make_file()
    send(users_client, command_file=file.pk, option_storereport="on")
    assert not ProcessorSettings.objects.exists()
    send(users_client, command_file=file.pk, option_storereport="on", remember="on")
    form = users_client.get(USERS).context["form"]
    assert form["option_storereport"].value() is True
    assert form["option_primaryidentity"].value() == "username"


def test_the_file_with_the_default_name_is_preselected(users_client: Client, make_file: MakeFile) -> None:
    make_file("other.csv", by=users_client)
    file = make_file("userimport.csv", by=users_client)
    assert users_client.get(USERS).context["form"]["command_file"].value() == file.pk


def test_the_configured_file_goes_before_the_default_name(
    users_client: Client, make_file: MakeFile, site: MoodleSite
) -> None:
    make_file("userimport.csv", by=users_client)
    file = make_file("mine.csv", folder="/in/", by=users_client)
    save_source(site, "users", SourceChoice(location="/in/mine.csv"))
    assert users_client.get(USERS).context["form"]["command_file"].value() == file.pk


def test_the_file_that_the_address_names_is_preselected(users_client: Client, make_file: MakeFile) -> None:
    make_file("userimport.csv")
    file = make_file("other.csv")
    assert users_client.get(USERS, {"file": file.pk}).context["form"]["command_file"].value() == file.pk


def test_fitting_files_come_first(full_client: Client, make_file: MakeFile) -> None:
    make_file("zz.csv")
    make_file("aa.txt", b"hello;there\n", by=full_client)
    text = full_client.get(USERS).text
    assert text.index("zz.csv") < text.index("aa.txt")


def test_without_the_permission_for_files_others_files_stay_hidden(users_client: Client, make_file: MakeFile) -> None:
    secret = make_file("secret.txt", b"hello;there\n")
    assert "secret.txt" not in users_client.get(USERS).text
    assert send(users_client, command_file=secret.pk).context["form"].errors["command_file"]
    preview = reverse("tool_preview", args=["users"])
    assert users_client.get(preview, {"command_file": secret.pk}).status_code == 404


def test_an_upload_replaces_no_file_neither_anothers_nor_ones_own(users_client: Client, make_file: MakeFile) -> None:
    kept = [make_file("in.csv"), make_file("mine.csv", by=users_client)]
    for name in ("in.csv", "mine.csv", "mine.csv"):
        send(users_client, upload=SimpleUploadedFile(name, USERS_CSV + b"cid;Cid;Poe;x\n"))
    assert SyncRun.objects.filter(command_file__in=kept).count() == 0
    assert len(set(SyncRun.objects.values_list("command_file", "file_path"))) == 3
    assert [CommandFile.objects.get(pk=file.pk).size for file in kept] == [len(USERS_CSV)] * 2


@pytest.mark.parametrize("wrong", [{"option_separator": "no such one"}, {"option_primaryidentity": "shoe size"}])
def test_an_upload_whose_form_is_refused_is_gone(wrong: dict[str, str], users_client: Client, tmp_path: Path) -> None:
    answer = send(users_client, upload=SimpleUploadedFile("userimport.csv", USERS_CSV), **wrong)
    assert "The file was not kept." in answer.text
    assert not CommandFile.objects.exists()
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


@pytest.mark.parametrize("key", REGISTRY)
def test_every_file_type_has_a_page_with_its_columns_and_options(key: str, client_with: Callable[..., Client]) -> None:
    client = client_with(f"run_{key}")
    text = client.get(reverse("tool", args=[key])).text
    for option in REGISTRY[key].options.declared:
        assert f'name="option_{option.name}"' in text
    for column in REGISTRY[key].columns:
        assert column.ignored or column.shown_name in text
    sample = client.get(reverse("tool_sample", args=[key]))
    template = client.get(reverse("tool_template", args=[key]))
    assert sample.headers["Content-Disposition"] == f'attachment; filename="{key}_sample.csv"'
    assert sample.content.startswith(template.content.rstrip(b"\r\n"))


def preview(client: Client, file: CommandFile, **options: Any) -> str:
    named: dict[str, str] = {f"option_{name}": value for name, value in options.items()}
    return client.get(reverse("tool_preview", args=["users"]), {"command_file": str(file.pk), **named}).text


def test_the_preview_shows_dialect_header_and_rows_but_no_password(users_client: Client, make_file: MakeFile) -> None:
    text = preview(users_client, make_file())
    for shown in ("UTF-8", "Separator: ;", "firstname", "ann", "bob"):
        assert shown in text
    assert "Secret-1" not in text


def test_the_preview_says_why_a_file_would_be_refused(full_client: Client, make_file: MakeFile) -> None:
    file = make_file("in.csv", b"username;firstname;lastname;gender\na;b;c;d\n", by=full_client)
    text = preview(full_client, file)
    assert "This file can't be used." in text
    assert "Line 1: these columns are not known here: gender." in text


def test_the_preview_follows_the_options(full_client: Client, make_file: MakeFile) -> None:
    file = make_file("in.csv", b"username;firstname;lastname;gender\nann;Ann;Lee;f\n", by=full_client)
    assert "This file can't be used." in preview(full_client, file)
    assert "Ann" in preview(full_client, file, invalidnamesnocheck="on")
    assert "This file can't be used." in preview(full_client, file, invalidnamesnocheck="on", separator="tab")


def test_the_preview_reads_only_the_beginning_even_of_quoted_cells(full_client: Client, make_file: MakeFile) -> None:
    long_cell = b'"' + b"one line\n" * 10_000 + b'"'
    file = make_file("in.csv", b"username;firstname;lastname\nann;Ann;Lee\n" + b"bob;Bob;" + long_cell + b"\n")
    text = preview(full_client, file)
    assert "This file can't be used." not in text
    assert "firstname" in text


def test_the_preview_shows_workbooks(full_client: Client, make_file: MakeFile) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (("username", "firstname", "lastname"), ("ann", "Ann", "Lee")):
        sheet.append(row)
    book.save(out)
    file = make_file("in.xlsx", out.getvalue())
    assert "nobody reads it now" in preview(full_client, file)
    assert read_workbooks() == 1
    text = preview(full_client, file)
    assert "Workbook" in text
    assert "Lee" in text


def test_the_preview_escapes_what_is_in_the_file(users_client: Client, make_file: MakeFile) -> None:
    text = preview(users_client, make_file(content=b"username;firstname;lastname\n<script>;Ann;Lee\n"))
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_the_preview_reads_the_beginning_of_utf_16(full_client: Client, make_file: MakeFile) -> None:
    rows = "".join(f"u{number};Zoé;Lee\n" for number in range(20_000))
    text = preview(full_client, make_file("in.csv", ("username;firstname;lastname\n" + rows).encode("utf-16")))
    assert "UTF-16LE" in text
    assert "Zoé" in text


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "²", "\N{ARABIC-INDIC DIGIT THREE}" * 5000], ids=range(4))
def test_a_number_in_an_address_may_be_anything(number: str, users_client: Client) -> None:
    assert users_client.get(reverse("tool_preview", args=["users"]), {"command_file": number}).content == b""
    assert users_client.get(reverse("tool", args=["users"]), {"file": number}).status_code == 200


@pytest.mark.parametrize(
    ("chosen", "field", "said"),
    [
        ({"option_absent": "suspend"}, "option_absentscope", "to be complete for a scope, and none is chosen"),
        (
            {"option_absent": "delete", "option_absentscope": "auth"},
            "option_absentname",
            "Set absentscope and absentname",
        ),
    ],
)
def test_a_file_that_is_complete_for_nothing_is_refused_beside_the_option(
    users_client: Client, chosen: dict[str, str], field: str, said: str
) -> None:
    answer = send(users_client, upload=SimpleUploadedFile("new.csv", USERS_CSV), remember="on", **chosen)

    assert said in answer.context["form"].errors[field][0]
    assert not SyncRun.objects.exists()
    assert not CommandFile.objects.exists()
    assert not ProcessorSettings.objects.exists()
