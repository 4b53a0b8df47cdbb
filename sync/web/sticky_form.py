"""The form of sticky fields: for each column of a file type, when it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.columns.column import PrefixedColumn
from sync.processors.base.processor import Processor
from sync.processors.base.sticky import StickyColumn, StickyRule
from sync.runs.sticky import rules_for_column

RULE_LABELS: Mapping[StickyRule, Promise] = {
    StickyRule.ALWAYS: _("always"),
    StickyRule.EMPTY: _("only where Moodle has nothing"),
    StickyRule.CREATION: _("only into what is new"),
    StickyRule.NEVER: _("never"),
    StickyRule.PERSON: _("unless a person changed it"),
}
_PREFIX = "rule_"


class StickyRow(NamedTuple):
    """Shape: name: of the column, as people write it; help: what it is; field: bound"""

    name: str
    help: str
    field: forms.BoundField


class StickyForm(forms.Form):
    """Choose when columns are written. Shape: rules: column -> rule, as they are stored"""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, file_type: type[Processor], rules: Mapping[str, str]
    ) -> None:
        super().__init__(data)
        self._columns = {sticky.column.name: sticky for sticky in file_type.sticky_columns}
        self._names = {name: _family_of(self._columns, name) for name in (*self._columns, *rules)}
        for name, sticky in self._names.items():
            if sticky is not None:
                self.fields[_PREFIX + name] = _field(sticky, rules.get(name, StickyRule.ALWAYS))
        self.families = [s.column for s in self._columns.values() if isinstance(s.column, PrefixedColumn)]
        if self.families:
            self.fields["more_name"] = forms.CharField(
                label=_("Column"), required=False, max_length=255, widget=forms.TextInput(attrs=_SMALL_INPUT)
            )
            self.fields["more_rule"] = forms.ChoiceField(
                label=_("Written"), choices=_choices([*StickyRule]), required=False,
                widget=forms.Select(attrs=_SMALL_SELECT),
            )  # fmt: skip

    @property
    def rows(self) -> list[StickyRow]:
        """Return the columns, a row for each."""
        return [
            StickyRow(
                sticky.column.shown_name if name == sticky.column.name else name,
                str(sticky.column.help),
                self[_PREFIX + name],
            )
            for name, sticky in self._names.items()
            if sticky is not None
        ]

    @property
    def examples(self) -> str:
        """Return how the columns are called that can be added."""
        return ", ".join(column.shown_name for column in self.families)

    @property
    def rules(self) -> dict[str, str]:
        """What was chosen."""
        cleaned = self.cleaned_data
        rules = {name: cleaned[_PREFIX + name] for name in self._names if _PREFIX + name in cleaned}
        if more := cleaned.get("more_name"):
            rules[more] = cleaned["more_rule"]
        return rules


_SMALL_INPUT = {"class": "form-control form-control-sm"}
_SMALL_SELECT = {"class": "form-select form-select-sm"}


def _field(sticky: StickyColumn, rule: str) -> forms.ChoiceField:
    name = sticky.column.shown_name
    label = _("%(column)s is written") % {"column": name}
    choices = _choices(rules_for_column(sticky))
    return forms.ChoiceField(label=label, choices=choices, initial=rule, widget=forms.Select(attrs=_SMALL_SELECT))


def _choices(rules: list[StickyRule]) -> list[tuple[str, Promise]]:
    return [(rule.value, RULE_LABELS[rule]) for rule in rules]


def _family_of(columns: Mapping[str, StickyColumn], name: str) -> StickyColumn | None:
    """Return the declaration of a column; that of its family for a custom field. None where the file type has lost it."""
    if name in columns:
        return columns[name]
    families = (sticky for sticky in columns.values() if isinstance(sticky.column, PrefixedColumn))
    return next((sticky for sticky in families if name.startswith(sticky.column.name)), None)
