"""The cases of courses.md section 1: courses that are made and changed. C2 has the id 3, TEMPLATE 22, category CAT-EMPTY 5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.effects.case import Case
from tests.effects.comparison import Allowed

# The others have no column: tags, pictures, hidden sections, another format, single activities.
FAMILIES = {
    "course_add_": ("course_add_module_url",),
    "course_create_": ("course_create_tags_customfield",),
    "course_hide_": (),
    "course_move_": (),
    "course_overview_": ("course_overview_image",),
    "course_section_": ("course_section_visible0",),
    "course_update": ("course_update_format",),
}
UPDATE = {"forceupdate": True}
NEW = "shortname;fullname;category"

_ABSENT_COLUMNS = Allowed(
    "course", "inserted", "a column that the file lacks takes the site's default, the caller's took that of the table",
    ("newsitems", "showactivitydates", "enablecompletion", "startdate", "summary", "summaryformat"), side="differs",
)  # fmt: skip
_SECTIONS = Allowed("course_sections", "inserted", "a new course gets the site's number of sections", side="extra")


_MOVE_BUMPS = Allowed(
    "course", "updated", "a move is part of an update here, so the course's structure is read anew", ("cacherev",), side="extra"
)  # fmt: skip


def _with_its_days(text: str) -> Callable[[Mapping[str, Any]], str]:
    """Return the text of a file with the days that the call took: they follow from the day of the recording."""

    def with_days(effect: Mapping[str, Any]) -> str:
        (course,) = effect["diff"]["course"]["inserted"]
        return text.format(startdate=course["startdate"], enddate=course["enddate"])

    return with_days


# A field of every kind, and the words that files have for what the caller gave.
_FIELDS = ";".join(f"customfield_g{kind}" for kind in ("text", "textarea", "checkbox", "date", "select", "number"))
_FILLED, _EMPTIED = "Hello;<p>Area</p>;1;1756684800;Two;12.5", ";;0;;;"

CASES = (
    Case(
        "course_create_full", "courses",
        "shortname;fullname;idnumber;category;summary;format;startdate;enddate;lang;visible;newsitems;showgrades;showreports;"
        "maxbytes;groupmode;groupmodeforce;enablecompletion;coursedisplay;topic5\n"
        "GOLDF;Gold full;GF1;4;<p>Sum</p>;weeks;1788000000;1798000000;en;0;3;0;1;1048576;1;1;1;1; |\n",
        allowed=(
            Allowed(
                "course", "inserted", "there is no column for it", ("showcompletionconditions", "completionnotify"),
                side="differs",
            ),
            Allowed(
                "course_format_options", "inserted", "there is no column for it", ("value",), side="differs",
                where={"name": "automaticenddate"},
            ),
        ),
    ),
    Case(
        "course_create_minimal", "courses", f"{NEW};newsitems\nGOLDC;Gold course;3;1\n",
        allowed=(_ABSENT_COLUMNS, _SECTIONS),
    ),
    Case(
        "course_create_external", "courses", _with_its_days(
            f"{NEW};startdate;enddate;topic2\nGOLDW;Gold ws;3;{{startdate}};{{enddate}}; |\n"
        ),
        allowed=(_ABSENT_COLUMNS,),
    ),
    Case(
        "course_create_singleactivity", "courses", f"{NEW};format\nGOLDS;Gold single;3;singleactivity\n",
        allowed=(
            _ABSENT_COLUMNS,
            Allowed(
                "course_format_options", "inserted", "there is no column for the kind of activity: the site's", ("value",),
                side="differs", where={"name": "activitytype"},
            ),
        ),
    ),
    Case("course_update", "courses", "shortname;fullname;visible;startdate\nC2;Renamed C2;0;1789000000\n", UPDATE),
    Case(
        "course_update_shortname_idnumber", "courses",
        "id;shortname;fullname;idnumber;summary\n3;C2X;Course number 2;CID2X;<p>new</p>\n",
        {**UPDATE, "courseidentifier": "id"},
    ),
    Case(
        "course_update_groupmode", "courses",
        "shortname;fullname;groupmode;groupmodeforce;defaultgroupingid\nTEMPLATE;Template course;2;1;9\n", UPDATE,
    ),
    Case("course_update_enablecompletion", "courses", "shortname;fullname;enablecompletion\nC2;Course number 2;0\n", UPDATE),
    Case("course_update_category", "courses", "shortname;fullname;category\nC2;Course number 2;5\n", UPDATE),
    Case(
        "course_move_category", "courses", "shortname;fullname;category\nC2;Course number 2;5\n", UPDATE,
        allowed=(_MOVE_BUMPS,),
    ),
    Case(
        "course_move_hidden_category", "courses", "shortname;fullname;category\nC2;Course number 2;6\n", UPDATE,
        allowed=(_MOVE_BUMPS,),
    ),
    Case("course_hide_show", "courses", "shortname;fullname;visible\nC2;Course number 2;0\n", UPDATE),
    Case(
        "course_update_nochange", "courses", "shortname;fullname\nC2;Course number 2\n", UPDATE,
        allowed=(Allowed("course", "updated", "nothing differs, so nothing is written", ("timemodified", "cacherev")),),
    ),
    Case(
        "course_section_names", "courses",
        "shortname;fullname;topic1;topic2;topic3\n"
        "C2;Course number 2;Part 1|<p>Summary 1</p>;Part 2|<p>Summary 2</p>;Part 3|<p>Summary 3</p>\n",
        UPDATE,
    ),
    *(
        Case(
            f"course_create_customfields{which}", "courses", f"{NEW};newsitems;{_FIELDS}\nGOLDCF;Gold fields;3;1;{cells}\n",
            allowed=(_ABSENT_COLUMNS, _SECTIONS),
        )
        for which, cells in (("", _FILLED), ("_empty", _EMPTIED))
    ),
    *(
        Case(
            f"course_update_customfields{which}", "courses", f"shortname;fullname;{_FIELDS}\nC2;Course number 2;{cells}\n",
            UPDATE,
        )
        for which, cells in (("", _FILLED), ("_empty", _EMPTIED))
    ),
    Case("course_create_sections", "courses", "shortname;fullname;topic6\nC2;Course number 2; |\n", UPDATE),
)  # fmt: skip
