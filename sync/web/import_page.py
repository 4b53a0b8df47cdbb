"""What the page of a new import shows: how a file is understood, from what has been chosen so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.http import QueryDict

from sync.commandfiles import storage
from sync.errors import CommandFileError
from sync.mappings.recognition import Recognised, likeliest
from sync.models import CommandFile
from sync.processors.base.processor import Processor
from sync.runs.imports import recognise_file
from sync.runs.options import resolve_options
from sync.web.forms import OptionsForm
from sync.web.import_form import FileTypeForm
from sync.web.preview import Preview, preview_file


class ImportPage:
    """One look at a file. Shape: sent: what the form holds, empty at the first look"""

    def __init__(self, file: CommandFile, processors: Sequence[type[Processor]], sent: QueryDict) -> None:
        self.file = file
        self._processors = {processor.key: processor for processor in processors}
        self._sent = sent

    @cached_property
    def recognised(self) -> list[Recognised]:
        """The file types that the file may be of, the likeliest first."""
        try:
            with storage.opened(storage.key_of_path(self.file.site.slug, self.file.path)) as stream:
                return recognise_file(stream, self.file.name, self.file.size, list(self._processors.values()))
        except (CommandFileError, FileNotFoundError):
            return []

    @cached_property
    def key(self) -> str:
        """The key of the file type that was chosen, or else recognised; "" = none."""
        chosen = self._sent.get("file_type", self.file.processor or likeliest(self.recognised))
        return chosen if chosen in self._processors else ""

    @property
    def processor(self) -> type[Processor]:
        return self._processors[self.key]

    @property
    def sure(self) -> Recognised | None:
        """What speaks for the file type that is chosen."""
        return next((found for found in self.recognised if found.key == self.key), None)

    @cached_property
    def type_form(self) -> FileTypeForm:
        return FileTypeForm(initial={"file_type": self.key}, file_types=self._processors)

    @cached_property
    def form(self) -> OptionsForm:
        """The options: as sent for this file type, else as stored."""
        is_sent = bool(self.key) and self._sent.get("shown_type") == self.key
        values = resolve_options(self.file.site, self.key)
        return OptionsForm(self._sent if is_sent else None, processor=self.processor, values=values)

    @property
    def option_values(self) -> Mapping[str, Any]:
        return self.form.option_values

    @property
    def is_ready(self) -> bool:
        """Whether all is chosen that a plan needs."""
        return bool(self.key) and self.form.is_valid()

    @cached_property
    def preview(self) -> Preview | None:
        """How the file begins, as the file type reads it; None where the file is gone."""
        if not self.key:
            return None
        values = {option.name: self.form[f"option_{option.name}"].value() for option in self.processor.options.declared}
        try:
            with storage.opened(storage.key_of_path(self.file.site.slug, self.file.path)) as stream:
                return preview_file(stream, self.file.name, self.file.size, self.processor, values)
        except FileNotFoundError:
            return None
