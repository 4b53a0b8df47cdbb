"""No cell stops a file: whatever one holds, its row is rejected or carried out, and the rows beside it are carried out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sync.columns.column import Column, NumberedColumn, PrefixedColumn
from sync.outcomes.report import INTERNAL_ERROR
from sync.processors.registry import REGISTRY
from tests.moodle_sites import build_site
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.random_files import furnish
from tests.support import MoodleSite, run_file

HOSTILE = (
    "9" * 5000, "-" + "9" * 5000, "1e400", "nan", "-inf", "1_0", "0x10", "٣", "²", "½", "1" * 19, "99999999999999999999",
    "0" * 30, "-1", "0", "1.5", "2026-13-45", "9999-12-31", "0001-01-01", "31/02/2026", "2026-01-01T25:61:61+99:99",
    "2285-12-31 23:59:59+00:00", "2026-01-01 00:00:00+24:00",
    "\ud7ff\ue000", "\u202e\u200b\ufeff", "\u0130\u0131\u1e9e", "a" * 70_000, "[" * 5000, "{" * 3000 + "}" * 3000,
    '{"a":' * 2000, "%s%(x)s%%{0}{x}\\", "'; DROP TABLE x; --", "/" * 3000, "//", "/", ".", "..", "a/../b", "|" * 2000, ",,,,",
    "\\", "\\x00", "<" * 3000, "<b>", "&#0;&#xD800;&#99999999999;", "@", "a@b@c", "*", "?", "all", "none", "null", "*" * 300,
    "G1,,G1," * 300, "https://[::1", "http://999.999.999.999:99999999/", "file:///etc/passwd", "\x7f\x80\x9f", "\x01\x02",
    "😀" * 300, "\uff21\uff11", "İ" * 200,
)  # fmt: skip
# What makes a row as sound as may be where a column has no sample.
KNOWN: Mapping[str, str] = {
    "shortname": "C1", "course": "C1", "courseid": "C1", "cid": "C1", "master": "C1", "meta": "C2", "uid": "u1",
    "userid": "u1", "username": "u1", "cohort": "K1", "cname": "K1", "cidnumber": "K1", "groupid": "G1", "role": "student",
    "rolename": "student", "enrol": "manual", "course1": "C1", "role1": "student", "enrol1": "manual", "group1": "G1",
    "teacher1_account": "u2", "category": "Other", "user": "u1",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("hostile") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    add_course_fields(site)
    site.execute(
        "INSERT INTO {user_info_field} (shortname, name, datatype, categoryid, sortorder, required, locked, visible, forceunique,"
        " signup, defaultdata, defaultdataformat, descriptionformat, param1, param2, param3)"
        " VALUES ('born', 'Born', 'datetime', 1, 9, 0, 0, 2, 0, 0, '0', 0, 1, '1900', '2100', '1')"
    )
    site.keep_as_template()
    yield site
    site.engine.dispose()


def names_of(column: Column) -> list[str]:
    if isinstance(column, NumberedColumn):
        return [column.numbered(column.least)]
    if isinstance(column, PrefixedColumn):
        return [column.name + name for name in ("born", "dept")] if column.name == "profile_field_" else []
    return [column.name]


def hostile_file(key: str, new: str, part: slice) -> tuple[str, int]:
    """Return a file in which cells of each column are hostile, one in each row, and how many rows it has.

    Shape: new: the column that names something new in each row, "" = they name what is there; part: which of all pairs of a
    column and a hostile cell
    """
    columns = [column for column in REGISTRY[key].columns if not column.ignored]
    cells = {
        # What more is said may be refused first: the less, the further a row gets.
        name: KNOWN.get(name, column.sample if column.required else "")
        for column in columns
        for name in names_of(column)
    }
    names = list(cells)
    rows = [names] if not REGISTRY[key].columns.headerless else []
    pairs = [(name, nasty) for name in names for nasty in HOSTILE][part]
    for hostile, nasty in pairs:
        sound = {**cells, new: f"n{len(rows)}"}
        rows.append([nasty if name == hostile else sound[name] for name in names])
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
    return out.getvalue(), len(pairs)


# Of file types that both make and change something: what tells new from old, and the options.
VARIANTS: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "courses": (("", {"forceupdate": True}), ("shortname", {})),
    "users": (("", {"allowrename": True, "primaryidentity": "email"}), ("username", {})),
    "groups": (("", {}), ("name", {})),
    "cohorts": (("", {}), ("cname", {})),
}


@pytest.mark.parametrize("key", [key for key in REGISTRY if not REGISTRY[key].columns.of_pictures])
@pytest.mark.parametrize("simulate", [False, True])
def test_no_cell_stops_a_file(site: MoodleSite, key: str, simulate: bool) -> None:
    variants = VARIANTS.get(key, (("", {}),))
    for place, (new, options) in enumerate(variants):
        # Each pair is tried once: simulated or for real, on something new or on what is there.
        text, rows = hostile_file(key, new, slice(2 * place + simulate, None, 2 * len(variants)))
        site.restore_template()
        result = run_file(site, key, text, simulate=simulate, **options)
        # Some begin like a comment.
        assert rows * 8 // 10 < len(result.outcomes) <= rows
        stumbled = [outcome for outcome in result.outcomes if outcome.code == INTERNAL_ERROR]
        assert stumbled == [], [text.splitlines()[outcome.line - 1][:200] for outcome in stumbled]
