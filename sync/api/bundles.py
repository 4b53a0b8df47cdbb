"""Bundles: several files that are planned together, decided on as a whole and carried out in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any, BinaryIO, ClassVar, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import bundle_or_404, usable_file_or_404, visible_bundles
from sync.api.base import READS, ApiView, NumberField, OptionsField, StrictSerializer
from sync.api.files import ROOM_FOR_FIELDS
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.api.parsers import StrictJSONParser
from sync.api.run_facts import RunSerializer, SaidSerializer
from sync.api.runs import DecideSerializer, NothingSerializer, decide_as
from sync.commandfiles import storage
from sync.commandfiles.bundle_zip import HandedFile
from sync.commandfiles.intake import MEGABYTE
from sync.errors import ApiRefused, RunNotClaimable
from sync.guard.messages import reason_text
from sync.messages import text_of
from sync.models import Bundle, RunState, Scope, SyncRun
from sync.models.run import COMPLETED_STATES
from sync.runs.bundle_order import files_of
from sync.runs.bundle_uploads import cancel_bundle, hand_in_bundle
from sync.runs.bundles import plan_again
from sync.runs.decisions import is_typed, removed_by
from sync.runs.options import run_limits
from sync.runs.services import cancel_run
from sync.runs.undo_bundle import undo_bundle
from sync.whole_files import digest_of

MOST_FILES = 50
_ACCEPTED = HTTPStatus.ACCEPTED
# As of a run; a bundle has none while workers read its workbooks.
BUNDLE_STATES = [(Bundle.State.READING, Bundle.State.READING.label), *RunState.choices]
_OPTIONS = serializers.DictField(
    child=OptionsField(),
    required=False,
    help_text="File type: its options. Those that aren't named are as set for the site.",
)


class NewBundleSerializer(StrictSerializer):
    """Files that were handed in before, by their numbers; their order makes no difference."""

    files = serializers.ListField(child=NumberField(), allow_empty=False, max_length=MOST_FILES)
    options = _OPTIONS


class BundleUploadSerializer(StrictSerializer):
    """Several files by themselves, or one zip of them."""

    file = serializers.ListField(child=serializers.FileField(max_length=255), allow_empty=False, max_length=MOST_FILES)


class PlanAgainSerializer(StrictSerializer):
    """Other options for the files of a bundle that waits."""

    options = _OPTIONS


class FileBeingReadSerializer(serializers.Serializer):
    """A file of a bundle that has no runs. Shape: file_type: "" = not known"""

    name = serializers.CharField()
    file_type = serializers.CharField()


class BundleSerializer(serializers.ModelSerializer):
    """Files that are planned together. Shape: runs: in the order in which they are carried out; totals: of all of them"""

    file_types = serializers.ListField(
        source="processors",
        child=serializers.CharField(),
        read_only=True,
        help_text="Of its files; empty: a worker tells it.",
    )
    requested_by = serializers.CharField(source="requested_by.username", default=None, read_only=True, allow_null=True)
    totals = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Bundle
        fields: tuple[str, ...] = ("id", "name", "file_types", "totals", "created_at", "requested_by", "url")
        read_only_fields: tuple[str, ...] = fields

    def get_url(self, bundle: Bundle) -> str:
        return reverse("api:bundle", args=[bundle.site.slug, bundle.pk])


class BundleDetailSerializer(BundleSerializer):
    """A bundle with its runs.

    Shape: state: of the run that leads it; "reading": workers read its workbooks, and it has no runs so far; errors: why nothing
    came of it; files: while it has no runs; removals, must_type, held_for: as of a run
    """

    state = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField(help_text="Why nothing came of it: first of all files, then of each.")
    files = serializers.SerializerMethodField(
        help_text="Its files while it has no runs; one without a type is a workbook that is being read."
    )
    is_over = serializers.SerializerMethodField(help_text="No file has anything left to do.")
    held_for = serializers.SerializerMethodField()
    removals = serializers.SerializerMethodField()
    must_type = serializers.SerializerMethodField()
    runs = serializers.SerializerMethodField()

    class Meta(BundleSerializer.Meta):
        fields = (
            *BundleSerializer.Meta.fields, "state", "is_over", "errors", "files", "held_for", "removals", "must_type", "runs",
        )  # fmt: skip
        read_only_fields = fields

    @property
    def _runs(self) -> Sequence[SyncRun]:
        runs: Sequence[SyncRun] = self.context["runs"]
        return runs

    @property
    def _leading(self) -> SyncRun | None:
        last = self._runs[-1] if self._runs else None
        return next((run for run in self._runs if run.state not in COMPLETED_STATES), last)

    @extend_schema_field(serializers.ChoiceField(BUNDLE_STATES))
    def get_state(self, bundle: Bundle) -> str:
        leading = self._leading
        if leading is not None:
            return leading.state
        return RunState.FAILED if bundle.state == Bundle.State.REFUSED else bundle.state

    def get_is_over(self, bundle: Bundle) -> bool:
        return bundle.state != Bundle.State.READING and all(run.is_over for run in self._runs)

    @extend_schema_field(SaidSerializer(many=True))
    def get_errors(self, bundle: Bundle) -> list[dict[str, str]]:
        if not bundle.error_code:
            return []
        files = [upload for upload in bundle.uploads.all() if upload.code]
        said = [(bundle.error_code, bundle.error_params, "")]
        said += [(upload.code, upload.params, upload.name) for upload in files]
        return [
            {"code": code, "text": f"{name}: {text_of(code, params)}" if name else text_of(code, params)}
            for code, params, name in said
        ]

    @extend_schema_field(FileBeingReadSerializer(many=True))
    def get_files(self, bundle: Bundle) -> list[dict[str, str]]:
        if bundle.has_runs:
            return []
        return [{"name": upload.name, "file_type": upload.processor} for upload in bundle.uploads.all()]

    @extend_schema_field(SaidSerializer(many=True))
    def get_held_for(self, _bundle: Bundle) -> list[dict[str, str]]:
        leading = self._leading
        notes = leading.held_notes if leading is not None and leading.waits_for_person else []
        return [{"code": note.code, "text": reason_text(note)} for note in notes]

    def get_removals(self, bundle: Bundle) -> int:
        return removed_by(bundle.totals)

    def get_must_type(self, bundle: Bundle) -> bool:
        return is_typed(bundle.totals)

    @extend_schema_field(RunSerializer(many=True))
    def get_runs(self, _bundle: Bundle) -> Any:
        return RunSerializer(self._runs, many=True).data


BundlePage = page_of(BundleSerializer)


class Bundles(ApiView):
    """The bundles of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.PLAN,)}
    parser_classes: ClassVar[list[type[BaseParser]]] = [StrictJSONParser, MultiPartParser]

    @property
    def largest_body(self) -> int:  # type: ignore[override]
        if not _is_form(self.request):
            return ApiView.largest_body
        most = run_limits().max_upload_megabytes
        return most * MEGABYTE + ROOM_FOR_FIELDS if most else 2**63

    @extend_schema(operation_id="bundles_list", parameters=[PageQuery], responses=BundlePage)
    def get(self, request: Request, site: str) -> Response:
        """Return the bundles all of whose file types may be used, the last ones first."""
        asked = self.asked(PageQuery)
        found, cursor = newest_first(visible_bundles(request.user, self.site), asked)
        return Response(BundlePage({"results": found, "next": address_of(request, cursor)}).data)

    @extend_schema(
        operation_id="bundle_make",
        request={"application/json": NewBundleSerializer, "multipart/form-data": BundleUploadSerializer},
        responses={_ACCEPTED: BundleDetailSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Ask for one plan of several files, or of a zip of them. It waits for a decision, whatever it would do.

        Workbooks are read by workers: while they do, the state is “reading”, and there are no runs.
        """
        if _is_form(request):
            uploads = self.sent(BundleUploadSerializer)["file"]
            handed = [HandedFile(upload.name, cast(BinaryIO, upload)) for upload in uploads]
            return answer_once(self, lambda: _digest(self, handed), lambda: self._of_uploads(handed))
        sent = self.sent(NewBundleSerializer)
        return answer_once(self, lambda: digest_of_request(self), lambda: self._of_files(sent))

    def _of_uploads(self, handed: Sequence[HandedFile]) -> Answer:
        return self._queued(handed, {})

    def _of_files(self, sent: Mapping[str, Any]) -> Answer:
        numbers = dict.fromkeys(sent["files"])
        kept = [usable_file_or_404(self.request.user, self.site, number, "") for number in numbers]
        with _opened(kept) as handed:
            return self._queued(handed, sent.get("options", {}))

    def _queued(self, handed: Sequence[HandedFile], options: Mapping[str, Mapping[str, Any]]) -> Answer:
        made = hand_in_bundle(site=self.site, handed=handed, user=self.request.user, options=options)
        return begun_bundle(made)


class OneBundle(ApiView):
    """One bundle."""

    @extend_schema(operation_id="bundle_get", responses=BundleDetailSerializer)
    def get(self, request: Request, site: str, bundle_id: int) -> Response:
        """Return a bundle: where it stands, what its files do in all, and their runs."""
        return Response(bundle_detail(bundle_or_404(request.user, self.site, bundle_id)))


class _BundleAction(ApiView):
    """Something that is done with a bundle. Shape: what: gets the bundle and what was sent, returns a bundle"""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPLY,)}

    def done(self, bundle_id: int, kind: type[StrictSerializer], what: Any) -> Response:
        sent = self.sent(kind)

        def act() -> Answer:
            bundle = bundle_or_404(self.request.user, self.site, bundle_id)
            try:
                return begun_bundle(what(bundle, sent))
            except RunNotClaimable:
                raise ApiRefused("run_state_wrong") from None

        return answer_once(self, lambda: digest_of_request(self), act)


class DecideBundle(_BundleAction):
    """Decide on a bundle that waits."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPROVE, Scope.APPLY)}

    @extend_schema(
        operation_id="bundle_decide", request=DecideSerializer, responses={_ACCEPTED: BundleDetailSerializer}
    )
    def post(self, request: Request, site: str, bundle_id: int) -> Response:
        """Let all files of a bundle be carried out, or none. One that is held needs the scope “approve”."""

        def decide(bundle: Bundle, sent: dict[str, Any]) -> Bundle:
            decide_as(self, runs_of(bundle)[0], sent)
            return bundle

        return self.done(bundle_id, DecideSerializer, decide)


class CancelBundle(_BundleAction):
    """Stop a bundle."""

    @extend_schema(
        operation_id="bundle_cancel", request=NothingSerializer, responses={_ACCEPTED: BundleDetailSerializer}
    )
    def post(self, request: Request, site: str, bundle_id: int) -> Response:
        """Stop a bundle: the file that is at work before its next chunk, and none of those after it."""

        def cancel(bundle: Bundle, _sent: dict[str, Any]) -> Bundle:
            if cancel_bundle(bundle):
                return bundle
            left = next((run for run in files_of(bundle) if not run.is_over), None)
            if left is None:
                raise RunNotClaimable
            cancel_run(left)
            return bundle

        return self.done(bundle_id, NothingSerializer, cancel)


class PlanBundleAgain(_BundleAction):
    """Plan a bundle again."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN,)}

    @extend_schema(
        operation_id="bundle_plan_again", request=PlanAgainSerializer, responses={_ACCEPTED: BundleDetailSerializer}
    )
    def post(self, request: Request, site: str, bundle_id: int) -> Response:
        """Have a bundle that waits planned again with other options, by who asked for it. The answer is the new one."""

        def again(bundle: Bundle, sent: dict[str, Any]) -> Bundle:
            chosen = sent.get("options", {})
            options = {
                run.pk: {**run.options, **chosen[run.processor]} for run in runs_of(bundle) if run.processor in chosen
            }
            return plan_again(bundle, options, request.user)

        return self.done(bundle_id, PlanAgainSerializer, again)


class UndoBundle(_BundleAction):
    """Take back what a bundle did."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN,)}

    @extend_schema(operation_id="bundle_undo", request=NothingSerializer, responses={_ACCEPTED: BundleDetailSerializer})
    def post(self, request: Request, site: str, bundle_id: int) -> Response:
        """Plan the undo of all files. The answer is a bundle of its own, which waits for a decision."""
        return self.done(bundle_id, NothingSerializer, lambda bundle, _sent: undo_bundle(bundle, user=request.user))


def runs_of(bundle: Bundle) -> list[SyncRun]:
    """Return the runs of a bundle. Raises: RunNotClaimable if it has none"""
    if not bundle.has_runs:
        raise RunNotClaimable
    return files_of(bundle)


def bundle_detail(bundle: Bundle) -> dict[str, Any]:
    """Return all that is said of a bundle. Queries: one"""
    return dict(BundleDetailSerializer(bundle, context={"runs": files_of(bundle)}).data)


def begun_bundle(bundle: Bundle) -> Answer:
    """Return the answer to something that workers carry out with a bundle: 202, and where to see how far it is."""
    bundle.refresh_from_db()
    return Answer(bundle_detail(bundle), _ACCEPTED, reverse("api:bundle", args=[bundle.site.slug, bundle.pk]))


@contextmanager
def _opened(kept: Sequence[Any]) -> Iterator[list[HandedFile]]:
    """Open files that are kept. Raises: ApiRefused if one isn't any more"""
    with ExitStack() as stack:
        try:
            yield [
                # What was handed in for a type is of that type, whatever its header would say.
                HandedFile(
                    file.name,
                    stack.enter_context(storage.opened(storage.key_of_path(file.site.slug, file.path))),
                    file.processor,
                    file.uploaded_by_id,
                )
                for file in kept
            ]
        except FileNotFoundError:
            raise ApiRefused("file_gone") from None


def _is_form(request: Any) -> bool:
    return str(request.content_type or "").startswith("multipart/")


def _digest(view: ApiView, handed: Sequence[HandedFile]) -> str:
    return digest_of_request(view, *(f"{file.name} {digest_of(file.content)[0]}" for file in handed))
