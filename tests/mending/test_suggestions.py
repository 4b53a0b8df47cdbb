"""What may have been meant by a cell at fault."""

from __future__ import annotations

from typing import Any

import pytest

from sync.mending.rows import FailedRow
from sync.mending.suggestions import suggest
from sync.models import MoodleSite
from sync.values import Action, Outcome
from tests.installation import Installation

pytestmark = pytest.mark.django_db


def suggested(site: MoodleSite, code: str, text: str, *, names_people: bool = True, **params: Any) -> list[str]:
    outcome = Outcome(2, Action.REJECTED, code, {"column": "x", **params})
    row = FailedRow(2, outcome, (text,), 0)
    return suggest(site, [(row, outcome, text)], names_people=names_people).get(2, [])


@pytest.mark.parametrize(
    ("code", "text", "params", "first"),
    [
        ("country_unknown", "Gemany", {}, "DE"),
        ("country_unknown", "Allemagne", {"nearest": "DE"}, "DE"),
        ("timezone_unknown", "Europe/Pariss", {}, "Europe/Paris"),
        ("value_not_among", "manaul", {"allowed": "manual, self, cohort"}, "manual"),
        ("value_not_email", " ann @x,org.", {}, "ann@x.org"),
        ("value_not_email", "ann(at)x.org", {}, "ann@x.org"),
        ("value_too_long", "abcdef", {"limit": 3}, "abc"),
        ("course_unknown", "c1x", {"identifier": "shortname"}, "C1"),
        ("role_unknown", "studnet", {}, "student"),
        ("account_unknown", "anm", {"identity": "username"}, "ann"),
    ],
)
def test_the_likeliest_comes_first(
    installation: Installation, code: str, text: str, params: dict[str, Any], first: str
) -> None:
    assert suggested(installation.site, code, text, **params)[0] == first


@pytest.mark.parametrize(
    ("code", "text", "params"),
    [
        ("value_not_email", "nothing like it", {}),
        ("course_unknown", "12", {"identifier": "id"}),
        ("country_unknown", "••••", {}),
        ("value_out_of_range", "12", {}),
        ("timezone_unknown", "x" * 500, {}),
    ],
)
def test_nothing_is_made_up(installation: Installation, code: str, text: str, params: dict[str, Any]) -> None:
    assert suggested(installation.site, code, text, **params) == []


def test_people_are_named_to_those_who_may_look_at_them(installation: Installation) -> None:
    asked = {"code": "account_unknown", "text": "anm", "identity": "username"}
    assert suggested(installation.site, **asked, names_people=False) == []


def test_without_moodle_only_what_it_knows_is_left_out(installation: Installation, settings: Any) -> None:
    settings.TOOLSYNC_MOODLE_URL = "mysql://nobody@127.0.0.1:9/none"
    assert suggested(installation.site, "role_unknown", "studnet") == []
    assert suggested(installation.site, "country_unknown", "Gemany")[0] == "DE"
