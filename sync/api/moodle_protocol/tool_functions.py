"""Functions of the tool itself: its settings, its files, its synchronisations, and courses made like others."""

from __future__ import annotations

import json
from typing import Any

from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.drafts import commit_drafts
from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter
from sync.api.moodle_protocol.named import COURSE_SOURCES, Named
from sync.messages import text_of
from sync.models import Source
from sync.runs.options import resolve_options
from sync.runs.rights import MANAGE_FILES, MANAGE_SOURCES, Responsible
from sync.runs.selectors import preselected_file
from sync.runs.services import save_settings
from sync.runs.source_settings import SourceChoice, save_source, source_of

# Service and key -> file type. Keys that name files set where they are looked for, the others options.
_LOCATIONS = {
    ("courses", "fileuploadlocation"): "courses", ("courses", "filedeletelocation"): "courses_delete",
    ("courses", "fileexistslocation"): "courses_check", ("courses", "fileresetlocation"): "courses_reset",
    ("users", "filelocation"): "users", ("cohorts", "filelocation"): "cohorts", ("enrols", "filelocation"): "enrolments",
}  # fmt: skip
_OPTIONS = {
    ("courses", "filedeleteidentifier"): "courses_delete", ("courses", "existfileidentifier"): "courses_check",
    ("courses", "fileresetidentifier"): "courses_reset", ("users", "primaryidentity"): "users",
    ("cohorts", "useridentifier"): "cohorts", ("cohorts", "cohortidentifier"): "cohorts", ("cohorts", "autocreate"): "cohorts",
    ("cohorts", "syncdelete"): "cohorts",
    ("enrols", "courseidentifier"): "enrolments", ("enrols", "useridentifier"): "enrolments",
}  # fmt: skip
_ACTIONS = {
    "courses": {
        "check": "courses_check", "delete": "courses_delete", "create": "courses", "reset": "courses_reset",
        "bindmetas": "courses_meta",
    },
    "users": {"sync": "users"}, "cohorts": {"sync": "cohorts"}, "enrols": {"sync": "enrolments"},
}  # fmt: skip


def set_config(call: Call, service: str, confkey: str, confvalue: str) -> bool:
    """Set where the files of a service are looked for, or an option of its file type, by the plugin's names."""
    key = (service, confkey)
    if key in _LOCATIONS:
        processor = _LOCATIONS[key]
        call.check_may(MANAGE_SOURCES, processor)
        _set_location(call, processor, confvalue)
        return True
    if key not in _OPTIONS:
        raise invalid_parameter("Service keys not in acceptable ranges.")
    processor = _OPTIONS[key]
    call.check_runs(processor)
    values = {**resolve_options(call.site, processor), f"{service}_{confkey}": confvalue}
    save_settings(site=call.site, processor=processor, values=values, by=Responsible.of(call.person))
    return True


def _set_location(call: Call, processor: str, location: str) -> None:
    """Set where files are looked for in the file area, and leave what else is set there. Raises: ServiceError; SourceError"""
    stored = source_of(call.site, processor)
    if stored.kind != Source.Kind.AREA:
        # Its address and its secrets would be gone.
        text = text_of("service_source_elsewhere", {"file_type": processor, "kind": stored.get_kind_display()})
        raise ServiceError(text, "sourceelsewhere")
    choice = SourceChoice(
        kind=Source.Kind.AREA, location=location, take_all=stored.take_all, leave_same=stored.leave_same
    )
    save_source(call.site, processor, choice, owner=Responsible.of(call.person))


def commit_file(call: Call, draftitemid: int) -> bool:
    """Put the files that were uploaded under a draft number among the files of the site."""
    call.check_may(MANAGE_FILES)
    commit_drafts(call.site, call.person, draftitemid)
    return True


def process(call: Call, service: str, action: str) -> str:
    """Carry out the file of a service, and return its report."""
    if service not in _ACTIONS:
        raise invalid_parameter("Service not in acceptable ranges.")
    processor = _ACTIONS[service].get(action)
    if processor is None:
        raise invalid_parameter("Service action not in acceptable ranges.")
    call.check_runs(processor)
    file = preselected_file(call.site, processor, call.person)
    if file is None:
        raise ServiceError(text_of("service_file_missing", {"file_type": processor}), "nofile")
    return call.report_of(call.run_file(processor, file, {}))


def deploy_course(call: Call, **given: Any) -> int:
    """Make a course like another one in a category, replace texts in it, and return its id."""
    replacements = _replacements(given["replacements"])
    with call.moodle() as moodle:
        named = Named(moodle)
        category = named.category(given["categoryidsource"], given["categoryid"])
        if given["templateidsource"] not in COURSE_SOURCES:
            raise invalid_parameter("Template ID source not in acceptable range.")
        template = named.column("course", "shortname", named.course(given["templateidsource"], given["templateid"]))
        if named.course_or_none("shortname", given["shortname"]) is not None:
            raise ServiceError(text_of("service_shortname_taken", {"shortname": given["shortname"]}), "shortnametaken")
    header = ("category", "shortname", "fullname", "idnumber", "template", "replacements")
    row = [category, given["shortname"], given["fullname"], given["idnumber"], template, replacements]
    options = {"categoryidentifier": "idname", "courseidentifier": "shortname"}
    call.run_rows("courses", header, [row], options)
    with call.moodle() as moodle:
        return Named(moodle).course("shortname", given["shortname"])


def _replacements(text: str) -> str:
    """Return replacements as the file of courses takes them. Raises: ServiceError"""
    if not text.strip():
        return ""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if found == []:
        # PHP writes an empty structure so.
        return ""
    if not isinstance(found, dict) or not all(isinstance(value, str | int | float) for value in found.values()):
        raise invalid_parameter("replacements is no JSON structure of texts")
    return json.dumps({name: str(value) for name, value in found.items()}, ensure_ascii=False)
