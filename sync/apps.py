"""The app: what a fresh database must hold before anybody can use it."""

from __future__ import annotations

import gc
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _, override


class SyncConfig(AppConfig):
    """ToolSync."""

    name = "sync"
    verbose_name = _("ToolSync")

    def ready(self) -> None:
        # Imported for what they register; models and settings are there only now.
        from sync import checks  # noqa: F401
        from sync.runs import rights_audit

        rights_audit.connect()
        post_migrate.connect(make_site_and_permissions, sender=self)
        # manage.py has switched it off. What is loaded stays, so it is never looked at again.
        gc.freeze()
        gc.enable()


def make_site_and_permissions(using: str, **_kwargs: Any) -> None:
    """Make the site `main` with its schedules, all off, and a permission for each file type ("Can run: …")."""
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType

    from sync.models import MoodleSite
    from sync.models.site import MAIN_SITE
    from sync.processors.registry import REGISTRY
    from sync.schedules.services import make_shipped_schedules

    if not apps.is_installed("django.contrib.auth"):
        return
    site, _made = MoodleSite.objects.using(using).get_or_create(slug=MAIN_SITE, defaults={"name": "Moodle"})
    make_shipped_schedules(site, using)
    # Not get_for_model(): its cache outlives a flushed database.
    content_type, _made = ContentType.objects.using(using).get_or_create(app_label=SyncConfig.name, model="syncrun")
    for processor in REGISTRY.values():
        # Permissions are kept in the language of the source, as Django's own are.
        with override("en"):
            name = f"Can run: {processor.label}"
        Permission.objects.using(using).update_or_create(
            content_type=content_type, codename=f"run_{processor.key}", defaults={"name": name}
        )
