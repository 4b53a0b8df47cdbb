"""The acceptance examples of courses.md section 1.10, and what a file of courses promises beside them."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import HeaderError
from sync.outcomes.report import describe_outcome
from tests.moodle.course_content.furniture import insert
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")


def course(site: MoodleSite, shortname: str) -> dict[str, Any]:
    return site.one("course", shortname=shortname)


def context_of(site: MoodleSite, level: int, instanceid: int) -> dict[str, Any]:
    return site.one("context", contextlevel=level, instanceid=instanceid)


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "courses", text, **options)


def test_1_a_new_course_comes_with_its_categories_sections_forum_and_methods(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    result = run(moodle_site, "shortname;fullname;category\nNEW1;Course 1;Sci/Maths\n")

    made = course(moodle_site, "NEW1")
    sci, maths = (moodle_site.one("course_categories", name=name) for name in ("Sci", "Maths"))
    assert (sci["parent"], sci["depth"], maths["parent"], maths["depth"]) == (0, 1, sci["id"], 2)
    assert (sci["path"], maths["path"]) == (f"/{sci['id']}", f"/{sci['id']}/{maths['id']}")
    assert (made["category"], maths["coursecount"], sci["coursecount"]) == (maths["id"], 1, 0)
    assert made["sortorder"] == maths["sortorder"] + 1
    contexts = [context_of(moodle_site, level, thing["id"]) for level, thing in ((40, sci), (40, maths), (50, made))]
    assert contexts[2]["path"] == "/1/" + "/".join(str(context["id"]) for context in contexts)
    assert [context["depth"] for context in contexts] == [2, 3, 4]
    sections = moodle_site.rows("course_sections", course=made["id"])
    assert [section["section"] for section in sections] == [0, 1, 2, 3, 4]
    cm = moodle_site.one("course_modules", course=made["id"])
    assert sections[0]["sequence"] == str(cm["id"])
    assert moodle_site.one("forum", course=made["id"])["type"] == "news"
    methods = moodle_site.rows("enrol", courseid=made["id"])
    assert [(m["enrol"], m["status"], m["sortorder"]) for m in methods] == [
        ("manual", 0, 0),
        ("guest", 1, 1),
        ("self", 1, 2),
    ]
    assert result.counts == {"created": 1}
    assert "NEW1: course created" in result.report
    assert result.tryback is None
    assert_sound(moodle_site, but=faults)


def test_2_a_course_that_exists_is_left_alone_unless_updates_are_wanted(moodle_site: MoodleSite) -> None:
    run(moodle_site, "shortname;fullname;category\nNEW1;Course 1;Sci/Maths\n")
    before = moodle_site.snapshot()

    result = run(moodle_site, "shortname;fullname;category\nNEW1;Renamed;Other\n")

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert (result.counts, result.codes, result.tryback) == ({"unchanged": 1}, ["course_exists"], None)
    assert "1 row names a course that exists (line 2): it was left as it is" in result.report


def test_3_an_update_changes_the_given_columns_and_nothing_twice(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, "shortname;fullname;summary;idnumber\nNEW1;Course 1;Words;N1\n")
    made = course(moodle_site, "NEW1")
    text = "shortname;fullname;visible\nNEW1;Renamed;0\n"

    result = run(moodle_site, text, forceupdate=True)

    now = course(moodle_site, "NEW1")
    changed = {name for name in made if made[name] != now[name]}
    assert {"fullname", "visible", "visibleold", "cacherev"} <= changed
    assert changed <= {"fullname", "visible", "visibleold", "timemodified", "cacherev"}
    assert (now["fullname"], now["visible"], now["visibleold"]) == ("Renamed", 0, 0)
    assert {(c.field, c.old, c.new) for c in result.outcomes[0].changes} == {
        ("fullname", "Course 1", "Renamed"), ("visible", "1", "0"), ("visibleold", "1", "0"),
    }  # fmt: skip
    before = moodle_site.snapshot()
    assert run(moodle_site, text, forceupdate=True).counts == {"unchanged": 1}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert_sound(moodle_site, but=faults)


def test_5_topics_name_sections_and_those_between_are_made(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, "shortname;fullname;topic0;topic2\nNEW3;X;Intro|Read me;Week two\n")

    sections = moodle_site.rows("course_sections", course=course(moodle_site, "NEW3")["id"])
    assert [(s["section"], s["name"], s["summary"]) for s in sections] == [
        (0, "Intro", "Read me"), (1, None, ""), (2, "Week two", ""),
    ]  # fmt: skip
    assert_sound(moodle_site, but=faults)


def test_topics_of_an_existing_course_are_named_and_completed(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, "shortname;fullname;topic0;topic2\nNEW3;X;Intro|Read me;Week two\n")
    text = "shortname;fullname;topic2;topic4\nNEW3;X;Second week;Fourth\n"

    result = run(moodle_site, text, forceupdate=True)

    sections = moodle_site.rows("course_sections", course=course(moodle_site, "NEW3")["id"])
    assert [(s["section"], s["name"]) for s in sections] == [
        (0, "Intro"), (1, None), (2, "Second week"), (3, None), (4, "Fourth"),
    ]  # fmt: skip
    assert result.counts == {"updated": 1}
    assert run(moodle_site, text, forceupdate=True).counts == {"unchanged": 1}
    assert_sound(moodle_site, but=faults)


def test_7_self_enrolment_and_guest_access_are_switched(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, "shortname;fullname;self;guest\nNEW5;X;1;1\n")
    made = course(moodle_site, "NEW5")

    def status(method: str) -> int:
        return int(moodle_site.one("enrol", courseid=made["id"], enrol=method)["status"])

    assert (status("self"), status("guest")) == (0, 0)
    result = run(moodle_site, "shortname;fullname;self\nNEW5;X;0\n", forceupdate=True)
    assert (status("self"), status("guest")) == (1, 0)
    assert result.counts == {"updated": 1}
    path = context_of(moodle_site, 50, made["id"])["path"]
    assert moodle_site.rows("cache_flags", flagtype="accesslib/dirtycontexts", name=path)
    assert_sound(moodle_site, but=faults)


def test_8_teachers_are_enrolled_with_their_role(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    ann = moodle_site.ids["ann"]
    result = run(moodle_site, "shortname;fullname;teacher1_account;teacher1_role\nNEW6;X;ann;teacher\n")

    made = course(moodle_site, "NEW6")
    manual = moodle_site.one("enrol", courseid=made["id"], enrol="manual")
    assert moodle_site.one("user_enrolments", enrolid=manual["id"], userid=ann)["status"] == 0
    role = moodle_site.one("role", shortname="teacher")["id"]
    context = context_of(moodle_site, 50, made["id"])["id"]
    assert moodle_site.one("role_assignments", contextid=context, userid=ann)["roleid"] == role
    assert moodle_site.rows("cache_flags", flagtype="accesslib/dirtyusers", name=str(ann))
    assert result.counts == {"created": 1}
    text = f"shortname;fullname;teacher1_account\nNEW6;X;{ann}\n"
    assert run(moodle_site, text, forceupdate=True).counts == {"updated": 1}
    assert run(moodle_site, text, forceupdate=True).counts == {"unchanged": 1}
    assert_sound(moodle_site, but=faults)


def test_a_course_moves_with_everything_below_it(moodle_site: MoodleSite) -> None:
    run(moodle_site, "shortname;fullname;category\nNEW1;One;Old place\nNEW2;Two;New place\n")
    made = course(moodle_site, "NEW1")
    old = context_of(moodle_site, 50, made["id"])
    below = moodle_site.insert(
        "context", contextlevel=70, instanceid=987_001, path=f"{old['path']}/987001", depth=4, locked=0
    )
    faults = faults_of(moodle_site)

    result = run(moodle_site, "shortname;fullname;category\nNEW1;One;New place\n", forceupdate=True)

    place = moodle_site.one("course_categories", name="New place")
    now = context_of(moodle_site, 50, made["id"])
    parent = context_of(moodle_site, 40, place["id"])
    assert now["path"] == f"{parent['path']}/{now['id']}"
    assert moodle_site.one("context", id=below)["path"] == f"{now['path']}/987001"
    assert (place["coursecount"], moodle_site.one("course_categories", name="Old place")["coursecount"]) == (2, 0)
    assert course(moodle_site, "NEW1")["sortorder"] == place["sortorder"] + 2
    assert moodle_site.rows("cache_flags", flagtype="accesslib/dirtycontexts", name=now["path"])
    assert result.counts == {"updated": 1}
    protected = run(
        moodle_site, "shortname;fullname;category\nNEW1;One;Old place\n", forceupdate=True, protectcategory=True
    )
    assert protected.counts == {"unchanged": 1}
    assert_sound(moodle_site, but=faults)


REFUSED = [
    ("shortname;fullname;format\nBAD;X;nosuch\n", {}, "value_not_among"),
    ("shortname;fullname;category\nBAD;X;987654\n", {}, "category_digits_unknown"),
    ("shortname;fullname;category\nBAD;X;001\n", {}, "category_digits_unknown"),
    ("shortname;fullname;category\nBAD;X;Sci//Maths\n", {}, "category_path_gap"),
    ("shortname;fullname;category\nBAD;X;NOPE\n", {"categoryidentifier": "idnumber"}, "category_unknown"),
    ("shortname;fullname;teacher1_account\nBAD;X;nobody at all\n", {}, "teacher_unknown"),
    ("shortname;fullname;teacher1_account;teacher1_role\nBAD;X;ann;chef\n", {}, "role_unknown"),
    ("shortname;fullname;startdate;enddate\nBAD;X;2027-02-01;2027-01-01\n", {}, "course_dates_reversed"),
    ("shortname;fullname;newsitems\nBAD;X;11\n", {}, "value_out_of_range"),
    ("idnumber;shortname;fullname\nN1;C1;Y\n", {"courseidentifier": "idnumber"}, "course_shortname_taken"),
    ("shortname;fullname;idnumber\nBAD;X;IDC1\n", {}, "course_idnumber_taken"),
    ("id;shortname;fullname\n987654;BAD;X\n", {"courseidentifier": "id"}, "course_unknown"),
    ("shortname;fullname;defaultgroupingid\nBAD;X;5\n", {}, "course_grouping_unknown"),
    ("shortname;fullname;visible\nBAD;X;perhaps\n", {}, "value_not_flag"),
    ("shortname;fullname;visible\nBAD;X\n", {}, "too_few_cells"),
    ("shortname;fullname\nBAD;X;more\n", {}, "too_many_cells"),
    ("shortname;fullname;idnumber\nBAD;X;\n", {"courseidentifier": "idnumber"}, "identity_empty"),
    (f"shortname;fullname;category\nBAD;X;{'c' * 256}\n", {}, "category_name_too_long"),
    ("shortname;fullname;teacher1_account\nBAD;X;guest\n", {}, "teacher_unknown"),
    ("shortname;fullname;teacher1_account;teacher1_role\nBAD;X;ann;manager_of_nothing\n", {}, "role_unknown"),
    ("shortname;fullname;teacher1_account;teacher1_role\nBAD;X;ann;user\n", {}, "role_not_for_courses"),
    (f"shortname;fullname;topic1\nBAD;X;{'t' * 256}\n", {}, "value_too_long"),
]
LONG = "t" * 256
REFUSED_LATE = [
    f"shortname;fullname;self;topic1\n{{name}};{{fullname}};1;{LONG}\n",
    f"shortname;fullname;teacher1_account;topic1\n{{name}};{{fullname}};ann;{LONG}\n",
    "shortname;fullname;teacher1_account;template\n{name};{fullname};ann;NOPE\n",
    "shortname;fullname;category;template\n{name};{fullname};Brand new;NOPE\n",
    "shortname;fullname;self;teacher1_account;teacher1_role\n{name};{fullname};1;ann;chef\n",
]


@pytest.mark.parametrize("text", REFUSED_LATE)
def test_of_a_row_that_is_refused_nothing_is_written(moodle_site: MoodleSite, text: str) -> None:
    there = moodle_site.one("course", id=moodle_site.ids["C1"])
    before = moodle_site.snapshot()
    for name, fullname in ((there["shortname"], there["fullname"]), ("NEW", "New")):
        wrong = text.format(name=name, fullname=fullname)
        result = run(moodle_site, wrong, forceupdate=True, templatemode="1")
        assert result.counts == {"rejected": 1}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


@pytest.mark.parametrize("chunk_rows", [1, 10])
@pytest.mark.parametrize("simulate", [True, False])
def test_a_name_that_a_row_frees_may_be_taken_by_the_next(
    sqlite_site: MoodleSite, chunk_rows: int, simulate: bool
) -> None:
    text = "shortname;fullname;idnumber\nC1;Course C1;FREED\nNEW;New;IDC1\n"
    result = run(sqlite_site, text, forceupdate=True, chunk_rows=chunk_rows, simulate=simulate)
    assert result.codes == ["course_updated", "course_created"]
    renamed = "id;shortname;fullname\n{id};GONE;Course C1\n{other};C1;Course C2\n"
    renamed = renamed.format(id=sqlite_site.ids["C1"], other=sqlite_site.ids["C2"])
    options = {"courseidentifier": "id", "forceupdate": True, "chunk_rows": chunk_rows}
    assert run(sqlite_site, renamed, simulate=simulate, **options).codes == ["course_updated"] * 2


@pytest.mark.parametrize(
    ("columns", "first", "second"),
    [
        ("category", "Place", "Place"), ("topic1", "One|Words", "One|Words"), ("self", "1", "1"), ("coursedisplay", "1", "1"),
        ("teacher1_account", "ann", "ann"), ("teacher1_account", "", "ann"), ("startdate", "2027-01-01", "2027-02-01"),
        ("self;topic2", "1;Two", "0;Two"), ("self", "0", "1"), ("guest", "0", "0"),
    ],
)  # fmt: skip
def test_a_simulation_of_a_course_that_is_named_twice_tells_what_a_run_does(
    sqlite_site: MoodleSite, columns: str, first: str, second: str
) -> None:
    rows = "\n".join(f"{name};{name};{cells}" for name in ("NEW", "C1") for cells in (first, second))
    text = f"shortname;fullname;{columns}\n{rows}\n"
    simulated = run(sqlite_site, text, forceupdate=True, simulate=True)
    assert run(sqlite_site, text, forceupdate=True).codes == simulated.codes


def test_a_template_goes_by_the_name_that_an_earlier_row_gave_it(sqlite_site: MoodleSite) -> None:
    insert(
        sqlite_site, "course_sections", {"course": sqlite_site.ids["C1"], "section": 3, "name": "Third", "sequence": ""}
    )
    text = "idnumber;shortname;fullname;template\nIDC1;NEWNAME;Course C1;\nIDN;NEW;New;NEWNAME\n"
    result = run(sqlite_site, text, forceupdate=True, courseidentifier="idnumber")
    assert result.codes == ["course_updated", "course_created"], result.report
    assert sqlite_site.one("course_sections", course=course(sqlite_site, "NEW")["id"], section=3)["name"] == "Third"


def test_digits_name_a_teacher_only_where_they_fit_one_user(sqlite_site: MoodleSite) -> None:
    ann = sqlite_site.ids["ann"]
    text = f"shortname;fullname;teacher1_account\nNEW;New;{ann}\n"
    namesake = insert(sqlite_site, "user", {"username": str(ann), "mnethostid": 1})
    assert run(sqlite_site, text).codes == ["teacher_ambiguous"]
    sqlite_site.execute(
        "UPDATE {user} SET username = 'other', idnumber = :digits WHERE id = :id", digits=str(ann), id=namesake
    )
    assert run(sqlite_site, text).codes == ["teacher_ambiguous"]
    sqlite_site.execute("UPDATE {user} SET idnumber = '' WHERE id = :id", id=namesake)
    assert run(sqlite_site, text).codes == ["course_created"]
    assert {row["userid"] for row in sqlite_site.rows("role_assignments") if row["roleid"] == 3} >= {ann}


def test_digits_with_zeros_before_them_are_no_id_of_a_teacher(sqlite_site: MoodleSite) -> None:
    text = f"shortname;fullname;teacher1_account\nNEW;New;00{sqlite_site.ids['ann']}\n"
    assert run(sqlite_site, text).codes == ["teacher_unknown"]


@pytest.mark.parametrize("cell", ["01/09/2027", "2027-09-01", "2027-09-01T00:00", "01/09/2027 00:00:00"])
def test_dates_are_read_as_people_and_programs_write_them(sqlite_site: MoodleSite, cell: str) -> None:
    run(sqlite_site, f"shortname;fullname;startdate\nREF;X;2027-09-01\nNEW;X;{cell}\n")
    assert course(sqlite_site, "NEW")["startdate"] == course(sqlite_site, "REF")["startdate"] > 0


@pytest.mark.parametrize(("column", "cell"), [("customfield_note", "Hello"), ("coursedisplay", "1")])
def test_what_stands_in_other_tables_is_a_change_of_the_course_too(
    sqlite_site: MoodleSite, column: str, cell: str
) -> None:
    times = {"timecreated": 1, "timemodified": 1}
    area = {"name": "F", "component": "core_course", "area": "course"}
    fields = sqlite_site.insert("customfield_category", **area, **times)
    sqlite_site.insert("customfield_field", shortname="note", name="N", type="text", categoryid=fields, **times)
    sqlite_site.execute("UPDATE {course} SET timemodified = 5, cacherev = 6 WHERE shortname = 'C1'")
    text = f"shortname;fullname;{column}\nC1;{course(sqlite_site, 'C1')['fullname']};{cell}\n"

    assert run(sqlite_site, text, forceupdate=True).codes == ["course_updated"]
    changed = course(sqlite_site, "C1")
    assert changed["timemodified"] > 5
    assert changed["cacherev"] > 6
    assert run(sqlite_site, text, forceupdate=True).codes == ["course_unchanged"]
    assert course(sqlite_site, "C1") == changed


def test_sections_have_numbers_up_to_52(sqlite_site: MoodleSite) -> None:
    assert run(sqlite_site, "shortname;fullname;topic52\nNEW;X;Last\n").codes == ["course_created"]
    with pytest.raises(HeaderError):
        run(sqlite_site, "shortname;fullname;topic53\nNEW2;X;One more\n")


def test_sections_are_told_in_the_order_of_their_numbers(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "shortname;fullname;topic10;topic2\nNEW;X;Ten;Two\n")
    result = run(sqlite_site, "shortname;fullname;topic10;topic2\nNEW;X;Tenth;Second\n", forceupdate=True)

    assert [change.field for change in result.outcomes[0].changes] == ["topic2", "topic10"]


def test_sections_of_subsections_are_none_of_the_course_and_come_after_them(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "shortname;fullname;topic1\nNEW;X;One\n")
    made = course(sqlite_site, "NEW")["id"]
    sqlite_site.execute("DELETE FROM {course_sections} WHERE course = :id AND section > 1", id=made)
    module = sqlite_site.one("modules", name="subsection")["id"]
    home = sqlite_site.one("course_sections", course=made, section=1)["id"]
    within = []
    for number in (2, 3):
        row = insert(sqlite_site, "subsection", {"course": made, "name": "Within"})
        insert(sqlite_site, "course_modules", {"course": made, "module": module, "instance": row, "section": home})
        delegate = {
            "section": number,
            "name": f"Within {number}",
            "component": "mod_subsection",
            "itemid": row,
            "sequence": "",
        }
        within.append(insert(sqlite_site, "course_sections", {"course": made, **delegate}))

    result = run(sqlite_site, "shortname;fullname;topic2;topic3\nNEW;X;Two;Three\n", forceupdate=True)

    assert result.counts == {"updated": 1}, result.report
    sections = sorted(sqlite_site.rows("course_sections", course=made), key=lambda row: row["section"])
    assert [(row["section"], row["name"]) for row in sections] == [
        (0, None), (1, "One"), (2, "Two"), (3, "Three"), (4, "Within 2"), (5, "Within 3"),
    ]  # fmt: skip
    assert [row["id"] for row in sections if row["component"]] == within
    assert run(sqlite_site, "shortname;fullname;template;topic4\nCOPY;X;NEW;Four\n").counts == {"created": 1}
    copied = sqlite_site.rows("course_sections", course=course(sqlite_site, "COPY")["id"])
    named = {row["name"]: (row["section"], row["component"]) for row in copied}
    assert (named["Three"], named["Four"]) == ((3, None), (4, None))
    assert (named["Within 2"], named["Within 3"]) == ((6, "mod_subsection"), (5, "mod_subsection"))


def test_a_new_course_in_a_hidden_category_is_as_visible_as_the_site_has_new_courses(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {course_categories} SET visible = 0, visibleold = 0 WHERE id = 1")
    for default in (1, 0):
        setting = {"plugin": "moodlecourse", "name": "visible"}
        sqlite_site.execute("DELETE FROM {config_plugins} WHERE plugin = :plugin AND name = :name", **setting)
        sqlite_site.insert("config_plugins", **setting, value=str(default))
        run(sqlite_site, f"shortname;fullname;category\nNEW{default};X;1\nDEEP{default};X;{{}}/Below\n".format(
            sqlite_site.one("course_categories", id=1)["name"]
        ))  # fmt: skip
        for name in (f"NEW{default}", f"DEEP{default}"):
            made = course(sqlite_site, name)
            assert (made["visible"], made["visibleold"]) == (default, default)


def test_what_is_moved_below_a_hidden_category_is_hidden_unless_the_row_says_otherwise(moodle_site: MoodleSite) -> None:
    hidden = moodle_site.insert("course_categories", name="Hidden", parent=0, path="", depth=1, visible=0, visibleold=0)
    context = moodle_site.insert("context", contextlevel=40, instanceid=hidden, depth=2)
    for table, rowid, path in (("course_categories", hidden, f"/{hidden}"), ("context", context, f"/1/{context}")):
        moodle_site.execute(f"UPDATE {{{table}}} SET path = :path WHERE id = :id", path=path, id=rowid)

    run(moodle_site, "shortname;fullname;category;visible\nNEW1;X;Hidden/Deep;\nNEW2;X;Hidden/Deep;1\n")

    below = moodle_site.one("course_categories", name="Deep")
    assert (below["visible"], below["visibleold"]) == (0, 1)
    assert [course(moodle_site, name)["visible"] for name in ("NEW1", "NEW2")] == [1, 1]
    there = moodle_site.one("course", id=moodle_site.ids["C1"])
    for column, visible in (("", 0), (";visible", 1)):
        cell = ";1" if column else ""
        text = f"shortname;fullname;category{column}\n{there['shortname']};{there['fullname']};{hidden}{cell}\n"
        moved = run(moodle_site, text, forceupdate=True)
        assert course(moodle_site, there["shortname"])["visible"] == visible
        assert moved.codes == ["course_updated"]
        again = moodle_site.snapshot()
        assert run(moodle_site, text, forceupdate=True).codes == ["course_unchanged"]
        assert moodle_site.diff(again, moodle_site.snapshot()) == {}


@pytest.mark.parametrize("is_unfinished", [True, False])
def test_what_has_no_place_in_the_tree_of_contexts_is_neither_made_anew_nor_built_upon(
    moodle_site: MoodleSite, *, is_unfinished: bool
) -> None:
    moodle_site.insert("course_categories", name="Damaged", parent=0, path="")
    unfinished = moodle_site.insert("course_categories", name="Unfinished", parent=0, path="")
    moodle_site.insert("context", contextlevel=40, instanceid=unfinished, depth=0)
    lost = "UPDATE {context} SET path = NULL" if is_unfinished else "DELETE FROM {context}"
    moodle_site.execute(f"{lost} WHERE contextlevel = 50 AND instanceid = :id", id=moodle_site.ids["C1"])
    c1, c2 = (moodle_site.one("course", id=moodle_site.ids[name])["shortname"] for name in ("C1", "C2"))
    rows = (
        f"{c1};Course C1;;", f"NEW1;X;;{c1}", "NEW2;X;Damaged;", "NEW3;X;Damaged/Deeper;", "NEW4;X;Unfinished;",
        f"{c2};X;Damaged;",
    )  # fmt: skip
    before = moodle_site.snapshot()

    result = run(moodle_site, "\n".join(("shortname;fullname;category;template", *rows, "")), forceupdate=True)

    assert result.codes == ["course_without_context"] * 2 + ["category_without_context"] * 4, result.report
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_a_category_is_found_as_the_server_compares_names(moodle_site: MoodleSite) -> None:
    rows = "NEW1;X;Zoology/Birds\nNEW2;X;ZOOLOGY/birds\nNEW3;X;zoology/Fish"
    run(moodle_site, f"shortname;fullname;category\n{rows}\n")
    run(moodle_site, "shortname;fullname;category\nNEW4;X;zoologY/birdS\n")

    made = [row["name"] for row in moodle_site.rows("course_categories") if row["name"].lower() in ("zoology", "birds")]
    one_of_each, every_spelling = (
        ["Birds", "Zoology"],
        ["Birds", "ZOOLOGY", "Zoology", "birdS", "birds", "zoologY", "zoology"],
    )
    assert sorted(made) == (one_of_each if moodle_site.engine_name == "mariadb" else every_spelling)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize(
    ("rows", "identifier", "code"),
    [
        ("N1;X;I1\nN2;X;I1\n", "shortname", "course_idnumber_taken"),
        ("N1;X;I1\nN1;X;I2\n", "idnumber", "course_shortname_taken"),
    ],
)
def test_of_two_new_courses_of_one_name_the_second_is_refused(
    moodle_site: MoodleSite, rows: str, identifier: str, code: str, chunk_rows: int
) -> None:
    text = f"shortname;fullname;idnumber\n{rows}"
    told = run(moodle_site, text, courseidentifier=identifier, simulate=True, chunk_rows=chunk_rows)
    done = run(moodle_site, text, courseidentifier=identifier, chunk_rows=chunk_rows)
    assert told.codes == done.codes == ["course_created", code]
    assert len([*moodle_site.rows("course", idnumber="I1"), *moodle_site.rows("course", idnumber="I2")]) == 1


def test_two_courses_of_one_short_name_are_no_template(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {course} SET shortname = 'TWIN' WHERE shortname IN ('C1', 'C2')")
    result = run(sqlite_site, "shortname;fullname;template\nNEW1;X;TWIN\n")
    assert result.codes == ["course_ambiguous"]
    assert sqlite_site.rows("course", shortname="NEW1") == []


def test_announcements_are_called_as_in_the_other_courses(moodle_site: MoodleSite) -> None:
    run(moodle_site, "shortname;fullname\nNEW1;X\n")
    name = moodle_site.one("forum", course=course(moodle_site, "NEW1")["id"])["name"]
    moodle_site.execute("UPDATE {forum} SET name = 'Annonces', intro = 'Du site' WHERE type = 'news'")
    run(moodle_site, "shortname;fullname\nNEW2;X\n")
    forum = moodle_site.one("forum", course=course(moodle_site, "NEW2")["id"])
    assert (name, forum["name"], forum["intro"]) == ("Announcements", "Annonces", "Du site")


def test_where_new_courses_get_no_manual_enrolment_they_have_no_teachers(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_manual' AND name = 'defaultenrol'")
    sqlite_site.insert("config_plugins", plugin="enrol_manual", name="defaultenrol", value="0")
    result = run(sqlite_site, "shortname;fullname;teacher1_account\nNEW1;X;ann\nNEW2;X;\n")
    assert result.codes == ["course_without_manual", "course_created"], result.report


def test_a_method_that_needs_a_password_gets_one_that_nobody_guesses(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_self' AND name = 'requirepassword'")
    sqlite_site.insert("config_plugins", plugin="enrol_self", name="requirepassword", value="1")
    run(sqlite_site, "shortname;fullname;self\nNEW1;X;1\nNEW2;X;1\n")
    made = [course(sqlite_site, name)["id"] for name in ("NEW1", "NEW2")]
    passwords = {sqlite_site.one("enrol", courseid=courseid, enrol="self")["password"] for courseid in made}
    assert len(passwords) == 2
    assert all(len(password) >= 12 for password in passwords)


def test_no_summary_and_an_empty_one_are_the_same(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {course} SET summary = NULL")
    assert run(sqlite_site, "shortname;fullname;summary\nC1;Course C1;\n", forceupdate=True).codes == [
        "course_unchanged"
    ]


def test_a_summary_that_changes_is_shown_with_its_section(sqlite_site: MoodleSite) -> None:
    values = {
        "course": sqlite_site.ids["C1"],
        "section": 1,
        "name": "One",
        "summary": "Old",
        "summaryformat": 1,
        "sequence": "",
    }
    insert(sqlite_site, "course_sections", values)
    result = run(sqlite_site, "shortname;fullname;topic1\nC1;Course C1;One|New\n", forceupdate=True)
    assert [(change.old, change.new) for change in result.outcomes[0].changes if change.field == "topic1"] == [
        ("One|Old", "One|New")
    ]


@pytest.mark.parametrize(("text", "options", "code"), REFUSED, ids=[case[2] + str(n) for n, case in enumerate(REFUSED)])
def test_what_is_wrong_is_refused_and_comes_back(
    sqlite_site: MoodleSite, text: str, options: dict[str, Any], code: str
) -> None:
    sqlite_site.execute("UPDATE {course} SET idnumber = 'IDC1' WHERE id = :id", id=sqlite_site.ids["C1"])
    before = sqlite_site.snapshot()

    result = run(sqlite_site, text, **options)

    assert result.codes == [code]
    assert result.tryback is not None
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_the_front_page_is_never_touched(moodle_site: MoodleSite) -> None:
    home = moodle_site.one("course", id=1)["shortname"]
    result = run(moodle_site, f"shortname;fullname\n{home};Mine\n", forceupdate=True)
    assert result.codes == ["course_is_site"]


def test_a_simulation_tells_the_same_and_writes_nothing(moodle_site: MoodleSite) -> None:
    rows = ("NEW1;One;Sci/Maths;Hello;1", "NEW2;Two;Sci/Maths;;", "NEW1;Again;Sci;;", "C1;x;;;")
    text = "\n".join(("shortname;fullname;category;topic0;self", *rows, ""))
    before = moodle_site.snapshot()

    told = run(moodle_site, text, simulate=True, chunk_rows=1)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    done = run(moodle_site, text, chunk_rows=1)

    assert [(o.action, o.code) for o in told.outcomes] == [(o.action, o.code) for o in done.outcomes]
    assert done.codes == ["course_created", "course_created", "course_exists", "course_exists"]


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_course_that_an_earlier_row_made_names_its_line(moodle_site: MoodleSite, chunk_rows: int) -> None:
    text = "shortname;fullname\nNEW1;One\nNEW2;Two\nNEW1;Again\nC1;x\n"
    result = run(moodle_site, text, chunk_rows=chunk_rows)
    assert result.codes == ["course_created", "course_created", "course_exists", "course_exists"]
    assert [describe_outcome(outcome) for outcome in result.outcomes[2:]] == [
        "NEW1: the course exists; it is left as it is (line 2 of this file names it too)",
        "C1: the course exists; it is left as it is",
    ]


def test_a_later_row_sees_what_an_earlier_one_made(moodle_site: MoodleSite) -> None:
    text = "shortname;fullname;idnumber\nNEW1;One;N1\nNEW1;Renamed;N1\nNEW2;Two;N1\n"
    result = run(moodle_site, text, forceupdate=True)
    assert result.codes == ["course_created", "course_updated", "course_idnumber_taken"]
    assert course(moodle_site, "NEW1")["fullname"] == "Renamed"


def test_custom_fields_are_filled_by_their_type(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    category = moodle_site.insert(
        "customfield_category", name="C", component="core_course", area="course", itemid=0, sortorder=0, timecreated=1,
        timemodified=1, contextid=1,
    )  # fmt: skip
    kinds = {"room": "text", "level": "select", "online": "checkbox"}
    fields = {
        name: moodle_site.insert(
            "customfield_field", shortname=name, name=name, type=kind, categoryid=category, sortorder=0, timecreated=1,
            timemodified=1, configdata='{"options": "low\\r\\nhigh"}' if kind == "select" else "{}",
        )
        for name, kind in kinds.items()
    }  # fmt: skip
    header = "shortname;fullname;customfield_room;customfield_level;customfield_online;customfield_ghost\n"

    result = run(moodle_site, f"{header}NEW1;One;B12;high;yes;\nNEW2;Two;;deep;;\n")

    made = course(moodle_site, "NEW1")["id"]
    stored = {row["fieldid"]: row for row in moodle_site.rows("customfield_data", instanceid=made)}
    assert stored[fields["room"]]["charvalue"] == "B12"
    assert stored[fields["level"]]["intvalue"] == 2
    assert stored[fields["online"]]["intvalue"] == 1
    assert result.codes == ["course_created", "value_not_among"]
    assert [note.code for note in result.notes] == ["course_field_unknown"]
    text = f"{header}NEW1;One;B13;high;yes;\n"
    assert run(moodle_site, text, forceupdate=True).counts == {"updated": 1}
    assert run(moodle_site, text, forceupdate=True).counts == {"unchanged": 1}
    assert_sound(moodle_site, but=faults)


def test_a_course_in_weeks_ends_with_its_last_week(moodle_site: MoodleSite) -> None:
    run(moodle_site, "shortname;fullname;format;startdate;topic3\nNEW1;One;weeks;1800000000;Third\n")
    week = 7 * 86_400
    assert course(moodle_site, "NEW1")["enddate"] == 1_800_000_000 + 3 * week
    run(moodle_site, "shortname;fullname;topic5\nNEW1;One;Fifth\n", forceupdate=True)
    assert course(moodle_site, "NEW1")["enddate"] == 1_800_000_000 + 5 * week


def test_the_number_of_queries_does_not_grow_with_the_rows(sqlite_site: MoodleSite) -> None:
    def rows(first: int, count: int) -> str:
        return "shortname;fullname;category;topic1;teacher1_account\n" + "".join(
            f"Q{number};Course {number};Many/{number % 7};Part|Words;ann\n" for number in range(first, first + count)
        )

    run(sqlite_site, rows(0, 20))
    few, many = run(sqlite_site, rows(100, 20)), run(sqlite_site, rows(200, 400))
    assert many.queries <= few.queries + 4


@pytest.mark.parametrize(
    ("column", "cells", "options"),
    [
        ("customfield_nowhere", ("X", "Y"), {}),
        ("format", ("topics", "weeks"), {}),
        ("category", ("A", "B"), {"protectcategory": True}),
        ("template", ("C1", "C2"), {"templatemode": "0"}),
    ],
)
@pytest.mark.parametrize("chunk_rows", [1, 100])
@pytest.mark.parametrize("simulate", [True, False])
def test_a_second_row_changes_nothing_by_what_is_kept(
    sqlite_site: MoodleSite,
    column: str,
    cells: tuple[str, str],
    options: dict[str, Any],
    chunk_rows: int,
    *,
    simulate: bool,
) -> None:
    text = f"shortname;fullname;{column}\nN1;New;{cells[0]}\nN1;New;{cells[1]}\n"
    result = run_file(
        sqlite_site, "courses", text, simulate=simulate, chunk_rows=chunk_rows, forceupdate=True, **options
    )  # fmt: skip
    assert result.codes == ["course_created", "course_unchanged"]


def test_of_several_self_enrolments_all_are_switched_off(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "shortname;fullname;self\nNEW5;X;1\n")
    made = course(sqlite_site, "NEW5")
    sqlite_site.insert("enrol", enrol="self", courseid=made["id"], status=0, sortorder=9)
    run(sqlite_site, "shortname;fullname;self\nNEW5;X;0\n", forceupdate=True)
    assert {row["status"] for row in sqlite_site.rows("enrol", courseid=made["id"], enrol="self")} == {1}
    run(sqlite_site, "shortname;fullname;self\nNEW5;X;1\n", forceupdate=True)
    assert sorted(row["status"] for row in sqlite_site.rows("enrol", courseid=made["id"], enrol="self")) == [0, 1]
    sqlite_site.execute("UPDATE {enrol} SET status = 1 - status WHERE enrol = 'self' AND courseid = :id", id=made["id"])
    assert run(sqlite_site, "shortname;fullname;self\nNEW5;X;1\n", forceupdate=True).counts == {"unchanged": 1}
