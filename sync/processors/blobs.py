"""What is done about the blobs of deleted files, once their transaction is committed."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat

from sync.moodle.database import MoodleSession
from sync.moodle.files import DeletedFiles, trash_unreferenced_blobs
from sync.values import Note


def trash_blobs(moodle: MoodleSession, files: DeletedFiles) -> int:
    """Trash the blobs that nothing refers to any more, and give how many bytes stay behind. Units: bytes"""
    if not files.sizes:
        return 0
    return trash_unreferenced_blobs(moodle, moodle.database.settings.dataroot, files).bytes_left


def blob_notes(bytes_left: int) -> list[Note]:
    return [Note("blobs_left", {"size": filesizeformat(bytes_left)})] if bytes_left else []
