"""What the audit is searched by, and for whom values are erased."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.audit.selectors import AuditQuery
from sync.models import AuditKind

_LONGEST_NAME = 255


class AuditForm(forms.Form):
    """Narrows the audit. What can't be read is said beside its field, and nothing is shown."""

    user = forms.CharField(
        label=_("User"), max_length=_LONGEST_NAME, required=False,
        widget=forms.TextInput(attrs={"placeholder": _("username, idnumber or mail address")}),
    )  # fmt: skip
    course = forms.CharField(
        label=_("Course"), max_length=_LONGEST_NAME, required=False,
        widget=forms.TextInput(attrs={"placeholder": _("short name or idnumber")}),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Everything")), *AuditKind.choices], required=False)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    @property
    def query(self) -> AuditQuery:
        """Return what is looked for; call it on a valid form."""
        return AuditQuery(**self.cleaned_data)


class ErasureForm(forms.Form):
    """The names whose values are erased. Shape: names: those that there are; the first is chosen to begin with"""

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["names"] = forms.MultipleChoiceField(
            label=_("Erase what is said of"),
            choices=[(name, name) for name in names],
            initial=names[:1],
            widget=forms.CheckboxSelectMultiple,
        )
