"""The cases of courses.md section 12: categories. CAT-FAC is 2, CAT-DEP 3, CAT-SEC 4, CAT-EMPTY 5, CAT-EMPTY2 6."""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.comparison import Allowed

# No file sorts categories or courses, or deletes courses with the category that holds them.
FAMILIES = {"category_": ("category_delete_with_course", "category_resort_courses", "category_sortorder")}

BY_ID = {"categoryidentifier": "id"}
BY_IDNUMBER = {"categoryidentifier": "idnumber"}
_MODIFIED = Allowed(
    "course_categories", "updated", "a file changes categories as Moodle's form does, which notes when", ("timemodified",),
    side="extra", where={"id": 3},
)  # fmt: skip

_HTML = Allowed(
    "course_categories", "updated", "what a file says of a category is HTML", ("descriptionformat",), side="extra",
)  # fmt: skip
_GAP = "the gap that a category leaves in the order is closed at once"
_IN_ORDER = (
    Allowed("course_categories", "updated", _GAP, ("sortorder",), side="extra"),
    Allowed("course", "updated", _GAP, ("sortorder",), side="extra"),
    Allowed("course", "updated", _GAP, ("sortorder",), side="differs"),
)

CASES = (
    Case("category_create_root", "categories", "category;name;description\nGCAT;Gold cat;<p>c</p>\n", BY_IDNUMBER),
    Case("category_create_nested", "categories", "category;name;parent\nGSUB;Gold sub;CAT-DEP\n", BY_IDNUMBER),
    Case("category_create_hidden", "categories", "category;visible\nFaculty/Department/Gold hid;0\n"),
    Case("category_move", "categories", "category;parent\nCAT-DEP;CAT-EMPTY\n", BY_IDNUMBER, allowed=(_MODIFIED,)),
    Case("category_move_root", "categories", "category;parent\n4;0\n", BY_ID),
    Case(
        "category_update_name", "categories", "category;name;idnumber;description\nCAT-DEP;Dept 2;CAT-DEP2;zz\n", BY_IDNUMBER,
        allowed=(_HTML,),
    ),
    Case("category_update_visible0", "categories", "category;visible\n2;0\n", BY_ID),
    Case("category_update_visible1", "categories", "category;visible\n2;1\n", BY_ID),
    Case(
        "category_delete_move", "categories", "cmd;category;contentto\ndel;CAT-SEC;CAT-EMPTY\n", BY_IDNUMBER,
        allowed=_IN_ORDER,
    ),
    Case("category_delete_empty", "categories_delete", "categoryid;path\n6;Empty2\n"),
)  # fmt: skip
