"""The examples of courses.md section 6: deleting empty categories. Which ones go: tests/runs/test_category_cleanup.py."""

from __future__ import annotations

import pytest

from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")

HEADER = "categoryid;path\n"


def add_category(site: MoodleSite, name: str, parent: int = 0, sortorder: int = 990_000) -> int:
    """Return the id of a new category, which has its context."""
    above = site.one("course_categories", id=parent)["path"] if parent else ""
    above_context = site.one("context", contextlevel=40, instanceid=parent)["path"] if parent else "/1"
    category = site.insert("course_categories", name=name, parent=parent, path="", sortorder=sortorder)
    context = site.insert("context", contextlevel=40, instanceid=category)
    for table, rowid, path in (
        ("course_categories", category, f"{above}/{category}"),
        ("context", context, f"{above_context}/{context}"),
    ):
        site.execute(
            f"UPDATE {{{table}}} SET path = :path, depth = :depth WHERE id = :id",
            path=path, depth=path.count("/"), id=rowid,
        )  # fmt: skip
    return category


def context_of(site: MoodleSite, category: int) -> int:
    return int(site.one("context", contextlevel=40, instanceid=category)["id"])


def hang_everything_on(site: MoodleSite, category: int) -> int:
    """Put into a category what may be in an empty one; return the id of the block on its page."""
    context = context_of(site, category)
    block = site.insert(
        "block_instances", id=90_001, blockname="html", parentcontextid=context, pagetypepattern="*", showinsubcontexts=0,
        defaultregion="side-pre", defaultweight=0, timecreated=1, timemodified=1,
    )  # fmt: skip
    inner = site.insert("context", contextlevel=80, instanceid=block, path=f"/1/{context}/0", depth=3)
    for contextid, component in ((context, "coursecat"), (inner, "block_html"), (context, "cohort")):
        site.insert(
            "files", contextid=contextid, component=component, filearea="description", itemid=1, filepath="/",
            filename="a.txt", contenthash=f"{contextid}{component}", pathnamehash=f"{contextid}{component}", filesize=3,
            timecreated=1, timemodified=1,
        )  # fmt: skip
    site.insert("role_assignments", roleid=1, contextid=context, userid=site.ids["ann"])
    site.insert("role_capabilities", contextid=context, roleid=5, capability="moodle/course:view", permission=-1)
    site.insert("role_names", roleid=3, contextid=context, name="Guide")
    site.insert("grade_letters", contextid=context, lowerboundary=50, letter="P")
    site.insert("event", name="Open day", description="", categoryid=category)
    site.insert("user_preferences", userid=site.ids["ann"], name=f"block{block}hidden", value="1")
    bank = site.insert("question_categories", name="Bank", contextid=context, info="", stamp="x+1", parent=0)
    entry = site.insert("question_bank_entries", questioncategoryid=bank)
    question = site.insert("question", name="Q", questiontext="", generalfeedback="", qtype="truefalse", stamp="x+2")
    site.insert("question_versions", questionbankentryid=entry, questionid=question)
    return block


def test_a_branch_goes_with_all_that_hangs_on_it_and_cohorts_move_up(moodle_site: MoodleSite) -> None:
    stays = add_category(moodle_site, "Stays")
    a = add_category(moodle_site, "A", stays)
    b = add_category(moodle_site, "B", a)
    after = add_category(moodle_site, "After", sortorder=999_000)
    home, gone = context_of(moodle_site, stays), [context_of(moodle_site, category) for category in (a, b)]
    run_file(moodle_site, "categories_delete", f"{HEADER}{after};\n")  # the order is right from here on
    moodle_site.execute("UPDATE {config} SET value = :a WHERE name = 'defaultrequestcategory'", a=str(a))
    before = moodle_site.snapshot()
    block = hang_everything_on(moodle_site, b)
    cohort = moodle_site.insert(
        "cohort", name="CO", contextid=gone[1], descriptionformat=1, timecreated=7, timemodified=7
    )
    hung = moodle_site.snapshot()
    faults = faults_of(moodle_site)

    result = run_file(moodle_site, "categories_delete", f"{HEADER}{b};Stays / A / B\n{a};Stays / A\n{b};again\n")

    assert [(o.line, o.code, o.subject) for o in result.outcomes] == [
        (2, "category_deleted", "Stays / A / B"),
        (3, "category_deleted", "Stays / A"),
        (4, "category_deleted_before", "again"),
    ]
    diff = moodle_site.diff(before, moodle_site.snapshot())
    assert {row["id"] for row in diff.pop("course_categories")["deleted"]} == {a, b}
    assert {row["id"] for row in diff.pop("context")["deleted"]} == set(gone)
    (moved,) = diff.pop("cohort")["inserted"]
    assert (moved["id"], moved["contextid"], moved["timemodified"]) == (cohort, home, 7)
    (file,) = diff.pop("files")["inserted"]
    assert (file["contextid"], file["component"]) == (home, "cohort")
    assert file["pathnamehash"] != f"{gone[1]}cohort"
    (flag,) = diff.pop("cache_flags")["inserted"]
    assert (flag["flagtype"], flag["name"]) == ("accesslib/dirtyusers", str(moodle_site.ids["ann"]))
    (setting,) = diff.pop("config")["updated"]
    assert setting["after"] == {"value": "1"}
    assert diff == {}
    assert moodle_site.rows("block_instances", id=block) == []
    written = {(image.table, image.kind) for image in result.before_images}
    lost = moodle_site.diff(before, hung)
    assert {(table, "delete") for table in lost if table != "cohort"} <= written
    assert_sound(moodle_site, but=faults)


def test_what_isnt_empty_stays_and_comes_back(sqlite_site: MoodleSite) -> None:
    a = add_category(sqlite_site, "A")
    inner = sqlite_site.insert("course_categories", name="Without a context", parent=a, path="")
    full = add_category(sqlite_site, "Full")
    sqlite_site.execute("UPDATE {course} SET category = :full WHERE shortname = 'C2'", full=full)
    odd = add_category(sqlite_site, "Odd")
    hang_everything_on(sqlite_site, odd)
    sqlite_site.execute("UPDATE {question} SET qtype = 'strange'")
    before = sqlite_site.snapshot()

    text = f"{HEADER}{a};\n{inner};\n{full};\n{odd};\n99999;\n"
    result = run_file(sqlite_site, "categories_delete", text)

    assert result.codes == [
        "category_has_categories", "category_without_context", "category_has_courses", "category_plugins_unknown",
        "category_delete_unknown",
    ]  # fmt: skip
    assert result.tryback is not None
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_the_last_category_stays_over_chunks_and_in_a_simulation(sqlite_site: MoodleSite) -> None:
    first = sqlite_site.one("course_categories")["id"]
    sqlite_site.execute("UPDATE {course} SET category = 0")
    ids = [add_category(sqlite_site, "A")]
    ids.append(add_category(sqlite_site, "B", ids[0]))
    text = HEADER + "".join(f"{category};\n" for category in (*reversed(ids), first))
    before = sqlite_site.snapshot()

    simulated = run_file(sqlite_site, "categories_delete", text, simulate=True, chunk_rows=1)

    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    result = run_file(sqlite_site, "categories_delete", text, chunk_rows=1)
    assert result.codes == simulated.codes == ["category_deleted", "category_deleted", "category_last"]


def test_a_course_that_kept_its_old_path_stays_whole(sqlite_site: MoodleSite) -> None:
    a = add_category(sqlite_site, "A")
    path = sqlite_site.one("context", contextlevel=40, instanceid=a)["path"]
    course_context = sqlite_site.ids["C1 context"]
    sqlite_site.execute(
        "UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{course_context}", id=course_context
    )
    courses = sqlite_site.rows("context", contextlevel=50)

    assert run_file(sqlite_site, "categories_delete", f"{HEADER}{a};\n").codes == ["category_deleted"]

    assert sqlite_site.rows("context", contextlevel=50) == courses


def test_queries_dont_grow_with_categories(sqlite_site: MoodleSite) -> None:
    def queries(count: int) -> int:
        text = HEADER + "".join(f"{add_category(sqlite_site, f'N{n}')};\n" for n in range(count))
        return run_file(sqlite_site, "categories_delete", text).queries

    queries(1)
    assert queries(30) == queries(3)


@pytest.mark.parametrize(
    ("path", "is_deleted"),
    [
        ("Upper / Lower", True), ("upper/lower", True), ("Lower", True), (" Upper /  Lower /", True), ("", True),
        ("Other / Lower", False), ("Upper", False), ("Lowest", False), ("Lower / Upper", False),
    ],
)  # fmt: skip
def test_a_path_that_is_that_of_another_category_rejects_its_row(
    sqlite_site: MoodleSite, path: str, is_deleted: bool
) -> None:
    """A column of numbers that was sorted without the names beside it."""
    lower = add_category(sqlite_site, "Lower", add_category(sqlite_site, "Upper"))
    result = run_file(sqlite_site, "categories_delete", f"{HEADER}{lower};{path}\n")
    assert result.codes == ["category_deleted" if is_deleted else "category_path_differs"]
    assert (not sqlite_site.rows("course_categories", id=lower)) == is_deleted
    if not is_deleted:
        assert f"The category with the number {lower} is “Upper / Lower”, not “{path}”" in result.report


def test_a_slash_in_the_name_of_a_category_that_is_deleted_parts_nothing(sqlite_site: MoodleSite) -> None:
    both = [add_category(sqlite_site, "Arts / Crafts") for _twice in range(2)]
    rows = f"{both[0]};Arts / Crafts\n{both[1]};Arts\\/Crafts\n"
    assert run_file(sqlite_site, "categories_delete", HEADER + rows).codes == ["category_deleted"] * 2
