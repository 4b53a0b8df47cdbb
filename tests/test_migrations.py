"""Migrations that have landed stay as they are, and a database from before one was edited is mended."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from sync.models import Notice

FOLDER = Path(__file__).resolve().parents[1] / "sync" / "migrations"
DIGESTS = FOLDER / "digests.txt"


def digest_of(migration: Path) -> str:
    return hashlib.sha256(migration.read_bytes()).hexdigest()


def test_migrations_that_have_landed_are_never_edited() -> None:
    landed = dict(reversed(line.split()) for line in DIGESTS.read_text().splitlines() if not line.startswith("#"))
    found = {path.name: digest_of(path) for path in sorted(FOLDER.glob("0*.py"))}

    edited = [name for name, digest in landed.items() if found.get(name) != digest]
    assert edited == [], "these have landed: leave them as they were, and write a new migration instead"
    new = [f"{digest}  {name}" for name, digest in found.items() if name not in landed]
    assert new == [], f"new migrations: add these lines to {DIGESTS.relative_to(FOLDER.parents[1])}"


def columns_of(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


@pytest.mark.django_db(transaction=True)
def test_a_database_from_before_a_migration_was_edited_gets_what_it_lacks() -> None:
    table, latest = Notice._meta.db_table, max(FOLDER.glob("0*.py")).stem
    call_command("migrate", "sync", "0007", verbosity=0)
    try:
        with connection.schema_editor() as editor:
            editor.remove_field(Notice, Notice._meta.get_field("fault"))
        assert "fault" not in columns_of(table)

        call_command("migrate", "sync", latest, verbosity=0)
        assert "fault" in columns_of(table)
        assert not Notice.objects.filter(fault=["x"]).exists()

        # And one that has it is left alone.
        call_command("migrate", "sync", "0007", verbosity=0)
        assert "fault" in columns_of(table)
    finally:
        call_command("migrate", "sync", latest, verbosity=0)
    assert "fault" in columns_of(table)
