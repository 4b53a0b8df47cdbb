"""What every benchmark is made of: ToolSync in a process of its own, the floor, and the old plugin's way.

All three write to the same server in the same test, in turns; what is told are medians and ratios, since machines drift.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from django.conf import settings

from tests.moodle_sites import MoodleSite

ROOT = Path(__file__).resolve().parents[2]
REPETITIONS = 3


@dataclass(frozen=True)
class Measured:
    """What one run took.

    Shape: seconds: from the claim of the run to its report; cpu_seconds: the same without waiting, for the server or for other
    processes; executions: of a cursor on Moodle's database; questions: statements that the server got, MariaDB only; peak_mib: of
    the process, without those that hash passwords; plan_seconds: what planning took of them; plan_bytes: of the stored plan
    """

    state: str
    counts: Mapping[str, int]
    seconds: float
    cpu_seconds: float
    executions: int
    peak_mib: float
    questions: int | None = None
    plan_seconds: float = 0
    plan_bytes: int = 0

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


class ToolSync:
    """A ToolSync with a database and storage of its own, joined to one Moodle.

    Shape: folder: a new one, for all of it; root: the clone whose code runs, one of another commit with its own `.venv`
    """

    def __init__(self, site: MoodleSite, folder: Path, root: Path = ROOT) -> None:
        self.site = site
        self._root = root
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
            "PYTHONPATH": str(root),
            "DATABASE_URL": f"sqlite:///{folder / 'toolsync.sqlite3'}",
            "SECRET_KEY": settings.SECRET_KEY,
            "TOOLSYNC_VAR": str(folder),
            "TOOLSYNC_STORAGE": (folder / "files").as_uri(),
            "TOOLSYNC_MOODLE_URL": site.url,
            # One pass, as before plans came: what is planned first is measured beside it.
            "TOOLSYNC_GUARD": "false",
        }
        self._python("manage.py", "migrate", "--verbosity=0")

    def run(self, key: str, file: Path, **options: object) -> Measured:
        """Carry out a file; the first reads and the reflection of the tables are part of it, the start of Python isn't."""
        return self._measure(key, str(file), *(f"{name}={value}" for name, value in options.items()))

    def clearing(self, *tables: str) -> Floor:
        """Return what takes away the rows that come into these tables from now on."""
        return Floor(self.site, *tables)

    def run_planned(self, key: str, file: Path, **options: object) -> Measured:
        """Plan a file, then apply the plan, and measure both."""
        self._environment["TOOLSYNC_GUARD"] = "true"
        try:
            return self.run(key, file, **options)
        finally:
            self._environment["TOOLSYNC_GUARD"] = "false"
            self._python(
                "manage.py", "shell", "-c", "from sync.models import GuardLimits; GuardLimits.objects.all().delete()"
            )

    def undo(self) -> Measured:
        """Take back what the last run did, and measure the same."""
        return self._measure("undo")

    def _measure(self, *arguments: str) -> Measured:
        before = _questions(self.site)
        script = str(ROOT / "tests" / "bench" / "one_run.py")
        told = self._python(script, *arguments)
        # The question for the second number is one of them.
        questions = None if before is None else (_questions(self.site) or 0) - before - 1
        measured = Measured(**json.loads(told.splitlines()[-1]), questions=questions)
        assert measured.state == "completed", measured
        return measured

    def _python(self, *arguments: str) -> str:
        python = sys.executable if self._root == ROOT else str(self._root / ".venv" / "bin" / "python")
        done = subprocess.run(
            [python, *arguments], cwd=self._root, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


class Floor:
    """The rows that a run inserted, written again by nothing but `executemany` with placeholders.

    Shape: tables: in the order in which they are written
    """

    def __init__(self, site: MoodleSite, *tables: str) -> None:
        self._site = site
        self._marks = {table: self._highest_id(table) for table in tables}
        self._statements: dict[str, str] = {}
        self._rows: dict[str, list[Sequence[Any]]] = {}

    def take(self) -> None:
        """Keep the rows that have come since we were made; columns with nothing but defaults are left to the server."""
        with _cursor(self._site) as cursor:
            for table, mark in self._marks.items():
                cursor.execute(f"SELECT * FROM {self._site.prefix}{table} WHERE id > %s ORDER BY id", (mark,))
                rows = cursor.fetchall()
                defaults = self._defaults(table)
                kept = [
                    (place, name)
                    for place, (name, *_more) in enumerate(cursor.description)
                    if any(_text(row[place]) != defaults[name] for row in rows)
                ]
                self._rows[table] = [tuple(row[place] for place, _name in kept) for row in rows]
                self._statements[table] = _insert(self._site, table, [name for _place, name in kept])

    def write(self) -> float:
        """Write what was taken, committing as often as a run does, and give how long it took. Units: seconds"""
        with _cursor(self._site) as cursor:
            iterators = {table: iter(rows) for table, rows in self._rows.items()}
            began = time.perf_counter()
            while chunk := {
                table: rows
                for table, left in iterators.items()
                if (rows := list(islice(left, settings.TOOLSYNC_CHUNK_ROWS)))
            }:
                for table, rows in chunk.items():
                    cursor.executemany(self._statements[table], rows)
                cursor.connection.commit()
            return time.perf_counter() - began

    def clear(self) -> None:
        """Delete the rows that have come since we were made, whoever wrote them."""
        with _cursor(self._site) as cursor:
            for table, mark in self._marks.items():
                cursor.execute(f"DELETE FROM {self._site.prefix}{table} WHERE id > %s", (mark,))

    def _defaults(self, table: str) -> dict[str, str | None]:
        """Return the default of each column, as text."""
        columns = sa.inspect(self._site.engine).get_columns(self._site.prefix + table)
        # "'0'" on MariaDB, "'0'::smallint" on PostgreSQL.
        texts = {column["name"]: (column["default"] or "NULL").split("::")[0].strip("'") for column in columns}
        return {name: None if text == "NULL" else text for name, text in texts.items()}

    def _highest_id(self, table: str) -> int:
        with _cursor(self._site) as cursor:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {self._site.prefix}{table}")
            return int(cursor.fetchone()[0])


class OldPattern:
    """The way of the old plugin: single statements, each committed by itself. Without PHP's own time, so a flattering one."""

    def __init__(self, site: MoodleSite) -> None:
        self._site = site
        self._cursor: Any = None
        self.statements = 0

    def seconds_per_row(self, one_row: Callable[[OldPattern, Any], None], rows: Iterable[Any]) -> float:
        """Do to each row what `one_row` says."""
        done = 0
        with _cursor(self._site, autocommit=True) as self._cursor:
            began = time.perf_counter()
            for row in rows:
                one_row(self, row)
                done += 1
            return (time.perf_counter() - began) / done

    def select(self, table: str, **where: Any) -> Any:
        conditions = " AND ".join(f"{_quoted(self._site, name)} = %s" for name in where)
        self._execute(f"SELECT * FROM {self._site.prefix}{table} WHERE {conditions}", where.values())
        return self._cursor.fetchone()

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row and give its id."""
        statement = _insert(self._site, table, values)
        if self._site.engine_name == "postgresql":
            self._execute(statement + " RETURNING id", values.values())
            return int(self._cursor.fetchone()[0])
        self._execute(statement, values.values())
        return int(self._cursor.lastrowid)

    def update(self, table: str, rowid: int, **values: Any) -> None:
        changes = ", ".join(f"{_quoted(self._site, name)} = %s" for name in values)
        self._execute(f"UPDATE {self._site.prefix}{table} SET {changes} WHERE id = %s", (*values.values(), rowid))

    def _execute(self, statement: str, params: Iterable[Any]) -> None:
        self.statements += 1
        self._cursor.execute(statement, tuple(params))


@contextmanager
def _cursor(site: MoodleSite, *, autocommit: bool = False) -> Iterator[Any]:
    """Open a cursor of the driver, on which nothing of ours costs time."""
    with site.engine.connect() as connection:
        if autocommit:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        driver_connection: Any = connection.connection.driver_connection
        with driver_connection.cursor() as cursor:
            yield cursor
        driver_connection.commit()


def _insert(site: MoodleSite, table: str, names: Collection[str]) -> str:
    columns = ", ".join(_quoted(site, name) for name in names)
    # The driver sends many rows in one statement only when VALUES holds nothing but placeholders.
    return f"INSERT INTO {site.prefix}{table} ({columns}) VALUES ({', '.join(['%s'] * len(names))})"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _quoted(site: MoodleSite, name: str) -> str:
    return site.engine.dialect.identifier_preparer.quote_identifier(name)


def _questions(site: MoodleSite) -> int | None:
    if site.engine_name != "mariadb":
        return None
    with site.engine.connect() as connection:
        return int(connection.execute(sa.text("SHOW GLOBAL STATUS LIKE 'Questions'")).one()[1])
