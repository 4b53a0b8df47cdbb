"""Django's admin, for superusers only: to repair what has no page of its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import SimpleAdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode


class RepairSite(AdminSite):
    """Lets superusers in, by the page on which everybody logs in: what that asks for isn't asked for less here."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect(
            f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.GET.get('next', request.path)})}"
        )


class RepairConfig(SimpleAdminConfig):
    """Django's admin with this site in place of its own.

    Its pages are found by the address map: commands and workers show none.
    """

    default_site = "toolsync_site.repair.RepairSite"
