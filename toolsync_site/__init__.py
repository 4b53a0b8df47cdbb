"""The Django project around the app `sync`."""

from __future__ import annotations

from toolsync_site.celery import app as celery_app

__all__ = ["celery_app"]
