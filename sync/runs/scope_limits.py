"""Limits of scopes, a category or cohorts: kept, counted while a plan is made, and what is judged of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property

from sync.audit.services import fields_of, record_saved
from sync.errors import OptionError
from sync.guard.judge import ScopeFacts
from sync.guard.limits import SCOPE_KINDS, Limit, Scope, ScopeKind, read_scope_limits, widest
from sync.models import AuditKind, MoodleSite, ScopeLimits, SyncRun
from sync.moodle.db.database import MoodleDatabase, MoodleSession
from sync.moodle.scopes import SitePart, count_in_parts, fetch_category_part, fetch_cohort_part, fetch_part_counts
from sync.processors.base.plan import Plan
from sync.processors.base.totals import TABLES
from sync.runs.connections import moodle_of
from sync.runs.rights import Responsible

_KEPT = ("kind", "name", "values")


class LimitedScope(NamedTuple):
    """A scope with its limits."""

    scope: Scope
    limits: Mapping[str, Limit]

    @property
    def kinds(self) -> list[str]:
        """Return the kinds that are limited."""
        return [kind for kind, limit in self.limits.items() if limit != Limit()]


def scopes_of(site: MoodleSite, processor: str) -> list[LimitedScope]:
    """Return the scopes that count for a file type, each with the type's own limits or else those of every type.

    Raises: OptionError where limits can't be read
    Queries: one
    """
    stored = ScopeLimits.objects.filter(site=site, processor__in=("", processor)).order_by("processor")
    chosen = {(each.kind, each.name): each.values for each in stored}
    scopes = [(Scope(ScopeKind(kind), name), values) for (kind, name), values in chosen.items()]
    return [LimitedScope(scope, read_scope_limits(scope.kind, values)) for scope, values in scopes]


def widest_scopes(site: MoodleSite, plans: Sequence[SyncRun]) -> list[LimitedScope]:
    """Return the scopes that count for several plans, each with the widest limits of those whose kinds the plans do.

    Raises: OptionError where limits can't be read
    Queries: one for each plan
    """
    found: dict[Scope, list[tuple[Mapping[str, Limit], Collection[str]]]] = {}
    for plan in plans:
        for scope, limits in scopes_of(site, plan.processor):
            found.setdefault(scope, []).append((limits, plan.totals))
    return [LimitedScope(scope, widest(limited)) for scope, limited in found.items()]


def stored_scopes(site: MoodleSite, processor: str) -> QuerySet[ScopeLimits]:
    """Return what is stored for a file type, or for every one that has none of its own ("")."""
    return ScopeLimits.objects.filter(site=site, processor=processor)


def save_scope(stored: ScopeLimits, limits: Mapping[str, Limit], person: Responsible) -> None:
    """Keep the limits of a scope. Shape: stored: perhaps new"""
    before = fields_of(ScopeLimits.objects.filter(pk=stored.pk).first() if stored.pk else None, _KEPT)
    stored.values = {kind: list(limits[kind]) for kind in SCOPE_KINDS[ScopeKind(stored.kind)]}
    with transaction.atomic():
        stored.save()
        record_saved(
            stored.site, AuditKind.SETTINGS, person, stored.processor, before=before, after=fields_of(stored, _KEPT)
        )


def set_scope(stored: ScopeLimits, name: str, limits: Mapping[str, Limit], person: Responsible) -> dict[str, int]:
    """Keep the limits of a scope that is there; return what is in it. Shape: stored: perhaps new; limits: others are none

    Raises: OptionError; MoodleError
    """
    kind = ScopeKind(stored.kind)
    if wrong := next((each for each in limits if each not in SCOPE_KINDS[kind]), None):
        raise OptionError("limits_unreadable", kind=wrong)
    others = stored_scopes(stored.site, stored.processor).exclude(pk=stored.pk)
    if others.filter(kind=kind, name=name).exists():
        raise OptionError("scope_twice")
    found = count_scope(stored.site, Scope(kind, name))
    stored.name = name
    try:
        save_scope(stored, {each: limits.get(each, Limit()) for each in SCOPE_KINDS[kind]}, person)
    except IntegrityError:
        # Somebody else was faster.
        raise OptionError("scope_twice") from None
    return found


def delete_scope(stored: ScopeLimits, person: Responsible) -> None:
    """Delete the limits of a scope."""
    with transaction.atomic():
        record_saved(
            stored.site, AuditKind.SETTINGS, person, stored.processor, before=fields_of(stored, _KEPT), after=None
        )
        stored.delete()


def count_scope(site: MoodleSite, scope: Scope) -> dict[str, int]:
    """Return what is in a scope now: name of the objects ("courses") -> how many.

    Raises: OptionError where nothing is; MoodleError
    """
    moodle = moodle_of(site)
    try:
        with moodle.session() as session:
            return _live(session, _part_of(session, scope), SCOPE_KINDS[scope.kind])
    finally:
        moodle.dispose()


class ScopeCounter:
    """Counts what the plans of one run change and take away in scopes, for the pipeline.

    Queries: two for each scope at first; for each chunk and limited kind of which it has something, one
    """

    def __init__(self, scopes: list[LimitedScope]) -> None:
        self._scopes = scopes
        self._parts: dict[str, SitePart] | None = None

    @cached_property
    def _kinds(self) -> dict[str, list[str]]:
        """Return by kind the keys of the scopes that limit it."""
        kinds: dict[str, list[str]] = {}
        for limited in self._scopes:
            for kind in limited.kinds:
                kinds.setdefault(kind, []).append(limited.scope.key)
        return kinds

    def count(self, moodle: MoodleSession, plan: Plan) -> dict[str, dict[str, int]]:
        """Return what a plan changes or takes away in each scope that is there: key of the scope -> totals."""
        if not self._scopes:
            return {}
        if self._parts is None:
            self._parts = _parts_of(moodle, self._scopes)
        found: dict[str, dict[str, int]] = {key: {} for key in self._parts}
        for kind, ids in plan.changed_ids().items():
            parts = {key: self._parts[key] for key in self._kinds.get(kind, ()) if key in self._parts}
            if parts:
                table = TABLES[kind.partition(".")[0]]
                for key, count in count_in_parts(moodle, parts, table, ids).items():
                    found[key][kind] = count
        return found


def scope_facts(
    totals: Mapping[str, int],
    scoped_totals: Mapping[str, Mapping[str, int]],
    scopes: Sequence[LimitedScope],
    moodle: MoodleDatabase,
) -> list[ScopeFacts]:
    """Return what is to be judged of scopes. Queries: for each that the plan may touch, one for each kind and one or two

    Shape: totals: of a plan, or of several, kind -> how many; scoped_totals: the same by key of the scope
    """
    concerned = [limited for limited in scopes if any(totals.get(kind) for kind in limited.kinds)]
    if not concerned:
        return []
    with moodle.session() as session:
        parts = _parts_of(session, concerned)
        facts: list[ScopeFacts] = []
        for scope, limits in concerned:
            counted = scoped_totals.get(scope.key)
            live = _live(session, parts[scope.key], counted or ()) if scope.key in parts else None
            facts.append(ScopeFacts(scope, limits, counted, live))
        return facts


def _live(session: MoodleSession, part: SitePart, kinds: Collection[str]) -> dict[str, int]:
    names = {kind.partition(".")[0]: TABLES[kind.partition(".")[0]] for kind in kinds}
    counts = fetch_part_counts(session, part, sorted(names.values()))
    return {name: counts[table] for name, table in names.items()}


def _parts_of(session: MoodleSession, scopes: list[LimitedScope]) -> dict[str, SitePart]:
    """Return by key the scopes that are there."""
    parts: dict[str, SitePart] = {}
    for scope, _limits in scopes:
        try:
            parts[scope.key] = _part_of(session, scope)
        except OptionError:
            # Held, where it matters: see the judge.
            continue
    return parts


def _part_of(session: MoodleSession, scope: Scope) -> SitePart:
    fetch = fetch_category_part if scope.kind is ScopeKind.CATEGORY else fetch_cohort_part
    return fetch(session, scope.name)
