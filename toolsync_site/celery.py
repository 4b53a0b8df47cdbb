"""The Celery application."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")

app = Celery("toolsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def give_beat_its_entry(sender: Celery, **_kwargs: Any) -> None:
    """Let beat send a tick each minute. One that nobody took before the next is worthless: the next does the same work."""
    seconds = settings.TOOLSYNC_TICK_SECONDS
    schedule = crontab() if seconds == 60 else float(seconds)
    sender.conf.beat_schedule = {
        "tick": {"task": "sync.tick", "schedule": schedule, "options": {"expires": 0.9 * seconds}}
    }


@setup_logging.connect
def configure_logging(**_kwargs: Any) -> None:
    """Let workers and beat log as the web does; without a receiver here Celery installs handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
