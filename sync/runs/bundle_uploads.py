"""Bundles that come by a page or a program: the request keeps the files, and workers read the workbooks among them.

Once all of them have been read the bundle has its runs; what can't be used is named, with its reason, and nothing is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, override

from sync.commandfiles.bundle_zip import HandedFile
from sync.commandfiles.intake import delete_file, type_of_kept
from sync.commandfiles.readings import LATE, ask_for_reading, is_workbook, read_again
from sync.errors import CodedError, CommandFileError, StorageUnavailable, WorkbookUnread
from sync.models import Bundle, BundleUpload, CommandFile, MoodleSite
from sync.people.rights import narrow
from sync.people.tokens import narrowing_of
from sync.runs import services
from sync.runs.asking import asking_by, asking_token
from sync.runs.bundles import (
    BundleFile,
    check_rights,
    in_order,
    place_of,
    queue_bundle,
    queue_files,
    refuse_unrecognised,
    unpacked_files,
)
from sync.runs.rights import Responsible

# So long a bundle waits for workers: what was handed in isn't kept for ever.
_WAITS = timedelta(days=1)

State = Bundle.State
logger = logging.getLogger(__name__)


def hand_in_bundle(
    *, site: MoodleSite, handed: Sequence[HandedFile], user: Any, options: Mapping[str, Mapping[str, Any]] | None = None
) -> Bundle:
    """Ask for the runs of files that somebody hands in; where workbooks are among them, once these have been read.

    Shape: handed: one zip, or several files; options: file type -> what differs from the stored ones
    Raises: CommandFileError, OptionError; then nothing is kept
    """
    chosen = options or {}
    with unpacked_files(handed) as files:
        unread = [not file.processor and is_workbook(file.content, file.name) for file in files]
        if not any(unread):
            return queue_bundle(
                site=site, name=handed[0].name, files=in_order(files), user=user, options=chosen,
                author_ids=_authors(handed),
            )  # fmt: skip
        known = in_order([file for file, is_unread in zip(files, unread, strict=True) if not is_unread])
        check_rights(site, ((file.name, file.processor) for file in known), Responsible.of(user))
        for key in {*chosen, *(file.processor for file in known)}:
            services.checked_options(site, key, chosen.get(key))
        waiting = [
            BundleFile(file.name, file.content, "") for file, is_unread in zip(files, unread, strict=True) if is_unread
        ]
        return _keep(site, handed, [*known, *waiting], user, chosen)


def begin_bundle(bundle_id: int) -> None:
    """Ask for the runs of a bundle if all of its workbooks have been read, or say why they can't be used."""
    bundle = (
        Bundle.objects.select_related("site", "requested_by", "token").filter(pk=bundle_id, state=State.READING).first()
    )
    if bundle is None or not _is_read(uploads := _uploads_of(bundle)):
        return
    with override(bundle.language or None):
        try:
            user = _asker(bundle)
            with asking_by(lambda: bundle.token):
                _queue(bundle, uploads, user)
        except CodedError as error:
            _end(bundle, State.REFUSED, error.code, error.params)


def cancel_bundle(bundle: Bundle) -> bool:
    """End a bundle whose workbooks are being read; return False where it has its runs, or is over."""
    return _end(bundle, State.CANCELLED)


def ask_again(bundle: Bundle) -> None:
    """Ask anew for the workbooks that nobody has taken for too long."""
    for upload in bundle.uploads.select_related("file__site"):
        if upload.file is not None:
            read_again(upload.file)


def read_workbook(reading_id: int) -> None:
    """Read a workbook for pages and programs, unless somebody else does; a bundle that waits for it goes on."""
    services.read_workbook(reading_id)
    uploads = BundleUpload.objects.filter(file__readings=reading_id, bundle__state=State.READING)
    for bundle_id in set(uploads.values_list("bundle_id", flat=True)):
        begin_bundle(bundle_id)


def follow_bundles() -> None:
    """Let the bundles go on that nobody was told of, and end those that have waited for too long."""
    for bundle in Bundle.objects.filter(state=State.READING):
        if bundle.created_at < timezone.now() - _WAITS:
            _end(bundle, State.REFUSED, "bundle_unread", {"hours": int(_WAITS.total_seconds() // 3600)})
            continue
        try:
            begin_bundle(bundle.pk)
        except StorageUnavailable as error:
            logger.warning("bundle %s waits for the storage: %s", bundle.pk, error)


def _authors(handed: Sequence[HandedFile]) -> list[int]:
    """Return the users who had handed files in before."""
    return sorted({file.author_id for file in handed if file.author_id is not None})


def _keep(
    site: MoodleSite,
    handed: Sequence[HandedFile],
    files: Sequence[BundleFile],
    user: Any,
    options: Mapping[str, Mapping[str, Any]],
) -> Bundle:
    """Shape: handed: as it came; files: what is in it"""
    token = asking_token()
    kept: list[CommandFile] = []
    try:
        for file in files:
            kept.append(services.receive_for_run(site, file.content, file.name, file.processor, user))  # noqa: PERF401 - what is kept so far goes again
        with transaction.atomic():
            bundle = Bundle.objects.create(
                site=site, name=handed[0].name[:255], processors=[file.processor for file in files], requested_by=user,
                state=State.READING, options=options, language=get_language() or "", token=token,
                token_name=token.name if token is not None else "", author_ids=_authors(handed),
            )  # fmt: skip
            BundleUpload.objects.bulk_create(
                BundleUpload(bundle=bundle, file=file, name=file.name, processor=file.processor) for file in kept
            )
            for unread in kept:
                if not unread.processor:
                    ask_for_reading(unread)
            return bundle
    except BaseException:
        for left in kept:
            delete_file(left)
        raise


def _uploads_of(bundle: Bundle) -> list[BundleUpload]:
    return list(bundle.uploads.select_related("file__site"))


def _is_read(uploads: Sequence[BundleUpload]) -> bool:
    """Find out the types of files, or why they can't be used; return False while a worker has yet to read one of them."""
    is_read = True
    for upload in uploads:
        try:
            upload.processor = _type_of(upload)
        except WorkbookUnread:
            is_read = False
        except CommandFileError as error:
            if error.code == LATE:
                # It is read all the same, once a worker is there.
                is_read = False
            upload.code, upload.params = error.code, dict(error.params)
    return is_read


def _type_of(upload: BundleUpload) -> str:
    """Raises: WorkbookUnread; CommandFileError why a file can't be used"""
    if upload.file is None:
        raise CommandFileError("file_not_found", path=upload.name)
    if upload.processor:
        return upload.processor
    try:
        return type_of_kept(upload.file, services.FILE_TYPES)
    except FileNotFoundError:
        raise CommandFileError("file_not_found", path=upload.file.path) from None


def _asker(bundle: Bundle) -> Any:
    """Return who has asked for a bundle, with no more rights than then. Raises: CommandFileError"""
    if bundle.requested_by is None:
        raise CommandFileError("bundle_of_nobody")
    if bundle.token_name:
        if bundle.token is None or not bundle.token.is_live:
            raise CommandFileError("bundle_of_old_token", name=bundle.token_name)
        narrow(bundle.requested_by, narrowing_of(bundle.token))
    return bundle.requested_by


def _queue(bundle: Bundle, uploads: Sequence[BundleUpload], user: Any) -> None:
    """Raises: CommandFileError, OptionError"""
    if any(upload.code for upload in uploads):
        BundleUpload.objects.bulk_update(uploads, ["code", "params"])
        raise CommandFileError("bundle_unreadable")
    refuse_unrecognised(upload.name for upload in uploads if not upload.processor)
    check_rights(bundle.site, ((upload.name, upload.processor) for upload in uploads), Responsible.of(user))
    ordered = sorted(uploads, key=lambda upload: place_of(upload.processor, upload.name))
    with transaction.atomic():
        keys = [upload.processor for upload in ordered]
        if not _still(bundle).update(state=State.PLANNED, processors=keys):
            return
        files = []
        for upload in ordered:
            # One that is gone was found to be unreadable.
            file = cast(CommandFile, upload.file)
            file.processor = upload.processor
            files.append(file)
        CommandFile.objects.bulk_update(files, ["processor"])
        queue_files(bundle, [(file, bundle.options.get(file.processor, {})) for file in files], user=user)
        bundle.uploads.all().delete()


def _end(bundle: Bundle, state: State, code: str = "", params: Mapping[str, Any] | None = None) -> bool:
    """End a bundle that has no runs; its files go."""
    if not _still(bundle).update(state=state, error_code=code, error_params=dict(params or {})):
        return False
    for upload in _uploads_of(bundle):
        if upload.file is not None:
            delete_file(upload.file)
    bundle.refresh_from_db()
    return True


def _still(bundle: Bundle) -> Any:
    return Bundle.objects.filter(pk=bundle.pk, state=State.READING)
