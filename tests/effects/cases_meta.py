"""The cases of courses.md section 5. C9 has the id 10, C10 11."""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.comparison import Allowed

# `del` switches a link off and keeps who was enrolled by it: no command deletes one.
FAMILIES = {"meta_": ("meta_instance_delete",)}
LINK = "cmd;master;meta\nadd;C10;C9\n"
_NO_GROUP = "a file can't ask for a group of the people who come along"

CASES = (
    Case("meta_instance_add_and_sync", "courses_meta", LINK),
    Case(
        "meta_instance_add_creategroup", "courses_meta", LINK,
        allowed=(
            Allowed("enrol", "inserted", _NO_GROUP, ("customint2",), side="differs"),
            Allowed("groups", "inserted", _NO_GROUP),
            Allowed("groups_members", "inserted", _NO_GROUP),
        ),
    ),
)  # fmt: skip
