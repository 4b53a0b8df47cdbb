"""Rows of an archive in the words of the site that they go to: what they name there is found by its name, or they are left out.

Ids of things within the archive stay old ones. Each rule takes the texts of one row and gives them changed, None = left out.
Source: spec backup_format.md sections 5 to 10
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.moodle.course_content.graph.content_source import Row
from sync.moodle.course_content.restore.column_defaults import Defaults, with_absent_values
from sync.moodle.course_content.restore.question_banks import QuestionBanks, rewritten_filter
from sync.moodle.course_content.restore.references import fresh_salt
from sync.moodle.course_content.restore.site_names import SiteNames

# Columns of customfield_data by the type of the field; everything is in `value` besides.
_TYPED_FIELDS = {
    "text": "charvalue", "textarea": "value", "checkbox": "intvalue", "select": "intvalue", "date": "intvalue",
    "number": "decvalue",
}  # fmt: skip
# What can be asked for in the criteria of a course's completion.
_OF_COURSE, _OF_ROLE = "8", "7"
# Source: Moodle table tag
TAG_LENGTH = 255
# A setting of tools that no two of them share. Source: Moodle table lti_types_config
_SALT = "servicesalt"


@dataclass
class Facts:
    """What rows have to be held against.

    Shape: same_site: the archive comes from this site; roles: old id -> id; absent: what stands for columns that the archive
    lacks; tagids: name in small letters -> id; courseids: short name -> id; templates: those of quizzes; delegates: old ids of
    subsections; scales, outcomes: old id -> id of the site's own; lost_*: rows about questions that the site can't hold;
    slot_numbers, first_slots: where quizzes lost some, by old ids of slots and sections, None = nothing is left of a section;
    neighbours: table -> ids that the archive names without holding them, and that are there
    """

    names: SiteNames
    now: int
    version: float
    operatorid: int
    courseid: int
    contextid: int
    same_site: bool
    banks: QuestionBanks
    roles: Mapping[int, int] = field(default_factory=dict)
    absent: Defaults = field(default_factory=dict)
    tagids: Mapping[str, int] = field(default_factory=dict)
    courseids: Mapping[str, int] = field(default_factory=dict)
    templates: frozenset[int] = frozenset()
    delegates: frozenset[int] = frozenset()
    scales: Mapping[int, int] = field(default_factory=dict)
    outcomes: Mapping[int, int] = field(default_factory=dict)
    lost_questions: frozenset[int] = frozenset()
    lost_entries: frozenset[int] = frozenset()
    lost_slots: frozenset[int] = frozenset()
    slot_numbers: dict[int, int] = field(default_factory=dict)
    first_slots: dict[int, int | None] = field(default_factory=dict)
    neighbours: Mapping[str, frozenset[int]] = field(default_factory=dict)
    # How many tags each thing has got by now.
    tagged: Counter[tuple[Any, Any]] = field(default_factory=Counter)


Convert = Callable[[Row, Facts], Row | None]


def converted(table: str, row: Row, facts: Facts) -> Row | None:
    """Return a row in the words of the site; None for one that the restored course does without."""
    convert = _CONVERTERS.get(table)
    row = with_absent_values(table, row, facts.absent)
    return row if convert is None else convert(row, facts)


def _activity(row: Row, facts: Facts) -> Row | None:
    moduleid = facts.names.modules.get(row.get("modulename") or "")
    if moduleid is None:
        return None
    return {**row, "module": moduleid, "deletioninprogress": 0, "availability": _conditions(row.get("availability"))}


def _section(row: Row, facts: Facts) -> Row:
    is_delegated = row.get("component") == "mod_subsection" and number_of(row.get("itemid")) in facts.delegates
    if not is_delegated:
        row |= {"component": None, "itemid": None}
    bank = facts.banks.bank.get("course_modules")
    if bank and bank["section"] == row["id"]:
        row["sequence"] = ",".join(filter(None, (row.get("sequence"), str(bank["id"]))))
    return {**row, "availability": _conditions(row.get("availability"))}


def _conditions(text: str | None) -> str | None:
    """Return conditions that are well-formed as Moodle makes them; others don't hold anything."""
    try:
        tree = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return text if isinstance(tree, dict) and _is_tree(tree) else None


def _is_tree(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    return "c" not in node or (isinstance(node["c"], list) and all(_is_tree(child) for child in node["c"]))


def _tag(row: Row, facts: Facts) -> Row | None:
    tagid = facts.tagids.get(tag_name(row))
    if tagid is None:
        return None
    item = (row.get("itemtype"), row.get("itemid"))
    facts.tagged[item] += 1
    # Those of questions stand in the context of their bank.
    contextid = number_of(row.get("contextid"))
    if row.get("itemtype") == "question":
        contextid = facts.banks.place(contextid)
    return {**row, "tagid": tagid, "ordering": facts.tagged[item], "tiuserid": 0, "contextid": contextid}


def tag_name(row: Row) -> str:
    return str(row.get("name") or row.get("rawname") or "").lower()[:TAG_LENGTH]


def _custom_field(row: Row, facts: Facts) -> Row | None:
    kind = str(row.get("type") or "")
    fieldid = facts.names.fields.get((str(row.get("area")), str(row.get("shortname") or ""), kind))
    if fieldid is None:
        return None
    value = row.get("value")
    typed = {"value": value or "", _TYPED_FIELDS.get(kind, "value"): value}
    return {**row, "fieldid": fieldid, "contextid": facts.contextid, "itemid": 0, **typed}


def _completion(row: Row, facts: Facts) -> Row | None:
    if row.get("criteriatype") == _OF_COURSE:
        courseid = facts.courseids.get(row.get("courseinstanceshortname") or "")
        return None if courseid is None else {**row, "courseinstance": courseid}
    if row.get("criteriatype") == _OF_ROLE:
        name = row.get("roleshortname")
        role = facts.names.role_ids.get(name) if name else facts.roles.get(number_of(row.get("role")))
        return None if role is None else {**row, "role": role}
    return row


def _completion_default(row: Row, facts: Facts) -> Row | None:
    moduleid = facts.names.modules.get(row.get("modulename") or "")
    return None if moduleid is None else {**row, "module": moduleid}


def _competency(row: Row, facts: Facts) -> Row | None:
    named = (row.get("frameworkidnumber") or "", row.get("idnumber") or "")
    competencyid = facts.names.competencies.get(named)
    return None if competencyid is None else {**row, "competencyid": competencyid, **_stamped(facts)}


def _of_operator(row: Row, facts: Facts) -> Row:
    return {**row, **_stamped(facts)}


def _stamped(facts: Facts) -> Row:
    return {"usermodified": facts.operatorid, "timecreated": facts.now, "timemodified": facts.now}


def _permission(row: Row, facts: Facts) -> Row | None:
    role = facts.roles.get(number_of(row.get("roleid")))
    if role is None or row.get("capability") not in facts.names.capabilities:
        return None
    return {**row, "roleid": role, "timemodified": facts.now, "modifierid": facts.operatorid}


def _filter(row: Row, facts: Facts) -> Row | None:
    """What is set for a filter; nothing where the site doesn't have it or has it switched off."""
    name = str(row.get("filter") or "").removeprefix("filter/")
    return {**row, "filter": name} if name in facts.names.filters else None


def _block(row: Row, facts: Facts) -> Row | None:
    return row if row.get("blockname") in facts.names.blocks else None


def _tool(row: Row, _facts: Facts) -> Row:
    """Every tool has a salt of its own, which is made when the row is restored; one without a type has the type 0."""
    return {**row, "servicesalt": "", "typeid": number_of(row.get("typeid"))}


def _tool_type(row: Row, facts: Facts) -> Row:
    return {**row, "toolproxyid": None, "createdby": facts.operatorid}


def _tool_setting(row: Row, _facts: Facts) -> Row | None:
    """What is encrypted for the site that the archive comes from can't be read here."""
    if row.get("value") is None:
        return None
    return {**row, "value": fresh_salt()} if row.get("name") == _SALT else row


def _role_name(row: Row, facts: Facts) -> Row | None:
    role = facts.roles.get(number_of(row.get("roleid")))
    return None if role is None else {**row, "roleid": role}


def _scale(row: Row, facts: Facts) -> Row | None:
    return None if row["id"] in facts.scales else {**row, "courseid": facts.courseid}


def _outcome(row: Row, facts: Facts) -> Row | None:
    return None if row["id"] in facts.outcomes else {**row, "courseid": facts.courseid}


def _seb(row: Row, facts: Facts) -> Row:
    row |= _stamped(facts)
    if number_of(row.get("templateid")) not in facts.templates:
        row["requiresafeexambrowser"] = "0" if number_of(row.get("templateid")) else row.get("requiresafeexambrowser")
        row["templateid"] = 0
    return row


def _grading_definition(row: Row, facts: Facts) -> Row:
    return {**row, **_stamped(facts), "usercreated": facts.operatorid, "copiedfromid": None}


def _badge_parameter(row: Row, facts: Facts) -> Row | None:
    kind, _bar, old = str(row.get("name") or "").partition("_")
    if kind == "role" and old.isdecimal():
        role = facts.roles.get(int(old))
        return None if role is None else {**row, "name": f"role_{role}", "value": str(role)}
    return None if kind in ("badge", "cohort", "competency") and old.isdecimal() and not facts.same_site else row


def _meeting(row: Row, facts: Facts) -> Row:
    """Who takes part in a meeting: people of another site aren't anybody here."""
    try:
        listed = json.loads(row.get("participants") or "")
    except (ValueError, RecursionError):
        return row
    if isinstance(listed, list):
        kept = [_participant(one, facts) for one in listed if isinstance(one, dict)]
        row["participants"] = json.dumps([one for one in kept if one is not None])
    return row


def _participant(one: dict[str, Any], facts: Facts) -> dict[str, Any] | None:
    kind, who = one.get("selectiontype"), str(one.get("selectionid"))
    if kind == "role" and who.isdecimal():
        # An archive without people says nothing of most roles; Moodle takes the numbers as they are.
        role = facts.roles.get(int(who), int(who))
        return {**one, "selectionid": str(role)} if role in facts.names.role_ids.values() else None
    return one if kind != "user" or facts.same_site else None


def _question(row: Row, facts: Facts) -> Row | None:
    return None if row["id"] in facts.lost_questions else row


def _entry(row: Row, facts: Facts) -> Row | None:
    return None if row["id"] in facts.lost_entries else row


def _slot(row: Row, facts: Facts) -> Row | None:
    if row["id"] in facts.lost_slots:
        return None
    return {**row, "slot": facts.slot_numbers.get(row["id"], row.get("slot"))}


def _quiz_section(row: Row, facts: Facts) -> Row | None:
    first = facts.first_slots.get(row["id"], number_of(row.get("firstslot")))
    return None if first is None else {**row, "firstslot": first}


def _random_questions(row: Row, facts: Facts) -> Row:
    old = number_of(row.get("questionscontextid"))
    condition = rewritten_filter(row.get("filtercondition"), facts.banks, facts.version, facts.tagids)
    return {**row, "questionscontextid": facts.banks.place(old), "filtercondition": condition or ""}


def number_of(value: Any) -> int:
    """Return the number of an id, 0 for none."""
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdecimal() else 0


_CONVERTERS: Mapping[str, Convert] = {
    "badge_criteria_param": _badge_parameter,
    "bigbluebuttonbn": _meeting,
    "block_instances": _block,
    "competency_coursecomp": _competency,
    "competency_coursecompsetting": _of_operator,
    "competency_modulecomp": _competency,
    "course_completion_criteria": _completion,
    "course_completion_defaults": _completion_default,
    "course_modules": _activity,
    "course_sections": _section,
    "customfield_data": _custom_field,
    "filter_active": _filter,
    "filter_config": _filter,
    "grade_outcomes": _outcome,
    "grading_definitions": _grading_definition,
    "lti": _tool,
    "lti_types": _tool_type,
    "lti_types_config": _tool_setting,
    "question": _question,
    "question_bank_entries": _entry,
    "question_set_references": _random_questions,
    "quiz_sections": _quiz_section,
    "quiz_slots": _slot,
    "quizaccess_seb_quizsettings": _seb,
    "role_capabilities": _permission,
    "role_names": _role_name,
    "scale": _scale,
    "tag_instance": _tag,
}
