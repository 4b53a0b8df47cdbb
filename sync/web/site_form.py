"""The form of a site: its name and the way into its Moodle. What is secret goes in and never comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError
from sync.messages import text_of
from sync.moodle.site.time_zone import zone_named
from sync.runs.options import SiteRules
from sync.sites.connection_choice import FILE, ConnectionChoice

_NOT_REMEMBERED = {"autocomplete": "new-password"}
_KINDS = [("mariadb", _("MariaDB or MySQL")), ("postgresql", "PostgreSQL")]
# The field beside which an error is shown.
_FIELDS = {
    "site_name_taken": "slug", "site_same_moodle": "is_copy", "moodle_server_private": "host",
    "moodle_folder_outside": "data_folder", "site_command_unknown": "command",
}  # fmt: skip


class SiteNameForm(forms.Form):
    """The name of a site whose connection stands in the environment."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As people read it at the top of every page."))

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the name."""
        self.add_error("name", text_of(error.code, error.params))


class SiteForm(SiteNameForm):
    """A site and its connection. Shape: choice: what is set so far, None for a new site"""

    slug = forms.SlugField(
        label=_("Short name"), max_length=50,
        help_text=_("Stands in the addresses of its pages and can't be changed later: small letters, digits, hyphens."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Database server"))
    host = forms.CharField(label=_("Host"), max_length=255, required=False)
    port = forms.IntegerField(
        label=_("Port"), required=False, min_value=1, max_value=65535, help_text=_("Empty: the usual one.")
    )
    database = forms.CharField(
        label=_("Database"), max_length=500, help_text=_("Its name; of an SQLite database the whole path of the file.")
    )
    username = forms.CharField(label=_("User name"), max_length=200, required=False)
    password = forms.CharField(
        label=_("Password"), max_length=1000, required=False, widget=forms.PasswordInput(attrs=_NOT_REMEMBERED),
        help_text=_("Kept encrypted and never shown. Empty: the one that is kept, as long as server and user stay the same."),
    )  # fmt: skip
    is_encrypted = forms.BooleanField(label=_("Encrypt the connection (TLS)"), required=False)
    table_prefix = forms.CharField(
        label=_("Prefix of the tables"), max_length=20, required=False,
        validators=[RegexValidator(r"^\w*\Z", _("Use letters, digits and _ only."))],
    )  # fmt: skip
    data_folder = forms.CharField(
        label=_("Data folder"), max_length=1000, required=False,
        help_text=_("It holds filedir; its path on this machine. Without it files and pictures can't be written."),
    )  # fmt: skip
    command = forms.ChoiceField(
        label=_("Command line of Moodle"), required=False,
        help_text=_("Purges Moodle's caches after a run. Command lines are set by the operator, in TOOLSYNC_SITE_COMMANDS."),
    )  # fmt: skip
    time_zone = forms.CharField(
        label=_("Time zone of the server"), max_length=60, required=False,
        help_text=_("Like Europe/Paris. Only for a Moodle whose own settings name none."),
    )  # fmt: skip
    operator = forms.CharField(
        label=_("Moodle user in whose name rows are written"), max_length=100, initial="admin"
    )  # fmt: skip
    peppers = forms.CharField(
        label=_("Password peppers"), max_length=5000, required=False,
        widget=forms.PasswordInput(attrs=_NOT_REMEMBERED),
        help_text=_(
            "Of Moodle's config.php, newest first, with a space between them. Kept encrypted and never shown. Empty: those that "
            "are kept."
        ),
    )  # fmt: skip
    is_copy = forms.BooleanField(
        label=_("This Moodle is a copy of one that is here already, in a database of its own"), required=False
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, rules: SiteRules, name: str = "",
        choice: ConnectionChoice | None = None, is_new: bool = False,
    ) -> None:  # fmt: skip
        shown: dict[str, Any] = asdict(choice) if choice else {"prefix": "mdl_", "kind": "mariadb"}
        # A form has a prefix of its own.
        shown["table_prefix"] = shown.pop("prefix")
        super().__init__(data, initial={**shown, "name": name, "password": "", "peppers": ""})
        if not is_new:
            del self.fields["slug"]
        kinds = [*_KINDS, *([(FILE, _("SQLite file (for trying out)"))] if rules.folders else [])]
        cast(forms.ChoiceField, self.fields["kind"]).choices = kinds
        commands = [("", _("none")), *((name, name) for name in sorted(rules.commands))]
        cast(forms.ChoiceField, self.fields["command"]).choices = commands

    @property
    def needs_copy(self) -> bool:
        """Whether the last field is to be shown: it matters to few."""
        return "is_copy" in self.errors or bool(self.data.get("is_copy"))

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone and zone_named(zone) is None:
            raise forms.ValidationError(_("There is no such time zone."))
        return zone

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") != FILE and not cleaned.get("host") and "host" not in self.errors:
            self.add_error("host", _("Enter the host of the database server."))
        if cleaned.get("kind") == FILE and not Path(cleaned.get("database") or "").is_absolute():
            self.add_error("database", _("Enter the whole path of the file."))
        return cleaned

    @property
    def choice(self) -> ConnectionChoice:
        """What was chosen."""
        cleaned = {
            name: value for name, value in self.cleaned_data.items() if name in ConnectionChoice.__dataclass_fields__
        }
        cleaned["prefix"] = self.cleaned_data["table_prefix"]
        peppers: Sequence[str] = cleaned.pop("peppers").split()
        return ConnectionChoice(**cleaned, peppers=tuple(peppers))

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice, without handing secrets back."""
        field = _FIELDS.get(error.code)
        self.add_error(field if field in self.fields else None, text_of(error.code, error.params))
        self.data = {name: self.data[name] for name in self.data if name not in ("password", "peppers")}
