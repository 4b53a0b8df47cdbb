"""What people change in ToolSync is in the audit: who, and from what to what, never with a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.audit.selectors import AuditQuery, find_entries
from sync.audit.services import record
from sync.guard.limits import DEFAULTS
from sync.models import AuditKind, AuditRecord, Event, MoodleSite
from sync.notifications.services import RuleChoice, delete_rule, save_rule
from sync.notifications.webhooks import WebhookChoice, delete_webhook, save_webhook
from sync.runs.plans import delete_limits, save_limits
from sync.runs.retention_settings import save_retention
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.services import save_settings
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.services import (
    ScheduleChoice,
    add_freeze_window,
    delete_freeze_window,
    delete_schedule,
    save_schedule,
    switch_schedule,
)
from sync.values import Change
from tests.audit.kit import faults

pytestmark = pytest.mark.django_db

SECRET = "Hunter2#plant"
KEY = "whsec_" + "QUFB" * 12
Said = tuple[str, str, str, str, list[Change]]


@pytest.fixture
def site() -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


@pytest.fixture
def kim() -> Responsible:
    return Responsible.of(User.objects.create_user("kim", is_staff=True))


def said(site: MoodleSite, kind: str) -> list[Said]:
    """Return the entries of a kind, the oldest first. Shape: person, action, code, subject, changes"""
    found = [line for line in find_entries(site, AuditQuery(kind=kind)).lines if line.entry is not None]
    return [
        (line.record.person, entry.action, entry.code, entry.subject, list(entry.changes))
        for line in reversed(found)
        if (entry := line.entry) is not None
    ]


def test_settings_of_a_file_type(site: MoodleSite, kim: Responsible) -> None:
    for value in (True, True, False):
        save_settings(site=site, processor="users", values={"allowrename": value}, by=kim)
    assert said(site, AuditKind.SETTINGS) == [
        ("kim", "updated", "audit_settings_updated", "users", [Change("allowrename", "", "1")]),
        ("kim", "updated", "audit_settings_updated", "users", [Change("allowrename", "1", "")]),
    ]


def test_limits_of_what_a_file_may_change(site: MoodleSite, kim: Responsible) -> None:
    for is_on in (True, False):
        save_limits(site, "users", DEFAULTS, is_on=is_on, needs_second_person=False, person=kim)
    delete_limits(site, "users", kim)
    *_first, switched, deleted = said(site, AuditKind.SETTINGS)
    assert switched == ("kim", "updated", "audit_settings_updated", "users", [Change("is_on", "1", "0")])
    assert deleted[4] == [Change("limits", "users", "")]


def test_a_source_without_its_secrets(site: MoodleSite, kim: Responsible) -> None:
    address = f"https://sis.example.org/users.csv?token={SECRET}"
    choice = SourceChoice(kind="address", location=address, username="toolsync", password=SECRET)
    save_source(site, "users", choice, owner=kim)
    save_source(site, "users", choice, owner=kim)
    ((person, action, _code, subject, changes),) = said(site, AuditKind.SOURCE)
    assert (person, action, subject) == ("kim", "updated", "users")
    assert Change("kind", "area", "address") in changes
    assert Change("password", "", "••••") in changes
    assert Change("query", "", "••••") in changes
    assert SECRET not in str(changes)


def test_a_schedule_from_its_making_to_its_end(site: MoodleSite, kim: Responsible) -> None:
    schedule = save_schedule(site, ScheduleChoice(["users"], name="Night", at=time(2, 15)), owner=kim)
    switch_schedule(schedule, on=True, owner=kim)
    delete_schedule(schedule, by=kim)
    made, switched, deleted = said(site, AuditKind.SCHEDULE)
    assert made[:4] == ("kim", "created", "audit_schedule_created", "Night")
    assert Change("at", "", "02:15:00") in made[4]
    assert switched == ("kim", "updated", "audit_schedule_updated", "Night", [Change("enabled", "0", "1")])
    assert deleted[:3] == ("kim", "deleted", "audit_schedule_deleted")


def test_a_freeze_window(site: MoodleSite, kim: Responsible) -> None:
    now = timezone.now()
    window = add_freeze_window(site, now, now + timedelta(hours=1), "Exams", by=kim)
    delete_freeze_window(window, by=kim)
    assert [one[:4] for one in said(site, AuditKind.SCHEDULE)] == [
        ("kim", "created", "audit_freeze_created", "Exams"),
        ("kim", "deleted", "audit_freeze_deleted", "Exams"),
    ]


def test_who_is_notified(site: MoodleSite, kim: Responsible) -> None:
    save_rule(site, "users", RuleChoice({Event.FAILURE: ["ann@x.org"]}), by=kim)
    delete_rule(site, "users", by=kim)
    delete_rule(site, "users", by=kim)
    changed, deleted = said(site, AuditKind.NOTIFICATION)
    assert changed[4] == [Change("recipients", "", "failure: ann@x.org")]
    assert deleted[2] == "audit_notification_deleted"


def test_a_webhook_without_its_address_and_key(site: MoodleSite, kim: Responsible) -> None:
    save_webhook(site, WebhookChoice(f"https://hook.example.org/{SECRET}", KEY, [Event.FAILURE]), by=kim)
    delete_webhook(site, by=kim)
    changed, deleted = said(site, AuditKind.NOTIFICATION)
    assert Change("host", "", "https://hook.example.org") in changed[4]
    assert Change("key", "", "••••") in changed[4]
    assert SECRET not in str(changed) + str(deleted)
    assert deleted[2] == "audit_webhook_deleted"


def test_retention(site: MoodleSite, kim: Responsible) -> None:
    for reports in (30, 90):
        save_retention(site, reports=reports, archives=30, trybacks=30, journals=30, by=kim)
    assert said(site, AuditKind.RETENTION)[-1][4] == [Change("reports", "30", "90")]


def test_rights_whoever_changes_them(site: MoodleSite) -> None:
    may_run = Permission.objects.get(codename="run_users")
    user = User.objects.create_user("bob")
    staff = Group.objects.create(name="staff")
    staff.permissions.add(may_run)
    user.user_permissions.set([may_run])
    staff.user_set.add(user)
    user.groups.clear()
    user.is_superuser = True
    user.save()
    user.set_password(SECRET)
    user.save()
    user.delete()
    found = [(subject, changes) for _person, _action, _code, subject, changes in said(site, AuditKind.RIGHTS)]
    assert found[0][0] == "bob"
    assert Change("username", "", "bob") in found[0][1]
    assert found[1:7] == [
        ("staff", [Change("name", "", "staff")]),
        ("staff", [Change("permissions", "", "sync.run_users")]),
        ("bob", [Change("permissions", "", "sync.run_users")]),
        ("bob", [Change("groups", "", "staff")]),
        ("bob", [Change("groups", "staff", "")]),
        ("bob", [Change("is_superuser", "0", "1")]),
    ]
    assert found[7][0] == "bob"
    assert len(found) == 8
    assert faults(site) == []


def test_rights_that_djangos_admin_changes_tell_who_did_it(site: MoodleSite, admin_client: Client) -> None:
    bob = User.objects.create_user("bob")
    page = reverse("admin:auth_user_change", args=[bob.pk])
    may_run = Permission.objects.get(codename="run_users")
    form = {
        "username": "bob",
        "is_active": "on",
        "user_permissions": [may_run.pk],
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    assert admin_client.post(page, form).status_code == 302
    assert said(site, AuditKind.RIGHTS)[-1] == (
        "admin", "updated", "audit_rights_updated", "bob", [Change("permissions", "", "sync.run_users")],
    )  # fmt: skip


def test_a_site_that_djangos_admin_changes(site: MoodleSite, admin_client: Client) -> None:
    page = reverse("admin:sync_moodlesite_change", args=[site.pk])
    assert admin_client.post(page, {"slug": "main", "name": "Campus"}).status_code == 302
    assert said(site, AuditKind.SITE) == [
        ("admin", "updated", "audit_site_updated", "main", [Change("name", "Moodle", "Campus")])
    ]


def test_a_login_is_no_change_of_rights(site: MoodleSite, client: Client) -> None:
    User.objects.create_user("bob", password=SECRET)
    count = AuditRecord.objects.count()
    client.post(reverse("login"), {"username": "bob", "password": SECRET})
    assert "_auth_user_id" in client.session
    assert AuditRecord.objects.count() == count


def test_what_is_rolled_back_is_not_in_the_audit(
    site: MoodleSite, rolled_back: Callable[[Callable[[], object]], None]
) -> None:
    rolled_back(lambda: record(site, AuditKind.SETTINGS, OPERATOR, "users", [Change("x", "0", "1")]))
    assert not AuditRecord.objects.exists()
    record(site, AuditKind.APPROVAL, OPERATOR, "run 7", [Change("state", "held", "approved")])
    assert said(site, AuditKind.APPROVAL)[0][2] == "audit_approval_updated"
    assert AuditRecord.objects.get().sequence == 1
    assert faults(site) == []


@pytest.fixture
def rolled_back() -> Callable[[Callable[[], object]], None]:
    """Do something in a transaction that fails."""

    def run(action: Callable[[], object]) -> None:
        with transaction.atomic():
            action()
            transaction.set_rollback(True)

    return run
