"""Roles are given and taken by those who may, people are switched off, and somebody is always left who may give roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from sync.audit.selectors import AuditQuery, find_entries
from sync.errors import PeopleRefused, RightMissing
from sync.models import MoodleSite, Role, RoleAssignment
from sync.people import services
from sync.runs.rights import Responsible, check_owner
from sync.values import Change


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def chief(site: MoodleSite, root: User) -> User:
    person = User.objects.create_user("chief")
    services.give_role(root, person, site, Role.ADMINISTRATOR, [])
    return person


def code_of(do: Callable[[], object]) -> str:
    with pytest.raises(PeopleRefused) as refused:
        do()
    return refused.value.code


def audited(site: MoodleSite) -> Iterator[tuple[str, str, str, list[Change]]]:
    for line in reversed(find_entries(site, AuditQuery(), start=None, most=50).lines):
        assert line.entry is not None
        yield line.record.person, line.entry.code, line.entry.subject, list(line.entry.changes)


def test_a_role_is_given_changed_and_taken_away_and_audited(chief: User, ann: User, site: MoodleSite) -> None:
    given = services.give_role(chief, ann, site, Role.OPERATOR, ["enrolments", "users"])
    assert services.give_role(chief, ann, site, Role.OPERATOR, ["courses"]) == given
    given.refresh_from_db()
    assert given.file_types == ["courses"]
    services.take_role(chief, given)
    assert not RoleAssignment.objects.filter(person=ann).exists()
    assert [entry for entry in audited(site) if "role" in entry[1] and entry[0] == "chief"] == [
        ("chief", "audit_role_created", "ann", [Change("role", "", "operator"), Change("file_types", "", "users, enrolments")]),
        ("chief", "audit_role_updated", "ann", [Change("file_types", "users, enrolments", "courses")]),
        ("chief", "audit_role_deleted", "ann", [Change("role", "operator", ""), Change("file_types", "courses", "")]),
    ]  # fmt: skip


def test_what_is_refused(chief: User, ann: User, root: User, site: MoodleSite) -> None:
    own = RoleAssignment.objects.get(person=chief)
    assert code_of(lambda: services.give_role(chief, chief, site, Role.MANAGER, [])) == "person_own_role"
    assert code_of(lambda: services.take_role(chief, own)) == "person_own_role"
    assert code_of(lambda: services.set_active(chief, chief, active=False)) == "person_own_role"
    assert code_of(lambda: services.set_active(chief, root, active=False)) == "person_with_more_rights"
    assert code_of(lambda: services.take_role(ann, own)) == "role_beyond_own"
    assert code_of(lambda: services.set_active(ann, chief, active=False)) == "person_with_more_rights"
    for_some = code_of(lambda: services.give_role(chief, ann, site, Role.ADMINISTRATOR, ["users"]))
    assert for_some == "administrator_of_some"
    assert [role.person for role in RoleAssignment.objects.all()] == [chief]
    assert User.objects.filter(is_active=True).count() == 3


def test_the_last_administrator_stays(chief: User, root: User, site: MoodleSite) -> None:
    second = User.objects.create_superuser("second")
    User.objects.exclude(pk=second.pk).filter(is_superuser=True).update(is_active=False)
    other = MoodleSite.objects.create(slug="other", name="Another Moodle")
    only = services.give_role(second, chief, other, Role.ADMINISTRATOR, [])
    # `second` is one everywhere; once switched off by a shell, only `chief` is left.
    services.take_role(second, only)
    services.give_role(second, chief, other, Role.ADMINISTRATOR, [])
    User.objects.filter(pk=second.pk).update(is_superuser=False)
    assert list(services.administrators_of(site)) == [chief]
    for assignment in RoleAssignment.objects.filter(person=chief):
        # The one who asks has a right of before, as a superuser who was logged in a moment ago.
        assert code_of(partial(services.take_role, second, assignment)) == "last_administrator"
    assert code_of(lambda: services.set_active(second, chief, active=False)) == "last_administrator"
    chief.refresh_from_db()
    assert chief.is_active
    assert RoleAssignment.objects.filter(person=chief).count() == 2


def test_who_is_switched_off_is_logged_out_and_nothing_starts_in_their_name(
    chief: User, ann: User, site: MoodleSite
) -> None:
    services.give_role(chief, ann, site, Role.OPERATOR, ["users"])
    client = Client()
    client.force_login(ann)
    assert client.get("/runs/").status_code == 200
    check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, "users")
    services.set_active(chief, ann, active=False)
    assert client.get("/runs/").status_code == 302
    with pytest.raises(RightMissing):
        check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, "users")
    services.set_active(chief, ann, active=True)
    check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, "users")


def test_a_role_that_is_taken_away_ends_what_runs_in_this_name(chief: User, ann: User, site: MoodleSite) -> None:
    given = services.give_role(chief, ann, site, Role.OPERATOR, ["users"])
    check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, "users")
    for file_type in ("courses", "enrolments"):
        with pytest.raises(RightMissing):
            check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, file_type)
    services.take_role(chief, given)
    with pytest.raises(RightMissing):
        check_owner(Responsible.of(User.objects.get(pk=ann.pk)), site, "users")


def test_permissions_of_before_are_taken_away_once_there_is_a_role(root: User, ann: User, site: MoodleSite) -> None:
    ann.user_permissions.set(Permission.objects.filter(codename__in=("run_users", "run_courses")))
    services.give_role(root, ann, site, Role.VIEWER, ["users"])
    services.take_direct_permissions(root, ann)
    ann = User.objects.get(pk=ann.pk)
    assert not ann.has_perm("sync.run_users")
    assert ann.has_perm("sync.see_users")
