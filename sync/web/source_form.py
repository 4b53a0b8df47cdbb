"""The form that says where the files of a file type come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.errors import CodedError, SourceError
from sync.messages import text_of
from sync.models import Source
from sync.runs.source_settings import SourceChoice
from sync.sources import queries
from sync.sources.sheet_address import sheet_shown
from sync.sources.sql_statement import LONGEST_STATEMENT

Kind = Source.Kind

# The field that holds the place, by kind.
_PLACES = {Kind.AREA: "paths", Kind.INBOX: "inbox_files"} | dict.fromkeys(
    (Kind.ADDRESS, *map(Kind, queries.KINDS)), "address"
)
# Of a server that gives rows: what it is asked for.
_QUERY_FIELDS = tuple(dict.fromkeys(name for names in queries.FIELDS.values() for name in names))
# What is said against them, by how its code begins.
_FIELDS_OF_CODES = (
    ("private_key_unreadable", "private_key"), ("inbox_unknown", "inbox"), ("sql_option", "address"), ("sql_", "statement"),
    ("ldap_filter", "filter"), ("ldap_attribute", "attributes"), ("oneroster_", "collection"), ("oauth_", "token_address"),
    ("service_key", "service_key"), ("sheet_", "address"),
    ("other_moodle_prefix", "table_prefix"), ("other_moodle", "kind"),
    ("source_not_for", "kind"), ("source_no_username", "username"),
)  # fmt: skip
# Named alike in the form, the choice and the model.
_SAME_NAMES = ("username", "host_key", "inbox", "take_all", "leave_same", "remove_taken")
_SECRET_FIELDS = ("password", "private_key", "service_key")
# They may hold a password, or a token after a "?".
_ADDRESS_FIELDS = ("address", "token_address")
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
    statement = forms.CharField(
        label=_("Query (SQL)"), required=False, max_length=LONGEST_STATEMENT,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "font-monospace"}),
        help_text=_(
            "One SELECT. Its columns are those of the file: call them as the file type does (SELECT login AS username …), or let "
            "a mapping of columns do so. Only reading is possible."
        ),
    )  # fmt: skip
    base = forms.CharField(
        label=_("Search below"), required=False, max_length=500, help_text=_("For example ou=people,dc=example,dc=org.")
    )  # fmt: skip
    filter = forms.CharField(
        label=_("Filter"), required=False, max_length=1000,
        help_text=_("For example (&(objectClass=inetOrgPerson)(!(employeeType=guest))). Empty: every entry."),
    )  # fmt: skip
    attributes = forms.CharField(
        label=_("Attributes"), required=False, max_length=2000,
        help_text=_("The columns of the file, with commas between them: uid, givenName, sn, mail. dn is the name of the entry."),
    )  # fmt: skip
    token_address = forms.CharField(
        label=_("Address of the token"), required=False, max_length=2000,
        help_text=_("Where a token is given by OAuth 2 (client credentials), for example https://example.org/oauth/token."),
    )  # fmt: skip
    scope = forms.CharField(
        label=_("Scope"), required=False, max_length=1000,
        help_text=_("What the token is for, with blanks between; may be empty."),
    )  # fmt: skip
    collection = forms.ChoiceField(
        label=_("What is fetched"), required=False, choices=[(name, name) for name in queries.COLLECTIONS],
        help_text=_("As OneRoster calls it. Its columns are understood from the start."),
    )  # fmt: skip
    table_prefix = forms.CharField(label=_("Prefix of its tables"), required=False, max_length=30, initial="mdl_")
    private_key = forms.CharField(
        label=_("Private key (sftp)"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Instead of a password. Kept encrypted and never shown; its passphrase is the password."),
    )  # fmt: skip
    service_key = forms.CharField(
        label=_("Key of the service account"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "The whole file (JSON) that Google gave. Kept encrypted and never shown; its name is shown as the user name. Empty: "
            "the one that is kept."
        ),
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
            **{name: source.query[name] for name in _QUERY_FIELDS if name in source.query},
        }
        super().__init__(data, initial=initial)
        # Whether something secret was typed that isn't shown again.
        self.has_hidden = False
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
            private_key=cleaned["service_key" if cleaned["kind"] == Kind.SHEET else "private_key"],
            forget_secrets=cleaned["forget_secrets"],
            query={name: cleaned[name] for name in queries.FIELDS.get(cleaned["kind"], ())},
            **{name: cleaned[name] for name in _SAME_NAMES},
        )

    def refuse(self, error: CodedError) -> None:
        """Show what the service says against the choice."""
        place = _PLACES[Kind(self.cleaned_data["kind"])]
        field = next((name for code, name in _FIELDS_OF_CODES if error.code.startswith(code)), place)
        self.add_error(field, text_of(error.code, error.params))

    def hide_secrets(self) -> None:
        """Leave out what is secret of what was typed, before it is shown again."""
        typed = {name: self.data[name] for name in self.data}
        kept = {name: value for name, value in typed.items() if name not in _SECRET_FIELDS}
        shown = _sheet_shown if typed.get("kind") == Kind.SHEET else _without_secrets
        kept |= {name: shown(typed[name]) for name in _ADDRESS_FIELDS if name in typed}
        changed = [name for name in typed if typed[name] != kept.get(name)]
        # The address of a sheet without what browsers write behind it is still the one of its tab.
        self.has_hidden = any(typed[name] for name in changed if shown is _without_secrets or name in _SECRET_FIELDS)
        self.data = kept


def _sheet_shown(address: str) -> str:
    """Return the address of a sheet with its tab, which nothing else tells."""
    try:
        return sheet_shown(address)
    except SourceError:
        return _without_secrets(address)


def _without_secrets(address: str) -> str:
    """Return an address without its password and without what stands after its "?". It may be no address at all."""
    scheme, mark, rest = address.rpartition("://")
    user, colon, secret = rest.rpartition("@")[0].partition(":")
    if colon and "/" not in user:
        rest = f"{user}{rest[len(user) + 1 + len(secret) :]}"
    return f"{scheme}{mark}{rest.partition('?')[0]}"
