"""What people were told of a feed: a failure once, however often it comes, and once that it works again."""

from __future__ import annotations

from sync.models import NotifiedFailure, Schedule


def is_news(schedule: Schedule, processor: str, code: str, has_run: bool) -> bool:
    """Note that a file type of a feed fails, and tell whether that is another state than the one that people know.

    Belongs in the transaction that keeps the notification. Queries: at most three
    """
    values = {"code": code, "has_run": has_run}
    failure, is_new = NotifiedFailure.objects.get_or_create(schedule=schedule, processor=processor, defaults=values)
    return is_new or bool(NotifiedFailure.objects.filter(pk=failure.pk).exclude(code=code).update(**values))


def take_recovered(schedule: Schedule, done: set[str], nothing_came: set[str]) -> list[NotifiedFailure]:
    """Return the failures of a feed that people know of and that are over, and forget them. Queries: one, and one for each

    Shape: done: file types of which every run of a start went well; nothing_came: those that could be asked for, without a file,
    so that only the way to it is known to work
    """
    found = []
    for failure in NotifiedFailure.objects.filter(schedule=schedule):
        is_over = failure.processor in done or (failure.processor in nothing_came and not failure.has_run)
        if is_over and NotifiedFailure.objects.filter(pk=failure.pk).delete()[0]:
            found.append(failure)
    return found
