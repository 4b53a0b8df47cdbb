"""How the columns of a copied row get the values that hold in the copy: the kinds of references of graph.json.

Source: spec course_graph.md sections 1 and 2a; backup_format.md section 7
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import ContentSource, CourseTarget, IdMap, Row
from sync.moodle.course_content.graph.content_tables import CMS
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, GraphTable, Reference
from sync.moodle.course_content.restore import availability, block_config
from sync.moodle.db.database import MoodleSession

# A row that a column makes unfit for the copy: what it is about isn't there.
LEFT_OUT = object()

COMPLETION_OF_ACTIVITY = 4
# Source: BADGE_CRITERIA_TYPE_ACTIVITY of lib/badgeslib.php
_BADGE_FOR_ACTIVITIES = 1
_GRADE_ITEM = re.compile(r"##gi(\d+)##")
_WITH_BANK = ("question", "question_bank_entries", "contentbank_content")


@dataclass(frozen=True)
class SiteFacts:
    """What rows don't say themselves. Shape: modules: id -> name; field_areas: custom field id -> "course", "group" …"""

    operatorid: int
    modules: Mapping[int, str]
    field_areas: Mapping[int, str]


def fetch_site_facts(session: MoodleSession) -> SiteFacts:
    """Read what rows don't say themselves. Queries: two"""
    modules, custom, category = map(session.table, ("modules", "customfield_field", "customfield_category"))
    areas = sa.select(custom.c.id, category.c.area).join(category, category.c.id == custom.c.categoryid)
    return SiteFacts(
        session.operatorid,
        dict(session.fetch(sa.select(modules.c.id, modules.c.name))),
        dict(session.fetch(areas)),
    )


@dataclass(frozen=True)
class ReferenceResolver:
    """Where old ids lead, for one target. Shape: criteria: old ids of the criteria of badges -> their types"""

    maps: IdMap
    source: ContentSource
    target: CourseTarget
    facts: SiteFacts
    criteria: Mapping[int, int] = field(default_factory=dict)

    def find(self, table: str, old: int) -> int | None:
        """Return the new id, or that of what lies outside of the course."""
        new = self.maps.get(table, old)
        return self.source.outside(table, old) if new is None else new

    def rewrite(self, text: str) -> str:
        return self.source.links.rewrite(text, self.maps)


Rewrite = Callable[[Any, Row, ReferenceResolver], Any]


class ReferenceRule(NamedTuple):
    """How one column is rewritten.

    Shape: needs: tables whose rows must be there before, None = all; beside: columns of the row that it looks at
    """

    column: str
    rewrite: Rewrite
    needs: frozenset[str] | None = frozenset()
    beside: tuple[str, ...] = ()


def rules_of(
    content: CourseGraph, table: GraphTable, columns: sa.ColumnCollection[str, Any]
) -> Iterator[ReferenceRule]:
    """Return the rules for the columns of a table, of those that it has here."""
    special = _SPECIAL.get(table.name, ())
    named = {rule.column for rule in special}
    rules = list(special)
    for reference in table.references:
        if reference.column in columns and reference.column not in named:
            is_nullable = bool(columns[reference.column].nullable)
            rules += _by_kind(content, reference, is_nullable=is_nullable)
    rules += [ReferenceRule(name, _moved_date) for name in table.dates]
    rules += [ReferenceRule(name, _author_of(table.name)) for name in table.usercolumns if name not in named]
    for rule in rules:
        if rule.column in columns:
            yield rule


def text_columns(columns: sa.ColumnCollection[str, Any]) -> list[str]:
    """Return the columns that may hold texts with links."""
    return [column.name for column in columns if isinstance(column.type, sa.String) and column.type.length is None]


def _by_kind(content: CourseGraph, reference: Reference, *, is_nullable: bool) -> Iterator[ReferenceRule]:
    """Return the rule for a reference; ids of what isn't copied, the site's, stay."""
    column, to, how = reference
    if how in ("id", "id0", "idpos", "negid", "list", "path") and to not in {COURSE, CONTEXT, *content.tables}:
        return
    none = None if is_nullable else 0
    if how == "id":
        yield ReferenceRule(column, _plain(to, None if is_nullable else LEFT_OUT), frozenset({to}))
    elif how in ("id0", "idpos"):
        yield ReferenceRule(column, _plain(to, none if how == "id0" else 0), frozenset({to}))
    elif how == "negid":
        yield ReferenceRule(column, _negative(to), frozenset({to}))
    elif how == "list":
        yield ReferenceRule(column, _list(to), None)
    elif how == "path":
        yield ReferenceRule(column, _path(to), None)
    elif how == "availability":
        yield ReferenceRule(column, _availability, None)
    elif how == "regenerate":
        yield ReferenceRule(column, _fresh)


def _plain(table: str, missing: Any) -> Rewrite:
    def rewrite(value: int | None, _row: Row, lookup: ReferenceResolver) -> Any:
        if value is None or value <= 0:
            return value
        new = lookup.find(table, value)
        return missing if new is None else new

    return rewrite


def _negative(table: str) -> Rewrite:
    def rewrite(value: int | None, _row: Row, lookup: ReferenceResolver) -> Any:
        return value if value is None or value >= 0 else -(lookup.find(table, -value) or 0)

    return rewrite


def _list(table: str) -> Rewrite:
    def rewrite(value: str | None, _row: Row, lookup: ReferenceResolver) -> Any:
        if not value:
            return value
        new = [lookup.maps.get(table, int(old)) for old in value.split(",") if old.strip().isdecimal()]
        return ",".join(str(rowid) for rowid in new if rowid is not None)

    return rewrite


def _path(table: str) -> Rewrite:
    def rewrite(value: str | None, _row: Row, lookup: ReferenceResolver) -> Any:
        if not value:
            return value
        return "/".join(str(lookup.maps.get(table, int(old))) if old.isdecimal() else old for old in value.split("/"))

    return rewrite


def _availability(value: str | None, _row: Row, lookup: ReferenceResolver) -> Any:
    copied = availability.Copied(lookup.maps.get, lookup.source.with_groups, lookup.target.date_offset)
    return availability.rewritten(value, copied) if value else value


def _moved_date(value: int | None, _row: Row, lookup: ReferenceResolver) -> Any:
    return value + lookup.target.date_offset if value else value


def _author_of(table: str) -> Rewrite:
    """Whoever restores is the author; questions and the content bank keep theirs on the same site."""

    def rewrite(value: int | None, _row: Row, lookup: ReferenceResolver) -> Any:
        known = lookup.source.outside("user", value) if value and table in _WITH_BANK else None
        return (known or lookup.facts.operatorid) if value else value

    return rewrite


def _fresh(value: str | None, _row: Row, _lookup: ReferenceResolver) -> Any:
    return secrets.token_hex(20) if value else value


def fresh_salt() -> str:
    """Mirrors: uniqid('', true)"""
    return f"{secrets.token_hex(7)}.{secrets.randbelow(10**8):08}"


def _salt(_value: str | None, _row: Row, _lookup: ReferenceResolver) -> str:
    return fresh_salt()


def _client(value: str | None, _row: Row, _lookup: ReferenceResolver) -> str | None:
    """No two tools of a site have the same one: the copy has to be registered with its tool."""
    return secrets.token_hex(8)[:15] if value else value


def _stamp(value: str, row: Row, _lookup: ReferenceResolver) -> str:
    return value if value and row["parent"] else f"toolsync+{secrets.token_hex(10)}"


def _instance(value: int, row: Row, lookup: ReferenceResolver) -> Any:
    new = lookup.maps.get(lookup.facts.modules.get(row["module"], ""), value)
    return LEFT_OUT if new is None else new


def _delegate(value: int | None, row: Row, lookup: ReferenceResolver) -> Any:
    """The activity that a section belongs to, "mod_subsection"."""
    return lookup.maps.get((row["component"] or "").removeprefix("mod_"), value) if value else value


def _delegating(value: str | None, row: Row, lookup: ReferenceResolver) -> Any:
    """A section whose activity doesn't come along is one of the course's own. Mirrors: process_section() of the restore"""
    return value if value and _delegate(row["itemid"], row, lookup) is not None else None


def _graded(value: int | None, row: Row, lookup: ReferenceResolver) -> Any:
    if value is None:
        return None
    table = row["itemmodule"] if row["itemtype"] == "mod" else "grade_categories"
    new = lookup.maps.get(table or "", value)
    return LEFT_OUT if new is None else new


def _calculation(value: str | None, _row: Row, lookup: ReferenceResolver) -> Any:
    if not value:
        return value
    return _GRADE_ITEM.sub(lambda found: f"##gi{lookup.maps.get('grade_items', int(found[1])) or found[1]}##", value)


def _completed(value: int | None, row: Row, lookup: ReferenceResolver) -> Any:
    if row["criteriatype"] != COMPLETION_OF_ACTIVITY or not value:
        return value
    new = lookup.maps.get("course_modules", value)
    return LEFT_OUT if new is None else new


def _dimension(value: int, row: Row, lookup: ReferenceResolver) -> Any:
    new = lookup.maps.get(f"workshopform_{row['strategy']}", value)
    return LEFT_OUT if new is None else new


def _tagged(value: int, row: Row, lookup: ReferenceResolver) -> Any:
    new = lookup.maps.get(row["itemtype"], value)
    return LEFT_OUT if new is None else new


def _placed(value: int, _row: Row, lookup: ReferenceResolver) -> Any:
    new = lookup.maps.get(CONTEXT, value)
    return LEFT_OUT if new is None else new


def _field_owner(value: int, row: Row, lookup: ReferenceResolver) -> Any:
    areas = {"course": COURSE, "group": "groups", "grouping": "groupings"}
    new = lookup.maps.get(areas.get(lookup.facts.field_areas.get(row["fieldid"], ""), ""), value)
    return LEFT_OUT if new is None else new


def _block(value: str | None, row: Row, lookup: ReferenceResolver) -> Any:
    return block_config.rewritten(value, row["blockname"], lookup.find, lookup.rewrite) if value else value


def _question_filter(value: str | None, _row: Row, lookup: ReferenceResolver) -> Any:
    """Which questions a random slot draws from: categories, in Moodle's old and new way of saying so."""
    try:
        condition = json.loads(value or "")
    except ValueError:
        return value
    find = lookup.find

    def category(old: Any) -> Any:
        new = find("question_categories", int(old)) if str(old).isdigit() else None
        return old if new is None else type(old)(new)

    if "questioncategoryid" in condition:
        condition["questioncategoryid"] = category(condition["questioncategoryid"])
    chosen = condition.get("filter", {}).get("category") if isinstance(condition.get("filter"), dict) else None
    if isinstance(chosen, dict) and isinstance(chosen.get("values"), list):
        chosen["values"] = [category(old) for old in chosen["values"]]
    if isinstance(condition.get("cat"), str):
        old, _comma, contextid = condition["cat"].partition(",")
        new = find("context", int(contextid)) if contextid.isdigit() else None
        condition["cat"] = f"{category(old)},{contextid if new is None else new}"
    return json.dumps(condition, separators=(",", ":")).replace("/", "\\/")


def _badge_name(value: str, row: Row, lookup: ReferenceResolver) -> Any:
    """Mirrors: names such as "module_12", "bydate_12", "grade_5", "role_3" of criteria; process_parameter() of the restore"""
    kind, _bar, old = value.partition("_")
    new = _badge_target(kind, old, row, lookup)
    return LEFT_OUT if new is None else f"{kind}_{new}" if old.isdigit() else value


def _badge_value(value: str, row: Row, lookup: ReferenceResolver) -> Any:
    """The id once more; of a grade or a date what it has to be."""
    kind, _bar, old = row["name"].partition("_")
    return _badge_target(kind, old, row, lookup) if value == old and kind in ("module", "course") else value


def _badge_target(kind: str, old: str, row: Row, lookup: ReferenceResolver) -> Any:
    of_date = CMS if lookup.criteria.get(row["critid"]) == _BADGE_FOR_ACTIVITIES else COURSE
    table = {"module": CMS, "course": COURSE, "grade": COURSE, "bydate": of_date}.get(kind)
    return lookup.find(table, int(old)) if table and old.isdigit() else old


def _grade_idnumber(value: str | None, row: Row, _lookup: ReferenceResolver) -> str | None:
    """An activity's grade without an idnumber has none at all. Mirrors: restore_activity_grades_structure_step"""
    return value or None if row["itemtype"] == "mod" else value


def _tool_type(value: int | None, _row: Row, lookup: ReferenceResolver) -> int | None:
    """0 where the tool has no type of its own, nothing where its type isn't there. Mirrors: process_lti(), process_ltitype()"""
    return lookup.find("lti_types", value) if value else 0


def _zero_for_none(value: int | None, _row: Row, _lookup: ReferenceResolver) -> int:
    return value or 0


def _empty_for_none(value: str | None, _row: Row, _lookup: ReferenceResolver) -> str:
    return value or ""


def _constant(wanted: Any) -> Rewrite:
    return lambda _value, _row, _lookup: wanted


_SPECIAL: Mapping[str, tuple[ReferenceRule, ...]] = {
    "badge": (ReferenceRule("status", _constant(0)),),
    "badge_criteria": (ReferenceRule("description", _empty_for_none),),
    "badge_criteria_param": (
        ReferenceRule("value", _badge_value, frozenset({CMS}), ("name", "critid")),
        ReferenceRule("name", _badge_name, frozenset({CMS}), ("critid",)),
    ),
    "block_instances": (ReferenceRule("configdata", _block, None, ("blockname",)),),
    "block_positions": (ReferenceRule("contextid", _placed),),
    "contentbank_content": (ReferenceRule("instanceid", _constant(None)),),
    "course_completion_criteria": (
        ReferenceRule("moduleinstance", _completed, frozenset({"course_modules"}), ("criteriatype",)),
    ),
    "course_modules": (ReferenceRule("instance", _instance, frozenset(), ("module",)),),
    "course_sections": (
        ReferenceRule("itemid", _delegate, frozenset({"subsection"}), ("component",)),
        ReferenceRule("component", _delegating, frozenset({"subsection"}), ("itemid",)),
    ),
    "customfield_data": (ReferenceRule("instanceid", _field_owner, frozenset({"groups", "groupings"}), ("fieldid",)),),
    "event": (ReferenceRule("subscriptionid", _constant(None)),),
    "glossary": (ReferenceRule("globalglossary", _constant(0)),),
    "grade_items": (
        ReferenceRule("iteminstance", _graded, frozenset({"grade_categories"}), ("itemtype", "itemmodule")),
        ReferenceRule("calculation", _calculation, None),
        ReferenceRule("needsupdate", _constant(1)),
        ReferenceRule("idnumber", _grade_idnumber, frozenset(), ("itemtype",)),
    ),
    "lti": (
        ReferenceRule("servicesalt", _salt),
        # Tools without a type need not wait for the types, which some versions copy later.
        ReferenceRule("typeid", _zero_for_none),
        ReferenceRule("typeid", _tool_type, frozenset({"lti_types"})),
    ),
    "lti_types": (ReferenceRule("clientid", _client),),
    "question_categories": (ReferenceRule("stamp", _stamp, frozenset(), ("parent",)),),
    "question_set_references": (
        ReferenceRule("filtercondition", _question_filter, frozenset({"question_categories"})),
    ),
    "tag_instance": (ReferenceRule("itemid", _tagged, frozenset(), ("itemtype",)),),
    "workshop_grades": (ReferenceRule("dimensionid", _dimension),),
}
