"""Copies of courses: everything that is in them and nothing that people did, pointing into the copy."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sync.moodle.course_content.graph.content_tables import content_graph
from sync.moodle.course_content.graph.graph import Kind, load_graph
from sync.moodle.files.files import pathname_hash
from tests.effects.case import apply_diff
from tests.moodle.course_content.copies import course_of, differences, maps_of, pairs_of
from tests.moodle.course_content.furniture import furnish, insert
from tests.moodle_sites import MoodleSite
from tests.real_sites import GOLD_SITES, RICH_SITES, RealSites, needs_moodle_data, recorded_effect
from tests.soundness import assert_sound, report_of
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")

HEADER = "shortname;fullname;template\n"
# Times after the sites were made: when a row was written, not what it says.
LATE = 1_795_000_000
# What a copy brings about beside its rows; none of it is anybody's doing.
AROUND = {"course", "context", "files", "enrol", "task_adhoc", "stored_progress", "grade_settings"}


def tie(site: MoodleSite, ids: dict[str, list[int]]) -> None:
    """Let the rows of a furnished course refer to each other instead of to nothing."""
    for table in load_graph().tables.values():
        plain = [ref for ref in table.references if ref.how in ("id", "id0", "idpos") and ref.to in ids]
        if plain and table.name in ids:
            values = ", ".join(f"{ref.column} = {ids[ref.to][0]}" for ref in plain)
            rows = ", ".join(map(str, ids[table.name]))
            site.execute(f"UPDATE {{{table.name}}} SET {values} WHERE id IN ({rows})")


def furnished(site: MoodleSite, name: str) -> dict[str, list[int]]:
    """Furnish a course with one of everything, as Moodle could have it."""
    # The captured contexts of blocks came without their blocks.
    site.execute(
        "DELETE FROM {context} WHERE contextlevel = 80 AND instanceid NOT IN (SELECT id FROM {block_instances})"
    )
    ids = furnish(site, site.ids[name], site.ids[f"{name} context"])
    tie(site, ids)
    present = {name: rows for name, rows in ids.items() if name in site.table_names}
    modules = {row["name"]: row["id"] for row in site.rows("modules")}
    for root in sorted(load_graph().modules & present.keys() & modules.keys() - {"page"}):
        place = {"course": site.ids[name], "section": ids["course_sections"][0], "deletioninprogress": 0}
        insert(site, "course_modules", {**place, "module": modules[root], "instance": ids[root][0]})
    for table, column, value in (
        ("course_modules", "instance", ids["page"][0]), ("grade_items", "itemtype", "manual"),
        ("grade_items", "iteminstance", None), ("tag_instance", "itemtype", "course"),
        ("tag_instance", "itemid", site.ids[name]), ("workshop_submissions", "example", 1),
        ("workshop_assessments", "weight", 1), ("workshop_grades", "strategy", "rubric"),
        ("workshop_grades", "dimensionid", ids["workshopform_rubric"][0]), ("event", "eventtype", "course"),
        ("event", "modulename", "0"), ("course_completion_criteria", "criteriatype", 4),
        ("customfield_data", "instanceid", site.ids[name]), ("grade_settings", "name", "minmaxtouse"),
        ("question_multianswer", "sequence", str(ids["question"][0])),
    ):  # fmt: skip
        site.execute(f"UPDATE {{{table}}} SET {column} = :value WHERE id = :id", value=value, id=ids[table][0])
    for table in ("assign_overrides", "quiz_overrides", "lesson_overrides"):
        site.execute(f"UPDATE {{{table}}} SET userid = NULL WHERE id = :id", id=ids[table][0])
    category = insert(site, "customfield_category", {"component": "core_course", "area": "course"})
    field = insert(site, "customfield_field", {"categoryid": category, "type": "text"})
    site.execute(
        "UPDATE {customfield_data} SET fieldid = :field WHERE id = :id", field=field, id=ids["customfield_data"][0]
    )
    return ids


def test_every_content_table_is_copied_and_no_other(moodle_site: MoodleSite) -> None:
    furnished(moodle_site, "C1")
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses", f"{HEADER}COPY;Copy;C1\n")

    assert result.codes == ["course_created"], result.report
    change = moodle_site.diff(before, moodle_site.snapshot())
    original, copy = course_of(moodle_site, "C1"), course_of(moodle_site, "COPY")
    pairs = pairs_of(moodle_site, original, copy)
    expected = {name for name in content_graph(load_graph()).tables if name in moodle_site.table_names}
    assert expected - pairs.keys() == set()
    assert list(differences(pairs, maps_of(moodle_site, pairs, original, copy))) == []
    inserted = {name for name, changes in change.items() if changes["inserted"]}
    assert inserted - expected - AROUND == set()
    assert {name for name, changes in change.items() if changes["updated"]} <= {"course", "course_categories"}
    # What is furnished stands in no section and in no order; the copy has no other faults than that.
    assert_sound(moodle_site, "COPY", but=report_of(moodle_site, "C1").faults)


def test_queries_follow_the_tables_not_the_rows(sqlite_site: MoodleSite) -> None:
    furnished(sqlite_site, "C1")
    run_file(sqlite_site, "courses", f"{HEADER}A0;A;C1\n")

    one, many = (
        run_file(sqlite_site, "courses", HEADER + "".join(f"{name};Copy;C1\n" for name in names)).queries
        for names in (["B0"], [f"D{number}" for number in range(30)])
    )

    assert many == one


def test_what_people_did_is_not_copied(sqlite_site: MoodleSite) -> None:
    ids = furnished(sqlite_site, "C1")
    ann = sqlite_site.ids["ann"]
    for table in ("assign_overrides", "quiz_overrides", "lesson_overrides"):
        sqlite_site.execute(
            f"UPDATE {{{table}}} SET userid = :ann, groupid = NULL WHERE id = :id", ann=ann, id=ids[table][0]
        )
    sqlite_site.execute("UPDATE {workshop_submissions} SET example = 0")
    sqlite_site.execute("UPDATE {event} SET eventtype = 'user'")
    sqlite_site.execute("UPDATE {tag_instance} SET itemtype = 'forum_posts'")
    before = sqlite_site.snapshot()

    run_file(sqlite_site, "courses", f"{HEADER}COPY;Copy;C1\n")

    inserted = {name for name, change in sqlite_site.diff(before, sqlite_site.snapshot()).items() if change["inserted"]}
    mixed = {table.name for table in load_graph().tables.values() if table.kind is Kind.MIXED}
    assert inserted & mixed == set()


def test_an_activity_that_is_being_deleted_does_not_come_along(sqlite_site: MoodleSite) -> None:
    ids = furnished(sqlite_site, "C1")
    sqlite_site.execute(
        "UPDATE {course_modules} SET deletioninprogress = 1 WHERE id = :id", id=ids["course_modules"][0]
    )

    run_file(sqlite_site, "courses", f"{HEADER}COPY;Copy;C1\n")

    copy = course_of(sqlite_site, "COPY")
    assert sqlite_site.rows("page", course=copy.id) == []
    assert len(sqlite_site.rows("label", course=copy.id)) == 1
    assert_sound(sqlite_site, "COPY", but=report_of(sqlite_site, "C1").faults)


def test_what_criteria_of_badges_ask_for_is_asked_of_the_copy(sqlite_site: MoodleSite) -> None:
    ids = furnished(sqlite_site, "C1")
    course = sqlite_site.ids["C1"]
    cm = next(row for row in sqlite_site.rows("course_modules", course=course) if row["id"] in ids["course_modules"])
    badge = insert(sqlite_site, "badge", {"name": "B", "description": "", "type": 2, "courseid": course, "status": 1})
    wanted = {
        1: {f"module_{cm['id']}": cm["id"], f"bydate_{cm['id']}": 1_800_000_000},
        # A grade may look like the id.
        4: {f"course_{course}": course, f"grade_{course}": course, f"bydate_{course}": 1_800_000_000},
    }
    for kind, params in wanted.items():
        criterion = insert(
            sqlite_site, "badge_criteria", {"badgeid": badge, "criteriatype": kind, "method": 1, "description": ""}
        )
        for name, value in params.items():
            insert(sqlite_site, "badge_criteria_param", {"critid": criterion, "name": name, "value": str(value)})

    run_file(sqlite_site, "courses", f"{HEADER}COPY;Copy;C1\n")

    copy = course_of(sqlite_site, "COPY").id
    made = sqlite_site.one("badge", courseid=copy, name="B")["id"]
    copied = {
        kind: {
            row["name"]: row["value"]
            for row in sqlite_site.rows(
                "badge_criteria_param", critid=sqlite_site.one("badge_criteria", badgeid=made, criteriatype=kind)["id"]
            )
        }
        for kind in wanted
    }
    assert copied[4] == {f"course_{copy}": str(copy), f"grade_{copy}": str(course), f"bydate_{copy}": "1800000000"}
    (new,) = [value for name, value in copied[1].items() if name.startswith("module_")]
    assert copied[1] == {f"module_{new}": new, f"bydate_{new}": "1800000000"}
    assert sqlite_site.one("course_modules", id=int(new))["course"] == copy


def test_a_section_whose_subsection_does_not_come_along_is_one_of_the_course(sqlite_site: MoodleSite) -> None:
    furnished(sqlite_site, "C1")
    course = sqlite_site.ids["C1"]
    row = insert(sqlite_site, "subsection", {"course": course, "name": "Going"})
    delegate = {"component": "mod_subsection", "itemid": row, "sequence": ""}
    insert(sqlite_site, "course_sections", {"course": course, "section": 77, "name": "Going", **delegate})

    run_file(sqlite_site, "courses", f"{HEADER}COPY;Copy;C1\n")

    copied = sqlite_site.one("course_sections", course=course_of(sqlite_site, "COPY").id, section=77)
    assert (copied["name"], copied["component"], copied["itemid"]) == ("Going", None, None)


# An id that nothing has.
GONE = 987_654_321


def enriched(site: MoodleSite) -> dict[str, dict[str, Any]]:
    """Let the course of every activity refer to itself in all the ways that Moodle has; return the pieces."""
    course = course_of(site, "TEMPLATE")
    modules = {row["name"]: row["id"] for row in site.rows("modules")}
    cms = {
        name: next(cm for cm in site.rows("course_modules", course=course.id, module=modules[name]))
        for name in ("page", "assign", "quiz", "glossary", "forum", "lesson")
    }
    group, grouping = site.rows("groups", courseid=course.id)[0], site.rows("groupings", courseid=course.id)[0]
    items = {row["itemmodule"] or row["itemtype"]: row for row in site.rows("grade_items", courseid=course.id)}
    wwwroot = site.one("mnet_host", id=1)["wwwroot"]
    conditions = [
        {"type": "completion", "cm": cms["page"]["id"], "e": 1}, {"type": "grade", "id": items["quiz"]["id"], "min": 50},
        {"type": "group", "id": group["id"]}, {"type": "grouping", "id": grouping["id"]},
        {"type": "date", "d": ">=", "t": 1_700_000_000},
    ]  # fmt: skip
    tree = json.dumps({"op": "&", "c": conditions, "showc": [True] * 5}, separators=(",", ":"))
    site.execute("UPDATE {course_modules} SET availability = :tree WHERE id = :id", tree=tree, id=cms["assign"]["id"])
    quiz, here = f"{wwwroot}/mod/quiz/view.php?id={cms['quiz']['id']}", f"{wwwroot}/course/view.php?id={course.id}"
    link = f'<a href="{quiz}">quiz</a> <a href="{here}">here</a>'
    site.execute("UPDATE {page} SET content = :link WHERE id = :id", link=link, id=cms["page"]["instance"])
    site.execute(
        "UPDATE {course} SET summary = :link, defaultgroupingid = :grouping WHERE id = :id",
        link=link, grouping=grouping["id"], id=course.id,
    )  # fmt: skip
    site.execute(
        "UPDATE {grade_items} SET calculation = :text WHERE id = :id",
        text=f"=##gi{items['quiz']['id']}##*2", id=items["assign"]["id"],
    )  # fmt: skip
    settings = f'O:8:"stdClass":1:{{s:8:"glossary";i:{cms["glossary"]["instance"]};}}'
    block = site.rows("block_instances", parentcontextid=course.contextid)[0]["id"]
    site.execute(
        "UPDATE {block_instances} SET blockname = 'glossary_random', configdata = :config WHERE id = :id",
        config=base64.b64encode(settings.encode()).decode(), id=block,
    )  # fmt: skip
    scale = site.rows("scale", courseid=course.id)
    if scale:
        site.execute(
            "UPDATE {forum} SET scale = :scale WHERE id = :id", scale=-scale[0]["id"], id=cms["forum"]["instance"]
        )
    site.execute("UPDATE {forum} SET type = 'single' WHERE id = :id", id=cms["forum"]["instance"])
    site.execute(
        "UPDATE {lesson} SET activitylink = :cm WHERE id = :id", cm=cms["page"]["id"], id=cms["lesson"]["instance"]
    )
    return cms


def on(name: str) -> Any:
    return pytest.param(name, marks=[*needs_moodle_data, pytest.mark.xdist_group(name)])


@pytest.mark.parametrize("name", [on(name) for name in RICH_SITES])
def test_a_copy_of_the_course_of_every_activity_is_that_course_without_its_people(
    real_site: RealSites, name: str
) -> None:
    site = real_site(name)
    cms = enriched(site)
    original = course_of(site, "TEMPLATE")
    before = site.snapshot()

    result = run_file(site, "courses", f"{HEADER}COPY;Copy;TEMPLATE\nCOPY2;Copy;TEMPLATE\n")

    assert result.codes == ["course_created"] * 2, result.report
    change = site.diff(before, site.snapshot())
    allowed = {*content_graph(load_graph()).tables, *AROUND, "forum_discussions", "forum_posts"}
    assert {table for table, changes in change.items() if changes["inserted"]} - allowed == set()
    for shortname in ("COPY", "COPY2"):
        copy = course_of(site, shortname)
        pairs = pairs_of(site, original, copy)
        maps = maps_of(site, pairs, original, copy)
        assert list(differences(pairs, maps)) == []
        check_insides(site, copy.id, cms, maps)
        check_files(site, copy.contextid, maps)
    assert_sound(site)


@pytest.mark.parametrize("name", [on(name) for name in RICH_SITES])
def test_what_depends_on_something_that_is_gone_stays_shut_in_the_copy(real_site: RealSites, name: str) -> None:
    site = real_site(name)
    cm = next(cm for cm in site.rows("course_modules", course=course_of(site, "TEMPLATE").id))
    gone = [
        {"type": "completion", "cm": GONE, "e": 1}, {"type": "grade", "id": GONE, "min": 50}, {"type": "group", "id": GONE},
        {"type": "grouping", "id": GONE},
    ]  # fmt: skip
    tree = json.dumps({"op": "&", "c": gone, "showc": [True] * 4})
    site.execute("UPDATE {course_modules} SET availability = :tree WHERE id = :id", tree=tree, id=cm["id"])

    assert run_file(site, "courses", f"{HEADER}COPY;Copy;TEMPLATE\n").codes == ["course_created"]

    copies = site.rows("course_modules", course=course_of(site, "COPY").id, module=cm["module"])
    trees = [json.loads(copy["availability"]) for copy in copies if copy["availability"]]
    assert [[leaf.get("cm", leaf.get("id")) for leaf in tree["c"]] for tree in trees] == [[0, 0, -1, -1]]


def check_insides(
    site: MoodleSite, courseid: int, cms: dict[str, dict[str, Any]], maps: dict[str, dict[int, int]]
) -> None:
    """Everything that `enriched` made must lead into the copy."""
    cm = {name: maps["course_modules"][row["id"]] for name, row in cms.items()}
    instance = {name: maps[name][row["instance"]] for name, row in cms.items()}
    tree = json.loads(site.one("course_modules", id=cm["assign"])["availability"])
    items = {row["itemmodule"]: row["id"] for row in site.rows("grade_items", courseid=courseid, itemtype="mod")}
    assert [leaf.get("cm", leaf.get("id")) for leaf in tree["c"]] == [
        cm["page"], items["quiz"], site.rows("groups", courseid=courseid)[0]["id"],
        site.one("groupings", courseid=courseid)["id"], None,
    ]  # fmt: skip
    course = site.one("course", id=courseid)
    for text in (site.one("page", id=instance["page"])["content"], course["summary"]):
        assert f"/mod/quiz/view.php?id={cm['quiz']}" in text
        assert f'/course/view.php?id={courseid}"' in text
    assert course["defaultgroupingid"] == site.one("groupings", courseid=courseid)["id"]
    assert site.one("grade_items", courseid=courseid, itemmodule="assign")["calculation"] == f"=##gi{items['quiz']}##*2"
    assert site.one("lesson", id=instance["lesson"])["activitylink"] == cm["page"]
    block = site.one(
        "block_instances",
        blockname="glossary_random",
        parentcontextid=maps["context"][course_of(site, "TEMPLATE").contextid],
    )
    assert base64.b64decode(block["configdata"]).decode().endswith(f"i:{instance['glossary']};}}")
    placed = [
        number for section in site.rows("course_sections", course=courseid) for number in section["sequence"].split(",")
    ]
    assert sorted(map(int, filter(None, placed))) == sorted(
        row["id"] for row in site.rows("course_modules", course=courseid)
    )
    discussion = site.one("forum_discussions", course=courseid)
    assert site.one("forum_posts", discussion=discussion["id"])["id"] == discussion["firstpost"]
    assert f'{{"courseid":{courseid}}}' in {row["customdata"] for row in site.rows("task_adhoc")}


def check_files(site: MoodleSite, contextid: int, maps: dict[str, dict[int, int]]) -> None:
    """Files hang on the contexts of the copy, under the hash of their new place, and are those of the original."""
    areas = {(area.component, area.filearea): area for area in load_graph().file_areas}

    def files(contextids: set[int]) -> list[tuple[Any, ...]]:
        return sorted(
            (row["component"], row["filearea"], row["filepath"], row["filename"], row["contenthash"])
            for row in site.rows("files")
            if row["contextid"] in contextids and row["component"] not in ("backup", "tool_recyclebin")
            and not (areas.get((row["component"], row["filearea"])) or areas["mod_page", "content"]).is_userdata
        )  # fmt: skip

    assert files(set(maps["context"])) == files(set(maps["context"].values()))
    for row in site.rows("files", contextid=contextid):
        assert row["pathnamehash"] == pathname_hash(row)


# In what a copy is meant to differ from what Moodle's restore of a backup makes: table -> columns, None = whole rows.
MEANT = {
    "badge": None,  # the backup of the recorded case left it out
    "book": {"revision"}, "book_chapters": {"timecreated"},  # Moodle's backup loses them
    "course": {"sortorder", "timecreated", "timemodified"},
    "customfield_data": {"instanceid"}, "task_adhoc": {"customdata"},  # ids of the copy
    "grade_categories_history": None, "grade_items_history": None,
    "grade_items": {"needsupdate"},
    "role_capabilities": None,  # Moodle's command line has no roles that may be overridden
    "scale": None,  # Moodle's backup takes only those that are in use
    "stored_progress": {"idnumber"},
    "tag_instance": {"ordering"},
}  # fmt: skip


@pytest.mark.parametrize("name", [on(name) for name in GOLD_SITES])
@pytest.mark.parametrize("case", ["course_restore_template_samesite", "course_restore_template_general"])
def test_a_copy_holds_what_a_restored_backup_does(real_site: RealSites, name: str, case: str) -> None:
    site, effect = real_site(name), recorded_effect(name.removesuffix("-gold"), case)
    apply_diff(site, effect.get("setup_diff") or {})
    before = site.snapshot()

    run_file(site, "courses", "shortname;fullname;category;template\nREST1;Restored;3;TEMPLATE\n")

    change = site.diff(before, site.snapshot())
    wrong = {
        table
        for table in sorted({*change, *effect["diff"]})
        if MEANT.get(table, set()) is not None and values_of(table, effect["diff"]) != values_of(table, change)
    }
    assert wrong == set()
    assert_sound(site)


def values_of(table: str, diff: Any) -> list[str]:
    """Return the new rows of a table without what differs from one course to another: ids, and times of the recording."""
    graphed = load_graph().tables.get(table)
    names = {"id", "path", *(MEANT.get(table) or ())}
    if graphed is not None:
        names |= {link.fk for link in graphed.links} | {reference.column for reference in graphed.references}
    return sorted(
        json.dumps({name: _plain(value) for name, value in row.items() if name not in names}, sort_keys=True)
        for row in diff.get(table, {}).get("inserted", ())
    )


def _plain(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return "<a time>" if number > LATE else number
