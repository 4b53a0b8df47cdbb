"""The form of the page of empty categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _


class CleanUpForm(forms.Form):
    """Where to look for empty categories. Shape: categories: id -> its path in words."""

    start = forms.TypedChoiceField(label=_("From this category down"), required=False, coerce=int, empty_value=None)
    branches = forms.BooleanField(
        label=_("Whole branches"), required=False,
        help_text=_("A category counts as empty, too, when everything in it is empty. Otherwise only the innermost go."),
        widget=forms.CheckboxInput(attrs={"class": "form-check-input", "aria-describedby": "branches-help"}),
    )  # fmt: skip

    def __init__(self, *args: Any, categories: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["start"])
        field.choices = [("", _("Every category")), *categories]
