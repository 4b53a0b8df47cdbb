"""The forms that say when file types run by themselves, and when nothing may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import Schedule
from sync.processors.base.processor import Processor
from sync.schedules.services import ScheduleChoice

_SECONDS = {"hours": 3600, "minutes": 60}
# Named alike in the form, the choice and the model.
_SAME_NAMES = ("name", "processors", "kind", "at", "crontab", "enabled", "stop_on_failure", "together", "after_freeze")
_FIELDS = {"schedule_without_tool": "processors", "schedule_without_time": "at"}
_MOMENT = {"type": "datetime-local"}


class ScheduleForm(forms.Form):
    """Choose file types and a rule."""

    processors = forms.MultipleChoiceField(
        label=_("File types"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Several are a sequence: they run in this order, each when the one before is over."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name"), required=False, max_length=100, help_text=_("Empty: the names of the file types.")
    )
    kind = forms.ChoiceField(label=_("When"), choices=Schedule.Kind.choices, widget=forms.RadioSelect)
    every = forms.IntegerField(label=_("Every"), required=False, min_value=1, max_value=10_000)
    unit = forms.ChoiceField(
        label=_("Unit"), required=False, choices=[("hours", _("hours")), ("minutes", _("minutes"))]
    )
    at = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("By the clock of the site."),
    )  # fmt: skip
    crontab = forms.CharField(
        label=_("Crontab"), required=False, max_length=100,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("Minute, hour, day of the month, month, day of the week. 15 2 * * 1-5 is 02:15 from Monday to Friday."),
    )  # fmt: skip
    stop_on_failure = forms.BooleanField(
        label=_("Stop a sequence after a failure"), required=False,
        help_text=_(
            "A file that can't be used or an error is a failure, rejected rows are not. Else the next file type "
            "goes on."
        ),
    )  # fmt: skip
    together = forms.BooleanField(
        label=_("Plan all files of a sequence together"), required=False,
        help_text=_(
            "What came for all its file types is fetched first, and planned as a bundle: judged as a whole before the first row "
            "is written."
        ),
    )  # fmt: skip
    after_freeze = forms.BooleanField(
        label=_("Make up for it after a freeze window"), required=False,
        help_text=_("A start that falls into a window comes once when it ends. Else it is left out."),
    )  # fmt: skip
    enabled = forms.BooleanField(label=_("On"), required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        schedule: Schedule,
        processors: Sequence[type[Processor]],
    ) -> None:
        unit = "hours" if schedule.every_seconds % 3600 == 0 else "minutes"
        initial = {name: getattr(schedule, name) for name in _SAME_NAMES}
        initial |= {"every": schedule.every_seconds // _SECONDS[unit], "unit": unit}
        super().__init__(data, initial=initial)
        choices = [(processor.key, processor.label) for processor in processors]
        cast(forms.MultipleChoiceField, self.fields["processors"]).choices = choices

    def clean(self) -> dict[str, Any]:
        """Ask for the field that the rule needs."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == Schedule.Kind.EVERY and "every" not in self.errors:
            if not cleaned.get("every"):
                self.add_error("every", forms.Field.default_error_messages["required"])
            elif not cleaned.get("unit"):
                cleaned["unit"] = "hours"
        return cleaned

    @property
    def choice(self) -> ScheduleChoice:
        """What was chosen."""
        cleaned = self.cleaned_data
        seconds = (cleaned["every"] or 1) * _SECONDS[cleaned["unit"] or "hours"]
        return ScheduleChoice(every_seconds=seconds, **{name: cleaned[name] for name in _SAME_NAMES})

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice."""
        self.add_error(_FIELDS.get(error.code, "crontab"), text_of(error.code, error.params))


class FreezeForm(forms.Form):
    """A period during which nothing starts by itself, by the clock of the site."""

    starts_at = forms.DateTimeField(label=_("From"), widget=forms.DateTimeInput(attrs=_MOMENT, format="%Y-%m-%dT%H:%M"))
    ends_at = forms.DateTimeField(label=_("Until"), widget=forms.DateTimeInput(attrs=_MOMENT, format="%Y-%m-%dT%H:%M"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)

    @property
    def period(self) -> tuple[datetime, datetime, str]:
        """What was entered."""
        cleaned = self.cleaned_data
        return cleaned["starts_at"], cleaned["ends_at"], cleaned["reason"]
