"""Command files that the old plugin carried out, with what it did: ../shared/cases/old_plugin (see its INDEX.md).

A case is a folder with a command file and `case.json`. Rows are counted by table; how their columns differ, the page of the
case tells.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.moodle_sites import MoodleSite
from tests.real_sites import moodle_data
from tests.support import RunResult, run_file

# Order of the numbers in `old_rows`, whatever their title says.
KINDS = ("insert", "delete", "update")
_TABLE = re.compile(r"\bmdl_(\w+)")
_DIFFERENCE = re.compile(
    r"(?P<table>\w+) (?P<kind>insert|update|delete) (?P<what>only old|only new|differs) x(?P<count>\d+)"
)
# What the recorded counts leave out, or hold for other reasons than the file.
_LEFT_OUT = frozenset(("cache_flags", "config", "config_plugins", "logstore_standard_log", "task_adhoc", "sessions"))

Counts = dict[str, tuple[int, int, int]]


def old_plugin_files() -> Path:
    """Return the folder of the cases; it lies beside the real Moodle databases."""
    return moodle_data().parent / "cases" / "old_plugin"


@dataclass(frozen=True)
class OldCase:
    """A case. Shape: facts: what stands in `case.json`"""

    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.facts["id"])

    @property
    def verdict(self) -> str:
        return str(self.facts["verdict"])

    @property
    def reason_to_skip(self) -> str:
        """Return why the case can't be run here, "" where it can."""
        if "file_reference" in self.facts or any("file_reference" in prior for prior in self.facts.get("prior", ())):
            return "its command file is a sample of the old plugin, which isn't here"
        if "prepared_by" in self.facts:
            return "its Moodle was prepared by hand"
        return ""

    def old_rows(self) -> Counts:
        """Return what the old plugin wrote: table -> rows inserted, deleted, updated."""
        (by_table,) = self.facts["old_rows"].values()
        return {table: (rows[0], rows[1], rows[2]) for table, rows in by_table.items()}

    def recorded_rows(self, *kinds: str) -> Counts:
        """Return what ToolSync wrote when the case was recorded, reckoned from what differed.

        Shape: kinds: "only old", "only new": the differences that count, none = both
        """
        counts = {table: dict(zip(KINDS, rows, strict=True)) for table, rows in self.old_rows().items()}
        for text in self.facts["differences"]:
            found = _DIFFERENCE.fullmatch(text)
            if found and found["what"] in (kinds or ("only old", "only new")):
                sign = 1 if found["what"] == "only new" else -1
                rows = counts.setdefault(found["table"], dict.fromkeys(KINDS, 0))
                rows[found["kind"]] += sign * int(found["count"])
        return {table: (rows["insert"], rows["delete"], rows["update"]) for table, rows in counts.items()}

    def run(self, site: MoodleSite, dataroot: Path, **options: Any) -> tuple[RunResult, Counts]:
        """Run the case, with what comes before it, and put the site back. Returns the run and the rows that it wrote.

        Shape: options: besides those of the case
        """
        touched = {"config_plugins"}
        try:
            for statement in self.facts.get("sql_before", ()):
                touched.update(_TABLE.findall(statement))
                with site.engine.begin() as connection:
                    connection.exec_driver_sql(statement.replace("%", "%%"))
            for prior in self.facts.get("prior", ()):
                touched |= _tables(self._run_file(site, dataroot, prior["tool"], prior["file"]))
            result = self._run_file(site, dataroot, self.facts["tool"], self.facts["file"], **options)
            touched |= _tables(result)
        finally:
            site.restore_template(touched & set(site.table_names))
        return result, written_rows(result)

    def _run_file(self, site: MoodleSite, dataroot: Path, tool: str, file: str, **more: Any) -> RunResult:
        options: dict[str, Any] = dict(option.split("=", 1) for option in self.facts["toolsync_options"])
        if tool != self.facts["tool"]:
            options = {name: value for name, value in options.items() if "_" not in name}
        return run_file(
            site, tool, (self.folder / file).read_bytes(), filename=file, dataroot=dataroot, **options, **more
        )


def read_cases() -> list[OldCase]:
    """Return all cases, by file type and name."""
    pages = sorted(old_plugin_files().glob("*/*/case.json"))
    return [OldCase(page.parent, json.loads(page.read_text(encoding="utf-8"))) for page in pages]


def written_rows(result: RunResult) -> Counts:
    """Return what a run wrote on the whole: table -> rows inserted, deleted, updated."""
    kinds: dict[tuple[str, Any], str] = {}
    for place, image in enumerate(result.before_images):
        # An insert that doesn't know its id is a row by itself.
        key = image.table, image.id if image.id is not None else f"new {place}"
        before = kinds.get(key)
        if image.kind == "insert" or before is None:
            kinds[key] = image.kind
        elif image.kind == "delete":
            kinds[key] = "nothing" if before == "insert" else "delete"
    counts = Counter((table, kind) for (table, _id), kind in kinds.items() if table not in _LEFT_OUT)
    tables = {table for table, _kind in counts}
    rows = {table: tuple(counts[table, kind] for kind in KINDS) for table in tables}
    return {table: (found[0], found[1], found[2]) for table, found in rows.items() if any(found)}


def _tables(result: RunResult) -> set[str]:
    return {image.table for image in result.before_images}
