"""Files of categories: made, renamed, moved, hidden, shown and deleted, with what is in them."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.registry import guess_processor
from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.1", "postgresql:5.2", "real:m51-seeded")

TREE = "category;name;parent\nSCI;Sciences;/\nMAT;Mathematics;SCI\nALG;Algebra;MAT\nARTS;Arts;\n"


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "categories", text, **{"categoryidentifier": "idnumber", **options})


def tree(site: MoodleSite) -> MoodleSite:
    """Bring in the order what is there, then make four categories, with a course in two of them."""
    run(site, "category;name\nTMP;Passing\n")
    run(site, "cmd;category\ndel;TMP\n")
    result = run(site, TREE)
    assert result.counts == {"created": 4}, result.report
    text = (
        "shortname;fullname;category_idnumber;visible\nALG1;Algebra I;ALG;1\nALG2;Algebra II;ALG;0\nMAT1;Maths;MAT;1\n"
    )
    assert run_file(site, "courses", text).counts == {"created": 3}
    return site


def category(site: MoodleSite, idnumber: str) -> dict[str, Any]:
    return site.one("course_categories", idnumber=idnumber)


def seen(site: MoodleSite) -> dict[str, tuple[int, int]]:
    """Return visible and visibleold of categories and courses, by idnumber and short name."""
    rows = [
        (row["idnumber"], row)
        for row in site.rows("course_categories")
        if row["idnumber"] in ("SCI", "MAT", "ALG", "ARTS")
    ]
    rows += [(row["shortname"], row) for row in site.rows("course") if row["shortname"] in ("ALG1", "ALG2", "MAT1")]
    return {name: (row["visible"], row["visibleold"]) for name, row in rows}


def assert_tree_is_whole(site: MoodleSite) -> None:
    """Paths and depths of categories, and of the contexts of categories and courses, agree with who holds whom."""
    categories = {row["id"]: row for row in site.rows("course_categories")}
    contexts = {(row["contextlevel"], row["instanceid"]): row for row in site.rows("context")}
    for row in categories.values():
        parent = categories.get(row["parent"])
        above = parent["path"] if parent else ""
        assert (row["path"], row["depth"]) == (f"{above}/{row['id']}", row["path"].count("/"))
        context, above_context = contexts[40, row["id"]], contexts[40, parent["id"]]["path"] if parent else "/1"
        assert (context["path"], context["depth"]) == (f"{above_context}/{context['id']}", context["path"].count("/"))
    for course in site.rows("course"):
        if course["category"] and (50, course["id"]) in contexts:
            context = contexts[50, course["id"]]
            assert context["path"] == f"{contexts[40, course['category']]['path']}/{context['id']}", course["shortname"]
    orders = [row["sortorder"] for row in categories.values()]
    assert len({*orders}) == len(orders)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_tree_is_made_and_the_second_run_changes_nothing(moodle_site: MoodleSite, chunk_rows: int) -> None:
    faults = faults_of(moodle_site)
    result = run(moodle_site, TREE + "HID;Hidden;SCI\n", chunk_rows=chunk_rows)

    assert result.codes == ["category_created"] * 5
    science, maths = category(moodle_site, "SCI"), category(moodle_site, "MAT")
    assert (maths["parent"], maths["path"], maths["depth"]) == (science["id"], f"/{science['id']}/{maths['id']}", 2)
    assert_tree_is_whole(moodle_site)
    assert_sound(moodle_site, but=faults)
    before = moodle_site.snapshot()
    assert run(moodle_site, TREE).counts == {"unchanged": 4}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_branches_move_with_all_that_is_in_them(moodle_site: MoodleSite, chunk_rows: int) -> None:
    tree(moodle_site)
    text = "category;name;parent\nNEW;New;ARTS\nMAT;;NEW\nALG;;/\nSUB;Below;MAT\nSCI;;ALG\n"

    simulated = run(moodle_site, text, simulate=True, chunk_rows=chunk_rows)
    result = run(moodle_site, text, chunk_rows=chunk_rows)

    assert result.codes == [f"category_{done}" for done in ("created", "updated", "updated", "created", "updated")]
    assert [(o.action, o.code, o.changes) for o in simulated.outcomes] == [
        (o.action, o.code, o.changes) for o in result.outcomes
    ]
    assert category(moodle_site, "MAT")["parent"] == category(moodle_site, "NEW")["id"]
    assert category(moodle_site, "SUB")["parent"] == category(moodle_site, "MAT")["id"]
    assert category(moodle_site, "SCI")["parent"] == category(moodle_site, "ALG")["id"]
    assert_tree_is_whole(moodle_site)
    assert run(moodle_site, text).counts == {"unchanged": 5}


def test_a_category_never_goes_into_itself(sqlite_site: MoodleSite) -> None:
    tree(sqlite_site)
    result = run(sqlite_site, "category;parent\nSCI;ALG\nSCI;SCI\nSCI;NOPE\nALG;/\n")
    assert result.codes == ["category_into_itself", "category_into_itself", "category_unknown", "category_updated"]
    assert {outcome.params["column"] for outcome in result.outcomes[:3]} == {"parent"}


def test_hiding_and_showing_gives_back_what_was_seen(moodle_site: MoodleSite) -> None:
    tree(moodle_site)
    before = seen(moodle_site)

    hidden = run(moodle_site, "category;visible\nMAT;0\n")
    assert hidden.codes == ["category_updated"]
    assert seen(moodle_site) == before | {
        "MAT": (0, 0), "ALG": (0, 1), "ALG1": (0, 1), "ALG2": (0, 0), "MAT1": (0, 1),
    }  # fmt: skip
    assert run(moodle_site, "category;visible\nMAT;0\n").counts == {"unchanged": 1}
    # What was hidden by itself keeps what was seen in it while something above is hidden and shown.
    run(moodle_site, "category;visible\nSCI;0\n")
    assert [note.code for note in run(moodle_site, "category;visible\nALG;1\nMAT;1\n").outcomes[1].notes] == [
        "category_shown_later"
    ]
    assert run(moodle_site, "category;visible\nALG;1\nMAT;1\n").counts == {"unchanged": 2}
    run(moodle_site, "category;visible\nMAT;0\n")
    run(moodle_site, "category;visible\nSCI;1\n")
    assert seen(moodle_site)["MAT"] == (0, 0)
    assert seen(moodle_site)["ALG1"] == (0, 1)
    run(moodle_site, "category;visible\nMAT;1\n")
    assert seen(moodle_site) == before


def test_what_moves_into_a_hidden_category_is_hidden_until_that_is_shown(sqlite_site: MoodleSite) -> None:
    tree(sqlite_site)
    before = seen(sqlite_site)
    assert run(sqlite_site, "category;parent;visible\nARTS;;0\nMAT;ARTS;\n").counts == {"updated": 2}
    assert seen(sqlite_site) == before | {
        "ARTS": (0, 0), "MAT": (0, 1), "ALG": (0, 1), "ALG1": (0, 1), "ALG2": (0, 0), "MAT1": (0, 1),
    }  # fmt: skip
    back = run(sqlite_site, "category;parent\nMAT;SCI\n")
    assert [note.code for note in back.outcomes[0].notes] == ["category_stays_hidden"]
    assert run(sqlite_site, "category;parent;visible\nMAT;SCI;1\n").counts == {"updated": 1}
    assert seen(sqlite_site) == before | {"ARTS": (0, 0)}


def test_a_category_with_content_goes_only_where_a_row_says_where_that_goes(moodle_site: MoodleSite) -> None:
    tree(moodle_site)
    faults = faults_of(moodle_site)
    refused = run(moodle_site, "cmd;category;contentto\ndel;MAT;\ndel;MAT;ALG\ndel;MAT;NOPE\n")
    assert refused.codes == ["category_holds_content", "category_content_inside", "category_unknown"]
    maths = category(moodle_site, "MAT")
    cohort = moodle_site.insert(
        "cohort", name="CO", contextid=moodle_site.one("context", contextlevel=40, instanceid=maths["id"])["id"],
        descriptionformat=1, timecreated=7, timemodified=7,
    )  # fmt: skip

    result = run(moodle_site, "cmd;category;contentto\ndel;MAT;ARTS\n")

    assert result.codes == ["category_deleted"]
    assert [note.params for note in result.outcomes[0].notes] == [{"courses": 1, "categories": 1, "target": "Arts"}]
    arts, science = category(moodle_site, "ARTS"), category(moodle_site, "SCI")
    assert category(moodle_site, "ALG")["parent"] == arts["id"]
    assert moodle_site.one("course", shortname="MAT1")["category"] == arts["id"]
    assert not moodle_site.rows("course_categories", idnumber="MAT")
    home = moodle_site.one("context", contextlevel=40, instanceid=science["id"])["id"]
    assert moodle_site.one("cohort", id=cohort)["contextid"] == home
    assert_tree_is_whole(moodle_site)
    assert_sound(moodle_site, but=faults)
    assert run(moodle_site, "cmd;category;contentto\ndel;MAT;ARTS\n").codes == ["category_absent"]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_rows_may_make_move_and_delete_the_same_things(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    tree(sqlite_site)
    text = (
        "cmd;category;name;parent;contentto\nadd;NEW;New;/;\nadd;MAT;;NEW;\ndel;SCI;;;\ndel;MAT;;;ARTS\ndel;NEW;;;\nadd;NEW;Again;ARTS;\n"
        "del;ARTS;;;NEW\ndel;ALG;;;1\n"
    )
    result = run(sqlite_site, text, chunk_rows=chunk_rows)
    assert result.codes == [
        "category_created", "category_updated", "category_deleted", "category_deleted", "category_deleted", "category_created",
        "category_content_inside", "category_unknown",
    ]  # fmt: skip
    assert_tree_is_whole(sqlite_site)
    again = run(sqlite_site, text, chunk_rows=chunk_rows, simulate=True)
    assert again.codes[:5] == [
        "category_updated", "category_name_missing", "category_absent", "category_absent", "category_deleted",
    ]  # fmt: skip


def test_a_category_that_keeps_questions_or_is_the_last_stays(sqlite_site: MoodleSite) -> None:
    tree(sqlite_site)
    context = sqlite_site.one("context", contextlevel=40, instanceid=category(sqlite_site, "ARTS")["id"])["id"]
    bank = sqlite_site.insert("question_categories", name="Bank", contextid=context, info="", stamp="x+1", parent=0)
    sqlite_site.insert("question_bank_entries", questioncategoryid=bank)
    result = run(sqlite_site, "cmd;category;contentto\ndel;ARTS;\ndel;ARTS;SCI\n")
    assert result.codes == ["category_holds_bank"] * 2
    assert result.outcomes[0].params["questions"] == 1


def test_paths_name_what_is_there_and_make_the_last_name_only(moodle_site: MoodleSite) -> None:
    by_path = {"categoryidentifier": "path"}
    text = (
        "category;name;parent;idnumber\nScience;;;S\nScience/Maths;;;\nScience/Maths/A\\/B;;;\nNope/Maths;;;\nArts;;;\n"
    )
    result = run(moodle_site, text, **by_path)
    assert result.codes == [*["category_created"] * 3, "category_path_unknown", "category_created"]
    assert (
        moodle_site.one("course_categories", name="A/B")["parent"]
        == moodle_site.one("course_categories", name="Maths")["id"]
    )
    renamed = "category;name;parent\nScience/Maths;Mathematics;Arts\nScience/Maths;Mathematics;Arts\n"
    assert run(moodle_site, renamed, **by_path).codes == ["category_updated", "category_unchanged"]
    assert run(moodle_site, renamed, **by_path).counts == {"unchanged": 2}
    assert_tree_is_whole(moodle_site)


def test_idnumbers_are_unique_and_one_that_is_renamed_is_found_again(sqlite_site: MoodleSite) -> None:
    tree(sqlite_site)
    text = "category;idnumber\nMAT;MATHS\n"
    assert run(sqlite_site, text).codes == ["category_updated"]
    assert run(sqlite_site, text).codes == ["category_unchanged"]
    assert run(sqlite_site, "category;idnumber;name\nMATHS;;\nMATHS;ALG;\nFRESH;;\nFRESH;SCI;Name\n").codes == [
        "category_unchanged", "category_idnumber_taken", "category_name_missing", "category_updated",
    ]  # fmt: skip
    assert run(sqlite_site, "cmd;category;name\nupdate;FRESH;Name\nadd;X;Arts\n").codes == [
        "category_unknown",
        "category_created",
    ]


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_what_is_made_and_moved_comes_last_in_the_order_of_the_file(moodle_site: MoodleSite, chunk_rows: int) -> None:
    tree(moodle_site)
    text = (
        "category;name;idnumber;parent\nFirst;;I1;/\nSecond;;;/\nSciences;;;First\nThird;;I3;/\nFourth;;;/\nFirst/Sciences;;;/\n"
        "Second;;;Third\nFifth;;;/\nThird/Inner;;I4;\nThird/Inner;;;/\n"
    )
    result = run(moodle_site, text, categoryidentifier="path", chunk_rows=chunk_rows)
    assert "rejected" not in result.counts, result.report
    top = sorted(moodle_site.rows("course_categories", parent=0), key=lambda row: int(row["sortorder"]))
    names = [row["name"] for row in top]
    assert names[names.index("First") :] == ["First", "Third", "Fourth", "Sciences", "Fifth", "Inner"]
    assert_tree_is_whole(moodle_site)


def test_nothing_goes_into_one_of_two_that_a_path_may_mean(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "categories", "category;name\nT1;Twin\nT2;Twin\n", categoryidentifier="idnumber")
    text = "category;name;parent\nTwin;;\nTwin/In;;\nTwin/Was/Deeper;;\nTwin/Old;New;\nFresh;;Twin\nTwin/Fresh;;/\n"
    before = sqlite_site.snapshot()
    assert {*run_file(sqlite_site, "categories", text).codes} == {"category_ambiguous"}
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_a_category_that_is_not_where_its_path_says_is_not_made_elsewhere(sqlite_site: MoodleSite) -> None:
    """Such a row was to move a category that is called or stands otherwise; the new one would be empty."""
    made = run_file(sqlite_site, "categories", "category;parent\nSci;\nSci/Maths;Sci\nArts;/\nDrama;Arts\n")
    assert made.codes == ["category_created"] * 4
    before = sqlite_site.rows("course_categories")
    text = "category;parent\nSci/Math;Arts\nScience/Maths;Arts\nScience/Maths;/\nSci/Math;/\n"
    refused = run_file(sqlite_site, "categories", text)
    assert refused.codes == [
        "category_place_differs", "category_path_unknown", "category_path_unknown", "category_place_differs",
    ]  # fmt: skip
    assert sqlite_site.rows("course_categories") == before
    for _twice in range(2):
        moved = run_file(sqlite_site, "categories", "category;parent\nSci/Maths;Arts\n")
        assert "rejected" not in moved.counts


def test_a_second_of_the_same_name_is_made_and_told(sqlite_site: MoodleSite) -> None:
    tree(sqlite_site)
    result = run(sqlite_site, "category;name;parent\nOTHER;Algebra;MAT\n")
    assert [note.code for note in result.outcomes[0].notes] == ["category_name_shared"]
    refused = run(sqlite_site, "category;visible\nSciences/Mathematics/Algebra;0\n", categoryidentifier="path")
    assert refused.codes == ["category_ambiguous"]


@pytest.mark.parametrize("count", [2, 60])
def test_the_number_of_queries_is_that_of_one_row(sqlite_site: MoodleSite, count: int) -> None:
    header = "category;name;parent;visible;description\n"
    run(sqlite_site, header + "FIRST;Brings the order in order;/;1;words\n")
    few = run(sqlite_site, header + "A0;Name 0;/;1;words\n")
    text = header + "".join(f"B{n};Name {n};/;1;words\n" for n in range(count))
    assert run(sqlite_site, text).queries == few.queries


def test_a_header_of_categories_is_recognised() -> None:
    assert guess_processor({"category", "name", "parent"}) == "categories"
    assert guess_processor({"cmd", "category", "idnumber", "contentto"}, "whatever.csv") == "categories"


@pytest.mark.parametrize(
    ("header", "row", "options"),
    [
        ("cmd;category;idnumber", "del;GONE;ARTS", {}),
        ("cmd;category;name;parent", "del;Gone;Arts;/", {"categoryidentifier": "path"}),
    ],
)
def test_a_row_deletes_what_it_names_alone(
    sqlite_site: MoodleSite, header: str, row: str, options: dict[str, Any]
) -> None:
    tree(sqlite_site)
    result = run(sqlite_site, f"{header}\n{row}\n", **options)
    assert result.codes == ["category_absent"]
    assert category(sqlite_site, "ARTS")


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_category_that_may_be_meant_for_another_is_said(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    sqlite_site.execute("UPDATE {course_categories} SET name = 'Science', idnumber = 'SCI' WHERE id = 1")
    names = ("SCI", "Science > Physics", "Science\\Maths", "Science » Art", "Arts > Music", "Science/SCI", "MED", "A|B")
    rows = "".join(f"{name};{name if name == 'MED' else ''}\n" for name in names)
    result = run_file(sqlite_site, "categories", f"category;idnumber\n{rows}", chunk_rows=chunk_rows)
    assert result.codes == ["category_created"] * len(names)
    like_path = ["category_named_like_path"]
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        ["category_named_like_idnumber"], like_path, like_path, like_path, [], [], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_category_that_a_course_brings_may_be_meant_for_another(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    sqlite_site.execute("UPDATE {course_categories} SET name = 'Science', idnumber = 'SCI' WHERE id = 1")
    names = ("SCI", "SCI", "Science > Physics", "Science/Physics", "Science", "Arts > Music")
    rows = "".join(f"N{place};Name;{name};\n" for place, name in enumerate(names))
    # A row that is rejected makes no category.
    text = f"shortname;fullname;category;enddate\nN9;Name;SCI;2001-01-01\n{rows}"
    result = run_file(sqlite_site, "courses", text, chunk_rows=chunk_rows)
    assert result.codes == ["course_dates_reversed"] + ["course_created"] * len(names)
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        [], ["category_named_like_idnumber"], [], ["category_named_like_path"], [], [], [],
    ]  # fmt: skip
    assert "the idnumber of the category “Science”" in result.report
