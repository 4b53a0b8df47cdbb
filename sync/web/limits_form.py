"""The forms of limits: how much of each kind a file may change before a person has to agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.guard.limits import DEFAULTS, REMOVALS, SCOPE_KINDS, Limit, Scope, ScopeKind, read_scope_limits
from sync.guard.messages import kind_text
from sync.messages import Quantity, text_of
from sync.models import GuardLimits, ScopeLimits
from sync.runs.scope_limits import count_scope, stored_scopes


class LimitRow(NamedTuple):
    """Shape: label: the kind, in words; percent, number: bound fields"""

    label: str
    percent: forms.BoundField
    number: forms.BoundField


class KindLimitsForm(forms.Form):
    """Two fields for each kind. An empty field is no limit."""

    kinds: Sequence[str] = tuple(DEFAULTS)

    def __init__(
        self, data: Mapping[str, Any] | None, *, limits: Mapping[str, Limit], initial: Mapping[str, Any]
    ) -> None:
        shown = dict(initial)
        for kind, limit in limits.items():
            # 10, not 10.0.
            percent = None if limit.percent is None else f"{limit.percent:g}"
            shown |= {_name(kind, "percent"): percent, _name(kind, "number"): limit.number}
        super().__init__(data, initial=shown)
        for kind in self.kinds:
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
            for kind in self.kinds
        ]

    @property
    def limits(self) -> dict[str, Limit]:
        """What was chosen."""
        cleaned = self.cleaned_data
        return {kind: Limit(cleaned[_name(kind, "percent")], cleaned[_name(kind, "number")]) for kind in self.kinds}


class LimitsForm(KindLimitsForm):
    """Choose how much a file may change by itself."""

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
        initial = {"is_on": chosen.is_on, "needs_second_person": chosen.needs_second_person}
        super().__init__(data, limits=limits, initial=initial)


class ScopeLimitsForm(KindLimitsForm):
    """Choose how much a file may change in one category, or of the cohorts whose idnumbers begin alike.

    Shape: stored: perhaps new; after `is_valid`, `found` says how many of each kind of object are in the scope
    """

    name = forms.CharField(max_length=100)

    def __init__(self, data: Mapping[str, Any] | None = None, *, stored: ScopeLimits) -> None:
        self.stored, self.kind = stored, ScopeKind(stored.kind)
        self.kinds = SCOPE_KINDS[self.kind]
        self.found: Mapping[str, int] = {}
        super().__init__(data, limits=self._limits_now(), initial={"name": stored.name})
        name = self.fields["name"]
        if self.kind is ScopeKind.CATEGORY:
            name.label = _("Category")
            name.help_text = _("Its idnumber, or its number. All categories below it belong to it.")
        else:
            name.label = _("Beginning of the idnumber")
            name.help_text = _("Of cohorts, in capital and small letters as it is written in Moodle.")

    def clean_name(self) -> str:
        """Look in Moodle what the name means."""
        name: str = self.cleaned_data["name"]
        scope = Scope(self.kind, name)
        others = stored_scopes(self.stored.site, self.stored.processor).exclude(pk=self.stored.pk)
        if others.filter(kind=self.kind, name=name).exists():
            raise forms.ValidationError(text_of("scope_twice"))
        try:
            self.found = count_scope(self.stored.site, scope)
        except CodedError as error:
            raise forms.ValidationError(text_of(error.code, error.params)) from error
        self.stored.name = name
        return name

    def _limits_now(self) -> Mapping[str, Limit]:
        if not self.stored.pk:
            return {kind: DEFAULTS[kind]._replace(number=None) for kind in self.kinds if kind in REMOVALS}
        return read_scope_limits(self.kind, self.stored.values)


def limit_texts(limits: Mapping[str, Limit]) -> list[str]:
    """Return the limits in words: "Users deleted: 10 %, 50"."""
    said = []
    for kind, limit in limits.items():
        percent = _("%(n)s %%") % {"n": f"{limit.percent:g}"} if limit.percent is not None else ""
        number = "" if limit.number is None else str(Quantity(limit.number))
        if either := [text for text in (percent, number) if text]:
            said.append(f"{_without_number(kind)}: {', '.join(either)}")
    return said


def _widget() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "form-control form-control-sm"})


def _name(kind: str, what: str) -> str:
    return f"{kind.replace('.', '_')}_{what}"


def _without_number(kind: str) -> str:
    """Return "users deleted"."""
    words = kind_text(kind, 2).replace("2", "", 1).strip()
    return words[:1].upper() + words[1:]
