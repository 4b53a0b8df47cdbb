"""Kept files, handed out."""

from __future__ import annotations

from django.http import FileResponse, Http404

from sync.commandfiles.storage import file_storage


def attachment(storage_key: str, name: str) -> FileResponse:
    """Return a kept file to be saved. Never to be shown: what people hand in may be a page with scripts."""
    try:
        content = file_storage().open(storage_key, "rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
