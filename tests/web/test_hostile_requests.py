"""Requests that no browser makes: hosts of fields, numbers beyond all bounds, times at the ends of the calendar, signs that
end a line. None is an error of the server, and none takes long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sync.models import FreezeWindow, MoodleSite, Schedule
from tests.web.conftest import MakeRun

QUICK_SECONDS = 5.0
SIGNS = (
    "a\r\nX-Other: x",
    "a\nb",
    "a\0b",
    "\x85\u2028\u2029",
    "é\U0001f600",
    "\u202eabc",
    "x" * 20_000,
    '"; filename="b',
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
)
NUMBERS = ("9" * 5000, "-1", "1e400", "NaN", "\u0661", "0x1", "9" * 18, "9" * 20, "")


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def quickly(ask: Callable[[], Any]) -> Any:
    start = time.monotonic()
    answer = ask()
    assert time.monotonic() - start < QUICK_SECONDS
    assert answer.status_code < 500
    return answer


@pytest.mark.parametrize("sign", range(len(SIGNS)))
def test_signs_in_every_field(admin: Client, make_run: MakeRun, sign: int) -> None:
    text, run = SIGNS[sign], make_run()
    pages = ("notification_rules", "feeds", "sources", "files", "runs", "retention")
    for page in pages:
        quickly(partial(admin.get, reverse(page), {"folder": text, "page": text, "state": text, "processor": text}))
    for key in ("all", "users"):
        fields = dict.fromkeys(("success", "rejections", "failure", "overdue"), f"x@example.org {text}@example.org")
        fields |= {"language": text, "expected_at": text}
        quickly(partial(admin.post, reverse("notification_rule", args=[key]), fields))
    hook = {"address": f"https://example.org/{text}", "key": text * 20, "events": [text]}
    quickly(lambda: admin.post(reverse("webhook"), hook))
    source = {
        "kind": "address",
        "address": f"https://example.org/{text}",
        "username": text,
        "password": text,
        "host_key": text,
    }
    quickly(lambda: admin.post(reverse("source", args=["users"]), source))
    quickly(lambda: admin.post(reverse("source", args=["users"]), {"kind": "area", "paths": text}))
    schedule = {"processors": ["users"], "name": text, "kind": "crontab", "crontab": text, "every": text, "at": text}
    quickly(lambda: admin.post(reverse("schedule_new"), schedule))
    quickly(lambda: admin.post(reverse("freeze"), {"starts_at": text, "ends_at": text, "reason": text}))
    quickly(lambda: admin.get(reverse("run", args=[run.pk]), {"show": text, "page": text}))
    quickly(lambda: admin.get(reverse("run_outcomes", args=[run.pk]), {"show": text, "page": text}))
    quickly(lambda: admin.get(reverse("tool", args=["users"]), {"file": text}))
    quickly(
        lambda: admin.get(
            reverse("tool_preview", args=["users"]),
            {"command_file": str(run.command_file_id), "option_encoding": text, "option_separator": text},
        )
    )
    quickly(lambda: admin.post("/i18n/setlang/", {"language": text, "next": text}))
    quickly(lambda: Client().post("/login/", {"username": text, "password": text, "next": text}))
    quickly(lambda: Client().post("/password/mail/", {"email": text}))
    quickly(lambda: Client().get(f"/password/mail/{'x' if chr(0) in text or len(text) > 99 else 'Mg'}/{'a-b'}/"))


@pytest.mark.parametrize(
    "address",
    ["/files/?folder=%00", "/files/?q=a%00b", "/people/?q=%00", "/deletions/?q=%00", "/runs/?state=%00", "/a%00b/"],
)
def test_a_null_character_is_looked_for_nowhere(admin: Client, address: str) -> None:
    answer = admin.get(address)
    assert (answer.status_code, "This request can't be understood" in answer.text) == (400, True)
    assert admin.get(address.replace("%00", "%2500")).status_code in (200, 404)


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_in_every_place(admin: Client, make_run: MakeRun, number: str) -> None:
    run = make_run()
    for page in ("runs", "files"):
        quickly(partial(admin.get, reverse(page), {"page": number}))
    quickly(lambda: admin.get(reverse("run", args=[run.pk]), {"page": number, "show": number}))
    quickly(lambda: admin.get(reverse("tool", args=["users"]), {"file": number}))
    quickly(lambda: admin.get(reverse("tool_preview", args=["users"]), {"command_file": number}))
    quickly(lambda: admin.post(reverse("tool", args=["users"]), {"command_file": number}))
    quickly(
        lambda: admin.post(
            reverse("schedule_new"), {"processors": ["users"], "kind": "every", "every": number, "unit": "hours"}
        )
    )
    quickly(
        lambda: admin.post(reverse("retention"), dict.fromkeys(("reports", "archives", "trybacks", "journals"), number))
    )
    for name in ("run", "run_report", "sequence_run", "file_download", "schedule"):
        if number.isdecimal() and number.isascii():
            path = reverse(name, args=[1]).replace("/1/", f"/{number}/")
            assert quickly(partial(admin.get, path)).status_code == 404
            assert quickly(partial(admin.post, path)).status_code in (404, 405)


def test_thousands_of_fields_files_and_cookies(admin: Client) -> None:
    assert (
        quickly(lambda: admin.post(reverse("retention"), {f"field{n}": "x" for n in range(5_000)})).status_code == 400
    )
    many = "&".join(f"shown={n}&course={n}" for n in range(5_000))
    post = lambda: admin.post(reverse("courses_choose"), many, content_type="application/x-www-form-urlencoded")  # noqa: E731
    assert quickly(post).status_code == 400
    part = '--x\r\nContent-Disposition: form-data; name="uploads"; filename="a{n}.csv"\r\n\r\nx\r\n'
    body = "".join(part.format(n=n) for n in range(3_000)) + "--x--\r\n"
    assert (
        quickly(lambda: admin.generic("POST", reverse("files"), body, "multipart/form-data; boundary=x")).status_code
        == 400
    )
    headers = "".join(f"X-{n}: {'y' * 100}\r\n" for n in range(5_000))
    body = f'--x\r\nContent-Disposition: form-data; name="a"\r\n{headers}\r\nx\r\n--x--\r\n'
    quickly(lambda: admin.generic("POST", reverse("files"), body, "multipart/form-data; boundary=x"))
    quickly(
        lambda: admin.generic("POST", reverse("files"), "x" * 100_000, f"multipart/form-data; boundary={'=' * 60_000}")
    )
    quickly(lambda: admin.generic("POST", reverse("files"), "--x" * 100_000, "multipart/form-data; boundary=x"))
    quickly(lambda: admin.get(reverse("runs"), HTTP_COOKIE="; ".join(f"a{n}={n}" for n in range(20_000))))
    quickly(lambda: admin.get(f"{reverse('runs')}?{'&'.join(f'a{n}={n}' for n in range(50_000))}"))
    quickly(lambda: admin.get(reverse("runs"), HTTP_ACCEPT_LANGUAGE="fr;q=0.1," * 50_000))
    quickly(
        lambda: admin.get(reverse("runs"), HTTP_IF_NONE_MATCH='"a",' * 50_000, HTTP_IF_MODIFIED_SINCE="x" * 100_000)
    )
    quickly(lambda: admin.get(reverse("runs"), HTTP_HX_CURRENT_URL="x://" * 50_000, HTTP_HX_REQUEST="true"))
    quickly(lambda: admin.get("/" + "a/" * 50_000))
    deep = "[" * 500_000
    for path in (reverse("webhook"), reverse("retention"), "/admin/sync/moodlesite/add/"):
        quickly(partial(admin.post, path, deep, content_type="application/json"))
    quickly(lambda: admin.post("/admin/sync/moodlesite/add/", {"name": deep, "slug": deep, "connection": deep}))


MOMENTS = (
    "0001-01-01T00:00", "9999-12-31T23:59", "0000-00-00T00:00", "1970-01-01T00:00", "2038-01-19T03:14", "-0001-01-01T00:00",
    "2026-13-40T99:99", "99999-01-01T00:00", "2027-03-28T02:30", "2026-10-25T02:30", "2026-12-01T00:00+99:99",
    "2026-12-01T00:00Z", "2026-12-01T00:00:00.0000001", "2026-12-01 00:00", "now",
    "\u0661\u0662\u0663\u0664-\u0661\u0662-01T00:00",
)  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris"])
def test_windows_at_the_ends_of_the_calendar(admin: Client, site: MoodleSite, settings: Settings, zone: str) -> None:
    settings.TIME_ZONE = zone
    soon = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    for moment in (*MOMENTS, soon):
        for period in ((moment, moment), (moment, soon), (soon, moment)):
            fields = dict(zip(("starts_at", "ends_at"), period, strict=True))
            quickly(partial(admin.post, reverse("freeze"), fields))
    for window in FreezeWindow.objects.all():
        assert window.starts_at < window.ends_at <= timezone.now() + FreezeWindow.MAX_AHEAD + FreezeWindow.MAX_LENGTH
        assert window.ends_at - window.starts_at <= FreezeWindow.MAX_LENGTH
    quickly(lambda: admin.get(reverse("feeds")))


CRONTABS = (
    "* * * * *", "*/0 * * * *", "*/99999999999999999999 * * * *", "0-99999999999 * * * *", "0 0 31 2 *", "0 0 29 2 *",
    "0 0 30 2 1",
    "59-0 * * * *", "0 0 L * *", "0 0 * * 5L", "0 0 * * 1#9", "@yearly", "0 0 1 1 * 2999", "-1 * * * *", ",,,,, * * * *",
    "0," * 45 + "0 * * * *", "0 0 * JAN-DEC SUN-SAT", "\u0661 * * * *", "0 0 1W * *", "* * * * * * *", "0 0 W * *", "0 0 ? * ?",
    "1/1 * * * *", "*/1e1 * * * *", "0 24 * * *", "60 * * * *", "0 0 32 * *", "0 0 * 13 *", "0 0 * * 8", "0 0 0 * *",
)  # fmt: skip


@pytest.mark.parametrize("crontab", CRONTABS)
def test_rules_that_never_or_always_start(admin: Client, site: MoodleSite, crontab: str) -> None:
    Schedule.objects.all().delete()
    fields = {"processors": ["users"], "kind": "crontab", "crontab": crontab, "enabled": "on"}
    quickly(lambda: admin.post(reverse("schedule_new"), fields))
    on = {"nobody": "on", "digest": "morning", "limits": "hold"}
    for made in Schedule.objects.all():
        quickly(partial(admin.post, reverse("schedule_on", args=[made.pk]), on))
    for schedule in Schedule.objects.all():
        assert schedule.enabled
        assert schedule.next_at is not None
        assert schedule.next_at > timezone.now()
    quickly(lambda: admin.get(reverse("feeds")))
