"""What the upgrade decides for files, sources and permissions of an installation that went on without owners."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.utils import timezone

from sync.models import ArmedFile, CommandFile, MoodleSite, ProcessorSettings, Source
from sync.processors.registry import REGISTRY

migration: Any = import_module("sync.migrations.0010_rights_of_what_is_there")
EDITOR = SimpleNamespace(connection=connection)


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


def keep(site: MoodleSite, path: str, user: User | None = None) -> None:
    folder, _slash, name = path.rpartition("/")
    CommandFile.objects.create(
        site=site, folder=f"{folder}/", name=name, size=1, sha256="a" * 64, uploaded_by=user, uploaded_at=timezone.now()
    )


def armed() -> set[tuple[str, str, str]]:
    migration.arm_what_is_taken_now(apps, EDITOR)
    return {
        (arming.file.path, arming.processor, arming.armed_by_name)
        for arming in ArmedFile.objects.select_related("file")
        if arming.sha256 == arming.file.sha256
    }


def test_what_is_taken_today_stays_taken_if_its_person_may_run_it(site: MoodleSite) -> None:
    clerk, files, gone = (User.objects.create_user(name) for name in ("clerk", "files", "gone"))
    clerk.groups.add(group := Group.objects.create(name="people"))
    group.permissions.add(Permission.objects.get(codename="run_users"))
    gone.user_permissions.add(Permission.objects.get(codename="run_courses"))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    root = User.objects.create_superuser("root")
    keep(site, "/userimport.csv", clerk)
    keep(site, "/enrols.csv", files)
    keep(site, "/uploadcourses.csv", gone)
    keep(site, "/groups.csv", root)
    keep(site, "/cohorts.csv")
    keep(site, "/other.csv", root)
    keep(site, "/in/userimport.csv", root)
    assert armed() == {
        ("/userimport.csv", "users", "clerk"), ("/groups.csv", "groups", "root"), ("/cohorts.csv", "cohorts", ""),
    }  # fmt: skip


def test_sources_and_the_prefix_of_pictures_are_minded(site: MoodleSite) -> None:
    Source.objects.create(site=site, processor="users", location="in/b*.csv, late.csv")
    Source.objects.create(site=site, processor="enrolments", kind="inbox", location="x.csv")
    ProcessorSettings.objects.create(site=site, processor="userpictures", values={"fileprefix": "pics"})
    for path in (
        "/userimport.csv", "/in/b1.csv", "/in/a.csv", "/late.csv", "/b2.csv", "/enrols.csv", "/fetched/enrolments/x.csv",
        "/sub/pics1.zip", "/userpictures_1.zip", "/pics.txt",
    ):  # fmt: skip
        keep(site, path)
    assert armed() == {
        ("/in/b1.csv", "users", ""), ("/late.csv", "users", ""), ("/fetched/enrolments/x.csv", "enrolments", ""),
        ("/sub/pics1.zip", "userpictures", ""),
    }  # fmt: skip


def test_the_names_are_those_of_today() -> None:
    """Types that came later have no files of before."""
    names = {key: processor.default_filename for key, processor in REGISTRY.items()}
    assert {key: names[key] for key in migration._DEFAULT_NAMES} == migration._DEFAULT_NAMES


def test_those_who_may_do_everything_go_on_freezing_the_site(db: None) -> None:
    every = Permission.objects.filter(codename__in=["manage_schedules", *(f"run_{key}" for key in REGISTRY)])
    by_group, by_both, planner = (User.objects.create_user(name) for name in ("by_group", "by_both", "planner"))
    whole, part = Group.objects.create(name="whole"), Group.objects.create(name="part")
    whole.permissions.set(every)
    part.permissions.set(every.exclude(codename="run_users"))
    by_group.groups.add(whole)
    by_both.groups.add(part)
    by_both.user_permissions.set(every.filter(codename="run_users"))
    planner.groups.add(part)

    migration.keep_managers(apps, EDITOR)

    may = {
        name: User.objects.get(username=name).has_perm("sync.manage_all_schedules")
        for name in ("by_group", "by_both", "planner")
    }
    assert may == {"by_group": True, "by_both": True, "planner": False}
    assert not by_group.user_permissions.exists()
