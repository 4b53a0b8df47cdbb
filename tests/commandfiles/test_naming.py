"""Names. Source: generic.md section 7, table of names."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from sync.commandfiles.naming import (
    NAME_BYTES,
    archive_name,
    clean_folder,
    clean_name,
    discarded_name,
    report_name,
    split_path,
    tryback_name,
)
from sync.errors import CommandFileError

STARTED = datetime(2025, 3, 4, 9, 12, 5, tzinfo=UTC)


def test_outputs_carry_the_start_of_the_run() -> None:
    assert report_name("in.csv", STARTED) == "20250304-091205_report_in.txt"
    assert report_name("in.csv", STARTED, simulate=True) == "20250304-091205_report_simulation_in.txt"
    assert archive_name("in.csv", STARTED) == "20250304-091205_in.csv"
    assert tryback_name("in.csv", STARTED) == "in_tryback_20250304-091205.csv"
    assert discarded_name("in.csv") == "in-tryback-failed.csv"


def test_the_start_is_told_in_site_time(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    assert archive_name("in.csv", STARTED.astimezone(ZoneInfo("UTC"))) == "20250304-101205_in.csv"


@pytest.mark.parametrize(
    ("name", "tryback"),
    [
        ("a.b.csv", "a.b_tryback_20250304-091205.csv"),
        ("plain", "plain_tryback_20250304-091205"),
        (".hidden", ".hidden_tryback_20250304-091205"),
    ],
)
def test_a_suffix_stands_before_the_last_dot(name: str, tryback: str) -> None:
    assert tryback_name(name, STARTED) == tryback


def test_the_tryback_of_a_workbook_is_csv() -> None:
    assert tryback_name("in.xlsx", STARTED, is_workbook=True) == "in_tryback_20250304-091205.csv"


def test_the_tryback_of_a_long_name_is_still_a_name() -> None:
    name = tryback_name("é" * 98 + ".csv", STARTED)
    assert clean_name(name) == name
    assert name.endswith("_tryback_20250304-091205.csv")


@pytest.mark.parametrize("name", ["in.csv", "Élèves 2025 (A).csv", "users & co.csv", ".hidden", "x" * NAME_BYTES])
def test_a_name_that_is_fine_stays(name: str) -> None:
    assert clean_name(name) == name


def test_a_name_is_kept_in_one_form_only() -> None:
    assert clean_name(" e\u0301.csv ") == "é.csv"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "file_name_empty"),
        ("..", "file_name_empty"),
        ("a/b.csv", "file_name_character"),
        ("a\\b.csv", "file_name_character"),
        ("load_*.csv", "file_name_character"),
        ("a\nb.csv", "file_name_character"),
        ("a\0.csv", "file_name_character"),
        ("é" * 101, "file_name_too_long"),
    ],
)
def test_a_name_that_could_not_be_everywhere_is_refused(name: str, code: str) -> None:
    with pytest.raises(CommandFileError) as refused:
        clean_name(name)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("folder", "cleaned"),
    [("", "/"), ("/", "/"), ("users", "/users/"), ("/users//2025/", "/users/2025/"), ("a\\b", "/a/b/")],
)
def test_a_folder_begins_and_ends_with_a_slash(folder: str, cleaned: str) -> None:
    assert clean_folder(folder) == cleaned


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("/../secret/", "file_name_empty"),
        ("/reports/", "folder_reserved"),
        ("Archives/old", "folder_reserved"),
        ("/x" * 101, "folder_too_long"),
    ],
)
def test_a_folder_that_cannot_be_is_refused(folder: str, code: str) -> None:
    with pytest.raises(CommandFileError) as refused:
        clean_folder(folder)
    assert refused.value.code == code


@pytest.mark.parametrize("path", ["/users/in.csv", "users/in.csv", " users//in.csv "])
def test_a_path_is_split_into_folder_and_name(path: str) -> None:
    assert split_path(path) == ("/users/", "in.csv")


def test_a_bare_name_lies_at_the_top() -> None:
    assert split_path("in.csv") == ("/", "in.csv")
