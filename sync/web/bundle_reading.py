"""What the page of a bundle says while workers read its workbooks, and when nothing came of it."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from sync.commandfiles.readings import is_late, readings_of
from sync.health.selectors import worker_trouble
from sync.messages import text_of
from sync.models import Bundle, WorkbookReading
from sync.schedules.titles import file_type_label


class UploadText(NamedTuple):
    """A file. Shape: said: how far it is; trouble: why it can't be used"""

    name: str
    said: str
    trouble: str


class BundleReadingPage:
    """A bundle that has no runs yet, or will have none. Queries: two, beside those of `worker_trouble`"""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._uploads = list(bundle.uploads.select_related("file"))
        self._readings = readings_of(upload.file for upload in self._uploads if upload.file is not None)

    @property
    def is_reading(self) -> bool:
        return self.bundle.state == Bundle.State.READING

    @property
    def uploads(self) -> list[UploadText]:
        """Its files, as they were handed in, those that can't be used first."""
        said = [
            UploadText(
                upload.name,
                file_type_label(upload.processor)
                if upload.processor
                else self._said_of(self._readings.get(upload.file_id or 0)),
                text_of(upload.code, upload.params) if upload.code else "",
            )
            for upload in self._uploads
        ]
        return sorted(said, key=lambda upload: not upload.trouble)

    @property
    def trouble(self) -> str:
        """Why nothing came of it, "" = it was cancelled."""
        return text_of(self.bundle.error_code, self.bundle.error_params) if self.bundle.error_code else ""

    @cached_property
    def worker_trouble(self) -> str:
        """Why nobody reads the workbooks now, "" = a worker does."""
        return worker_trouble()

    @property
    def is_late(self) -> bool:
        """Whether a workbook has waited for so long that the page doesn't ask again by itself."""
        return any(is_late(reading) for reading in self._readings.values())

    @property
    def said(self) -> str:
        """What stands on the page, as its part is called: asked for again, it is sent only where that has changed."""
        left = sum(reading.state == WorkbookReading.State.WAITING for reading in self._readings.values())
        return f"{'nobody-reads' if self.worker_trouble else 'being-read'}-{left}"

    def _said_of(self, reading: WorkbookReading | None) -> str:
        if reading is None or reading.state == WorkbookReading.State.WAITING:
            return _("is being read")
        return _("can't be read") if reading.state == WorkbookReading.State.FAILED else _("read")
