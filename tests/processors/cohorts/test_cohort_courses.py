"""The examples of cohorts.md section 2: cohorts that are enrolled in courses."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.cohorts import courses_planner as cohort_links
from tests.processors.cohorts.test_cohorts import TEACHERS, add_user, cohort
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")

STUDENT, TEACHER = 5, 4


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    return furnish(moodle_site)


@pytest.fixture
def small(sqlite_site: MoodleSite) -> MoodleSite:
    return furnish(sqlite_site)


def furnish(site: MoodleSite) -> MoodleSite:
    """A cohort COH1, "Teachers", with ann in it."""
    run_file(site, "cohorts", TEACHERS + "add;;;COH1\n")
    run_file(site, "cohorts", "userid;cidnumber\nann;COH1\n")
    return site


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "cohort_courses", text, **options)


def links(site: MoodleSite) -> list[dict[str, Any]]:
    return site.rows("enrol", enrol="cohort", courseid=site.ids["C1"], customint1=cohort(site)["id"])


def roles(site: MoodleSite, link: dict[str, Any]) -> set[tuple[int, int]]:
    return {
        (r["userid"], r["roleid"]) for r in site.rows("role_assignments", component="enrol_cohort", itemid=link["id"])
    }


def test_1_the_members_are_enrolled_with_the_role(site: MoodleSite) -> None:
    faults = faults_of(site)
    result = run(site, "course;cohort;role\nC1;COH1;teacher\n")

    (link,) = links(site)
    ann = site.ids["ann"]
    assert (link["status"], link["roleid"], link["name"]) == (0, TEACHER, "")
    assert site.one("user_enrolments", enrolid=link["id"])["userid"] == ann
    assert roles(site, link) == {(ann, TEACHER)}
    assert result.counts == {"created": 1}
    assert_sound(site, but=faults)


def test_2_the_same_again_writes_nothing(site: MoodleSite) -> None:
    run(site, "course;cohort;role\nC1;COH1;teacher\n")
    before = site.snapshot()
    assert run(site, "course;cohort;role\nC1;COH1;teacher\n").codes == ["cohort_link_unchanged"]
    assert site.diff(before, site.snapshot()) == {}


def test_3_and_4_a_link_is_suspended_and_restored(site: MoodleSite) -> None:
    faults = faults_of(site)
    run(site, "course;cohort;role\nC1;COH1;teacher\n")

    assert run(site, "cmd;course;cohort;role\ndel;C1;COH1;*\n").codes == ["cohort_link_disabled"]
    (link,) = links(site)
    assert link["status"] == 1
    assert roles(site, link) == set()
    assert len(site.rows("user_enrolments", enrolid=link["id"])) == 1
    path = site.one("context", id=site.ids["C1 context"])["path"]
    assert site.rows("cache_flags", flagtype="accesslib/dirtycontexts", name=path)

    assert run(site, "cmd;course;cohort;role\nrestore;C1;COH1;*\n").codes == ["cohort_link_restored"]
    assert roles(site, link) == {(site.ids["ann"], TEACHER)}
    assert_sound(site, but=faults)


def test_5_a_link_goes_with_everything_that_it_brought(site: MoodleSite) -> None:
    faults = faults_of(site)
    run(site, "course;cohort;role;makegroup\nC1;COH1;teacher;1\n")
    (link,) = links(site)

    result = run(site, "cmd;course;cohort;role\nfulldel;C1;COH1;*\n")

    assert links(site) == []
    assert site.rows("user_enrolments", enrolid=link["id"]) == []
    assert roles(site, link) == set()
    assert site.rows("groups_members", component="enrol_cohort", itemid=link["id"]) == []
    assert result.counts == {"deleted": 1}
    assert_sound(site, but=faults)


def test_7_the_members_may_get_a_group_of_their_own(site: MoodleSite) -> None:
    faults = faults_of(site)
    site.insert("groups", courseid=site.ids["C1"], name="Teachers cohort", idnumber="", timecreated=1, timemodified=1)

    run(site, "course;cohort;makegroup\nC1;COH1;1\n")

    (link,) = links(site)
    group = site.one("groups", courseid=site.ids["C1"], name="Teachers cohort (2)")
    assert link["customint2"] == group["id"]
    member = site.one("groups_members", groupid=group["id"])
    assert (member["userid"], member["component"], member["itemid"]) == (site.ids["ann"], "enrol_cohort", link["id"])
    assert_sound(site, but=faults)


def test_a_link_without_group_gets_one_later(small: MoodleSite) -> None:
    run(small, "course;cohort\nC1;COH1\n")
    assert run(small, "course;cohort;makegroup\nC1;COH1;1\n").counts == {"updated": 1}
    (link,) = links(small)
    assert small.rows("groups_members", groupid=link["customint2"])


def test_8_and_9_two_roles_are_two_links_and_none_is_student(site: MoodleSite) -> None:
    run(site, "course;cohort;role\nC1;COH1;\nC1;COH1;teacher\n")
    assert {link["roleid"] for link in links(site)} == {STUDENT, TEACHER}


def test_10_a_simulation_tells_the_same_and_writes_nothing(site: MoodleSite) -> None:
    commands = (
        "add;C1;COH1;",
        "add;C1;COH1;",
        "del;C1;COH1;*",
        "restore;C1;COH1;",
        "fulldel;C1;COH1;*",
        "del;C1;COH1;",
    )
    text = "\n".join(("cmd;course;cohort;role", *commands, ""))
    before = site.snapshot()

    told = run(site, text, simulate=True, chunk_rows=1)
    assert site.diff(before, site.snapshot()) == {}
    done = run(site, text, chunk_rows=1)

    assert [outcome.code for outcome in told.outcomes] == [outcome.code for outcome in done.outcomes]
    assert done.codes == [
        "cohort_link_created", "cohort_link_unchanged", "cohort_link_disabled", "cohort_link_restored",
        "cohort_link_deleted", "cohort_link_missing",
    ]  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_simulation_forgets_what_one_chunk_makes_and_takes_away(small: MoodleSite, chunk_rows: int) -> None:
    text = "cmd;course;cohort\nadd;C1;COH1\nfulldel;C1;COH1\nadd;C1;COH1\n"
    told = run(small, text, simulate=True, chunk_rows=chunk_rows)
    done = run(small, text, chunk_rows=chunk_rows)
    assert told.codes == done.codes == ["cohort_link_created", "cohort_link_deleted", "cohort_link_created"]


REFUSED = [
    ("course;cohort\nNOPE;COH1\n", "course_unknown"),
    ("course;cohort\nC1;NOPE\n", "cohort_missing"),
    ("course;cohort;role\nC1;COH1;chef\n", "role_unknown"),
    ("course;cohort;role\nC1;COH1;*\n", "cohort_link_every_role"),
    ("course;cohort;role\nC1;COH1;coursecreator\n", "role_not_for_courses"),
    ("course;cohort;enrol\nC1;COH1;nosuch\n", "enrol_method_unknown"),
    ("cmd;course;cohort;enrol\nfulldel;C1;COH1;manual\n", "enrol_method_unknown"),
    ("cmd;course;cohort;enrol\nfulldel;C1;COH1;meta\n", "enrol_method_unknown"),
    ("course;cohort;enrolstart;enrolend\nC1;COH1;2026-02-01;2026-01-01\n", "enrolment_dates_reversed"),
    ("cmd;course;cohort\nboom;C1;COH1\n", "value_not_among"),
    ("cmd;course;cohort\ndel;C1;COH1\n", "cohort_link_missing"),
    ("course;cohort\nC1;\n", "cell_empty"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_6_what_is_wrong_is_refused_and_comes_back(small: MoodleSite, text: str, code: str) -> None:
    before = small.snapshot()
    result = run(small, text)
    assert result.codes == [code]
    assert result.tryback is not None
    assert small.diff(before, small.snapshot()) == {}


def test_the_tryback_once_mended_does_the_rest(small: MoodleSite) -> None:
    result = run(small, "course;cohort\nC1;COH1\nC1;COH2\n")
    assert result.tryback is not None
    run_file(small, "cohorts", "cidnumber\nCOH2\n")
    assert run(small, result.tryback.decode()).codes == ["cohort_link_created"]


def test_the_front_page_of_the_site_takes_no_cohort(small: MoodleSite) -> None:
    assert run(small, "course;cohort\n1;COH1\n", courseidentifier="id").codes == ["course_is_site"]


def test_what_is_deleted_already_stays_so(small: MoodleSite) -> None:
    text = "cmd;course;cohort\nfulldel;C1;COH1\n"
    run(small, "course;cohort\nC1;COH1\n")
    assert [run(small, text).codes for _ in range(2)] == [["cohort_link_deleted"], ["cohort_link_gone_already"]]


def test_a_deleted_user_is_not_enrolled(small: MoodleSite) -> None:
    small.execute("UPDATE {user} SET deleted = 1 WHERE username = 'ann'")
    run(small, "course;cohort\nC1;COH1\n")
    (link,) = links(small)
    assert small.rows("user_enrolments", enrolid=link["id"]) == []


def test_enrolments_may_be_left_to_moodle(small: MoodleSite) -> None:
    run(small, "course;cohort\nC1;COH1\n", followenrolments=False)
    (link,) = links(small)
    assert (link["status"], small.rows("user_enrolments", enrolid=link["id"])) == (0, [])

    run(small, "course;cohort\nC1;COH1\n")
    run(small, "cmd;course;cohort\ndel;C1;COH1\n", followenrolments=False)
    assert links(small)[0]["status"] == 1
    assert roles(small, link) == {(small.ids["ann"], STUDENT)}


def test_dates_are_kept_with_the_link(small: MoodleSite) -> None:
    run(small, "course;cohort;enrolstart;enrolend\nC1;COH1;1800000000;1900000000\n")
    (link,) = links(small)
    assert (link["enrolstartdate"], link["enrolenddate"]) == (1_800_000_000, 1_900_000_000)


def test_a_group_of_a_long_name_fits(small: MoodleSite) -> None:
    small.execute(f"UPDATE {{cohort}} SET name = '{'x' * 254}' WHERE idnumber = 'COH1'")
    run(small, "course;cohort;makegroup\nC1;COH1;1\n")
    (link,) = links(small)
    assert small.one("groups", id=link["customint2"])["name"] == "x" * 247 + " cohort"


def test_a_link_whose_group_was_deleted_gets_another(small: MoodleSite) -> None:
    text = "course;cohort;makegroup\nC1;COH1;1\n"
    run(small, text)
    assert run(small, text).counts == {"unchanged": 1}
    small.execute("DELETE FROM {groups} WHERE name = 'Teachers cohort'")
    small.execute("DELETE FROM {groups_members}")

    assert run(small, text).counts == {"updated": 1}
    (link,) = links(small)
    assert small.rows("groups_members", groupid=link["customint2"])


def test_people_who_have_left_the_cohort_leave_the_course(small: MoodleSite) -> None:
    run(small, "course;cohort\nC1;COH1\n")
    small.execute("DELETE FROM {cohort_members}")
    assert run(small, "course;cohort\nC1;COH1\n").codes == ["cohort_link_synced"]
    assert small.rows("user_enrolments", enrolid=links(small)[0]["id"]) == []


def test_a_chunk_that_grows_too_large_is_carried_out_in_parts(
    small: MoodleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "course;cohort;role\nC1;COH1;student\nC1;COH1;teacher\nC2;COH1;student\n"
    whole = run(small, text, simulate=True)
    monkeypatch.setattr(cohort_links, "_MAX_MEMBERS", 1)
    parts = run(small, text)
    assert parts.codes == whole.codes == ["cohort_link_created"] * 3
    assert parts.chunks == 3


def test_the_number_of_queries_does_not_grow_with_the_members(small: MoodleSite) -> None:
    def join(first: int, last: int) -> None:
        for number in range(first, last):
            add_user(small, f"kim{number}")
        people = "".join(f"KIM{number};COH1\n" for number in range(first, last))
        run_file(small, "cohorts", "userid;cidnumber\n" + people, useridentifier="idnumber")

    join(0, 100)
    few = run(small, "course;cohort;role;makegroup\nC1;COH1;student;1\n")
    join(100, 1000)
    many = run(small, "course;cohort;role;makegroup\nC2;COH1;student;1\n")
    assert many.queries <= few.queries


def test_of_many_rows_exactly_the_faulty_ones_come_back(small: MoodleSite) -> None:
    faulty = {
        7: "add;NOPE;COH1;",
        33: "add;C1;NOPE;",
        50: "boom;C1;COH1;",
        99: "add;C1;COH1;chef",
        151: "add;C1;COH1;*",
    }
    rows = [faulty.get(number, "add;C1;COH1;") for number in range(200)]
    result = run(small, "cmd;course;cohort;role\n" + "\n".join(rows) + "\n")
    assert [o.line - 2 for o in result.outcomes if o.action.value == "rejected"] == sorted(faulty)
    assert result.tryback is not None
    assert result.tryback.count(b"\n") == len(faulty) + 1
