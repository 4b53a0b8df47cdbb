"""Our rows are those that Moodle's own API wrote, case by case, on copies of real sites."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from zlib import crc32

import pytest

from tests import effects
from tests.effects.case import EVERYWHERE, Case, carry_out, recorded_side
from tests.effects.comparison import Allowed, Side, compare, judge
from tests.real_sites import (
    EFFECT_SITES,
    RealSites,
    has_moodle_data,
    needs_moodle_data,
    recorded_effect,
    recorded_effects,
    version_of,
)

pytestmark = [*needs_moodle_data, pytest.mark.mariadb]

SITES = EFFECT_SITES
# Each module of cases holds CASES, and may hold FAMILIES: beginnings of names of recorded effects that must have a case
# each -> the effects among them that no file type brings about, or another module's file types.
MODULES = [
    import_module(f"{effects.__name__}.{module.name}")
    for module in pkgutil.iter_modules(effects.__path__)
    if module.name.startswith("cases_")
]
CASES = [case for module in MODULES for case in module.CASES]
FAMILIES = {family: others for module in MODULES for family, others in getattr(module, "FAMILIES", {}).items()}


# Of the cases on another server one in so many, in an ordinary run.
_MOVED_STEP = 20
# Site of the effects -> the same rows on another server.
ON_OTHER_SERVERS = {"m45": "m45pg-gold"}


def is_recorded(site: str, case: Case) -> bool:
    """Return whether the effect of a case is to be compared on a site; all are, where the recordings aren't at hand."""
    return version_of(site) in case.versions and (case.name in recorded_effects(site) or not has_moodle_data())


@pytest.mark.parametrize(
    ("site", "case"),
    [
        pytest.param(site, case, id=f"{site}-{case}", marks=pytest.mark.xdist_group(f"{site}-gold"))
        for site in SITES
        for case in CASES
        if is_recorded(site, case)
    ],
)
def test_we_write_what_moodle_writes(
    real_site: RealSites, site: str, case: Case, request: pytest.FixtureRequest
) -> None:
    if site == "m52dev" and is_recorded("m520", case) and not request.config.getoption("every_site"):
        pytest.skip("as on 5.2.0; on the version before it in the matrix")
    assert_as_recorded(real_site, site, case)


@pytest.mark.parametrize(
    ("site", "case"),
    [
        pytest.param(site, case, id=f"{moved}-{case}", marks=pytest.mark.xdist_group(moved))
        for site, moved in ON_OTHER_SERVERS.items()
        for case in CASES
        if is_recorded(site, case)
    ],
)
def test_the_other_server_writes_it_as_well(
    real_site: RealSites, site: str, case: Case, request: pytest.FixtureRequest
) -> None:
    if crc32(case.name.encode()) % _MOVED_STEP and not request.config.getoption("every_site"):
        pytest.skip("one in so many; all of them in the matrix")
    assert_as_recorded(real_site, site, case, on=ON_OTHER_SERVERS[site])


@pytest.mark.parametrize("chunk_rows", [1, 2, 7, 5000])
@pytest.mark.parametrize("case", [case for case in CASES if str(case.text).count("\n") > 2], ids=str)
def test_wherever_chunks_end(real_site: RealSites, case: Case, chunk_rows: int, request: pytest.FixtureRequest) -> None:
    if chunk_rows > 1 and not request.config.getoption("every_site"):
        pytest.skip("with other sizes in the matrix")
    told = {assert_as_recorded(real_site, site, case, chunk_rows) for site in SITES if is_recorded(site, case)}
    assert len(told) == 1


def assert_as_recorded(
    real_site: RealSites, site: str, case: Case, chunk_rows: int = 1000, on: str = ""
) -> tuple[str, ...]:
    """Carry out a case; give what is told of its rows. Shape: on: the dump of the state that the effect started from"""
    moodle = real_site(on or f"{site}-gold")
    result, differences = carry_out(case, moodle, recorded_effect(site, case.name), chunk_rows)

    assert "rejected" not in result.counts, result.report
    # What is allowed for a column that this release has dropped can't be needed.
    allowed = [
        entry
        for entry in case.allowed
        if version_of(site) in entry.versions
        and (entry.columns is None or moodle.columns(entry.table) & {*entry.columns})
    ]
    unexplained, _ = judge(differences, (*allowed, *EVERYWHERE))
    assert not unexplained, "\n".join(["Not as Moodle does it:", *map(str, unexplained)])
    _, rotten = judge(differences, allowed)
    assert not rotten, f"allowed without need: {rotten}"
    return tuple(result.codes)


@pytest.mark.parametrize("allowed", EVERYWHERE, ids=lambda allowed: f"{allowed.kind} {allowed.table}")
def test_what_is_allowed_everywhere_is_needed_somewhere(allowed: Allowed) -> None:
    missing = [
        difference
        for case in CASES
        for site in SITES
        if is_recorded(site, case)
        for difference in compare(recorded_side(case, recorded_effect(site, case.name)), Side({}, 0, 0))
    ]

    assert judge(missing, [allowed])[1] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_case_is_recorded_on_some_site(case: Case) -> None:
    assert [site for site in SITES if is_recorded(site, case)]


@pytest.mark.parametrize("site", SITES)
def test_every_recorded_effect_of_a_family_has_its_case(site: str) -> None:
    wanted = {
        name
        for family, others in FAMILIES.items()
        for name in recorded_effects(site)
        if name.startswith(family) and not name.startswith(others)
    }

    assert wanted - {case.name for case in CASES} == set()
