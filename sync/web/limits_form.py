"""The form of limits: how much of each kind a file may change before a person has to agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.guard.limits import DEFAULTS, Limit
from sync.guard.messages import kind_text
from sync.models import GuardLimits


class LimitRow(NamedTuple):
    """Shape: label: the kind, in words; percent, number: bound fields"""

    label: str
    percent: forms.BoundField
    number: forms.BoundField


class LimitsForm(forms.Form):
    """Choose how much a file may change by itself. An empty field is no limit."""

    is_on = forms.BooleanField(
        label=_("Hold what is beyond the limits"), required=False,
        help_text=_("Off: files are carried out as they are read, nothing is planned first and nothing is ever held."),
    )  # fmt: skip
    needs_second_person = forms.BooleanField(
        label=_("A second person approves"), required=False,
        help_text=_("Who asked for a run, or owns its schedule, can't approve it."),
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, chosen: GuardLimits, limits: Mapping[str, Limit]
    ) -> None:
        initial: dict[str, Any] = {"is_on": chosen.is_on, "needs_second_person": chosen.needs_second_person}
        for kind, limit in limits.items():
            # 10, not 10.0.
            percent = None if limit.percent is None else f"{limit.percent:g}"
            initial |= {_name(kind, "percent"): percent, _name(kind, "number"): limit.number}
        super().__init__(data, initial=initial)
        for kind in DEFAULTS:
            label = _without_number(kind)
            self.fields[_name(kind, "percent")] = forms.FloatField(
                label=_("%(what)s, percent") % {"what": label},
                required=False,
                min_value=0,
                max_value=100,
                widget=_widget(),
            )
            self.fields[_name(kind, "number")] = forms.IntegerField(
                label=_("%(what)s, number") % {"what": label}, required=False, min_value=0, widget=_widget()
            )

    @property
    def rows(self) -> list[LimitRow]:
        """Return the limits, a row for each kind."""
        return [
            LimitRow(_without_number(kind), self[_name(kind, "percent")], self[_name(kind, "number")])
            for kind in DEFAULTS
        ]

    @property
    def limits(self) -> dict[str, Limit]:
        """What was chosen."""
        cleaned = self.cleaned_data
        return {kind: Limit(cleaned[_name(kind, "percent")], cleaned[_name(kind, "number")]) for kind in DEFAULTS}


def _widget() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "form-control form-control-sm"})


def _name(kind: str, what: str) -> str:
    return f"{kind.replace('.', '_')}_{what}"


def _without_number(kind: str) -> str:
    """Return "users deleted"."""
    words = kind_text(kind, 2).replace("2", "", 1).strip()
    return words[:1].upper() + words[1:]
