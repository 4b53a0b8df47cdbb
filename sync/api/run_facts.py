"""What the API says of a run: short in lists, whole on its own."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sync.guard.messages import reason_text
from sync.messages import text_of
from sync.models import RunFile, RunState, SyncRun
from sync.people.rights import may
from sync.people.roles import run_permission
from sync.runs.decisions import is_typed, removed_by
from sync.runs.newer_files import warnings_of
from sync.runs.selectors import progress_of, rows_of, run_notes
from sync.sites.groups import runs_beside

# Tryback and archive hold lines as they came, perhaps with passwords: for those who may run the file type.
WITHOUT_RAW_LINES = (RunFile.Kind.REPORT, RunFile.Kind.OUTCOMES)
_COUNTS = serializers.DictField(child=serializers.IntegerField())


class SaidSerializer(serializers.Serializer):
    """Something that is said: a stable code, and the sentence in the language of who asks."""

    code = serializers.CharField()
    text = serializers.CharField()


class RunSerializer(serializers.ModelSerializer):
    """A run, or a plan: a run that writes nothing. Shape: counts: what became of the rows -> how many"""

    kind = serializers.SerializerMethodField()
    file_type = serializers.CharField(source="processor", read_only=True)
    state = serializers.ChoiceField(RunState.choices, read_only=True)
    state_label = serializers.CharField(read_only=True)
    file_id = serializers.IntegerField(source="command_file_id", allow_null=True, read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    partial_counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    totals = serializers.SerializerMethodField(help_text="Kind of object and what becomes of it: how many.")
    requested_by = serializers.CharField(source="requested_by.username", default=None, read_only=True, allow_null=True)
    token = serializers.CharField(
        source="token_name", read_only=True, help_text="By which it was asked for; empty: none."
    )
    plan = serializers.IntegerField(source="plan_id", allow_null=True, read_only=True)
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True, read_only=True)
    mends = serializers.IntegerField(source="mends_id", allow_null=True, read_only=True)
    bundle = serializers.IntegerField(source="bundle_id", allow_null=True, read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = SyncRun
        fields: tuple[str, ...] = (
            "id", "kind", "file_type", "state", "state_label", "origin", "file_id", "file_path", "file_sha256", "counts",
            "partial_counts", "totals", "rows_done", "rows_expected", "created_at", "started_at", "finished_at",
            "requested_by", "token", "plan", "undoes", "undoes_line", "mends", "bundle", "url",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    def get_kind(self, run: SyncRun) -> str:
        return "plan" if run.simulate else "run"

    @extend_schema_field(_COUNTS)
    def get_totals(self, run: SyncRun) -> dict[str, int]:
        return rows_of(run).totals

    def get_url(self, run: SyncRun) -> str:
        return reverse("api:run", args=[run.site.slug, run.pk])


class RunFileSerializer(serializers.ModelSerializer):
    """A file that a run has left."""

    content = serializers.SerializerMethodField(help_text="Where its bytes are.")

    class Meta:
        model = RunFile
        fields = ("kind", "name", "size", "created_at", "content")
        read_only_fields = fields

    def get_content(self, file: RunFile) -> str:
        return reverse("api:run_file", args=[file.run.site.slug, file.run_id, file.kind])


class OnSiteSerializer(serializers.Serializer):
    """The same on another site."""

    site = serializers.CharField()
    id = serializers.IntegerField()
    url = serializers.CharField()


class DecisionSerializer(serializers.Serializer):
    """What somebody has decided on a run."""

    decision = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class RunDetailSerializer(RunSerializer):
    """A run with all that is said of it.

    Shape: held_for: why a person has to decide, of a plan why one would have to; warnings: what is to be known before it
    goes on, as that a newer file was carried out; removals: how many things are taken away;
    must_type: that number is to be sent with the decision; applied_as: the run that carries this plan out; also: plans of the
    same file on other sites, or the runs that carry them out; error: why it could not go on
    """

    options = serializers.DictField(read_only=True)
    percent = serializers.SerializerMethodField()
    seconds_left = serializers.SerializerMethodField()
    notes = serializers.SerializerMethodField()
    held_for = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    removals = serializers.SerializerMethodField()
    must_type = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    applied_as = serializers.SerializerMethodField()
    also = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()
    outcomes = serializers.SerializerMethodField(help_text="Where they are.")

    class Meta(RunSerializer.Meta):
        fields = (
            *RunSerializer.Meta.fields, "options", "percent", "seconds_left", "notes", "held_for", "warnings", "held_at",
            "removals", "must_type", "decision", "error", "applied_as", "also", "files", "outcomes",
        )  # fmt: skip
        read_only_fields = fields

    def get_percent(self, run: SyncRun) -> int:
        return progress_of(run).percent

    def get_seconds_left(self, run: SyncRun) -> int | None:
        return progress_of(run).seconds_left

    @extend_schema_field(SaidSerializer(many=True))
    def get_notes(self, run: SyncRun) -> list[dict[str, str]]:
        return [{"code": note.code, "text": text_of(note.code, note.params)} for note in run_notes(run)]

    @extend_schema_field(SaidSerializer(many=True))
    def get_held_for(self, run: SyncRun) -> list[dict[str, str]]:
        return [{"code": note.code, "text": reason_text(note)} for note in run.held_notes]

    @extend_schema_field(SaidSerializer(many=True))
    def get_warnings(self, run: SyncRun) -> list[dict[str, str]]:
        return [{"code": note.code, "text": text_of(note.code, note.params)} for note in warnings_of(run)]

    def get_removals(self, run: SyncRun) -> int:
        return removed_by(self._decided(run))

    def get_must_type(self, run: SyncRun) -> bool:
        return is_typed(self._decided(run))

    def _decided(self, run: SyncRun) -> dict[str, int]:
        return run.planned_totals if run.waits_for_person else rows_of(run).totals

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_decision(self, run: SyncRun) -> dict[str, Any] | None:
        if not run.decision:
            return None
        told = {
            "decision": run.decision,
            "by": run.decided_by_name,
            "at": run.decided_at,
            "reason": run.decision_reason,
        }
        return dict(DecisionSerializer(told).data)

    @extend_schema_field(SaidSerializer(allow_null=True))
    def get_error(self, run: SyncRun) -> dict[str, str] | None:
        if not run.error_code:
            return None
        return {"code": run.error_code, "text": text_of(run.error_code, run.error_params)}

    def get_applied_as(self, run: SyncRun) -> int | None:
        return SyncRun.objects.filter(plan=run).values_list("pk", flat=True).first() if run.simulate else None

    @extend_schema_field(OnSiteSerializer(many=True))
    def get_also(self, run: SyncRun) -> Any:
        facts = [
            {"site": other.site.slug, "id": other.pk, "url": reverse("api:run", args=[other.site.slug, other.pk])}
            for other in runs_beside(run, self.context["user"])
        ]
        return OnSiteSerializer(facts, many=True).data

    @extend_schema_field(RunFileSerializer(many=True))
    def get_files(self, run: SyncRun) -> Any:
        return RunFileSerializer(files_of(self.context["user"], run), many=True).data

    def get_outcomes(self, run: SyncRun) -> str:
        return reverse("api:outcomes", args=[run.site.slug, run.pk])


def files_of(user: Any, run: SyncRun) -> list[RunFile]:
    """Return the files of a run that somebody may have. Queries: one"""
    files = RunFile.objects.filter(run=run).select_related("run__site")
    if not may(user, run_permission(run.processor), run.site):
        files = files.filter(kind__in=WITHOUT_RAW_LINES)
    return list(files)


def detail_of(user: Any, run: SyncRun) -> dict[str, Any]:
    """Return all that is said of a run. Queries: at most nine"""
    return dict(RunDetailSerializer(run, context={"user": user}).data)
