"""Forms of a new import: the file, how it is read, and the options of its file type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.columns.clean import TimeKind
from sync.columns.options import Option
from sync.errors import CodedError, OptionError
from sync.messages import text_of
from sync.processors.base.processor import Processor
from sync.web.forms import ACCEPTED, OptionsForm

_WITH_THE_FILE = ("encoding", "separator")


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


class OptionField(NamedTuple):
    """An option on the page. Shape: is_stored: the stored value isn't the default; differs: the form has it otherwise"""

    field: forms.BoundField
    is_stored: bool
    differs: bool


class ImportOptionsForm(OptionsForm):
    """The options of the plan to be made. Shape: stored: option name -> value that administrators have stored"""

    def __init__(
        self,
        *args: Any,
        processor: type[Processor],
        values: Mapping[str, Any],
        stored: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, processor=processor, values=values, **kwargs)
        self._processor = processor
        self._stored = stored

    @property
    def chosen(self) -> dict[str, Any]:
        """The options as the form has them, also where one of them can't be. Shape: option name -> value"""
        return {option.name: self[f"option_{option.name}"].value() for option in self._options}

    def first(self, names: Collection[str]) -> list[OptionField]:
        """Return the options that matter for rows with these columns, and those that were stored."""
        return [self._shown(option) for option in self._options if self._is_first(option, names)]

    def others(self, names: Collection[str]) -> list[OptionField]:
        """Return the other options, but for those of the file, which stand with it."""
        rest = (option for option in self._options if not self._is_first(option, names))
        return [self._shown(option) for option in rest if option.name not in _WITH_THE_FILE]

    def _is_first(self, option: Option[Any], names: Collection[str]) -> bool:
        if option.name in _WITH_THE_FILE:
            return False
        field = self[f"option_{option.name}"]
        if field.errors or self._stored[option.name] != option.default or self._differs(option, option.default):
            return True
        columns = self._processor.columns
        present = [found[0] for name in names if (found := columns.find(name)) is not None]
        if option.name == "dateorder":
            return any(isinstance(column.kind, TimeKind) for column in present)
        if option.group != "file_type" or option.for_columns is None:
            return option.group == "file_type"
        wanted = [found[0] for name in option.for_columns if (found := columns.find(name)) is not None]
        return any(column in present for column in wanted)

    def _shown(self, option: Option[Any]) -> OptionField:
        stored = self._stored[option.name]
        is_stored = stored != option.default
        return OptionField(self[f"option_{option.name}"], is_stored, self._differs(option, stored))

    def _differs(self, option: Option[Any], value: Any) -> bool:
        """Whether the form has an option otherwise."""
        chosen = self.chosen[option.name]
        try:
            return bool(option.clean("" if chosen is None else chosen) != value)
        except OptionError:
            return True


def _choices(file_types: Iterable[type[Processor]]) -> Iterable[tuple[str, str]]:
    yield "", str(_("Choose the file type"))
    for processor in file_types:
        yield processor.key, str(processor.label)
