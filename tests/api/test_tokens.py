"""Tokens: made, asked for at each request, narrowed, revoked; on pages and in requests."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.errors import PeopleRefused
from sync.models import ApiToken, GuardLimits, Machine, MoodleSite, RoleAssignment
from sync.people.machines import make_machine
from sync.people.rights import EVERY, may
from sync.people.tokens import digest_of, find_token, forget_tokens, make_token, revoke_token
from sync.runs.deciders import may_approve
from sync.runs.rights import Responsible
from tests.api.conftest import EVERYTHING, MakeProgram, Program, problem_of
from tests.web.conftest import MakeRun

PASSWORD = "a long password of ours"


def person_with(role: str, site: MoodleSite, name: str, *file_types: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    RoleAssignment.objects.create(person=user, site=site, role=role, file_types=list(file_types))
    return user


def test_who_asks_is_told(program: MakeProgram) -> None:
    asking = program("operator", "read", only=("users",), name="ann")
    answer = asking.get("/api/v1/token")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["person"], told["site"], told["scopes"], told["file_types"]) == ("ann", "main", ["read"], ["users"])
    assert asking.secret not in answer.text
    token = ApiToken.objects.get()
    assert token.last_used_at is not None
    assert token.digest == digest_of(asking.secret)


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic cm9vdDo=", "Token abc"])
def test_without_a_token_nothing_is_told(header: str, root: Program) -> None:
    answer = Client().get("/api/v1/sites", headers={"Authorization": header})
    problem_of(answer, 401, "token_missing")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_of_a_browser_opens_nothing(root: Program) -> None:
    client = Client()
    client.force_login(root.person)
    problem_of(client.get("/api/v1/sites"), 401, "token_missing")
    answer = client.put("/api/v1/sites/main/file-types/users/settings", {"options": {}}, "application/json")
    problem_of(answer, 401, "token_missing")


def test_a_token_ends(root: Program) -> None:
    token = ApiToken.objects.get()
    ApiToken.objects.update(expires_at=timezone.now())
    problem_of(root.get("/api/v1/sites"), 401, "token_expired")
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    root.person.is_active = False
    root.person.save()
    problem_of(root.get("/api/v1/sites"), 401, "token_of_nobody")
    root.person.is_active = True
    root.person.save()
    assert root.get("/api/v1/sites").status_code == 200
    revoke_token(root.person, token)
    problem_of(root.get("/api/v1/sites"), 401, "token_revoked")
    root.secret = "tsk_made-up\u00e9".encode().decode("latin-1")
    problem_of(root.get("/api/v1/sites"), 401, "token_unknown")


def test_who_guesses_has_to_wait(root: Program) -> None:
    good, root.secret = root.secret, "tsk_wrong"
    codes = [root.get("/api/v1/sites").json()["code"] for _try in range(61)]
    assert codes == ["token_unknown"] * 60 + ["too_many_requests"]
    root.secret = good
    assert root.get("/api/v1/sites").status_code == 200


def test_so_many_requests_a_minute(root: Program, settings: Settings) -> None:
    settings.TOOLSYNC_API_REQUESTS_PER_MINUTE = 2
    left = [root.get("/api/v1/sites").headers["RateLimit-Remaining"] for _try in range(2)]
    answer = root.get("/api/v1/sites")
    if answer.status_code == 200:
        # A minute began between.
        answer = [root.get("/api/v1/sites") for _try in range(2)][-1]
    problem_of(answer, 429, "too_many_requests")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert left[0] == "1"


def test_a_token_of_another_site_reaches_nothing(program: MakeProgram, site: MoodleSite) -> None:
    other = MoodleSite.objects.create(slug="other", name="Another Moodle")
    elsewhere = program(at=other)
    problem_of(elsewhere.get("/api/v1/sites/main/file-types"), 403, "token_of_another_site")
    problem_of(elsewhere.get("/api/v1/sites/nowhere/file-types"), 403, "token_of_another_site")
    assert [found["slug"] for found in elsewhere.get("/api/v1/sites").json()] == ["other"]


def test_a_token_leaves_less_than_its_person_may(site: MoodleSite) -> None:
    root = User.objects.create_superuser("root")
    made = make_token(root, site, root, name="t", scopes=["read", "plan"], file_types=["users"], days=30)
    other = MoodleSite.objects.create(slug="other", name="Another Moodle")
    asking = find_token(made.secret).person
    assert may(asking, "sync.run_users", site)
    assert may(asking, "sync.see_users", site)
    assert may(asking, "sync.manage_files", site)
    assert may(asking, "sync.manage_files", site, "users")
    assert not may(asking, "sync.manage_files", site, "courses")
    assert not may(asking, "sync.manage_files", site, EVERY)
    assert not may(asking, "sync.run_users", other)
    assert not may(asking, "sync.run_users_delete", site)
    for name in (
        "approve_runs",
        "end_grace",
        "view_audit",
        "manage_all_schedules",
        "manage_people",
        "manage_tokens",
        "erase_audit",
    ):
        assert not may(asking, f"sync.{name}", site, "users"), name
    assert may(root, "sync.run_users_delete", other)


def test_the_rights_of_a_moment_ago_are_gone(program: MakeProgram) -> None:
    asking = program("operator", file_types=("users",))
    assert [found["key"] for found in asking.get("file-types").json()] == ["users"]
    RoleAssignment.objects.update(file_types=["groups"])
    assert [found["key"] for found in asking.get("file-types").json()] == ["groups"]
    problem_of(asking.get("file-types/users"), 404, "not_found")
    RoleAssignment.objects.all().delete()
    problem_of(asking.get("file-types"), 403, "permission_missing")


def test_scopes_are_asked(program: MakeProgram) -> None:
    reading = program("administrator", "read")
    answer = reading.ask("PUT", "file-types/users/settings", {"options": {}})
    assert "manage" in problem_of(answer, 403, "scope_missing")["detail"]
    managing = program("administrator", "manage")
    problem_of(managing.get("file-types"), 403, "scope_missing")


def test_nobody_makes_tokens_for_others(site: MoodleSite) -> None:
    ann, bob = person_with("manager", site, "ann"), person_with("viewer", site, "bob")
    with pytest.raises(PeopleRefused, match="token_of_others"):
        make_token(ann, site, bob, name="t", scopes=["read"], file_types=[], days=30)
    made = make_token(bob, site, bob, name="t", scopes=["read"], file_types=[], days=30).token
    with pytest.raises(PeopleRefused, match="token_of_others"):
        revoke_token(person_with("approver", site, "eve"), made)
    revoke_token(ann, made)
    entries = [line.entry for line in find_entries(site, AuditQuery(kind="rights")).lines]
    codes = [entry.code for entry in entries if entry is not None and "token" in entry.code]
    assert codes == ["audit_token_deleted", "audit_token_created"]


def test_what_cant_be_made(site: MoodleSite) -> None:
    ann = person_with("operator", site, "ann")
    for scopes, days in (([], 30), (["all"], 30), (["read"], 31)):
        with pytest.raises(PeopleRefused, match="token_without_scope"):
            make_token(ann, site, ann, name="t", scopes=scopes, file_types=[], days=days)


def test_a_machine_has_no_right_that_its_maker_hasnt(site: MoodleSite) -> None:
    manager, operator = person_with("manager", site, "ann"), person_with("operator", site, "bob")
    machine = make_machine(manager, site, "sis", "operator", ["users"])
    assert not machine.user.has_usable_password()
    assert (
        make_token(manager, site, machine.user, name="t", scopes=["read"], file_types=[], days=30).token.created_by
        == manager
    )
    for maker, name, role, code in (
        (operator, "sis2", "viewer", "machine_of_others"),
        (manager, "SIS", "viewer", "machine_name_wrong"),
        (manager, "sis", "viewer", "machine_known"),
        (manager, "sis3", "administrator", "role_beyond_own"),
        (person_with("manager", site, "eve", "users"), "sis3", "operator", "machine_of_others"),
    ):
        with pytest.raises(PeopleRefused, match=code):
            make_machine(maker, site, name, role, [])
    RoleAssignment.objects.create(person=machine.user, site=site, role="administrator")
    with pytest.raises(PeopleRefused, match="token_of_others"):
        make_token(manager, site, User.objects.get(pk=machine.pk), name="t", scopes=["read"], file_types=[], days=30)


def test_a_machine_is_no_second_person(site: MoodleSite, make_run: MakeRun) -> None:
    """Neither for what it asked for, nor for what those asked for who hold its tokens."""
    GuardLimits.objects.create(site=site, processor="", needs_second_person=True)
    manager, other = person_with("manager", site, "ann"), person_with("approver", site, "bob")
    machine = make_machine(manager, site, "sis", "approver", []).user
    by_machine = make_run("held", requested_by=machine, owner=machine, owner_name="machine-sis")
    by_manager = make_run("held", requested_by=manager, owner=manager, owner_name="ann")
    assert not may_approve(by_machine, Responsible.of(manager))
    assert not may_approve(by_manager, Responsible.of(machine))
    assert may_approve(by_machine, Responsible.of(other))
    assert may_approve(by_manager, Responsible.of(other))


def test_old_tokens_are_forgotten(root: Program, program: MakeProgram) -> None:
    program()
    ApiToken.objects.filter(person=root.person).update(expires_at=timezone.now() - timedelta(days=91))
    forget_tokens()
    assert not ApiToken.objects.filter(person=root.person).exists()
    assert ApiToken.objects.count() == 1


def logged_in(user: User) -> Client:
    """Return the browser of somebody who has just shown their password."""
    client = Client()
    client.post("/login/", {"username": user.username, "password": PASSWORD})
    client.post("/login/again/", {"password": PASSWORD, "next": "/settings/tokens/new/"})
    assert client.session["_auth_user_id"] == str(user.pk)
    return client


def test_the_password_is_asked_for_again(site: MoodleSite) -> None:
    """A browser that somebody left open makes no token that outlives it."""
    client = Client()
    client.force_login(person_with("manager", site, "ann"))
    chosen = {"name": "t", "scopes": ["read"], "days": "90"}
    assert client.post("/settings/tokens/new/", chosen).headers["Location"].startswith("/login/again/")
    assert client.post("/settings/tokens/machine/", {"name": "sis"}).headers["Location"].startswith("/login/again/")
    assert not ApiToken.objects.exists()


def test_a_token_is_shown_once(site: MoodleSite) -> None:
    client = logged_in(person_with("operator", site, "ann"))
    assert client.get("/settings/tokens/new/").status_code == 200
    answer = client.post("/settings/tokens/new/", {"name": "<SIS>", "scopes": ["read", "plan"], "days": "90"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    secret = re.findall(r"tsk_[\w-]{43}", answer.text)[0]
    assert find_token(secret).scopes == ["read", "plan"]
    page = client.get("/settings/tokens/").text
    assert "&lt;SIS&gt;" in page
    assert secret[:10] in page
    assert secret[:12] not in page
    token = ApiToken.objects.get()
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    assert not ApiToken.objects.get().is_live
    assert "ann" in client.get("/settings/tokens/").text


def test_a_wrong_form_says_why(site: MoodleSite) -> None:
    client = logged_in(person_with("operator", site, "ann"))
    answer = client.post("/settings/tokens/new/", {"name": "", "days": "5", "file_types": ["nothing"]})
    assert answer.status_code == 200
    assert not ApiToken.objects.exists()
    assert answer.text.count('role="alert"') >= 2


def test_managers_see_all_and_make_machines(site: MoodleSite) -> None:
    bob = person_with("operator", site, "bob")
    make_token(bob, site, bob, name="bobs", scopes=EVERYTHING, file_types=[], days=30)
    client = logged_in(person_with("manager", site, "ann"))
    assert "bobs" in client.get("/settings/tokens/").text
    made = client.post("/settings/tokens/machine/", {"name": "sis", "role": "operator", "scope": "every"})
    assert made.status_code == 302
    machine = Machine.objects.get()
    assert machine.made_by_name == "ann"
    assert "machine-sis" in client.get("/settings/tokens/new/").text
    chosen = {"name": "m", "person": str(machine.pk), "scopes": ["read"], "days": "30"}
    client.post("/settings/tokens/new/", chosen)
    assert ApiToken.objects.get(name="m").person == machine.user
    again = client.post("/settings/tokens/machine/", {"name": "sis", "role": "operator", "scope": "every"})
    assert "machine-sis" in again.text
    assert Machine.objects.count() == 1
