"""Quarantine of files over which fetching breaks off: what kills the process, or shows a mistake of ours, is tried twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from sync.errors import ToolSyncError
from sync.models import FetchAttempt, MoodleSite
from sync.sources.remote_folder import Entry

MAX_ATTEMPTS = 2
# A place may not say that the file is another one now: the same name gets one more attempt each day.
_TRIED_AGAIN_AFTER = timedelta(days=1)


@contextmanager
def fetch_attempt(site: MoodleSite, place: str, entry: Entry) -> Iterator[bool]:
    """Count an attempt at a file, before anything of it is read; yields whether it may be made.

    Queries: three
    """
    version = f"{entry.size}:{entry.modified}"[:200]
    attempt = FetchAttempt.objects.get_or_create(
        site=site, place=place, name=entry.name, defaults={"version": version}
    )[0]
    if attempt.version != version:
        attempt.version, attempt.attempts = version, 0
    if attempt.attempts >= MAX_ATTEMPTS:
        if timezone.now() - attempt.tried_at < _TRIED_AGAIN_AFTER:
            yield False
            return
        attempt.attempts = MAX_ATTEMPTS - 1
    attempt.attempts += 1
    attempt.save()
    try:
        yield True
    except ToolSyncError:
        attempt.delete()
        raise
    attempt.delete()


def forget_attempts(site: MoodleSite, place: str, name: str) -> None:
    """Let a file of this name be tried anew."""
    FetchAttempt.objects.filter(site=site, place=place, name=name).delete()
