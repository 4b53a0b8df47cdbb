"""Limits and the verdict on a plan."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from sync.errors import OptionError
from sync.guard.judge import Judgement, PlanFacts, Verdict, judge, judge_bundle
from sync.guard.limits import DEFAULTS, Limit, read_limits, stored_form, widest
from sync.guard.messages import KIND_TEXTS, kind_text, reason_text, total_texts
from sync.processors.base.totals import TABLES
from sync.values import Note


def facts(totals: dict[str, int], **more: Any) -> PlanFacts:
    live = dict.fromkeys(TABLES, 1000)
    return PlanFacts(**{"totals": totals, "live": live, "limits": dict(DEFAULTS), "rows": 100, **more})


@pytest.mark.parametrize("kind", [kind for kind, limit in DEFAULTS.items() if limit.number == 50])
def test_removals_are_held_beyond_fifty_or_a_tenth(kind: str) -> None:
    assert judge(facts({kind: 50})).verdict is Verdict.GO
    beyond = judge(facts({kind: 51}))
    assert (beyond.verdict, beyond.reasons[0].code) == (Verdict.HELD, "guard_count")

    few = dict.fromkeys(TABLES, 100)
    assert judge(facts({kind: 10}, live=few)).verdict is Verdict.GO
    share = judge(facts({kind: 11}, live=few))
    assert (share.verdict, share.reasons[0].code) == (Verdict.HELD, "guard_percent")


def test_three_quarters_of_the_users_may_change() -> None:
    assert judge(facts({"users.updated": 750})).verdict is Verdict.GO
    assert judge(facts({"users.updated": 751})).verdict is Verdict.HELD


def test_what_only_adds_goes_however_much_it_is() -> None:
    added = {kind: 10**6 for kind in KIND_TEXTS if kind.endswith(".created")}
    assert judge(facts(added, by_hand=True)).verdict is Verdict.GO


def test_a_plan_that_changes_nothing_goes() -> None:
    assert judge(facts({}, rows=0, last_rows=500, last_size=10_000)).verdict is Verdict.GO


def test_by_hand_each_removal_is_confirmed_and_at_night_none() -> None:
    totals = {"users.suspended": 1, "users.created": 5}
    by_hand = judge(facts(totals, by_hand=True))
    assert by_hand.verdict is Verdict.CONFIRM
    assert by_hand.reasons == (Note("plan_removes", {"kind": "users.suspended", "count": 1}),)
    assert judge(facts(totals)).verdict is Verdict.GO


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ({"last_rows": 201, "last_size": 1}, "guard_fewer_rows"),
        ({"last_rows": 100, "last_size": 2001, "size": 1000}, "guard_smaller_file"),
        ({"counts": {"rejected": 51}}, "guard_rejected"),
    ],
)
def test_a_file_unlike_the_one_before_is_held(before: dict[str, Any], code: str) -> None:
    held = judge(facts({"users.created": 1}, **before))
    assert [reason.code for reason in held.reasons] == [code]


@pytest.mark.parametrize("before", [{"last_rows": 200}, {"counts": {"rejected": 50}}, {"last_rows": 9}])
def test_a_file_much_like_the_one_before_goes(before: dict[str, Any]) -> None:
    assert judge(facts({"users.created": 1}, **before)).verdict is Verdict.GO


@pytest.mark.parametrize(
    "stored",
    [
        {"users.deleted": ["many", None]}, {"users.deleted": [1]}, {"users.deleted": None}, {"users.deleted": [-1, 2]},
        {"users.deleted": [float("nan"), 2]}, {"users.deleted": [None, float("inf")]}, {"cars.deleted": [1, 2]},
        {"users.deleted": [None, "x"]},
    ],
)  # fmt: skip
def test_limits_that_can_t_be_read_are_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="limits_unreadable"):
        read_limits(stored)


def test_limits_are_stored_where_they_differ() -> None:
    limits = read_limits({"users.deleted": [5, None], "mails.sent": [None, 3]})
    assert limits["users.deleted"] == Limit(5.0, None)
    assert read_limits(stored_form(limits)) == limits
    assert stored_form(dict(DEFAULTS)) == {}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_reason_and_kind_has_words(language: str) -> None:
    with override(language):
        for kind in {*KIND_TEXTS, *DEFAULTS}:
            assert kind in KIND_TEXTS
            assert "1" in kind_text(kind, 1)
            assert "397" in total_texts({kind: 397})[0]
        totals = {"users.deleted": 397, "users.suspended": 120, "enrolments.deleted": 1}
        held = judge(facts(totals, last_rows=1000, last_size=9, counts={"rejected": 99}))
        confirmed = judge(facts({"users.deleted": 3}, by_hand=True))
        texts = [reason_text(reason) for reason in (*held.reasons, *confirmed.reasons)]
        assert len(texts) == 5
        assert not [text for text in texts if "%(" in text]


@pytest.mark.parametrize(("language", "share", "limit"), [("en", "11.9 %", "10 %"), ("fr", "11,9", "10")])
def test_shares_are_written_as_people_write_them(language: str, share: str, limit: str) -> None:
    held = judge(facts({"users.deleted": 40}, live={"users": 337}))
    with override(language):
        text = reason_text(held.reasons[0])
    assert share in text
    assert f"at most {limit}" in text or f"au plus {limit}" in text


GO, HELD = (
    Judgement(Verdict.GO),
    Judgement(Verdict.HELD, (Note("guard_count", {"kind": "users.deleted", "count": 60, "limit": 50}),)),
)
CONFIRM = Judgement(Verdict.CONFIRM, (Note("plan_removes", {"kind": "users.deleted", "count": 3}),))


def test_a_bundle_is_held_by_one_of_its_files_or_by_what_they_do_in_all() -> None:
    of_file = judge_bundle({"a.csv": HELD, "b.csv": GO}, HELD, asks=False)
    assert of_file.verdict is Verdict.HELD
    assert [note.params.get("file") for note in of_file.reasons] == ["a.csv"]
    assert reason_text(of_file.reasons[0]).startswith("a.csv: 60 users deleted")
    assert judge_bundle({"a.csv": GO, "b.csv": GO}, HELD, asks=False) == HELD


def test_a_bundle_that_asks_waits_for_a_person_whatever_it_does() -> None:
    assert judge_bundle({"a.csv": GO}, GO, asks=False) == GO
    assert judge_bundle({"a.csv": GO}, CONFIRM, asks=False) == CONFIRM
    asked = judge_bundle({"a.csv": GO, "b.csv": GO}, GO, asks=True)
    assert (asked.verdict, [note.code for note in asked.reasons]) == (Verdict.CONFIRM, ["bundle_asks"])


def test_several_files_may_do_in_all_what_the_one_with_the_widest_limit_may() -> None:
    wide = {**DEFAULTS, "users.deleted": Limit(None, 500)}
    assert widest([(DEFAULTS, {"users.deleted"}), (wide, {"users.deleted"})]) == {"users.deleted": Limit(None, 500)}
    assert (
        widest([(DEFAULTS, {"users.deleted"}), (wide, {"users.updated"})])["users.deleted"] == DEFAULTS["users.deleted"]
    )
    assert widest([]) == {}
