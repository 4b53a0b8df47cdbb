"""Files that are handed out: with an ETag, and never as something that a browser would show."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import FileResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from sync.commandfiles.storage import file_storage
from sync.errors import ApiRefused


def sent_file(request: Request, storage_key: str, name: str, sha256: str = "") -> HttpResponseBase:
    """Return a kept file; 304 where who asks has it already. Shape: sha256: of its bytes, "" = what names it tells it apart

    Raises: Http404; ApiRefused if it isn't kept any more
    """
    tag = f'"{sha256 or hashlib.sha256(storage_key.encode()).hexdigest()}"'
    plain = request._request  # noqa: SLF001
    unchanged: HttpResponseBase | None = get_conditional_response(plain, etag=tag)
    if unchanged is not None:
        unchanged["ETag"] = tag
        return unchanged
    try:
        content: Any = file_storage().open(storage_key, "rb")
    except FileNotFoundError:
        raise ApiRefused("file_gone") from None
    answer = FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
    answer["ETag"] = tag
    return answer
