"""The examples of courses.md section 5: metacourse links, and the people who follow them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")

STUDENT, TEACHER = 5, 3


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """C1 is the master M, C2 the child K; ann and two others are in C1, one of them suspended."""
    enable_meta(moodle_site)
    return moodle_site


@pytest.fixture
def small(sqlite_site: MoodleSite) -> MoodleSite:
    enable_meta(sqlite_site)
    return sqlite_site


def enable_meta(site: MoodleSite) -> None:
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort,meta' WHERE name = 'enrol_plugins_enabled'")


def enrol(site: MoodleSite, userid: int, role: int = STUDENT, **values: Any) -> None:
    """Put somebody in C1 by the method manual."""
    fields = {"status": 0, "timestart": 100, "timeend": 0, **values}
    site.insert("user_enrolments", enrolid=site.ids["C1 manual"], userid=userid, **fields)
    site.insert(
        "role_assignments", roleid=role, contextid=site.ids["C1 context"], userid=userid, component="", itemid=0
    )


def run(site: MoodleSite, text: str | bytes, **options: Any) -> RunResult:
    return run_file(site, "courses_meta", text, **options)


def link(site: MoodleSite) -> dict[str, Any]:
    return site.one("enrol", enrol="meta", courseid=site.ids["C2"], customint1=site.ids["C1"])


def people(site: MoodleSite) -> dict[int, int]:
    """Shape: userid -> status"""
    return {row["userid"]: row["status"] for row in site.rows("user_enrolments", enrolid=link(site)["id"])}


def copied_roles(site: MoodleSite) -> set[tuple[int, int]]:
    rows = site.rows("role_assignments", component="enrol_meta", itemid=link(site)["id"])
    assert {row["contextid"] for row in rows} <= {site.ids["C2 context"]}
    return {(row["userid"], row["roleid"]) for row in rows}


def test_1_a_link_brings_the_people_of_the_master_with_their_roles(site: MoodleSite) -> None:
    before = len(site.rows("user_enrolments", enrolid=site.ids["C1 manual"]))
    enrol(site, 900_001)
    enrol(site, 900_002, TEACHER)
    enrol(site, 900_003, status=1)

    result = run(site, "master;meta\nC1;C2\n")

    made = link(site)
    assert (made["status"], made["roleid"]) == (0, 0)
    assert people(site)[900_001] == 0
    assert people(site)[900_003] == 1
    assert {(900_001, STUDENT), (900_002, TEACHER)} <= copied_roles(site)
    assert (900_003, STUDENT) not in copied_roles(site)
    assert result.counts == {"created": 1}
    assert len(people(site)) >= before + 3


def test_2_the_same_again_writes_nothing(site: MoodleSite) -> None:
    enrol(site, 900_001)
    run(site, "master;meta\nC1;C2\n")
    before = site.snapshot()

    result = run(site, "master;meta\nC1;C2\n")

    assert result.codes == ["meta_link_unchanged"]
    assert site.diff(before, site.snapshot()) == {}


def test_3_a_link_that_is_cut_takes_its_roles_and_leaves_the_enrolments(site: MoodleSite) -> None:
    enrol(site, 900_001)
    run(site, "master;meta\nC1;C2\n")
    enrolled = people(site)

    result = run(site, "cmd;master;meta\ndel;C1;C2\n")

    assert link(site)["status"] == 1
    assert people(site) == enrolled
    assert copied_roles(site) == set()
    assert result.codes == ["meta_link_disabled"]
    path = site.one("context", id=site.ids["C2 context"])["path"]
    assert site.rows("cache_flags", flagtype="accesslib/dirtycontexts", name=path)
    assert run(site, "cmd;master;meta\ndel;C1;C2\n").codes == ["meta_link_off_already"]


def test_a_link_that_is_switched_on_again_gives_the_roles_back(site: MoodleSite) -> None:
    enrol(site, 900_001)
    run(site, "master;meta\nC1;C2\n")
    roles = copied_roles(site)
    run(site, "cmd;master;meta\ndel;C1;C2\n")

    result = run(site, "master;meta\nC1;C2\n")

    assert result.codes == ["meta_link_revived"]
    assert copied_roles(site) == roles
    assert link(site)["status"] == 0


def test_who_has_left_the_master_is_suspended_without_roles(site: MoodleSite) -> None:
    enrol(site, 900_001)
    run(site, "master;meta\nC1;C2\n")
    site.execute("DELETE FROM {user_enrolments} WHERE userid = 900001 AND enrolid = :id", id=site.ids["C1 manual"])

    result = run(site, "master;meta\nC1;C2\n")

    assert people(site)[900_001] == 1
    assert (900_001, STUDENT) not in copied_roles(site)
    assert result.codes == ["meta_link_synced"]


def test_the_site_may_want_those_who_left_unenrolled(small: MoodleSite) -> None:
    small.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_meta' AND name = 'unenrolaction'")
    small.insert("config_plugins", plugin="enrol_meta", name="unenrolaction", value="0")
    enrol(small, 900_001)
    run(small, "master;meta\nC1;C2\n")
    small.execute("DELETE FROM {user_enrolments} WHERE userid = 900001 AND enrolid = :id", id=small.ids["C1 manual"])

    run(small, "master;meta\nC1;C2\n")

    assert 900_001 not in people(small)
    assert small.rows("role_assignments", userid=900_001, contextid=small.ids["C2 context"]) == []


REFUSED = [
    ("FAILED;C2", "course_unknown"),
    ("C1;FAILED", "course_unknown"),
    ("C1;C1", "meta_of_itself"),
    ("C1;", "cell_empty"),
]


@pytest.mark.parametrize(("row", "code"), REFUSED)
def test_4_and_5_what_is_wrong_is_refused_and_comes_back(small: MoodleSite, row: str, code: str) -> None:
    before = small.snapshot()
    result = run(small, f"master;meta\n{row}\n")
    assert result.codes == [code]
    assert result.tryback is not None
    assert small.diff(before, small.snapshot()) == {}


@pytest.mark.parametrize("row", ["del;C1;C2", "explode;C1;C2"])
def test_commands_in_vain_are_refused(small: MoodleSite, row: str) -> None:
    assert run(small, f"cmd;master;meta\n{row}\n").counts == {"rejected": 1}


def test_the_front_page_is_refused(small: MoodleSite) -> None:
    home = small.one("course", id=1)["shortname"]
    assert run(small, f"master;meta\n{home};C2\n").codes == ["course_is_site"]


def test_without_the_plugin_nothing_is_linked(sqlite_site: MoodleSite) -> None:
    assert run(sqlite_site, "master;meta\nC1;C2\n").codes == ["meta_not_enabled"]


def test_6_a_simulation_tells_the_same_and_writes_nothing(site: MoodleSite) -> None:
    enrol(site, 900_001)
    text = "cmd;master;meta\nadd;C1;C2\nadd;C1;C2\ndel;C1;C2\nadd;C1;C2\nadd;C2;C1\n"
    before = site.snapshot()

    told = run(site, text, simulate=True, chunk_rows=1)
    assert site.diff(before, site.snapshot()) == {}
    done = run(site, text, chunk_rows=1)

    assert [outcome.code for outcome in told.outcomes] == [outcome.code for outcome in done.outcomes]
    assert done.codes[:4] == ["meta_link_created", "meta_link_unchanged", "meta_link_disabled", "meta_link_revived"]


def test_a_mended_tryback_goes_through(small: MoodleSite) -> None:
    first = run(small, "master;meta\nFAILED;C2\nC1;C2\n")
    assert first.tryback is not None
    mended = first.tryback.replace(b"FAILED", b"C1")
    assert run(small, mended).counts == {"unchanged": 1}


def test_the_number_of_queries_does_not_grow_with_the_people(small: MoodleSite) -> None:
    counts = []
    for first, many in ((900_000, 3), (910_000, 300)):
        for userid in range(first, first + many):
            enrol(small, userid)
        counts.append(run(small, "master;meta\nC1;C2\n").queries)
    assert counts[1] <= counts[0] + 2
