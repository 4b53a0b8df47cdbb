"""The tryback of a zip of pictures: the failed ones under their own paths, and what is wrong with each."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from django.utils import translation

from sync.messages import text_of
from sync.reader.picture_zip import REASONS_NAME, PictureRefused, PictureZip
from sync.values import Outcome


def write_picture_tryback(
    out: BinaryIO, pictures: PictureZip, rejected: Iterable[Outcome], *, language: str
) -> int:  # fmt: skip
    """Write a zip. Pictures that can't be unpacked, or must not be, are only named. Gives the number of the failed ones."""
    reasons = io.StringIO()
    table = csv.writer(reasons, delimiter=";", lineterminator="\r\n")
    table.writerow(("file", "_code", "_reason"))
    written = 0
    # Pictures are compressed already.
    with translation.override(language), zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for outcome in rejected:
            path = pictures.paths[outcome.line]
            table.writerow((path, outcome.code, " ".join(text_of(outcome.code, outcome.params).split())))
            # What can't be unpacked has its reason all the same.
            with suppress(PictureRefused):
                archive.writestr(path, pictures.content_of(outcome.line))
            written += 1
        # The mark lets spreadsheets see that it is UTF-8.
        archive.writestr(REASONS_NAME, "\ufeff" + reasons.getvalue())
    return written
