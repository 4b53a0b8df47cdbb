"""The program that is told about runs: where it is, and a signed POST to it. Address and key are sealed: both are secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from sync.audit.services import record_saved
from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import NotificationError, SourceError
from sync.models import CHOSEN_EVENTS, AuditKind, MoodleSite, Webhook
from sync.runs.options import fetch_rules
from sync.runs.rights import OPERATOR, Responsible
from sync.sources.guard import Lines
from sync.sources.http_address import GuardedConnection
from sync.sources.location import Address, parse_address

# Standard Webhooks asks for 24 to 64 random bytes, written in base64 after this prefix. Any other key is its own bytes.
# Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
KEY_PREFIX = "whsec_"
KEY_LENGTH = 24
PURPOSE = "webhook"
_SECONDS = 15.0
_SECRETS = ("address", "key")
_CODE = "webhook"
# What the guard says of fetching, said of notifying.
_CODES = {
    "remote_private": "webhook_private",
    "remote_failed": "webhook_failed",
    "remote_silent": "webhook_too_slow",
    "remote_too_slow": "webhook_too_slow",
}


@dataclass(frozen=True)
class WebhookChoice:
    """What an administrator has chosen. Shape: address, key: "" = the ones that are kept."""

    address: str = ""
    key: str = ""
    events: Collection[str] = ()


def webhook_of(site: MoodleSite) -> Webhook | None:
    """Return the webhook of a site, if it has one."""
    return Webhook.objects.filter(site=site).first()


def save_webhook(site: MoodleSite, choice: WebhookChoice, *, by: Responsible = OPERATOR) -> Webhook:
    """Keep where a program is told. Raises: NotificationError."""
    stored = webhook_of(site)
    kept = {"address": "", "key": ""}
    if stored is not None and not (choice.address and choice.key):
        kept = _secrets_of(stored)
    secrets = {"address": choice.address.strip() or kept["address"], "key": choice.key.strip() or kept["key"]}
    address = _address_of(secrets["address"])
    if secrets["key"] != kept["key"] or not secrets["key"]:
        _check_key(secrets["key"])
    values = {
        "host": address._replace(path="").shown,
        "events": [event.value for event in CHOSEN_EVENTS if event in choice.events],
        "secret": encrypt(PURPOSE, secrets),
    }
    with transaction.atomic():
        before = _audited(stored, kept) if stored is not None else {}
        saved = Webhook.objects.update_or_create(site=site, defaults=values)[0]
        record_saved(
            site,
            AuditKind.NOTIFICATION,
            by,
            saved.host,
            before=before,
            after=_audited(saved, secrets),
            secret=_SECRETS,
            code=_CODE,
        )
    return saved


def delete_webhook(site: MoodleSite, *, by: Responsible = OPERATOR) -> None:
    """Tell no program any more."""
    with transaction.atomic():
        webhook = webhook_of(site)
        if webhook is not None:
            before = _audited(webhook, {})
            record_saved(site, AuditKind.NOTIFICATION, by, webhook.host, before=before, after=None, code=_CODE)
            webhook.delete()


def _audited(webhook: Webhook, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return what the audit compares, the secrets too."""
    return {"host": webhook.host, "events": webhook.events, **secrets}


def post(webhook: Webhook, body: bytes, message_id: str) -> None:
    """Send a body to the webhook, signed as Standard Webhooks has it. Shape: message_id: the same each time it is tried

    Raises: NotificationError if it isn't answered with 200 to 299; a redirect isn't followed
    """
    secrets = _secrets_of(webhook)
    address, now = _address_of(secrets["address"]), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ToolSync",
        "webhook-id": message_id,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{_signature(secrets['key'], message_id, now, body)}",
    }
    try:
        status = _status_of(address, body, headers)
    except SourceError as error:
        params = {**error.params, "seconds": round(_SECONDS)}
        raise NotificationError(_CODES.get(error.code, error.code), **params) from error
    if not 200 <= status < 300:
        raise NotificationError("webhook_status", host=address.host, status=status)


def _signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(_bytes_of(key), signed, hashlib.sha256)).decode()


def _bytes_of(key: str) -> bytes:
    """Return the bytes that a key is written for. Raises: NotificationError"""
    if not key.startswith(KEY_PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        raise NotificationError("webhook_key_unreadable", prefix=KEY_PREFIX) from None


def _check_key(key: str) -> None:
    if len(_bytes_of(key)) < KEY_LENGTH:
        raise NotificationError("webhook_key_short", length=KEY_LENGTH, prefix=KEY_PREFIX)


def _status_of(address: Address, body: bytes, headers: Mapping[str, str]) -> int:
    target = address.path + (f"?{address.query}" if address.query else "")
    rules = replace(fetch_rules(), seconds=_SECONDS)
    with (
        Lines(rules) as lines,
        lines.translated_errors(address.host),
        closing(GuardedConnection(address, lines)) as connection,
    ):
        connection.request("POST", target, body, dict(headers))
        with connection.getresponse() as answer:
            return answer.status


def _address_of(text: str) -> Address:
    try:
        address = parse_address(text)
    except SourceError:
        raise NotificationError("webhook_address") from None
    if address.scheme not in ("http", "https") or address.username or address.password:
        raise NotificationError("webhook_address")
    return address


def _secrets_of(webhook: Webhook) -> dict[str, str]:
    try:
        return decrypt(PURPOSE, webhook.secret)
    except Unreadable:
        raise NotificationError("webhook_secret_unreadable") from None
