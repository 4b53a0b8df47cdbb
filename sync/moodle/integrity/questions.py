"""The question bank and the quizzes that use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, dangling, lacks
from sync.moodle.versions import CONTEXT_MODULE


def _category_out_of_its_context(look: CheckContext) -> sa.Select[Any]:
    category, parent = look.table("question_categories"), look.table("question_categories")
    is_its_own = (parent.c.id == category.c.parent, parent.c.contextid == category.c.contextid)
    return sa.select(category.c.id).where(
        category.c.parent != 0, lacks(parent, *is_its_own), *look.contexts(category.c.contextid)
    )


def _without_version(look: CheckContext) -> sa.Select[Any]:
    question, version = look.table("question"), look.table("question_versions")
    return sa.select(question.c.id).where(lacks(version, version.c.questionid == question.c.id))


def _entry_without_version(look: CheckContext) -> sa.Select[Any]:
    entry, version, category = map(look.table, ("question_bank_entries", "question_versions", "question_categories"))
    return (
        sa.select(entry.c.id)
        .select_from(entry.join(category, category.c.id == entry.c.questioncategoryid))
        .where(lacks(version, version.c.questionbankentryid == entry.c.id), *look.contexts(category.c.contextid))
    )


def _version_missing(look: CheckContext) -> sa.Select[Any]:
    reference, version = look.table("question_references"), look.table("question_versions")
    is_meant = (
        version.c.questionbankentryid == reference.c.questionbankentryid, version.c.version == reference.c.version
    )  # fmt: skip
    return sa.select(reference.c.id).where(
        reference.c.version.is_not(None), lacks(version, *is_meant), *look.contexts(reference.c.usingcontextid)
    )


def _slot_missing(look: CheckContext, table: str) -> sa.Select[Any]:
    """References of quizzes whose slot isn't there, or is in a quiz of another context."""
    reference, slot, quiz = look.table(table), look.table("quiz_slots"), _quiz_contexts(look)
    its_slot = slot.join(quiz, quiz.c.quizid == slot.c.quizid)
    return sa.select(reference.c.id).where(
        reference.c.component == "mod_quiz",
        reference.c.questionarea == "slot",
        lacks(its_slot, slot.c.id == reference.c.itemid, quiz.c.contextid == reference.c.usingcontextid),
        *look.contexts(reference.c.usingcontextid),
    )


def _quiz_contexts(look: CheckContext) -> sa.Subquery:
    cm, context = look.table("course_modules"), look.table("context")
    return (
        sa.select(cm.c.instance.label("quizid"), context.c.id.label("contextid"))
        .select_from(
            cm.join(context, sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id))
        )
        .where(cm.c.module == look.modules.get("quiz", 0))
        .subquery()
    )


def _slot_without_question(look: CheckContext) -> sa.Select[Any]:
    slot, quiz = look.table("quiz_slots"), look.table("quiz")
    nowhere = []
    for table in ("question_references", "question_set_references"):
        reference = look.table(table)
        is_its_own = (reference.c.component == "mod_quiz", reference.c.questionarea == "slot")
        nowhere.append(lacks(reference, *is_its_own, reference.c.itemid == slot.c.id))
    joined = slot.join(quiz, quiz.c.id == slot.c.quizid)
    return sa.select(slot.c.id).select_from(joined).where(*nowhere, *look.courses(quiz.c.course))


def _slots_out_of_order(look: CheckContext) -> Iterator[int]:
    """The slots of a quiz are numbered from 1 on, and their pages only rise."""
    slot, quiz = look.table("quiz_slots"), look.table("quiz")
    statement = (
        sa.select(slot.c.id, slot.c.quizid, slot.c.slot, slot.c.page)
        .select_from(slot.join(quiz, quiz.c.id == slot.c.quizid))
        .where(*look.courses(quiz.c.course))
        .order_by(slot.c.quizid, slot.c.slot)
    )
    current, place, last_page = None, 0, 0
    for slotid, quizid, number, page in look.stream(statement):
        if quizid != current:
            current, place, last_page = quizid, 0, 0
        place += 1
        if number != place or page < last_page:
            yield slotid
        last_page = page


def _section_without_slot(look: CheckContext) -> sa.Select[Any]:
    """A quiz without questions has one section, which begins with slot 1."""
    section, slot, quiz = look.table("quiz_sections"), look.table("quiz_slots"), look.table("quiz")
    is_its_first = (slot.c.quizid == section.c.quizid, slot.c.slot == section.c.firstslot)
    joined = section.join(quiz, quiz.c.id == section.c.quizid)
    return sa.select(section.c.id).select_from(joined).where(
        section.c.firstslot != 1, lacks(slot, *is_its_first), *look.courses(quiz.c.course)
    )  # fmt: skip


_QUIZ = ("quiz", "quiz_slots")

CHECKS = (
    dangling("question_category_context_missing", "question_categories", "contextid", "context"),
    Check("question_category_parent_wrong", "question_categories", _category_out_of_its_context),
    dangling("question_entry_category_missing", "question_bank_entries", "questioncategoryid", "question_categories"),
    dangling("question_version_entry_missing", "question_versions", "questionbankentryid", "question_bank_entries"),
    dangling("question_version_question_missing", "question_versions", "questionid", "question"),
    dangling("question_parent_missing", "question", "parent", "question", optional=True),
    Check("question_without_version", "question", _without_version, of_site=True),
    Check("question_entry_without_version", "question_bank_entries", _entry_without_version),
    dangling(
        "question_reference_entry_missing", "question_references", "questionbankentryid", "question_bank_entries",
        context="usingcontextid",
    ),
    Check("question_reference_version_missing", "question_references", _version_missing),
    dangling("question_reference_context_missing", "question_references", "usingcontextid", "context"),
    dangling("question_reference_context_missing", "question_set_references", "usingcontextid", "context"),
    dangling(
        "question_set_context_missing", "question_set_references", "questionscontextid", "context", context="usingcontextid"
    ),
    Check("question_reference_slot_wrong", "question_references", lambda look: _slot_missing(look, "question_references"), _QUIZ),
    Check(
        "question_reference_slot_wrong", "question_set_references",
        lambda look: _slot_missing(look, "question_set_references"), _QUIZ,
    ),
    dangling("quiz_slot_quiz_missing", "quiz_slots", "quizid", "quiz"),
    Check("quiz_slot_without_question", "quiz_slots", _slot_without_question, _QUIZ),
    Check("quiz_slot_order_wrong", "quiz_slots", _slots_out_of_order, _QUIZ),
    Check("quiz_section_slot_missing", "quiz_sections", _section_without_slot, _QUIZ),
)  # fmt: skip
