"""Values about a person are erased on request, and nothing else is; the chain stays whole."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.audit.erasure import erase_person, find_person
from sync.audit.services import record
from sync.models import AuditKind, AuditName, AuditRecord
from sync.runs.key_rotation import rotate_keys
from sync.runs.rights import OPERATOR, Responsible
from sync.values import Change
from tests.audit.kit import ADA, BOB, HEADER, NEW_NAME, faults, found, part_of
from tests.installation import Installation


@pytest.fixture
def audited(installation: Installation) -> Installation:
    installation.carry_out("/users.csv", HEADER + ADA + BOB)
    installation.carry_out("/changed.csv", HEADER + NEW_NAME)
    return installation


def test_what_is_said_of_a_person_is_gone_and_that_of_others_is_there(audited: Installation) -> None:
    parts = {kept.pk: part_of(kept).read_bytes() for kept in AuditRecord.objects.all()}
    assert erase_person(audited.site, ["ada"], OPERATOR) == 2

    assert found(audited.site) == [
        (0, "deleted", "", []),
        (2, "updated", "", [Change("lastname", "", "")]),
        (2, "created", "", []),
        (3, "created", "bob", []),
    ]
    assert found(audited.site, user="bob") == [(3, "created", "bob", [])]
    assert faults(audited.site) == []
    assert {kept.pk: part_of(kept).read_bytes() for kept in AuditRecord.objects.exclude(part_key="")} == parts


def test_an_erasure_is_an_entry_itself_and_is_found_by_the_name(audited: Installation) -> None:
    eraser = Responsible.of(User.objects.create_user("root"))
    erase_person(audited.site, ["ada", "A-1815"], eraser)
    assert found(audited.site, user="ADA") == found(audited.site, user="a-1815") == [(0, "deleted", "", [])]
    assert found(audited.site, user="ada@x.org") == []
    kept = AuditRecord.objects.get(kind=AuditKind.ERASURE)
    # That its user was made is a record as well.
    assert (kept.person, kept.sequence) == ("root", 4)
    assert b"ada" not in bytes(kept.body).lower()


def test_no_name_of_a_person_is_left_in_the_index(audited: Installation) -> None:
    before = set(AuditName.objects.values_list("name", flat=True))
    erase_person(audited.site, ["ada"], OPERATOR)
    of_erasure = AuditRecord.objects.get(kind=AuditKind.ERASURE).pk
    left = set(AuditName.objects.exclude(record_id=of_erasure).values_list("name", flat=True))
    assert (len(before), len(left)) == (6, 3)


def test_other_names_of_a_person_are_told_before(audited: Installation) -> None:
    audited.carry_out(
        "/renamed.csv", "username;idnumber;oldusername\nlovelace;A-1815;ada\n", processor="users", allowrename=1
    )
    assert find_person(audited.site, "ada").entries == 2
    assert find_person(audited.site, "ada").other_names == ("ada@x.org", "A-1815")
    assert find_person(audited.site, "nobody").entries == 0


def test_what_was_erased_is_not_erased_again_and_what_came_since_is(audited: Installation) -> None:
    assert erase_person(audited.site, ["ada"], OPERATOR) == 2
    assert erase_person(audited.site, ["ada"], OPERATOR) == 0
    assert AuditRecord.objects.count() == 3
    audited.carry_out("/back.csv", HEADER + ADA)
    assert erase_person(audited.site, ["ada"], OPERATOR) == 1
    assert faults(audited.site) == []


def test_a_key_that_was_destroyed_by_nobody_is_found(audited: Installation) -> None:
    sealed = {kept.pk: bytes(kept.keys) for kept in AuditRecord.objects.all()}
    erase_person(audited.site, ["ada"], OPERATOR)
    erased = {kept.pk: bytes(kept.keys) for kept in AuditRecord.objects.all() if kept.pk in sealed}
    for pk, keys in sealed.items():
        AuditRecord.objects.filter(pk=pk).update(keys=keys)
    assert "audit_erased_is_back" in faults(audited.site)
    for pk, keys in erased.items():
        AuditRecord.objects.filter(pk=pk).update(keys=keys)
    assert faults(audited.site) == []
    AuditRecord.objects.filter(kind=AuditKind.ERASURE).delete()
    assert "audit_erased_by_nobody" in faults(audited.site)


def test_what_people_changed_in_toolsync_is_erased_as_well(audited: Installation) -> None:
    record(audited.site, AuditKind.RIGHTS, OPERATOR, "ada", [Change("groups", "", "staff")], users=["ada"])
    assert erase_person(audited.site, ["ada"], OPERATOR) == 3
    assert found(audited.site)[1] == (0, "updated", "", [Change("groups", "", "")])
    assert faults(audited.site) == []


def test_another_secret_key_leaves_names_values_and_proofs_as_they_are(
    audited: Installation, settings: Settings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another " * 8, [settings.SECRET_KEY]
    assert rotate_keys().unreadable == ()
    settings.SECRET_KEY_FALLBACKS = []
    assert faults(audited.site) == []
    assert len(found(audited.site, user="ada")) == 2


def test_the_command_asks_first_and_erases_then(audited: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("eraseaudit", "ada")
    said = capsys.readouterr().out
    assert "2 entries" in said
    assert "A-1815" in said
    assert len(found(audited.site, user="ada")) == 2
    call_command("eraseaudit", "ada", "A-1815", yes=True)
    assert "2 entries were erased" in capsys.readouterr().out
    assert found(audited.site, user="ada@x.org") == []
    with pytest.raises(CommandError, match="There is no site"):
        call_command("eraseaudit", "ada", site="none")
