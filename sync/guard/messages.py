"""Texts about plans, and why a person has to decide on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.formats import localize
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from sync.guard.limits import ScopeKind
from sync.messages import PluralText, Quantity, text_of
from sync.values import Note

TEXTS: dict[str, Any] = {
    "guard_count": _("at most %(limit)s may be without a person's approval."),
    "guard_percent": _("that is %(percent)s %% of %(total)s, at most %(limit)s %% may be without a person's approval."),
    "guard_scope_empty": _("There is nothing in Moodle any more to which this name fits. Mend the limits, or approve."),
    "guard_scope_uncounted": _(
        "These limits are younger than the plan, which doesn't know how much it is. Make it again."
    ),
    "guard_fewer_rows": PluralText(
        lambda n: ngettext(
            "The file has %(count)s row, the last one that was carried out had %(before)s: was it cut short?",
            "The file has %(count)s rows, the last one that was carried out had %(before)s: was it cut short?",
            n,
        )
    ),
    "guard_smaller_file": _(
        "The file has %(size)s bytes, the last one that was carried out had %(before)s: was it cut short?"
    ),
    "guard_rekeyed": PluralText(
        lambda n: ngettext(
            "%(count)s of the %(gone)s users who would go comes back as one of the %(created)s new ones, by name or address: did "
            "people get other usernames or numbers?",
            "%(count)s of the %(gone)s users who would go come back among the %(created)s new ones, by name or address: did "
            "people get other usernames or numbers?",
            n,
        )
    ),
    "newer_file_done": _(
        "Run %(run)s has carried out a newer file of this feed since (%(name)s): what this one does may take back what that has "
        "done."
    ),
    "plan_old_on_resume": _(
        "The plan of this run is older than %(hours)s hours. What has changed in Moodle since was not seen when it was decided "
        "on: look at what is left before it goes on."
    ),
    "guard_second_person": _(
        "A second person has to approve it: none of those who asked for it, planned it, handed in its file or set its schedule."
    ),
    "totals_beyond_plan": _(
        "Moodle has changed so much since the plan was made that the run would take away more than was planned and than the "
        "limits allow (%(kind)s: %(count)s). What is done stays done; send the file again, so that it is planned anew."
    ),
    "guard_rejected": PluralText(
        lambda n: ngettext(
            "%(count)s row of %(rows)s can't be carried out: did a column turn empty, or change its meaning?",
            "%(count)s rows of %(rows)s can't be carried out: did a column turn empty, or change its meaning?",
            n,
        )
    ),
    "bundle_asks": PluralText(
        lambda n: ngettext(
            "%(count)s file was planned. Look at what it would do, then let it be carried out.",
            "%(count)s files were planned together. Look at what they would do, then let them be carried out.",
            n,
        )
    ),
    "plan_removes": _("to be confirmed."),
    "plan_incomplete": _("The plan was not made to its end. Simulate the file again."),
    "plan_of_another": _("The plan was made for another file, file type or site. Simulate this file again."),
    "plan_expired": _(
        "The plan is older than %(hours)s hours. Moodle may have changed since: simulate the file again."
    ),
    "plan_made_on_another": _(
        "The plan was made with other versions (%(changed)s), to which it may mean something else. Simulate the file again."
    ),
    "plan_made_under_other_rules": _(
        "Other rules of sticky fields were set since the plan was made, under which rows may come to something else. Nothing was "
        "written. Simulate the file again."
    ),
    "plan_damaged": _(
        "The stored plan is damaged or gone in the part up to line %(line)s. Nothing was written. Simulate the file again."
    ),
    "plan_applied_before": _(
        "The plan was applied already, as run %(run)s. Simulate the file again to see what is left."
    ),
    "changed_since_plan": _(
        "Moodle has changed since the plan was made: the row would do something else now, so nothing was done. Send it again."
    ),
    "limits_unreadable": _(
        "The limit of “%(kind)s” can't be read. Enter a percentage and a number, or leave them empty."
    ),
    "scope_twice": _("There are limits of this scope already."),
    "scope_category_unknown": _("No category has the idnumber or number “%(name)s”."),
    "scope_category_ambiguous": _(
        "%(count)s categories have the idnumber “%(name)s”: enter the number of the one that is meant."
    ),
    "scope_cohorts_unknown": _(
        "No cohort has an idnumber that begins with “%(name)s”, in these capital and small letters."
    ),
    "decision_refused": _("You may not decide on this run. Ask somebody who may approve runs."),
    "decision_too_late": _("The run waits for nobody any more: look at its state."),
    "decision_number_wrong": _("Type %(count)s to confirm: that is what would be taken away."),
    "approver_without_right": _(
        "%(name)s, who approved this, is no active user of ToolSync any more or may not approve it. Nothing was done. "
        "Somebody who may approve runs must decide again."
    ),
    "approver_gone_on_resume": _(
        "%(name)s, who let this run go on, is no active user of ToolSync any more or may not do so. It stays as it is: "
        "somebody who may must take it up again."
    ),
    "run_expired": _("Nobody decided on the run within %(hours)s hours. Nothing was written. Send the file again."),
}

Counted = Callable[[int], str]

# Kind of object -> how many of them there are, in words.
OBJECT_TEXTS: Mapping[str, Counted] = {
    "categories": lambda n: ngettext("%(count)s category", "%(count)s categories", n),
    "courses": lambda n: ngettext("%(count)s course", "%(count)s courses", n),
    "methods": lambda n: ngettext("%(count)s enrolment method", "%(count)s enrolment methods", n),
    "enrolments": lambda n: ngettext("%(count)s enrolment", "%(count)s enrolments", n),
    "roles": lambda n: ngettext("%(count)s role", "%(count)s roles", n),
    "groups": lambda n: ngettext("%(count)s group", "%(count)s groups", n),
    "group_members": lambda n: ngettext("%(count)s group member", "%(count)s group members", n),
    "cohorts": lambda n: ngettext("%(count)s cohort", "%(count)s cohorts", n),
    "cohort_members": lambda n: ngettext("%(count)s cohort member", "%(count)s cohort members", n),
    "users": lambda n: ngettext("%(count)s user", "%(count)s users", n),
}
# Kind of object and what becomes of it -> how many of them, in words.
KIND_TEXTS: Mapping[str, Counted] = {
    "users.created": lambda n: ngettext("%(count)s user created", "%(count)s users created", n),
    "users.updated": lambda n: ngettext("%(count)s user changed", "%(count)s users changed", n),
    "users.suspended": lambda n: ngettext("%(count)s user suspended", "%(count)s users suspended", n),
    "users.deleted": lambda n: ngettext("%(count)s user deleted", "%(count)s users deleted", n),
    "enrolments.created": lambda n: ngettext("%(count)s enrolment added", "%(count)s enrolments added", n),
    "enrolments.updated": lambda n: ngettext("%(count)s enrolment changed", "%(count)s enrolments changed", n),
    "enrolments.suspended": lambda n: ngettext("%(count)s enrolment suspended", "%(count)s enrolments suspended", n),
    "enrolments.deleted": lambda n: ngettext("%(count)s enrolment taken away", "%(count)s enrolments taken away", n),
    "roles.created": lambda n: ngettext("%(count)s role given", "%(count)s roles given", n),
    "roles.updated": lambda n: ngettext("%(count)s role changed", "%(count)s roles changed", n),
    "roles.deleted": lambda n: ngettext("%(count)s role taken away", "%(count)s roles taken away", n),
    "groups.created": lambda n: ngettext("%(count)s group created", "%(count)s groups created", n),
    "groups.updated": lambda n: ngettext("%(count)s group changed", "%(count)s groups changed", n),
    "groups.deleted": lambda n: ngettext("%(count)s group deleted", "%(count)s groups deleted", n),
    "group_members.created": lambda n: ngettext("%(count)s group member added", "%(count)s group members added", n),
    "group_members.updated": lambda n: ngettext("%(count)s group member changed", "%(count)s group members changed", n),
    "group_members.deleted": lambda n: ngettext(
        "%(count)s group member taken out", "%(count)s group members taken out", n
    ),
    "cohorts.created": lambda n: ngettext("%(count)s cohort created", "%(count)s cohorts created", n),
    "cohorts.updated": lambda n: ngettext("%(count)s cohort changed", "%(count)s cohorts changed", n),
    "cohorts.deleted": lambda n: ngettext("%(count)s cohort deleted", "%(count)s cohorts deleted", n),
    "cohort_members.created": lambda n: ngettext("%(count)s cohort member added", "%(count)s cohort members added", n),
    "cohort_members.updated": lambda n: ngettext(
        "%(count)s cohort member changed", "%(count)s cohort members changed", n
    ),
    "cohort_members.deleted": lambda n: ngettext(
        "%(count)s cohort member taken out", "%(count)s cohort members taken out", n
    ),
    "courses.created": lambda n: ngettext("%(count)s course created", "%(count)s courses created", n),
    "courses.updated": lambda n: ngettext("%(count)s course changed", "%(count)s courses changed", n),
    "courses.filled": lambda n: ngettext("content added to %(count)s course", "content added to %(count)s courses", n),
    "courses.reset": lambda n: ngettext("%(count)s course reset", "%(count)s courses reset", n),
    "courses.hidden": lambda n: ngettext("%(count)s course hidden", "%(count)s courses hidden", n),
    "courses.deleted": lambda n: ngettext("%(count)s course deleted", "%(count)s courses deleted", n),
    "categories.created": lambda n: ngettext("%(count)s category created", "%(count)s categories created", n),
    "categories.updated": lambda n: ngettext("%(count)s category changed", "%(count)s categories changed", n),
    "categories.deleted": lambda n: ngettext("%(count)s category deleted", "%(count)s categories deleted", n),
    "methods.created": lambda n: ngettext("%(count)s enrolment method added", "%(count)s enrolment methods added", n),
    "methods.updated": lambda n: ngettext(
        "%(count)s enrolment method changed", "%(count)s enrolment methods changed", n
    ),
    "methods.suspended": lambda n: ngettext(
        "%(count)s enrolment method switched off", "%(count)s enrolment methods switched off", n
    ),
    "methods.deleted": lambda n: ngettext(
        "%(count)s enrolment method deleted", "%(count)s enrolment methods deleted", n
    ),
    "preferences.created": lambda n: ngettext("%(count)s preference set", "%(count)s preferences set", n),
    "preferences.updated": lambda n: ngettext("%(count)s preference changed", "%(count)s preferences changed", n),
    "preferences.deleted": lambda n: ngettext("%(count)s preference unset", "%(count)s preferences unset", n),
    "pictures.updated": lambda n: ngettext("%(count)s picture set", "%(count)s pictures set", n),
    "mails.sent": lambda n: ngettext("%(count)s mail", "%(count)s mails", n),
}


def kind_text(kind: str, count: int) -> str:
    """Return "397 users deleted"; the bare kind for one that nobody has named."""
    text = KIND_TEXTS.get(kind)
    return f"{Quantity(count)} {kind}" if text is None else text(count) % {"count": Quantity(count)}


def total_texts(totals: Mapping[str, int]) -> list[str]:
    """Return what a plan does, in words, in the order of `KIND_TEXTS`."""
    known = [kind for kind in KIND_TEXTS if totals.get(kind)]
    return [kind_text(kind, totals[kind]) for kind in (*known, *sorted(totals.keys() - KIND_TEXTS.keys()))]


def reason_text(note: Note) -> str:
    """Return why a person has to decide, as a sentence."""
    params = {name: _localized(value) for name, value in note.params.items()}
    if (file := params.pop("file", "")) != "":
        reason = reason_text(Note(note.code, {name: value for name, value in note.params.items() if name != "file"}))
        return gettext("%(file)s: %(reason)s") % {"file": file, "reason": reason}
    text = text_of(note.code, params)
    if kind := note.params.get("kind"):
        text = gettext("%(what)s: %(limit)s") % {"what": kind_text(kind, note.params["count"]), "limit": text}
    if scope := note.params.get("scope"):
        text = gettext("%(where)s: %(reason)s") % {"where": scope_text(scope, note.params["name"]), "reason": text}
    return text


def found_text(found: Mapping[str, int]) -> str:
    """Return what is in a scope, in words. Shape: found: name of the objects -> how many"""
    return ", ".join(OBJECT_TEXTS[name](count) % {"count": Quantity(count)} for name, count in found.items())


def limit_texts(stored: Mapping[str, Any]) -> list[str]:
    """Return limits as they are stored in words, without those that are none; nothing for what can't be read."""
    texts: list[str] = []
    for kind, values in stored.items():
        percent, number = values if isinstance(values, list) and len(values) == 2 else (None, None)
        most = [] if percent is None else [gettext("%(percent)s %%") % {"percent": _localized(float(percent))}]
        most += [] if number is None else [str(number)]
        if most:
            what = kind_text(kind, 2).replace("2", "", 1).strip()
            texts.append(gettext("%(what)s: at most %(most)s") % {"what": what, "most": gettext(" or ").join(most)})
    return texts


def scope_text(kind: str, name: str) -> str:
    """Return what a scope is called."""
    text = gettext("Category “%(name)s”") if kind == ScopeKind.CATEGORY else gettext("Cohorts “%(name)s…”")
    return text % {"name": name}


def _localized(value: Any) -> Any:
    """Return 11.9 as people write it, and 10.0 as 10."""
    return localize(int(value) if value.is_integer() else value) if isinstance(value, float) else value
