"""What administrators set about where files come from; the secrets among it are sealed and never given back to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from django.db import transaction

from sync.audit.services import fields_of, record_saved
from sync.commandfiles.storage import inbox_names
from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import SourceError
from sync.models import AuditKind, MoodleSite, Source
from sync.runs.options import fetch_rules, find_processor
from sync.runs.rights import OPERATOR, Responsible
from sync.sources import queries
from sync.sources.location import Address, check_paths, items_of, parse_address, table_address
from sync.sources.oauth import check_secure
from sync.sources.sftp_address import read_private_key
from sync.sources.sheet_address import sheet_shown

PURPOSE = "source secrets"
_NO_SECRETS = {"password": "", "private_key": "", "query": "", "token_query": ""}
_AUDITED_FIELDS = (
    "kind", "location", "inbox", "query", "username", "host_key", "take_all", "leave_same", "remove_taken", "owner_name",
)  # fmt: skip


@dataclass(frozen=True)
class SourceChoice:
    """What an administrator has chosen for a file type.

    Shape: location: as typed, an address may hold secrets; password, private_key: "" = the ones that are kept, unless
    they are to be forgotten; private_key: of sftp, or the key file of a service account; host_key: "" = trust the server that is
    met next; query: what is asked of a server that gives rows
    """

    kind: str = Source.Kind.AREA
    location: str = ""
    inbox: str = ""
    username: str = ""
    password: str = ""
    private_key: str = ""
    forget_secrets: bool = False
    host_key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    take_all: bool = False
    leave_same: bool = False
    remove_taken: bool = False


def source_of(site: MoodleSite, processor: str) -> Source:
    """Return the source of a file type; one that nobody has set is the file area."""
    return Source.objects.filter(site=site, processor=processor).first() or Source(
        # Zips of pictures come in parts.
        site=site,
        processor=processor,
        take_all=find_processor(processor).columns.of_pictures,
    )


def save_source(site: MoodleSite, processor: str, choice: SourceChoice, *, owner: Responsible = OPERATOR) -> Source:
    """Keep where the files of a file type come from. They are taken in the name of whoever saves it. Raises: SourceError."""
    secret = b""
    if choice.kind in queries.KINDS:
        choice, secret = _query_choice(source_of(site, processor), choice)
    elif choice.kind == Source.Kind.ADDRESS:
        choice, secret = _address_choice(source_of(site, processor), choice)
    else:
        choice = _path_choice(choice)
    values = {
        "kind": choice.kind,
        "location": choice.location,
        "inbox": choice.inbox,
        "query": dict(choice.query),
        "username": choice.username,
        "secret": secret,
        "host_key": choice.host_key,
        "take_all": choice.take_all,
        "leave_same": choice.leave_same,
        "remove_taken": choice.remove_taken,
        "owner": owner.user,
        "owner_name": owner.name,
        "looked_at": None,
        "notes": [],
    }
    with transaction.atomic():
        before = _audited(source_of(site, processor))
        source = Source.objects.update_or_create(site=site, processor=processor, defaults=values)[0]
        record_saved(
            site, AuditKind.SOURCE, owner, processor, before=before, after=_audited(source), secret=_NO_SECRETS
        )
    return source


def _audited(source: Source) -> dict[str, Any]:
    """Return what the audit compares, the secrets too."""
    try:
        secrets = _secrets_of(source)
    except SourceError:
        secrets = dict.fromkeys(_NO_SECRETS, source.secret)
    return {**(fields_of(source, _AUDITED_FIELDS) or {}), **secrets}


def address_of(source: Source) -> Address:
    """Return the address of a source with its secrets in it. Raises: SourceError."""
    secrets = _secrets_of(source)
    address = _server_of(source.kind, source.location)
    # What stands behind the ? of a sheet is no secret: the kind of its file and its tab.
    query = address.query if source.kind == queries.SHEET else secrets["query"]
    return address._replace(username=source.username, password=secrets["password"], query=query)


def query_of(source: Source) -> dict[str, str]:
    """Return what is asked of a server, the secrets of its token's address in it. Raises: SourceError."""
    query: dict[str, str] = dict(source.query)
    if token_query := _secrets_of(source)["token_query"]:
        query["token_address"] += f"?{token_query}"
    return query


def private_key_of(source: Source) -> str:
    """Return the private key of a source, "" when it has none. Raises: SourceError."""
    return _secrets_of(source)["private_key"]


def has_secrets(source: Source) -> bool:
    """Whether something is kept that is never shown."""
    try:
        return any(_secrets_of(source).values())
    except SourceError:
        return True


def _path_choice(choice: SourceChoice) -> SourceChoice:
    check_paths(choice.location)
    items = items_of(choice.location)
    is_inbox = choice.kind == Source.Kind.INBOX
    if is_inbox and choice.inbox not in inbox_names():
        raise SourceError("inbox_unknown", inbox=choice.inbox)
    if is_inbox and len(items) != 1:
        raise SourceError("path_unreadable", path=choice.location)
    return replace(
        choice,
        location=", ".join(items),
        inbox=choice.inbox if is_inbox else "",
        username="",
        host_key="",
        query={},
        remove_taken=choice.remove_taken and is_inbox,
    )


def _query_choice(stored: Source, choice: SourceChoice) -> tuple[SourceChoice, bytes]:
    """Take what is secret out of the address of a server that gives rows, and check what it is asked for."""
    if find_processor(stored.processor).columns.of_pictures:
        raise SourceError("source_not_for_pictures")
    address = queries.server_address(choice.kind, choice.location)
    query = queries.checked_query(choice.kind, address, choice.query, stored.processor, fetch_rules())
    kept, _same_server = _kept_secrets(stored, address, choice, query)
    if choice.kind == queries.SHEET:
        return _sheet_choice(choice, choice.private_key or kept["private_key"])
    secrets = {
        **_NO_SECRETS,
        "password": choice.password or address.password or kept["password"],
        "query": address.query or (kept["query"] if address.shown == stored.location else ""),
    }
    if "token_address" in query:
        # What is kept is kept for this very address.
        secrets["token_query"] = parse_address(choice.query["token_address"]).query or kept["token_query"]
    username = choice.username or address.username
    if choice.kind in (queries.ONEROSTER, queries.TOKEN) and not username:
        raise SourceError("source_no_username")
    choice = replace(
        choice,
        location=address.shown,
        inbox="",
        username=username,
        host_key="",
        take_all=False,
        remove_taken=False,
        query=query,
    )
    return choice, encrypt(PURPOSE, secrets) if any(secrets.values()) else b""


def _sheet_choice(choice: SourceChoice, key: str) -> tuple[SourceChoice, bytes]:
    """Take the name of the service account out of its key, and the address of the sheet as it is shown. Raises: SourceError"""
    # It loads a library that others have no use for.
    from sync.sources.service_account import read_service_key

    if not key:
        raise SourceError("service_key_missing")
    account = read_service_key(key)
    check_secure(account.token_address, fetch_rules())
    choice = replace(
        choice,
        location=sheet_shown(choice.location),
        inbox="",
        username=account.email,
        host_key="",
        take_all=False,
        remove_taken=False,
        query={},
    )
    return choice, encrypt(PURPOSE, {**_NO_SECRETS, "private_key": key})


def _address_choice(stored: Source, choice: SourceChoice) -> tuple[SourceChoice, bytes]:
    """Take what is secret out of an address, and lay it beside what is kept already."""
    address = parse_address(table_address(choice.location))
    kept, same_server = _kept_secrets(stored, address, choice)
    secrets = {
        **_NO_SECRETS,
        "password": choice.password or address.password or kept["password"],
        "private_key": choice.private_key or kept["private_key"],
        "query": address.query or (kept["query"] if address.shown == stored.location else ""),
    }
    if address.scheme != "sftp":
        secrets["private_key"] = ""
    if secrets["private_key"]:
        read_private_key(secrets["private_key"], secrets["password"])
    choice = replace(
        choice,
        location=address.shown,
        inbox="",
        query={},
        username=choice.username or address.username,
        # A key that was learned from another server says nothing about this one.
        host_key=choice.host_key.strip() if same_server or choice.host_key != stored.host_key else "",
        # A web server keeps what it has.
        remove_taken=choice.remove_taken and address.scheme not in ("http", "https"),
    )
    return choice, encrypt(PURPOSE, secrets) if any(secrets.values()) else b""


def _kept_secrets(
    stored: Source, address: Address, choice: SourceChoice, query: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, Any], bool]:
    """Return the secrets to go on with, and whether the server is the one that they were given for.

    With another server they are dropped: whoever may set an address must not get to see a password by sending it home. That
    holds for the server that gives tokens, too.
    """
    if (
        stored.kind != choice.kind
        or not stored.location
        or _server_of(stored.kind, stored.location).server != address.server
    ):
        return _NO_SECRETS, False
    if stored.query.get("token_address", "") != query.get("token_address", ""):
        return _NO_SECRETS, False
    if choice.forget_secrets:
        return _NO_SECRETS, True
    try:
        return _secrets_of(stored), True
    except SourceError:
        return _NO_SECRETS, True


def _server_of(kind: str, location: str) -> Address:
    """Return the address of a source. Raises: SourceError"""
    return queries.server_address(kind, location) if kind in queries.KINDS else parse_address(location)


def _secrets_of(source: Source) -> dict[str, Any]:
    if not source.secret:
        return _NO_SECRETS
    try:
        return _NO_SECRETS | decrypt(PURPOSE, source.secret)
    except Unreadable:
        raise SourceError("source_secret_unreadable") from None
