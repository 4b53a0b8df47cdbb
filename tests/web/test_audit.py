"""The page of the audit: what it finds, for whom, and how a person's values are erased on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.audit.services import record
from sync.models import AuditChain, AuditKind, AuditRecord, MoodleSite
from sync.runs.rights import Responsible
from sync.values import Change
from tests.audit.kit import faults


@pytest.fixture
def kim(site: MoodleSite) -> Responsible:
    """Somebody who has changed things of three people."""
    kim = Responsible.of(User.objects.create_user("kim"))
    for name in ("ada", "bob", "eve"):
        change = Change("lastname", f"Old-{name}", f"New-{name}")
        record(site, AuditKind.APPROVAL, kim, name, [change], users=[name, f"{name}@x.org"], courses=["ALG1"])
    return kim


def page(client: Client, **query: str) -> str:
    answer = client.get(reverse("audit"), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("user", ["ada", "ADA", "ada@x.org"])
def test_a_user_is_found(user: str, kim: Responsible, admin_client: Client) -> None:
    shown = page(admin_client, user=user)
    assert "<del>Old-ada</del>" in shown
    assert "New-bob" not in shown


def test_a_course_and_a_date_narrow_the_list(kim: Responsible, admin_client: Client) -> None:
    today = timezone.localdate().isoformat()
    assert "New-eve" in page(admin_client, course="alg1", since=today, until=today, kind="approval")
    assert "No change fits" in page(admin_client, course="alg1", until="2020-01-01")
    assert "No change fits" in page(admin_client, course="GEO")
    assert "New-eve" not in page(admin_client, since="nonsense")


def test_pages_follow_each_other_whatever_is_added_meanwhile(
    site: MoodleSite, kim: Responsible, admin_client: Client
) -> None:
    for number in range(60):
        record(site, AuditKind.SETTINGS, kim, "users", [Change("overwrite", "", f"v{number}.")])
    first = page(admin_client, kind="settings")
    assert ("v59." in first, "v10." in first, "v9." in first) == (True, True, False)
    (following,) = {
        record.sequence for record in AuditRecord.objects.filter(kind="settings").order_by("-sequence")[50:51]
    }
    assert f"start={following}-0" in first
    record(site, AuditKind.SETTINGS, kim, "users", [Change("overwrite", "", "late")])
    second = page(admin_client, kind="settings", start=f"{following}-0")
    assert ("v10." in second, "v9." in second, "v0." in second) == (False, True, True)


@pytest.mark.parametrize("start", ["", "x", "1", "-", "9-9-9", "1e9-0", "9" * 30 + "-1", "0-0"])
def test_addresses_that_nobody_made_do_no_harm(start: str, kim: Responsible, admin_client: Client) -> None:
    page(admin_client, start=start)


def test_an_audit_that_nobody_has_written_to_is_empty_and_stays_so(
    site: MoodleSite, client: Client, client_with: Callable[..., Client]
) -> None:
    auditor = client_with("view_audit")
    AuditRecord.objects.all().delete()
    AuditChain.objects.all().delete()
    assert "No change fits" in page(auditor)
    assert not AuditChain.objects.exists()


def test_what_was_altered_is_said_and_hides_nothing_else(kim: Responsible, admin_client: Client) -> None:
    newest = AuditRecord.objects.filter(kind="approval")[0]
    AuditRecord.objects.filter(pk=newest.pk).update(body=b"altered")
    shown = page(admin_client, kind="approval")
    assert "The entries were altered" in shown
    assert "New-ada" in shown


def test_somebody_with_the_right_erases_a_person_and_the_chosen_names(
    site: MoodleSite, kim: Responsible, admin_client: Client
) -> None:
    address = reverse("audit_erase") + "?name=ada"
    assert address in page(admin_client, user="ada")
    asked = admin_client.get(address).content.decode()
    assert "1 entry of the audit" in asked
    assert "ada@x.org" in asked
    assert "New-ada" in page(admin_client)

    answer = admin_client.post(address, {"names": ["ada", "ada@x.org"]}, follow=True)
    shown = answer.content.decode()
    assert "1 entry was erased." in shown
    assert "Values about a person were erased on request, in 1 record." in shown
    everything = page(admin_client, course="ALG1")
    assert "erased on request" in everything
    assert "ada" not in everything
    assert "New-bob" in everything
    assert faults(site) == []
    assert "No entry names this person" in admin_client.get(address).content.decode()


def test_only_names_that_were_offered_are_erased(kim: Responsible, admin_client: Client) -> None:
    admin_client.post(reverse("audit_erase") + "?name=ada", {"names": ["bob"]})
    assert "New-bob" in page(admin_client, user="bob")


def test_who_may_only_look_is_offered_no_erasure(kim: Responsible, client_with: Callable[..., Client]) -> None:
    auditor = client_with("view_audit")
    assert reverse("audit_erase") not in page(auditor, user="ada")
    assert auditor.post(reverse("audit_erase") + "?name=ada", {"names": ["ada"]}).status_code == 403
