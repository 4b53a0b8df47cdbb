"""Functions that give roles in contexts and take them away, by files of roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.errors import invalid_parameter
from sync.api.moodle_protocol.named import CATEGORY_SOURCES, COURSE_SOURCES, USER_SOURCES, Named
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import is_id
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE, CONTEXT_SYSTEM, CONTEXT_USER

_HEADER = ("cmd", "context", "instance", "userid", "role", "component")
_BY_ID = {"useridentifier": "id", "courseidentifier": "id", "categoryidentifier": "id", "roleidentifier": "id"}
_LEVELS = {
    "system": CONTEXT_SYSTEM, "coursecat": CONTEXT_COURSECAT, "course": CONTEXT_COURSE, "module": CONTEXT_MODULE,
    "user": CONTEXT_USER,
}  # fmt: skip
# Kinds of contexts -> by what an instance may be named; instanceref is "forum:12", the module and its own number.
_SOURCES: Mapping[int, tuple[str, ...]] = {
    CONTEXT_COURSECAT: CATEGORY_SOURCES,
    CONTEXT_COURSE: COURSE_SOURCES,
    CONTEXT_MODULE: ("id", "idnumber", "instanceref"),
    CONTEXT_USER: USER_SOURCES,
}
_ALL = "*"

_INSTANCE_REF = re.compile(r"([a-z_]+):([0-9]{1,18})")


def assign_role(call: Call, **assign: Any) -> int:
    """Return the id of the assignment of a role that is given. Shape: shiftrole: the others that the user has there go"""
    with call.moodle() as moodle:
        row = _row(moodle, assign, "shift" if assign["shiftrole"] else "add")
    call.run_rows("roles", _HEADER, [row], _BY_ID)
    with call.moodle() as moodle:
        return _assignment(moodle, row)


def assign_roles(call: Call, roleassigns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return nothing; the roles are given."""
    with call.moodle() as moodle:
        rows = [_row(moodle, assign, "shift" if assign["shiftrole"] else "add") for assign in roleassigns]
    return _run(call, rows, roleassigns)


def unassign_role(call: Call, **unassign: Any) -> bool:
    """Take away a role, or all roles of the component where the role is "*"."""
    with call.moodle() as moodle:
        rows = [_row(moodle, unassign, "del")]
    _run(call, rows, [unassign])
    return True


def unassign_roles(call: Call, roleunassigns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take away roles."""
    with call.moodle() as moodle:
        rows = [_row(moodle, unassign, "del") for unassign in roleunassigns]
    return _run(call, rows, roleunassigns)


def _run(call: Call, rows: list[list[Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if rows:
        call.run_rows("roles", _HEADER, rows, _BY_ID)
    return [{"userid": each["userid"], "status": True} for each in given]


def _row(moodle: MoodleSession, given: Mapping[str, Any], command: str) -> list[Any]:
    """Return a row of a file of roles. Raises: ServiceError"""
    named = Named(moodle)
    level = _level(given["contexttype"])
    takes_all = command == "del" and given["roleid"] == _ALL
    role = _ALL if takes_all else named.role(given["roleidsource"], given["roleid"]).id
    instance = "" if level == CONTEXT_SYSTEM else _instance(named, level, given)
    user = named.user(given["useridsource"], given["userid"])
    # As the rows of the file of roles keep it.
    return [command, level, instance, user, role, given["component"].strip().lower()]


def _level(text: str) -> int:
    level = int(text) if is_id(text) else _LEVELS.get(text.lower(), 0)
    if level not in _LEVELS.values():
        # Blocks had idnumbers in the course format “page” only, which is gone.
        raise invalid_parameter(f"Context type not in acceptable ranges: {text[:50]}")
    return level


def _instance(named: Named, level: int, given: Mapping[str, Any]) -> int:
    source, value = given["instanceidsource"], given["instanceid"]
    if source not in _SOURCES[level]:
        raise invalid_parameter(f"Context source not in acceptable ranges for contexttype {given['contexttype']}")
    if level == CONTEXT_COURSECAT:
        return named.category(source, value)
    if level == CONTEXT_COURSE:
        return named.course(source, value)
    if level == CONTEXT_USER:
        return named.user(source, value)
    return _activity(named.moodle, source, value)


def _activity(moodle: MoodleSession, source: str, value: str) -> int:
    """Return the number of an activity (cmid). Raises: ServiceError"""
    cm, module = map(moodle.table, ("course_modules", "modules"))
    statement = sa.select(cm.c.id).where(cm.c.deletioninprogress == 0)
    if source == "instanceref":
        if (match := _INSTANCE_REF.fullmatch(value)) is None:
            raise invalid_parameter(f"Malformed instance ref: {value[:100]}")
        of_module = sa.select(module.c.id).where(module.c.name == match[1])
        statement = statement.where(cm.c.module.in_(of_module), cm.c.instance == int(match[2]))
    elif source == "id":
        statement = statement.where(cm.c.id == (int(value) if is_id(value) else 0))
    else:
        statement = statement.where(cm.c.idnumber == value, cm.c.idnumber != "")
    found = moodle.fetch(statement.limit(2))
    if len(found) != 1:
        many = "Several instances" if found else "Instance not"
        raise invalid_parameter(f"{many} found by {source}: {value[:100]}")
    return int(found[0].id)


def _assignment(moodle: MoodleSession, row: list[Any]) -> int:
    """Return the id of an assignment that is there by now."""
    _command, level, instance, user, role, component = row
    held, context = map(moodle.table, ("role_assignments", "context"))
    statement = (
        sa.select(sa.func.min(held.c.id))
        .select_from(held.join(context, context.c.id == held.c.contextid))
        .where(
            context.c.contextlevel == level,
            context.c.instanceid == (instance or 0),
            held.c.userid == user,
            held.c.roleid == role,
            held.c.component == component,
        )
    )
    return int(moodle.fetch(statement)[0][0])
