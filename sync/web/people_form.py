"""Forms about people: a role, an invitation, how somebody is called, and what an invited person chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import MoodleSite, Role
from sync.people.messages import ROLE_SUMMARIES
from sync.processors.registry import REGISTRY

_EVERY, _SOME = "every", "some"
_TICK = {"class": "form-check-input"}


class RoleForm(forms.Form):
    """Choose a role, its site where there are several, and its file types."""

    site = forms.ModelChoiceField(label=_("Site"), queryset=MoodleSite.objects.none())
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect, initial=Role.OPERATOR)
    scope = forms.ChoiceField(
        label=_("For"), widget=forms.RadioSelect(attrs=_TICK), initial=_EVERY,
        choices=[(_EVERY, _("every file type, those of later versions too")), (_SOME, _("only these file types:"))],
    )  # fmt: skip
    file_types = forms.MultipleChoiceField(
        label=_("File types"), required=False, widget=forms.CheckboxSelectMultiple(attrs=_TICK),
        choices=lambda: [(key, processor.label) for key, processor in REGISTRY.items()],
    )  # fmt: skip

    def __init__(self, *args: Any, sites: Sequence[MoodleSite], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(sites) == 1:
            del self.fields["site"]
            self._only_site = sites[0]
        else:
            chosen = MoodleSite.objects.filter(pk__in=[site.pk for site in sites])
            self.fields["site"] = forms.ModelChoiceField(label=_("Site"), queryset=chosen, empty_label=None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("scope") == _EVERY:
            cleaned["file_types"] = []
        elif not cleaned.get("file_types"):
            self.add_error("file_types", _("Choose the file types, or every file type."))
        return cleaned

    @property
    def chosen_site(self) -> MoodleSite:
        """Return the site that was chosen, or the only one; call it on a valid form."""
        return self.cleaned_data.get("site") or self._only_site

    @property
    def roles(self) -> list[tuple[str, Any, Any]]:
        """Return value, name and summary of each role."""
        return [(role.value, role.label, ROLE_SUMMARIES[role]) for role in Role]

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice."""
        self.add_error("role", text_of(error.code, error.params))


class InvitationForm(RoleForm):
    """Invite somebody by mail, with a role."""

    email = forms.EmailField(label=_("Mail address"), max_length=150)

    field_order = ("email", "site", "role", "scope", "file_types")

    def refuse(self, error: CodedError) -> None:
        self.add_error("email" if "email" in error.params else "role", text_of(error.code, error.params))


class PersonForm(forms.ModelForm):
    """How somebody is called, and where mails reach them."""

    class Meta:
        model = get_user_model()
        fields = ("first_name", "last_name", "email")

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against it."""
        self.add_error(None, text_of(error.code, error.params))


class AcceptanceForm(UserCreationForm):
    """What somebody who was invited chooses."""

    class Meta:
        model = get_user_model()
        fields = ("username", "first_name", "last_name")

    @property
    def choice(self) -> dict[str, str]:
        """Return what was chosen; call it on a valid form."""
        names = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return {**names, "password": self.cleaned_data["password1"]}
