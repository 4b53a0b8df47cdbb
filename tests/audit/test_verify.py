"""An altered byte and a missing record are found, wherever they are."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.audit.services import record
from sync.audit.verify import verify
from sync.models import AuditChain, AuditKind, AuditName, AuditRecord, MoodleSite, RunChunk, SyncRun
from sync.runs import services
from sync.runs.rights import OPERATOR
from sync.values import Change
from tests.audit.kit import ADA, BOB, HEADER, NEW_NAME, faults, found, part_of
from tests.installation import Installation


@pytest.fixture
def audited(installation: Installation, settings: Settings) -> Installation:
    """Three records of runs, and one of a setting between them."""
    settings.TOOLSYNC_CHUNK_ROWS = 1
    installation.carry_out("/users.csv", HEADER + ADA + BOB)
    record(installation.site, AuditKind.SETTINGS, OPERATOR, "users", [Change("overwrite", "0", "1")])
    installation.carry_out("/changed.csv", HEADER + NEW_NAME)
    assert AuditRecord.objects.count() == 4
    assert faults(installation.site) == []
    return installation


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_every_byte_of_every_part_counts(audited: Installation) -> None:
    for kept in AuditRecord.objects.exclude(part_key=""):
        part = part_of(kept)
        content = part.read_bytes()
        for at in range(len(content)):
            part.write_bytes(flipped(content, at))
            assert "audit_body_altered" in faults(audited.site), at
        part.write_bytes(content + b"\0")
        assert "audit_body_altered" in faults(audited.site)
        part.write_bytes(content)
    assert faults(audited.site) == []


@pytest.mark.parametrize("field", ["body", "keys"])
def test_every_byte_of_a_record_counts(audited: Installation, field: str) -> None:
    for kept in AuditRecord.objects.all():
        content = bytes(getattr(kept, field))
        for at in range(len(content)):
            AuditRecord.objects.filter(pk=kept.pk).update(**{field: flipped(content, at)})
            assert faults(audited.site), (kept.sequence, at)
        AuditRecord.objects.filter(pk=kept.pk).update(**{field: content})
    assert faults(audited.site) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("person", "eve"), ("file", "/other.csv"), ("processor", "courses"), ("kind", "rights"), ("run_number", 77),
     ("first_line", 9), ("last_line", 9), ("entries", 2), ("origin", "shell"), ("schedule", "x"), ("part_key", "x"),
     ("digest", "0" * 64), ("previous", "0" * 64), ("hash", "0" * 64)],
)  # fmt: skip
def test_no_field_of_a_record_can_be_altered(audited: Installation, field: str, value: Any) -> None:
    AuditRecord.objects.filter(sequence=2).update(**{field: value})
    assert "audit_record_altered" in faults(audited.site)


@pytest.mark.parametrize("sequence", [1, 2, 3, 4])
def test_a_missing_record_is_found_the_last_one_too(audited: Installation, sequence: int) -> None:
    AuditRecord.objects.filter(sequence=sequence).delete()
    found_faults = verify(audited.site).faults
    assert ("audit_records_missing", {"first": sequence, "last": sequence}) in [tuple(fault) for fault in found_faults]


def test_an_end_that_was_cut_off_with_all_that_tells_of_it_is_found(audited: Installation) -> None:
    """Whoever may write to the database can't make a proof of another end; the head of before is one, and needs a copy of it."""
    earlier = AuditRecord.objects.get(sequence=3)
    gone = AuditRecord.objects.get(sequence=4)
    AuditRecord.objects.filter(sequence=4).delete()
    AuditChain.objects.update(sequence=3, hash=earlier.hash)
    assert "audit_end_altered" in faults(audited.site)
    RunChunk.objects.filter(audit_sequence=4).delete()
    AuditName.objects.filter(record_id=gone.pk).delete()
    assert "audit_end_altered" in faults(audited.site)


def test_an_end_of_before_that_was_kept_is_told_by_the_run_by_the_storage_and_by_whoever_has_noted_the_last_record(
    audited: Installation,
) -> None:
    chain = AuditChain.objects.values("sequence", "hash", "seal").get()
    audited.carry_out("/more.csv", HEADER + "eve;Eve;Fox;eve@x.org;E\n")
    noted = verify(audited.site).head
    AuditRecord.objects.filter(sequence=5).delete()
    AuditChain.objects.update(**chain)
    assert faults(audited.site) == ["audit_chunk_missing", "audit_part_unlisted"]
    SyncRun.objects.filter(chunks__audit_sequence=5).delete()
    assert faults(audited.site) == ["audit_part_unlisted"]
    listed = {part_of(kept) for kept in AuditRecord.objects.exclude(part_key="")}
    (unlisted,) = {part for part in (audited.folder / "main" / "audit").glob("*/*") if part not in listed}
    unlisted.unlink()
    assert faults(audited.site) == []
    assert faults(audited.site, noted) == ["audit_expected_missing"]


def test_a_part_that_is_gone_from_the_storage_is_found(audited: Installation) -> None:
    part_of(AuditRecord.objects.get(sequence=4)).unlink()
    assert faults(audited.site) == ["audit_part_missing"]


def test_records_that_changed_places_are_found(audited: Installation) -> None:
    for sequence, other in ((1, 99), (2, 1), (99, 2)):
        AuditRecord.objects.filter(sequence=sequence).update(sequence=other)
    assert {"audit_record_altered", "audit_record_unlinked"} <= set(faults(audited.site))


@pytest.mark.parametrize("what", ["less", "more"])
def test_an_altered_index_is_found(audited: Installation, what: str) -> None:
    if what == "less":
        AuditName.objects.filter(name=AuditName.objects.values_list("name", flat=True)[0]).delete()
    else:
        AuditName.objects.create(name=5, record_id=AuditRecord.objects.values_list("pk", flat=True)[0])
    assert "audit_index_altered" in faults(audited.site)


def test_a_chain_whose_end_was_altered_goes_on_and_says_so_for_ever(audited: Installation) -> None:
    AuditRecord.objects.filter(sequence=4).delete()
    earlier = AuditRecord.objects.get(sequence=3)
    AuditChain.objects.update(sequence=3, hash=earlier.hash)
    record(audited.site, AuditKind.SETTINGS, OPERATOR, "users", [Change("overwrite", "1", "0")])
    assert AuditRecord.objects.count() == 5
    assert "audit_chain_was_damaged" in faults(audited.site)
    assert "audit_end_altered" not in faults(audited.site)


def test_a_chain_without_its_end_is_found(audited: Installation) -> None:
    AuditChain.objects.all().delete()
    assert faults(audited.site) == ["audit_chain_missing"]


def test_two_sites_have_two_chains_and_find_nothing_of_each_other(audited: Installation) -> None:
    other = MoodleSite.objects.create(slug="other", name="Other")
    record(other, AuditKind.SETTINGS, OPERATOR, "courses", [Change("x", "0", "1")], users=["ada"])
    assert [(kept.site.slug, kept.sequence) for kept in AuditRecord.objects.filter(kind="settings").order_by("pk")] == [
        ("main", 3),
        ("other", 1),
    ]
    assert faults(audited.site) == faults(other) == []
    assert [subject for _line, _action, subject, _changes in found(other, user="ada")] == ["courses"]
    assert len(found(audited.site, user="ada")) == 2
    AuditRecord.objects.filter(site=other).update(site=audited.site, sequence=5)
    assert faults(audited.site) != []


def test_the_audit_is_append_only_for_the_code(audited: Installation) -> None:
    kept = AuditRecord.objects.all()[0]
    for change in (kept.save, kept.delete):
        with pytest.raises(TypeError, match="append-only"):
            change()


def test_the_command_tells_what_it_found_and_exits_with_1(
    audited: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verifyaudit")
    said = capsys.readouterr().out
    assert "4 records" in said
    head = AuditChain.objects.get()
    assert f"4:{head.hash}" in said
    AuditRecord.objects.filter(sequence=2).update(person="eve")
    with pytest.raises(SystemExit) as ended:
        call_command("verifyaudit")
    assert ended.value.code == 1
    assert "Record 2 was altered." in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no site"):
        call_command("verifyaudit", site="none")


def test_the_command_compares_with_an_end_that_was_kept(
    audited: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    head = verify(audited.site).head
    call_command("verifyaudit", expect=f"{head.sequence}:{head.hash}")
    with pytest.raises(SystemExit):
        call_command("verifyaudit", expect=f"4:{'0' * 64}")
    assert "Record 4 is not the one that was expected." in capsys.readouterr().out
    with pytest.raises(CommandError, match="number"):
        call_command("verifyaudit", expect="nonsense")


def test_queries_grow_with_hundreds_of_records_not_with_each(
    audited: Installation, django_assert_num_queries: Any
) -> None:
    with CaptureQueriesContext(connection) as before:
        verify(audited.site)
    for number in range(20):
        record(audited.site, AuditKind.SETTINGS, OPERATOR, "users", [Change("overwrite", "0", str(number))])
    with django_assert_num_queries(len(before)):
        verify(audited.site)


def test_with_a_lost_secret_key_nothing_is_written_until_the_operator_goes_on_with_new_keys(
    audited: Installation, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("verifyaudit", new_keys=True)
    settings.SECRET_KEY = "another " * 8
    run = audited.queue("/more.csv", HEADER + "eve;Eve;Fox;eve@x.org;E\n")
    assert services.execute_run(run.pk).error_code == "audit_keys_unreadable"
    with pytest.raises(CommandError, match="can't be decrypted"):
        call_command("verifyaudit")

    call_command("verifyaudit", new_keys=True)
    services.resume_run(SyncRun.objects.get(pk=run.pk))
    assert services.execute_run(run.pk).counts == {"created": 1}
    assert [kept.sequence for kept in AuditRecord.objects.order_by("sequence")] == [1, 2, 3, 4, 5, 6]
    assert found(audited.site, user="eve") == [(2, "created", "eve", [])]
    lines = find_entries(audited.site, AuditQuery()).lines
    assert [line.entry is None for line in lines] == [False, False, True, False, True, True]
    assert faults(audited.site) == []
    capsys.readouterr()
    call_command("verifyaudit")
    assert "Records 1 to 4 were written under keys that are lost" in capsys.readouterr().out
    AuditChain.objects.update(first=6)
    assert faults(audited.site) == ["audit_end_altered"]
    AuditChain.objects.update(first=5)
    part = part_of(AuditRecord.objects.get(sequence=1))
    part.write_bytes(flipped(part.read_bytes(), 9))
    assert faults(audited.site) == ["audit_body_altered"]
