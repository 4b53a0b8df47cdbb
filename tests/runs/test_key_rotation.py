"""A new key: what was stored under the old one stays readable, is brought under the new one, and needs the old no more."""

from __future__ import annotations

import base64
import hmac
import inspect
import json

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from pytest_django import Settings

from sync.encryption import Unreadable, decrypt, encrypt
from sync.models import AuditRecord, ChunkIndex, MoodleSite, RunMail, Source, SyncRun, Webhook
from sync.moodle.db.database import MoodleConnection
from sync.notifications import mails, webhooks
from sync.runs import key_rotation, source_settings as sources
from sync.runs.connections import PURPOSE, sealed

pytestmark = pytest.mark.django_db

BEFORE_HKDF = (
    b"gAAAAABrDGLn-1giwxZ3JBAaV4J7eVXnCVo2zYbVXbZ8_iL2pW1q50O8D9uCd6jIGDX6vAX3pY-yRyV7BKlQ7ZhSo8"
    b"GsZxYcs5Q9L1GKkEobpYk7YzoWeNc="
)


@pytest.fixture
def site(settings: Settings) -> MoodleSite:
    settings.SECRET_KEY, settings.TOOLSYNC_CREDENTIALS_KEY = "s" * 50, "old" * 20
    site = MoodleSite.objects.get(slug="main")
    site.connection = sealed(MoodleConnection("mysql://moodle:hunter2@db/moodle", "mdl_"))
    site.save()
    Source.objects.create(site=site, processor="users", secret=encrypt(sources.PURPOSE, {"password": "hunter2"}))
    Webhook.objects.create(site=site, secret=encrypt(webhooks.PURPOSE, {"key": "hunter2"}))
    run = SyncRun.objects.create(site=site, processor="users", file_path="/in.csv")
    RunMail.objects.create(run=run, part_key="1", sealed=encrypt(mails.PURPOSE, {"body": "hunter2"}))
    return site


def readable(site: MoodleSite) -> bool:
    try:
        stored = (
            decrypt(PURPOSE, MoodleSite.objects.get(pk=site.pk).connection),
            decrypt(sources.PURPOSE, Source.objects.get(site=site, processor="users").secret),
            decrypt(webhooks.PURPOSE, Webhook.objects.get(site=site).secret),
            decrypt(mails.PURPOSE, RunMail.objects.get().sealed),
        )
    except Unreadable:
        return False
    return all("hunter2" in str(values) for values in stored)


def test_a_key_is_changed(site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_CREDENTIALS_KEY = "new" * 20
    assert not readable(site)
    settings.TOOLSYNC_CREDENTIALS_KEY_FALLBACKS = ["old" * 20]
    assert readable(site)
    call_command("rotatekeys")
    settings.TOOLSYNC_CREDENTIALS_KEY_FALLBACKS = []
    assert readable(site)


def test_secrets_under_the_key_of_the_site_go_over_to_a_key_of_their_own(site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_CREDENTIALS_KEY = ""
    settings.SECRET_KEY = "old" * 20
    assert readable(site)
    settings.TOOLSYNC_CREDENTIALS_KEY = "new" * 20
    call_command("rotatekeys")
    settings.SECRET_KEY = "s" * 50
    assert readable(site)


def test_what_no_key_opens_is_named_and_left_alone(site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_CREDENTIALS_KEY = "new" * 20
    with pytest.raises(CommandError, match=f"webhook .*moodlesite {site.pk}"):
        call_command("rotatekeys")
    settings.TOOLSYNC_CREDENTIALS_KEY = "old" * 20
    assert readable(site)


def test_no_encrypted_field_is_forgotten() -> None:
    """Encrypted values are the only binary ones in our tables, apart from compressed ones of the index of outcomes; those of
    audit records are so under a key that is among them."""
    fields = [
        (model.__name__, field.name)
        for model in apps.get_app_config("sync").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField) and model not in (AuditRecord, ChunkIndex)
    ]
    code = inspect.getsource(key_rotation)
    assert fields
    assert [field for field in fields if f"{field[0]}.objects" not in code or f'"{field[1]}"' not in code] == []


def test_what_was_encrypted_under_the_derivation_of_before_is_read_and_rotated(
    site: MoodleSite, settings: Settings
) -> None:
    # Made by the code before HKDF, for the purpose "webhook".
    before = Webhook.objects.get(site=site)
    before.secret = BEFORE_HKDF
    before.save()
    assert decrypt(webhooks.PURPOSE, before.secret) == {"key": "hunter2"}
    call_command("rotatekeys")
    rotated = bytes(Webhook.objects.get(site=site).secret)
    assert decrypt(webhooks.PURPOSE, rotated) == {"key": "hunter2"}
    # RFC 5869, by another implementation: extract, then the first block of expand.
    extracted = hmac.digest(b"toolsync", ("old" * 20).encode(), "sha256")
    key = hmac.digest(extracted, b"webhook" + bytes([1]), "sha256")
    assert json.loads(Fernet(base64.urlsafe_b64encode(key)).decrypt(rotated)) == {"key": "hunter2"}
    with pytest.raises(InvalidToken):
        Fernet(base64.urlsafe_b64encode(key)).decrypt(BEFORE_HKDF)
