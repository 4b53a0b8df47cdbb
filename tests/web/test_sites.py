"""Pages of several sites: which one a page is about, the switcher, and the pages on which sites are set up."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.models import CommandFile, MoodleSite, RoleAssignment, SyncRun
from sync.notifications.compose import _page_of
from sync.people.rights import page_site
from sync.runs.services import queue_run
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import MakeRun

MENU = re.compile(r"sync-switcher.*?</details>", re.DOTALL)


@pytest.fixture
def school(site: MoodleSite) -> MoodleSite:
    return MoodleSite.objects.create(slug="school", name="School")


def switcher(client: Client, address: str) -> dict[str, str]:
    """Return the links of the switcher by name; {} where there is none."""
    found = MENU.search(client.get(address).text)
    return {name: href for href, name in re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', found[0])} if found else {}


def test_a_page_is_about_the_site_in_its_address(school: MoodleSite, make_run: MakeRun, admin_client: Client) -> None:
    of_main = make_run()
    of_school = queue_run(site=school, processor="users", command_file=None)
    text = admin_client.get("/sites/school/runs/").text
    assert f'href="/sites/school/runs/{of_school.pk}/"' in text
    assert f"/runs/{of_main.pk}/" not in text
    assert 'action="/sites/school/logout/"' in text
    assert 'href="/static/' in text
    # What is of one site isn't there on another.
    assert admin_client.get(f"/sites/school/runs/{of_main.pk}/").status_code == 404
    assert admin_client.get(f"/runs/{of_school.pk}/").status_code == 404
    assert admin_client.get(f"/sites/school/runs/{of_school.pk}/").status_code == 200
    assert reverse("runs") == "/runs/"
    assert page_site() == "main"


@pytest.mark.parametrize("address", ["/sites/main/runs/", "/sites/unknown/runs/", "/sites/school/sites/school/runs/"])
def test_no_other_address_is_one_of_a_site(address: str, school: MoodleSite, admin_client: Client) -> None:
    assert admin_client.get(address).status_code == 404
    assert reverse("runs") == "/runs/"


def test_what_is_sent_from_a_page_goes_to_its_site(school: MoodleSite, admin_client: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("userimport.csv", b"username;firstname;lastname\nann;Ann;Lee\n")
    answer = admin_client.post("/sites/school/imports/new/", {"upload": upload})
    assert answer.headers["Location"].startswith("/sites/school/imports/")
    assert CommandFile.objects.get().site == school


def test_the_switcher_is_there_with_more_than_one_site(
    site: MoodleSite, make_run: MakeRun, admin_client: Client
) -> None:
    run = make_run()
    assert switcher(admin_client, "/runs/") == {}
    MoodleSite.objects.create(slug="school", name="School")
    MoodleSite.objects.create(slug="old", name="Old", in_use=False)
    assert switcher(admin_client, "/runs/") == {"Moodle": "/runs/", "School": "/sites/school/runs/"}
    # The page of the same kind; of what is of one site the section.
    assert switcher(admin_client, "/tools/users/")["School"] == "/sites/school/tools/users/"
    assert switcher(admin_client, f"/runs/{run.pk}/")["School"] == "/sites/school/runs/"
    assert switcher(admin_client, "/sites/school/settings/limits/users/")["Moodle"] == "/settings/limits/users/"


def test_each_sees_the_sites_on_which_they_have_a_role(school: MoodleSite) -> None:
    MoodleSite.objects.create(slug="other", name="Other")
    bob, client = User.objects.create_user("bob"), Client()
    client.force_login(bob)
    RoleAssignment.objects.create(person=bob, site=school, role="viewer")
    # Who has nothing to do on `main` begins where they have.
    assert client.get("/").headers["Location"] == "/sites/school/"
    assert client.get("/sites/school/runs/").status_code == 200
    assert client.get("/sites/other/").status_code in (302, 403)
    assert client.get("/sites/school/files/").status_code == 403
    RoleAssignment.objects.create(person=bob, site=MoodleSite.objects.get(slug="main"), role="operator")
    # A page that one may not open there is no way there.
    assert switcher(client, "/files/") == {"Moodle": "/files/", "School": "/sites/school/"}
    assert client.get("/files/").status_code == 200


def test_a_site_out_of_use_can_be_read_only(school: MoodleSite, admin_client: Client) -> None:
    MoodleSite.objects.filter(pk=school.pk).update(in_use=False)
    assert admin_client.get("/sites/school/runs/").status_code == 200
    assert admin_client.post("/sites/school/imports/new/").status_code == 403
    assert admin_client.post("/sites/school/logout/").status_code == 302


def test_a_mail_leads_to_the_page_of_the_right_site(school: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org"
    run = queue_run(site=school, processor="users", command_file=None)
    assert _page_of(run) == f"https://sync.example.org/sites/school/runs/{run.pk}/"
    of_main = SyncRun(pk=7, site=MoodleSite.objects.get(slug="main"))
    assert _page_of(of_main) == "https://sync.example.org/runs/7/"


@pytest.fixture
def database(sqlite_site: Moodle, tmp_path: Path, settings: Settings) -> Path:
    settings.TOOLSYNC_SITE_FOLDERS = [str(tmp_path)]
    path = tmp_path / "school.sqlite3"
    shutil.copy(str(sa.make_url(sqlite_site.url).database), path)
    return path


def form_for(path: Path, **more: str) -> dict[str, str]:
    return {
        "name": "School", "slug": "school", "kind": "sqlite", "database": str(path), "table_prefix": "mdl_", "operator": "admin",
        "password": "S3cret-pw", "peppers": "Pepper-1", **more,
    }  # fmt: skip


def test_a_site_is_set_up_on_its_page(site: MoodleSite, database: Path, admin_client: Client) -> None:
    page = reverse("site_new")
    wrong = admin_client.post(page, form_for(database, table_prefix="x_"))
    assert wrong.status_code == 200
    assert "nothing was saved" in wrong.text
    assert "“mdl_”" in wrong.text
    assert not MoodleSite.objects.filter(slug="school").exists()

    answer = admin_client.post(page, form_for(database))
    assert answer.headers["Location"] == reverse("site", args=["school"])
    shown = admin_client.get(answer.headers["Location"]).text
    assert str(database) in shown
    assert "mdl_" in shown
    for text in (wrong.text, shown):
        assert "S3cret-pw" not in text
        assert "Pepper-1" not in text
    assert "School" in admin_client.get(reverse("sites")).text
    # Its own pages work, with its own Moodle.
    assert "Connected" in admin_client.get("/sites/school/moodle/state/").text


def test_a_page_says_why_a_server_may_not_be_chosen(site: MoodleSite, admin_client: Client) -> None:
    form = form_for(Path("/x"), kind="mariadb", database="moodle", host="10.0.0.7", username="feed")
    text = admin_client.post(reverse("site_new"), form).text
    assert "TOOLSYNC_SITE_HOSTS" in text
    assert "S3cret-pw" not in text
    # A file is offered only where the operator has named a folder.
    assert 'value="sqlite"' not in text


def test_a_site_is_checked_changed_and_taken_out_of_use(site: MoodleSite, database: Path, admin_client: Client) -> None:
    admin_client.post(reverse("site_new"), form_for(database))
    page = reverse("site", args=["school"])
    checked = admin_client.post(reverse("site_check", args=["school"]), headers={"HX-Request": "true"}).text
    assert "Moodle" in checked
    assert "<html" not in checked
    admin_client.post(page, form_for(database, name="Our school", slug="ignored"))
    school = MoodleSite.objects.get(slug="school")
    assert school.name == "Our school"
    queue_run(site=school, processor="users", command_file=None)
    said = admin_client.post(reverse("site_switch", args=["school"]), {"in_use": "0"}, follow=True).text
    assert "is out of use; 1 run that waited was cancelled" in said
    admin_client.post(reverse("site_switch", args=["school"]), {"in_use": "1"})
    school.refresh_from_db()
    assert school.in_use
    said = admin_client.post(reverse("site_switch", args=["main"]), {"in_use": "0"}, follow=True).text
    assert "stays in use" in said
    admin_client.post(reverse("site", args=["main"]), {"name": "Campus"})
    assert MoodleSite.objects.get(slug="main").name == "Campus"


def test_who_manages_sites_need_not_be_a_superuser(client_with: Callable[..., Client], school: MoodleSite) -> None:
    client = client_with("manage_sites")
    assert client.get(reverse("sites")).status_code == 200
    assert client.get(reverse("settings")).text.count(reverse("sites"))
    # An administrator of one site manages that one alone.
    ann, other = User.objects.create_user("ann"), Client()
    other.force_login(ann)
    RoleAssignment.objects.create(person=ann, site=MoodleSite.objects.get(slug="main"), role="administrator")
    assert other.get(reverse("sites")).status_code == 403
    assert other.get(reverse("site", args=["school"])).status_code == 403
