"""The form that says where the files of a file type come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import Source
from sync.runs.source_settings import SourceChoice

Kind = Source.Kind

# The field that holds the place, by kind.
_PLACES = {Kind.AREA: "paths", Kind.ADDRESS: "address", Kind.INBOX: "inbox_files"}
# Named alike in the form, the choice and the model.
_SAME_NAMES = ("username", "host_key", "inbox", "take_all", "leave_same", "remove_taken")
_SECRET_FIELDS = ("password", "private_key")
_NOT_REMEMBERED = {"autocomplete": "new-password"}


class SourceForm(forms.Form):
    """Choose a place, and what to take from it. What is secret goes in and never comes out."""

    kind = forms.ChoiceField(label=_("Where the files come from"), widget=forms.RadioSelect)
    paths = forms.CharField(
        label=_("Files in the file area"), required=False, max_length=1000,
        help_text=_(
            "A path (in/users.csv), several with commas between them, or a name with * (in/users_*.csv). Empty: the usual name."
        ),
    )  # fmt: skip
    address = forms.CharField(
        label=_("Address"), required=False, max_length=2000,
        help_text=_(
            "https, sftp, ftps, http or ftp, for example sftp://example.org/out/users_*.csv. A name with * works with sftp "
            "and ftp. What stands after a ? is kept secret and not shown again. http and ftp send everything in the clear."
        ),
    )  # fmt: skip
    username = forms.CharField(label=_("User name"), required=False, max_length=200)
    password = forms.CharField(
        label=_("Password"), required=False, max_length=1000,
        widget=forms.PasswordInput(attrs=_NOT_REMEMBERED),
        help_text=_("Kept encrypted and never shown. Empty: the one that is kept. Without a user name it is sent as a token."),
    )  # fmt: skip
    private_key = forms.CharField(
        label=_("Private key (sftp)"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Instead of a password. Kept encrypted and never shown; its passphrase is the password."),
    )  # fmt: skip
    forget_secrets = forms.BooleanField(label=_("Forget the password and the key that are kept"), required=False)
    host_key = forms.CharField(
        label=_("Key of the server (sftp)"), required=False, max_length=100,
        help_text=_(
            "Its fingerprint, by which nobody can pass for the server: SHA256:… as ssh-keygen -lf shows it. Empty: the server "
            "that is met first is the one to trust from then on."
        ),
    )  # fmt: skip
    inbox = forms.ChoiceField(label=_("Inbox"), required=False)
    inbox_files = forms.CharField(
        label=_("Files in the inbox"), required=False, max_length=1000,
        help_text=_("A path (out/users.csv) or a name with * (out/users_*.csv)."),
    )  # fmt: skip
    take_all = forms.BooleanField(
        label=_("Take all files at once"), required=False, help_text=_("Else one for each run, in the order of their names.")
    )  # fmt: skip
    leave_same = forms.BooleanField(
        label=_("Leave out a file that was carried out already"), required=False,
        help_text=_("It is recognised by its content (SHA-256), whatever its name."),
    )  # fmt: skip
    remove_taken = forms.BooleanField(
        label=_("Delete what was taken from there"), required=False, help_text=_("A web server keeps its files all the same.")
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, source: Source, inboxes: list[str]) -> None:
        initial = {
            "kind": source.kind,
            _PLACES[Kind(source.kind)]: source.location,
            **{name: getattr(source, name) for name in _SAME_NAMES},
        }
        super().__init__(data, initial=initial)
        kinds = [(kind.value, kind.label) for kind in Kind if kind != Kind.INBOX or inboxes]
        cast(forms.ChoiceField, self.fields["kind"]).choices = kinds
        cast(forms.ChoiceField, self.fields["inbox"]).choices = [(name, name) for name in inboxes]

    @property
    def choice(self) -> SourceChoice:
        """What was chosen."""
        cleaned = self.cleaned_data
        return SourceChoice(
            kind=cleaned["kind"],
            location=cleaned[_PLACES[Kind(cleaned["kind"])]],
            password=cleaned["password"],
            private_key=cleaned["private_key"],
            forget_secrets=cleaned["forget_secrets"],
            **{name: cleaned[name] for name in _SAME_NAMES},
        )

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice, without handing secrets back."""
        place = _PLACES[Kind(self.cleaned_data["kind"])]
        field = {"private_key_unreadable": "private_key", "inbox_unknown": "inbox"}.get(error.code, place)
        self.add_error(field, text_of(error.code, error.params))
        self.data = {name: self.data[name] for name in self.data if name not in _SECRET_FIELDS}
