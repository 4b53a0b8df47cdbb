"""What plans count."""

from __future__ import annotations

from collections import Counter

from sync.processors.base.plan import Mail, Plan
from sync.processors.base.totals import OBJECTS


def test_writes_are_counted_by_what_their_rows_are() -> None:
    plan = Plan()
    plan.insert("user", {"username": "ann"}, 2)
    plan.update("user", 3, {"suspended": 0}, {"suspended": 1, "timemodified": 5}, 3)
    plan.update("user", 4, {"suspended": 1}, {"suspended": 0}, 4)
    plan.update("user_enrolments", 5, {"status": 0}, {"status": 1}, 5)
    plan.update("course", 6, {"visible": 1}, {"visible": 0}, 6)
    plan.update("course", 7, {"visible": 0}, {"visible": 1}, 6)
    plan.delete("role_assignments", 7, 7)
    plan.update("enrol", 8, {"status": 0}, {"status": 1}, 8)
    plan.update("enrol", 9, {"status": 1}, {"status": 0}, 8)
    plan.insert("user_preferences", {"name": "x"}, 2)
    plan.mails.append(Mail("ann@x.org", "Hello", "Text"))

    assert plan.totals() == Counter({
        "users.created": 1, "users.suspended": 1, "users.updated": 1, "enrolments.suspended": 1, "courses.hidden": 1,
        "courses.updated": 1, "roles.deleted": 1, "mails.sent": 1, "methods.suspended": 1, "methods.updated": 1,
    })  # fmt: skip


def test_a_group_that_somebody_joins_is_not_counted_as_changed() -> None:
    """Whether it is depends on the second in which the group was made, so a run that was killed would count otherwise."""
    plan = Plan()
    plan.update("groups", 1, {"timemodified": 5}, {"timemodified": 6}, 2)
    plan.update("groups", 2, {"timemodified": 5, "name": "A"}, {"timemodified": 6, "name": "B"}, 2)
    plan.update("user", 3, {"timemodified": 5}, {"timemodified": 6}, 3)
    assert plan.totals() == Counter({"groups.updated": 1, "users.updated": 1})


def test_a_plan_without_writes_counts_nothing() -> None:
    assert Plan().totals() == Counter()


def test_no_two_tables_have_one_name() -> None:
    assert len(set(OBJECTS.values())) == len(OBJECTS)
