"""The cases of courses.md section 12: deleting courses. TPL1 is the course of every activity, EMPTYC has nothing in it."""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.comparison import Allowed

FAMILIES = {"course_delete_": ("course_delete_module_",)}

BY_ID = {"courseidentifier": "id"}
EMPTYC, C5, TPL1 = 23, 6, 22

_NO_RECYCLE_BIN = (
    Allowed("tool_recyclebin_category", "inserted", "an .mbz can't be made; the run says so beforehand"),
    Allowed("files", "inserted", "the backup in the recycle bin"),
)
_NO_TRANSIENT_GRADEBOOK = (
    Allowed("grade_categories_history", "inserted", "of a gradebook that Moodle makes in order to delete it"),
    Allowed("grade_items_history", "inserted", "of a gradebook that Moodle makes in order to delete it"),
)
_COUNTED = Allowed(
    "course_categories", "updated", "Moodle leaves the count wrong until somebody sorts courses",
    ("coursecount",), side="extra",
)  # fmt: skip
_MOVED_UP = Allowed("course", "updated", "the gap in the order is closed at once", ("sortorder",), side="extra")
_RICH = (
    Allowed(
        "grade_items_history", "inserted", "Moodle moves items up before it deletes their category", where={"action": 2}
    ),
    Allowed("forum_track_prefs", "deleted", "orphans serve nobody", side="extra"),
    Allowed("blog_association", "deleted", "orphans serve nobody", side="extra"),
    Allowed("block_recent_activity", "deleted", "orphans serve nobody", side="extra"),
)

OF_RICH = (*_RICH, _COUNTED, _MOVED_UP)

CASES = (
    Case(
        "course_delete_empty_norecyclebin", "courses_delete", f"{EMPTYC}\n", BY_ID,
        allowed=(*_NO_TRANSIENT_GRADEBOOK, _COUNTED),
    ),
    Case(
        "course_delete_empty", "courses_delete", f"{EMPTYC}\n", BY_ID,
        allowed=(*_NO_TRANSIENT_GRADEBOOK, *_NO_RECYCLE_BIN, _COUNTED),
    ),
    Case(
        "course_delete_enrolled", "courses_delete", f"{C5}\n", BY_ID,
        allowed=(*_NO_TRANSIENT_GRADEBOOK, *_NO_RECYCLE_BIN, _COUNTED, _MOVED_UP),
    ),
    *(
        Case(f"course_delete_rich_{what}", "courses_delete", f"{TPL1}\n", BY_ID, allowed=OF_RICH)
        for what in ("norecyclebin", "evidence", "random", "subsection")
    ),
    Case(
        "course_delete_rich", "courses_delete", f"{TPL1}\n", BY_ID,
        allowed=(
            *_RICH, *_NO_RECYCLE_BIN, _COUNTED, _MOVED_UP,
            Allowed("config_plugins", "inserted", "a key that Moodle's backup makes for itself"),
        ),
    ),
)  # fmt: skip
