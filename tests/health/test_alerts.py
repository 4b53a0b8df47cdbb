"""People hear once that a part is dead, and once that it works again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sync.health.alerts import notify_of_dead_parts
from sync.health.records import Part, fails, ok, save_finding, warns
from sync.models import Event, MoodleSite, Notification, Role, RoleAssignment
from sync.notifications.compose import payload_of, send_mail
from sync.notifications.services import RuleChoice, save_rule, send_notification
from tests.servers import free_port

BEGUN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def site(db: None) -> MoodleSite:
    site = MoodleSite.objects.get()
    save_rule(site, "", RuleChoice({"failure": ["it@x.org"], "success": ["b@x.org"]}, language="en"))
    return site


def events() -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("event", "part"))


def test_a_dead_part_is_told_once_and_its_recovery_once(
    site: MoodleSite, settings: Settings, mailoutbox: list[object]
) -> None:
    settings.TIME_ZONE = "UTC"
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org"
    with time_machine.travel(BEGUN, tick=False) as clock:
        for minute, finding in enumerate(
            [fails("health_storage_fails", reason="read-only")] * 6 + [warns("health_unseen")] * 3
        ):
            clock.move_to(BEGUN + timedelta(minutes=minute))
            save_finding(Part.STORAGE, finding)
            notify_of_dead_parts()
        assert events() == [(Event.DEAD, "storage"), (Event.RECOVERED, "storage")]
        dead, recovered = Notification.objects.order_by("pk")
        assert dead.recipients == recovered.recipients == ["it@x.org"]
        assert (dead.created_at, dead.since) == (BEGUN + timedelta(minutes=3), BEGUN)
        assert payload_of(dead)["part"] == "storage"
        assert "read-only" in payload_of(dead)["error"]["text"]
        send_mail(recovered)
        send_mail(dead)
    # That it was dead comes too late by now.
    [mail] = mailoutbox
    assert mail.subject == "[ToolSync] Storage of files: works again"  # type: ignore[attr-defined]
    assert "It works again since 24 Nov 2026, 09:06. It had failed since 24 Nov 2026, 09:03." in mail.body  # type: ignore[attr-defined]


def test_what_comes_back_at_once_wakes_nobody(site: MoodleSite) -> None:
    with time_machine.travel(BEGUN, tick=False) as clock:
        save_finding(Part.MOODLE, fails("moodle_unavailable", detail="away"), site.slug)
        notify_of_dead_parts()
        clock.shift(timedelta(minutes=2))
        save_finding(Part.MOODLE, ok("health_queue_empty"), site.slug)
        notify_of_dead_parts()
        clock.shift(timedelta(minutes=2))
        save_finding(Part.MOODLE, fails("moodle_unavailable", detail="away"), site.slug)
        notify_of_dead_parts()
    assert events() == []


def test_a_dead_part_that_nobody_could_be_told_of_is_told_again_while_it_is_dead(
    site: MoodleSite, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.TOOLSYNC_NOTIFICATION_RETRY_DELAYS = []
    with time_machine.travel(BEGUN, tick=False) as clock:
        save_finding(Part.STORAGE, fails("health_storage_fails", reason="read-only"))
        for minute in (5, 6):
            clock.move_to(BEGUN + timedelta(minutes=minute))
            notify_of_dead_parts()
        send_notification(Notification.objects.get().pk)
        notify_of_dead_parts()
    assert events() == [(Event.DEAD, "storage")] * 2


def test_where_nobody_hears_of_failures_nothing_is_kept(site: MoodleSite) -> None:
    save_rule(site, "", RuleChoice({}))
    save_finding(Part.DISK, fails("health_disk_full", free=0, percent=0, folder="/var"))
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        notify_of_dead_parts()
    assert events() == []


def test_each_site_that_needs_a_part_is_told_with_links_to_its_own_pages(
    site: MoodleSite, settings: Settings, mailoutbox: list[Any]
) -> None:
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org"
    school = MoodleSite.objects.create(slug="school", name="School")
    out_of_use = MoodleSite.objects.create(slug="old", name="Old", in_use=False)
    save_rule(school, "", RuleChoice({"failure": ["IT@x.org", "school@x.org"]}, language="en"))
    save_rule(out_of_use, "", RuleChoice({"failure": ["old@x.org"]}))
    with time_machine.travel(BEGUN, tick=False) as clock:
        save_finding(Part.MOODLE, fails("moodle_unavailable", reason="away"), "school")
        save_finding(Part.MOODLE, fails("moodle_unavailable", reason="away"), "old")
        clock.shift(timedelta(minutes=4))
        notify_of_dead_parts()
        (of_school,) = Notification.objects.all()
        assert (of_school.site, of_school.recipients) == (school, ["IT@x.org", "school@x.org"])
        save_finding(Part.BROKER, fails("health_storage_fails", reason="away"))
        clock.shift(timedelta(minutes=4))
        notify_of_dead_parts()
        of_all = Notification.objects.filter(part="broker").order_by("pk")
        assert [(told.site, told.recipients) for told in of_all] == [(site, ["it@x.org"]), (school, ["school@x.org"])]
        # That another Moodle works again is no news of this one.
        Notification.objects.create(
            site=site, processor="", event=Event.RECOVERED, part="moodle", channel="mail", recipients=["it@x.org"]
        )
        send_mail(of_school)
    assert len(mailoutbox) == 2
    assert "Health: https://sync.example.org/sites/school/settings/health/" in mailoutbox[0].body


def test_addresses_of_servers_stand_only_in_mails_to_those_who_see_them(
    site: MoodleSite, mailoutbox: list[Any]
) -> None:
    for name, role in (("vic", Role.VIEWER), ("max", Role.MANAGER)):
        person = User.objects.create_user(name, f"{name}@x.org")
        RoleAssignment.objects.create(person=person, site=site, role=role)
    save_rule(site, "", RuleChoice({"failure": ["vic@x.org", "max@x.org", "nobody@x.org"]}, language="en"))
    save_finding(Part.STORAGE, fails("health_storage_fails", reason="nfs.inner.example"))
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        notify_of_dead_parts()
        send_mail(Notification.objects.get())
    said = {mail.to[0]: mail.body for mail in mailoutbox}
    assert said.keys() == {"vic@x.org", "max@x.org", "nobody@x.org"}
    assert [address for address, text in said.items() if "nfs.inner.example" in text] == ["max@x.org"]
    assert "…" in said["vic@x.org"]
