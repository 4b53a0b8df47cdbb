"""When a file is whole."""

from __future__ import annotations

import pytest

from sync.sources.remote_folder import Entry, files_among, marks_of, whole_names


@pytest.mark.parametrize("mark", ["in.csv.done", "in.done", "in.csv.sha256", "in.sha256"])
def test_a_mark_beside_a_file_says_that_it_is_whole(mark: str) -> None:
    first, second = [Entry("in.csv", 10), Entry(mark, 0)], [Entry("in.csv", 20), Entry(mark, 0)]
    assert "in.csv" in whole_names(first, second)
    assert marks_of("in.csv", {"in.csv", mark, "other.done"}) == [mark]
    assert [entry.name for entry in files_among(first)] == ["in.csv"]


@pytest.mark.parametrize(
    ("before", "now", "is_whole"),
    [
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 10, "t1"), True),
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 20, "t1"), False),
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 10, "t2"), False),
        (Entry("other.csv", 10, "t1"), Entry("in.csv", 10, "t1"), False),
    ],
)
def test_without_a_mark_it_must_stay_the_same_between_two_looks(before: Entry, now: Entry, is_whole: bool) -> None:
    assert ("in.csv" in whole_names([before], [now])) is is_whole
