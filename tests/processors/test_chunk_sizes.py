"""Files as people have them leave the same rows and the same outcomes wherever chunks end; the random ones do in their own tests.

A few here; `make matrix` carries all of them out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sync.errors import CommandFileError, OptionError
from sync.processors.registry import REGISTRY
from tests.processors.random_files import state_of
from tests.processors.test_random_files import SIZES, told
from tests.real_files.case import COMMAND, real_files
from tests.real_sites import RealSites, needs_moodle_data
from tests.support import MoodleSite, run_file

_CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "old_plugin"
_LEAST_LINES = 3
# Every so many files in an ordinary test run.
_STEP = 30

pytestmark = [*needs_moodle_data, pytest.mark.mariadb, pytest.mark.xdist_group("m41-seeded")]


class GoldenFile(NamedTuple):
    """A file that people have. Shape: key: its file type; dump: of the Moodle that it is for"""

    key: str
    path: Path
    options: dict[str, Any]
    dump: str = "m41-seeded"


def golden_files() -> list[GoldenFile]:
    found = []
    for path in sorted(_CASES.glob("*/*/case.json")):
        case = json.loads(path.read_text())
        file = path.parent / case["file"]
        if file.is_file() and file.suffix != ".zip":
            found.append(GoldenFile(case["tool"], file, _options(case["tool"], case["toolsync_options"])))
    return found


def administrators_files() -> list[GoldenFile]:
    """Return the inputs of real administrators, with the options that their pages name."""
    found = []
    for page in sorted(real_files().glob("*/case.md")):
        for command in COMMAND.finditer(page.read_text(encoding="utf-8").partition("## What ToolSync did")[0]):
            file = page.parent / command["file"]
            if file.is_file() and file.suffix != ".zip" and command["key"] in REGISTRY:
                words = command["options"].replace("--option", "").split()
                found.append(GoldenFile(command["key"], file, _options(command["key"], words), "m45-seeded"))
    return found


def _options(key: str, words: list[str]) -> dict[str, Any]:
    """Return the options that the file type has."""
    given = dict(word.partition("=")[::2] for word in words)
    known = {}
    for name, value in given.items():
        try:
            REGISTRY[key].options.resolve({name: value})
        except OptionError:
            continue
        known[name] = value
    return known


def carry_out(site: MoodleSite, file: GoldenFile, chunk_rows: int) -> tuple[Any, ...]:
    """Return what is told and what is left; the state of the site is put back before."""
    site.restore_template()
    try:
        result = run_file(
            site, file.key, file.path.read_bytes(), chunk_rows=chunk_rows, filename=file.path.name, **file.options
        )
    except CommandFileError as error:
        return error.code, {}
    return told(result), state_of(site)


ALL_FILES = [*golden_files(), *administrators_files()]
FILES = [
    file for file in ALL_FILES if file.path.suffix != ".csv" or len(file.path.read_bytes().splitlines()) >= _LEAST_LINES
]


def _name_of(file: GoldenFile) -> str:
    return f"{file.path.parent.name}-{file.path.stem}"


@pytest.mark.skipif(not FILES, reason=f"no files of the old plugin in {_CASES}")
@pytest.mark.parametrize("number", range(len(FILES)), ids=lambda number: _name_of(FILES[number]))
def test_wherever_chunks_end(real_site: RealSites, number: int, request: pytest.FixtureRequest) -> None:
    if number % _STEP and not request.config.getoption("every_site"):
        pytest.skip("one in so many files; all of them in the matrix")
    file = FILES[number]
    site = real_site(file.dump)
    done = {size: carry_out(site, file, size) for size in SIZES}
    for size, (outcomes, left) in done.items():
        whole_outcomes, whole_left = done[5000]
        assert outcomes == whole_outcomes, f"other outcomes in chunks of {size}"
        assert left == whole_left, f"other rows in chunks of {size}"


def _file(name: str) -> GoldenFile:
    return next(file for file in ALL_FILES if file.path.parent.name == name)


@pytest.mark.skipif(not FILES, reason=f"no files of the old plugin in {_CASES}")
def test_people_of_a_deleted_master_are_suspended_in_its_metacourse(real_site: RealSites) -> None:
    site, file = real_site("m41-seeded"), _file("delete-bound")
    method = site.one("enrol", enrol="meta")

    run_file(site, file.key, file.path.read_bytes(), **file.options)

    copied = site.rows("user_enrolments", enrolid=method["id"])
    assert (len(copied), {row["status"] for row in copied}) == (40, {1})
    assert site.rows("role_assignments", component="enrol_meta", itemid=method["id"]) == []


@pytest.mark.skipif(not FILES, reason=f"no files of the old plugin in {_CASES}")
def test_roles_of_a_reset_are_named_in_any_case(real_site: RealSites) -> None:
    site, file = real_site("m41-seeded"), _file("reset-case")
    context = site.one("context", contextlevel=50, instanceid=site.one("course", shortname="C2")["id"])
    student = site.one("role", shortname="student")["id"]
    held = len(site.rows("role_assignments", contextid=context["id"], roleid=student))

    result = run_file(site, file.key, file.path.read_bytes(), **file.options)

    assert result.codes == ["course_reset"]
    assert result.outcomes[0].notes == ()
    assert (held, site.rows("role_assignments", contextid=context["id"], roleid=student)) == (38, [])
