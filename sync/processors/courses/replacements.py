"""The column `replacements` of a file of courses: what is replaced in the content that a new course takes from its template.

Its keys are those of the old plugin's function deploy_course: "section0:summary:data1" in the summary of a section,
"cm:{course:idnumber}_dist:docurl" in the activity of an idnumber, any other text everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sync.moodle.course_content.restore.text_replacements import TextReplacement
from sync.processors.base.errors import RowError

_SECTION = re.compile(r"section(\d{1,4}):(?:(name|summary):)?(.+)", re.DOTALL)
_ACTIVITY = re.compile(r"cm:((?:\{[^{}]*\}|[^:{}])+):(.+)", re.DOTALL)
_OF_COURSE = re.compile(r"\{course:(idnumber|shortname|fullname)\}")


def read_replacements(
    cell: str | None, course: Mapping[str, Any], template: Mapping[str, Any]
) -> tuple[TextReplacement, ...]:
    """Return what a cell asks for. Shape: course, template: rows of the new course and of its template. Raises: RowError"""
    if not cell:
        return ()
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(key and isinstance(text, str) for key, text in found.items()):
        raise RowError("course_replacements_invalid", "replacements")
    return tuple(_replacement(key, text, course, template) for key, text in found.items())


def _replacement(key: str, by: str, course: Mapping[str, Any], template: Mapping[str, Any]) -> TextReplacement:
    if match := _SECTION.fullmatch(key):
        return TextReplacement(match[3], by, section=int(match[1]), column=match[2] or "")
    if match := _ACTIVITY.fullmatch(key):
        # The activity has its idnumber from the template, as it is written there.
        names = {match[1], _named(match[1], course), _named(match[1], template)}
        return TextReplacement(match[2], by, activities=frozenset(names))
    return TextReplacement(key, by)


def _named(text: str, course: Mapping[str, Any]) -> str:
    return _OF_COURSE.sub(lambda found: str(course.get(found[1]) or ""), text)
