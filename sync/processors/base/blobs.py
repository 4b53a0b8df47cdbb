"""What is done about the blobs of deleted files, once their transaction is committed."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat

from sync.moodle.db.database import MoodleSession
from sync.moodle.files.file_pool import file_pool_of
from sync.moodle.files.files import DeletedFiles, trash_unreferenced_blobs
from sync.values import Note


def trash_blobs(moodle: MoodleSession, files: DeletedFiles) -> int:
    """Trash the blobs that nothing refers to any more, and return how much stays behind. Units: bytes"""
    if not files.sizes:
        return 0
    settings = moodle.database.settings
    pool = file_pool_of(settings) if settings.data_url else None
    return trash_unreferenced_blobs(moodle, settings.dataroot, files, pool).bytes_left


def blob_notes(bytes_left: int) -> list[Note]:
    return [Note("blobs_left", {"size": filesizeformat(bytes_left)})] if bytes_left else []
