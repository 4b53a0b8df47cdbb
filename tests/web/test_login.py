"""Logging in, guessing, and the ways to another password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from celery import current_app
from django.conf import settings as project_settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.db.models import Sum
from django.test import Client, RequestFactory
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from sync.models import MailCount
from sync.notifications.password_mails import forget_mail_counts
from sync.web.login import FREE_NAMES, FREE_PASSWORDS, LONGEST_WAIT, client_address, wait_after

RIGHT, WRONG = "Right-1#word", "wrong"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def guarded(settings: Settings, db: None) -> None:
    settings.AXES_ENABLED = True
    cache.clear()


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes every task at once."""
    monkeypatch.setattr(current_app.conf, "task_always_eager", True)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", email="admin@example.org", password=RIGHT)


def log_in(name: str, password: str, address: str = HOME, **more: Any) -> Any:
    return Client().post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address, **more)


def test_wrong_passwords_make_the_pair_wait_longer_each_time(admin: User, clock: time_machine.Traveller) -> None:
    waits = []
    for _try in range(FREE_PASSWORDS + 4):
        answer = log_in("admin", WRONG)
        if answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            # Knocking meanwhile makes it no longer, and the right password isn't looked at either.
            assert log_in("admin", RIGHT).status_code == 429
            assert "Try again in" in answer.text
            clock.shift(waits[-1])
            assert log_in("admin", WRONG).status_code == 200
    assert waits == [2, 4, 8, 16]
    clock.shift(LONGEST_WAIT + timedelta(seconds=1))
    assert log_in("admin", RIGHT).status_code == 302
    assert log_in("admin", WRONG).status_code == 200


def test_a_stranger_cannot_lock_an_administrator_out(admin: User, clock: time_machine.Traveller) -> None:
    for number in range(60):
        log_in("admin", WRONG, address=ELSEWHERE)
        log_in("admin", WRONG, address=f"203.0.113.{number}")
    assert log_in("admin", RIGHT, address=ELSEWHERE).status_code == 429
    assert log_in("admin", RIGHT).status_code == 302


def test_other_spellings_of_a_name_are_counted_together(admin: User, clock: time_machine.Traveller) -> None:
    for name in ("admin", "Admin", "ADMIN", "\uff41dmin", "aDmin"):
        assert log_in(name, WRONG).status_code == 200
    assert log_in("admin", WRONG).status_code == 429


SPELLINGS = (
    "sam",
    "SAM",
    "s\u00e1m",
    "\u0161am",
    "sa\u0301m",
    "s\u200bam",
    "sam\u00ad",
    "\u00dfam",
    "sam\u3000",
    "\u017fam",
)


def test_whatever_the_database_takes_for_a_user_is_counted_as_this_user(clock: time_machine.Traveller) -> None:
    User.objects.create_user("sam", password=RIGHT)
    same = [name for name in SPELLINGS if User.objects.filter(username=name).exists()]
    for number in range(2 * FREE_PASSWORDS):
        log_in(same[number % len(same)], WRONG)
    assert log_in("sam", RIGHT).status_code == 429
    counted = AccessAttempt.objects.aggregate(sum=Sum("failures_since_start"))
    assert counted == {"sum": FREE_PASSWORDS}


def test_a_name_that_no_database_can_hold_is_an_answer_like_any_other(clock: time_machine.Traveller) -> None:
    for name in ("s\0am", "\0", "x" * 10_000, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")):
        assert log_in(name, WRONG).status_code == 200
    for _try in range(21):
        answer = Client().post("/password/mail/?\0=\0", {"email": "x@example.org", "username": "s\0am"})
    assert answer.status_code == 429


def test_another_browser_is_the_same_address(admin: User, clock: time_machine.Traveller) -> None:
    for number in range(FREE_PASSWORDS):
        log_in("admin", WRONG, HTTP_USER_AGENT=f"Browser {number}")
    assert log_in("admin", WRONG, HTTP_USER_AGENT="one more").status_code == 429


def test_spraying_names_from_one_address_is_slowed_down(admin: User, clock: time_machine.Traveller) -> None:
    answers = [log_in(f"name{number}", WRONG, address=ELSEWHERE).status_code for number in range(FREE_NAMES + 3)]
    assert answers == [200] * FREE_NAMES + [429] * 3
    assert log_in("admin", RIGHT, address=ELSEWHERE).status_code == 429
    assert log_in("admin", RIGHT).status_code == 302
    clock.shift(timedelta(hours=1, seconds=1))
    assert log_in("another", WRONG, address=ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "expected"),
    [
        (0, "", "10.0.0.1", "10.0.0.1"),
        (0, "6.6.6.6", "10.0.0.1", "10.0.0.1"),
        (1, "6.6.6.6, 192.0.2.9", "10.0.0.1", "192.0.2.9"),
        (1, "192.0.2.9", "10.0.0.1", "192.0.2.9"),
        (1, "", "10.0.0.1", "10.0.0.1"),
        (2, "6.6.6.6, 192.0.2.9, 10.0.0.2", "10.0.0.1", "192.0.2.9"),
        (2, "192.0.2.9", "10.0.0.1", "192.0.2.9"),
        (1, "nonsense", "10.0.0.1", "10.0.0.1"),
        (1, "' OR 1=1 --", "", "0.0.0.0"),
        (1, "2001:db8:1:2:3:4:5:6", "10.0.0.1", "2001:db8:1:2::"),
        (0, "", "::ffff:192.0.2.9", "192.0.2.9"),
        # As proxies write them: with a port, in brackets, with a zone, one in the form of the other.
        (1, "192.0.2.9:50000", "10.0.0.1", "192.0.2.9"),
        (1, "[2001:db8:1:2:3:4:5:6]:50000", "10.0.0.1", "2001:db8:1:2::"),
        (1, "[2001:db8:1:2:3:4:5:6]", "10.0.0.1", "2001:db8:1:2::"),
        (1, "[::ffff:192.0.2.9]:50000", "10.0.0.1", "192.0.2.9"),
        (1, "::ffff:c000:209", "10.0.0.1", "192.0.2.9"),
        (1, "fe80::1%eth0", "10.0.0.1", "fe80::"),
        (1, "192.0.2.9:", "10.0.0.1", "10.0.0.1"),
        (1, "192.0.2.009", "10.0.0.1", "10.0.0.1"),
        (1, "[192.0.2.9", "10.0.0.1", "192.0.2.9"),
        (1, "unknown", "10.0.0.1", "10.0.0.1"),
        (1, "_hidden:5", "10.0.0.1", "10.0.0.1"),
        (1, "9" * 5000, "10.0.0.1", "10.0.0.1"),
        (1, "6.6.6.6,,192.0.2.9,", "10.0.0.1", "192.0.2.9"),
        (3, "192.0.2.9, 10.0.0.3", "10.0.0.1", "192.0.2.9"),
    ],
)
def test_the_address_is_the_one_that_trusted_proxies_vouch_for(
    proxies: int, forwarded: str, remote: str, expected: str, settings: Settings
) -> None:
    settings.TOOLSYNC_TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
    assert client_address(request) == expected


def test_behind_a_proxy_people_are_told_apart(admin: User, settings: Settings, clock: time_machine.Traveller) -> None:
    settings.TOOLSYNC_TRUSTED_PROXIES = 1
    for number in range(2 * FREE_PASSWORDS):
        # What the client writes itself doesn't make it another one.
        log_in("admin", WRONG, address="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.1.1.{number}, {ELSEWHERE}")
    assert log_in("admin", RIGHT, address="10.0.0.1", HTTP_X_FORWARDED_FOR=ELSEWHERE).status_code == 429
    assert log_in("admin", RIGHT, address="10.0.0.1", HTTP_X_FORWARDED_FOR=HOME).status_code == 302


def test_the_wait_has_a_limit() -> None:
    assert wait_after(FREE_PASSWORDS - 1, FREE_PASSWORDS) == timedelta()
    assert wait_after(10**6, FREE_PASSWORDS) == LONGEST_WAIT


def test_a_new_password_by_mail_also_ends_the_wait(
    admin: User, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.TOOLSYNC_ADDRESS = "https://toolsync.example.org"
    for _try in range(FREE_PASSWORDS + 1):
        log_in("admin", WRONG)
    assert log_in("admin", RIGHT).status_code == 429
    client = Client()
    asked = client.post("/password/mail/", {"email": "Admin@example.org"}, follow=True, HTTP_HOST="localhost")
    assert "a mail with a link is on its way" in asked.text
    (sent,) = mail.outbox
    link = re.search(r"https://toolsync\.example\.org(/password/mail/\S+)", str(sent.body))
    assert link is not None
    form = client.get(link[1], follow=True)
    new = "Other-Word#22"
    done = client.post(form.redirect_chain[-1][0], {"new_password1": new, "new_password2": new}, follow=True)
    assert "Log in with it." in done.text
    assert log_in("admin", new).status_code == 302
    assert "used already" in Client().get(link[1], follow=True).text


def test_mails_are_neither_a_bomb_nor_an_oracle(admin: User) -> None:
    texts = {
        Client().post("/password/mail/", {"email": email}, follow=True).text
        for email in ("admin@example.org", "x@y.org")
    }
    said = [re.search(r"If a user of ToolSync[^<]*", text) for text in texts]
    assert all(said)
    for _try in range(5):
        Client().post("/password/mail/", {"email": "admin@example.org"})
    assert len(mail.outbox) == 1
    answers = [Client().post("/password/mail/", {"email": f"a{n}@y.org"}).status_code for n in range(20)]
    assert answers[-1] == 429


def test_every_process_counts_the_same_mails(admin: User) -> None:
    """What only one process knows is forgotten between two requests, as if another one answered."""
    for _try in range(3):
        Client().post("/password/mail/", {"email": "admin@example.org"})
        cache.clear()
    assert len(mail.outbox) == 1
    answers = []
    for number in range(20):
        answers.append(Client().post("/password/mail/", {"email": f"a{number}@y.org"}).status_code)
        cache.clear()
    assert answers[-1] == 429


@pytest.mark.parametrize(
    "email", ["ADMIN@EXAMPLE.ORG", "\uff41dmin@example.org", " admin@example.org ", "Admin@example.ORG"]
)
def test_another_spelling_of_an_address_gets_no_second_mail(
    admin: User, email: str, clock: time_machine.Traveller
) -> None:
    Client().post("/password/mail/", {"email": "admin@example.org"})
    Client().post("/password/mail/", {"email": email})
    assert [message.to for message in mail.outbox] == [["admin@example.org"]]
    clock.shift(timedelta(minutes=5, seconds=1))
    Client().post("/password/mail/", {"email": "admin@example.org"})
    assert len(mail.outbox) == 2
    clock.shift(timedelta(hours=2))
    forget_mail_counts()
    assert not MailCount.objects.exists()


def test_who_asks_for_a_mail_waits_as_long_whether_there_is_a_user_or_not(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """The worker does what takes time; of the web server both ask for the same, and nothing is sent by it."""
    monkeypatch.setattr(current_app.conf, "task_always_eager", False)
    for email in ("first@example.org", "x@y.org", "admin@example.org"):
        Client().post("/password/mail/", {"email": email})
        with django_assert_num_queries(1):
            Client().post("/password/mail/", {"email": email})
    assert mail.outbox == []


def test_without_the_workers_nobody_is_promised_a_mail(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "task_always_eager", False)

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app.amqp, "send_task_message", away)
    texts = {
        re.sub(r"csrf\S+ value=\S+", "", Client().post("/password/mail/", {"email": email}, follow=True).text)
        for email in ("admin@example.org", "x@y.org")
    }
    assert len(texts) == 1
    assert "Mails can&#x27;t be sent at the moment." in texts.pop()


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_HOST": "evil.example.com"},
        {"HTTP_HOST": "testserver", "HTTP_X_FORWARDED_HOST": "evil.example.com"},
        {"HTTP_HOST": "testserver", "HTTP_FORWARDED": "host=evil.example.com"},
        {"HTTP_HOST": "testserver@evil.example.com"},
        {"HTTP_HOST": "testserver:80@evil.example.com"},
        {"HTTP_HOST": "evil.example.com#testserver"},
        {"HTTP_HOST": "testserver", "SERVER_NAME": "evil.example.com"},
        {"HTTP_HOST": "evil.toolsync.example.org"},
    ],
)
@pytest.mark.parametrize("allowed", [["testserver"], [".toolsync.example.org", "testserver"], ["*"]])
def test_no_host_that_somebody_writes_gets_into_the_mail(
    admin: User, headers: dict[str, Any], allowed: list[str], settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = [*allowed, "localhost"]
    settings.TOOLSYNC_ADDRESS = ""
    answer = Client().post("/password/mail/", {"email": "admin@example.org"}, **headers)
    assert answer.status_code in (302, 400)
    assert "evil" not in "".join(str(message.body) for message in mail.outbox)
    settings.TOOLSYNC_ADDRESS = "https://toolsync.example.org"
    Client().post("/password/mail/", {"email": "admin@example.org"}, **headers)
    assert "evil" not in "".join(str(message.body) for message in mail.outbox)


def test_hosts_are_checked_without_debug() -> None:
    assert not project_settings.DEBUG
    assert Client().get("/login/", HTTP_HOST="evil.example.com").status_code == 400
    answer = Client().get("/login/", HTTP_HOST="testserver", HTTP_X_FORWARDED_HOST="evil.example.com")
    assert "evil" not in answer.text


def test_everybody_changes_the_own_password(client: Client) -> None:
    user = User.objects.create_user("nobody", password=RIGHT)
    client.force_login(user)
    assert "/password/" in client.get("/runs/").text
    new = "Other-Word#22"
    wrong = client.post("/password/", {"old_password": "x", "new_password1": new, "new_password2": new})
    assert wrong.context["form"].errors["old_password"]
    weak = client.post("/password/", {"old_password": RIGHT, "new_password1": "12345", "new_password2": "12345"})
    assert weak.context["form"].errors["new_password2"]
    done = client.post("/password/", {"old_password": RIGHT, "new_password1": new, "new_password2": new}, follow=True)
    assert "Your password was changed." in done.text
    assert log_in("nobody", new).status_code == 302
