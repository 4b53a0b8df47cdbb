"""Deleting courses: nothing that belongs to them stays in any table, and nothing else goes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from sync.moodle.course_content.delete import delete
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, Kind, load_graph
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.files.file_pool import EMPTY_HASH
from sync.values import Action
from tests.moodle.course_content.furniture import furnish, insert
from tests.moodle_sites import MoodleSite
from tests.real_sites import RICH_SITES, RealSites, needs_moodle_data
from tests.soundness import assert_sound, faults_of
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")

KEPT = load_graph().tables.keys() - {COURSE, CONTEXT} - {table.name for table in load_graph().of_course()}


def test_every_row_of_a_course_goes_and_no_other(moodle_site: MoodleSite) -> None:
    others = furnish(moodle_site, moodle_site.ids["C2"], moodle_site.ids["C2 context"])
    faults = faults_of(moodle_site)
    ours = furnish(moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"])
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses_delete", "C1\n")

    assert result.codes == ["course_deleted"]
    change = moodle_site.diff(before, moodle_site.snapshot())
    gone = {table: {row["id"] for row in changes["deleted"]} for table, changes in change.items()}
    assert {name for name, ids in ours.items() if not set(ids) <= gone.get(name, set())} == KEPT & ours.keys()
    assert [name for name, ids in others.items() if gone.get(name, set()) & set(ids)] == []
    assert not {name for name, rows in gone.items() if rows and name in KEPT}
    assert_sound(moodle_site, but=faults)


def test_the_badge_of_a_course_becomes_one_of_the_site(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    ids = furnish(moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"])
    moodle_site.execute(
        "UPDATE {files} SET component = 'badges', filearea = 'badgeimage', itemid = 9, filepath = '/', filename = 'f1.png'"
        " WHERE id = :file",
        file=ids["files"][0],
    )
    folder = {"component": "badges", "filearea": "badgeimage", "itemid": 9, "filepath": "/", "filename": "."}
    insert(
        moodle_site,
        "files",
        {"contextid": moodle_site.ids["C1 context"], "contenthash": EMPTY_HASH, "filesize": 0, **folder},
    )

    run_file(moodle_site, "courses_delete", "C1\n")

    badge = moodle_site.one("badge", id=ids["badge"][0])
    assert (badge["type"], badge["courseid"], badge["status"]) == (1, None, 4)
    image = moodle_site.one("files", id=ids["files"][0])
    system = moodle_site.one("context", contextlevel=10)["id"]
    assert image["contextid"] == system
    place = f"/{system}/badges/badgeimage/9/f1.png"
    assert image["pathnamehash"] == hashlib.sha1(place.encode()).hexdigest()
    assert_sound(moodle_site, but=faults)


def test_the_number_of_queries_follows_neither_courses_nor_rows(sqlite_site: MoodleSite) -> None:
    numbers = []
    # The first run also puts the courses that were there before in order.
    for shortnames in (["D0"], ["D1"], ["D2", "D3", "D4", "D5", "D6"]):
        for shortname in shortnames:
            furnish(sqlite_site, *_new_course(sqlite_site, shortname))
        numbers.append(run_file(sqlite_site, "courses_delete", "\n".join(shortnames)).queries)

    assert numbers[1] == numbers[2]


def test_a_large_table_goes_slice_by_slice(sqlite_site: MoodleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delete, "SLICE_ROWS", 3)
    forum = insert(sqlite_site, "forum", {"course": sqlite_site.ids["C1"]})
    discussion = insert(sqlite_site, "forum_discussions", {"course": sqlite_site.ids["C1"], "forum": forum})
    for _post in range(7):
        insert(sqlite_site, "forum_posts", {"discussion": discussion})

    result = run_file(sqlite_site, "courses_delete", "C1\n")

    assert sqlite_site.rows("forum_posts") == []
    assert sum(image.table == "forum_posts" and image.kind == "delete" for image in result.before_images) == 7


def test_calendar_entries_of_overrides_go_although_they_name_no_course(moodle_site: MoodleSite) -> None:
    instance = insert(moodle_site, "assign", {"course": moodle_site.ids["C1"]})
    assign = moodle_site.one("modules", name="assign")["id"]
    insert(
        moodle_site, "course_modules",
        {"course": moodle_site.ids["C1"], "module": assign, "instance": instance},
    )  # fmt: skip
    override = {"courseid": 0, "modulename": "assign", "userid": moodle_site.ids["ann"]}
    ours = insert(moodle_site, "event", {**override, "instance": instance})
    other = insert(moodle_site, "event", {**override, "instance": instance + 1000})

    run_file(moodle_site, "courses_delete", "C1\n")

    assert moodle_site.rows("event", id=ours) == []
    assert len(moodle_site.rows("event", id=other)) == 1


def test_what_people_have_set_for_a_course_goes(moodle_site: MoodleSite) -> None:
    ids = furnish(moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"])
    names = [
        f"block_myoverview_hidden_course_{moodle_site.ids['C1']}", f"coursesectionspreferences_{moodle_site.ids['C1']}",
        f"block{ids['block_instances'][0]}hidden", f"docked_block_instance_{ids['block_instances'][0]}",
    ]  # fmt: skip
    for name in [*names, "htmleditor"]:
        moodle_site.insert("user_preferences", userid=moodle_site.ids["ann"], name=name, value="1")

    run_file(moodle_site, "courses_delete", "C1\n")

    left = {row["name"] for row in moodle_site.rows("user_preferences", userid=moodle_site.ids["ann"])}
    assert left & {*names, "htmleditor"} == {"htmleditor"}


def test_custom_fields_of_other_things_with_the_number_of_the_course_stay(moodle_site: MoodleSite) -> None:
    left = {}
    for component, area in (("core_course", "course"), ("core_cohort", "cohort")):
        category = insert(moodle_site, "customfield_category", {"component": component, "area": area})
        field = insert(moodle_site, "customfield_field", {"categoryid": category})
        value = {"fieldid": field, "instanceid": moodle_site.ids["C1"], "contextid": 1}
        left[area] = insert(moodle_site, "customfield_data", value)

    run_file(moodle_site, "courses_delete", "C1\n")

    assert moodle_site.rows("customfield_data", id=left["course"]) == []
    assert len(moodle_site.rows("customfield_data", id=left["cohort"])) == 1


@pytest.mark.parametrize(
    ("version", "goes"),
    [
        ("2022112810", False),
        ("2025100600.02", False),
        ("2025100600.05", True),
        ("2025100603", True),
        ("2025121900", True),
    ],
)
@pytest.mark.parametrize("empties", [False, True], ids=["deleted", "emptied"])
def test_evidence_of_competencies_goes_with_its_activity_in_the_versions_that_do_so(
    sqlite_site: MoodleSite, version: str, goes: bool, empties: bool
) -> None:
    sqlite_site.execute("UPDATE {config} SET value = :version WHERE name = 'version'", version=version)
    activities = {name: _new_page(sqlite_site, name) for name in ("C1", "C2")}
    places = (activities["C1"], sqlite_site.ids["C1 context"], activities["C2"], 1)
    evidence = [
        insert(sqlite_site, "competency_evidence", {"usercompetencyid": 1, "contextid": place}) for place in places
    ]

    if empties:
        text = "shortname;fullname;template\nC1;Course C1;C2\n"
        result = run_file(sqlite_site, "courses", text, forceupdate=True, templatemode="2")
        assert result.codes == ["course_content_replaced"], result.report
    else:
        assert run_file(sqlite_site, "courses_delete", "C1\n").codes == ["course_deleted"]

    left = {row["id"] for row in sqlite_site.rows("competency_evidence")} & set(evidence)
    assert left == set(evidence[1:] if goes else evidence)


@pytest.mark.parametrize("use", ["reference", "attempt"])
def test_a_question_that_another_course_uses_is_moved_there(moodle_site: MoodleSite, use: str) -> None:
    faults = faults_of(moodle_site)
    ids = furnish(moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"])
    entry, question = ids["question_bank_entries"][0], ids["question"][0]
    place = {
        "contextid": moodle_site.ids["C1 context"], "component": "question", "filearea": "questiontext",
        "itemid": question, "filepath": "/",
    }  # fmt: skip
    insert(moodle_site, "files", {**place, "filename": ".", "contenthash": EMPTY_HASH, "filesize": 0})
    image = insert(moodle_site, "files", {**place, "filename": "f.png"})
    elsewhere = moodle_site.ids["C2 context"]
    if use == "reference":
        insert(moodle_site, "question_references", {"usingcontextid": elsewhere, "questionbankentryid": entry})
    else:
        usage = insert(moodle_site, "question_usages", {"contextid": elsewhere})
        insert(moodle_site, "question_attempts", {"questionusageid": usage, "questionid": question})

    own_category = moodle_site.one("course", id=moodle_site.ids["C1"])["category"]

    run_file(moodle_site, "courses_delete", "C1\n")

    home = moodle_site.one("question_bank_entries", id=entry)["questioncategoryid"]
    category = moodle_site.one("question_categories", id=home)
    place_of_questions = _home_of_questions(moodle_site, own_category)
    assert category["contextid"] == place_of_questions
    assert moodle_site.one("question_categories", id=category["parent"])["parent"] == 0
    assert len(moodle_site.rows("question", id=question)) == 1
    assert len(moodle_site.rows("question_answers", question=question)) == 1
    assert moodle_site.one("files", id=image)["contextid"] == place_of_questions
    assert_sound(moodle_site, but=faults)


@pytest.mark.parametrize(
    "moodle_site",
    [
        "sqlite:5.1",
        pytest.param("postgresql:5.2", marks=pytest.mark.xdist_group("postgresql:5.2")),
        pytest.param("real:m51-seeded", marks=[*needs_moodle_data, pytest.mark.xdist_group("real:m51-seeded")]),
    ],
    indirect=True,
)
def test_questions_in_use_come_into_one_bank_on_the_front_page_where_activities_have_them(
    moodle_site: MoodleSite,
) -> None:
    site = moodle_site
    faults = faults_of(site)
    front = site.one("course", category=0)
    site.execute("UPDATE {course} SET groupmode = 2 WHERE id = :id", id=front["id"])
    site.ids["USING"], site.ids["USING context"] = _new_course(site, "USING")
    using = _new_page(site, "USING")
    entries = [_question_in_use(site, course, contextid=using) for course in ("C1", "C2")]

    assert run_file(site, "courses_delete", "C1\n").codes == ["course_deleted"]
    text = "shortname;fullname;template\nC2;Course C2;USING\n"
    result = run_file(site, "courses", text, forceupdate=True, templatemode="2")
    assert result.codes == ["course_content_replaced"], result.report

    home = _home_of_questions(site)
    categories = [
        site.one("question_categories", id=site.one("question_bank_entries", id=entry)["questioncategoryid"])
        for entry in entries
    ]
    assert [category["contextid"] for category in categories] == [home, home]
    (top,) = site.rows("question_categories", contextid=home, parent=0)
    assert {category["parent"] for category in categories} == {top["id"]}
    context = site.one("context", id=home)
    cm = site.one("course_modules", id=context["instanceid"])
    place = site.one("course_sections", id=cm["section"])
    assert (place["course"], place["section"], place["sequence"].split(",")[-1]) == (front["id"], 0, str(cm["id"]))
    above = site.one("context", contextlevel=50, instanceid=front["id"])
    assert (context["path"], context["depth"]) == (f"{above['path']}/{home}", above["depth"] + 1)
    hidden = ("visible", "visibleold", "visibleoncoursepage", "showdescription", "groupmode")
    assert [cm[name] for name in hidden] == [0, 0, 0, 1, 2]
    assert site.one("course", id=front["id"])["cacherev"] > front["cacherev"]
    assert_sound(site, but=faults)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[*needs_moodle_data, pytest.mark.xdist_group(name)]) for name in RICH_SITES],
)
def test_no_table_refers_to_the_rich_course_any_more(real_site: RealSites, name: str) -> None:
    site = real_site(name)
    before = dict(_orphans(site, load_graph()))

    result = run_file(site, "courses_delete", "TPL1\n", courseidentifier="idnumber")

    assert result.counts == {Action.DELETED.value: 1}
    after = dict(_orphans(site, load_graph()))
    assert {link: (before[link], number) for link, number in after.items() if number > before[link]} == {}
    assert_sound(site)


def _orphans(site: MoodleSite, graph: CourseGraph) -> Iterator[tuple[str, int]]:
    """Count for every link and reference of the graph the rows that point to nothing."""
    database = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with database.session() as session:
        for table in graph.tables.values():
            if table.kind is Kind.HISTORY or not session.database.has_table(table.name):
                continue
            links = [(link.fk, link.parent, link.parentkey) for link in table.links]
            links += [(ref.column, ref.to, "id") for ref in table.references if ref.how in ("id", "id0")]
            for column, parent, parentkey in links:
                if session.database.has_table(parent) and column in session.table(table.name).c:
                    child, other = session.table(table.name), session.table(parent).alias()
                    statement = (
                        sa.select(sa.func.count())
                        .select_from(child)
                        .where(child.c[column] > 0)
                        .where(~sa.exists().where(other.c[parentkey] == child.c[column]))
                    )
                    yield f"{table.name}.{column} -> {parent}", session.fetch(statement)[0][0]
    database.dispose()


def _home_of_questions(site: MoodleSite, categoryid: int = 0) -> int:
    """The context that questions move to: of the category that the course was in, or of a bank on the front page."""
    if not site.rows("modules", name="qbank"):
        return int(site.one("context", contextlevel=40, instanceid=categoryid)["id"])
    front = site.one("course", category=0)["id"]
    bank = site.one("qbank", course=front, type="system")
    moduleid = site.one("modules", name="qbank")["id"]
    cm = site.one("course_modules", course=front, module=moduleid, instance=bank["id"])
    return int(site.one("context", contextlevel=70, instanceid=cm["id"])["id"])


def _question_in_use(site: MoodleSite, course: str, *, contextid: int) -> int:
    """Put a question into an activity of a course that another context uses; return its bank entry."""
    page = _new_page(site, course)
    top = insert(site, "question_categories", {"contextid": page, "name": "top", "parent": 0})
    category = insert(site, "question_categories", {"contextid": page, "parent": top})
    entry = insert(site, "question_bank_entries", {"questioncategoryid": category})
    question = insert(site, "question", {"qtype": "truefalse", "parent": 0})
    insert(site, "question_versions", {"questionbankentryid": entry, "questionid": question, "version": 1})
    insert(site, "question_references", {"usingcontextid": contextid, "questionbankentryid": entry, "version": 1})
    return entry


def _new_page(site: MoodleSite, course: str) -> int:
    """Put a page into a course; return the id of its context."""
    page = insert(site, "page", {"course": site.ids[course], "name": f"Page of {course}"})
    module = site.one("modules", name="page")["id"]
    first = {"course": site.ids[course], "section": 0}
    present = site.rows("course_sections", **first)
    section = present[0]["id"] if present else insert(site, "course_sections", {**first, "sequence": ""})
    place = {"course": site.ids[course], "module": module, "instance": page, "section": section}
    cm = insert(site, "course_modules", {**place, "deletioninprogress": 0})
    listed = ",".join(filter(None, (site.one("course_sections", id=section)["sequence"], str(cm))))
    site.execute("UPDATE {course_sections} SET sequence = :listed WHERE id = :id", listed=listed, id=section)
    above = site.one("context", id=site.ids[f"{course} context"])["path"]
    context = site.insert("context", contextlevel=70, instanceid=cm, depth=4)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{above}/{context}", id=context)
    return context


def _new_course(site: MoodleSite, shortname: str) -> tuple[int, int]:
    now = int(time.time())
    course = site.insert("course", category=1, shortname=shortname, fullname=shortname, timecreated=now)
    context = site.insert("context", contextlevel=50, instanceid=course, depth=3)
    path = f"{site.one('context', contextlevel=40, instanceid=1)['path']}/{context}"
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=path, id=context)
    return course, context
