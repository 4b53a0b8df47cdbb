"""System checks: what would fail later, said at start-up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning as CheckWarning, register
from django.core.files.storage import InvalidStorageError, storages

# What a check looks at is loaded by the check itself: each start of Django loads this module.

OWN = "toolsync"


@register(OWN)
def storage_is_set(**_kwargs: Any) -> list[CheckMessage]:
    """Check that there is a storage for the files."""
    from sync.commandfiles.storage import ALIAS

    try:
        storages[ALIAS]
    except InvalidStorageError as error:
        return [Error(str(error), hint="Set TOOLSYNC_STORAGE.", id="sync.E002")]
    return []


@register(OWN)
def lease_outlasts_heartbeat(**_kwargs: Any) -> list[CheckMessage]:
    """Check that a run isn't taken for dead between two signs of life."""
    from sync.runs.options import run_limits

    limits = run_limits()
    if limits.lease.total_seconds() < 3 * limits.heartbeat_seconds:
        hint = "Make TOOLSYNC_LEASE_SECONDS at least three times TOOLSYNC_HEARTBEAT_SECONDS."
        return [Error("A run would be taken for dead while it is alive.", hint=hint, id="sync.E003")]
    return []


@register(OWN)
def moodle_command_is_a_list(**_kwargs: Any) -> list[CheckMessage]:
    """Check that Moodle's command line is a list of arguments: nothing is ever split, let alone by a shell."""
    command: object = settings.TOOLSYNC_MOODLE_CLI
    if isinstance(command, list) and all(isinstance(argument, str) and argument for argument in command):
        return []
    hint = 'Write TOOLSYNC_MOODLE_CLI as a JSON list: ["php", "/var/www/moodle/admin/cli"].'
    return [Error("Moodle's command line is not a list of arguments.", hint=hint, id="sync.E004")]


@register(Tags.security, deploy=True)
def proxies_are_counted(**_kwargs: Any) -> list[CheckMessage]:
    """Check that people behind a proxy can be told apart."""
    from sync.runs.options import trusted_proxies

    if settings.BEHIND_TLS and not trusted_proxies():
        hint = "Set TOOLSYNC_TRUSTED_PROXIES to the number of proxies in front of ToolSync."
        return [CheckWarning("Everybody seems to come from the proxy in front.", hint=hint, id="sync.W003")]
    return []


@register(Tags.database, deploy=True)
def moodle_answers(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the Moodle of the site `main` answers; only a warning, it may well be down for a moment."""
    from sync.errors import MoodleError
    from sync.messages import text_of
    from sync.runs.connections import moodle_at
    from sync.runs.options import main_connection

    if not main_connection().url:
        return [CheckWarning("No Moodle database is set.", hint="Set TOOLSYNC_MOODLE_URL.", id="sync.W001")]
    try:
        moodle = moodle_at(main_connection())
        try:
            with moodle.session() as session:
                _config = session.config
        finally:
            moodle.dispose()
    except MoodleError as error:
        hint = "Run `manage.py checkmoodle` for the whole picture."
        return [CheckWarning(text_of(error.code, error.params), hint=hint, id="sync.W002")]
    return []
