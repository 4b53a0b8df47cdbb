"""Every page asks the database as often for many rows as for few."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone
from pytest_django import Settings

from sync.models import (
    Bundle,
    FreezeWindow,
    GraceEntry,
    Invitation,
    MoodleSite,
    Notification,
    RoleAssignment,
    SavedMapping,
    ScopeLimits,
    SequenceRun,
    SequenceState,
    Source,
    StickyField,
)
from sync.notifications.services import RuleChoice, save_rule
from sync.people.machines import make_machine
from sync.people.tokens import make_token
from sync.runs.rights import Responsible
from sync.schedules.services import ScheduleChoice, save_schedule
from sync.values import Action, Outcome
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import MakeFile, MakeRun, keep_run_file
from tests.web.test_access import PUBLIC, names_of

FEW, MANY = 2, 9
TOOLS = (
    "users", "users_delete", "users_suspend", "users_restore", "courses", "enrolments", "groups", "cohorts", "courses_meta",
)  # fmt: skip
# Name of the address, what it is about, what is asked for.
PAGES: list[tuple[str, tuple[str, ...], dict[str, str]]] = [
    ("home", (), {}),
    ("password_change", (), {}),
    ("help", (), {}),
    ("preferences", (), {}),
    ("feeds", (), {}),
    ("moodle", (), {}),
    ("moodle_state", (), {}),
    ("files", (), {}),
    ("files", (), {"folder": "/reports/"}),
    ("files", (), {"folder": "/archives/"}),
    ("file_download", ("file",), {}),
    ("file_use", ("file",), {}),
    ("file_arm", ("file",), {}),
    ("file_delete", ("file",), {}),
    ("tool", ("users",), {}),
    ("tool_preview", ("users",), {}),
    ("tool_template", ("users",), {}),
    ("tool_sample", ("users",), {}),
    ("new_import", (), {}),
    ("import_file", ("file",), {}),
    ("mappings", (), {}),
    ("courses", (), {}),
    ("course_file", ("courses_delete",), {}),
    ("moodle_search", (), {"q": "c"}),
    ("moodle_user", ("2",), {}),
    ("moodle_course", ("2",), {}),
    ("moodle_list", ("courses",), {"q": "c"}),
    ("exports", (), {}),
    ("export", ("courses",), {}),
    ("export_file", ("users",), {}),
    ("moodle_sample", ("users",), {}),
    ("empty_categories", (), {}),
    ("deletions", (), {}),
    ("deletions", (), {"q": "u", "after": "2026-01-01,0"}),
    ("sources", (), {}),
    ("source", ("users",), {}),
    ("schedule_new", (), {}),
    ("schedule", ("schedule",), {}),
    ("schedule_on", ("schedule",), {}),
    ("schedule_recipients", ("schedule",), {}),
    ("notification_rules", (), {}),
    ("notification_rule", ("users",), {}),
    ("settings", (), {}),
    ("health", (), {}),
    ("retention", (), {}),
    ("tokens", (), {}),
    ("token_new", (), {}),
    ("machine_new", (), {}),
    ("sites", (), {}),
    ("site_new", (), {}),
    ("site", ("main",), {}),
    ("audit", (), {}),
    ("audit", (), {"user": "person0", "course": "ALG1"}),
    ("audit_erase", (), {"name": "person0"}),
    ("limits", ("users",), {}),
    ("limits_scope_new", ("users", "cohorts"), {}),
    ("limits_scope", ("users", "scope"), {}),
    ("account_reauthenticate", (), {}),
    ("mfa_reauthenticate", (), {}),
    ("mfa_reauthenticate_webauthn", (), {}),
    ("mfa_index", (), {}),
    ("mfa_list_webauthn", (), {}),
    ("mfa_activate_totp", (), {}),
    ("mfa_deactivate_totp", (), {}),
    ("mfa_add_webauthn", (), {}),
    ("mfa_remove_webauthn", ("factor",), {}),
    ("mfa_view_recovery_codes", (), {}),
    ("mfa_generate_recovery_codes", (), {}),
    ("mfa_download_recovery_codes", (), {}),
    ("sessions", (), {}),
    ("people", (), {}),
    ("people", (), {"q": "person"}),
    ("invite", (), {}),
    ("person", ("person",), {}),
    ("sticky_fields", (), {}),
    ("sticky", ("users",), {}),
    ("sequence_run", ("sequence",), {}),
    ("bundle_new", (), {}),
    ("bundle", ("bundle",), {}),
    ("bundle_options", ("bundle",), {}),
    ("bundle_report", ("bundle",), {}),
    ("bundle_trybacks", ("bundle",), {}),
    ("runs", (), {}),
    ("run", ("run",), {}),
    ("run_progress", ("run",), {}),
    ("run_sites", ("run",), {}),
    ("run_outcomes", ("run",), {"show": "created"}),
    ("run_outcomes", ("run",), {"column": "email", "q": "u2"}),
    ("run_workbook", ("run",), {}),
    ("run_choices", ("failed",), {}),
    ("run_mend", ("failed",), {}),
    ("run_report", ("run",), {}),
    ("run_report_pdf", ("run",), {}),
    ("run_file", ("run", "report"), {}),
]
# What is only sent to.
_POSTED = {
    "deletions_take_off",
    "schedule_switch", "schedule_test", "schedule_start", "schedule_delete", "freeze", "unfreeze", "source_look",
    "notification_rule_delete", "webhook",
    "webhook_delete", "sequence_cancel", "bundle_decide", "bundle_cancel", "bundle_undo", "bundle_read_again",
    "run_cancel", "run_pause", "run_resume", "run_apply",
    "run_decide", "run_mails", "run_undo",
    "courses_choose", "limits_delete", "limits_scope_delete", "mapping_switch",
    "invitation_send", "invitation_withdraw", "person_switch", "person_mail", "role_give", "role_take", "permissions_take",
    "session_end", "person_sessions_end", "second_factor_take", "token_revoke", "site_check", "site_switch",
}  # fmt: skip


def test_every_page_is_here() -> None:
    assert {name for name, _of, _query in PAGES} == names_of(get_resolver().url_patterns) - PUBLIC - _POSTED


class Site:
    """Fills the site with more and more of everything that pages list."""

    def __init__(self, site: MoodleSite, make_file: MakeFile, make_run: MakeRun, root: User) -> None:
        self.site = site
        self._make_file = make_file
        self._make_run = make_run
        self._root = root
        self._count = 0
        self.ids: dict[str, int] = {}

    def grow(self, to: int) -> None:
        for number in range(self._count, to):
            self._add(number)
        self._count = to

    def _add(self, number: int) -> None:
        tool, now = TOOLS[number], timezone.now()
        MoodleSite.objects.create(slug=f"site{number}", name=f"Moodle {number}")
        file = self._make_file(f"in{number}.csv")
        schedule = save_schedule(
            self.site, ScheduleChoice([tool, "courses_check"], at=time(number, 15), enabled=True),
            owner=Responsible.of(self._root),
        )  # fmt: skip
        StickyField.objects.create(site=self.site, processor="users", column=f"profile_field_{number}", rule="never")
        sequence = SequenceRun.objects.create(
            site=self.site, schedule=schedule, processors=[tool, "courses_check"], state=SequenceState.COMPLETED,
            requested_by=self._add_person(number, tool),
        )  # fmt: skip
        first = self.ids.get("sequence", sequence.pk)
        outcomes = [Outcome(line, Action.CREATED, "account_created", {}, f"u{line}") for line in range(2, 4)]
        bundle = Bundle.objects.create(
            site=self.site, name=f"{number}.zip", processors=["users"], requested_by=sequence.requested_by
        )
        values = {
            "bundle_id": self.ids.get("bundle", bundle.pk),
            "requested_by": sequence.requested_by,
            "sequence_run_id": first,
            "started_at": now,
            "finished_at": now,
        }
        run = self._make_run(outcomes=outcomes, processor="users", **values)
        keep_run_file(run, "report", path=f"/reports/{number}_report_in.txt")
        keep_run_file(run, "archive", path=f"/archives/{number}_in.csv")
        keep_run_file(run, "outcomes")
        Source.objects.create(site=self.site, processor=tool, kind=Source.Kind.AREA, location=f"/in{number}.csv")
        save_rule(self.site, tool, RuleChoice({"failure": ["a@x.org"]}))
        Notification.objects.create(
            site=self.site, processor=tool, event="failure", channel="mail", run=run, recipients=["a@x.org"]
        )
        GraceEntry.objects.create(
            site=self.site, table="user", rowid=number, name=f"u{number}", run=run, line=2, day=now.date(), task_run=run
        )
        SavedMapping.objects.create(
            site=self.site, processor=tool, name="M", version=1, header=["Login"], data={}, created_by=self._root
        )
        FreezeWindow.objects.create(
            site=self.site,
            starts_at=now + timedelta(days=number + 1),
            ends_at=now + timedelta(days=number + 1, hours=1),
        )
        wrong = {"length": 300, "limit": 100, "column": "lastname"}
        failed = self._make_run(
            "completed_with_rejections",
            outcomes=[Outcome(line, Action.REJECTED, "value_too_long", wrong) for line in (2, 3)],
        )
        scope = ScopeLimits.objects.create(site=self.site, processor="users", kind="category", name=f"C{number}")
        shown_first = {
            "file": file,
            "run": run,
            "failed": failed,
            "schedule": schedule,
            "sequence": sequence,
            "scope": scope,
            "bundle": bundle,
        }
        for name, shown in shown_first.items():
            self.ids.setdefault(name, shown.pk)

    def _add_person(self, number: int, tool: str) -> User:
        person = User.objects.create_user(f"person{number}")
        RoleAssignment.objects.create(site=self.site, person=person, role="operator", file_types=[tool])
        Invitation.objects.create(
            site=self.site, role="viewer", email=f"new{number}@x.org", invited_by=self._root, host="x", language="en"
        )
        if number == 0:
            self.ids["factor"] = TOTP.activate(self._root, "JBSWY3DPEHPK3PXP").instance.pk
            RecoveryCodes.activate(self._root).mark_as_viewed()
        machine = make_machine(self._root, self.site, f"m{number}", "operator", [tool])
        make_token(self._root, self.site, machine.user, name="t", scopes=["read"], file_types=[], days=30)
        UserSession.objects.create(user=self._root, ip="192.0.2.1", session_key=f"k{number}", user_agent="x")
        self.ids.setdefault("person", person.pk)
        return person


@pytest.fixture
def filled(site: MoodleSite, make_file: MakeFile, make_run: MakeRun, admin_user: User) -> Site:
    return Site(site, make_file, make_run, admin_user)


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url


def queries_of_all_pages(filled: Site, client: Client) -> dict[str, int]:
    """Return how many queries each page makes."""
    counts: dict[str, int] = {}
    for name, of, query in PAGES:
        address = reverse(name, args=[filled.ids.get(word, word) for word in of])
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address, query)
        assert answer.status_code in (200, 302), address
        counts[f"{name} {query}"] = len(captured)
    return counts


@pytest.mark.usefixtures("moodle")
def test_no_page_asks_more_often_for_many_rows_than_for_few(filled: Site, admin_client: Client) -> None:
    filled.grow(FEW)
    queries_of_all_pages(filled, admin_client)
    few = queries_of_all_pages(filled, admin_client)
    filled.grow(MANY)
    many = queries_of_all_pages(filled, admin_client)
    assert {page: (few[page], many[page]) for page in few if many[page] > few[page]} == {}
