"""Rows as a plan leaves them, over chunks that are planned and not carried out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from sync.processors.base.overlay import Overlay, Table, is_temporary, temporary_id
from sync.processors.base.overlay_rows import RowsInMemory, RowsOnDisk, _dumped, _loaded
from sync.processors.base.plan import Plan

COHORTS = Table("cohort", found_by=(("name",), ("contextid", "idnumber")), folds={"name": str.casefold})
MEMBERS = Table("cohort_members", ("cohortid", "userid"), found_by=(("userid",), ("cohortid",)))
YEAR1 = {"id": 7, "name": "Year 1", "contextid": 1, "idnumber": "Y1"}


@pytest.fixture(params=["in memory", "on disk"])
def overlay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Overlay]:
    """One of a short file, and one of a file with more rows than are held in memory."""
    if request.param == "on disk":
        monkeypatch.setattr("sync.processors.base.overlay._MOST_CELLS", 0)
    overlay = Overlay()
    yield overlay
    overlay.close()


def kept(overlay: Overlay, *plans: Plan) -> None:
    for plan in plans:
        for rows in plan.changed_rows:
            overlay.keep(rows)


def is_searchable(overlay: Overlay) -> bool:
    return overlay._unsearched is None


def cohorts_over(overlay: Overlay, *names: str, read: Collection[Mapping[str, Any]] = ()) -> dict[int, str]:
    found = overlay.over(COHORTS, {row["id"]: row for row in read}, {("name",): names})
    return {key: row["name"] for key, row in found.rows.items()}


def test_temporary_ids_are_unique_over_tables_lines_and_chunks() -> None:
    one, other = Plan(), Plan()

    ids = [one.new_id(2), one.new_id(2), one.new_id(3), other.new_id(4)]

    assert len(set(ids)) == 4
    assert all(map(is_temporary, ids))
    assert not any(map(is_temporary, (0, -1, 5, None, "x", True)))
    last = temporary_id(10_000_000, 10**7 - 1)
    assert int(float(last)) == last


def test_a_line_that_makes_many_rows_takes_no_ids_of_the_next_one() -> None:
    plan = Plan()

    ids = [plan.new_id(2) for _row in range(60_000)] + [plan.new_id(3)]

    assert len(set(ids)) == 60_001
    with pytest.raises(OverflowError):
        temporary_id(2, 10**7)


def test_rows_are_found_by_any_column_as_the_server_compares_it_and_follow_their_changes(overlay: Overlay) -> None:
    rows = Plan().change(overlay.over(COHORTS, {7: YEAR1}))

    assert rows.find(name="YEAR 1") == [7]
    rows.update(7, {"name": "Year 2"}, 3)
    newid = rows.insert({"name": "year 1", "contextid": 1, "idnumber": None}, 4)

    assert rows.find(name="year 2") == [7]
    assert rows.find(name="Year 1", contextid=1) == [newid]
    assert rows.find_spelled("name", "year 1") == [newid]
    rows.remove(newid, 5)
    assert rows.find(name="Year 1") == []
    assert list(rows) == [7]


def test_only_the_difference_is_written(overlay: Overlay) -> None:
    plan = Plan()
    rows = plan.change(overlay.over(MEMBERS, {(7, 1): {"id": 11, "timeadded": 5}, (7, 2): {"id": 12, "timeadded": 5}}))
    rows.put((7, 3), {"timeadded": 9}, 2)
    rows.remove((7, 3), 3)
    rows.remove((7, 1), 4)
    rows.put((7, 1), {"timeadded": 5}, 5)
    rows.remove((7, 2), 6)
    rows.put((8, 4), {"timeadded": 9}, 7)

    written = rows.write(plan)

    assert plan.deletes == {"cohort_members": [(12, (6,))]}
    assert [(new.values, new.lines) for new in plan.inserts["cohort_members"]] == [
        ({"cohortid": 8, "userid": 4, "timeadded": 9}, (7,))
    ]
    assert plan.updates == {}
    assert written == ({(8, 4)}, set(), {(7, 2)})
    assert rows.touches == 6


def test_what_another_operation_writes_is_found_but_not_written(overlay: Overlay) -> None:
    plan = Plan()
    rows = plan.change(overlay.over(COHORTS, {7: YEAR1}))
    rows.foresee(7, None, 2)
    rows.write(plan)

    assert rows.find(name="Year 1") == []
    assert not plan.deletes
    kept(overlay, plan)
    assert cohorts_over(overlay, read=[YEAR1]) == {}


def test_later_chunks_find_what_earlier_ones_made_changed_and_took_away(overlay: Overlay) -> None:
    assert cohorts_over(overlay, "Year 1", read=[YEAR1]) == {7: "Year 1"}
    first = Plan()
    rows = first.change(overlay.over(COHORTS, {7: YEAR1}))
    rows.update(7, {"name": "Année 1"}, 2)
    newid = rows.insert({"name": "Year 3", "contextid": 4, "idnumber": "Y3"}, 3)
    kept(overlay, first)

    assert cohorts_over(overlay, "ANNÉE 1", "year 3") == {7: "Année 1", newid: "Year 3"}
    assert cohorts_over(overlay, "nobody") == {}
    assert overlay.keys_found(COHORTS, {("contextid", "idnumber"): [(4, "Y3"), (4, "Y9")]}) == {newid}
    assert cohorts_over(overlay, read=[YEAR1]) == {7: "Année 1"}
    second = Plan()
    rows = second.change(overlay.over(COHORTS, {}, {("name",): ["Year 3"]}))
    rows.remove(newid, 4)
    kept(overlay, second)
    assert cohorts_over(overlay, "Year 3") == {}
    assert set(overlay.over(COHORTS, {}, everything=True).rows) == {7}


def test_what_an_overlay_has_told_is_counted(overlay: Overlay) -> None:
    plan = Plan()
    plan.change(overlay.over(COHORTS, {7: YEAR1})).update(7, {"name": "Année 1"}, 2)
    assert overlay.told == 0
    kept(overlay, plan)

    cohorts_over(overlay, "nobody", read=[{**YEAR1, "id": 8}])
    overlay.over(MEMBERS, {}, {("userid",): [3]}, everything=True)
    assert overlay.told == 0
    for ask in (
        lambda: cohorts_over(overlay, read=[YEAR1]),
        lambda: overlay.keys_found(COHORTS, {("name",): ["Année 1"]}),
        lambda: overlay.changed_among(COHORTS, [7]),
        lambda: overlay.changes(COHORTS),
    ):
        before = overlay.told
        ask()
        assert overlay.told > before


def test_a_balance_counts_what_comes_and_goes_of_a_key(overlay: Overlay) -> None:
    first, second = Plan(), Plan()
    rows = first.change(overlay.over(MEMBERS, {(7, 1): {"id": 11, "timeadded": 5}}))
    rows.remove((7, 1), 2)
    rows.put((7, 2), {"timeadded": 9}, 3)
    rows.put((7, 3), {"timeadded": 9}, 3)
    rows.put((8, 3), {"timeadded": 9}, 3)
    kept(overlay, first)
    assert overlay.balance(MEMBERS, "cohortid", [7, 8, 9]) == {7: 1, 8: 1}

    rows = second.change(overlay.over(MEMBERS, {(7, 1): {"id": 11, "timeadded": 5}}, {("userid",): [1, 2, 3]}))
    assert set(rows) == {(7, 2), (7, 3), (8, 3)}
    rows.remove((7, 2), 4)
    rows.put((7, 1), {"timeadded": 9}, 4)
    kept(overlay, second)

    assert overlay.balance(MEMBERS, "cohortid", [7]) == {7: 2 - 1}


def test_a_row_of_temporary_ids_is_kept_whole(overlay: Overlay) -> None:
    first = Plan()
    cohorts, members = (first.change(overlay.over(table, {})) for table in (COHORTS, MEMBERS))
    cohortid = cohorts.insert({"name": "New", "contextid": 1, "idnumber": ""}, 2)
    members.put((cohortid, 5), {"timeadded": 1}, 2)
    kept(overlay, first)

    found = overlay.over(MEMBERS, {}, {("userid",): [5]})

    ((key, values),) = found.rows.items()
    assert key == (cohortid, 5)
    assert is_temporary(values["id"])


def test_a_new_row_that_leaves_a_column_to_the_server_is_found_by_what_that_puts_there(overlay: Overlay) -> None:
    methods = Table("enrol", found_by=(("customint1",),), defaults={"customint1": 0})
    plan = Plan()
    rows = plan.change(overlay.over(methods, {7: {"id": 7, "enrol": "meta", "customint1": 3}}))

    added = rows.insert({"enrol": "guest"}, 2)

    assert rows.find(enrol="meta", customint1=3) == [7]
    assert rows.find(customint1=0) == [added]
    rows.update(added, {"customint1": 3}, 3)
    assert rows.find(customint1=3) == [7, added]
    kept(overlay, plan)
    assert overlay.keys_found(methods, {("customint1",): [0, 3]}) == {added}


def test_rows_of_several_files_have_ids_of_their_own(overlay: Overlay) -> None:
    things = Table("thing", found_by=(("name",),))
    for number in (1, 2):
        overlay.begin_file(number)
        plan = Plan()
        rows = plan.change(overlay.over(things, {}, {("name",): ["old"]}))
        rows.insert({"name": f"of file {number}"}, 2)
        overlay.keep(rows)

    found = overlay.over(things, {}, {("name",): ["of file 1", "of file 2"]}).rows
    assert sorted(row["name"] for row in found.values()) == ["of file 1", "of file 2"]
    assert all(key == row["id"] and is_temporary(key) for key, row in found.items())
    assert temporary_id(2, 1) not in found
    assert (overlay.holds("thing"), overlay.holds("other")) == (True, False)


def test_what_one_file_reads_of_a_row_is_laid_over_what_another_reads(overlay: Overlay) -> None:
    things = Table("thing", found_by=(("name",),))
    rows = Plan().change(overlay.over(things, {3: {"id": 3, "name": "old", "kept": 1}}))
    rows.update(3, {"name": "new"}, 2)
    overlay.keep(rows)

    assert overlay.over(things, {3: {"id": 3, "name": "old", "more": 7}}).rows == {
        3: {"id": 3, "name": "new", "kept": 1, "more": 7}
    }


def test_what_a_chunk_leaves_is_written_when_somebody_asks(overlay: Overlay, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write_rows = Overlay._write_rows

    def counted(overlay: Overlay, rows: Any) -> None:
        written.append(len(rows.changed()))
        write_rows(overlay, rows)

    monkeypatch.setattr(Overlay, "_write_rows", counted)
    plan = Plan()
    plan.change(overlay.over(COHORTS, {})).insert({"name": "Year 3", "contextid": 1, "idnumber": "Y3"}, 2)

    kept(overlay, plan)
    assert overlay.holds("cohort")
    assert written == []
    assert list(cohorts_over(overlay, "year 3").values()) == ["Year 3"]
    assert written == [1]


def test_what_nobody_asks_for_is_not_held_in_memory(overlay: Overlay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.processors.base.overlay._MOST_WAITING", 3)
    for line in range(2, 12):
        plan = Plan()
        plan.change(overlay.over(COHORTS, {})).insert({"name": f"C{line}", "contextid": 1, "idnumber": None}, line)
        kept(overlay, plan)
        assert len(overlay._waiting) <= 3

    assert list(cohorts_over(overlay, "c2", "C11").values()) == ["C2", "C11"]


def test_rows_that_nobody_asks_for_are_not_made_searchable(overlay: Overlay) -> None:
    for line in range(2, 12):
        plan = Plan()
        rows = plan.change(overlay.over(COHORTS, {line: {**YEAR1, "id": line}}, {("name",): [f"c{line}"]}))
        rows.update(line, {"name": f"C{line}", "idnumber": line}, line)
        rows.insert({"name": f"Year {line}", "contextid": line, "idnumber": None}, line)
        kept(overlay, plan)
    assert cohorts_over(overlay, "Other") == {}
    assert not is_searchable(overlay)

    # By what it was called before as well.
    assert len(cohorts_over(overlay, "year 1")) == 10
    assert is_searchable(overlay)
    assert {*cohorts_over(overlay, "year 11", "c3").values()} == {"C3", "Year 11"}


@pytest.mark.parametrize(("name", "place"), [("Year 1", RowsInMemory), ("Year 1" * 1000, RowsOnDisk)])
def test_long_texts_are_not_held_in_memory(monkeypatch: pytest.MonkeyPatch, name: str, place: type) -> None:
    monkeypatch.setattr("sync.processors.base.overlay._MOST_CELLS", 50)
    overlay, plan = Overlay(), Plan()
    newid = plan.change(overlay.over(COHORTS, {})).insert({"name": name, "contextid": 4, "idnumber": "Y3"}, 2)
    kept(overlay, plan)

    assert cohorts_over(overlay, name) == {newid: name}
    assert type(overlay._rows) is place
    overlay.close()


def test_what_is_kept_moves_to_the_disk_with_all_by_which_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.processors.base.overlay._MOST_CELLS", 12)
    overlay = Overlay()
    stores = []
    for line in range(2, 8):
        plan = Plan()
        rows = plan.change(overlay.over(COHORTS, {7: YEAR1}, {("name",): ["c2", "c3"]}))
        rows.insert({"name": f"C{line}", "contextid": 1, "idnumber": None}, line)
        rows.update(7, {"name": f"Year {line}"}, line)
        if line == 5:
            rows.remove(rows.find(name="c2")[0], line)
        kept(overlay, plan)
        assert set(cohorts_over(overlay, "c2", f"c{line}", f"year {line}").values()) == {
            *(["C2"] if line < 5 else []),
            f"C{line}",
            f"Year {line}",
        }
        stores.append(type(overlay._rows))
    overlay.close()

    assert stores[0] is RowsInMemory
    assert stores[-1] is RowsOnDisk
    assert stores == sorted(stores, key=[RowsInMemory, RowsOnDisk].index)


@pytest.mark.parametrize(
    "key", [7, -(10**15) - 3, "", 'Zoë "2"\\\n', "\u2028 \U0001f600", None, True, 1.5, (1, "a"), (None, -1)]
)
def test_keys_are_written_as_json(key: Any) -> None:
    assert _dumped(key) == json.dumps(key)
    assert _loaded(_dumped(key)) == key
