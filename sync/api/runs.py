"""Plans and runs: asked for, followed, applied, stopped, taken up, decided on, undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

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
from sync.api.base import READS, ApiView, NumberField, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.api.run_facts import RunDetailSerializer, RunSerializer, detail_of
from sync.errors import ApiRefused, RunNotClaimable
from sync.models import RunState, Scope, SyncRun
from sync.runs import decisions
from sync.runs.rights import Responsible
from sync.runs.selectors import listed_runs, visible_runs
from sync.runs.services import cancel_run, pause_run, queue_run, resume_run
from sync.runs.undo import undo_run

_ACCEPTED = HTTPStatus.ACCEPTED


class NewRunSerializer(StrictSerializer):
    """What is to be planned or run: a file that was handed in. Options that aren't named are as set for the site."""

    file = NumberField(help_text="Number of the file.")
    file_type = serializers.CharField(required=False, max_length=40, help_text="If left out: as its header says.")
    options = serializers.DictField(child=serializers.JSONField(), required=False)


class ApplySerializer(StrictSerializer):
    """Shape: removals: how many things the plan takes away, where that has to be confirmed (`must_type`)"""

    removals = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)


class DecideSerializer(ApplySerializer):
    """What is decided on a run that waits."""

    decision = serializers.ChoiceField(["approve", "decline"])
    reason = serializers.CharField(required=False, max_length=500, allow_blank=True, default="")


class UndoSerializer(StrictSerializer):
    """Shape: plan: only say what would be done"""

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
    """Lists runs, and begins new ones. Shape: simulate: whether what is begun is a plan"""

    simulate: ClassVar[bool]

    def new_run(self, request: Request, site: str) -> Response:
        sent = self.sent(NewRunSerializer)

        def begin() -> Answer:
            file = usable_file_or_404(request.user, self.site, sent["file"], sent.get("file_type", ""))
            key = sent.get("file_type", file.processor)
            if not key:
                raise ApiRefused("file_type_unknown")
            processor = usable_type_or_404(request.user, self.site, key)
            run = queue_run(
                site=self.site, processor=processor.key, command_file=file, options=sent.get("options", {}),
                simulate=self.simulate, user=request.user,
            )  # fmt: skip
            return begun(request.user, run)

        return answer_once(self, lambda: digest_of_request(self), begin)

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

    @extend_schema(operation_id="plans_list", parameters=[RunQuery], responses=RunPage)
    def get(self, request: Request, site: str) -> Response:
        """Return plans, the last ones first."""
        return self.listed(request, kind="plan")

    @extend_schema(operation_id="plan_make", request=NewRunSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str) -> Response:
        """Ask for the plan of a file: what would be created, changed and removed. `Location` says how far it is."""
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
            resume_run(run)
            return run

        return self.done(resume)


class Apply(_RunAction):
    """Apply a plan."""

    @extend_schema(operation_id="plan_apply", request=ApplySerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Carry out exactly what a plan has found, and nothing else. The answer is the run that does so."""

        def apply(sent: dict[str, Any]) -> SyncRun:
            plan = usable_run_or_404(request.user, self.site, run_id)
            return decisions.apply_plan(plan, Responsible.of(request.user), typed=str(sent.get("removals", "")))

        return self.done(apply, ApplySerializer)


class Decide(_RunAction):
    """Decide on a run that waits."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPROVE, Scope.APPLY)}

    @extend_schema(operation_id="run_decide", request=DecideSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Let a run that waits go on, or end it. One that is held needs the scope “approve”, and often a second person."""

        def decide(sent: dict[str, Any]) -> SyncRun:
            run, person = usable_run_or_404(request.user, self.site, run_id), Responsible.of(request.user)
            if run.waits_for_person and (needed := _scope_to_decide(run)) not in self.token.scopes:
                raise ApiRefused("scope_missing", scope=needed)
            if sent["decision"] == "approve":
                typed = str(sent.get("removals", ""))
                decisions.approve_run(run, person, reason=sent["reason"], typed=typed)
            else:
                decisions.decline_run(run, person, reason=sent["reason"])
            return run

        return self.done(decide, DecideSerializer)


class Undo(_RunAction):
    """Take back what a run did."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN, Scope.APPLY)}

    @extend_schema(operation_id="run_undo", request=UndoSerializer, responses={_ACCEPTED: RunDetailSerializer})
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Say what undoing a run would do, or, with `plan: false`, do it. The answer is the run that does so."""

        def undo(sent: dict[str, Any]) -> SyncRun:
            needed = Scope.PLAN if sent["plan"] else Scope.APPLY
            if needed not in self.token.scopes:
                raise ApiRefused("scope_missing", scope=needed)
            run = usable_run_or_404(request.user, self.site, run_id)
            return undo_run(run, user=request.user, simulate=sent["plan"], site=self.site)

        return self.done(undo, UndoSerializer)


def _scope_to_decide(run: SyncRun) -> Scope:
    return Scope.APPROVE if run.state == RunState.HELD else Scope.APPLY


def begun(user: Any, run: SyncRun) -> Answer:
    """Return the answer to something that a worker carries out: 202, and where to see how far it is."""
    shown = visible_runs(user, run.site).filter(pk=run.pk).first() or run
    return Answer(detail_of(user, shown), _ACCEPTED, reverse("api:run", args=[run.site.slug, run.pk]))
