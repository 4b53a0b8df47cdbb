"""The form that asks, when a feed is switched on, who is told of it, when its digest comes, and what is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import Schedule
from sync.schedules.services import RecipientsChoice

MORNING, AT_TIME, AT_END = "morning", "time", "end"
HOLD, LEAVE = "hold", "leave"


class NothingAsked(forms.Form):
    """In place of the form for who may not say who is told."""

    def refuse(self, error: CodedError) -> None:
        self.add_error(None, text_of(error.code, error.params))


class RecipientsForm(forms.Form):
    """Choose who is told of a feed. Shape: unlimited: labels of its file types of which nothing is ever held"""

    recipients = forms.CharField(
        label=_("Who is told"), required=False, max_length=2000,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("Mail addresses. They hear at once of what is held or fails, and get the digest. They need no login here."),
    )  # fmt: skip
    nobody = forms.BooleanField(
        label=_("Nobody is to be told"), required=False,
        help_text=_("What this feed does is seen on the overview only."),
    )  # fmt: skip
    digest = forms.ChoiceField(
        label=_("When the digest comes"), widget=forms.RadioSelect, initial=MORNING,
        choices=[
            (MORNING, _("Each morning, at the time that each of them has chosen (07:00 at first)")),
            (AT_TIME, _("Each day at the time below")),
            (AT_END, _("As soon as a start is over")),
        ],
        help_text=_("One mail for all feeds of a night: what needs somebody first, then each feed with its counts and a link."),
    )  # fmt: skip
    digest_at = forms.TimeField(
        label=_("Time of the digest"), required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), help_text=_("By the clock of the site."),
    )  # fmt: skip
    attach_report = forms.BooleanField(
        label=_("Attach the reports"), required=False,
        help_text=_("They name users and courses: whoever gets the mail reads them, whatever they may see here."),
    )  # fmt: skip
    limits = forms.ChoiceField(
        label=_("Limits"), widget=forms.RadioSelect,
        choices=[
            (HOLD, _("Hold what is beyond the limits, until somebody approves it")),
            (LEAVE, _("Carry everything out, however much it deletes")),
        ],
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, schedule: Schedule, unlimited: Sequence[str], own_address: str
    ) -> None:
        at_time = AT_TIME if schedule.digest_at else MORNING
        addresses = schedule.recipients or ([] if schedule.enabled or not own_address else [own_address])
        initial = {
            "recipients": ", ".join(addresses),
            "nobody": schedule.enabled and not schedule.recipients,
            "digest": AT_END if schedule.digest_at_end else at_time,
            "digest_at": schedule.digest_at,
            "attach_report": schedule.attach_report,
        }
        super().__init__(data, initial=initial)
        if unlimited:
            text = _("Nothing is ever held of: %(file_types)s") % {"file_types": ", ".join(unlimited)}
            self.fields["limits"].help_text = text
        else:
            del self.fields["limits"]

    def clean(self) -> dict[str, Any]:
        """Ask for an answer: no feed runs of which nobody hears because nobody thought of it."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("recipients", "").strip() and not cleaned.get("nobody"):
            self.add_error("recipients", _("Name somebody, or say that nobody is to be told."))
        if cleaned.get("digest") == AT_TIME and not cleaned.get("digest_at") and "digest_at" not in self.errors:
            self.add_error("digest_at", forms.Field.default_error_messages["required"])
        return cleaned

    @property
    def choice(self) -> RecipientsChoice:
        """What was chosen."""
        cleaned = self.cleaned_data
        addresses = cleaned["recipients"].replace(",", " ").replace(";", " ").split()
        return RecipientsChoice(
            recipients=[] if cleaned["nobody"] else addresses,
            attach_report=cleaned["attach_report"],
            digest_at=cleaned["digest_at"] if cleaned["digest"] == AT_TIME else None,
            digest_at_end=cleaned["digest"] == AT_END,
        )

    @property
    def is_held(self) -> bool:
        """Whether limits are to be set where there are none."""
        return self.cleaned_data.get("limits") == HOLD

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice."""
        self.add_error("recipients", text_of(error.code, error.params))
