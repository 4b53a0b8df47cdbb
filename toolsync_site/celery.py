"""The Celery application."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")

app = Celery("toolsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def configure_logging(**_kwargs: Any) -> None:
    """Let workers and beat log as the web does; without a receiver here Celery installs handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
