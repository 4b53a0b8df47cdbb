"""Forms of a new import: the file, how it is read, and the options of its file type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.processors.base.processor import Processor
from sync.web.forms import ACCEPTED, OptionsForm


class NewImportForm(forms.Form):
    """Hand in the file."""

    upload = forms.FileField(label=_("File"), widget=forms.FileInput(attrs={"accept": ACCEPTED}))

    def refuse(self, error: CodedError) -> None:
        """Show why a file can't be used beside the field."""
        self.add_error("upload", text_of(error.code, error.params))


class FileTypeForm(forms.Form):
    """Which file type a file is of. Shape: file_types: those that it may be of, by key"""

    file_type = forms.ChoiceField(label=_("File type"), required=False)

    def __init__(self, *args: Any, file_types: Mapping[str, type[Processor]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file_type"].choices = list(_choices(file_types.values()))  # type: ignore[attr-defined]


class ImportOptionsForm(OptionsForm):
    """The options of the plan to be made."""


def _choices(file_types: Iterable[type[Processor]]) -> Iterable[tuple[str, str]]:
    yield "", str(_("Choose the file type"))
    for processor in file_types:
        yield processor.key, str(processor.label)
