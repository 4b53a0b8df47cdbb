"""Where somebody is logged in: seen, ended, and by an administrator too."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sync.people.sessions import forget_sessions, sessions_of
from sync.web.user_agents import browser_words

PASSWORD = "Right-1#word"


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", password=PASSWORD)


def browser(user: User, name: str, password: str = PASSWORD) -> Client:
    client = Client(headers={"User-Agent": name})
    client.post("/login/", {"username": user.username, "password": password}, REMOTE_ADDR="192.0.2.1")
    return client


def logged_in(client: Client) -> bool:
    return client.get("/password/").status_code == 200


def test_somebody_sees_the_own_sessions_and_ends_another(ann: User) -> None:
    first, second, third = (browser(ann, name) for name in ("First 1.0", "Second 2.0", "Third 3.0"))
    other = browser(User.objects.create_user("bob", password=PASSWORD), "Bob's")
    page = first.get("/sessions/").text
    assert [name in page for name in ("First 1.0", "Second 2.0", "Third 3.0", "Bob")] == [True, True, True, False]
    assert "192.0.2.1" in page
    ids = {one.user_agent: one.pk for one in sessions_of(ann)}
    assert "1 session was ended." in first.post("/sessions/end/", {"session": ids["Second 2.0"]}, follow=True).text
    assert [logged_in(client) for client in (first, second, third)] == [True, False, True]
    # Neither the own one nor that of somebody else.
    (of_bob,) = sessions_of(User.objects.get(username="bob"))
    for number in (ids["First 1.0"], of_bob.pk, "x"):
        assert "no other session" in first.post("/sessions/end/", {"session": number}, follow=True).text
    first.post("/sessions/end/")
    assert [logged_in(client) for client in (first, third, other)] == [True, False, True]


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132, Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Chrome 131, Linux",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
                "Safari/537.36 Edg/131.0.2903.51"
            ),
            "Edge 131, Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/18.1 Mobile/15E148 Safari/604.1"
            ),
            "Safari 18, iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 "
                "Safari/605.1.15"
            ),
            "Safari 17, macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Chrome 131, Android",
        ),
        ("curl/8.5.0", "curl 8"),
        ("Something 1.0", "unknown browser"),
        ("", "unknown browser"),
    ],
)
def test_a_browser_is_called_as_its_owner_calls_it(user_agent: str, words: str) -> None:
    assert browser_words(user_agent) == words


def test_another_password_ends_the_others_and_keeps_this_one(ann: User) -> None:
    first, second = browser(ann, "First 1.0"), browser(ann, "Second 2.0")
    new = "Other-Word#22"
    first.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert [logged_in(client) for client in (first, second)] == [True, False]
    assert [one.user_agent for one in sessions_of(ann)] == ["First 1.0"]


def test_an_administrator_ends_those_of_others(ann: User, client: Client) -> None:
    first = browser(ann, "First 1.0")
    client.force_login(User.objects.create_superuser("root"))
    assert "Logged in in 1 browser" in client.get(f"/people/{ann.pk}/").text
    assert "logged out everywhere" in client.post(f"/people/{ann.pk}/sessions/end/", follow=True).text
    assert not logged_in(first)


def test_who_was_switched_off_doesnt_come_back_by_an_old_session(ann: User, client: Client) -> None:
    first = browser(ann, "First 1.0")
    client.force_login(User.objects.create_superuser("root"))
    for on in ("0", "1"):
        client.post(f"/people/{ann.pk}/switch/", {"on": on})
        assert not logged_in(first)
    assert logged_in(browser(ann, "First 1.0"))


def test_logging_out_leaves_nothing_in_the_list(ann: User) -> None:
    first, second = browser(ann, "First 1.0"), browser(ann, "Second 2.0")
    second.post("/logout/")
    assert [one.user_agent for one in sessions_of(ann)] == ["First 1.0"]
    forget_sessions()
    assert logged_in(first)
