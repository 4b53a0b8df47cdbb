"""Who gets which answer from every address of the site."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import time, timedelta
from itertools import cycle
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from sync.models import (
    Bundle,
    FreezeWindow,
    Invitation,
    MoodleSite,
    RoleAssignment,
    SavedMapping,
    ScopeLimits,
    SequenceRun,
)
from sync.people.tokens import make_token
from sync.runs.rights import Responsible
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.web.conftest import USERS_CSV, MakeFile, MakeRun, keep_run_file

# What each may; stranger: isn't logged in; other: owns the schedule that the addresses below are about.
ROLES: dict[str, tuple[str, ...]] = {
    "stranger": (),
    "nobody": (),
    "checker": ("run_courses_check",),
    "files": ("manage_files",),
    "clerk": ("manage_files", "run_users", "view_people"),
    "sources": ("manage_sources", "run_users"),
    "planner": ("manage_schedules", "run_users"),
    "other": ("manage_schedules", "run_users"),
    "manager": ("manage_schedules", "manage_all_schedules", "run_users"),
    "notices": ("manage_telling", "manage_retention", "run_users"),
    "auditor": ("view_audit",),
    "root": (),
}
# Roles of our own, each for `users` but the administrator's; what they get is what somebody above gets.
GIVEN_ROLES = {"operator": "clerk", "administrator": "root", "viewer": "nobody", "elsewhere": "nobody"}
EVERYBODY = (*ROLES, *GIVEN_ROLES)
# What a viewer may see that nobody else without permissions may.
VIEWED = {
    "home", "moodle_state", "feeds", "settings", "health", "sequence_run sequence", "run run", "run_progress run",
    "run_outcomes run", "run_report run", "run_file run report", "run_report_pdf run", "run_workbook run",
}  # fmt: skip


class Place(NamedTuple):
    """One address. Shape: of: what it is about; send: what is posted, None for a GET; answers: role -> status"""

    name: str
    of: tuple[str, ...]
    send: dict[str, str] | None
    answers: dict[str, int]


def _places() -> list[Place]:
    """Read the table. A `!` after the name: POST."""
    places = []
    for line in TABLE.strip().splitlines():
        name, *words = line.split()
        of = tuple(words[: -len(ROLES)])
        answers = dict(zip(ROLES, map(int, words[-len(ROLES) :]), strict=True))
        answers |= {role: answers[like] for role, like in GIVEN_ROLES.items()}
        if " ".join((name, *of)) in VIEWED:
            answers["viewer"] = 200
        # Who sees runs may have tokens of their own; what the address is about is another's.
        answers["viewer"] = {"tokens": 200, "token_new": 302, "token_revoke!": 404}.get(name, answers["viewer"])
        if name.rstrip("!") in ("sites", "site", "site_new", "site_check", "site_switch"):
            # No role of a site is one for all of them.
            answers["administrator"] = 403
        if name == "home":
            # To the site on which there is something for them.
            answers["elsewhere"] = 302
        places.append(Place(name.rstrip("!"), of, {} if name.endswith("!") else None, answers))
    return places


# In the order of the roles. Courses and categories need a Moodle, which isn't there: 503 lets in.
TABLE = """
home                                302   403   200   200   200   200   200   200   200   200   200   200
help                                302   200   200   200   200   200   200   200   200   200   200   200
preferences                         302   200   200   200   200   200   200   200   200   200   200   200
preferences!                        302   302   302   302   302   302   302   302   302   302   302   302
feeds                               302   403   200   200   200   200   200   200   200   200   200   200
moodle                              302   403   200   403   200   200   200   200   200   200   403   200
moodle_state                        302   403   200   200   200   200   200   200   200   200   200   200
files                               302   403   403   200   200   403   403   403   403   403   403   200
file_download file                  302   403   403   404   200   403   403   403   403   403   403   200
file_download unknown               302   403   403   404   404   403   403   403   403   403   403   200
file_use file                       302   403   403   404   200   403   403   403   403   403   403   200
file_use unknown                    302   403   403   404   404   403   403   403   403   403   403   200
file_arm file                       302   404   404   404   200   200   200   200   200   200   404   200
file_arm unknown                    302   404   404   404   404   404   404   404   404   404   404   200
tool users                          302   404   404   404   200   200   200   200   200   200   404   200
tool users_delete                   302   404   404   404   404   404   404   404   404   404   404   200
tool_preview users                  302   404   404   404   200   200   200   200   200   200   404   200
tool_template users                 302   404   404   404   200   200   200   200   200   200   404   200
tool_sample users                   302   404   404   404   200   200   200   200   200   200   404   200
new_import                          302   404   200   404   200   200   200   200   200   200   404   200
mappings                            302   404   200   404   200   200   200   200   200   200   404   200
mapping_switch! mapping             302   404   404   404   302   302   302   302   302   302   404   302
import_file file                    302   404   404   404   200   200   200   200   200   200   404   200
import_file unknown                 302   404   404   404   404   404   404   404   404   404   404   200
courses                             302   404   404   404   404   404   404   404   404   404   404   503
courses_choose!                     302   404   404   404   404   404   404   404   404   404   404   302
course_file courses_delete          302   404   404   404   404   404   404   404   404   404   404   302
moodle_search                       302   403   200   403   200   200   200   200   200   200   403   200
moodle_user 2                       302   403   403   403   503   403   403   403   403   403   403   503
moodle_course 2                     302   403   503   403   503   503   503   503   503   503   403   503
moodle_list roles                   302   403   503   403   503   503   503   503   503   503   403   503
exports                             302   403   200   403   200   200   200   200   200   200   403   200
export users                        302   404   404   404   200   403   403   403   403   403   404   200
export courses                      302   404   404   404   404   404   404   404   404   404   404   503
export_file users                   302   404   404   404   503   403   403   403   403   403   404   503
moodle_sample users                 302   404   404   404   503   403   403   403   403   403   404   503
empty_categories                    302   404   404   404   404   404   404   404   404   404   404   503
deletions                           302   404   404   404   404   404   404   404   404   404   404   200
deletions_take_off!                 302   404   404   404   404   404   404   404   404   404   404   302
sources                             302   403   403   403   403   200   403   403   403   403   403   200
source users                        302   403   403   403   403   200   403   403   403   403   403   200
source users_delete                 302   403   403   403   403   404   403   403   403   403   403   200
source_look! users                  302   403   403   403   403   200   403   403   403   403   403   200
schedule_new                        302   403   403   403   403   403   200   200   200   403   403   200
schedule schedule                   302   403   403   403   403   403   200   200   200   403   403   200
schedule! schedule                  302   403   403   403   403   403   403   200   200   403   403   200
schedule_switch! schedule           302   403   403   403   403   403   403   302   302   403   403   302
schedule_on schedule                302   403   403   403   403   403   403   200   200   403   403   200
schedule_on! schedule               302   403   403   403   403   403   403   302   302   403   403   200
schedule_recipients schedule              302   403   403   403   403   403   403   403   403   403   403   200
schedule_recipients! schedule             302   403   403   403   403   403   403   403   403   403   403   200
schedule_start! schedule            302   403   403   403   403   403   302   302   302   403   403   302
schedule_test! schedule              302   403   403   403   403   403   403   403   403   404   403   302
schedule_delete! schedule           302   403   403   403   403   403   403   302   302   403   403   302
freeze!                             302   403   403   403   403   403   403   403   200   403   403   200
unfreeze! window                    302   403   403   403   403   403   403   403   302   403   403   302
notification_rules                  302   403   403   403   403   403   403   403   403   200   403   200
notification_rule users             302   403   403   403   403   403   403   403   403   200   403   200
notification_rule_delete! users     302   403   403   403   403   403   403   403   403   302   403   302
webhook!                            302   403   403   403   403   403   403   403   403   404   403   200
webhook_delete!                     302   403   403   403   403   403   403   403   403   404   403   302
settings                            302   403   200   200   200   200   200   200   200   200   200   200
health                              302   403   200   200   200   200   200   200   200   200   200   200
health!                             302   403   403   403   403   403   403   403   403   302   403   302
retention                           302   403   403   403   403   403   403   403   403   200   403   200
sites                               302   403   403   403   403   403   403   403   403   403   403   200
site_new                            302   403   403   403   403   403   403   403   403   403   403   200
site main                           302   403   403   403   403   403   403   403   403   403   403   200
site! other                         302   403   403   403   403   403   403   403   403   403   403   200
site_check! other                   302   403   403   403   403   403   403   403   403   403   403   200
site_switch! other                  302   403   403   403   403   403   403   403   403   403   403   302
sequence_run sequence               302   404   404   404   200   200   200   200   200   200   404   200
sequence_cancel! sequence           302   404   404   404   302   302   302   302   302   302   404   302
bundle_new                          302   404   200   404   200   200   200   200   200   200   404   200
bundle bundle                       302   404   404   404   200   200   200   200   200   200   404   200
bundle_decide! bundle               302   404   404   404   302   302   302   302   302   302   404   302
bundle_options bundle               302   404   404   404   302   302   302   302   302   302   404   302
bundle_undo! bundle                  302   404   404   404   302   302   302   302   302   302   404   302
bundle_cancel! bundle               302   404   404   404   302   302   302   302   302   302   404   302
bundle_read_again! bundle            302   404   404   404   302   302   302   302   302   302   404   302
bundle_report bundle                302   404   404   404   200   200   200   200   200   200   404   200
bundle_trybacks bundle              302   404   404   404   200   200   200   200   200   200   404   200
password_change                     302   200   200   200   200   200   200   200   200   200   200   200
runs                                302   200   200   200   200   200   200   200   200   200   200   200
run run                             302   404   404   404   200   200   200   200   200   200   404   200
run_progress run                    302   404   404   404   200   200   200   200   200   200   404   200
run_outcomes run                    302   404   404   404   200   200   200   200   200   200   404   200
run_workbook run                    302   404   404   404   200   200   200   200   200   200   404   200
run_report run                      302   404   404   404   200   200   200   200   200   200   404   200
run_report_pdf run                  302   404   404   404   200   200   200   200   200   200   404   200
run_file run report                 302   404   404   404   200   200   200   200   200   200   404   200
run_file run tryback                302   404   404   404   200   200   200   200   200   200   404   200
run_cancel! run                     302   404   404   404   302   302   302   302   302   302   404   302
run_pause! run                      302   404   404   404   302   302   302   302   302   302   404   302
run_resume! run                     302   404   404   404   302   302   302   302   302   302   404   302
run_mails! run                      302   404   404   404   302   302   302   302   302   302   404   302
limits all                          302   403   403   403   403   403   403   403   403   403   403   200
limits users                        302   403   403   403   403   403   403   403   403   403   403   200
limits_delete! users                302   403   403   403   403   403   403   403   403   403   403   302
limits_scope_new users category     302   403   403   403   403   403   403   403   403   403   403   200
limits_scope all scope              302   403   403   403   403   403   403   403   403   403   403   200
limits_scope_delete! all scope      302   403   403   403   403   403   403   403   403   403   403   302
sticky_fields                       302   403   403   403   403   403   403   403   403   403   403   302
sticky users                        302   403   403   403   403   403   403   403   403   403   403   200
sticky! users                       302   403   403   403   403   403   403   403   403   403   403   200
run_apply! run                      302   404   404   404   302   302   302   302   302   302   404   302
run_decide! run                     302   404   404   404   302   302   302   302   302   302   404   302
run_sites run                       302   404   404   404   200   200   200   200   200   200   404   200
run_sites! run                      302   404   404   404   302   302   302   302   302   302   404   302
run_choices run                     302   404   404   404   302   302   302   302   302   302   404   302
run_mend run                        302   404   404   404   302   302   302   302   302   302   404   302
run_mend! run                       302   404   404   404   302   302   302   302   302   302   404   302
run_undo! run                       302   404   404   404   302   302   302   302   302   302   404   302
file_delete file                    302   403   403   200   200   403   403   403   403   403   403   200
file_delete! file                   302   403   403   302   302   403   403   403   403   403   403   302
tokens                              302   403   200   200   200   200   200   200   200   200   200   200
token_new                           302   403   302   302   302   302   302   302   302   302   302   302
token_revoke! token                 302   403   404   404   404   404   404   404   404   404   404   302
machine_new                         302   403   403   403   403   403   403   403   403   403   403   302
audit                               302   403   403   403   403   403   403   403   403   403   200   200
audit_erase                         302   403   403   403   403   403   403   403   403   403   403   200
people                              302   403   403   403   403   403   403   403   403   403   403   200
invite                              302   403   403   403   403   403   403   403   403   403   403   200
invitation_send! invitation         302   403   403   403   403   403   403   403   403   403   403   302
invitation_withdraw! invitation     302   403   403   403   403   403   403   403   403   403   403   302
person person                       302   403   403   403   403   403   403   403   403   403   403   200
person! person                      302   403   403   403   403   403   403   403   403   403   403   200
person_switch! person               302   403   403   403   403   403   403   403   403   403   403   302
person_mail! person                 302   403   403   403   403   403   403   403   403   403   403   302
role_give! person                   302   403   403   403   403   403   403   403   403   403   403   200
role_take! person assignment        302   403   403   403   403   403   403   403   403   403   403   302
account_reauthenticate              302   200   200   200   200   200   200   200   200   200   200   200
mfa_reauthenticate                  302   302   302   302   302   302   302   302   302   302   302   302
mfa_reauthenticate_webauthn         302   302   302   302   302   302   302   302   302   302   302   302
mfa_index                           302   200   200   200   200   200   200   200   200   200   200   200
mfa_list_webauthn                   302   200   200   200   200   200   200   200   200   200   200   200
mfa_activate_totp                   302   302   302   302   302   302   302   302   302   302   302   302
mfa_deactivate_totp                 302   404   404   404   404   404   404   404   404   404   404   404
mfa_add_webauthn                    302   302   302   302   302   302   302   302   302   302   302   302
mfa_remove_webauthn person          302   302   302   302   302   302   302   302   302   302   302   302
mfa_view_recovery_codes             302   404   404   404   404   404   404   404   404   404   404   404
mfa_generate_recovery_codes         302   302   302   302   302   302   302   302   302   302   302   302
mfa_download_recovery_codes         302   404   404   404   404   404   404   404   404   404   404   404
sessions                            302   200   200   200   200   200   200   200   200   200   200   200
session_end!                        302   302   302   302   302   302   302   302   302   302   302   302
person_sessions_end! person         302   403   403   403   403   403   403   403   403   403   403   302
second_factor_take! person          302   403   403   403   403   403   403   403   403   403   403   302
permissions_take! person            302   403   403   403   403   403   403   403   403   403   403   302
"""
PUBLIC = {
    "account_login", "mfa_authenticate", "openid_connect_login", "openid_connect_callback",
    "healthz", "invitation", "login", "logout", "set_language", "password_reset", "password_reset_confirm",
}  # fmt: skip
PLACES = _places()


def names_of(patterns: Iterable[URLPattern | URLResolver]) -> set[str | None]:
    """Return the names of all addresses of ours, those of Django's admin and of programs aside.

    These are tried in tests/api: test_access.py, test_moodle_protocol.py.
    """
    names: set[str | None] = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            names.add(pattern.name)
        elif pattern.namespace not in ("admin", "api", "moodle_protocol"):
            names |= names_of(pattern.url_patterns)
    return names


@pytest.fixture
def people(db: None) -> dict[str, User]:
    people = {}
    for role, codenames in ROLES.items():
        user = User.objects.create_user(role, password="x", is_superuser=role == "root")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        assert user.user_permissions.count() == len(codenames)
        people[role] = user
    main, other = MoodleSite.objects.get(slug="main"), MoodleSite.objects.create(slug="other", name="Another Moodle")
    for role in GIVEN_ROLES:
        people[role] = User.objects.create_user(role, password="x")
        site, name = (other, "administrator") if role == "elsewhere" else (main, role)
        file_types = [] if name == "administrator" else ["users"]
        RoleAssignment.objects.create(person=people[role], site=site, role=name, file_types=file_types)
    return people


@pytest.fixture
def ids(site: MoodleSite, people: dict[str, User], make_file: MakeFile, make_run: MakeRun) -> dict[str, int]:
    """What the addresses are about. The file and the run are of the type `users`, nobody is named as their owner."""
    file, run = make_file(), make_run()
    keep_run_file(run, "report")
    keep_run_file(run, "tryback")
    owner, now = Responsible.of(people["other"]), timezone.now()
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2, 15), enabled=True), owner=owner)
    window = FreezeWindow.objects.create(site=site, starts_at=now, ends_at=now + timedelta(hours=1))
    sequence = SequenceRun.objects.create(site=site, processors=["users"])
    mapping = SavedMapping.objects.create(site=site, processor="users", name="M", version=1, header=["Login"], data={})
    bundle = Bundle.objects.create(site=site, name="in.zip", processors=["users"])
    make_run(bundle=bundle)
    scope = ScopeLimits.objects.create(site=site, kind="category", name="ARTS")
    assignment = RoleAssignment.objects.get(person=people["viewer"])
    invitation = Invitation.objects.create(
        site=site, role="viewer", email="new@example.org", invited_by=people["root"], host="testserver", language="en"
    )
    root = people["root"]
    token = make_token(root, site, root, name="t", scopes=["read"], file_types=[], days=30).token
    return {
        "token": token.pk,
        "file": file.pk, "unknown": make_file("notes.txt", b"hello;there\n").pk, "run": run.pk, "schedule": schedule.pk,
        "window": window.pk, "sequence": sequence.pk, "person": people["viewer"].pk, "assignment": assignment.pk,
        "invitation": invitation.pk, "scope": scope.pk, "mapping": mapping.pk, "bundle": bundle.pk,
    }  # fmt: skip


def ask(client: Client, place: Place, ids: dict[str, int]) -> int:
    """Return the answer of an address; whatever it does to our database is undone."""
    url = reverse(place.name, args=[ids.get(word, word) for word in place.of])
    with transaction.atomic():
        answer = client.get(url) if place.send is None else client.post(url, place.send)
        if answer.streaming:
            # Read to its end, it closes its file; `close` would close the database as well.
            assert answer.getvalue()
        transaction.set_rollback(True)
    return answer.status_code


def test_the_matrix_knows_every_address() -> None:
    assert names_of(get_resolver().url_patterns) == {place.name for place in PLACES} | PUBLIC


@pytest.mark.parametrize("role", EVERYBODY)
def test_each_role_gets_what_it_may(role: str, people: dict[str, User], ids: dict[str, int]) -> None:
    client = Client()
    if role != "stranger":
        client.force_login(people[role])
    got = {f"{place.name} {place.of} {place.send}": ask(client, place, ids) for place in PLACES}
    assert got == {f"{place.name} {place.of} {place.send}": place.answers[role] for place in PLACES}


# What a browser, a cache or a download manager may ask with, and what somebody might try.
CRAFTED: tuple[dict[str, Any], ...] = (
    {"HTTP_RANGE": "bytes=0-10"}, {"HTTP_RANGE": "bytes=5-,0-1,-3", "HTTP_IF_RANGE": '"x"'}, {"HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_IF_MODIFIED_SINCE": "Thu, 01 Jan 2099 00:00:00 GMT"}, {"HTTP_IF_MATCH": '"x"'}, {"HTTP_HX_REQUEST": "true"},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_BOOSTED": "true"}, {"HTTP_X_HTTP_METHOD_OVERRIDE": "GET"},
    {"HTTP_X_ORIGINAL_URL": "/files/1/", "HTTP_X_REWRITE_URL": "/files/1/"},
    {"HTTP_REMOTE_USER": "root", "HTTP_AUTHORIZATION": "Basic cm9vdDo="},
)  # fmt: skip


@pytest.mark.parametrize("role", ["checker", "files"])
def test_no_header_and_no_other_method_opens_more(role: str, people: dict[str, User], ids: dict[str, int]) -> None:
    client = Client()
    client.force_login(people[role])
    # What can be read and not be sent isn't closed to reading.
    readable = {place.name for place in PLACES if place.send is None and place.answers[role] == 200}
    closed = [place for place in PLACES if place.answers[role] in (403, 404) and place.name not in readable]
    # Each address is asked in two ways, each way of a tenth or more of the addresses: all of all would be thousands.
    turns = zip(cycle(CRAFTED), cycle(("HEAD", "PUT")), strict=False)
    for place, (crafted, other) in zip(closed, turns, strict=False):
        url = reverse(place.name, args=[ids.get(word, word) for word in place.of])
        for method, headers in (("GET", crafted), (other, {})):
            answer = client.generic(method, url, **headers)
            assert answer.status_code in (403, 404, 405), (place, method, headers)
            assert b"Secret-" not in answer.content


def test_what_may_be_read_is_read_whole(make_file: MakeFile, full_client: Client) -> None:
    """Nothing of a file is kept by a browser or a proxy for whoever asks next."""
    file = make_file()
    url = reverse("file_download", args=[file.pk])
    for headers in CRAFTED:
        answer = full_client.get(url, **headers)
        assert answer.status_code == 200
        assert answer.getvalue() == USERS_CSV
        assert "no-store" in answer["Cache-Control"]
        assert "ETag" not in answer
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role not in ("stranger", "root")])
def test_djangos_admin_is_for_superusers(role: str, people: dict[str, User]) -> None:
    """Also for who is of its staff, as people were before there were roles."""
    User.objects.filter(pk=people[role].pk).update(is_staff=True)
    client = Client()
    client.force_login(people[role])
    for name in ("index", "auth_user_changelist", "sync_commandfile_changelist"):
        assert client.get(reverse(f"admin:{name}"), follow=True).status_code == 403


def test_the_login_of_djangos_admin_is_the_one_of_all_pages(people: dict[str, User]) -> None:
    answer = Client().get("/admin/auth/user/", follow=True)
    assert [address.partition("?")[0] for address, _status in answer.redirect_chain] == ["/admin/login/", "/login/"]
    client = Client()
    client.force_login(people["root"])
    assert client.get("/admin/auth/user/").status_code == 200


@pytest.mark.parametrize("name", ["tool", "tool_preview", "tool_template", "tool_sample"])
def test_the_permission_for_one_tool_doesnt_open_another(name: str, users_client: Client) -> None:
    assert users_client.get(reverse(name, args=["users_delete"])).status_code == 404


@pytest.mark.parametrize("kind", ["report", "tryback", "archive"])
def test_files_of_a_run_are_only_for_people_of_its_tool(
    kind: str, make_run: MakeRun, users_client: Client, client_with: Callable[..., Client]
) -> None:
    run = make_run(processor="users_delete")
    keep_run_file(run, kind)
    url = reverse("run_file", args=[run.pk, kind])
    assert users_client.get(url).status_code == 404
    answer = client_with("run_users_delete").get(url)
    answer.close()
    assert answer.status_code == 200


def test_the_journal_of_a_run_is_never_handed_out(make_run: MakeRun, users_client: Client) -> None:
    run = make_run()
    keep_run_file(run, "journal")
    assert users_client.get(reverse("run_file", args=[run.pk, "journal"])).status_code == 404


@pytest.mark.parametrize(
    "name", ["run_cancel", "run_pause", "run_resume", "run_mails", "run_apply", "run_decide", "run_undo"]
)
def test_what_changes_something_needs_a_post(name: str, make_run: MakeRun, users_client: Client) -> None:
    assert users_client.get(reverse(name, args=[make_run().pk])).status_code == 405


@pytest.mark.parametrize("name", ["tool", "files"])
def test_a_post_without_csrf_token_is_refused(name: str, full_client: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={})
    strict.cookies = full_client.cookies
    answer = strict.post(reverse(name, args=["users"] if name == "tool" else []), headers={"Accept-Language": "fr"})
    assert answer.status_code == 403
    assert "Rien n\N{RIGHT SINGLE QUOTATION MARK}a été modifié" in answer.text


def test_a_fragment_asks_for_the_whole_page_once_the_session_has_ended(make_run: MakeRun) -> None:
    answer = Client().get(reverse("run_progress", args=[make_run("running").pk]), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_somebody_without_any_permission_is_told_whom_to_ask(
    client_with: Callable[..., Client], django_user_model: type[User]
) -> None:
    django_user_model.objects.create_superuser("root", email="root@example.org", first_name="Grace", last_name="Hopper")
    answer = client_with().get(reverse("home"))
    assert answer.status_code == 403
    assert "Grace Hopper" in answer.text
    assert "root@example.org" in answer.text
