"""Functions that enrol and unenrol, by files of enrolments."""

from __future__ import annotations

from typing import Any

from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.named import Named

_HEADER = ("cmd", "cid", "uid", "rolename", "enrol", "starttime", "endtime")
_BY_ID = {"courseidentifier": "id", "useridentifier": "id"}


def enrol_user(call: Call, **enrol: Any) -> bool:
    """Enrol a user with a role."""
    _enrol(call, [enrol])
    return True


def enrol_users(call: Call, enrols: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Enrol users; nothing is done unless all that is named is there."""
    _enrol(call, enrols)
    return [{"userid": enrol["userid"], "status": True} for enrol in enrols]


def unenrol_user(call: Call, **enrol: Any) -> bool:
    """Take a user out of a course. The role says nothing, as in Moodle."""
    _unenrol(call, [enrol])
    return True


def unenrol_users(call: Call, enrols: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take users out of courses."""
    _unenrol(call, enrols)
    return [{"userid": enrol["userid"], "status": True} for enrol in enrols]


def _enrol(call: Call, enrols: list[dict[str, Any]]) -> None:
    rows: list[list[Any]] = []
    with call.moodle() as moodle:
        named = Named(moodle)
        for enrol in enrols:
            role = named.role(enrol["roleidsource"], enrol["roleid"]).shortname
            who = [*_who(named, enrol), role, enrol["method"]]
            rows.append(["add", *who, enrol["timestart"], enrol["timeend"]])
            if enrol["suspend"]:
                rows.append(["disable", *who, "", ""])
    if rows:
        call.run_rows("enrolments", _HEADER, rows, _BY_ID)


def _unenrol(call: Call, enrols: list[dict[str, Any]]) -> None:
    with call.moodle() as moodle:
        named = Named(moodle)
        rows = [["del", *_who(named, enrol), "", enrol["method"], "", ""] for enrol in enrols]
    if rows:
        call.run_rows("enrolments", _HEADER, rows, _BY_ID)


def _who(named: Named, enrol: dict[str, Any]) -> list[int]:
    """Return the course and the user. Raises: ServiceError"""
    course = named.course(enrol["courseidsource"], enrol["courseid"])
    return [course, named.user(enrol["useridsource"], enrol["userid"])]
