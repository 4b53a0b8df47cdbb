"""Which rows of a Moodle are ours."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sync.models import InsertedRows, MoodleSite
from sync.moodle.db.writer import BeforeImage
from sync.runs.recorder import SiteRecords

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> MoodleSite:
    return MoodleSite.objects.get_or_create(slug="main")[0]


def _inserted(rowid: int | None, table: str = "groups_members") -> BeforeImage:
    return BeforeImage("insert", table, rowid, {}, {})


def test_what_a_run_inserted_is_ours_and_nothing_else(site: MoodleSite) -> None:
    other = MoodleSite.objects.create(slug="other", name="Other")
    records = SiteRecords(site)

    records.note([_inserted(5), _inserted(6), BeforeImage("update", "groups_members", 7, {}, {}), _inserted(None)])

    assert records.inserted_by_us("groups_members", [4, 5, 6, 7]) == {5, 6}
    assert records.inserted_by_us("groups_members", []) == set()
    assert SiteRecords(other).inserted_by_us("groups_members", [5]) == set()
    assert not records.created("user").ids
    assert records.created("user").since == ""
    assert records.created("groups_members").ids.among(range(10)) == {5, 6}
    assert records.created("groups_members").since == timezone.localdate().isoformat()


def test_noting_twice_is_harmless(site: MoodleSite) -> None:
    SiteRecords(site).note([_inserted(5), _inserted(6)])
    SiteRecords(site).note([_inserted(5), _inserted(6)])
    SiteRecords(site).note([_inserted(8)])
    assert sorted(InsertedRows.objects.values_list("first", "last")) == [(5, 6), (8, 8)]


def test_tables_of_which_nobody_asks_are_not_noted(site: MoodleSite) -> None:
    SiteRecords(site).note([_inserted(5, "role_assignments")])
    assert not InsertedRows.objects.exists()


def test_many_rows_are_noted_in_little_room_and_found(site: MoodleSite) -> None:
    SiteRecords(site).note([_inserted(number) for number in range(1, 25_001)])
    assert InsertedRows.objects.count() == 1
    assert len(SiteRecords(site).inserted_by_us("groups_members", range(1, 30_000))) == 25_000
