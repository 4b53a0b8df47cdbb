"""Functions that link cohorts with courses, delete them, and change who is in them, by files of cohorts."""

from __future__ import annotations

from typing import Any

from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter
from sync.api.moodle_protocol.named import COHORT_SOURCES, Named
from sync.values import Action

_LINK_HEADER = ("cmd", "course", "cohort", "role", "enrol", "enrolstart", "enrolend", "makegroup")
_LINKS_BY_ID = {"cohortidentifier": "id", "courseidentifier": "id", "roleidentifier": "id"}
_MEMBERS_BY_ID = {"cohortidentifier": "id", "useridentifier": "id"}
_METHODS = ("cohort", "delayedcohort", "cohortrestricted")
_ALL = "*"
# Rows that say that there is no such link: the plugin answers true as well.
_NO_LINK = "cohort_link_missing"


def bind_cohort(call: Call, **link: Any) -> bool:
    """Enrol a cohort in a course with a role, or switch such an enrolment on again."""
    _check_method(link["method"])
    if link["extparam1"] or link["extparam2"]:
        raise invalid_parameter("extparam1 and extparam2 belong to methods of other plugins, and are not supported")
    with call.moodle() as moodle:
        named = Named(moodle)
        where = _where(named, link)
        role = named.role(link["ridsource"], link["rid"]).id
    dates = [link["timestart"], link["timeend"]]
    row = ["add", *where, role, link["method"], *dates, int(bool(link["makegroup"]))]
    call.run_rows("cohort_courses", _LINK_HEADER, [row], _LINKS_BY_ID)
    return True


def unbind_cohort(call: Call, **link: Any) -> bool:
    """Take a cohort out of a course, with everybody whom it enrolled."""
    return _change(call, "fulldel", link)


def suspend_enrol(call: Call, **link: Any) -> bool:
    """Switch the enrolments of a cohort in a course off."""
    return _change(call, "del", link)


def restore_enrol(call: Call, **link: Any) -> bool:
    """Switch them on again."""
    return _change(call, "restore", link)


def delete_cohort(call: Call, chidsource: str, chid: str) -> bool:
    """Delete a cohort; tell whether there was one."""
    with call.moodle() as moodle:
        cohortid = Named(moodle).cohort_or_none(chidsource, chid)
    if cohortid is None:
        return False
    call.run_rows("cohorts", ("cmd", "cid"), [["del", cohortid]], _MEMBERS_BY_ID)
    return True


def add_members(call: Call, members: list[dict[str, Any]]) -> dict[str, Any]:
    """Put users into cohorts; what can't be is a warning. Mirrors: core_cohort_add_cohort_members"""
    warnings: list[dict[str, str]] = []
    rows: list[list[Any]] = []
    # As the cohort of each row was named.
    called: list[str] = []
    with call.moodle() as moodle:
        named = Named(moodle)
        for number, member in enumerate(members):
            cohort, user = member["cohorttype"], member["usertype"]
            if not user["value"] or user["value"] == "0":
                raise invalid_parameter(f"Null User idnumber at record {number}")
            userid = named.user(user["type"], user["value"])
            if cohort["type"] not in COHORT_SOURCES:
                warnings.append({"warningcode": "1", "message": f"invalid parameter: cohortype={cohort['type']}"})
                continue
            cohortid = named.cohort_or_none(cohort["type"], cohort["value"])
            if cohortid is None:
                text = f"cohort {cohort['type']}={cohort['value']} not exists"
                warnings.append({"warningcode": "2", "message": text})
                continue
            rows.append(["add", cohortid, userid])
            called.append(f"{cohort['type']}={cohort['value']}")
    if rows:
        added = call.run_rows("cohorts", ("cmd", "cid", "userid"), rows, _MEMBERS_BY_ID)
        for outcome in added:
            if outcome.action is Action.UNCHANGED:
                row = outcome.line - 2
                text = f"record already exists: cohort({called[row]} id={rows[row][2]})"
                warnings.append({"warningcode": "3", "message": text})
    return {"warnings": warnings}


def delete_members(call: Call, members: list[dict[str, Any]], *, blocking: bool) -> None:
    """Take users out of cohorts. Shape: blocking: what isn't there is an error, else it is passed over"""
    rows: list[list[Any]] = []
    with call.moodle() as moodle:
        named = Named(moodle)
        for member in members:
            cohort, user = member["cohorttype"], member["usertype"]
            try:
                rows.append([
                    "del", named.cohort(cohort["type"], cohort["value"]), named.user(user["type"], user["value"]),
                ])  # fmt: skip
            except ServiceError:
                if blocking:
                    raise
    if rows:
        call.run_rows("cohorts", ("cmd", "cid", "userid"), rows, _MEMBERS_BY_ID)


def _change(call: Call, command: str, link: dict[str, Any]) -> bool:
    _check_method(link["method"])
    with call.moodle() as moodle:
        where = _where(Named(moodle), link)
    row = [command, *where, _ALL, link["method"], "", "", ""]
    try:
        call.run_rows("cohort_courses", _LINK_HEADER, [row], _LINKS_BY_ID)
    except ServiceError as error:
        if error.errorcode != _NO_LINK:
            raise
    return True


def _where(named: Named, link: dict[str, Any]) -> list[int]:
    """Return the course and the cohort. Raises: ServiceError"""
    course = named.course(link["cidsource"], link["cid"])
    return [course, named.cohort(link["chidsource"], link["chid"])]


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise invalid_parameter(f"Bad enrol method {method}")
