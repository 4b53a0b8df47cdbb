"""Each check finds its damage, and no other check takes it for its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.check import CheckContext, IntegrityFinding
from sync.moodle.integrity.messages import TEXTS as CONTENT_TEXTS
from sync.moodle.integrity.report import checks_of
from tests.moodle.integrity.ground import HASH, STUDENT, Ground, make_ground
from tests.moodle_sites import MoodleSite
from tests.soundness import report_of

GONE = 999_999
# Gives the ids of the rows that are to be blamed.
Act = Callable[[Ground], list[int]]


class Damage(NamedTuple):
    """What is done to a sound Moodle.

    Shape: course: to which it belongs, "" = no course; entails: what can't but be wrong as well
    """

    code: str
    table: str
    how: str
    act: Act
    course: str = "C1"
    entails: tuple[str, ...] = ()


def the(name: str) -> Callable[[Ground], Any]:
    return lambda ground: ground.ids[name]


def _resolved(ground: Ground, values: dict[str, Any]) -> dict[str, Any]:
    return {column: value(ground) if callable(value) else value for column, value in values.items()}


def add(table: str, **values: Any) -> Act:
    return lambda ground: [ground.add("new", table, **_resolved(ground, values))]


def change(name: str, table: str, **values: Any) -> Act:
    def act(ground: Ground) -> list[int]:
        ground.change(name, table, **_resolved(ground, values))
        return [ground.ids[name]]

    return act


def remove(name: str, table: str, blamed: str) -> Act:
    def act(ground: Ground) -> list[int]:
        ground.site.execute(f"DELETE FROM {{{table}}} WHERE id = :id", id=ground.ids[name])
        return [ground.ids[blamed]]

    return act


def with_more(act: Act, *more: Act) -> Act:
    def both(ground: Ground) -> list[int]:
        blamed = act(ground)
        for another in more:
            another(ground)
        return blamed

    return both


def without_blob(ground: Ground) -> list[int]:
    ground.blob.unlink()
    return [ground.ids["file"]]


def with_short_blob(ground: Ground) -> list[int]:
    ground.blob.write_bytes(ground.blob.read_bytes()[:-1])
    return [ground.ids["file"]]


def file_of_no_context(ground: Ground) -> list[int]:
    return [ground.add_file("new", "/", ".", contextid=GONE)]


SLOT = {"component": "mod_quiz", "questionarea": "slot", "itemid": GONE, "usingcontextid": the("quiz context")}
ELSEWHERE = {"component": "mod_other", "questionarea": "place", "itemid": 1, "usingcontextid": GONE}
ROLE = {"roleid": STUDENT, "contextid": the("C1 context"), "userid": the("ann"), "component": "", "itemid": 0}

DAMAGES = (
    # --- contexts
    Damage("context_instance_missing", "context", "an activity went without it",
           add("context", contextlevel=70, instanceid=GONE, path="/1/5", depth=2), ""),
    Damage("context_path_wrong", "context", "path", change("page context", "context", path="/1/2")),
    Damage("context_path_wrong", "context", "depth", change("block context", "context", depth=9)),
    Damage("context_path_wrong", "context", "no path", change("bare context", "context", path=None)),
    Damage("context_path_wrong", "context", "path of a category", change("category context", "context", path="/2"), ""),
    Damage("context_missing", "course_categories", "none", remove("category context", "context", "category"), ""),
    Damage("context_missing", "course", "none", remove("C2 context", "context", "C2"), "C2"),
    Damage("context_not_made", "course_modules", "none", remove("bare context", "context", "bare")),
    Damage("context_not_made", "block_instances", "none", remove("block context", "context", "block")),
    Damage("block_place_missing", "block_instances", "gone", change("block", "block_instances", parentcontextid=GONE), ""),
    # --- categories
    Damage("category_parent_missing", "course_categories", "gone", change("category", "course_categories", parent=GONE), ""),
    Damage("category_path_wrong", "course_categories", "path", change("category", "course_categories", path="/9"), ""),
    Damage("category_path_wrong", "course_categories", "depth", change("category", "course_categories", depth=2), ""),
    Damage("category_count_wrong", "course_categories", "count", change("category", "course_categories", coursecount=7), ""),
    Damage("category_order_wrong", "course_categories", "gap", change("category", "course_categories", sortorder=25_000), ""),
    Damage("course_category_missing", "course", "gone", change("C2", "course", category=GONE), "C2", ("category_count_wrong",)),
    Damage("course_order_wrong", "course", "gap", change("C2", "course", sortorder=10_009), ""),
    Damage("course_order_wrong", "course", "twice the same", change("C2", "course", sortorder=10_001), ""),
    Damage("course_not_in_order_yet", "course", "none", change("C2", "course", sortorder=0), "C2"),
    # --- sections and activities
    Damage("section_course_missing", "course_sections", "gone",
           add("course_sections", course=GONE, section=1, sequence=""), ""),
    Damage("course_module_course_missing", "course_modules", "moved", change("bare", "course_modules", course=GONE), "",
           ("course_module_instance_missing", "course_module_not_in_section", "section_sequence_wrong")),
    Damage("section_sequence_wrong", "course_sections", "unknown activity",
           change("empty section", "course_sections", sequence=str(GONE))),
    Damage("section_sequence_wrong", "course_sections", "listed twice",
           change("second section", "course_sections", sequence=lambda ground: "{0},{0}".format(ground.ids["bare"]))),
    Damage("section_sequence_wrong", "course_sections", "of another course",
           add("course_sections", course=the("C2"), section=1, sequence=lambda ground: str(ground.ids["bare"])),
           "C2"),
    Damage("course_module_not_in_section", "course_modules", "not listed",
           with_more(change("bare", "course_modules", added=1), change("second section", "course_sections", sequence=None))),
    Damage("course_module_not_in_section", "course_modules", "listed elsewhere",
           change("bare", "course_modules", section=the("empty section"))),
    Damage("course_module_not_in_section", "course_modules", "listed there and elsewhere",
           with_more(change("bare", "course_modules", added=1),
                    change("empty section", "course_sections", sequence=lambda ground: str(ground.ids["bare"])))),
    Damage("course_module_type_unknown", "course_modules", "gone", change("bare", "course_modules", module=GONE),
           entails=("activity_course_module_missing",)),
    Damage("course_module_instance_missing", "course_modules", "gone", remove("bare row", "page", "bare")),
    Damage("course_module_instance_missing", "course_modules", "of another course",
           with_more(change("bare", "course_modules", added=1), change("bare row", "page", course=the("C2")))),
    Damage("activity_course_module_missing", "page", "none", add("page", course=the("C1"))),
    Damage("section_delegate_missing", "course_sections", "gone",
           add("course_sections", course=the("C1"), section=9, sequence="", component="mod_subsection", itemid=GONE)),
    Damage("subsection_section_missing", "subsection", "none", remove("delegated section", "course_sections", "subsection row")),
    # --- enrolments and roles
    Damage("enrol_course_missing", "enrol", "gone", add("enrol", courseid=GONE, enrol="manual"), ""),
    Damage("user_enrolment_method_missing", "user_enrolments", "gone",
           add("user_enrolments", enrolid=GONE, userid=the("ann")), ""),
    Damage("user_enrolment_user_missing", "user_enrolments", "gone",
           add("user_enrolments", enrolid=the("C2 manual"), userid=GONE), "C2"),
    Damage("user_enrolment_user_missing", "user_enrolments", "deleted",
           with_more(change("enrolment", "user_enrolments", timestart=0), change("ann", "user", deleted=1)),
           entails=("role_assignment_user_missing",)),
    Damage("role_assignment_role_missing", "role_assignments", "gone", add("role_assignments", **{**ROLE, "roleid": GONE})),
    Damage("role_assignment_context_missing", "role_assignments", "gone",
           add("role_assignments", **{**ROLE, "contextid": GONE}), ""),
    Damage("role_assignment_user_missing", "role_assignments", "gone", add("role_assignments", **{**ROLE, "userid": GONE})),
    Damage("role_assignment_without_enrolment", "role_assignments", "of another course",
           add("role_assignments", **{**ROLE, "component": "enrol_manual", "itemid": the("C2 manual")})),
    Damage("role_assignment_without_enrolment", "role_assignments", "unenrolled",
           with_more(change("role", "role_assignments", sortorder=0), change("enrolment", "user_enrolments", userid=2)),
           entails=("user_enrolment_without_role", "group_member_not_enrolled")),
    Damage("user_enrolment_without_role", "user_enrolments", "none", remove("role", "role_assignments", "enrolment")),
    Damage("role_assignment_twice", "role_assignments", "again",
           add("role_assignments", **{**ROLE, "component": "enrol_cohort", "itemid": the("cohort method")})),
    # --- groups
    Damage("group_course_missing", "groups", "gone", add("groups", courseid=GONE), ""),
    Damage("grouping_course_missing", "groupings", "gone", add("groupings", courseid=GONE), ""),
    Damage("group_member_group_missing", "groups_members", "gone", add("groups_members", groupid=GONE, userid=the("ann")), ""),
    Damage("group_member_not_enrolled", "groups_members", "never", add("groups_members", groupid=the("group"), userid=2)),
    Damage("group_member_not_enrolled", "groups_members", "enrolled elsewhere",
           add("groups_members", groupid=the("C2 group"), userid=the("ann")), "C2"),
    Damage("grouping_across_courses", "groupings_groups", "of another course",
           add("groupings_groups", groupingid=the("grouping"), groupid=the("C2 group")), "C2"),
    Damage("grouping_across_courses", "groupings_groups", "no grouping", remove("grouping", "groupings", "group in grouping")),
    Damage("grouping_across_courses", "groupings_groups", "no group",
           add("groupings_groups", groupingid=the("grouping"), groupid=GONE)),
    Damage("course_default_grouping_missing", "course", "of another course",
           change("C2", "course", defaultgroupingid=the("grouping")), "C2"),
    # --- gradebook
    Damage("grade_item_course_missing", "grade_items", "gone", add("grade_items", courseid=GONE, itemtype="manual"), ""),
    Damage("grade_category_course_missing", "grade_categories", "gone",
           add("grade_categories", courseid=GONE, parent=None, depth=1), "", ("grade_category_path_wrong",)),
    Damage("grade_item_category_wrong", "grade_items", "gone", change("manual item", "grade_items", categoryid=GONE)),
    Damage("grade_item_category_wrong", "grade_items", "of another course",
           add("grade_items", courseid=the("C2"), itemtype="manual", categoryid=the("grade category")), "C2"),
    Damage("grade_item_instance_missing", "grade_items", "total of none",
           change("course total", "grade_items", iteminstance=GONE)),
    Damage("grade_item_instance_missing", "grade_items", "course total of a category below",
           change("course total", "grade_items", iteminstance=the("grade subcategory"))),
    Damage("grade_item_instance_missing", "grade_items", "no activity", change("quiz item", "grade_items", iteminstance=GONE)),
    Damage("grade_item_instance_missing", "grade_items", "unknown type", change("quiz item", "grade_items", itemmodule="none")),
    Damage("grade_item_scale_missing", "grade_items", "gone", change("manual item", "grade_items", scaleid=GONE)),
    Damage("grade_category_path_wrong", "grade_categories", "path", change("grade subcategory", "grade_categories", path="/9/")),
    Damage("grade_category_path_wrong", "grade_categories", "depth", change("grade subcategory", "grade_categories", depth=3)),
    Damage("grade_category_path_wrong", "grade_categories", "no parent",
           change("grade subcategory", "grade_categories", parent=GONE)),
    Damage("grade_category_second_root", "grade_categories", "two",
           change("grade subcategory", "grade_categories", parent=None, depth=1,
                  path=lambda ground: f"/{ground.ids['grade subcategory']}/")),
    Damage("grade_without_item", "grade_grades", "gone", add("grade_grades", itemid=GONE, userid=the("ann")), ""),
    # --- questions
    Damage("question_category_context_missing", "question_categories", "gone",
           add("question_categories", contextid=GONE, parent=0), ""),
    Damage("question_category_parent_wrong", "question_categories", "gone",
           change("question category", "question_categories", parent=GONE)),
    Damage("question_category_parent_wrong", "question_categories", "in another context",
           add("question_categories", contextid=the("C2 context"), parent=the("top question category")), "C2"),
    Damage("question_entry_category_missing", "question_bank_entries", "gone",
           add("question_bank_entries", questioncategoryid=GONE), ""),
    Damage("question_version_entry_missing", "question_versions", "gone",
           add("question_versions", questionbankentryid=GONE, version=1, questionid=the("question")), ""),
    Damage("question_version_question_missing", "question_versions", "gone",
           add("question_versions", questionbankentryid=the("entry"), version=2, questionid=GONE), ""),
    Damage("question_parent_missing", "question", "gone", change("question", "question", parent=GONE), ""),
    Damage("question_without_version", "question", "none", add("question", parent=0), ""),
    Damage("question_entry_without_version", "question_bank_entries", "none",
           add("question_bank_entries", questioncategoryid=the("question category"))),
    Damage("question_reference_entry_missing", "question_references", "gone",
           change("reference", "question_references", questionbankentryid=GONE)),
    Damage("question_reference_version_missing", "question_references", "gone",
           change("reference", "question_references", version=2)),
    Damage("question_reference_context_missing", "question_references", "gone",
           add("question_references", **ELSEWHERE, questionbankentryid=the("entry"), version=None), ""),
    Damage("question_reference_context_missing", "question_set_references", "gone",
           add("question_set_references", **ELSEWHERE, questionscontextid=the("C1 context")), ""),
    Damage("question_set_context_missing", "question_set_references", "gone",
           change("set reference", "question_set_references", questionscontextid=GONE)),
    Damage("question_reference_slot_wrong", "question_references", "gone",
           add("question_references", **SLOT, questionbankentryid=the("entry"), version=None)),
    Damage("question_reference_slot_wrong", "question_references", "of another quiz",
           change("reference", "question_references", usingcontextid=the("page context"))),
    Damage("question_reference_slot_wrong", "question_set_references", "gone",
           add("question_set_references", **SLOT, questionscontextid=the("C1 context"))),
    Damage("quiz_slot_quiz_missing", "quiz_slots", "gone", add("quiz_slots", quizid=GONE, slot=1, page=1), ""),
    Damage("quiz_slot_without_question", "quiz_slots", "none", remove("reference", "question_references", "slot")),
    Damage("quiz_slot_order_wrong", "quiz_slots", "gap", change("random slot", "quiz_slots", slot=3)),
    Damage("quiz_slot_order_wrong", "quiz_slots", "pages go back", change("random slot", "quiz_slots", page=0)),
    Damage("quiz_section_slot_missing", "quiz_sections", "gone",
           add("quiz_sections", quizid=the("quiz row"), firstslot=9)),
    # --- files
    Damage("file_context_missing", "files", "gone", file_of_no_context, ""),
    Damage("file_place_hash_wrong", "files", "another", change("file", "files", pathnamehash="0" * 40)),
    Damage("file_folder_missing", "files", "none", remove("folder", "files", "file")),
    Damage("file_folder_with_content", "files", "a content", change("folder", "files", contenthash=HASH)),
    Damage("file_alias_missing", "files", "gone", change("alias", "files", referencefileid=GONE)),
    Damage("file_content_missing", "files", "not there", without_blob),
    Damage("file_content_missing", "files", "broken off", with_short_blob),
)  # fmt: skip
# Every server with another version. SQLite meets all damages, and the others every second of what can be broken each: these
# tests are many, and the statements of one check are built like those of the next.
SITES = ("sqlite:4.5", "mariadb:5.1", "postgresql:4.1")
ONE_OF_EACH = {(damage.code, damage.table): damage for damage in DAMAGES}
SINCE_45 = {"section_delegate_missing", "subsection_section_missing"}


def cases() -> Iterator[ParameterSet]:
    sqlite, mariadb, postgresql = SITES
    shared: dict[str, list[Damage]] = {sqlite: list(DAMAGES), mariadb: [], postgresql: []}
    for place, damage in enumerate(ONE_OF_EACH.values()):
        shared[mariadb if place % 2 or damage.code in SINCE_45 else postgresql].append(damage)
    for name, damages in shared.items():
        for damage in damages:
            said = f"{damage.code}: {damage.table}: {damage.how}"
            yield pytest.param(name, damage, marks=pytest.mark.xdist_group(name), id=f"{name}: {said}")


@pytest.fixture
def ground(moodle_site: MoodleSite, tmp_path: Path) -> Ground:
    return make_ground(moodle_site, tmp_path)


def findings(ground: Ground, *shortnames: str) -> dict[tuple[str, str], IntegrityFinding]:
    report = report_of(ground.site, *shortnames, pool=ground.pool)
    return {(finding.code, finding.table.removeprefix(ground.site.prefix)): finding for finding in report.findings}


@pytest.mark.parametrize(
    "moodle_site", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SITES], indirect=True
)
def test_the_ground_is_sound(ground: Ground) -> None:
    assert findings(ground) == {}
    assert findings(ground, "C1", "C2") == {}


@pytest.mark.parametrize(("moodle_site", "damage"), list(cases()), indirect=["moodle_site"])
def test_a_check_finds_its_damage_and_no_other_does(ground: Ground, damage: Damage) -> None:
    blamed = damage.act(ground)

    found = findings(ground)

    finding = found[damage.code, damage.table]
    assert (finding.rows, finding.ids) == (len(blamed), tuple(blamed))
    assert {code for code, _table in found} == {damage.code, *damage.entails}


@pytest.mark.parametrize(
    "damage",
    [pytest.param(damage, id=f"{damage.code}: {damage.table}: {damage.how}") for damage in ONE_OF_EACH.values()],
)
def test_a_course_is_blamed_for_its_own_damage_only(sqlite_site: MoodleSite, tmp_path: Path, damage: Damage) -> None:
    ground = make_ground(sqlite_site, tmp_path)
    damage.act(ground)
    for shortname in ("C1", "C2"):
        if shortname == "C2" and damage.code == "context_missing" and damage.table == "course":
            continue  # nothing finds a course that has no context

        blamed = {code for code, _table in findings(ground, shortname)} - set(damage.entails)

        assert blamed == ({damage.code} if damage.course == shortname else set())


def test_every_check_is_tried(sqlite_site: MoodleSite) -> None:
    tried = {(damage.code, damage.table) for damage in DAMAGES}
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url))
    with moodle.session() as session:
        look = CheckContext(session)
        made = {(check.code, check.table) for check in checks_of(look)}
    moodle.dispose()
    # Made for each type of activity; pages stand for all.
    of_each = {("activity_course_module_missing", module) for module in look.modules}
    assert made - of_each == tried - of_each
    assert tried & of_each == {("activity_course_module_missing", "page")}


def test_every_check_has_a_text() -> None:
    assert {damage.code for damage in DAMAGES} == CONTENT_TEXTS.keys() - {"content_without_pool"}
