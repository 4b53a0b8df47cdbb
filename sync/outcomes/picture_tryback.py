"""The tryback of a zip of pictures: the failed ones under their own paths, and what is wrong with each."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from django.utils import translation

from sync.messages import text_of
from sync.reader.picture_zip import REASONS_NAME, PictureRefused, PictureZip
from sync.values import Outcome

# Of the zip that was handed in: so large the tryback may get.
_SIZE_FACTOR = 2


def write_picture_tryback(
    out: BinaryIO, pictures: PictureZip, rejected: Iterable[Outcome], *, language: str
) -> int:  # fmt: skip
    """Write a zip. Pictures that can't be unpacked, or must not be, are only named; return the number of the failed ones."""
    reasons = io.StringIO()
    table = csv.writer(reasons, delimiter=";", lineterminator="\r\n")
    table.writerow(("file", "_code", "_reason"))
    written = 0
    most = _SIZE_FACTOR * pictures.size
    # Compressed where they were in the zip: a picture of one colour shrinks to a thousandth.
    with translation.override(language), zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for outcome in rejected:
            path = pictures.paths[outcome.line]
            table.writerow((path, outcome.code, " ".join(text_of(outcome.code, outcome.params).split())))
            # What can't be unpacked, or has no room, has its reason all the same.
            if out.tell() + pictures.packed_size(outcome.line) <= most:
                kind = zipfile.ZIP_DEFLATED if pictures.is_packed(outcome.line) else zipfile.ZIP_STORED
                with suppress(PictureRefused), warnings.catch_warnings():
                    # A zip may hold two pictures under one path, and so may its tryback.
                    warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
                    archive.writestr(path, pictures.content_of(outcome.line), kind)
            written += 1
        # The mark lets spreadsheets see that it is UTF-8.
        archive.writestr(REASONS_NAME, "\ufeff" + reasons.getvalue())
    return written
