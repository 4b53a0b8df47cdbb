"""What of the site an export is narrowed to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.processors.base.export import ExportScope, ScopeKind


class ExportForm(forms.Form):
    """The scope of an export; fields that its file type can't be narrowed by are left out.

    Shape: kinds: what it can be narrowed by; categories: id -> its path in words
    """

    category = forms.TypedChoiceField(
        label=_("Category"), required=False, coerce=int, empty_value=None,
        help_text=_("With all categories below it."),
    )  # fmt: skip
    courses = forms.CharField(
        label=_("Short names of courses"), required=False, max_length=255,
        help_text=_("A pattern, in which * stands for anything: MATH-*. Empty: all."),
    )  # fmt: skip
    cohorts = forms.CharField(
        label=_("Idnumbers of cohorts"), required=False, max_length=100,
        help_text=_("How they begin: YEAR-. Empty: all."),
    )  # fmt: skip
    auth = forms.CharField(
        label=_("Authentication method"), required=False, max_length=20,
        help_text=_("Its name in Moodle: ldap. Empty: all."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, kinds: Collection[ScopeKind], categories: Iterable[tuple[int, str]] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["category"])
        field.choices = [("", _("The whole site")), *categories]
        for kind in ScopeKind:
            if kind not in kinds:
                del self.fields[kind.value]

    @property
    def scope(self) -> ExportScope:
        """Return what is meant; call it on a valid form."""
        return ExportScope(**self.cleaned_data)
