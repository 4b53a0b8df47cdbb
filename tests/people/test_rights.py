"""Who may do what, for which file types, on which site."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from sync.models import MoodleSite, Role, RoleAssignment
from sync.people.rights import EVERY, may, may_all_that, may_give
from sync.people.roles import OF_ONE_FILE_TYPE, permissions_of
from sync.runs.selectors import processors_for, visible_processors

Give = Callable[..., User]


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


@pytest.fixture
def other(db: None) -> MoodleSite:
    return MoodleSite.objects.create(slug="other", name="Another Moodle")


@pytest.fixture
def give(site: MoodleSite) -> Give:
    def give(name: str, *roles: tuple[str, list[str]], at: MoodleSite = site) -> User:
        """Return somebody, loaded anew, with these roles."""
        person = User.objects.get_or_create(username=name)[0]
        for role, file_types in roles:
            RoleAssignment.objects.create(person=person, site=at, role=role, file_types=file_types)
        return User.objects.get(pk=person.pk)

    return give


@pytest.mark.django_db
def test_every_permission_of_ours_is_given_by_some_role() -> None:
    """A new one needs a place in sync/people/roles.py. Django's own, for its admin, are of superusers; sites are of no site."""
    all_of_ours = Permission.objects.filter(content_type__app_label="sync").select_related("content_type")
    actions = ("add", "change", "delete", "view")
    known = {
        f"sync.{permission.codename}"
        for permission in all_of_ours
        if permission.codename not in {f"{action}_{permission.content_type.model}" for action in actions}
    }
    given = permissions_of(Role.ADMINISTRATOR, [])
    assert known - {"sync.manage_sites"} <= given
    assert given - known == {name for name in OF_ONE_FILE_TYPE if name.startswith("sync.see_")}


def test_each_role_permits_what_the_one_before_does_and_more() -> None:
    for file_types in ([], ["users"]):
        given = [permissions_of(role, file_types) for role in Role]
        for less, more in pairwise(given):
            assert less <= more
            assert less < more or file_types


def test_a_role_is_for_its_site_and_its_file_types(give: Give, site: MoodleSite, other: MoodleSite) -> None:
    ann = give("ann", (Role.APPROVER, ["users"]), (Role.OPERATOR, ["enrolments"]))
    assert [processor.key for processor in processors_for(ann)] == ["users", "enrolments"]
    # To approve one file type and to run another doesn't add up to approving that one.
    assert may(ann, "sync.approve_runs", site, "users")
    assert may(ann, "sync.approve_runs", site)
    assert not may(ann, "sync.approve_runs", site, "enrolments")
    assert not may(ann, "sync.approve_runs", site, EVERY)
    assert [processor.key for processor in processors_for(ann, "sync.approve_runs")] == ["users"]
    assert not may(ann, "sync.run_users", other)
    assert not ann.has_perm("sync.run_courses")
    assert ann.has_perm("sync.approve_runs")


def test_a_viewer_sees_and_runs_nothing(give: Give) -> None:
    ann = give("ann", (Role.VIEWER, ["users"]))
    assert processors_for(ann) == []
    assert [processor.key for processor in visible_processors(ann)] == ["users"]


def test_permissions_of_before_count_as_they_did(give: Give, site: MoodleSite, other: MoodleSite) -> None:
    """For every file type on every site, by themselves and by groups."""
    staff = Group.objects.create(name="staff")
    staff.permissions.set(Permission.objects.filter(codename="approve_runs"))
    ann = give("ann")
    ann.groups.add(staff)
    ann.user_permissions.set(Permission.objects.filter(codename="run_users"))
    ann = give("ann")
    for at in (site, other):
        assert may(ann, "sync.run_users", at)
        assert may(ann, "sync.see_users", at)
        assert may(ann, "sync.approve_runs", at, EVERY)
        assert not may(ann, "sync.run_courses", at)


def test_who_is_switched_off_or_unknown_may_nothing(give: Give, site: MoodleSite) -> None:
    ann = give("ann", (Role.ADMINISTRATOR, []))
    assert may(ann, "sync.manage_people", site, EVERY)
    ann.is_active = False
    assert not may(ann, "sync.manage_people", site)
    assert not ann.has_perm("sync.manage_people")
    assert not may(AnonymousUser(), "sync.see_users", site)


def test_nobody_gives_what_they_lack(give: Give, site: MoodleSite, other: MoodleSite) -> None:
    chief, root = give("chief", (Role.ADMINISTRATOR, [])), User.objects.create_superuser("root")
    for role in Role:
        assert may_give(chief, site, role, [])
        assert not may_give(chief, other, role, ["users"])
        assert may_give(root, other, role, [])
    for role in (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.MANAGER):
        assert not may_give(give(f"only-{role}", (role, [])), site, Role.VIEWER, ["users"])
    # Somebody who was only given this permission has nothing else to give.
    lonely = give("lonely", (Role.OPERATOR, ["users"]))
    lonely.user_permissions.set(Permission.objects.filter(codename="manage_people"))
    lonely = give("lonely")
    assert may_give(lonely, site, Role.OPERATOR, ["users"])
    assert not may_give(lonely, site, Role.OPERATOR, ["users", "courses"])
    assert not may_give(lonely, site, Role.OPERATOR, [])
    assert not may_give(lonely, site, Role.APPROVER, ["users"])


def test_who_has_all_the_rights_of_another(give: Give, other: MoodleSite) -> None:
    chief, root = give("chief", (Role.ADMINISTRATOR, [])), User.objects.create_superuser("root")
    ann, bob = give("ann", (Role.MANAGER, [])), give("bob", (Role.VIEWER, ["users"]), at=other)
    assert may_all_that(chief, ann)
    assert not may_all_that(ann, chief)
    assert not may_all_that(chief, bob)
    assert not may_all_that(chief, root)
    assert may_all_that(root, chief)
    ann.user_permissions.set(Permission.objects.filter(codename="add_user"))
    assert not may_all_that(chief, give("ann"))
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not may_all_that(chief, give("ann"))
