"""Courses made from a template: courses.md sections 1.1, 1.5 and 1.10. What a copy holds: tests/moodle/coursecontent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.moodle.course_content.furniture import insert
from tests.soundness import assert_sound
from tests.support import MoodleSite, RunResult, run_file

HEADER = "shortname;fullname;template"
START = 1_700_000_000
DAY = 86_400


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    """The course C1 as a template: a page, a label, three sections, a date, people."""
    courseid, ids = sqlite_site.ids["C1"], {row["name"]: row["id"] for row in sqlite_site.rows("modules")}
    sqlite_site.execute(
        "UPDATE {course} SET startdate = :start, enddate = :end, summary = 'Words', showgrades = 0, newsitems = 3, visible = 0,"
        " timecreated = 5 WHERE id = :id",
        start=START, end=START + 10 * DAY, id=courseid,
    )  # fmt: skip
    sections = [
        insert(
            sqlite_site,
            "course_sections",
            {"course": courseid, "section": number, "name": f"S{number}", "sequence": ""},
        )
        for number in range(3)
    ]
    placed = []
    for module, values in (("page", {"content": "Page"}), ("assign", {"duedate": START + DAY})):
        instance = insert(sqlite_site, module, {"course": courseid, "name": module, **values})
        place = {"course": courseid, "module": ids[module], "instance": instance, "section": sections[1]}
        placed.append(
            insert(sqlite_site, "course_modules", {**place, "deletioninprogress": 0, "completionexpected": START})
        )
    sqlite_site.execute(
        "UPDATE {course_sections} SET sequence = :cms WHERE id = :id", cms=",".join(map(str, placed)), id=sections[1]
    )
    for name, value in (("hiddensections", "1"), ("coursedisplay", "0")):
        option = {"courseid": courseid, "format": "topics", "sectionid": 0, "name": name, "value": value}
        insert(sqlite_site, "course_format_options", option)
    return sqlite_site


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "courses", text, **options)


def course(site: MoodleSite, shortname: str) -> dict[str, Any]:
    return site.one("course", shortname=shortname)


def test_a_course_gets_what_is_in_its_template_and_the_methods_of_a_new_one(site: MoodleSite) -> None:
    result = run(site, f"{HEADER}\nNEW;New course;C1\n")

    made, template = course(site, "NEW"), course(site, "C1")
    assert (result.codes, result.tryback) == (["course_created"], None)
    same = ("summary", "showgrades", "newsitems", "startdate", "enddate", "format")
    assert {name: made[name] for name in same} == {name: template[name] for name in same}
    own = (made["fullname"], made["idnumber"], made["visible"], made["originalcourseid"])
    assert own == ("New course", "", 1, template["id"])
    assert made["timecreated"] == made["timemodified"] >= result.started
    assert [row["name"] for row in site.rows("course_sections", course=made["id"])] == ["S0", "S1", "S2"]
    # The Announcements forum of a new course is none of the template's.
    assert site.rows("forum", course=made["id"]) == []
    assert [row["enrol"] for row in site.rows("enrol", courseid=made["id"])] == ["manual", "guest", "self"]
    cms = [row["id"] for row in site.rows("course_modules", course=made["id"])]
    assert site.one("course_sections", course=made["id"], section=1)["sequence"] == ",".join(map(str, cms))
    path = site.one("context", contextlevel=50, instanceid=made["id"])["path"]
    for cm in cms:
        context = site.one("context", contextlevel=70, instanceid=cm)
        assert (context["path"], context["depth"]) == (f"{path}/{context['id']}", path.count("/") + 1)
    assert_sound(site, "NEW")


def test_6_an_unknown_template_is_refused_with_its_line(site: MoodleSite) -> None:
    before = site.snapshot()

    result = run(site, f"{HEADER}\nC4;X;NOPE\n")

    assert result.codes == ["course_template_unknown"]
    assert b"C4;X;NOPE" in (result.tryback or b"")
    assert site.diff(before, site.snapshot()) == {}


@pytest.mark.parametrize(
    ("prepare", "template", "code"),
    [
        ("UPDATE {course} SET shortname = 'FRONT' WHERE category = 0", "FRONT", "course_template_site"),
        ("UPDATE {modules} SET name = 'foomod' WHERE name = 'page'", "C1", "course_template_plugins"),
        ("UPDATE {course} SET idnumber = ''", "backup/x.mbz", "course_template_archive"),
    ],
)
def test_what_cannot_be_a_template_is_refused(site: MoodleSite, prepare: str, template: str, code: str) -> None:
    site.execute(prepare)
    before = site.snapshot()

    result = run(site, f"{HEADER}\nNEW;X;{template}\n")

    assert result.codes == [code]
    assert site.diff(before, site.snapshot()) == {}
    if code == "course_template_plugins":
        assert "mod_foomod" in result.report


def test_cells_win_over_the_template(site: MoodleSite) -> None:
    run(
        site,
        f"{HEADER};summary;showgrades;visible;idnumber;coursedisplay;topic1;topic4;self;format\n"
        "NEW;X;C1;Mine;1;0;N1;1;First|About;Last;1;weeks\n",
    )

    made = course(site, "NEW")
    values = (
        made["summary"],
        made["showgrades"],
        made["visible"],
        made["visibleold"],
        made["idnumber"],
        made["newsitems"],
    )
    assert values == ("Mine", 1, 0, 0, "N1", 3)
    # What is in a course is made for its format.
    assert made["format"] == "topics"
    sections = {row["section"]: row for row in site.rows("course_sections", course=made["id"])}
    assert {number: row["name"] for number, row in sections.items()} == {
        0: "S0",
        1: "First",
        2: "S2",
        3: None,
        4: "Last",
    }
    assert (sections[1]["summary"], len(sections[1]["sequence"].split(","))) == ("About", 2)
    options = {row["name"]: row["value"] for row in site.rows("course_format_options", courseid=made["id"])}
    assert options == {"hiddensections": "1", "coursedisplay": "1"}
    assert site.one("enrol", courseid=made["id"], enrol="self")["status"] == 0


def test_teachers_are_enrolled(site: MoodleSite) -> None:
    forum = insert(
        site, "forum", {"course": site.ids["C1"], "name": "Questions", "type": "general", "forcesubscribe": 2}
    )
    moduleid, section = (
        site.one("modules", name="forum")["id"],
        site.one("course_sections", course=site.ids["C1"], section=1),
    )
    place = {
        "course": site.ids["C1"],
        "module": moduleid,
        "instance": forum,
        "section": section["id"],
        "deletioninprogress": 0,
    }
    insert(site, "course_modules", place)
    run(site, f"{HEADER};teacher1_account\nNEW;X;C1;{site.ids['ann']}\n")

    manual = site.one("enrol", courseid=course(site, "NEW")["id"], enrol="manual")
    assert site.one("user_enrolments", enrolid=manual["id"])["userid"] == site.ids["ann"]
    copy = site.one("forum", course=course(site, "NEW")["id"], name="Questions")["id"]
    assert [row["userid"] for row in site.rows("forum_subscriptions", forum=copy)] == [site.ids["ann"]]


def test_dates_move_with_the_start(site: MoodleSite) -> None:
    run(site, f"{HEADER};startdate\nNEW;X;C1;{START + 30 * DAY}\n")

    made = course(site, "NEW")
    assert (made["startdate"], made["enddate"]) == (START + 30 * DAY, START + 40 * DAY)
    assert site.one("assign", course=made["id"])["duedate"] == START + 31 * DAY
    assert {row["completionexpected"] for row in site.rows("course_modules", course=made["id"])} == {START + 30 * DAY}


def test_a_custom_field_of_the_file_takes_the_place_of_the_templates(site: MoodleSite) -> None:
    category = insert(site, "customfield_category", {"component": "core_course", "area": "course"})
    for name in ("one", "two"):
        field = insert(site, "customfield_field", {"categoryid": category, "type": "text", "shortname": name})
        place = {"fieldid": field, "instanceid": site.ids["C1"], "contextid": site.ids["C1 context"]}
        insert(site, "customfield_data", {**place, "value": "theirs", "charvalue": "theirs"})

    run(site, f"{HEADER};customfield_one\nNEW;X;C1;ours\n")

    made = course(site, "NEW")
    assert [row["value"] for row in site.rows("customfield_data", instanceid=made["id"])] == ["ours", "theirs"]


@pytest.mark.parametrize("simulate", [True, False])
def test_a_course_of_the_file_can_be_the_template_of_another(site: MoodleSite, simulate: bool) -> None:
    text = f"{HEADER}\nONE;X;C1\nTWO;Y;ONE\nTHREE;Z;\n"

    result = run(site, text, simulate=simulate)

    assert result.codes == ["course_created"] * 3
    if not simulate:
        assert len(site.rows("page", course=course(site, "TWO")["id"])) == 1
        assert site.rows("page", course=course(site, "THREE")["id"]) == []


def test_a_simulation_writes_nothing(site: MoodleSite) -> None:
    before = site.snapshot()

    result = run(site, f"{HEADER}\nNEW;X;C1\nBAD;Y;NOPE\n", simulate=True)

    assert result.codes == ["course_created", "course_template_unknown"]
    assert site.diff(before, site.snapshot()) == {}


def test_a_course_that_is_there_is_left_as_it_is(site: MoodleSite) -> None:
    run(site, f"{HEADER}\nNEW;X;C1\n")
    before = site.snapshot()

    assert run(site, f"{HEADER}\nNEW;X;C1\n").codes == ["course_exists"]
    assert run(site, f"{HEADER}\nNEW;X;C1\n", forceupdate=True).codes == ["course_unchanged"]
    assert site.diff(before, site.snapshot()) == {}


def test_many_copies_go_in_several_transactions(site: MoodleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    # The template weighs 30: two activities. The last transaction brings the courses of the site in order.
    monkeypatch.setattr("sync.processors.courses.planner.CHUNK_WEIGHT", 70)

    result = run(site, f"{HEADER}\n" + "".join(f"N{number};X;C1\n" for number in range(5)))

    assert (result.counts, result.chunks) == ({"created": 5}, 4)


def test_texts_are_replaced_in_the_copy_and_nowhere_else(site: MoodleSite) -> None:
    site.execute(
        "UPDATE {course_sections} SET summary = :text WHERE section = 1", text="In {place} {{ teacher }}, place"
    )
    site.execute("UPDATE {course_sections} SET summary = 'In place' WHERE section = 2")
    site.execute("UPDATE {page} SET content = '<p>place, PLACE and teacher</p>', intro = 'URL'")
    page = site.one("page")["id"]
    site.execute(
        "UPDATE {course_modules} SET idnumber = :name WHERE instance = :page", name="{course:idnumber}_doc", page=page
    )
    before = site.snapshot(["course_sections", "page"])
    replacements = {
        "section1:summary:place": "Lyon \\1", "cm:{course:idnumber}_doc:URL": "https://x.org/?a=1", "teacher": 'Ann "A"; Smith',
    }  # fmt: skip
    cell = json.dumps(replacements).replace('"', '""')

    result = run(site, f'{HEADER};idnumber;replacements\nNEW;New course;C1;N-1;"{cell}"\nSAME;Same;C1;N-2;\n')

    assert result.counts == {"created": 2}, result.report
    new, same = course(site, "NEW")["id"], course(site, "SAME")["id"]
    sections = {row["section"]: row["summary"] for row in site.rows("course_sections", course=new)}
    assert sections[1] == 'In Lyon \\1 Ann "A"; Smith, Lyon \\1'
    assert sections[2] == "In place"
    copied = site.one("page", course=new)
    assert (copied["content"], copied["intro"]) == ('<p>place, PLACE and Ann "A"; Smith</p>', "https://x.org/?a=1")
    assert site.one("page", course=same)["intro"] == "URL"
    after = site.snapshot(["course_sections", "page"])
    assert all(after[table][rowid] == row for table, rows in before.items() for rowid, row in rows.items())
    assert_sound(site, "NEW", "SAME")


def test_names_in_the_gradebook_follow_and_serialised_values_stay(site: MoodleSite) -> None:
    template = course(site, "C1")["id"]
    page, module = site.one("page"), site.one("modules", name="url")["id"]
    site.execute("UPDATE {page} SET name = 'Read place'")
    graded = {"itemtype": "mod", "itemmodule": "page", "iteminstance": page["id"], "itemnumber": 0}
    insert(site, "grade_items", {"courseid": template, "itemname": "Read place", **graded})
    parameters = 'a:1:{s:5:"place";s:8:"courseid";}'
    url = insert(
        site, "url", {"course": template, "name": "To place", "externalurl": "https://x.org", "parameters": parameters}
    )
    section = site.one("course_sections", course=template, section=1)["id"]
    insert(site, "course_modules", {"course": template, "module": module, "instance": url, "section": section})

    result = run(site, f'{HEADER};replacements\nNEW;New course;C1;"{{""place"": ""Lyon""}}"\n')

    assert result.counts == {"created": 1}, result.report
    new = course(site, "NEW")["id"]
    assert site.one("page", course=new)["name"] == "Read Lyon"
    assert site.one("grade_items", courseid=new, itemmodule="page")["itemname"] == "Read Lyon"
    made = site.one("url", course=new)
    assert (made["name"], made["parameters"]) == ("To Lyon", parameters)
    assert site.one("grade_items", courseid=template, itemmodule="page")["itemname"] == "Read place"


@pytest.mark.parametrize(
    ("template", "cell", "code"),
    [
        ("", '{""a"": ""b""}', "course_replacements_alone"),
        ("C1", "[1]", "course_replacements_invalid"),
        ("C1", "{a: 1}", "course_replacements_invalid"),
        ("C1", '{"""": ""b""}', "course_replacements_invalid"),
    ],
)
def test_replacements_that_cant_be_made_reject_the_row(site: MoodleSite, template: str, cell: str, code: str) -> None:
    result = run(site, f'{HEADER};replacements\nNEW;New course;{template};"{cell}"\n')
    assert result.codes == [code]
    assert site.rows("course", shortname="NEW") == []
