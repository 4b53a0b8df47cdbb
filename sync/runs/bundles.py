"""Bundles: several command files that are recognised, planned together, decided on as a whole and carried out in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, NamedTuple

from django.db import transaction

from sync.commandfiles import storage
from sync.commandfiles.bundle_zip import FILE_LIMIT, HandedFile, is_bundle, unpacked
from sync.commandfiles.intake import delete_file, guess_type
from sync.errors import CommandFileError, PlanRefused
from sync.models import Bundle, CommandFile, MoodleSite, SyncRun
from sync.people.roles import run_permission
from sync.processors.registry import REGISTRY
from sync.runs.bundle_order import files_of
from sync.runs.deciders import authors_of
from sync.runs.decisions import replace_run
from sync.runs.options import run_limits
from sync.runs.rights import Responsible
from sync.runs.services import FILE_TYPES, cancel_run, checked_options, queue_run, receive_for_run


class BundleFile(NamedTuple):
    """A file of a bundle. Shape: processor: key of its type; options: what differs from those of its type, None = nothing"""

    name: str
    content: BinaryIO
    processor: str
    options: Mapping[str, Any] | None = None


@contextmanager
def opened_bundle(handed: Sequence[HandedFile]) -> Iterator[list[BundleFile]]:
    """Return the files that were handed in, one zip of them or several by themselves, in the order in which they are carried out.

    Workbooks are read whole to tell their types: not for a request (see `hand_in_bundle`).
    Raises: CommandFileError if one of them can't be read or its type can't be told
    """
    with unpacked_files(handed) as files:
        yield in_order(files)


@contextmanager
def unpacked_files(handed: Sequence[HandedFile]) -> Iterator[Sequence[HandedFile]]:
    """Return the files of a zip, or those that were handed in by themselves. Raises: CommandFileError"""
    if len(handed) > FILE_LIMIT:
        raise CommandFileError("bundle_too_many", count=len(handed), limit=FILE_LIMIT)
    zips = [file for file in handed if is_bundle(file.content, file.name)]
    if not zips:
        yield handed
    elif len(handed) > 1:
        raise CommandFileError("bundle_nested", files=", ".join(file.name for file in zips))
    else:
        with unpacked(zips[0].content, run_limits().max_upload_megabytes) as files:
            yield files


def in_order(handed: Sequence[HandedFile]) -> list[BundleFile]:
    """Return files with their types, each after those whose types it comes after, and several of one type by name.

    Raises: CommandFileError naming those whose type can't be told
    """
    files = [
        BundleFile(file.name, file.content, file.processor or guess_type(file.content, file.name, FILE_TYPES))
        for file in handed
    ]
    refuse_unrecognised(file.name for file in files if not file.processor)
    return sorted(files, key=lambda file: place_of(file.processor, file.name))


def place_of(processor: str, name: str) -> tuple[int, str]:
    """Return by what the files of a bundle are put in order."""
    return list(REGISTRY).index(processor), name


def refuse_unrecognised(names: Iterable[str]) -> None:
    """Raises: CommandFileError if there are any"""
    if listed := ", ".join(names):
        raise CommandFileError("bundle_unrecognised", files=listed)


def queue_bundle(
    *,
    site: MoodleSite,
    name: str,
    files: Sequence[BundleFile],
    user: Any = None,
    origin: str = SyncRun.Origin.PERSON,
    asks: bool = True,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    author_ids: Sequence[int] = (),
    in_background: bool = True,
) -> Bundle:
    """Ask for the runs of files, in their order. When that is refused nothing is kept.

    Shape: options: file type -> what differs from the stored settings; asks: a person lets it go on, whatever the limits say;
    author_ids: as Bundle has it; in_background: False = the caller carries them out itself
    Raises: CommandFileError, OptionError
    """
    chosen = options or {}
    check_rights(site, ((file.name, file.processor) for file in files), Responsible.of(user))
    asked = [{**chosen.get(file.processor, {}), **(file.options or {})} for file in files]
    for file, wanted in zip(files, asked, strict=True):
        checked_options(site, file.processor, wanted)
    kept: list[CommandFile] = []
    try:
        for file in files:
            kept.append(receive_for_run(site, file.content, file.name, file.processor, user))  # noqa: PERF401 - what is kept so far goes again
        with transaction.atomic():
            keys = [file.processor for file in files]
            bundle = Bundle.objects.create(
                site=site, name=name[:255], processors=keys, asks=asks, requested_by=user, author_ids=list(author_ids)
            )
            queue_files(bundle, zip(kept, asked, strict=True), user=user, origin=origin, in_background=in_background)
            return bundle
    except BaseException:
        for command_file in kept:
            delete_file(command_file)
        raise


def queue_files(
    bundle: Bundle,
    files: Iterable[tuple[CommandFile, Mapping[str, Any]]],
    *,
    user: Any,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> None:
    """Ask for the runs of a bundle. Shape: files: in order, each with its options. Raises: OptionError"""
    for number, (file, wanted) in enumerate(files):
        queue_run(
            site=bundle.site, processor=file.processor, command_file=file, user=user, origin=origin, options=wanted,
            bundle=bundle, is_pending=number > 0, in_background=in_background,
        )  # fmt: skip


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
        authors = sorted(author.pk for author in authors_of(runs[0]) if author is not None)
        made = queue_bundle(site=bundle.site, name=bundle.name, files=files, user=user, author_ids=authors)
    try:
        replace_run(runs[0], Responsible.of(user), reason=str(made))
    except PlanRefused:
        # Somebody has decided meanwhile: that counts.
        cancel_run(files_of(made)[0])
        raise
    return made


def check_rights(site: MoodleSite, files: Iterable[tuple[str, str]], person: Responsible) -> None:
    """Shape: files: name, key of its type. Raises: CommandFileError naming the files whose types somebody may not run"""
    refused = [name for name, processor in files if not person.may(run_permission(processor), site=site)]
    if refused:
        raise CommandFileError("bundle_without_right", files=", ".join(refused))
