"""Everything that is stored encrypted, brought under the newest key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.db import models, transaction

from sync.audit import keys as audit_keys
from sync.encryption import Unreadable, reencrypt
from sync.mending.drafts import PURPOSE as MENDED_ROWS
from sync.models import AuditChain, MendDraft, MoodleSite, RunMail, Source, Webhook
from sync.notifications import mails, webhooks
from sync.people import second_factor
from sync.runs import connections, source_settings as sources


class Rotation(NamedTuple):
    """What became of the stored secrets. Shape: unreadable: "source 3" …: no key opens them, so they were left alone."""

    done: int
    unreadable: tuple[str, ...]


def rotate_keys() -> Rotation:
    """Encrypt all stored secrets anew under the newest key."""
    done, unreadable = 0, []
    with transaction.atomic():
        for record, field, purpose in _stored():
            try:
                setattr(record, field, reencrypt(purpose, getattr(record, field)))
            except Unreadable:
                unreadable.append(f"{type(record).__name__.lower()} {record.pk}")
                continue
            record.save(update_fields=[field])
            done += 1
        for factor in Authenticator.objects.select_for_update():
            try:
                done += _rotated(factor)
            except Unreadable:
                unreadable.append(f"second factor {factor.pk}")
    return Rotation(done, tuple(unreadable))


def _rotated(factor: Authenticator) -> int:
    """Encrypt the secrets of a second factor anew; return how many. Raises: Unreadable"""
    names = [name for name in ("secret", "seed") if name in factor.data]
    for name in names:
        factor.data[name] = reencrypt(second_factor.PURPOSE, factor.data[name].encode()).decode()
    factor.save(update_fields=["data"])
    return len(names)


def _stored() -> Iterator[tuple[models.Model, str, str]]:
    """Return each record that holds a secret, locked, with the name of the field and what it was sealed for."""
    for source in Source.objects.select_for_update().exclude(secret=b""):
        yield source, "secret", sources.PURPOSE
    for webhook in Webhook.objects.select_for_update().exclude(secret=b""):
        yield webhook, "secret", webhooks.PURPOSE
    for site in MoodleSite.objects.select_for_update().exclude(connection=b""):
        yield site, "connection", connections.PURPOSE
    for chain in AuditChain.objects.select_for_update():
        yield chain, "secret", audit_keys.PURPOSE
    for draft in MendDraft.objects.select_for_update():
        yield draft, "sealed", MENDED_ROWS
    # A mail that may still have to be sent keeps its text; those that were sent have none.
    for mail in RunMail.objects.select_for_update().exclude(sealed=b""):
        yield mail, "sealed", mails.PURPOSE
