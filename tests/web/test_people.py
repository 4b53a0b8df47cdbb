"""People, roles and invitations, as an administrator and an invited person go through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.models import CommandFile, Invitation, MoodleSite, Role, RoleAssignment
from sync.people.invitations import send_invitation
from tests.web.conftest import USERS_CSV, MakeFile, MakeRun, keep_run_file

PASSWORD = "Right-1#word"
CHOICE = {"email": "eve@example.org", "role": "operator", "scope": "some", "file_types": ["users", "enrolments"]}


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A worker that takes every task at once."""
    monkeypatch.setattr(current_app.conf, "task_always_eager", True)
    settings.TOOLSYNC_ADDRESS = "https://toolsync.example.org"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def chief(site: MoodleSite) -> Client:
    """Somebody with the role of an administrator."""
    return client_with_role(site, "chief", Role.ADMINISTRATOR)


def client_with_role(site: MoodleSite, name: str, role: str, *file_types: str) -> Client:
    person = User.objects.create_user(name, email=f"{name}@example.org", password=PASSWORD)
    RoleAssignment.objects.create(person=person, site=site, role=role, file_types=list(file_types))
    client = Client()
    client.force_login(person)
    return client


def link_of(message: mail.EmailMessage) -> str:
    found = re.search(r"https://toolsync\.example\.org(/invitation/\S+)", str(message.body))
    assert found is not None
    return found[1]


def accept(link: str, username: str = "eve") -> str:
    sent = {"username": username, "first_name": "Eve", "last_name": "Ray", "password1": PASSWORD, "password2": PASSWORD}
    return Client().post(link, sent, follow=True).text


def test_somebody_is_invited_accepts_and_does_what_the_role_permits(chief: Client, site: MoodleSite) -> None:
    said = chief.post("/people/invite/", CHOICE, follow=True)
    assert "A mail with a link goes to eve@example.org." in said.text
    (sent,) = mail.outbox
    assert sent.to == ["eve@example.org"]
    link = link_of(sent)
    assert Invitation.objects.get().digest not in link
    assert "chief has invited you" in Client().get(link).text
    assert "Welcome. Log in" in accept(link)
    eve = Client()
    assert eve.post("/login/", {"username": "eve", "password": PASSWORD}).status_code == 302
    assert eve.get("/tools/users/").status_code == 200
    assert eve.get("/tools/courses/").status_code == 404
    assert "used already" in accept(link, "another")
    assert User.objects.get(username="eve").email == "eve@example.org"
    assert not Invitation.objects.exists()


def test_an_invitation_ends_by_time_by_withdrawal_and_by_a_newer_mail(
    chief: Client, clock: time_machine.Traveller
) -> None:
    chief.post("/people/invite/", CHOICE)
    invitation = Invitation.objects.get()
    # A message that a broker delivers twice sends one mail.
    send_invitation(invitation.pk)
    chief.post(f"/people/invitations/{invitation.pk}/send/")
    first, second = map(link_of, mail.outbox)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200
    clock.shift(timedelta(days=7, seconds=1))
    assert Client().get(second).status_code == 410
    # The session has ended, too.
    chief.force_login(User.objects.get(username="chief"))
    assert "too old by now" in chief.get("/people/").text
    chief.post(f"/people/invitations/{invitation.pk}/send/")
    third = link_of(mail.outbox[-1])
    assert Client().get(third).status_code == 200
    chief.post(f"/people/invitations/{invitation.pk}/withdraw/")
    assert Client().get(third).status_code == 410
    assert "used already" in accept(third)
    assert not User.objects.filter(username="eve").exists()


def test_who_lost_the_right_meanwhile_has_invited_nobody(chief: Client) -> None:
    chief.post("/people/invite/", CHOICE)
    RoleAssignment.objects.filter(person__username="chief").update(role=Role.MANAGER)
    assert "may not give this role any more" in accept(link_of(mail.outbox[0]))
    assert not User.objects.filter(username="eve").exists()


def test_a_mail_that_was_not_taken_is_said_to_be_unsent(chief: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1,
    )  # fmt: skip
    chief.post("/people/invite/", CHOICE)
    assert "not sent yet" in chief.get("/people/").text


def test_nobody_is_invited_twice_nor_who_is_known_nor_beyond_the_own_rights(chief: Client, site: MoodleSite) -> None:
    chief.post("/people/invite/", CHOICE)
    assert "was invited already" in chief.post("/people/invite/", {**CHOICE, "email": "EVE@example.org"}).text
    assert (
        "There is a user with the address"
        in chief.post("/people/invite/", {**CHOICE, "email": "chief@example.org"}).text
    )
    assert (
        "Choose the file types" in chief.post("/people/invite/", {**CHOICE, "email": "x@y.org", "file_types": []}).text
    )
    lonely = client_with_role(site, "lonely", Role.VIEWER, "users")
    User.objects.get(username="lonely").user_permissions.set(Permission.objects.filter(codename="manage_people"))
    assert "rights that you don&#x27;t have" in lonely.post("/people/invite/", {**CHOICE, "email": "x@y.org"}).text
    assert len(mail.outbox) == 1


def test_a_role_is_given_and_taken_on_the_page_of_a_person(chief: Client, site: MoodleSite) -> None:
    ann = User.objects.create_user("ann", email="ann@example.org")
    page = f"/people/{ann.pk}/"
    sent = {"role": "approver", "scope": "some", "file_types": ["cohorts"]}
    assert "The role was given." in chief.post(f"{page}roles/", sent, follow=True).text
    text = chief.get(page).text
    assert "Approver" in text
    assert "Cohorts" in text
    given = RoleAssignment.objects.get(person=ann)
    assert "The role was taken away." in chief.post(f"{page}roles/{given.pk}/take/", follow=True).text
    assert "sees nothing" in chief.get(page).text
    chief.post(page, {"first_name": "Ann", "last_name": "Lee", "email": "lee@example.org"})
    ann.refresh_from_db()
    assert (ann.get_full_name(), ann.email) == ("Ann Lee", "lee@example.org")
    assert "is logged out" in chief.post(f"{page}switch/", {"on": "0"}, follow=True).text
    assert "switched off" in chief.get("/people/").text
    assert "may log in again" in chief.post(f"{page}switch/", {"on": "1"}, follow=True).text
    assert [person.username for person in chief.get("/people/", {"q": "lee ann"}).context["page"]] == ["ann"]


def test_an_administrator_cant_touch_a_superuser_nor_the_own_rights(chief: Client) -> None:
    root = User.objects.create_superuser("root", email="root@example.org")
    page = chief.get(f"/people/{root.pk}/").text
    assert "rights that you don't have" in page
    assert f"/people/{root.pk}/switch/" not in page
    chief.post(f"/people/{root.pk}/switch/", {"on": "0"})
    chief.post(f"/people/{root.pk}/", {"email": "mine@example.org"})
    root.refresh_from_db()
    assert (root.is_active, root.email) == (True, "root@example.org")
    own = User.objects.get(username="chief")
    assert "change your own rights" in chief.post(f"/people/{own.pk}/switch/", {"on": "0"}, follow=True).text
    assert User.objects.get(username="chief").is_active


def test_a_viewer_sees_a_run_and_can_do_nothing_to_it(site: MoodleSite, make_run: MakeRun) -> None:
    viewer = client_with_role(site, "viewer", Role.VIEWER, "users")
    run, other = make_run(), make_run(processor="courses")
    keep_run_file(run, "report")
    keep_run_file(run, "tryback", path="/trybacks/in.csv")
    page = viewer.get(f"/runs/{run.pk}/").text
    assert "What became of each row" in page
    assert "tryback" not in page
    assert '<form method="post" action="/runs/' not in page
    assert "/tools/" not in page
    assert viewer.get(f"/runs/{other.pk}/").status_code == 404
    assert [run.pk for run in viewer.get("/runs/").context["runs"]] == [run.pk]


def test_an_operator_replaces_and_deletes_only_files_of_their_file_types(site: MoodleSite, make_file: MakeFile) -> None:
    operator = client_with_role(site, "operator", Role.OPERATOR, "users")
    cohorts = make_file("cohorts.csv")
    CommandFile.objects.filter(pk=cohorts.pk).update(processor="cohorts")
    assert operator.post(f"/files/{cohorts.pk}/delete/").status_code == 403
    sent = {"uploads": SimpleUploadedFile("cohorts.csv", USERS_CSV), "folder": "/", "replace": "on"}
    said = operator.post("/files/", sent, follow=True).text
    assert "whose files you don&#x27;t manage" in said
    users = make_file("users.csv")
    assert operator.post(f"/files/{users.pk}/delete/").status_code == 302


def test_a_manager_of_one_file_type_sets_nothing_for_others(site: MoodleSite) -> None:
    manager = client_with_role(site, "manager", Role.MANAGER, "users")
    RoleAssignment.objects.create(
        person=User.objects.get(username="manager"), site=site, role=Role.OPERATOR, file_types=["enrolments"]
    )
    places = ("/settings/limits/%s/", "/sources/%s/", "/notices/%s/")
    for place in places:
        assert manager.get(place % "users").status_code == 200
        assert manager.get(place % "enrolments").status_code == 404
    assert manager.get("/settings/limits/all/").headers["Location"] == "/settings/limits/users/"
    assert manager.post("/settings/limits/all/", {"is_on": "1"}).status_code == 404
    assert manager.get("/tools/enrolments/").status_code == 200
