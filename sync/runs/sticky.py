"""Sticky fields of a site: the rules that people set, and what ToolSync left last in Moodle where a rule asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction

from sync.audit.services import record_saved
from sync.columns.column import PrefixedColumn
from sync.errors import OptionError
from sync.models import AuditKind, MoodleSite, StickyField, SyncRun, WrittenValue
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.processors.base.processor import Processor
from sync.processors.base.sticky import Place, StickyColumn, StickyFields, StickyRule, places_of
from sync.processors.registry import KEYS, REGISTRY
from sync.runs.options import find_processor, processor_of
from sync.runs.retry import own_database
from sync.runs.rights import OPERATOR, Responsible


def rules_of(site: MoodleSite, processor: str) -> dict[str, str]:
    """Return the rules of a file type: column -> rule. Queries: one"""
    fields = StickyField.objects.filter(site=site, processor=processor).order_by("column")
    return dict(fields.values_list("column", "rule"))


def rules_for(run: SyncRun) -> dict[str, str]:
    """Return the rules that a run goes by if it begins now. An undo brings back what was there, whatever the column."""
    return {} if run.undoes_id is not None else rules_of(run.site, run.processor)


def save_rules(
    site: MoodleSite, processor: str, rules: Mapping[str, str], *, by: Responsible = OPERATOR
) -> None:  # fmt: skip
    """Keep the rules of a file type, in place of those that it has. Raises: OptionError"""
    kept = stored_form(processor, rules)
    with transaction.atomic():
        before = rules_of(site, processor)
        StickyField.objects.filter(site=site, processor=processor).delete()
        StickyField.objects.bulk_create(
            StickyField(site=site, processor=processor, column=column, rule=rule) for column, rule in kept.items()
        )
        record_saved(site, AuditKind.SETTINGS, by, processor, before=_shown(before), after=_shown(kept))
        _forget_unwatched(site)


def stored_form(processor: str, rules: Mapping[str, str]) -> dict[str, str]:
    """Return rules as they are stored: by the names of columns that the header has, without those that say nothing.

    Raises: OptionError for a column that is unknown or can't have a rule, and for a rule that is unknown or doesn't fit
    """
    file_type = find_processor(processor)
    stored: dict[str, str] = {}
    for given, rule in rules.items():
        name, sticky = _find(file_type, given)
        _check(name, sticky, rule)
        is_one_of_family = isinstance(sticky.column, PrefixedColumn) and name != sticky.column.name
        if rule != StickyRule.ALWAYS or is_one_of_family:
            stored[name] = rule
    return stored


def sticky_fields(run: SyncRun) -> StickyFields:
    """Return the rules that a run goes by, as its processor takes them. Raises: OptionError. Queries: one"""
    file_type = processor_of(run)
    rules = {name: StickyRule(rule) for name, rule in _checked(run).items()}
    return StickyFields(rules, file_type.sticky_columns, watched_places(run.site), SiteWritten(run.site))


def watched_places(site: MoodleSite) -> frozenset[Place]:
    """Return the places of which is kept what ToolSync leaves there. Queries: one"""
    asking: dict[str, dict[str, str]] = defaultdict(dict)
    fields = StickyField.objects.filter(site=site, rule=StickyRule.PERSON, processor__in=KEYS)
    for processor, column, rule in fields.values_list("processor", "column", "rule"):
        asking[processor][column] = rule
    return frozenset(
        place for key, rules in asking.items() for place in places_of(REGISTRY[key].sticky_columns, rules)
    )  # fmt: skip


class SiteWritten:
    """What ToolSync left last in the Moodle of one site."""

    def __init__(self, site: MoodleSite) -> None:
        self._site = site

    @own_database()
    def digests(self, place: Place, rowids: Collection[int]) -> Mapping[int, str]:
        """Return the digests of what it left in rows. Queries: one per 10,000 rows"""
        values = WrittenValue.objects.filter(site=self._site, table=place.table, column=place.column)
        found: dict[int, str] = {}
        for part in batched(sorted(rowids), MAX_KEYS):
            found.update(values.filter(rowid__in=part).values_list("rowid", "digest"))
        return found


def keep_written(site: MoodleSite, written: Mapping[tuple[str, int, str], str], *, only_known: bool = False) -> None:
    """Keep what a committed chunk left. Twice is harmless. Queries: two or three per place and 10,000 rows

    Shape: only_known: only where it is known already what ToolSync wrote last: what an undo brings back may be a person's
    """
    by_place: dict[Place, dict[int, str]] = defaultdict(dict)
    for (table, rowid, column), digest in written.items():
        by_place[Place(table, column)][rowid] = digest
    for (table, column), digests in by_place.items():
        for part in batched(sorted(digests), MAX_KEYS):
            stored = WrittenValue.objects.filter(site=site, table=table, column=column, rowid__in=part)
            kept = set(stored.values_list("rowid", flat=True)) if only_known else set(part)
            stored.delete()
            WrittenValue.objects.bulk_create(
                WrittenValue(site=site, table=table, column=column, rowid=rowid, digest=digests[rowid])
                for rowid in part
                if rowid in kept
            )  # fmt: skip


def _forget_unwatched(site: MoodleSite) -> None:
    """Forget what ToolSync left where no rule asks for it: kept on, it would be out of date when one asks again."""
    watched = watched_places(site)
    for table, column in WrittenValue.objects.filter(site=site).values_list("table", "column").distinct():
        if Place(table, column) not in watched:
            WrittenValue.objects.filter(site=site, table=table, column=column).delete()


def _checked(run: SyncRun) -> dict[str, str]:
    return stored_form(run.processor, run.sticky) if run.sticky else {}


def _find(file_type: type[Processor], given: str) -> tuple[str, StickyColumn]:
    """Return the canonical name that a column is given by, and its declaration. Raises: OptionError"""
    name = given.strip().lower()
    stickies = {sticky.column: sticky for sticky in file_type.sticky_columns}
    if (family := next((column for column in stickies if column.name == name), None)) is not None:
        return name, stickies[family]
    found = file_type.columns.find(name)
    if found is None:
        names = ", ".join(sticky.column.shown_name for sticky in file_type.sticky_columns)
        raise OptionError("sticky_column_unknown", column=given, columns=names)
    column, canonical = found
    if column not in stickies:
        identifies = column.names or column.name in file_type.columns.one_of
        code = "sticky_column_identifies" if identifies else "sticky_column_not_updated"
        raise OptionError(code, column=given)
    return canonical, stickies[column]


def _check(name: str, sticky: StickyColumn, rule: str) -> None:
    if rule not in set(StickyRule):
        raise OptionError("sticky_rule_unknown", column=name, rule=rule, rules=", ".join(StickyRule))
    if rule not in rules_for_column(sticky):
        code = "sticky_column_needed" if rule == StickyRule.NEVER else "sticky_writer_unknown"
        raise OptionError(code, column=name)


def rules_for_column(sticky: StickyColumn) -> list[StickyRule]:
    """Return the rules that a column may have: what is new needs some, and of some it can't be known who wrote last."""
    left_out: Iterable[StickyRule] = (
        *((StickyRule.NEVER,) if sticky.column.filled else ()),
        *((StickyRule.PERSON,) if not sticky.places else ()),
    )
    return [rule for rule in StickyRule if rule not in left_out]


def _shown(rules: Mapping[str, str]) -> dict[str, str]:
    return {f"sticky {name}": rule for name, rule in rules.items()}
