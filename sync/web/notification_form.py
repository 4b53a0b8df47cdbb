"""The forms that say who is told, and how long things are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import get_language, gettext_lazy as _
from django.utils.translation.trans_real import get_languages

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import CHOSEN_EVENTS, Event, NotificationRule, Retention, Webhook
from sync.notifications.services import RuleChoice
from sync.notifications.webhooks import KEY_LENGTH, WebhookChoice

_EVENT_HELP = {
    Event.SUCCESS: _("Every row was carried out, or was so already."),
    Event.REJECTIONS: _("Some rows were rejected; the others are done."),
    Event.FAILURE: _("The file can't be used, or the run ended with an error."),
    Event.OVERDUE: _("No file came by the time given below."),
    Event.HELD: _("A plan is beyond the limits and waits for approval. Empty: those who are told of failures."),
}
_KEY_HELP = _(
    "“whsec_” and base64 of %(length)s bytes or more (or as many characters), known to the other side as well: by the signature "
    "it sees that a message is ours. Kept encrypted and never shown. Empty: the one that is kept."
)
_NOT_REMEMBERED = {"autocomplete": "new-password"}


class RuleForm(forms.Form):
    """Choose who gets mails about a file type, and by when its file is expected."""

    attach_report = forms.BooleanField(
        label=_("Attach the report"), required=False,
        help_text=_("It names users and courses: whoever gets the mail reads them, whatever they may see here."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language of the mails"))
    expected_at = forms.TimeField(
        label=_("A file is expected by"), required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("By the clock of the site. Empty: no file is ever overdue."),
    )  # fmt: skip
    weekdays_only = forms.BooleanField(label=_("Monday to Friday only"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, rule: NotificationRule) -> None:
        initial = {event: ", ".join(rule.recipients.get(event, ())) for event in map(str, CHOSEN_EVENTS)}
        names = ("attach_report", "expected_at", "weekdays_only")
        initial |= {name: getattr(rule, name) for name in names}
        super().__init__(data, initial=initial | {"language": rule.language or get_language()})
        events = [event for event in CHOSEN_EVENTS if rule.processor or event != Event.OVERDUE]
        for event in events:
            self.fields[event.value] = forms.CharField(
                label=event.label, required=False, max_length=2000, help_text=_EVENT_HELP[event],
                widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
            )  # fmt: skip
        self.event_fields = [self[event.value] for event in events]
        cast(forms.ChoiceField, self.fields["language"]).choices = list(get_languages().items())

    @property
    def choice(self) -> RuleChoice:
        """What was chosen. Shape: addresses are separated by commas, semicolons or blanks"""
        cleaned = self.cleaned_data
        addresses = {
            event: list(dict.fromkeys(cleaned.get(event, "").replace(",", " ").replace(";", " ").split()))
            for event in map(str, CHOSEN_EVENTS)
        }
        return RuleChoice(
            recipients=addresses,
            attach_report=cleaned["attach_report"],
            language=cleaned["language"],
            expected_at=cleaned["expected_at"],
            weekdays_only=cleaned["weekdays_only"],
        )

    def refuse(self, error: CodedError) -> None:
        """Show what the service says beside the field with the wrong address."""
        wrong = error.params.get("address", "")
        fields = [field.name for field in self.event_fields if wrong in self.cleaned_data[field.name]]
        self.add_error(fields[0] if fields else None, text_of(error.code, error.params))


class WebhookForm(forms.Form):
    """Say which program is told, and of what. Address and key go in and never come out."""

    address = forms.CharField(
        label=_("Address"), required=False, max_length=2000,
        widget=forms.PasswordInput(attrs=_NOT_REMEMBERED),
        help_text=_("https://… Kept encrypted and never shown, as it may hold a secret. Empty: the one that is kept."),
    )  # fmt: skip
    key = forms.CharField(
        label=_("Key"), required=False, max_length=500,
        widget=forms.PasswordInput(attrs=_NOT_REMEMBERED),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=_("Is notified of"),
        required=False,
        choices=[(event.value, event.label) for event in CHOSEN_EVENTS],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, webhook: Webhook | None) -> None:
        super().__init__(
            data, initial={"events": webhook.events if webhook else [Event.FAILURE, Event.OVERDUE, Event.HELD]}
        )
        self.fields["key"].help_text = _KEY_HELP % {"length": KEY_LENGTH}

    @property
    def choice(self) -> WebhookChoice:
        """What was chosen."""
        return WebhookChoice(**self.cleaned_data)

    def refuse(self, error: CodedError) -> None:
        """Show what the service says beside its field."""
        self.add_error("key" if error.code.startswith("webhook_key_") else "address", text_of(error.code, error.params))


class RetentionForm(forms.ModelForm):
    """Say how many days each kind of file is kept."""

    class Meta:
        model = Retention
        fields = ("reports", "archives", "trybacks", "journals", "trashes_at_once")
        help_texts = {
            "reports": _("With them go the rows on the page of the run, once its before-images are gone as well."),
            "archives": _("The command files as they were carried out, in the folder /archives/."),
            "trybacks": _("One that was mended or is being carried out stays."),
            "journals": _("What stood in Moodle before: without them a run can't be undone any more."),
            "trashes_at_once": _(
                "Files that nothing in Moodle uses after a run go to Moodle's trash right away. Otherwise they stay as long as "
                "the before-images, so that undoing brings them back."
            ),
        }

    @property
    def days(self) -> dict[str, Any]:
        """What was chosen."""
        return self.cleaned_data
