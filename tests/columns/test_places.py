"""Countries and time zones, each by one parser."""

from __future__ import annotations

import pytest

from sync.columns.clean import CellError
from sync.columns.places import country_code, country_codes, time_zone


@pytest.mark.parametrize(("cell", "code"), [("FR", "FR"), ("fr", "FR"), ("Gb", "GB")])
def test_a_country_is_a_code_of_two_letters(cell: str, code: str) -> None:
    assert country_code().cleaner()(cell) == code


@pytest.mark.parametrize(
    ("cell", "nearest"),
    [("France", "FR"), ("FRA", "FR"), ("Österreich", "AT"), ("UK", "GB"), ("XX", None), ("F", None)],
)
def test_what_is_no_code_is_said_with_the_country_that_is_meant(cell: str, nearest: str | None) -> None:
    with pytest.raises(CellError) as refused:
        country_code().cleaner()(cell)
    assert (refused.value.code, refused.value.params["country"]) == ("country_unknown", cell)
    assert refused.value.params.get("nearest") == nearest


@pytest.mark.parametrize("cell", ["Europe/Paris", "UTC", "99", "-13", "13.0", "+5.5"])
def test_a_time_zone_is_a_name_an_offset_or_that_of_the_server(cell: str) -> None:
    assert time_zone(100).cleaner()(cell) == cell


@pytest.mark.parametrize("cell", ["Mars/Base", "Factory", "localtime", "14", "-13.5", "100", "europe/paris "])
def test_what_is_no_time_zone_is_said(cell: str) -> None:
    with pytest.raises(CellError, match="timezone_unknown"):
        time_zone(100).cleaner()(cell)


def test_names_of_countries_in_three_languages_have_their_code() -> None:
    codes = country_codes()
    assert {codes[name] for name in ("germany", "allemagne", "deutschland", "deu")} == {"DE"}
