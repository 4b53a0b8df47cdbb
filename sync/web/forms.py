"""Forms: handing in files, and starting a file type with the options that it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sync.columns.options import Choice, Number, Option, Text
from sync.errors import CodedError, OptionError
from sync.messages import text_of
from sync.models import CommandFile
from sync.processors.base.processor import Processor

# A list to choose from stays a list; older files are reached from the files page.
FILES_LISTED = 200
ACCEPTED = ".csv,.txt,.xlsx,.ods,.zip,text/csv"
# Beside command files, what their rows may name: course backups.
_ACCEPTED_IN_AREA = f"{ACCEPTED},.mbz"

_GROUP_TITLES = {
    "file_type": _("What the run may do"),
    "format": _("Format of the file"),
    "after": _("When it is done"),
}


class ServiceForm(Protocol):
    """A form whose choice a service takes or rejects."""

    def is_valid(self) -> bool: ...

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice, beside the field that it is about."""


def is_saved(request: HttpRequest, form: ServiceForm, save: Callable[[], object], said: str) -> bool:
    """Save what was chosen, if a form was sent, and say so; what is against it is shown with the form."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        save()
    except CodedError as error:
        form.refuse(error)
        return False
    messages.success(request, said)
    return True


class _SeveralFilesInput(forms.FileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One or more uploaded files, cleaned one by one."""

    widget = _SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(SeveralFilesField, self).clean(file, initial) for file in files] or [super().clean(None, initial)]


class DecisionForm(forms.Form):
    """What somebody decides on a run that waits. Neither approved nor declined is neither."""

    decision = forms.ChoiceField(choices=[("approve", _("Approve")), ("decline", _("Decline"))])
    typed = forms.CharField(required=False, max_length=20)
    reason = forms.CharField(required=False, max_length=500)


class UploadForm(forms.Form):
    """Hand in command files."""

    uploads = SeveralFilesField(label=_("Files"), widget=_SeveralFilesInput(attrs={"accept": _ACCEPTED_IN_AREA}))
    folder = forms.CharField(
        label=_("Folder"), required=False, max_length=200, help_text=_("A folder that doesn't exist yet is made.")
    )
    replace = forms.BooleanField(
        label=_("Replace files of the same name"), required=False,
        help_text=_("Schedules don't take the new one before somebody has let them."),
    )  # fmt: skip


class BundleForm(forms.Form):
    """Hand in several command files, or a zip of them, to be planned together."""

    uploads = SeveralFilesField(
        label=_("A zip of command files, or several files"), widget=_SeveralFilesInput(attrs={"accept": ACCEPTED})
    )


class OptionGroup(NamedTuple):
    """The options that stand together on the page."""

    name: str
    title: str
    fields: list[forms.BoundField]


class OptionsForm(forms.Form):
    """The options of a file type. Shape: values: option name -> value to begin with"""

    def __init__(self, *args: Any, processor: type[Processor], values: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._processor = processor
        self._options = processor.options.declared
        for option in self._options:
            self.fields[_field_name(option)] = _option_field(option, values[option.name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and (fault := self._fault()) is not None:
            self.refuse(None, fault)
        return cleaned

    def _fault(self) -> OptionError | None:
        """Return why the options can't be used, each by itself or together."""
        try:
            return self._processor.options.resolve(self.option_values).fault()
        except OptionError as error:
            return error

    @property
    def option_groups(self) -> list[OptionGroup]:
        names = dict.fromkeys(option.group for option in self._options)
        return [
            OptionGroup(
                name,
                str(_GROUP_TITLES.get(name, name)),
                [self[_field_name(option)] for option in self._options if option.group == name],
            )
            for name in names
        ]

    @property
    def option_values(self) -> dict[str, Any]:
        """The options as chosen. Shape: option name -> value."""
        return {option.name: self.cleaned_data[_field_name(option)] for option in self._options}

    def refuse(self, field: str | None, error: CodedError) -> None:
        """Show what a service says against the form beside the field that it is about."""
        option = _field_name_of(error.params.get("option"))
        self.add_error(option if option in self.fields else field, text_of(error.code, error.params))


class RunForm(OptionsForm):
    """Choose or hand in a file, set the options, simulate or run. Shape: files: those the user may take"""

    command_file = forms.ModelChoiceField(CommandFile.objects.none(), label=_("File in the file area"), required=False)
    upload = forms.FileField(
        label=_("Or upload a file"), required=False, widget=forms.FileInput(attrs={"accept": ACCEPTED})
    )
    remember = forms.BooleanField(
        label=_("Remember these options"), required=False, help_text=_("They are the ones to begin with from now on.")
    )

    def __init__(
        self,
        *args: Any,
        processor: type[Processor],
        files: QuerySet[CommandFile],
        values: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, processor=processor, values=values, **kwargs)
        chooser = cast(forms.ModelChoiceField, self.fields["command_file"])
        chooser.queryset = files
        chooser.widget.choices = _grouped(files, processor.key, self.initial.get("command_file"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["upload"] and not cleaned["command_file"]:
            self.add_error("command_file", _("Choose a file, or hand one in."))
        return cleaned


def _option_field(option: Option, value: Any) -> forms.Field:
    texts = {"label": option.label, "help_text": option.help, "initial": value}
    if isinstance(option, Choice):
        return forms.ChoiceField(choices=tuple(option.choices.items()), required=False, **texts)
    if isinstance(option, Number):
        return forms.IntegerField(min_value=0, max_value=option.most, required=False, **texts)
    if isinstance(option, Text):
        return forms.CharField(max_length=option.max_length, required=False, **texts)
    return forms.BooleanField(required=False, **texts)


def _field_name(option: Option) -> str:
    return _field_name_of(option.name)


def _field_name_of(name: object) -> str:
    return f"option_{name}"


def _grouped(files: QuerySet[CommandFile], key: str, chosen: CommandFile | None) -> list[Any]:
    """Return the choices: files whose header fits this file type, then the others; the newest first."""
    listed = list(files.order_by("-uploaded_at")[:FILES_LISTED])
    if chosen is not None and chosen not in listed:
        listed.insert(0, chosen)
    groups: list[Any] = [("", _("None chosen"))]
    for title, fits in ((_("Files of this type"), True), (_("Other files"), False)):
        choices = _choices(file for file in listed if (file.processor == key) is fits)
        if choices:
            groups.append((title, choices))
    return groups


def _choices(files: Iterable[CommandFile]) -> list[tuple[int, str]]:
    return [(file.pk, file.path) for file in files]
