"""Where the question categories of an archive go, whatever the version of either site.

Until Moodle 4.5 a course has a bank of its own, and activities may have one; from 5.0 on only activities have, and questions of a
course lie in an activity of the kind `qbank`. What lay elsewhere (in a category of courses, on the whole site) comes into the
course. Ids are old ones throughout; those of rows that are made here begin at FIRST_ID.
Source: spec backup_format.md section 9; question_contexts of the backup graph
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.moodle.course_content.graph.content_source import Row, SourceContext
from sync.moodle.courses.system_bank import BANK, ModulePlace, bank_values, module_values
from sync.moodle.versions import CONTEXT_MODULE, Feature

# Above the ids that rows of an archive have or are given, and small enough for any column of ids.
FIRST_ID = 2**62 + 2**61
# Source: the joins of core\output\datafilter
_ANY, _ALL = 1, 2


@dataclass
class QuestionBanks:
    """The banks of a restored course.

    Shape: categories: their rows; moved: old context of a bank -> the one that its questions come into; bank: rows of the
    activity that has to be made for them (table -> row); contexts: the context of that activity
    """

    categories: list[Row] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    bank: dict[str, Row] = field(default_factory=dict)
    contexts: dict[int, SourceContext] = field(default_factory=dict)
    replaced: dict[int, int] = field(default_factory=dict)

    def place(self, contextid: int) -> int:
        return self.moved.get(contextid, contextid)


def arranged(
    categories: Iterable[Row],
    contexts: Mapping[int, SourceContext],
    home: int,
    *,
    has_qbank: bool,
    courseid: int,
    sectionid: int,
    now: int,
    groupmode: int = 0,
    wanted: Collection[int] | None = None,
) -> QuestionBanks:
    """Return the banks for the categories of an archive.

    Shape: contexts: of the course and of those activities that come along; home: old context of the course; has_qbank: the
    site keeps questions of a course in an activity; sectionid: old id of the first section; groupmode: of the course;
    wanted: categories that are of use, None = all; of the banks of other activities only they come along
    """
    banks = QuestionBanks()
    rows = [
        {**row, "parent": _number(row.get("parent")) or 0, "contextid": _number(row.get("contextid")) or 0}
        for row in categories
    ]
    if wanted is not None:
        rows = _without_empty(rows, contexts, wanted)
    elsewhere = {row["contextid"] for row in rows if not _is_activity(contexts, row["contextid"])}
    if has_qbank:
        # A bank that holds nothing but its top category needs no activity.
        elsewhere &= {row["contextid"] for row in rows if row["parent"]}
        rows = [row for row in rows if row["contextid"] in elsewhere or _is_activity(contexts, row["contextid"])]
    if elsewhere and has_qbank:
        banks.bank, banks.contexts = _new_bank(courseid, sectionid, groupmode, now)
        (home,) = banks.contexts
    banks.moved = dict.fromkeys(elsewhere, home)
    for row in rows:
        row["contextid"] = banks.place(row["contextid"])
    banks.replaced = _without_second_tops(rows)
    banks.categories = sorted((row for row in rows if row["id"] not in banks.replaced), key=lambda row: int(row["id"]))
    _give_parents(banks)
    _keep_unique(banks.categories)
    return banks


def rewritten_filter(text: str | None, banks: QuestionBanks, version: float, tagids: Mapping[str, int]) -> str | None:
    """Return the condition of a random question in the words of the site's version, still with old ids of categories.

    Shape: tagids: name of a tag in small letters -> its id on the site
    """
    try:
        condition = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(condition, dict):
        return None
    category, with_subcategories, tags = _meaning(condition)
    if category is None:
        return text
    category = banks.replaced.get(category, category)
    known = [tagids[name] for _id, name in tags if name in tagids]
    if not Feature.QUESTION_FILTERS.is_in(version):
        old = {"questioncategoryid": category, "includingsubcategories": with_subcategories}
        return json.dumps({**old, "tags": [f"{tagids[name]},{name}" for _id, name in tags if name in tagids]})
    if "filter" in condition:
        chosen = condition["filter"].get("category")
        chosen["values"] = [str(category)]
        _, _comma, contextid = str(condition.get("cat", "")).partition(",")
        if contextid.isdigit():
            condition["cat"] = f"{category},{banks.place(int(contextid))}"
        return json.dumps(condition)
    filters: dict[str, Any] = {
        "category": {
            "jointype": _ANY,
            "values": [str(category)],
            "filteroptions": {"includesubcategories": with_subcategories},
        }
    }
    if known:
        filters["qtagids"] = {"jointype": _ALL, "values": [str(tagid) for tagid in known]}
    return json.dumps({"filter": filters})


def tags_of_filter(text: str | None) -> list[str]:
    """Return the names of the tags that a random question asks for, where the condition holds names."""
    try:
        condition = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    return [name for _id, name in _meaning(condition)[2]] if isinstance(condition, dict) else []


def category_of_filter(text: str | None) -> int | None:
    """Return the category that a random question is drawn from, None where the condition can't be read."""
    try:
        condition = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return _meaning(condition)[0] if isinstance(condition, dict) else None


def _meaning(condition: Mapping[str, Any]) -> tuple[int | None, bool, list[tuple[str, str]]]:
    """Return (category, with its subcategories, tags as (id, name)); None for a category that can't be read."""
    if "questioncategoryid" in condition:
        tags = condition.get("tags")
        named = [tag.partition(",") for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
        return (
            _number(condition["questioncategoryid"]),
            bool(condition.get("includingsubcategories")),
            [(tagid, name.lower()) for tagid, _comma, name in named if name],
        )
    filters = condition.get("filter")
    chosen = filters.get("category") if isinstance(filters, dict) else None
    if not isinstance(chosen, dict) or not isinstance(chosen.get("values"), list) or not chosen["values"]:
        return None, False, []
    options = chosen.get("filteroptions")
    includes = options.get("includesubcategories") if isinstance(options, dict) else chosen.get("includesubcategories")
    return _number(chosen["values"][0]), bool(includes), []


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None


def _is_activity(contexts: Mapping[int, SourceContext], contextid: int) -> bool:
    return contextid in contexts and contexts[contextid].level == CONTEXT_MODULE


def _without_empty(rows: Sequence[Row], contexts: Mapping[int, SourceContext], wanted: Collection[int]) -> list[Row]:
    """Leave out what is of no use, of the banks of activities that don't come along: it would only litter the course's own."""
    parents = {row["id"]: row["parent"] for row in rows}
    used: set[int] = set()
    for rowid in wanted:
        way = rowid
        while way in parents and way not in used:
            used.add(way)
            way = parents[way]
    return [
        row
        for row in rows
        if row["id"] in used
        or _number(row.get("contextlevel")) != CONTEXT_MODULE
        or _is_activity(contexts, row["contextid"])
    ]


def _new_bank(
    courseid: int, sectionid: int, groupmode: int, now: int
) -> tuple[dict[str, Row], dict[int, SourceContext]]:
    cm = module_values(ModulePlace(courseid, sectionid, groupmode), FIRST_ID, now=now)
    rows: dict[str, Row] = {
        BANK: {"id": FIRST_ID, **bank_values(courseid, now=now)},
        "course_modules": {"id": FIRST_ID, "modulename": BANK, **cm},
    }
    return rows, {FIRST_ID: SourceContext(CONTEXT_MODULE, FIRST_ID)}


def _without_second_tops(rows: Sequence[Row]) -> dict[int, int]:
    """Return the top categories that are one too many in their new context -> the one that stays."""
    tops: dict[int, int] = {}
    replaced = {}
    for row in sorted(rows, key=lambda row: int(row["id"])):
        if not row["parent"]:
            first = tops.setdefault(row["contextid"], row["id"])
            if first != row["id"]:
                replaced[row["id"]] = first
    return replaced


def _give_parents(banks: QuestionBanks) -> None:
    """Hang categories whose parent isn't there, or lies in another context, below the top of theirs."""
    places = {row["id"]: row["contextid"] for row in banks.categories}
    tops = {row["contextid"]: row["id"] for row in banks.categories if not row["parent"]}
    for contextid in sorted({row["contextid"] for row in banks.categories} - tops.keys()):
        tops[contextid] = FIRST_ID + len(tops)
        banks.categories.append({
            "id": tops[contextid], "contextid": contextid, "name": "top", "info": "", "infoformat": 0, "parent": 0,
            "sortorder": 0, "stamp": "",
        })  # fmt: skip
    for row in banks.categories:
        parent = banks.replaced.get(row["parent"], row["parent"])
        if parent and places.get(parent) != row["contextid"]:
            parent = tops[row["contextid"]]
        row["parent"] = parent


def _keep_unique(categories: Collection[Row]) -> None:
    """Drop what may stand in a context only once: stamps (they are made anew), and idnumbers."""
    for name in ("stamp", "idnumber"):
        seen: set[tuple[int, str]] = set()
        for row in categories:
            value = row.get(name)
            if value and (row["contextid"], value) in seen:
                row[name] = "" if name == "stamp" else None
            elif value:
                seen.add((row["contextid"], value))
