"""What lists can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _

from sync.models import RunState, SyncRun
from sync.processors.base.processor import Processor

# Of a number in an address: more than any id has, and few enough for every database.
_MOST_DIGITS = 10


def number_in(text: str) -> int | None:
    """Return the number that a part of an address is; None if it is none of ours."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS else None


# Plans of runs are listed with their run.
_ORIGINS = [choice for choice in SyncRun.Origin.choices if choice[0] != SyncRun.Origin.PLAN]


class RunFilter(django_filters.FilterSet):
    """Narrow the list of runs. Shape: processors: those the user may use."""

    processor = django_filters.ChoiceFilter(label=_("File type"), empty_label=_("Every file type"))
    state = django_filters.ChoiceFilter(label=_("State"), choices=RunState.choices, empty_label=_("Every state"))
    origin = django_filters.ChoiceFilter(label=_("Started by"), choices=_ORIGINS, empty_label=_("Anything"))
    simulate = django_filters.ChoiceFilter(
        label=_("Kind"),
        choices=[("true", _("Simulations")), ("false", _("Real runs"))],
        empty_label=_("Both kinds"),
        method="filter_simulate",
    )

    class Meta:
        model = SyncRun
        fields = ("processor", "state", "origin", "simulate")

    def __init__(self, *args: Any, processors: list[type[Processor]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["processor"].extra["choices"] = [(processor.key, processor.label) for processor in processors]

    def filter_simulate(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(simulate=value == "true")
