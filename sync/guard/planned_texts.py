"""What a plan would do, in words: the conditional beside the past of `sync/guard/messages.py`."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import ngettext

from sync.guard.messages import KIND_TEXTS, Counted
from sync.messages import Quantity

# Kind of object and what would become of it -> how many of them, in words.
PLANNED_TEXTS: Mapping[str, Counted] = {
    "users.created": lambda n: ngettext("%(count)s user would be created", "%(count)s users would be created", n),
    "users.updated": lambda n: ngettext("%(count)s user would be changed", "%(count)s users would be changed", n),
    "users.suspended": lambda n: ngettext("%(count)s user would be suspended", "%(count)s users would be suspended", n),
    "users.deleted": lambda n: ngettext("%(count)s user would be deleted", "%(count)s users would be deleted", n),
    "enrolments.created": lambda n: ngettext(
        "%(count)s enrolment would be added", "%(count)s enrolments would be added", n
    ),
    "enrolments.updated": lambda n: ngettext(
        "%(count)s enrolment would be changed", "%(count)s enrolments would be changed", n
    ),
    "enrolments.suspended": lambda n: ngettext(
        "%(count)s enrolment would be suspended", "%(count)s enrolments would be suspended", n
    ),
    "enrolments.deleted": lambda n: ngettext(
        "%(count)s enrolment would be taken away", "%(count)s enrolments would be taken away", n
    ),
    "roles.created": lambda n: ngettext("%(count)s role would be given", "%(count)s roles would be given", n),
    "roles.updated": lambda n: ngettext("%(count)s role would be changed", "%(count)s roles would be changed", n),
    "roles.deleted": lambda n: ngettext("%(count)s role would be taken away", "%(count)s roles would be taken away", n),
    "groups.created": lambda n: ngettext("%(count)s group would be created", "%(count)s groups would be created", n),
    "groups.updated": lambda n: ngettext("%(count)s group would be changed", "%(count)s groups would be changed", n),
    "groups.deleted": lambda n: ngettext("%(count)s group would be deleted", "%(count)s groups would be deleted", n),
    "group_members.created": lambda n: ngettext(
        "%(count)s group member would be added", "%(count)s group members would be added", n
    ),
    "group_members.updated": lambda n: ngettext(
        "%(count)s group member would be changed", "%(count)s group members would be changed", n
    ),
    "group_members.deleted": lambda n: ngettext(
        "%(count)s group member would be taken out", "%(count)s group members would be taken out", n
    ),
    "cohorts.created": lambda n: ngettext("%(count)s cohort would be created", "%(count)s cohorts would be created", n),
    "cohorts.updated": lambda n: ngettext("%(count)s cohort would be changed", "%(count)s cohorts would be changed", n),
    "cohorts.deleted": lambda n: ngettext("%(count)s cohort would be deleted", "%(count)s cohorts would be deleted", n),
    "cohort_members.created": lambda n: ngettext(
        "%(count)s cohort member would be added", "%(count)s cohort members would be added", n
    ),
    "cohort_members.updated": lambda n: ngettext(
        "%(count)s cohort member would be changed", "%(count)s cohort members would be changed", n
    ),
    "cohort_members.deleted": lambda n: ngettext(
        "%(count)s cohort member would be taken out", "%(count)s cohort members would be taken out", n
    ),
    "courses.created": lambda n: ngettext("%(count)s course would be created", "%(count)s courses would be created", n),
    "courses.updated": lambda n: ngettext("%(count)s course would be changed", "%(count)s courses would be changed", n),
    "courses.filled": lambda n: ngettext(
        "content would be added to %(count)s course", "content would be added to %(count)s courses", n
    ),
    "courses.reset": lambda n: ngettext("%(count)s course would be reset", "%(count)s courses would be reset", n),
    "courses.hidden": lambda n: ngettext("%(count)s course would be hidden", "%(count)s courses would be hidden", n),
    "courses.deleted": lambda n: ngettext("%(count)s course would be deleted", "%(count)s courses would be deleted", n),
    "categories.created": lambda n: ngettext(
        "%(count)s category would be created", "%(count)s categories would be created", n
    ),
    "categories.updated": lambda n: ngettext(
        "%(count)s category would be changed", "%(count)s categories would be changed", n
    ),
    "categories.deleted": lambda n: ngettext(
        "%(count)s category would be deleted", "%(count)s categories would be deleted", n
    ),
    "methods.created": lambda n: ngettext(
        "%(count)s enrolment method would be added", "%(count)s enrolment methods would be added", n
    ),
    "methods.updated": lambda n: ngettext(
        "%(count)s enrolment method would be changed", "%(count)s enrolment methods would be changed", n
    ),
    "methods.suspended": lambda n: ngettext(
        "%(count)s enrolment method would be switched off", "%(count)s enrolment methods would be switched off", n
    ),
    "methods.deleted": lambda n: ngettext(
        "%(count)s enrolment method would be deleted", "%(count)s enrolment methods would be deleted", n
    ),
    "preferences.created": lambda n: ngettext(
        "%(count)s preference would be set", "%(count)s preferences would be set", n
    ),
    "preferences.updated": lambda n: ngettext(
        "%(count)s preference would be changed", "%(count)s preferences would be changed", n
    ),
    "preferences.deleted": lambda n: ngettext(
        "%(count)s preference would be unset", "%(count)s preferences would be unset", n
    ),
    "pictures.updated": lambda n: ngettext("%(count)s picture would be set", "%(count)s pictures would be set", n),
    "mails.sent": lambda n: ngettext("%(count)s mail would be sent", "%(count)s mails would be sent", n),
}


def change_texts(totals: Mapping[str, int], *, is_planned: bool) -> list[str]:
    """Return what a plan would do, or a run did, in words: "2,961 users would be created", "2,961 users created"."""
    texts = PLANNED_TEXTS if is_planned else KIND_TEXTS
    known = [kind for kind in texts if totals.get(kind)]
    return [_text(texts.get(kind), kind, totals[kind]) for kind in (*known, *sorted(totals.keys() - texts.keys()))]


def _text(text: Counted | None, kind: str, count: int) -> str:
    number = Quantity(count)
    return f"{number} {kind}" if text is None else text(count) % {"count": number}
