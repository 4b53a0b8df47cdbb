"""Uploads in pieces: each piece is kept in the storage as it arrives, whichever web server takes it."""

from __future__ import annotations

import io
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO

from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.naming import clean_folder, clean_name
from sync.errors import CommandFileError
from sync.models import ApiToken, ChunkedUpload, CommandFile, MoodleSite
from sync.whole_files import digest_of

LARGEST_PIECE = 16_000_000
_MEGABYTE = 1_000_000
_KEPT_FOR = timedelta(days=1)
_MOST_OPEN = 100
# The list of them is written anew with each.
_MOST_PIECES = 10_000


class AlteredUpload(CommandFileError):
    """What has arrived isn't what was announced."""


def begin_upload(
    site: MoodleSite,
    token: ApiToken,
    name: str,
    size: int,
    *,
    sha256: str,
    processor: str,
    folder: str,
    replace: bool,
    max_megabytes: int,
) -> ChunkedUpload:
    """Return the record of a file that is to arrive in pieces. Raises: CommandFileError

    Shape: sha256: of the whole, "" = not said; processor: "" = it goes into the folder; max_megabytes: 0 = as large as it likes
    """
    name, folder = clean_name(name), clean_folder(folder)
    if max_megabytes and size > max_megabytes * _MEGABYTE:
        raise CommandFileError("file_too_large", name=name, size=-(-size // _MEGABYTE), limit=max_megabytes)
    if ChunkedUpload.objects.filter(token__person=token.person, file=None).count() >= _MOST_OPEN:
        raise CommandFileError("upload_too_many", most=_MOST_OPEN)
    return ChunkedUpload.objects.create(
        site=site, token=token, name=name, size=size, sha256=sha256, processor=processor, folder=folder, replace=replace
    )


def add_piece(upload: ChunkedUpload, offset: int, piece: bytes) -> None:
    """Keep a piece; one that has arrived already is passed over. Raises: CommandFileError if it isn't the next one"""
    if upload.file_id is not None or offset + len(piece) <= upload.offset:
        return
    if offset != upload.offset:
        raise CommandFileError("upload_offset_wrong", offset=upload.offset)
    if offset + len(piece) > upload.size:
        raise CommandFileError("upload_too_long", size=upload.size)
    if len(upload.parts) >= _MOST_PIECES:
        raise CommandFileError("upload_too_many_pieces", most=_MOST_PIECES)
    key = f"{_folder_of(upload)}/{offset:018d}-{secrets.token_hex(4)}"
    storage.save(key, io.BytesIO(piece))
    here = ChunkedUpload.objects.filter(pk=upload.pk, offset=offset, file=None)
    if not here.update(offset=offset + len(piece), parts=[*upload.parts, key], changed_at=timezone.now()):
        # The same piece has arrived twice at a time: the other one counts.
        storage.delete(key)
    upload.refresh_from_db()


@contextmanager
def whole_file(upload: ChunkedUpload) -> Iterator[BinaryIO]:
    """Put the pieces together. Raises: AlteredUpload if that isn't what was announced"""
    with storage.scratch_file() as whole:
        for key in upload.parts:
            with storage.opened(key) as piece:
                shutil.copyfileobj(piece, whole)
        if upload.sha256 and digest_of(whole)[0] != upload.sha256:
            raise AlteredUpload("upload_altered", name=upload.name)
        whole.seek(0)
        yield whole


def finish_upload(upload: ChunkedUpload, file: CommandFile) -> None:
    """Note what became of the pieces, which aren't needed any more once this is committed: `delete_pieces`."""
    ChunkedUpload.objects.filter(pk=upload.pk).update(file=file, parts=[])


def delete_pieces(upload: ChunkedUpload) -> None:
    """Delete the pieces that have arrived; the record stays."""
    storage.delete_folder(_folder_of(upload))


def drop_upload(upload: ChunkedUpload) -> None:
    """Delete what has arrived."""
    delete_pieces(upload)
    upload.delete()


def sweep_chunked_uploads() -> int:
    """Delete the uploads to which nothing was added for a day; return how many."""
    old = list(ChunkedUpload.objects.filter(changed_at__lt=timezone.now() - _KEPT_FOR).select_related("site"))
    for upload in old:
        drop_upload(upload)
    return len(old)


def _folder_of(upload: ChunkedUpload) -> str:
    return f"{upload.site.slug}/uploads/{upload.pk}"
