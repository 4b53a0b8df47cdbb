"""Files that callers upload first and commit then, as Moodle's draft areas: nobody else sees them meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from sync.api.moodle_protocol.errors import ServiceError
from sync.commandfiles import storage
from sync.commandfiles.intake import UPLOADS, delete_file, receive_file
from sync.commandfiles.naming import clean_name
from sync.messages import text_of
from sync.models import CommandFile, MoodleSite
from sync.runs.options import run_limits
from sync.runs.rights import Responsible, may_replace
from sync.runs.services import FILE_TYPES

_MOST_NUMBERS = 999_999_999


def keep_drafts(site: MoodleSite, person: Any, files: Iterable[UploadedFile], itemid: int) -> list[dict[str, Any]]:
    """Keep uploaded files under a draft number, and return what Moodle answers of each. Raises: CommandFileError

    Shape: itemid: below 1 = a new number
    """
    itemid = itemid if itemid > 0 else 1 + secrets.randbelow(_MOST_NUMBERS)
    limit = run_limits().max_upload_megabytes
    kept = []
    for file in files:
        name = clean_name(file.name or "")
        folder = _folder(person, itemid)
        if CommandFile.objects.filter(site=site, folder=folder, name=name).exists():
            said = text_of("service_file_exists", {"name": name})
            kept.append({"filename": name, "errortype": "filenameexist", "error": said})
            continue
        receive_file(
            site, file, name, folder, person, file_types=FILE_TYPES, replace=False, max_megabytes=limit
        )  # fmt: skip
        kept.append(_answer(person, name, itemid))
    return kept


def commit_drafts(site: MoodleSite, person: Any, itemid: int) -> None:
    """Put the files of a draft number among those of the site, in place of files of the same name.

    Raises: ServiceError where there are none, or one is in the way; CommandFileError
    """
    drafts = list(CommandFile.objects.filter(site=site, folder=_folder(person, itemid), uploaded_by=person))
    if not drafts:
        raise ServiceError(text_of("service_draft_missing", {"itemid": itemid}), "nofile")
    for draft in drafts:
        there = CommandFile.objects.filter(site=site, folder="/", name=draft.name).first()
        if there is not None and not may_replace(Responsible.of(person), there):
            raise ServiceError(text_of("service_file_of_others", {"path": there.path}), "file_of_others")
    for draft in drafts:
        with storage.opened(storage.key_of_path(site.slug, draft.path)) as stream:
            receive_file(site, stream, draft.name, "/", person, file_types=FILE_TYPES)
        delete_file(draft)


def _folder(person: Any, itemid: int) -> str:
    return f"{UPLOADS}drafts/{person.pk}-{itemid}/"


def _answer(person: Any, name: str, itemid: int) -> dict[str, Any]:
    """Return the record of a file; there is no context here. Source: Moodle's webservice/upload.php"""
    return {
        "component": "user", "contextid": 0, "userid": str(person.pk), "filearea": "draft", "filename": name, "filepath": "/",
        "itemid": itemid, "license": "allrightsreserved", "author": person.get_username(), "source": name,
    }  # fmt: skip
