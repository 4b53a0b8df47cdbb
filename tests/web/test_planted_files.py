"""Somebody who may run `courses_check`, the type that only reads, tries to have a file of another type run at night."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.commandfiles.intake import quarantine_file
from sync.models import ArmedFile, CommandFile, MoodleSite, Schedule, Source, SyncRun
from sync.processors.registry import REGISTRY
from sync.runs.course_files import CourseFile, keep_course_file
from sync.runs.services import receive_path
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.fetch_files import fetch_files
from tests.web.conftest import USERS_CSV, MakeFile, person_of

ClientWith = Callable[..., Client]


@pytest.fixture(autouse=True)
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def attacker(client_with: ClientWith) -> Client:
    return client_with("run_courses_check", "manage_files", "manage_sources", "manage_schedules")


@pytest.fixture
def clerk(client_with: ClientWith) -> Client:
    return client_with("run_users", "manage_files")


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("ann.png", b"x")
    return out.getvalue()


def taken(site: MoodleSite) -> dict[str, list[str]]:
    """Return what schedules would take now, of every file type."""
    found = {key: [file.path for file in fetch_files(site, key)] for key in REGISTRY}
    return {key: paths for key, paths in found.items() if paths}


def notes(processor: str) -> list[str]:
    return [code for code, _params in Source.objects.get(processor=processor).notes]


def arm(client: Client, file: CommandFile, processor: str = "users", do: str = "arm", sha256: str = "") -> int:
    sent = {"processor": processor, "do": do, "sha256": sha256 or file.sha256}
    return client.post(reverse("file_arm", args=[file.pk]), sent).status_code


NAMES = [
    *(processor.default_filename for processor in REGISTRY.values()),
    "USERIMPORT.CSV", "userimport.csv ", "Userimport.csv", "userimport.csv.zip", "userpictures_x.zip", "userpictures_.ZIP",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_name_makes_a_schedule_take_an_upload(name: str, attacker: Client, site: MoodleSite) -> None:
    content = zipped() if name.lower().endswith(".zip") else USERS_CSV
    right = {"option_courseidentifier": "shortname"}
    for options in (right, right | {"option_separator": "wrong"}, {"option_courseidentifier": "wrong"}):
        upload = SimpleUploadedFile(name, content)
        attacker.post("/tools/courses_check/", {"do": "simulate", "upload": upload, **options})
    attacker.post(reverse("files"), {"uploads": SimpleUploadedFile(name, content), "folder": "/", "replace": "on"})
    attacker.post(reverse("files"), {"uploads": SimpleUploadedFile(name, content), "folder": "in"})
    assert CommandFile.objects.filter(folder="/").exists()
    assert taken(site) == {}


@pytest.mark.parametrize(
    "folder",
    ["/fetched/users/", "fetched\\users", "//Fetched//users", "/uploads/x/", "/UPLOADS", "/shell/", "/Reports/"],
)
def test_nothing_is_handed_in_where_only_toolsync_puts_files(folder: str, attacker: Client) -> None:
    upload = SimpleUploadedFile("userimport.csv", USERS_CSV)
    answer = attacker.post(reverse("files"), {"uploads": upload, "folder": folder}, follow=True)
    assert "Choose another one." in answer.text
    assert not CommandFile.objects.exists()


def test_an_upload_belongs_to_its_run_under_the_rights_of_its_type(
    attacker: Client, clerk: Client, site: MoodleSite
) -> None:
    upload = SimpleUploadedFile("userimport.csv", USERS_CSV)
    attacker.post("/tools/courses_check/", {"do": "run", "upload": upload, "option_courseidentifier": "shortname"})
    run = SyncRun.objects.get()
    file = CommandFile.objects.get()
    assert (run.processor, run.command_file, run.owner, file.processor) == (
        "courses_check", file, person_of(attacker), "courses_check",
    )  # fmt: skip
    assert file.folder.startswith("/uploads/")
    assert clerk.get(reverse("file_download", args=[file.pk])).status_code == 404
    assert arm(clerk, file) == 404


def test_only_who_may_run_the_type_arms_a_file_and_the_pages_say_so(
    attacker: Client, clerk: Client, site: MoodleSite
) -> None:
    attacker.post(reverse("files"), {"uploads": SimpleUploadedFile("userimport.csv", USERS_CSV), "folder": "/"})
    file = CommandFile.objects.get()
    page = reverse("file_arm", args=[file.pk])
    assert attacker.get(page).status_code == 404
    assert [arm(attacker, file, key) for key in ("users", "courses_check", "")] == [404] * 3
    assert taken(site) == {}
    assert notes("users") == ["file_not_armed"]
    assert "No schedule takes it yet." in clerk.get("/tools/users/").text

    assert "Let schedules take it" in clerk.get(page).text
    # Neither other types, nor other bytes than those that were looked at.
    assert arm(clerk, file, "courses_check") == 404
    arm(clerk, file, sha256="0" * 64)
    assert not ArmedFile.objects.exists()
    arm(clerk, file)
    assert taken(site) == {"users": ["/userimport.csv"]}
    name = person_of(clerk).get_username()
    assert f"armed by {name}" in clerk.get("/tools/users/").text
    assert f"armed by {name}" in attacker.get(reverse("files")).text
    arm(clerk, file, do="disarm")
    assert taken(site) == {}


def test_the_page_says_which_schedule_takes_it_and_when(
    clerk: Client, client_with: ClientWith, make_file: MakeFile
) -> None:
    planner = client_with("manage_schedules", "run_users")
    entered = {"processors": ["users"], "kind": "daily", "at": "02:15", "unit": "hours", "every": "6", "enabled": "on"}
    planner.post(reverse("schedule_new"), entered | {"name": "Nightly people"})
    planner.post(reverse("schedule_on", args=[Schedule.objects.get(name="Nightly people").pk]))
    file = make_file(by=clerk)
    arm(clerk, file)
    for page in (reverse("files"), "/tools/users/", reverse("file_arm", args=[file.pk])):
        text = clerk.get(page).text
        assert "Next start of “Nightly people”" in text
        assert ", 02:15" in text


def test_other_bytes_in_the_place_of_an_armed_file_are_not_armed(
    attacker: Client, clerk: Client, site: MoodleSite, make_file: MakeFile
) -> None:
    arm(clerk, make_file(by=clerk))
    assert taken(site) == {"users": ["/userimport.csv"]}
    results = SimpleUploadedFile("userimport.csv", USERS_CSV + b"eve;Eve;Fox;x\n")
    answer = attacker.post(reverse("files"), {"uploads": results, "folder": "/"}, follow=True)
    assert "There is already a file" in answer.text
    assert taken(site) == {"users": ["/userimport.csv"]}
    results.seek(0)
    attacker.post(reverse("files"), {"uploads": results, "folder": "/", "replace": "on"})
    assert CommandFile.objects.get().uploaded_by == person_of(attacker)
    assert taken(site) == {}
    # Deleted and handed in anew, it is another file.
    attacker.post(reverse("file_delete", args=[CommandFile.objects.get().pk]))
    attacker.post(reverse("files"), {"uploads": SimpleUploadedFile("userimport.csv", USERS_CSV), "folder": "/"})
    assert taken(site) == {}


def test_what_somebody_planted_is_not_chosen_for_others(attacker: Client, clerk: Client, make_file: MakeFile) -> None:
    file = make_file(by=attacker)
    assert clerk.get("/tools/users/").context["form"]["command_file"].value() is None
    arm(clerk, file)
    assert clerk.get("/tools/users/").context["form"]["command_file"].value() == file.pk


def test_a_source_doesnt_lead_to_files_of_other_types(
    attacker: Client, clerk: Client, site: MoodleSite, make_file: MakeFile, drop: Path
) -> None:
    """Whoever sets the source of one type must not get at files of another by naming them."""
    arm(clerk, make_file(by=clerk))
    attacker.post(reverse("source", args=["courses_check"]), {"kind": "area", "paths": "userimport.csv, fresh.csv"})
    assert Source.objects.get().owner == person_of(attacker)
    assert taken(site) == {"users": ["/userimport.csv"]}
    (drop / "fresh.csv").write_bytes(USERS_CSV)
    assert taken(site) == {"users": ["/userimport.csv"]}
    assert "dropped_file_not_armed" in notes("users") + notes("courses_check")
    # Nor by a wildcard, to one whose header says nothing, but which the source of its type means.
    attacker.post(reverse("source", args=["courses_check"]), {"kind": "area", "paths": "*.csv"})
    (drop / "enrols.csv").write_bytes(b"Login;Passwort\nann;Secret-1\n")
    assert taken(site) == {"users": ["/userimport.csv"], "enrolments": ["/enrols.csv"]}


def test_the_drop_folder_is_the_operators(site: MoodleSite, drop: Path) -> None:
    for name in ("userimport.csv", "enrols.csv", "unmeant.csv", "userpictures_1.zip"):
        (drop / name).write_bytes(zipped() if name.endswith("zip") else USERS_CSV)
    assert taken(site) == {
        "users": ["/userimport.csv"], "enrolments": ["/enrols.csv"], "userpictures": ["/userpictures_1.zip"],
    }  # fmt: skip


@pytest.mark.parametrize("loss", ["manage_sources", "run_users", "account", "active"])
def test_the_owner_of_a_source_counts_for_what_it_brings(
    loss: str, client_with: ClientWith, site: MoodleSite, drop: Path
) -> None:
    client = client_with("manage_sources", "run_users")
    client.post(reverse("source", args=["users"]), {"kind": "area", "paths": "people.csv"})
    (drop / "people.csv").write_bytes(USERS_CSV)
    assert taken(site) == {"users": ["/people.csv"]}
    assert ArmedFile.objects.get().armed_by == person_of(client)
    lose(person_of(client), loss)
    (drop / "people.csv").write_bytes(USERS_CSV + b"eve;Eve;Fox;x\n")
    assert taken(site) == {}
    assert {"dropped_file_not_armed", "file_not_armed"} & set(notes("users"))


def test_uploads_of_pictures_for_a_run_are_nothing_that_schedules_look_for(
    client_with: ClientWith, site: MoodleSite
) -> None:
    """Pictures are looked for in every folder: else each upload would be told of as a file that nobody has armed."""
    client = client_with("run_userpictures")
    upload = SimpleUploadedFile("userpictures_1.zip", zipped())
    client.post("/tools/userpictures/", {"do": "simulate", "upload": upload, "option_userfield": "username"})
    file = CommandFile.objects.get()
    assert file.folder.startswith("/uploads/")
    assert taken(site) == {}
    assert notes("userpictures") == ["source_nothing"]
    assert arm(client, file, "userpictures") == 404


def test_files_that_are_made_here_arent_taken_either(
    attacker: Client, site: MoodleSite, make_file: MakeFile, tmp_path: Path
) -> None:
    user = person_of(attacker)
    keep_course_file(site, "courses_delete", CourseFile("deletecourses.csv", "shortname", b"C1\n", 1, []), user=user)
    (tmp_path / "userimport.csv").write_bytes(USERS_CSV)
    receive_path(site=site, path=tmp_path / "userimport.csv", folder="/shell/")
    assert quarantine_file(make_file("userimport.csv")).name == "userimport-tryback-failed.csv"
    save_source(site, "users", SourceChoice(location="*.csv, shell/userimport.csv, userimport-tryback-failed.csv"))
    assert taken(site) == {}


def lose(user: User, what: str) -> None:
    if what == "account":
        user.delete()
    elif what == "active":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        user.user_permissions.remove(Permission.objects.get(codename=what))
