"""Custom fields of courses, one of each type that a file can fill."""

from __future__ import annotations

from tests.moodle_sites import MoodleSite

FIELDS = {
    "level": ("select", '{"options": "Bachelor\\r\\nMaster"}'),
    "due": ("date", "{}"),
    "note": ("textarea", "{}"),
    "open": ("checkbox", "{}"),
    "code": ("text", '{"uniquevalues": "1"}'),
}


def add_course_fields(site: MoodleSite) -> None:
    stamps = {"timecreated": 1, "timemodified": 1}
    category = site.insert(
        "customfield_category", name="More", component="core_course", area="course", itemid=0, sortorder=90, contextid=1, **stamps
    )  # fmt: skip
    for number, (shortname, (kind, config)) in enumerate(FIELDS.items()):
        site.insert(
            "customfield_field", shortname=shortname, name=shortname, type=kind, categoryid=category, sortorder=number,
            configdata=config, **stamps,
        )  # fmt: skip
