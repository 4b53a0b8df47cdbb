"""What each option of a reset takes out of a course: Moodle's knowledge of its activities, as data.

Source: reset_course_userdata() and the reset_userdata() of Moodle's activities, 4.1 to 5.1; spec courses.md section 4.3
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE

# Options with code of their own: sync.moodle.course_content.reset.reset.
GROUPS_MEMBERS, GROUPS_REMOVE = "groups_members", "groups_remove"
GROUPINGS_MEMBERS, GROUPINGS_REMOVE = "groupings_members", "groupings_remove"
ITEMS, GRADES = "gradebook_items", "gradebook_grades"
# Not an option by itself: assignments lose their grades where the gradebook loses them as well.
ASSIGN_GRADES = "assign_grades"


class Rows(NamedTuple):
    """Rows of one table that go, with all that hangs on them. Shape: only: a condition below, or "column=value"."""

    table: str
    only: str = ""


@dataclass(frozen=True)
class ResetRule:
    """What an option takes away.

    Shape: module: the activity it belongs to, "" = the course; is_default: it is on when its activity is reset; rows: in the
    order in which they go; files_of: tables whose rows stay while their files go; regrades: the grades of the activity go too
    """

    option: str
    rows: tuple[Rows, ...]
    module: str = ""
    is_default: bool = True
    files_of: tuple[str, ...] = ()
    regrades: bool = False


def _overrides(module: str) -> tuple[ResetRule, ResetRule]:
    table = f"{module}_overrides"
    return (
        ResetRule(f"{module}_user_overrides", (Rows(table, "of people"),), module),
        ResetRule(f"{module}_group_overrides", (Rows(table, "of groups"),), module),
    )  # fmt: skip


def _rows(*tables: str) -> tuple[Rows, ...]:
    return tuple(map(Rows, tables))


# In the order in which they are carried out. Groups, grades and enrolments have code of their own.
RULES = (
    ResetRule("events", (Rows("event", "of no activity"),)),
    ResetRule("notes", (Rows("post", "module=notes"),)),
    ResetRule("blog_associations", _rows("blog_association")),
    ResetRule("completion", _rows(
        "course_modules_completion", "course_modules_viewed", "course_completions", "course_completion_crit_compl",
    )),
    ResetRule("competency_ratings", _rows("competency_usercompcourse")),
    ResetRule("roles_overrides", _rows("role_capabilities")),
    ResetRule("roles_local", (Rows("role_assignments", "below the course"),)),
    ResetRule(GROUPS_MEMBERS, _rows("groups_members")),
    ResetRule(GROUPS_REMOVE, _rows("groups")),
    ResetRule(GROUPINGS_MEMBERS, _rows("groupings_groups")),
    ResetRule(GROUPINGS_REMOVE, _rows("groupings")),
    ResetRule("assign_submissions", _rows(
        "assignfeedback_comments", "assignfeedback_file", "assignfeedback_editpdf_annot", "assignfeedback_editpdf_cmnt",
        "assignfeedback_editpdf_rot", "assign_submission", "assign_user_flags",
    ), "assign", files_of=("assign_grades",)),
    ResetRule(ASSIGN_GRADES, _rows("assign_mark", "assign_allocated_marker", "assign_grades"), "assign", is_default=False),
    *_overrides("assign"),
    ResetRule("bigbluebuttonbn_events", (Rows("event", "modulename=bigbluebuttonbn"),), "bigbluebuttonbn", is_default=False),
    ResetRule("bigbluebuttonbn_tags", (Rows("tag_instance", "component=mod_bigbluebuttonbn"),), "bigbluebuttonbn",
         is_default=False),
    ResetRule("bigbluebuttonbn_logs", _rows("bigbluebuttonbn_logs"), "bigbluebuttonbn", is_default=False),
    ResetRule("bigbluebuttonbn_recordings", _rows("bigbluebuttonbn_recordings"), "bigbluebuttonbn", is_default=False),
    ResetRule("book_tags", (Rows("tag_instance", "component=mod_book"),), "book", is_default=False),
    ResetRule("chat", _rows("chat_messages", "chat_messages_current", "chat_users"), "chat"),
    ResetRule("choice", _rows("choice_answers"), "choice"),
    ResetRule("data", _rows("data_records"), "data", is_default=False, regrades=True),
    ResetRule("data_notenrolled", (Rows("data_records", "of strangers"),), "data", is_default=False),
    ResetRule("data_ratings", (Rows("rating", "component=mod_data"),), "data", regrades=True),
    ResetRule("data_comments", (Rows("comments", "commentarea=database_entry"),), "data"),
    ResetRule("data_tags", (Rows("tag_instance", "itemtype=data_records"),), "data", is_default=False),
    ResetRule("feedback", _rows("feedback_completed"), "feedback"),
    ResetRule("forum_all", (
        Rows("forum_discussions", "of several"), Rows("forum_posts", "replies"), Rows("forum_read"),
        Rows("forum_track_prefs"), Rows("forum_queue"), Rows("rating", "component=mod_forum"),
    ), "forum", regrades=True),
    ResetRule("forum_digests", _rows("forum_digests"), "forum", is_default=False),
    ResetRule("forum_subscriptions", _rows("forum_subscriptions", "forum_discussion_subs"), "forum", is_default=False),
    ResetRule("forum_track_prefs", _rows("forum_track_prefs"), "forum", is_default=False),
    ResetRule("forum_ratings", (Rows("rating", "component=mod_forum"),), "forum", regrades=True),
    ResetRule("forum_tags", (Rows("tag_instance", "itemtype=forum_posts"),), "forum", is_default=False),
    ResetRule("glossary_all", _rows("glossary_entries_categories", "glossary_entries"), "glossary", is_default=False,
         regrades=True),
    ResetRule("glossary_notenrolled", (Rows("glossary_entries", "of strangers"),), "glossary", is_default=False),
    ResetRule("glossary_ratings", (Rows("rating", "component=mod_glossary"),), "glossary", regrades=True),
    ResetRule("glossary_comments", (Rows("comments", "commentarea=glossary_entry"),), "glossary"),
    ResetRule("glossary_tags", (Rows("tag_instance", "itemtype=glossary_entries"),), "glossary", is_default=False),
    ResetRule("h5pactivity", _rows("h5pactivity_attempts", "xapi_states"), "h5pactivity", regrades=True),
    ResetRule("lesson", _rows("lesson_timer", "lesson_grades", "lesson_attempts", "lesson_branch"), "lesson", regrades=True),
    *_overrides("lesson"),
    ResetRule("quiz_attempts", (Rows("question_usages", "component=mod_quiz"), Rows("quiz_attempts"), Rows("quiz_grades")),
         "quiz", regrades=True),
    *_overrides("quiz"),
    ResetRule("scorm", _rows("scorm_scoes_track", "scorm_attempt"), "scorm", regrades=True),
    ResetRule("survey_answers", _rows("survey_answers", "survey_analysis"), "survey"),
    ResetRule("survey_analysis", _rows("survey_analysis"), "survey"),
    ResetRule("wiki_pages", _rows("wiki_subwikis"), "wiki", is_default=False),
    ResetRule("wiki_tags", (Rows("tag_instance", "itemtype=wiki_pages"),), "wiki", is_default=False),
    ResetRule("wiki_comments", (Rows("comments", "commentarea=wiki_page"),), "wiki", is_default=False),
    ResetRule("workshop_assessments", (Rows("workshop_assessments", "not of examples"), Rows("workshop_aggregations")),
         "workshop"),
    ResetRule("workshop_submissions", (Rows("workshop_submissions", "example=0"),), "workshop"),
    ResetRule(ITEMS, (
        Rows("grade_items", "of no activity"), Rows("grade_categories", "below the first"), *_rows(
            "grade_outcomes", "grade_outcomes_courses", "scale", "grade_settings",
        ),
    )),
    ResetRule("comments", (Rows("comments", "commentarea=page_comments"),)),
)  # fmt: skip

RULE_OF = {rule.option: rule for rule in RULES}
# What is only set back: option -> table, column, what it is set to, and the condition.
SET_BACK = {
    "assign_submissions": ("assign", "revealidentities", 0, "blindmarking=1"),
    "workshop_phase": ("workshop", "phase", 10, ""),
}


# What else goes with what an option takes: the option -> those of which nothing is left then.
_TAKEN_TOO = {
    "data": ("data_notenrolled", "data_ratings", "data_comments", "data_tags"),
    "glossary_all": ("glossary_notenrolled", "glossary_ratings", "glossary_comments", "glossary_tags"),
    "forum_all": ("forum_ratings",),
    "wiki_pages": ("wiki_tags", "wiki_comments"),
    "survey_answers": ("survey_analysis",),
    GROUPS_REMOVE: (
        GROUPS_MEMBERS, GROUPINGS_MEMBERS, "assign_group_overrides", "lesson_group_overrides", "quiz_group_overrides",
    ),
    GROUPINGS_REMOVE: (GROUPINGS_MEMBERS,),
}  # fmt: skip


def taken_rows(options: Collection[str]) -> set[Rows]:
    """Return of which rows nothing is left once these options were carried out."""
    taken = {*options, *(other for option in options for other in _TAKEN_TOO.get(option, ()))}
    return {rows for option in taken if option in RULE_OF for rows in RULE_OF[option].rows}


def module_defaults() -> dict[str, tuple[str, ...]]:
    """Return the options that are on when an activity is reset. Shape: module -> options; () = nothing of people in it"""
    found: dict[str, list[str]] = {module: [] for module in load_graph().modules}
    for rule in RULES:
        if rule.module and rule.is_default:
            found.setdefault(rule.module, []).append(rule.option)
    found["workshop"].append("workshop_phase")
    return {module: tuple(options) for module, options in found.items()}


def completed(options: Collection[str]) -> frozenset[str]:
    """Return options with those that follow from them."""
    found = set(options)
    if "workshop_submissions" in found:
        found.add("workshop_assessments")
    if ITEMS in found:
        found.add(GRADES)
    if found >= {"assign_submissions", GRADES}:
        found.add(ASSIGN_GRADES)
    return frozenset(found)


def condition(session: MoodleSession, rows: Rows) -> list[sa.ColumnElement[bool]]:
    """Return what rows must hold besides belonging to a course. Shape: of none: []"""
    table = session.table(rows.table)
    if not rows.only:
        return []
    if rows.only in _CONDITIONS:
        return [_CONDITIONS[rows.only](session, table)]
    column, value = rows.only.split("=")
    return [table.c[column] == (int(value) if value.isdigit() else value)]


def _of_no_activity(_session: MoodleSession, table: sa.Table) -> sa.ColumnElement[bool]:
    """Moodle deletes calendar entries and grade items of activities too, and makes them again."""
    if "itemtype" in table.c:
        return table.c.itemtype.in_(("manual", "category"))
    return sa.func.coalesce(table.c.modulename, "").in_(("", "0"))


def _below_the_course(session: MoodleSession, assignment: sa.Table) -> sa.ColumnElement[bool]:
    context = session.table("context")
    return assignment.c.contextid.not_in(sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_COURSE))


def _of_several(session: MoodleSession, discussion: sa.Table) -> sa.ColumnElement[bool]:
    """Forums for a single discussion can't be used without it."""
    forum = session.table("forum")
    return discussion.c.forum.not_in(sa.select(forum.c.id).where(forum.c.type == "single"))


def _not_of_examples(session: MoodleSession, assessment: sa.Table) -> sa.ColumnElement[bool]:
    """How the teacher assesses an example is no work of a participant."""
    submission = session.table("workshop_submissions")
    examples = sa.select(submission.c.id).where(submission.c.example == 1)
    return sa.or_(assessment.c.weight != 1, assessment.c.submissionid.not_in(examples))


def _of_strangers(session: MoodleSession, record: sa.Table) -> sa.ColumnElement[bool]:
    """By people who aren't enrolled in the course."""
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    activity, key = ("data", "dataid") if "dataid" in record.c else ("glossary", "glossaryid")
    activities = session.table(activity)
    return ~sa.exists().where(
        enrolment.c.userid == record.c.userid,
        enrol.c.id == enrolment.c.enrolid,
        activities.c.id == record.c[key],
        activities.c.course == enrol.c.courseid,
    )


_CONDITIONS: Mapping[str, Callable[[MoodleSession, sa.Table], sa.ColumnElement[bool]]] = {
    "of no activity": _of_no_activity,
    "below the course": _below_the_course,
    "below the first": lambda _session, category: category.c.depth > 1,
    "of people": lambda _session, override: override.c.userid.is_not(None),
    "of groups": lambda _session, override: override.c.groupid.is_not(None),
    "of several": _of_several,
    "replies": lambda _session, post: post.c.parent != 0,
    "not of examples": _not_of_examples,
    "of strangers": _of_strangers,
}
