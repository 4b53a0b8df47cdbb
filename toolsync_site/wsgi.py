"""The WSGI application, for gunicorn."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from toolsync_site.bodies import PatientBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")

application = PatientBodies(get_wsgi_application())
