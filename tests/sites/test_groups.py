"""One file for several sites."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.errors import CommandFileError, SiteRefused
from sync.models import CommandFile, MoodleSite, RoleAssignment, SyncRun
from sync.runs.services import queue_run, receive_for_run
from sync.sites.groups import other_sites, plan_on_sites, runs_of_group
from tests.web.import_form_reader import sent_by

MAPPING: dict[str, list[str]] = {"columns": []}


@pytest.fixture(autouse=True)
def own_storage(settings: Settings, tmp_path: Path) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": files}


@pytest.fixture
def plan(db: None) -> SyncRun:
    """A simulation on `main`, beside two further sites and one that is out of use."""
    main = MoodleSite.objects.get(slug="main")
    for slug in ("a", "b"):
        MoodleSite.objects.create(slug=slug, name=slug.upper())
    MoodleSite.objects.create(slug="old", name="Old", in_use=False)
    file = receive_for_run(main, io.BytesIO(b"username;firstname;lastname\nann;Ann;Lee\n"), "in.csv", "users", None)
    return queue_run(
        site=main,
        processor="users",
        command_file=file,
        simulate=True,
        options={"createpasswords": "1"},
        mapping=MAPPING,
    )


def someone(*slugs: str) -> User:
    person = User.objects.create_user("ann")
    for slug in slugs:
        RoleAssignment.objects.create(person=person, site=MoodleSite.objects.get(slug=slug), role="operator")
    return person


def test_each_site_gets_a_plan_of_its_own_with_the_same_file_mapping_and_options(plan: SyncRun) -> None:
    person = someone("main", "a", "b")
    assert [site.slug for site in other_sites(plan, person)] == ["a", "b"]
    made = plan_on_sites(plan, other_sites(plan, person), user=person)
    plan.refresh_from_db()
    assert [run.site.slug for run in runs_of_group(plan, person)] == ["a", "b", "main"]
    for run in made:
        assert (run.simulate, run.mapping, run.options) == (True, MAPPING, plan.options)
        assert run.command_file is not None
        assert (run.command_file.site, run.command_file.sha256) == (run.site, plan.file_sha256)
    # None twice.
    assert other_sites(plan, person) == []


def test_only_where_one_may(plan: SyncRun) -> None:
    person = someone("main", "a")
    assert [site.slug for site in other_sites(plan, person)] == ["a"]
    with pytest.raises(SiteRefused):
        plan_on_sites(plan, list(MoodleSite.objects.filter(slug__in=("a", "b"))), user=person)
    assert CommandFile.objects.count() == 1
    assert SyncRun.objects.count() == 1


def test_nothing_is_kept_of_a_file_that_is_another_one_by_now(plan: SyncRun) -> None:
    person = someone("main", "a", "b")
    SyncRun.objects.filter(pk=plan.pk).update(file_sha256="0" * 64)
    plan.refresh_from_db()
    with pytest.raises(CommandFileError):
        plan_on_sites(plan, other_sites(plan, person), user=person)
    assert CommandFile.objects.count() == 1
    assert SyncRun.objects.count() == 1


def test_the_page_has_a_row_for_each_site(plan: SyncRun) -> None:
    client = Client()
    client.force_login(someone("main", "a", "b"))
    page = reverse("run_sites", args=[plan.pk])
    assert page in client.get(reverse("run", args=[plan.pk])).text
    said = client.post(page, {"site": ["a", "b"]}, follow=True).text
    assert "It is planned on 2 further sites." in said
    for run in SyncRun.objects.exclude(pk=plan.pk):
        assert f'href="/sites/{run.site.slug}/runs/{run.pk}/"' in said
        assert client.get(f"/sites/{run.site.slug}/runs/{run.pk}/sites/").status_code == 200
    assert "Choose a site at least." in client.post(page, follow=True).text


def test_a_new_import_is_planned_on_the_sites_that_are_chosen(plan: SyncRun, client: Client) -> None:
    """Each with the mapping of the page, or with what is kept there for the header; and only where somebody may."""
    person = someone("main", "a")
    client.force_login(person)
    assert plan.command_file is not None
    CommandFile.objects.filter(pk=plan.command_file.pk).update(uploaded_by=person)
    page = reverse("import_file", args=[plan.command_file.pk])
    shown = client.get(page).text
    assert 'id="site-a"' in shown
    assert 'id="site-b"' not in shown
    sent = {**sent_by(shown), "site": ["a", "b", "old"], "mapping_a": "kept"}
    looked = client.post(page, {**sent, "do": "look"}).text
    assert '<option value="kept" selected>' in looked
    before = set(SyncRun.objects.values_list("pk", flat=True))
    answer = client.post(page, {**sent, "do": "plan"})
    made = {run.site.slug: run for run in SyncRun.objects.exclude(pk__in=before)}
    assert made.keys() == {"main", "a"}
    assert answer.headers["Location"].endswith(f"/runs/{made['main'].pk}/sites/")
    assert (made["a"].mapping, made["main"].mapping is None) == (None, False)
    assert made["a"].site_group == made["main"].site_group != ""


def test_nothing_is_planned_anywhere_where_one_site_refuses(plan: SyncRun, client: Client) -> None:
    person = someone("main", "a")
    client.force_login(person)
    assert plan.command_file is not None
    CommandFile.objects.filter(pk=plan.command_file.pk).update(uploaded_by=person, sha256="0" * 64)
    page = reverse("import_file", args=[plan.command_file.pk])
    sent = {**sent_by(client.get(page).text), "site": ["a"], "do": "plan"}
    answer = client.post(page, sent)
    assert (answer.status_code, SyncRun.objects.count(), CommandFile.objects.count()) == (200, 1, 1)
