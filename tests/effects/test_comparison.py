"""The comparison finds what differs, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sync.moodle.users.passwords import HashFormat, hash_password
from tests.effects.comparison import Allowed, Side, compare, judge

THEN, NOW = 1_700_000_000, 1_800_000_000
CLEAR = "Secret#1"
LIFETIME = 28_800


def change(*, inserted: Any = (), updated: Any = (), deleted: Any = ()) -> dict[str, list[Any]]:
    return {"inserted": list(inserted), "updated": list(updated), "deleted": list(deleted)}


def effect(now: int, userid: int, contextid: int) -> dict[str, Any]:
    """What the making of a user leaves behind, at some time, with some ids; and one row changed, one gone."""
    user = {
        "id": userid, "username": "bob", "city": "Lyon", "timecreated": now,
        "password": hash_password(CLEAR, HashFormat.SHA512),
    }  # fmt: skip
    flag = {"id": userid + 5, "flagtype": "accesslib/dirtyusers", "name": str(userid), "expiry": now + LIFETIME}
    return {
        "user": change(
            inserted=[user], updated=[{"id": 2, "before": {"city": "A"}, "after": {"city": "B", "timemodified": now}}]
        ),
        "context": change(
            inserted=[
                {"id": contextid, "contextlevel": 30, "instanceid": userid, "path": f"/1/{contextid}", "depth": 2}
            ]
        ),
        "user_preferences": change(
            inserted=[
                {"id": 70, "userid": userid, "name": "since", "value": str(now)},
                {"id": 71, "userid": userid, "name": "other", "value": "1"},
            ]
        ),
        "cache_flags": change(inserted=[flag]),
        "sessions": change(deleted=[{"id": 9, "sid": "s", "userid": 2}]),
    }


def compared(ours: dict[str, Any]) -> list[str]:
    theirs = Side(effect(THEN, 203, 267), THEN, THEN + 1)
    differences = compare(theirs, Side(ours, NOW, NOW + 3), clear_password=CLEAR, offsets=(LIFETIME,))
    return [f"{d.side} {d.kind} {d.table}" + (f".{d.column}" if d.column else "") for d in differences]


def test_other_ids_another_time_and_another_salt_are_no_difference() -> None:
    assert compared(effect(NOW + 2, 999, 1234)) == []


def set_in(table: str, kind: str, place: int, **values: Any) -> Any:
    def plant(ours: dict[str, Any]) -> None:
        row = ours[table][kind][place]
        (row["after"] if kind == "updated" else row).update(values)

    return plant


def drop(table: str, kind: str) -> Any:
    return lambda ours: ours[table][kind].pop()


def add(table: str, kind: str, row: dict[str, Any]) -> Any:
    return lambda ours: ours.setdefault(table, change())[kind].append(row)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (set_in("user", "inserted", 0, city="Paris"), "differs inserted user.city"),
        (set_in("user", "inserted", 0, city=None), "differs inserted user.city"),
        (set_in("user", "inserted", 0, timecreated=NOW - 1), "differs inserted user.timecreated"),
        (set_in("user", "inserted", 0, timecreated=NOW + 4), "differs inserted user.timecreated"),
        (set_in("user", "inserted", 0, password=""), "differs inserted user.password"),
        (
            set_in("user", "inserted", 0, password=hash_password("Wrong", HashFormat.SHA512)),
            "differs inserted user.password",
        ),
        (
            set_in("user", "inserted", 0, password=hash_password(CLEAR, HashFormat.BCRYPT)),
            "differs inserted user.password",
        ),
        (set_in("context", "inserted", 0, instanceid=2), "differs inserted context.instanceid"),
        (set_in("context", "inserted", 0, path="/1/2"), "differs inserted context.path"),
        (set_in("user_preferences", "inserted", 0, value=str(NOW - 1)), "differs inserted user_preferences.value"),
        (set_in("user_preferences", "inserted", 1, userid=2), "differs inserted user_preferences.userid"),
        (set_in("cache_flags", "inserted", 0, name="2"), "differs inserted cache_flags.name"),
        (set_in("cache_flags", "inserted", 0, expiry=NOW), "differs inserted cache_flags.expiry"),
        (set_in("user", "updated", 0, city="C"), "differs updated user.city"),
        (set_in("user", "updated", 0, email="x"), "extra updated user.email"),
        (lambda ours: ours["user"]["updated"][0]["after"].pop("timemodified"), "missing updated user.timemodified"),
        (drop("user_preferences", "inserted"), "missing inserted user_preferences"),
        (drop("sessions", "deleted"), "missing deleted sessions"),
        (add("sessions", "deleted", {"id": 10, "sid": "t", "userid": 3}), "extra deleted sessions"),
        (add("user_preferences", "inserted", {"id": 80, "userid": 5, "name": "n", "value": "v"}),
         "extra inserted user_preferences"),
        (add("forum_read", "inserted", {"id": 1, "userid": 999}), "extra inserted forum_read"),
    ],
)  # fmt: skip
def test_a_planted_difference_is_found_and_named(plant: Any, found: str) -> None:
    ours = effect(NOW + 2, 999, 1234)
    plant(ours)

    assert compared(ours) == [found]


def test_references_of_new_rows_are_told_apart() -> None:
    def two_users(first: int, second: int) -> dict[str, Any]:
        return {
            "user": change(inserted=[{"id": first, "username": "ann"}, {"id": second, "username": "bob"}]),
            "cohort_members": change(
                inserted=[{"id": 1, "cohortid": 4, "userid": first}, {"id": 2, "cohortid": 5, "userid": second}]
            ),
        }

    theirs = two_users(10, 11)
    same, swapped = two_users(21, 20), two_users(20, 21)
    for row in swapped["cohort_members"]["inserted"]:
        row["cohortid"] = 9 - row["cohortid"]

    assert compare(Side(theirs, 0, 0), Side(same, 0, 0)) == []
    found = compare(Side(copy.deepcopy(theirs), 0, 0), Side(swapped, 0, 0))
    assert {difference.table for difference in found} == {"cohort_members"}


def test_rows_that_are_all_alike_are_counted() -> None:
    def rows(number: int, first: int) -> dict[str, Any]:
        return {
            "groups_members": change(inserted=[{"id": first + n, "groupid": 1, "userid": 2} for n in range(number)])
        }

    assert compare(Side(rows(3, 1), 0, 0), Side(rows(3, 50), 0, 0)) == []
    assert [d.side for d in compare(Side(rows(3, 1), 0, 0), Side(rows(2, 50), 0, 0))] == ["missing"]
    assert [d.side for d in compare(Side(rows(2, 1), 0, 0), Side(rows(3, 50), 0, 0))] == ["extra"]


def test_users_that_differ_a_little_still_own_their_contexts() -> None:
    def users(ids: tuple[int, int], city: str) -> dict[str, Any]:
        return {
            "context": change(
                inserted=[{"id": i + 100, "contextlevel": 30, "instanceid": i, "path": f"/1/{i + 100}"} for i in ids]
            ),
            "user": change(
                inserted=[
                    {"id": i, "username": f"u{n}", "auth": "manual", "deleted": 0, "city": city}
                    for n, i in enumerate(ids)
                ]
            ),
        }

    found = compare(Side(users((10, 11), "Lyon"), 0, 0), Side(users((31, 30), "Rome"), 0, 0))

    assert [f"{d.table}.{d.column}" for d in found] == ["user.city", "user.city"]


def test_only_what_an_allowance_covers_is_allowed_and_an_idle_one_is_named() -> None:
    ours = effect(NOW + 2, 999, 1234)
    set_in("user", "inserted", 0, city="Paris")(ours)
    drop("sessions", "deleted")(ours)
    differences = compare(
        Side(effect(THEN, 203, 267), THEN, THEN), Side(ours, NOW, NOW + 3), clear_password=CLEAR, offsets=(LIFETIME,)
    )
    city = Allowed("user", "inserted", "a reason", ("city",), side="differs")
    sessions = Allowed("sessions", "deleted", "a reason")

    assert judge(differences, (city, sessions)) == ([], [])
    assert [d.table for d in judge(differences, (city,))[0]] == ["sessions"]
    for idle in (
        Allowed("sessions", "deleted", "another row", where={"id": 1}),
        Allowed("sessions", "deleted", "ours, not theirs", side="extra"),
        Allowed("user", "inserted", "another column", ("email",), side="differs"),
        Allowed("user", "inserted", "a whole row"),
        Allowed("user", "updated", "another kind", ("city",), side="differs"),
    ):
        unexplained, rotten = judge(differences, (idle,))
        assert (len(unexplained), rotten) == (2, [idle]), idle.reason
