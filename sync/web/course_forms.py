"""Forms about courses and categories: finding them, and what a reset file shall say of the courses chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

_NO = ("no", _("No"))
_YES_NO = (("yes", _("Yes")), _NO)
_ALL = ("all", _("All"))


class CourseSearchForm(forms.Form):
    """Find courses. Shape: categories: id -> its path in words."""

    search = forms.CharField(label=_("Name or identifier"), required=False, max_length=200, strip=True)
    category = forms.TypedChoiceField(label=_("Category"), required=False, coerce=int, empty_value=None)
    chosen = forms.BooleanField(
        label=_("Only those chosen"), required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )

    def __init__(self, *args: Any, categories: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["category"])
        field.choices = [("", _("Every category")), *categories]


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


class NothingToSay(forms.Form):
    """The form of a file that names courses and says nothing else of them."""

    @property
    def cells(self) -> dict[str, str]:
        return {}


class ResetForm(forms.Form):
    """What goes from every chosen course. The fields are the columns of the file, in its order."""

    roles = forms.CharField(
        label=_("Unenrol"), required=False, initial="student teacher guest", max_length=500,
        help_text=_("Short names of roles, with spaces between them, or “all”. Who has another role as well stays enrolled."),
    )  # fmt: skip
    local_roles = forms.ChoiceField(
        label=_("Roles within the course"), initial="all",
        choices=(_ALL, ("roles", _("Assignments in activities")), ("overrides", _("Overrides")), _NO),
    )  # fmt: skip
    completion = forms.ChoiceField(label=_("Completion"), initial="yes", choices=_YES_NO)
    grades = forms.ChoiceField(
        label=_("Grades"), initial="all", choices=(_ALL, ("items", _("Items")), ("grades", _("Grades only")), _NO)
    )
    groups = forms.ChoiceField(
        label=_("Groups"), initial="all", choices=(_ALL, ("groups", _("Groups")), ("members", _("Members only")), _NO)
    )
    groupings = forms.ChoiceField(
        label=_("Groupings"), initial="all",
        choices=(_ALL, ("groups", _("Groupings")), ("members", _("Their groups only")), _NO),
    )  # fmt: skip
    blog_associations = forms.ChoiceField(label=_("Blog associations"), initial="yes", choices=_YES_NO)
    events = forms.ChoiceField(label=_("Calendar events"), initial="yes", choices=_YES_NO)
    logs = forms.ChoiceField(label=_("Logs"), initial="yes", choices=_YES_NO)
    notes = forms.ChoiceField(label=_("Notes"), initial="yes", choices=_YES_NO)
    comments = forms.ChoiceField(label=_("Comments"), initial="yes", choices=_YES_NO)
    modules = forms.CharField(
        label=_("Activities"), required=False, initial="all", max_length=1000,
        help_text=_(
            "What people have done in them. “all”, or names such as quiz, with spaces between them; with a - in front "
            "all but those; empty for none."
        ),
    )  # fmt: skip

    @property
    def cells(self) -> dict[str, str]:
        """Shape: column -> cell, in the order of the file"""
        return {name: self.cleaned_data[name] for name in self.fields}


# The file types that courses are chosen for, and what is asked before their file is made.
COURSE_FILE_FORMS: dict[str, type[NothingToSay | ResetForm]] = {
    "courses_delete": NothingToSay,
    "courses_reset": ResetForm,
}
