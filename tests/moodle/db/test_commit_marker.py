"""The mark in Moodle that tells which chunk was the last to be committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sync.errors import LeaseLost
from sync.moodle.db.commit_marker import PLUGIN, CommitMarker
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")


@contextmanager
def session_on(site: MoodleSite) -> Iterator[MoodleSession]:
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    try:
        with moodle.session() as session:
            yield session
    finally:
        moodle.dispose()


def advance(session: MoodleSession, commit_marker: CommitMarker, line: int) -> None:
    with session.transaction():
        commit_marker.advance(line)
    commit_marker.committed()


def marks(site: MoodleSite) -> dict[str, str]:
    return {row["name"]: row["value"] for row in site.rows("config_plugins", plugin=PLUGIN)}


def test_the_mark_goes_with_the_chunks_and_vanishes_with_the_run(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    with session_on(moodle_site) as session:
        commit_marker = CommitMarker(session, "7")
        assert commit_marker.last_line == 0

        advance(session, commit_marker, 1000)
        advance(session, commit_marker, 2000)

        assert commit_marker.last_line == 2000
        assert marks(moodle_site) == {"run_7": "2000"}
        commit_marker.clear()
        assert commit_marker.last_line == 0
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_a_run_that_is_taken_up_again_finds_its_mark(sqlite_site: MoodleSite) -> None:
    with session_on(sqlite_site) as session:
        advance(session, CommitMarker(session, "7"), 1000)

    with session_on(sqlite_site) as session:
        assert CommitMarker(session, "7").last_line == 1000
        assert CommitMarker(session, "8").last_line == 0


def test_a_chunk_that_is_rolled_back_leaves_the_mark_where_it_was(sqlite_site: MoodleSite) -> None:
    with session_on(sqlite_site) as session:
        commit_marker = CommitMarker(session, "7")
        advance(session, commit_marker, 1000)

        def broken_chunk() -> None:
            with session.transaction():
                commit_marker.advance(2000)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            broken_chunk()

        assert CommitMarker(session, "7").last_line == 1000
        assert commit_marker.last_line == 1000


def test_of_two_workers_that_begin_the_same_run_one_loses(sqlite_site: MoodleSite) -> None:
    with session_on(sqlite_site) as ours, session_on(sqlite_site) as theirs:
        late, early = CommitMarker(ours, "7"), CommitMarker(theirs, "7")
        advance(theirs, early, 1000)

        with pytest.raises(LeaseLost), ours.transaction():
            late.advance(1000)

    assert marks(sqlite_site) == {"run_7": "1000"}


@pytest.mark.parametrize("line", [1500, 2000])
def test_a_worker_whose_mark_was_moved_by_another_stops(sqlite_site: MoodleSite, line: int) -> None:
    with session_on(sqlite_site) as ours, session_on(sqlite_site) as theirs:
        advance(theirs, CommitMarker(theirs, "7"), 1000)
        late, early = CommitMarker(ours, "7"), CommitMarker(theirs, "7")
        ours.release()
        advance(theirs, early, 2000)

        with pytest.raises(LeaseLost), ours.transaction():
            late.advance(line)

    assert marks(sqlite_site) == {"run_7": "2000"}


def test_a_worker_whose_run_another_has_ended_stops(sqlite_site: MoodleSite) -> None:
    with session_on(sqlite_site) as ours, session_on(sqlite_site) as theirs:
        advance(theirs, CommitMarker(theirs, "7"), 1000)
        late, early = CommitMarker(ours, "7"), CommitMarker(theirs, "7")
        ours.release()
        early.clear()

        with pytest.raises(LeaseLost), ours.transaction():
            late.advance(2000)

    assert marks(sqlite_site) == {}
