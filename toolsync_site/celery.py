"""The Celery application."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import after_task_publish, beat_init, setup_logging, worker_ready
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")

TICK = "sync.tick"

app = Celery("toolsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def give_beat_its_entry(sender: Celery, **_kwargs: Any) -> None:
    """Let beat send a tick each minute. One that nobody took before the next is worthless: the next does the same work."""
    seconds = settings.TOOLSYNC_TICK_SECONDS
    schedule = crontab() if seconds == 60 else float(seconds)
    sender.conf.beat_schedule = {"tick": {"task": TICK, "schedule": schedule, "options": {"expires": 0.9 * seconds}}}


@worker_ready.connect
def note_that_a_worker_lives(**_kwargs: Any) -> None:
    """Keep that a worker has started; from then on the ticks that it takes show that it lives."""
    _note_life("worker")


@beat_init.connect
@after_task_publish.connect(sender=TICK)
def note_that_beat_lives(**_kwargs: Any) -> None:
    """Keep that beat has started, or that a tick was sent, which nobody but beat does."""
    _note_life("beat")


def _note_life(part: str) -> None:
    """Keep that a process lives. It goes on when our database is away."""
    from sync.health.records import Part, note_life

    close_old_connections()
    try:
        note_life(Part(part))
    except DatabaseError:
        logging.getLogger(__name__).warning("the database doesn't answer; that %s is alive was not kept", part)
    finally:
        connection.close()


@setup_logging.connect
def configure_logging(**_kwargs: Any) -> None:
    """Let workers and beat log as the web does; without a receiver here Celery installs handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
