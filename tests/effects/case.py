"""A case: a command file of ours that is to do what one recorded call of Moodle's API did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tests.effects.comparison import ANY_VERSION, Allowed, Difference, Side, Versions, compare
from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

# Allowed in every case. Each is needed by at least one of them, and a test holds that.
EVERYWHERE = (
    Allowed("user", "updated", "Moodle notes when its administrator called", ("lastaccess",), where={"id": 2}),
)


@dataclass(frozen=True)
class Case:
    """One command file and the recorded effect that it must have.

    Shape: name: of the recorded effect; password: the clear text behind the new hashes; tables: compare these only (the
    effect is matched in part, `in_part` says why); prepare: what the site needs beside the recorded set-up; stands_for:
    (table, id in the recorded effect) -> finds the row of ours in its place; act: done instead of the file, where only
    pieces that several file types share have the effect; versions: of which the effect is; text: that of the file, or how
    it follows from the effect, where that holds days of its own
    """

    name: str
    key: str
    text: str | Callable[[Mapping[str, Any]], str]
    options: Mapping[str, Any] = field(default_factory=dict)
    allowed: tuple[Allowed, ...] = ()
    password: str = ""
    tables: tuple[str, ...] = ()
    in_part: str = ""
    prepare: Callable[[MoodleSite], object] = lambda _site: None
    stands_for: Mapping[tuple[str, int], Callable[[MoodleSite], int]] = field(default_factory=dict)
    act: Callable[[MoodleSite], None] | None = None
    versions: Versions = ANY_VERSION

    def __str__(self) -> str:
        return self.name

    def text_for(self, effect: Mapping[str, Any]) -> str:
        return self.text if isinstance(self.text, str) else self.text(effect)


def carry_out(
    case: Case, site: MoodleSite, effect: Mapping[str, Any], chunk_rows: int = 1000
) -> tuple[RunResult, list[Difference]]:
    """Run the case on a site in the state that the effect started from; give in what it differs from the effect."""
    apply_diff(site, effect.get("setup_diff") or {})
    case.prepare(site)
    before = site.snapshot()
    began = int(time.time())
    if case.act is not None:
        case.act(site)
        result = RunResult(began)
    else:
        result = run_file(site, case.key, case.text_for(effect), chunk_rows=chunk_rows, **case.options)
    ours = Side(_only(case.tables, site.diff(before, site.snapshot())), began, int(time.time()))
    theirs = recorded_side(case, effect)
    theirs.modules = ours.modules = {row["id"]: row["name"] for row in site.rows("modules")}
    for number, ((table, rowid), find) in enumerate(case.stands_for.items(), start=1):
        theirs.labels[(table, rowid)] = ours.labels[(table, find(site))] = f"<{table} in place {number}>"
    lifetime = int(site.one("config", name="sessiontimeout")["value"])
    return result, compare(theirs, ours, clear_password=case.password, offsets=(lifetime,))


def recorded_side(case: Case, effect: Mapping[str, Any]) -> Side:
    return Side(_only(case.tables, effect["diff"]), effect["now"], effect["now_end"])


def apply_diff(site: MoodleSite, diff: Mapping[str, Mapping[str, Any]]) -> None:
    """Bring about a recorded diff."""
    with site.engine.begin() as connection:
        for table, change in diff.items():
            for row in change["deleted"]:
                connection.execute(sa.delete(_table(site, table, row)).where(sa.column("id") == row["id"]))
            for update in change["updated"]:
                target = _table(site, table, update["after"])
                connection.execute(sa.update(target).where(sa.column("id") == update["id"]).values(update["after"]))
            for row in change["inserted"]:
                connection.execute(sa.insert(_table(site, table, row)).values(row))
            if change["inserted"] and site.engine_name == "postgresql":
                # The ids were given, so the sequence doesn't know of them.
                name = site.prefix + table
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                )


def _table(site: MoodleSite, table: str, columns: Mapping[str, Any]) -> sa.TableClause:
    return sa.table(site.prefix + table, *(sa.column(name) for name in columns))


def _only(tables: tuple[str, ...], diff: Mapping[str, Any]) -> Mapping[str, Any]:
    return {table: change for table, change in diff.items() if not tables or table in tables}
