"""Plan first: the dry run that a run applies, who has to agree to it, and whether it still may be applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from sync import __version__
from sync.audit.services import difference, record
from sync.columns.general_options import ABSENT_STAYS
from sync.commandfiles import storage
from sync.errors import PlanRefused
from sync.guard.judge import Judgement, PlanFacts, Verdict, ceilings, judge, judge_bundle
from sync.guard.limits import Limit, read_limits, stored_form, widest
from sync.models import AuditKind, GuardLimits, MoodleSite, RunState, SyncRun
from sync.models.run import COMPLETED_STATES, ORIGINS_OF_MADE_FILES, ORIGINS_OF_PEOPLE
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.scopes import fetch_row_counts
from sync.processors.base.absence import ABSENCE_DOUBTS
from sync.processors.base.totals import TABLES
from sync.runs.options import find_processor, guard_is_on, plan_hours
from sync.runs.pipeline_context import ChunkResult
from sync.runs.rekeying import suspect_rekeying
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.scope_limits import scope_facts, scopes_of, widest_scopes
from sync.runs.selectors import undoing_runs
from sync.runs.sticky import rules_for
from sync.values import Change
from sync.whole_files import digest_of

# What a file is complete for.
_SCOPE_OPTIONS = ("absentscope", "absentname", "absentmethod")
# Notes of a file that is a part of one, or may be: the size of another one says nothing beside it.
_PART_NOTES = frozenset({"absent_left_tryback", "absent_left_empty", "absent_left_short"})
# Of so many runs the last one whose file is whole is looked for.
_LOOKED_AT = 20

# What a plan has of the run that it is made for.
_SHARED = (
    "site", "processor", "options", "command_file", "file_path", "file_sha256", "file_size", "input_key", "requested_by",
    "owner", "owner_name", "armed_by", "armed_by_name", "language", "undoes", "undoes_line", "mapping", "sticky",
)  # fmt: skip


def plan_lifetime() -> timedelta:
    """Return how long a plan may be applied after it was made."""
    return timedelta(hours=plan_hours())


def limits_of(site: MoodleSite, processor: str) -> GuardLimits:
    """Return the limits of a file type, those of the site where it has none of its own; as they come where nobody set any."""
    stored = GuardLimits.objects.filter(site=site, processor__in=("", processor)).order_by("-processor").first()
    return stored or GuardLimits(site=site, is_on=guard_is_on())


def save_limits(
    site: MoodleSite,
    processor: str,
    limits: Mapping[str, Limit],
    *,
    is_on: bool,
    needs_second_person: bool,
    person: Responsible,
) -> GuardLimits:
    """Keep the limits of a file type, or of every one that has none of its own ("")."""
    before = limits_of(site, processor)
    values = {"values": stored_form(limits), "is_on": is_on, "needs_second_person": needs_second_person}
    with transaction.atomic():
        changes = difference({name: getattr(before, name) for name in values}, values)
        record(site, AuditKind.SETTINGS, person, processor, changes)
        return GuardLimits.objects.update_or_create(site=site, processor=processor, defaults=values)[0]


def types_without_limits(site: MoodleSite, keys: Collection[str]) -> list[str]:
    """Return those of some file types of which nothing is ever held. Queries: one"""
    stored = {kept.processor: kept.is_on for kept in GuardLimits.objects.filter(site=site, processor__in=["", *keys])}
    usual = stored.get("", guard_is_on())
    return [key for key in keys if not stored.get(key, usual)]


def hold_beyond_limits(site: MoodleSite, keys: Collection[str], person: Responsible = OPERATOR) -> None:
    """Let runs of file types be held beyond their limits from now on. Queries: some for each"""
    for key in keys:
        limits = limits_of(site, key)
        save_limits(
            site, key, read_limits(limits.values), is_on=True, needs_second_person=limits.needs_second_person, person=person
        )  # fmt: skip


def delete_limits(site: MoodleSite, processor: str, person: Responsible) -> None:
    """Let a file type have the limits of the site again."""
    with transaction.atomic():
        if GuardLimits.objects.filter(site=site, processor=processor).delete()[0]:
            record(site, AuditKind.SETTINGS, person, processor, [Change("limits", processor, "")])


def new_plan(run: SyncRun, worker: str) -> SyncRun:
    """Make the record of the plan of a run; the process that has claimed the run makes the plan itself."""
    now = timezone.now()
    return SyncRun.objects.create(
        **{name: getattr(run, name) for name in _SHARED},
        origin=SyncRun.Origin.PLAN, simulate=True, state=RunState.RUNNING, worker=worker, started_at=now, heartbeat_at=now,
    )  # fmt: skip


def plan_for(run: SyncRun, worker: str) -> SyncRun:
    """Return the plan of a run to be made from its beginning, by the process that has claimed it or the first of its bundle."""
    if run.plan is None:
        run.plan = new_plan(run, worker)
        SyncRun.objects.filter(pk=run.pk).update(plan=run.plan)
    else:
        take_over_plan(run, run.plan, worker)
    return run.plan


def take_over_plan(run: SyncRun, plan: SyncRun, worker: str) -> None:
    """Begin a plan anew that another process didn't bring to its end, or that was made under other rules than its run has."""
    storage.delete_folder(storage.outcomes_folder(plan.site.slug, plan.pk))
    plan.chunks.all().delete()
    now = timezone.now()
    SyncRun.objects.filter(pk=plan.pk).update(
        state=RunState.RUNNING, worker=worker, started_at=now, heartbeat_at=now, finished_at=None, last_line=0, rows_done=0,
        bytes_read=0, counts={}, partial_counts={}, closing_counts={}, totals={}, scoped_totals={}, error_code="",
        error_params={}, sticky=run.sticky, kept={},
    )  # fmt: skip
    plan.refresh_from_db()


def made_on(moodle: MoodleDatabase) -> dict[str, str]:
    """Return what a plan is made with: applied with something else it could mean something else."""
    with moodle.session() as session:
        return {"toolsync": __version__, "moodle": f"{session.version:.2f}", "prefix": moodle.settings.prefix}


def judge_together(runs: Sequence[SyncRun], moodle: MoodleDatabase) -> Judgement:
    """Hold the plans of runs against the limits: each by itself, and of a bundle what all files do.

    Raises: OptionError if the limits can't be read
    """
    judgements = [judge_run(run, moodle) for run in runs]
    bundle = runs[0].bundle
    if bundle is None:
        return judgements[0]
    bundle.totals = dict(sum((Counter(run.plan.totals) for run in runs if run.plan is not None), Counter()))
    bundle.save(update_fields=["totals"])
    of_files = {run.file_name: judgement for run, judgement in zip(runs, judgements, strict=True)}
    return judge_bundle(of_files, _judge_sum(runs, moodle), asks=bundle.asks)


def _judge_sum(runs: Sequence[SyncRun], moodle: MoodleDatabase) -> Judgement:
    """Hold what several files do against the widest of their limits. Those of which nobody wants any don't count."""
    limited = _limited(runs)
    plans = list(limited)
    totals, scoped_totals = _sum_of(plans)
    limits = _widest_limits(limited)
    return judge(
        PlanFacts(
            totals=totals,
            live=_live_counts(moodle, totals, limits),
            limits=limits,
            by_hand=_is_by_hand(runs[0]),
            suspicion=suspect_rekeying(plans, moodle),
            scopes=scope_facts(totals, scoped_totals, widest_scopes(runs[0].site, plans), moodle),
        )
    )


def _limited(runs: Sequence[SyncRun]) -> dict[SyncRun, GuardLimits]:
    """Return the plans of several runs with the limits of their file types, but those of which nobody wants any."""
    return {run.plan: chosen for run in runs if run.plan and (chosen := limits_of(run.site, run.processor)).is_on}


def _widest_limits(limited: Mapping[SyncRun, GuardLimits]) -> dict[str, Limit]:
    return widest([(read_limits(chosen.values), plan.totals) for plan, chosen in limited.items()])


def _sum_of(runs: Collection[SyncRun]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Return what plans, or runs, do in all, and in each scope."""
    scoped_totals: dict[str, Counter[str]] = {}
    for run in runs:
        for key, counted in run.scoped_totals.items():
            scoped_totals.setdefault(key, Counter()).update(counted)
    return sum((Counter(run.totals) for run in runs), Counter[str]()), scoped_totals


def _is_by_hand(run: SyncRun) -> bool:
    return run.origin in ORIGINS_OF_PEOPLE and run.requested_by is not None


def judge_run(run: SyncRun, moodle: MoodleDatabase) -> Judgement:
    """Hold the plan of a run, or a simulation, against the limits of its site and file type.

    Raises: OptionError if these can't be read
    """
    plan, chosen = _plan_of(run), limits_of(run.site, run.processor)
    if plan is None or not chosen.is_on:
        return Judgement(Verdict.GO)
    limits = read_limits(chosen.values)
    last = _last_accepted(run)
    return judge(
        PlanFacts(
            totals=plan.totals,
            live=_live_counts(moodle, plan.totals, limits),
            limits=limits,
            # Of rows that are tried again, most may still miss what they wait for.
            counts={} if run.origin == SyncRun.Origin.RETRY else plan.counts,
            rows=plan.rows_done,
            size=plan.file_size,
            last_rows=last.rows_done if last else 0,
            last_size=last.file_size if last else 0,
            by_hand=_is_by_hand(run),
            suspicion=suspect_rekeying([plan], moodle),
            scopes=scope_facts(plan.totals, plan.scoped_totals, scopes_of(run.site, run.processor), moodle),
        )
    )


def _plan_of(run: SyncRun) -> SyncRun | None:
    return run if run.simulate else run.plan


def watch_totals(run: SyncRun) -> Callable[[ChunkResult], None]:
    """Return what a run whose rows may be planned once more asks before each chunk; it raises PlanRefused beyond the limits."""
    chosen = limits_of(run.site, run.processor)
    if not chosen.is_on or run.plan is None:
        return lambda _chunk: None
    plan, most = run.plan, ceilings(run.plan.totals, read_limits(chosen.values))
    most_of_scopes = {
        scope.key: ceilings(plan.scoped_totals.get(scope.key, {}), limits)
        for scope, limits in scopes_of(run.site, run.processor)
    }

    check_sum = _watch_sum(run)

    def check(chunk: ChunkResult) -> None:
        check_sum(chunk)
        _check_total(most, run.totals, chunk.totals)
        for key in most_of_scopes.keys() & chunk.scoped_totals.keys():
            _check_total(most_of_scopes[key], run.scoped_totals.get(key, {}), chunk.scoped_totals[key])

    return check


def _watch_sum(run: SyncRun) -> Callable[[ChunkResult], None]:
    """Return what asks whether a file of a bundle leaves the others what is left of the limits for all of them.

    Files that had their turn count with what they have done, later ones with what they are to do.
    """
    if run.bundle is None:
        return lambda _chunk: None
    runs = list(run.bundle.runs.select_related("site", "plan").order_by("pk"))
    limited = _limited(runs)
    planned, planned_in_scopes = _sum_of(limited)
    of_all = [read_limits(chosen.values) for chosen in limited.values()]
    # Rows that are planned once more may do what no file was to do.
    most = ceilings(planned, {**widest([(limits, limits) for limits in of_all]), **_widest_limits(limited)})
    most_of_scopes = {
        scope.key: ceilings(planned_in_scopes.get(scope.key, {}), limits)
        for scope, limits in widest_scopes(run.site, list(limited))
    }
    others, others_in_scopes = _sum_of(
        [
            each if each.pk < run.pk else each.plan
            for each in runs
            if each.pk != run.pk and each.plan is not None and each.plan in limited
        ]
    )

    def check(chunk: ChunkResult) -> None:
        _check_total(most, others + Counter(run.totals), chunk.totals)
        for key in most_of_scopes.keys() & chunk.scoped_totals.keys():
            done = others_in_scopes.get(key, Counter()) + Counter(run.scoped_totals.get(key, {}))
            _check_total(most_of_scopes[key], done, chunk.scoped_totals[key])

    return check


def _check_total(most: Mapping[str, int], done: Mapping[str, int], more: Mapping[str, int]) -> None:
    for kind in most.keys() & more.keys():
        if (count := done.get(kind, 0) + more[kind]) > most[kind]:
            raise PlanRefused("totals_beyond_plan", kind=kind, count=count)


def check_plan(run: SyncRun, moodle: MoodleDatabase) -> None:
    """Look whether the plan of a run may be applied. Raises: PlanRefused"""
    plan = run.plan
    if plan is None or plan.state not in COMPLETED_STATES or not plan.carried_out:
        raise PlanRefused("plan_incomplete")
    if (plan.undoes_id, plan.undoes_line) != (run.undoes_id, run.undoes_line):
        raise PlanRefused("plan_of_another")
    if plan.site_id != run.site_id or plan.processor != run.processor or plan.file_sha256 != run.file_sha256:
        raise PlanRefused("plan_of_another")
    if is_expired(plan):
        raise PlanRefused("plan_expired", hours=plan_hours())
    if plan.made_on != (now := made_on(moodle)):
        changed = ", ".join(f"{name} {plan.made_on.get(name, '?')} -> {now[name]}" for name in now)
        raise PlanRefused("plan_made_on_another", changed=changed)
    check_rules(plan)
    for chunk in plan.chunks.iterator():
        try:
            with storage.opened(chunk.outcomes_key) as part:
                is_whole = digest_of(part)[0] == chunk.sha256
        except FileNotFoundError:
            is_whole = False
        if not is_whole:
            raise PlanRefused("plan_damaged", line=chunk.last_line)


def is_to_be_made_again(run: SyncRun, plan: SyncRun) -> bool:
    """Whether the plan that a run has made itself is of no use, and seen by nobody: not made to its end, too old, other rules."""
    is_own = plan.origin == SyncRun.Origin.PLAN
    is_usable = plan.carried_out and not is_expired(plan) and plan.sticky == run.sticky
    return is_own and not run.decision and not is_usable


def check_rules(plan: SyncRun) -> None:
    """Look whether a plan was made under the rules of sticky fields that hold now. Raises: PlanRefused"""
    if plan.sticky != rules_for(plan):
        raise PlanRefused("plan_made_under_other_rules")


def is_expired(plan: SyncRun) -> bool:
    """Whether a plan is too old to be applied."""
    return plan.finished_at is None or plan.finished_at + plan_lifetime() < timezone.now()


def _last_accepted(run: SyncRun) -> SyncRun | None:
    """Return the last run of a file of the same name that came to its end; of another person's it says nothing.

    Mended rows are a part of a file, and a run that was undone was taken for wrong.
    A file that is complete is compared with the last that was for the same scope, whatever it was called and whoever brought it.
    An undo is as large as what it takes back. What may be a part of a file is passed over where there is another one; so is, for
    what a schedule starts, what somebody has carried out at the shell.
    """
    if run.origin in ORIGINS_OF_MADE_FILES or run.undoes_id is not None:
        return None
    runs = SyncRun.objects.filter(
        site=run.site,
        processor=run.processor,
        simulate=False,
        state__in=COMPLETED_STATES,
        pk__lt=run.pk,
        undoes=None,
        mends=None,
    ).exclude(origin__in=ORIGINS_OF_MADE_FILES)
    runs = runs.exclude(Exists(undoing_runs("pk")))
    if (earlier := _complete_before(run, runs)) is not None:
        return earlier
    # Of several files of one type, those of a bundle, each is compared with the last one of its name.
    runs = runs.filter(bundle=None) if run.bundle_id is None else runs.exclude(bundle=None)
    if run.bundle_id is not None:
        return _last_whole(runs.filter(file_path__endswith=f"/{run.file_name}"))
    if run.origin in ORIGINS_OF_PEOPLE:
        return _last_whole(runs.filter(file_path=run.file_path))
    runs = runs.exclude(origin__in=ORIGINS_OF_PEOPLE)
    if run.origin != SyncRun.Origin.SHELL and (last := _last_whole(runs.exclude(origin=SyncRun.Origin.SHELL))):
        return last
    return _last_whole(runs)


def _last_whole(runs: QuerySet[SyncRun]) -> SyncRun | None:
    """Return the last of some runs whose file can't have been a part of one; where there is none the last. Queries: one"""
    last = list(runs.order_by("-pk")[:_LOOKED_AT])
    whole = (run for run in last if not any(code in _PART_NOTES for code, _params in run.notes))
    return next(whole, last[0] if last else None)


def _complete_before(run: SyncRun, runs: QuerySet[SyncRun]) -> SyncRun | None:
    """Return the last of some runs whose file was complete for what that of a run is complete for. Queries: one at most"""
    options, plan = find_processor(run.processor).options(run.options), _plan_of(run)
    if not options.is_complete or run.mends_id is not None or plan is None:
        return None
    # Of a tryback, or what was cut short, nothing is taken for absent.
    if any(code in ABSENCE_DOUBTS for code, _params in plan.notes):
        return None
    scope = {f"options__{name}": run.options[name] for name in _SCOPE_OPTIONS if name in run.options}
    return _last_whole(runs.filter(**scope).exclude(options__absent=ABSENT_STAYS))


def _live_counts(moodle: MoodleDatabase, totals: Mapping[str, int], limits: Mapping[str, Limit]) -> dict[str, int]:
    """Return how many there are of each kind of object that is limited by a share; none of what isn't rows of one table."""
    names = {kind.partition(".")[0] for kind, limit in limits.items() if totals.get(kind) and limit.percent is not None}
    tables = {TABLES[name]: name for name in sorted(names & TABLES.keys())}
    if not tables:
        return {}
    with moodle.session() as session:
        return {tables[table]: count for table, count in fetch_row_counts(session, tables).items()}
