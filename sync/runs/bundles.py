"""Bundles: several command files that are recognised, planned together, decided on as a whole and carried out in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import SEEK_END
from typing import Any, BinaryIO, NamedTuple

from django.db import transaction

from sync.commandfiles import storage
from sync.commandfiles.bundle_zip import FILE_LIMIT, HandedFile, is_bundle, is_workbook, unpacked
from sync.commandfiles.intake import MEGABYTE, delete_file, guess_type
from sync.errors import CommandFileError, PlanRefused
from sync.models import Bundle, CommandFile, MoodleSite, SyncRun
from sync.people.roles import run_permission
from sync.processors.registry import REGISTRY
from sync.runs.bundle_order import files_of
from sync.runs.decisions import decline_run
from sync.runs.options import resolve_options, run_limits
from sync.runs.rights import Responsible
from sync.runs.services import FILE_TYPES, cancel_run, queue_run, receive_for_run


class BundleFile(NamedTuple):
    """A file of a bundle. Shape: processor: key of its type; options: what differs from those of its type, None = nothing"""

    name: str
    content: BinaryIO
    processor: str
    options: Mapping[str, Any] | None = None


@contextmanager
def opened_bundle(handed: Sequence[HandedFile], *, most_of_workbooks: int = 0) -> Iterator[list[BundleFile]]:
    """Return the files that were handed in, one zip of them or several by themselves, in the order in which they are carried out.

    Shape: most_of_workbooks: bytes of all workbooks together, each of which is read whole to tell its type; 0 = unlimited
    Raises: CommandFileError if one of them can't be read or its type can't be told
    """
    if len(handed) > FILE_LIMIT:
        raise CommandFileError("bundle_too_many", count=len(handed), limit=FILE_LIMIT)
    zips = [file for file in handed if is_bundle(file.content)]
    if not zips:
        _refuse_large_workbooks(handed, most_of_workbooks)
        yield in_order(handed)
    elif len(handed) > 1:
        raise CommandFileError("bundle_nested", files=", ".join(file.name for file in zips))
    else:
        with unpacked(zips[0].content, run_limits().max_upload_megabytes) as files:
            _refuse_large_workbooks(files, most_of_workbooks)
            yield in_order(files)


def _refuse_large_workbooks(files: Sequence[HandedFile], most: int) -> None:
    """Raises: CommandFileError if the workbooks are larger together than somebody who asks for a page can wait for"""
    workbooks = [file for file in files if is_workbook(file.content)]
    size = sum(file.content.seek(0, SEEK_END) for file in workbooks)
    if most and size > most:
        names = ", ".join(file.name for file in workbooks)
        raise CommandFileError("bundle_workbooks", files=names, size=-(-size // MEGABYTE), limit=most // MEGABYTE)


def in_order(handed: Sequence[HandedFile]) -> list[BundleFile]:
    """Return files with their types, each after those whose types it comes after, and several of one type by name.

    Raises: CommandFileError naming those whose type can't be told
    """
    files = [BundleFile(file.name, file.content, guess_type(file.content, file.name, FILE_TYPES)) for file in handed]
    if unknown := [file.name for file in files if not file.processor]:
        raise CommandFileError("bundle_unrecognised", files=", ".join(unknown))
    places = {key: place for place, key in enumerate(REGISTRY)}
    return sorted(files, key=lambda file: (places[file.processor], file.name))


def queue_bundle(
    *,
    site: MoodleSite,
    name: str,
    files: Sequence[BundleFile],
    user: Any = None,
    origin: str = SyncRun.Origin.PERSON,
    asks: bool = True,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    in_background: bool = True,
) -> Bundle:
    """Ask for the runs of files, in their order. When that is refused nothing is kept.

    Shape: options: file type -> what differs from the stored settings; asks: a person lets it go on, whatever the limits say;
    in_background: False = the caller carries them out itself
    Raises: CommandFileError, OptionError
    """
    chosen = options or {}
    _check_rights(site, files, Responsible.of(user))
    asked = [{**chosen.get(file.processor, {}), **(file.options or {})} for file in files]
    for file, wanted in zip(files, asked, strict=True):
        if (fault := resolve_options(site, file.processor, wanted).fault()) is not None:
            raise fault
    kept: list[CommandFile] = []
    try:
        for file in files:
            kept.append(receive_for_run(site, file.content, file.name, file.processor, user))  # noqa: PERF401 - what is kept so far goes again
        with transaction.atomic():
            keys = [file.processor for file in files]
            bundle = Bundle.objects.create(site=site, name=name[:255], processors=keys, asks=asks, requested_by=user)
            for number, (command_file, wanted) in enumerate(zip(kept, asked, strict=True)):
                queue_run(
                    site=site, processor=command_file.processor, command_file=command_file, user=user, origin=origin,
                    options=wanted, bundle=bundle, is_pending=number > 0, in_background=in_background,
                )  # fmt: skip
            return bundle
    except BaseException:
        for command_file in kept:
            delete_file(command_file)
        raise


def check_plan_again(bundle: Bundle, files: Sequence[SyncRun], user: Any) -> None:
    """Look whether somebody may have a bundle planned again: who asked for it, while nobody has decided.

    Others would make a plan of their own of it, which whoever handed the files in could then approve.
    Shape: files: the runs of the bundle
    Raises: PlanRefused
    """
    if not files[0].waits_for_person or any(run.undoes_id is not None for run in files):
        raise PlanRefused("decision_too_late")
    if user is None or bundle.requested_by_id != user.pk:
        raise PlanRefused("bundle_of_another")


def can_plan_again(bundle: Bundle, files: Sequence[SyncRun], user: Any) -> bool:
    """Return whether somebody may have a bundle planned again now."""
    try:
        check_plan_again(bundle, files, user)
    except PlanRefused:
        return False
    return True


def plan_again(bundle: Bundle, options: Mapping[int, Mapping[str, Any]], user: Any) -> Bundle:
    """Have the files of a bundle that waits planned again with other options; the plan that is there is declined.

    Shape: options: number of a run -> all options of its file
    Raises: PlanRefused, OptionError, CommandFileError
    """
    runs = files_of(bundle)
    check_plan_again(bundle, runs, user)
    with ExitStack() as stack:
        try:
            files = [
                BundleFile(
                    run.file_name,
                    stack.enter_context(storage.opened(run.input_key)),
                    run.processor,
                    options.get(run.pk, run.options),
                )
                for run in runs
            ]
        except FileNotFoundError:
            raise PlanRefused("plan_of_another") from None
        made = queue_bundle(site=bundle.site, name=bundle.name, files=files, user=user)
    try:
        decline_run(runs[0], Responsible.of(user), reason=str(made))
    except PlanRefused:
        # Somebody has decided meanwhile: that counts.
        cancel_run(files_of(made)[0])
        raise
    return made


def _check_rights(site: MoodleSite, files: Sequence[BundleFile], person: Responsible) -> None:
    refused = [file.name for file in files if not person.may(run_permission(file.processor), site=site)]
    if refused:
        raise CommandFileError("bundle_without_right", files=", ".join(refused))
