"""The rules of sticky fields, decided without a database."""

from __future__ import annotations

from typing import Any

import pytest

from sync.moodle.db.writer import BeforeImage
from sync.processors.base.overlay import FoundRows, temporary_id
from sync.processors.base.plan import Plan
from sync.processors.base.sticky import (
    WRITTEN,
    ChunkSticky,
    Place,
    StickyFields,
    StickyRule,
    StickyState,
    Value,
    digest_of,
    digests_in,
    places_of,
)
from sync.processors.courses.processor import Courses
from sync.processors.users.cells import UserCells
from sync.processors.users.processor import Users

CITY = Place("user", "city")


def chunk(rules: dict[str, str], known: dict[int, str] | None = None, plan: Plan | None = None) -> ChunkSticky:
    """Return the rules of users. Shape: known: id of a user -> the city that ToolSync left"""
    fields = StickyFields({name: StickyRule(rule) for name, rule in rules.items()}, Users.sticky_columns)
    written = {
        ("user", userid, "city"): {"id": 0, "digest": digest_of(Value("user", userid, "city", city))}
        for userid, city in (known or {}).items()
    }
    return ChunkSticky(StickyState(fields, FoundRows(WRITTEN, written)), plan or Plan())


@pytest.mark.parametrize(
    ("rule", "present", "is_kept"),
    [
        ("always", "Lyon", False), ("empty", "Lyon", True), ("empty", "", False), ("empty", None, False),
        ("creation", "", True), ("creation", "Lyon", True), ("never", "", True), ("never", "Lyon", True),
        ("person", "", False), ("person", "Lyon", True),
    ],
)  # fmt: skip
def test_what_stands_is_kept_by_the_rule(rule: str, present: str | None, is_kept: bool) -> None:
    kept: list[str] = []

    values = chunk({"city": rule}).allowed("user", {"id": 5, "city": present}, {"city": "Paris", "lang": "fr"}, kept)

    assert (values, kept) == (({"lang": "fr"}, ["city"]) if is_kept else ({"city": "Paris", "lang": "fr"}, []))


@pytest.mark.parametrize(("present", "is_kept"), [("Lyon", False), ("Nice", True), ("", True)])
def test_what_isnt_what_toolsync_left_is_a_persons(present: str, is_kept: bool) -> None:
    sticky = chunk({"city": "person"}, {5: "Lyon"})

    assert sticky.keeps("city", Value("user", 5, "city", present)) is is_kept


def test_what_a_row_leaves_is_known_to_the_next_one_and_to_the_plan() -> None:
    plan, newid = Plan(), temporary_id(2, 1)
    sticky = chunk({"city": "person"}, plan=plan)
    was_empty = plan.is_empty

    sticky.note("user", 5, {"city": "Lyon", "lang": "fr"}, 2)
    sticky.note("user", newid, {"city": "Nice"}, 2)

    assert not sticky.keeps("city", Value("user", 5, "city", "Lyon"))
    assert (was_empty, plan.is_empty) == (True, False), "what is known now has to be kept"
    left = {place: digest_of(Value(*place, city)) for place, city in _cities({5: "Lyon", 9: "Nice"}).items()}
    assert plan.digests_left({newid: 9}) == left
    assert plan.digests_left({}).keys() == {("user", 5, "city")}, "of what isn't there yet the write tells"


def _cities(cities: dict[int, str]) -> dict[tuple[str, int, str], str]:
    return {("user", userid, "city"): city for userid, city in cities.items()}


def test_without_a_rule_nothing_is_looked_at_or_kept() -> None:
    plan, new = Plan(), {"city": "Paris"}
    sticky = chunk({}, plan=plan)

    sticky.note("user", 5, new, 2)

    assert not sticky.has_rules
    assert sticky.allowed("user", {"id": 5, "city": "Lyon"}, new, []) is new
    assert (plan.changed_rows, plan.written) == ([], None)


def test_something_new_is_without_what_is_never_written() -> None:
    kept: list[str] = []
    row = UserCells(2, {"username": "bob", "city": "Paris", "phone1": "", "lang": "fr"})

    new = chunk({"city": "never", "phone1": "never", "lang": "creation"}).for_new(row, kept)

    assert (new.values, kept) == ({"username": "bob", "lang": "fr"}, ["city"])


def test_one_custom_field_goes_before_all_of_them() -> None:
    fields = StickyFields(
        {"profile_field_": StickyRule.NEVER, "profile_field_dept": StickyRule.ALWAYS}, Users.sticky_columns
    )

    assert fields.rule_of("profile_field_dept") is StickyRule.ALWAYS
    assert fields.rule_of("profile_field_bio") is StickyRule.NEVER
    assert fields.rule_of("city") is StickyRule.ALWAYS


def test_no_date_is_nothing() -> None:
    fields = StickyFields(dict.fromkeys(("enddate", "maxbytes"), StickyRule.EMPTY), Courses.sticky_columns)
    sticky = ChunkSticky(StickyState(fields), Plan())

    assert not sticky.keeps("enddate", Value("course", 5, "enddate", 0))
    assert sticky.keeps("maxbytes", Value("course", 5, "maxbytes", 0)), "0 is a limit: that of the site"


def test_places_are_those_of_rules_that_ask_who_wrote() -> None:
    rules = {"city": "person", "profile_field_dept": "person", "lang": "never"}

    assert set(places_of(Users.sticky_columns, rules)) == {CITY, Place("user_info_data", "data")}


def test_every_write_to_a_watched_place_is_toolsyncs() -> None:
    def image(kind: str, rowid: int | None, **after: Any) -> BeforeImage:
        return BeforeImage(kind, "user", rowid, {}, after)

    images = [
        image("insert", 5, city="Lyon", lang="fr"), image("update", 5, city="Nice"), image("insert", None, city="Rome"),
        image("delete", 6), BeforeImage("update", "course", 5, {}, {"city": "Rome"}),
    ]  # fmt: skip

    found = dict(digests_in(images, {CITY}))

    assert found == {("user", 5, "city"): digest_of(Value("user", 5, "city", "Nice"))}


def test_what_goes_and_comes_back_is_nobodys_writing() -> None:
    gone = BeforeImage("update", "user", 5, {}, {"deleted": 1, "city": ""})
    back = BeforeImage("update", "user", 5, {}, {"deleted": 0, "city": "Nice"})
    again = BeforeImage("insert", "user", 6, {}, {"city": "Nice"})

    assert dict(digests_in([gone, back], {CITY})) == {}
    assert dict(digests_in([again], {CITY}, undoes=True)) == {}
    assert len(dict(digests_in([again], {CITY}))) == 1
