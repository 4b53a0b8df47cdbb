"""Forms about tokens of the API and machine users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import Machine, MoodleSite, Role, Scope
from sync.people.messages import ROLE_SUMMARIES, SCOPE_SUMMARIES
from sync.people.tokens import LIFETIMES
from sync.processors.registry import REGISTRY
from sync.web.people_form import RoleForm

_TICK = {"class": "form-check-input"}
_USUAL_DAYS = 90
_SELF = "0"


class TokenForm(forms.Form):
    """Choose whose token it is, what it is good for and how long."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What it is for: you will know by it which one to revoke.")
    )
    person = forms.ChoiceField(label=_("Whose token"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple(attrs=_TICK), initial=[Scope.READ]
    )
    file_types = forms.MultipleChoiceField(
        label=_("Only for these file types (none chosen: for all)"), required=False,
        widget=forms.CheckboxSelectMultiple(attrs=_TICK),
        choices=lambda: [(key, processor.label) for key, processor in REGISTRY.items()],
    )  # fmt: skip
    further_sites = forms.MultipleChoiceField(
        label=_("Also for these sites"), required=False, widget=forms.CheckboxSelectMultiple(attrs=_TICK)
    )
    days = forms.TypedChoiceField(
        label=_("Good for"), coerce=int, initial=_USUAL_DAYS,
        choices=lambda: [(days, ngettext_lazy("%(n)s day", "%(n)s days", days) % {"n": days}) for days in LIFETIMES],
    )  # fmt: skip

    def __init__(
        self, *args: Any, user: Any, machines: Sequence[Machine], sites: Sequence[MoodleSite], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._sites = {site.slug: site for site in sites}
        if sites:
            cast(forms.MultipleChoiceField, self.fields["further_sites"]).choices = [
                (site.slug, site.name) for site in sites
            ]
        else:
            del self.fields["further_sites"]
        self._people = {_SELF: user, **{str(machine.pk): machine.user for machine in machines}}
        if machines:
            names = [(pk, person.get_username()) for pk, person in self._people.items()]
            self.fields["person"] = forms.ChoiceField(label=_("Whose token"), choices=names, initial=_SELF)
        else:
            del self.fields["person"]

    @property
    def scope_lines(self) -> list[tuple[str, str, Promise]]:
        """Return value, name and summary of each scope."""
        return [(scope.value, str(scope.label), SCOPE_SUMMARIES[scope]) for scope in Scope]

    @property
    def chosen_person(self) -> Any:
        """Return whose token it is; call it on a valid form."""
        return self._people[self.cleaned_data.get("person") or _SELF]

    @property
    def choice(self) -> dict[str, Any]:
        """Return the rest of what was chosen; call it on a valid form."""
        further = [self._sites[slug] for slug in self.cleaned_data.get("further_sites", ())]
        return {name: self.cleaned_data[name] for name in ("name", "scopes", "file_types", "days")} | {
            "further_sites": further
        }

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against it."""
        self.add_error(None, text_of(error.code, error.params))


class MachineForm(RoleForm):
    """Name a machine user, and choose its role."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("Small letters, digits, points and hyphens: “sis-import”.")
    )

    field_order = ("name", "role", "scope", "file_types")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            label=_("Role"), widget=forms.RadioSelect, initial=Role.OPERATOR,
            choices=[(role.value, role.label) for role in Role if role != Role.ADMINISTRATOR],
        )  # fmt: skip

    @property
    def roles(self) -> list[tuple[str, Any, Any]]:
        """Return value, name and summary of each role that a machine can have."""
        return [(role.value, role.label, ROLE_SUMMARIES[role]) for role in Role if role != Role.ADMINISTRATOR]

    def refuse(self, error: CodedError) -> None:
        field = "role" if error.code == "role_beyond_own" else "name"
        self.add_error(field, text_of(error.code, error.params))
