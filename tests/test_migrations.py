"""Migrations that have landed stay as they are, and databases of before go on."""

from __future__ import annotations

import gzip
import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "sync" / "migrations"
# As the code of November 2026 made them, at these migrations: with django-celery-beat, and a schedule that is on.
STATES = ("0005", "0007", "0015")
STATE_OF_SERVER = {"sqlite": "0005", "mariadb": "0015", "postgresql": "0007"}
OLD_DATABASES = Path(__file__).with_name("old_databases")
DIGESTS = FOLDER / "digests.txt"


def digest_of(migration: Path) -> str:
    return hashlib.sha256(migration.read_bytes()).hexdigest()


def loaded() -> dict[tuple[str, str], Migration]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {key: migration for key, migration in loader.disk_migrations.items() if key[0] == "sync"}


def test_migrations_that_have_landed_are_never_edited() -> None:
    lines = (line.split() for line in DIGESTS.read_text().splitlines() if not line.startswith("#"))
    landed = {name: digest for digest, name in lines}
    found = {path.name: digest_of(path) for path in sorted(FOLDER.glob("0*.py"))}

    # One that another replaces may go; who has applied it has applied the other.
    replaced = {f"{name}.py" for migration in loaded().values() for _app, name in migration.replaces}
    edited = [name for name, digest in landed.items() if found.get(name, digest if name in replaced else "") != digest]
    assert edited == [], "these have landed: leave them as they were, and write a new migration instead"
    new = [f"{digest}  {name}" for name, digest in found.items() if name not in landed]
    assert new == [], f"new migrations: add these lines to {DIGESTS.relative_to(FOLDER.parents[1])}"


class OwnDatabase:
    """A database of ToolSync's own on one of the servers, with a schedule that is looked at and migrated as an operator would."""

    def __init__(self, request: pytest.FixtureRequest, server: str, name: str, folder: Path) -> None:
        self.server, self.folder = server, folder
        folder.mkdir()
        if server == "sqlite":
            self.url = f"sqlite:///{folder}/own.sqlite3"
        else:
            self._server = request.getfixturevalue(f"{server}_server")
            self.name = name
            self.url = self._server.create_database(name)
        address = sa.make_url(self.url)
        driver = {"mariadb": "mysql+mysqldb", "postgresql": "postgresql+psycopg"}.get(server, "sqlite")
        self.engine = sa.create_engine(address.set(drivername=driver), poolclass=sa.NullPool)

    def load(self, state: str) -> None:
        """Put in what the old code left."""
        dump = gzip.decompress((OLD_DATABASES / f"{self.server}-{state}.sql.gz").read_bytes()).decode()
        if self.server == "sqlite":
            with sqlite3.connect(self.folder / "own.sqlite3") as own:
                own.executescript(dump)
        elif self.server == "mariadb":
            self._server.sql(f"SET FOREIGN_KEY_CHECKS = 0; {dump}", self.name)
        else:
            self._server.sql(dump, self.name)

    def migrate(self, *arguments: str) -> None:
        environment = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "toolsync_site.settings", "DATABASE_URL": self.url,
            "SECRET_KEY": "k" * 50, "TOOLSYNC_VAR": str(self.folder / "var"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0", *arguments], cwd=ROOT, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def rows(self, statement: str) -> list[Any]:
        with self.engine.connect() as own:
            return [tuple(row) for row in own.execute(sa.text(statement))]

    def run(self, statement: str) -> None:
        with self.engine.begin() as own:
            own.execute(sa.text(statement))

    def schema(self) -> dict[str, Any]:
        """All that defines the tables, but names that Django makes up."""
        inspector = sa.inspect(self.engine)
        return {
            table: {
                "columns": sorted((column["name"], str(column["type"]), column["nullable"], str(column["default"]))
                                  for column in inspector.get_columns(table)),
                "key": inspector.get_pk_constraint(table)["constrained_columns"],
                "foreign": sorted((key["constrained_columns"], key["referred_table"], key["referred_columns"])
                                  for key in inspector.get_foreign_keys(table)),
                "unique": sorted(key["column_names"] for key in inspector.get_unique_constraints(table)),
                "indexes": self._indexes(inspector, table),
                "checks": sorted(check["sqltext"] for check in inspector.get_check_constraints(table)),
            }
            for table in inspector.get_table_names()
        }  # fmt: skip

    def _indexes(self, inspector: sa.Inspector, table: str) -> list[tuple[list[str | None], bool]]:
        """Columns of the indexes, and whether these are unique.

        MariaDB makes an index for a foreign key, and drops it again when another one begins with the same column: which of them
        is there depends on which came first, so one that is the beginning of another isn't looked at.
        """
        found = [(index["column_names"], bool(index["unique"])) for index in inspector.get_indexes(table)]
        if self.server == "mariadb":
            found = [
                (columns, unique)
                for columns, unique in found
                if unique
                or not any(len(other) > len(columns) and other[: len(columns)] == columns for other, _ in found)
            ]
        return sorted(found)


SERVERS = (
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_databases_of_before_become_what_a_new_one_is(
    request: pytest.FixtureRequest, server: str, tmp_path: Path
) -> None:
    # One of them on each server; all of them in the matrix.
    states = STATES if request.config.getoption("every_site") else (STATE_OF_SERVER[server],)
    new, *old = (OwnDatabase(request, server, f"own_{name}", tmp_path / name) for name in ("new", *states))
    new.migrate()
    expected = new.schema()
    assert not [table for table in expected if "celery" in table]
    for database, state in zip(old, states, strict=True):
        database.load(state)
        if state == "0007" and server != "mariadb":
            # 0006 got this column only after it had landed. (On MariaDB 0008 can't add it: none lacks it there.)
            database.run("ALTER TABLE sync_notice DROP COLUMN fault")
        kept = "SELECT id, name, kind, at, enabled, next_at FROM sync_schedule ORDER BY id"
        before = database.rows(kept)
        assert len(before) >= 2
        assert database.rows("SELECT name FROM django_celery_beat_periodictask WHERE task = 'sync.start_schedule'")
        # Django's checks of the code, two seconds each time, were made with the new one.
        database.migrate("--skip-checks")
        assert database.rows(kept) == before
        assert database.rows("SELECT * FROM django_content_type WHERE app_label = 'django_celery_beat'") == []
        found = database.schema()
        assert found.keys() == expected.keys()
        for table, definition in expected.items():
            assert found[table] == definition, (state, table)
        if state == "0005":
            # What 0013 does with the data of a database from before it.
            assert "storereport" in str(database.rows("SELECT * FROM sync_processorsettings"))
        if state == states[0]:
            # A second time there is nothing to do.
            database.migrate("--check", "--skip-checks")
