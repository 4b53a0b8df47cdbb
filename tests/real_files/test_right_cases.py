"""Inputs that came out right from the first version on, and have to stay so."""

from __future__ import annotations

import pytest

from tests.real_files.conftest import ReadCase

# Number -> for each command of the case: exit status, action -> rows.
RIGHT: dict[str, list[tuple[int, dict[str, int]]]] = {
    "060": [(0, {"created": 5}), (0, {"created": 3})],
    "061": [(1, {"created": 2, "rejected": 1})],
    "062": [(1, {"created": 1, "rejected": 1})],
    "063": [(0, {"created": 1})],
    "064": [(0, {"created": 1, "updated": 1})],
    "065": [(0, {"created": 2})],
    "066": [(0, {"unchanged": 1, "updated": 1}), (0, {"created": 1, "updated": 1})],
    "067": [(0, {"updated": 3})],
    "068": [(1, {"rejected": 2})],
    # Its fourth file, a quote that is closed nowhere, stands with the other quotes.
    "069": [(0, {"created": 3}), (0, {"created": 1}), (2, {})],
    "070": [(0, {"created": 1})],
    "071": [(0, {"created": 2}), (0, {"unchanged": 2})],
    "072": [(0, {"created": 1}), (0, {"created": 1})],
    "073": [(0, {"created": 3})],
    "074": [(0, {"created": 3}), (0, {"updated": 1})],
    "075": [(0, {"created": 1})],
    "079": [(0, {"updated": 1})],
}
# PostgreSQL compares exactly, as Moodle on it does: USER110.JPG names nobody there.
RIGHT_ON_POSTGRESQL = {"067": [(1, {"updated": 2, "rejected": 1})]}


@pytest.mark.parametrize("number", RIGHT)
def test_right_cases_stay_right(real_case: ReadCase, number: str) -> None:
    case = real_case(number)
    case.prepare()
    is_postgresql = case.installation.moodle.engine_name == "postgresql"
    right = (RIGHT_ON_POSTGRESQL if is_postgresql else {}).get(number, RIGHT[number])
    came = [case.run(step) for step in range(len(right))]
    assert [(run.status, run.counts) for run in came] == right
