"""A dry run over several chunks tells what the run does: later chunks find what earlier ones would have left."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from sync.processors.base.overlay import Overlay
from sync.processors.base.overlay_rows import RowsInMemory
from sync.processors.users.chunk_users import ClearPassword
from tests.support import MoodleSite, RunResult, run_file

_MOMENT = re.compile(r"\b\d{10}\b")


def told(result: RunResult) -> list[tuple[Any, ...]]:
    """Return what is told of each row; the name of a deleted user ends with a moment."""
    return [
        (outcome.code, outcome.subject, _MOMENT.sub("<now>", repr((outcome.changes, outcome.notes, outcome.params))))
        for outcome in result.outcomes
    ]


def codes_of_both(site: MoodleSite, key: str, *lines: str, **options: Any) -> list[str]:
    """Return the codes of a file, which a dry run in chunks of any size tells as the run does, to the last detail."""
    text = "\n".join((*lines, ""))
    before = site.snapshot()
    foretold = [
        told(run_file(site, key, text, simulate=True, chunk_rows=size, primaryidentity="username", **options))
        for size in (1, 2, 1000)
    ]
    assert site.diff(before, site.snapshot()) == {}
    done = run_file(site, key, text, chunk_rows=1, primaryidentity="username", **options)
    assert foretold == [told(done)] * 3
    return done.codes


def test_a_renamed_user_is_found_by_the_new_name_and_the_old_one_is_free(sqlite_site: MoodleSite) -> None:
    codes = codes_of_both(
        sqlite_site,
        "users",
        "username;oldusername;firstname;lastname;city",
        "ann2;ann;Ann;Smith;",
        "ann2;;Ann;Smith;Rome",
        "ann;;Ann;Other;",
        "ann3;ann2;Ann;Smith;Rome",
        "bob;ann2;B;K;",
        allowrename=True,
    )

    assert codes == [
        "account_renamed", "account_updated", "account_created", "account_renamed", "rename_source_missing",
    ]  # fmt: skip


def test_a_deleted_user_is_gone_and_comes_back_without_what_it_had(sqlite_site: MoodleSite) -> None:
    run_file(
        sqlite_site,
        "users",
        "username;firstname;lastname;profile_field_dept;password\nann;Ann;Smith;Maths;changeme\n",
        primaryidentity="username",
    )

    codes = codes_of_both(
        sqlite_site,
        "users",
        "username;firstname;lastname;idnumber;profile_field_dept;password;deleted",
        "ann;Ann;Smith;;;;1",
        "ann;Ann;Smith;;;;1",
        "ann;Ann;Again;A9;Maths;changeme;",
        "ann;Ann;Again;A9;Maths;changeme;",
        "new;N;E;A9;;;",
        resurrect=True,
    )

    assert codes == [
        "account_deleted", "nothing_to_delete", "account_resurrected", "account_unchanged",
        "identity_in_earlier_line",
    ]  # fmt: skip


def test_a_user_that_the_file_makes_can_be_deleted_and_brought_back(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;deleted\nnew;N;E;\nnew;N;E;1\nnew;N;F;\nnew;N;E;1\nnew;;;1\n"
    )  # fmt: skip
    options: dict[str, Any] = {"primaryidentity": "username", "resurrect": True}

    foretold = [
        run_file(sqlite_site, "users", text, simulate=True, chunk_rows=size, **options).codes for size in (1, 2)
    ]
    done = run_file(sqlite_site, "users", text, **options)

    assert foretold == [done.codes] * 2
    assert done.codes[1:4] == ["account_deleted", "account_resurrected", "account_deleted"]


def test_lists_find_what_their_earlier_lines_did(sqlite_site: MoodleSite) -> None:
    assert codes_of_both(sqlite_site, "users_suspend", "username", "ann", "ann") == [
        "account_suspended", "account_unchanged",
    ]  # fmt: skip
    assert codes_of_both(sqlite_site, "users_delete", "username", "ann", "ann", "ghost") == [
        "account_deleted", "account_already_deleted", "account_unknown",
    ]  # fmt: skip
    assert codes_of_both(sqlite_site, "users_restore", "username", "ann", "ann", "ann") == [
        "account_resurrected", "account_reactivated", "account_unchanged",
    ]  # fmt: skip


def test_a_user_who_was_brought_back_is_found_by_number(sqlite_site: MoodleSite) -> None:
    ann = sqlite_site.ids["ann"]
    run_file(sqlite_site, "users_delete", "username\nann\n", primaryidentity="username")
    text = f"username;id\nann;{ann}\nann;{ann}\n"

    for simulate in (True, False):
        result = run_file(
            sqlite_site, "users_restore", text, simulate=simulate, chunk_rows=1, primaryidentity="id"
        )  # fmt: skip
        assert result.codes == ["account_resurrected", "account_unchanged"]


def test_a_password_that_comes_again_is_known_again(sqlite_site: MoodleSite) -> None:
    codes = codes_of_both(
        sqlite_site,
        "users",
        "username;firstname;lastname;password",
        "new;N;E;Secret#1",
        "new;N;E;Secret#1",
        "new;N;E;Secret#2",
        "new;N;E;changeme",
        "new;N;E;changeme",
        "ann;Ann;Smith;Secret#1",
        "ann;Ann;Smith;Secret#1",
    )

    assert codes == [
        "account_created", "account_unchanged", "account_updated", "account_updated", "account_unchanged",
        "account_updated", "account_unchanged",
    ]  # fmt: skip


def test_no_clear_password_is_kept_where_rows_are_searched(
    sqlite_site: MoodleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory, on_disk, in_database = list[str](), list[str](), list[str]()
    close = Overlay.close

    def close_and_look(overlay: Overlay) -> None:
        # As if the file were long, and a later chunk had asked for it.
        overlay._write()
        assert overlay._unsearched is not None
        on_disk.extend(
            row for piece in overlay._unsearched for row in map(repr, pickle.loads(pickle.dumps(piece)).rows)
        )
        overlay._make_searchable()
        rows = overlay._rows
        assert isinstance(rows, RowsInMemory)
        in_memory.extend(repr(row) for table in rows._rows for row in rows.each(table))
        in_database.extend(rows.on_disk()._database.iterdump())
        close(overlay)

    monkeypatch.setattr(Overlay, "close", close_and_look)
    text = "username;firstname;lastname;password\nnew;N;E;Secret#1\nann;Ann;Smith;Secret#1\n"
    run_file(sqlite_site, "users", text, simulate=True, primaryidentity="username")

    for kept in (in_memory, on_disk, in_database):
        assert sum("not hashed$" in row for row in kept) == 2
        assert "Secret" not in "".join(kept)
    assert "Secret" not in repr(ClearPassword("Secret#1"))
