"""Templates for courses that are there: their content is added, or takes the place of what is in them (option templatemode)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sync.moodle.course_content.graph.graph import COURSE, load_graph
from tests.moodle.course_content.copies import content_of, course_of
from tests.moodle.course_content.furniture import insert
from tests.moodle.course_content.restore.test_live_source import furnished
from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of, report_of
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")

HEADER = "shortname;fullname;template"
# What belongs to the course itself, and to its people.
STAYING = (
    "customfield_data", "enrol", "favourite", "filter_active", "groupings", "groups", "groups_members",
    "role_assignments", "role_capabilities", "role_names", "user_enrolments", "user_lastaccess",
)  # fmt: skip
# What a course and its template both have one of: a table, and what makes it the same.
ONCE = (
    ("badge", {"name": "Same"}), ("filter_active", {"filter": "same"}), ("groupings", {"name": "Same"}),
    ("groups", {"name": "Same"}), ("role_names", {"roleid": 5}), ("scale", {"name": "Same", "scale": "A,B"}),
)  # fmt: skip
ADD, REPLACE = "1", "2"
DONE = {ADD: "course_content_added", REPLACE: "course_content_replaced"}


def fill(site: MoodleSite, mode: str, line: str = "C2;{C2};C1", header: str = HEADER, **options: Any) -> RunResult:
    fullnames = {name: site.one("course", id=site.ids[name])["fullname"] for name in ("C1", "C2")}
    text = f"{header}\n{line.format_map(fullnames)}\n"
    return run_file(site, "courses", text, **{"forceupdate": True, "templatemode": mode, **options})


def activity(site: MoodleSite, course: str, module: str, name: str, number: int = 0, **values: Any) -> int:
    """Put an activity into a section, and return the id of its course module."""
    courseid = site.ids[course]
    sections = site.rows("course_sections", course=courseid, section=number)
    section = (
        sections[0]["id"]
        if sections
        else insert(site, "course_sections", {"course": courseid, "section": number, "name": None, "sequence": ""})
    )
    instance = insert(site, module, {"course": courseid, "name": name, **values})
    moduleid = site.one("modules", name=module)["id"]
    place = {"course": courseid, "module": moduleid, "instance": instance, "section": section}
    cmid = insert(site, "course_modules", {**place, "deletioninprogress": 0})
    path = site.one("context", id=site.ids[f"{course} context"])["path"]
    context = site.insert("context", contextlevel=70, instanceid=cmid, depth=4)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{context}", id=context)
    old = site.one("course_sections", id=section)["sequence"]
    sequence = ",".join(filter(None, (old, str(cmid))))
    site.execute("UPDATE {course_sections} SET sequence = :cms WHERE id = :id", cms=sequence, id=section)
    return cmid


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """C1, the template, holds two pages; C2 a page of its own in the first section, and a person."""
    activity(moodle_site, "C1", "page", "Welcome")
    activity(moodle_site, "C1", "page", "Reading", 1)
    activity(moodle_site, "C2", "page", "Notes")
    return moodle_site


def names(site: MoodleSite, course: str) -> list[str]:
    """Return the names of the pages of a course in the order of its sections."""
    pages, moduleid = {row["id"]: row["name"] for row in site.rows("page")}, site.one("modules", name="page")["id"]
    placed = site.rows("course_modules", course=site.ids[course], module=moduleid)
    cms = {row["id"]: pages[row["instance"]] for row in placed}
    sections = sorted(site.rows("course_sections", course=site.ids[course]), key=lambda row: row["section"])
    return [
        cms[int(cmid)] for row in sections for cmid in (row["sequence"] or "").split(",") if cmid and int(cmid) in cms
    ]


def test_without_the_option_a_template_changes_nothing(site: MoodleSite) -> None:
    before = site.snapshot()
    assert fill(site, "0").codes == ["course_unchanged"]
    assert fill(site, ADD, forceupdate=False).codes == ["course_exists"]
    assert site.diff(before, site.snapshot()) == {}


def test_added_content_comes_behind_what_is_there(site: MoodleSite) -> None:
    before, known = site.snapshot(), faults_of(site)

    result = fill(site, ADD)

    assert result.codes == ["course_content_added"], result.report
    assert names(site, "C2") == ["Notes", "Welcome", "Reading"]
    change = site.diff(before, site.snapshot())
    changed = {(table, row["id"]) for table, rows in change.items() for row in rows["updated"]}
    sections = {("course_sections", row["id"]) for row in site.rows("course_sections", course=site.ids["C2"])}
    assert {(COURSE, site.ids["C2"]), *sections} >= changed
    assert not any(rows["deleted"] for rows in change.values())
    assert_sound(site, but=known)


def subsections(site: MoodleSite, course: str, numbers: Mapping[str, int]) -> list[int]:
    """Put subsections with a page into the first section of a course; return the ids of their own sections.

    Shape: numbers: name -> number of the section; all are higher where the course has sections of such numbers
    """
    if "component" not in site.columns("course_sections"):
        pytest.skip("Moodle has no subsections before 4.5")
    courseid, found = site.ids[course], []
    highest = max((row["section"] for row in site.rows("course_sections", course=courseid)), default=0)
    base = max(highest + 1 - min(numbers.values()), 0)
    for name, number in numbers.items():
        cmid = activity(site, course, "subsection", name)
        delegate = {"component": "mod_subsection", "itemid": site.one("course_modules", id=cmid)["instance"]}
        place = {"course": courseid, "section": base + number, "sequence": "", "name": name}
        found.append(insert(site, "course_sections", {**place, **delegate}))
        activity(site, course, "page", f"Page of {name}", base + number)
    return found


@pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "real:m45-seeded")
@pytest.mark.parametrize("numbers", [(1, 2), (1, 3), (2, 3), (3, 9), (8, 9)])
def test_sections_of_subsections_stand_behind_all_of_the_course(site: MoodleSite, numbers: tuple[int, int]) -> None:
    ours = subsections(site, "C2", dict(zip(("Ours", "Other"), numbers, strict=True)))
    theirs = subsections(site, "C1", {"Theirs": 2, "More": 3})
    courseid = site.ids["C2"]
    known = faults_of(site)

    result = fill(site, ADD)

    assert result.codes == ["course_content_added"], result.report
    sections = {row["section"]: row for row in site.rows("course_sections", course=courseid)}
    assert [sections[number]["component"] for number in (0, 1)] == [None, None]
    placed = [sections[number] for number in sorted(sections) if sections[number]["component"]]
    assert [row["name"] for row in placed] == ["More", "Theirs", "Ours", "Other"]
    assert [row["id"] for row in placed[2:]] == ours
    assert not {row["id"] for row in placed[:2]} & {*ours, *theirs}
    instances = {row["name"]: row["id"] for row in site.rows("subsection", course=courseid)}
    assert [row["itemid"] for row in placed] == [instances[row["name"]] for row in placed]
    assert names(site, "C2") == ["Notes", "Welcome", "Reading", *(f"Page of {row['name']}" for row in placed)]
    assert_sound(site, but=known)


@pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "real:m45-seeded")
@pytest.mark.parametrize("highest", [2**63 - 2, 2**63 - 1])
def test_sections_of_which_none_can_come_behind_write_nothing(site: MoodleSite, highest: int) -> None:
    subsections(site, "C2", {"Ours": 1})
    subsections(site, "C1", {"Theirs": 2})
    insert(site, "course_sections", {"course": site.ids["C1"], "section": highest, "sequence": ""})
    before = site.snapshot()

    assert fill(site, ADD).codes == ["moodle_refused"]

    assert site.diff(before, site.snapshot()) == {}


@pytest.mark.parametrize("mode", [ADD, REPLACE])
def test_once_the_content_is_there_it_is_left_alone(mode: str, site: MoodleSite) -> None:
    fill(site, mode)
    activity(site, "C2", "page", "A teacher's own")
    before = site.snapshot()

    again = fill(site, mode)

    assert again.codes == ["course_unchanged"], again.report
    assert site.diff(before, site.snapshot()) == {}


def name_sections(site: MoodleSite, course: str, *names: str) -> None:
    """Name the sections of a course from the first one on; those that aren't there are made."""
    courseid = site.ids[course]
    present = {row["section"]: row["id"] for row in site.rows("course_sections", course=courseid)}
    for number, name in enumerate(names):
        if number in present:
            site.execute("UPDATE {course_sections} SET name = :name WHERE id = :id", name=name, id=present[number])
        else:
            insert(site, "course_sections", {"course": courseid, "section": number, "name": name, "sequence": ""})


@pytest.mark.parametrize(("mode", "topic"), [(ADD, ""), (ADD, "Of the row"), (REPLACE, ""), (REPLACE, "Of the row")])
def test_sections_that_are_named_otherwise_bring_nothing_a_second_time(
    mode: str, topic: str, sqlite_site: MoodleSite
) -> None:
    site = sqlite_site
    name_sections(site, "C1", "Start", "Methods", "End")
    name_sections(site, "C2", "Welcome", "Lab")
    header, line = f"{HEADER};topic1", f"C2;{{C2}};C1;{topic}\nC2;{{C2}};C1;{topic}"
    simulated = fill(site, mode, line, header, simulate=True)

    result = fill(site, mode, line, header)

    assert simulated.codes == result.codes == [DONE[mode], "course_unchanged"], result.report
    sections = {row["section"]: row["name"] for row in site.rows("course_sections", course=site.ids["C2"])}
    kept = {ADD: {0: "Welcome", 1: "Lab", 2: "End"}, REPLACE: {0: "Start", 1: "Methods", 2: "End"}}[mode]
    assert sections == (kept | {1: topic} if topic else kept)
    before = site.snapshot()
    assert fill(site, mode, line, header).codes == ["course_unchanged"] * 2
    assert site.diff(before, site.snapshot()) == {}


@pytest.mark.parametrize("mode", [ADD, REPLACE])
def test_a_simulation_says_the_same_and_writes_nothing(mode: str, site: MoodleSite) -> None:
    before = site.snapshot()
    line = "C2;{C2};C1\nC2;{C2};C1"
    simulated = fill(site, mode, line, simulate=True)
    assert site.diff(before, site.snapshot()) == {}
    assert simulated.codes == fill(site, mode, line).codes == [DONE[mode], "course_unchanged"]


def test_replaced_content_goes_with_what_people_did_and_people_stay(moodle_site: MoodleSite) -> None:
    site = moodle_site
    ours, others = furnished(site, "C2"), furnished(site, "C1")
    activity(site, "C1", "page", "Welcome")
    before, template_faults = site.snapshot(), report_of(site, "C1").faults

    result = fill(site, REPLACE)

    assert result.codes == ["course_content_replaced"], result.report
    change = site.diff(before, site.snapshot())
    gone = {table: {row["id"] for row in rows["deleted"]} for table, rows in change.items()}
    assert {table for table in STAYING if gone.get(table, set()) & set(ours.get(table, ()))} == set()
    assert {table for table, ids in others.items() if gone.get(table, set()) & set(ids)} == set()
    graph = load_graph()
    kept = {table for table in ours if not gone.get(table, set()) & set(ours[table])}
    lost = {table for table in graph.modules if table in site.table_names and table not in gone and ours.get(table)}
    assert lost == set()
    # Whatever belongs to an activity, or was done in one, is gone.
    assert not {table for table in kept if graph.tables[table].area.startswith("mod_")} - {"lti_types_categories"}
    left = content_of(site, course_of(site, "C2"))
    template = content_of(site, course_of(site, "C1"))
    assert {
        table: len(rows) for table, rows in left.items() if table in ("course_modules", "page", "course_sections")
    } == {table: len(template[table]) for table in ("course_modules", "page", "course_sections")}
    assert_sound(site, "C2", but=template_faults)


@pytest.mark.parametrize(
    ("mode", "expected"), [(ADD, {"mine": "1"}), (REPLACE, {"minmaxtouse": "2", "decimalpoints": "3"})]
)
def test_settings_of_the_gradebook_come_with_content_that_replaces_it(
    site: MoodleSite, mode: str, expected: dict[str, str]
) -> None:
    for course, settings in (("C1", {"minmaxtouse": "2", "decimalpoints": "3"}), ("C2", {"mine": "1"})):
        for name, value in settings.items():
            insert(site, "grade_settings", {"courseid": site.ids[course], "name": name, "value": value})
    assert fill(site, mode).codes == [DONE[mode]]
    assert {row["name"]: row["value"] for row in site.rows("grade_settings", courseid=site.ids["C2"])} == expected


def test_what_a_course_has_already_is_neither_doubled_nor_changed(moodle_site: MoodleSite) -> None:
    site = moodle_site
    ours, theirs = furnished(site, "C2"), furnished(site, "C1")
    for table, values in ONCE:
        for column, value in values.items():
            ids = f"{ours[table][0]}, {theirs[table][0]}"
            site.execute(f"UPDATE {{{table}}} SET {column} = :value WHERE id IN ({ids})", value=value)
    activity(site, "C1", "page", "Welcome")
    before, template_faults = site.snapshot(), report_of(site, "C1").faults

    result = fill(site, ADD)

    assert result.codes == ["course_content_added"], result.report
    change = site.diff(before, site.snapshot())
    changed = {
        table: {row["id"] for row in rows["updated"]} & set(ours.get(table, ())) for table, rows in change.items()
    }
    assert {table for table, ids in changed.items() if ids} <= {"course", "course_sections", "grade_items"}
    assert not any(rows["deleted"] for rows in change.values())
    assert {table: len(site.rows(table, **values)) for table, values in ONCE} == {table: 2 for table, _values in ONCE}
    criteria = site.rows("badge_criteria", badgeid=ours["badge"][0])
    assert [row["id"] for row in criteria] == ours["badge_criteria"]
    assert {fault.code for fault in report_of(site, "C2").faults} <= {fault.code for fault in template_faults}


def test_topics_of_the_row_name_the_sections_of_both(site: MoodleSite) -> None:
    header, line = f"{HEADER};topic1;topic2", "C2;{C2};C1;First|Words;Second"
    for mode in (ADD, REPLACE):
        activity(site, "C1", "page", f"New for {mode}")
        assert fill(site, mode, line, header).codes == [DONE[mode]]
        rows = {row["section"]: row for row in site.rows("course_sections", course=site.ids["C2"])}
        assert [(rows[number]["name"], rows[number]["summary"]) for number in (1, 2)] == [
            ("First", "Words"),
            ("Second", ""),
        ]


def test_a_course_that_moves_with_its_row_gets_contexts_under_its_new_path(site: MoodleSite) -> None:
    header, line = f"{HEADER};category", "C2;{C2};C1;Elsewhere"
    assert fill(site, ADD, line, header).codes == [DONE[ADD]]
    path = site.one("context", contextlevel=50, instanceid=site.ids["C2"])["path"]
    cms = {row["id"] for row in site.rows("course_modules", course=site.ids["C2"])}
    paths = [row["path"] for row in site.rows("context", contextlevel=70) if row["instanceid"] in cms]
    assert len(paths) >= 3
    assert all(each.startswith(f"{path}/") for each in paths)


def test_no_course_is_its_own_template(site: MoodleSite) -> None:
    result = fill(site, ADD, "C1;{C1};C1")
    assert result.codes == ["course_template_itself"]


def test_a_plugin_that_is_not_known_is_not_replaced(site: MoodleSite) -> None:
    moduleid = insert(site, "modules", {"name": "stranger"})
    place = {"course": site.ids["C2"], "module": moduleid, "instance": 1, "deletioninprogress": 0}
    insert(site, "course_modules", place)
    before = site.snapshot()

    result = fill(site, REPLACE)

    assert result.codes == ["course_replace_plugins"]
    assert "mod_stranger" in result.report
    assert site.diff(before, site.snapshot()) == {}
    assert fill(site, ADD).codes == [DONE[ADD]]


CHAIN = {
    # What is copied must be there until it was: it is replaced, added to, named anew or moved by the next row.
    "replaced": ("C3;{C3};C1\nC1;{C1};C2", {"C3": ["Reading", "Welcome"], "C1": ["Notes"]}),
    "added to": ("C3;{C3};C1\nC1;{C1};C2", {"C3": ["Reading", "Welcome"], "C1": ["Notes", "Reading", "Welcome"]}),
    "passed on": ("C3;{C3};C2\nC2;{C2};C1\nC1;{C1};C3", {"C3": ["Notes"], "C2": ["Reading", "Welcome"], "C1": ["Notes"]}),
    "made of": ("N1;New;C1\nC1;{C1};C2\nN2;New;C1", {"N1": ["Reading", "Welcome"], "C1": ["Notes"], "N2": ["Notes"]}),
    "chosen again": ("C3;{C3};C1\nC3;{C3};C2\nC1;{C1};C3", {"C3": ["Notes"], "C1": ["Notes"]}),
}  # fmt: skip


def pages(site: MoodleSite, shortname: str) -> list[str]:
    courseid = site.one("course", shortname=shortname)["id"]
    return sorted(row["name"] for row in site.rows("page", course=courseid))


@pytest.mark.parametrize("kind", CHAIN)
def test_a_template_that_a_later_row_changes_is_copied_as_it_was(kind: str, sqlite_site: MoodleSite) -> None:
    site = sqlite_site
    run_file(site, "courses", "shortname;fullname\nC3;Third\n")
    site.ids["C3"] = site.one("course", shortname="C3")["id"]
    site.ids["C3 context"] = site.one("context", contextlevel=50, instanceid=site.ids["C3"])["id"]
    activity(site, "C1", "page", "Welcome")
    activity(site, "C1", "page", "Reading", 1)
    activity(site, "C2", "page", "Notes")
    lines, wanted = CHAIN[kind]
    names = {name: site.one("course", shortname=name)["fullname"] for name in ("C1", "C2", "C3")}
    text = f"{HEADER}\n{lines.format_map(names)}\n"
    options: dict[str, Any] = {"forceupdate": True, "templatemode": ADD if kind == "added to" else REPLACE}
    simulated = [run_file(site, "courses", text, simulate=True, chunk_rows=size, **options) for size in (1, 5000)]

    result = run_file(site, "courses", text, **options)

    assert {name: pages(site, name) for name in wanted} == wanted
    assert [each.codes for each in simulated] == [result.codes, result.codes], result.report
    assert "course_unchanged" not in result.codes


@pytest.mark.parametrize("mode", [ADD, REPLACE])
def test_a_dry_run_knows_what_rows_bring_into_courses_that_they_make(mode: str, sqlite_site: MoodleSite) -> None:
    activity(sqlite_site, "C1", "page", "Welcome")
    lines = ("N1;New;C1", "N2;New;", "N2;New;N1", "N2;New;C1", "N3;New;", "N3;New;N2")
    text = "\n".join((HEADER, *lines, ""))
    options: dict[str, Any] = {"forceupdate": True, "templatemode": mode}
    simulated = [run_file(sqlite_site, "courses", text, simulate=True, chunk_rows=size, **options) for size in (1, 100)]

    result = run_file(sqlite_site, "courses", text, **options)

    made = "course_created"
    assert result.codes == [made, made, DONE[mode], "course_unchanged", made, DONE[mode]], result.report
    assert [each.codes for each in simulated] == [result.codes] * 2
