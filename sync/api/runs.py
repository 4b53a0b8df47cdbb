"""Plans and runs: asked for, followed, applied, stopped, taken up, decided on, undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import (
    governed_run_or_404,
    usable_file_or_404,
    usable_run_or_404,
    usable_type_or_404,
    visible_run_or_404,
)
from sync.api.authentication import site_of_token
from sync.api.base import READS, ApiView, NumberField, OptionsField, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.api.run_facts import RunDetailSerializer, RunSerializer, detail_of
from sync.errors import ApiRefused, RunNotClaimable
from sync.models import MoodleSite, RunState, Scope, SyncRun
from sync.runs import decisions
from sync.runs.mappings import column_mapping, listed_mappings, mapping_data
from sync.runs.rights import Responsible
from sync.runs.selectors import listed_runs, visible_runs
from sync.runs.services import cancel_run, pause_run, queue_run, resume_run
from sync.runs.undo import undo_run
from sync.sites.groups import apply_on_sites, plan_on_sites

_ACCEPTED = HTTPStatus.ACCEPTED


class NewRunSerializer(StrictSerializer):
    """What is to be planned or run: a file that was handed in. Options that aren't named are as set for the site."""

    file = NumberField(help_text="Number of the file.")
    file_type = serializers.CharField(required=False, max_length=40, help_text="If left out: as its header says.")
    options = OptionsField(required=False)
    mapping = NumberField(
        required=False,
        allow_null=True,
        help_text="Number of a kept mapping; null: none. If left out: as its header says.",
    )


class AlsoPlannedSerializer(StrictSerializer):
    """A further site on which a file is planned."""

    site = serializers.CharField(max_length=50, help_text="Its short name; the token has to be for it too.")
    mapping = NumberField(
        required=False,
        allow_null=True,
        help_text="Number of a mapping that is kept there; null: none. If left out: as its header says there.",
    )


class NewPlanSerializer(NewRunSerializer):
    """What is to be planned: a file that was handed in. Options that aren't named are as set for each site."""

    also = AlsoPlannedSerializer(
        many=True, required=False, max_length=100, help_text="Sites on which the same file is planned too; all or none."
    )


class ApplySerializer(StrictSerializer):
    """Shape: removals: how many things the plan takes away, where that has to be confirmed (`must_type`)"""

    removals = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)


class AlsoAppliedSerializer(ApplySerializer):
    """A further site on which the plan of the same file is applied."""

    site = serializers.CharField(max_length=50, help_text="Its short name; the token has to be for it too.")


class ApplyPlanSerializer(ApplySerializer):
    """Shape: also: further sites on which the plans of the same file are applied, each with its own `removals`; all or none"""

    also = AlsoAppliedSerializer(many=True, required=False, max_length=100)


class DecideSerializer(ApplySerializer):
    """What is decided on a run that waits."""

    decision = serializers.ChoiceField(["approve", "decline"])
    reason = serializers.CharField(required=False, max_length=500, allow_blank=True, default="")


class UndoSerializer(StrictSerializer):
    """Shape: plan: only say what would be done; line: of the file of the run, null = all of them"""

    line = NumberField(required=False, allow_null=True, default=None, help_text="Only what was done for this line.")
    plan = serializers.BooleanField(required=False, default=True)


class NothingSerializer(StrictSerializer):
    """No fields."""


class RunQuery(PageQuery):
    """Which runs are wanted."""

    kind = serializers.ChoiceField(["plan", "run"], required=False)
    file_type = serializers.CharField(required=False, max_length=40)
    state = serializers.ChoiceField(RunState.choices, required=False)
    origin = serializers.ChoiceField([origin.value for origin in SyncRun.Origin], required=False)
    file = NumberField(required=False, help_text="Number of the file.")
    since = serializers.DateTimeField(required=False, help_text="Asked for at this moment or later.")


RunPage = page_of(RunSerializer)
_BY = {
    "file_type": "processor",
    "state": "state",
    "origin": "origin",
    "file": "command_file_id",
    "since": "created_at__gte",
}


class _RunList(ApiView):
    """Lists runs, and begins new ones. Shape: simulate: whether what is begun is a plan; fields: of what is sent for it"""

    simulate: ClassVar[bool]
    fields: ClassVar[type[NewRunSerializer]] = NewRunSerializer

    def new_run(self, request: Request, site: str) -> Response:
        sent = self.sent(self.fields)

        def begin() -> Answer:
            file = usable_file_or_404(request.user, self.site, sent["file"], sent.get("file_type", ""))
            key = sent.get("file_type", file.processor)
            if not key:
                raise ApiRefused("file_type_unknown")
            processor = usable_type_or_404(request.user, self.site, key)
            run = queue_run(
                site=self.site, processor=processor.key, command_file=file, options=sent.get("options", {}),
                simulate=self.simulate, user=request.user, mapping=_mapping(self.site, processor.key, sent),
            )  # fmt: skip
            if also := sent.get("also"):
                self._plan_also(run, also, sent.get("options", {}))
            return begun(request.user, run)

        return answer_once(self, lambda: digest_of_request(self), begin)

    def _plan_also(self, run: SyncRun, also: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
        """Have the plan made on further sites. Raises: ApiRefused, SiteRefused, Http404"""
        sites = [site_of_token(self.token, one["site"]) for one in also]
        mappings = {
            site.slug: _mapping(site, run.processor, one) for site, one in zip(sites, also, strict=True)
        }  # fmt: skip
        plan_on_sites(run, sites, user=self.request.user, mappings=mappings, options=options)

    def listed(self, request: Request, **fixed: Any) -> Response:
        asked = self.asked(RunQuery)
        kind = fixed.get("kind", asked.get("kind"))
        runs = listed_runs(request.user, self.site)
        runs = runs.filter(simulate=kind == "plan") if kind else runs
        runs = runs.filter(**{column: asked[name] for name, column in _BY.items() if name in asked})
        found, cursor = newest_first(runs, asked)
        return Response(RunPage({"results": found, "next": address_of(request, cursor)}).data)


class Plans(_RunList):
    """Plans: runs that write nothing."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.PLAN,)}
    simulate = True
    fields = NewPlanSerializer

    @extend_schema(operation_id="plans_list", parameters=[RunQuery], responses=RunPage)
    def get(self, request: Request, site: str) -> Response:
        """Return plans, the last ones first."""
        return self.listed(request, kind="plan")

    @extend_schema(operation_id="plan_make", request=NewPlanSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str) -> Response:
        """Ask for the plan of a file: what would be created, changed and removed. `Location` says how far it is.

        With `also`, the same file is planned on further sites of the token, each with a mapping, a plan and a report of its own.
        """
        return self.new_run(request, site)


class Runs(_RunList):
    """Runs."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.APPLY,)}
    simulate = False

    @extend_schema(operation_id="runs_list", parameters=[RunQuery], responses=RunPage)
    def get(self, request: Request, site: str) -> Response:
        """Return runs and plans, the last ones first; without the plans that runs have made for themselves."""
        return self.listed(request)

    @extend_schema(operation_id="run_begin", request=NewRunSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str) -> Response:
        """Carry a file out. Its plan is made first; one that takes something away, or is beyond limits, waits for a person."""
        return self.new_run(request, site)


class Run(ApiView):
    """One run or plan."""

    @extend_schema(operation_id="run_get", responses=RunDetailSerializer)
    def get(self, request: Request, site: str, run_id: int) -> Response:
        """Return a run: where it stands, what it counted, what is said of it, and the files that it has left."""
        return Response(detail_of(request.user, visible_run_or_404(request.user, self.site, run_id)))


class _RunAction(ApiView):
    """Something that is done with a run."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPLY,)}

    def done(
        self, do: Callable[[dict[str, Any]], SyncRun], kind: type[StrictSerializer] = NothingSerializer
    ) -> Response:
        """Return the run after it was done. Shape: do: gets what was sent"""
        sent = self.sent(kind)

        def act() -> Answer:
            try:
                return begun(self.request.user, do(sent))
            except RunNotClaimable:
                raise ApiRefused("run_state_wrong") from None

        return answer_once(self, lambda: digest_of_request(self), act)

    def governed(self, run_id: int) -> SyncRun:
        return governed_run_or_404(self.request.user, self.site, run_id)


class Cancel(_RunAction):
    """Stop a run."""

    @extend_schema(operation_id="run_cancel", request=NothingSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Stop a run: at once when it hasn't begun, else before its next chunk; what is written stays, and can be undone."""

        def cancel(_sent: dict[str, Any]) -> SyncRun:
            run = self.governed(run_id)
            if run.is_over:
                raise RunNotClaimable
            cancel_run(run)
            return run

        return self.done(cancel)


class Pause(_RunAction):
    """Let a run stop for a while."""

    @extend_schema(operation_id="run_pause", request=NothingSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Let a run that writes stop before its next chunk, to be taken up later."""

        def pause(_sent: dict[str, Any]) -> SyncRun:
            run = self.governed(run_id)
            pause_run(run)
            return run

        return self.done(pause)


class Resume(_RunAction):
    """Take a run up again."""

    @extend_schema(operation_id="run_resume", request=NothingSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Take up a run that is paused, ended with an error or was cancelled, after its last whole chunk."""

        def resume(_sent: dict[str, Any]) -> SyncRun:
            run = self.governed(run_id)
            resume_run(run, Responsible.of(self.request.user))
            return run

        return self.done(resume)


class Apply(_RunAction):
    """Apply a plan."""

    @extend_schema(operation_id="plan_apply", request=ApplyPlanSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Carry out exactly what a plan has found, and nothing else. The answer is the run that does so.

        With `also`, so are the plans of the same file on further sites, or none of them.
        """

        def apply(sent: dict[str, Any]) -> SyncRun:
            plan = usable_run_or_404(request.user, self.site, run_id)
            person, typed = Responsible.of(request.user), str(sent.get("removals", ""))
            also = sent.get("also")
            if not also:
                return decisions.apply_plan(plan, person, typed=typed)
            sites = [self.site, *(site_of_token(self.token, one["site"]) for one in also)]
            numbers = {one["site"]: str(one.get("removals", "")) for one in also} | {self.site.slug: typed}
            return apply_on_sites(plan, sites, person, typed=numbers)[0]

        return self.done(apply, ApplyPlanSerializer)


class Decide(_RunAction):
    """Decide on a run that waits."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPROVE, Scope.APPLY)}

    @extend_schema(operation_id="run_decide", request=DecideSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Let a run that waits go on, or end it. One that is held needs the scope “approve”, and often a second person."""

        def decide(sent: dict[str, Any]) -> SyncRun:
            run = usable_run_or_404(request.user, self.site, run_id)
            decide_as(self, run, sent)
            return run

        return self.done(decide, DecideSerializer)


class Undo(_RunAction):
    """Take back what a run did."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN, Scope.APPLY)}

    @extend_schema(operation_id="run_undo", request=UndoSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Say what undoing a run, or one line of it, would do; with `plan: false`, do it. The answer is the run that does so."""

        def undo(sent: dict[str, Any]) -> SyncRun:
            needed = Scope.PLAN if sent["plan"] else Scope.APPLY
            if needed not in self.token.scopes:
                raise ApiRefused("scope_missing", scope=needed)
            run = usable_run_or_404(request.user, self.site, run_id)
            return undo_run(run, sent["line"], user=request.user, simulate=sent["plan"], site=self.site)

        return self.done(undo, UndoSerializer)


def decide_as(view: ApiView, run: SyncRun, sent: Mapping[str, Any]) -> None:
    """Decide on a run, or on the bundle that it leads. Shape: sent: as of DecideSerializer. Raises: ApiRefused, PlanRefused"""
    person = Responsible.of(view.request.user)
    if run.waits_for_person and (needed := _scope_to_decide(run)) not in view.token.scopes:
        raise ApiRefused("scope_missing", scope=needed)
    if sent["decision"] == "approve":
        decisions.approve_run(run, person, reason=sent["reason"], typed=str(sent.get("removals", "")))
    else:
        decisions.decline_run(run, person, reason=sent["reason"])


def _scope_to_decide(run: SyncRun) -> Scope:
    return Scope.APPROVE if run.state == RunState.HELD else Scope.APPLY


def _mapping(site: MoodleSite, key: str, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the mapping that was sent, as a run keeps it. Shape: None = the header chooses. Raises: Http404"""
    if "mapping" not in sent:
        return None
    if sent["mapping"] is None:
        return {}
    kept = listed_mappings(site, [key]).filter(pk=sent["mapping"]).first()
    if kept is None:
        raise Http404
    return mapping_data(column_mapping(kept))


def begun(user: Any, run: SyncRun) -> Answer:
    """Return the answer to something that a worker carries out: 202, and where to see how far it is."""
    shown = visible_runs(user, run.site).filter(pk=run.pk).first() or run
    return Answer(detail_of(user, shown), _ACCEPTED, reverse("api:run", args=[run.site.slug, run.pk]))
