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
