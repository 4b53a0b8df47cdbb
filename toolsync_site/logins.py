"""Logins by OpenID Connect, without the load that they would put on every command."""

from __future__ import annotations

from allauth.socialaccount.apps import SocialAccountConfig


class LoginsElsewhereConfig(SocialAccountConfig):
    """allauth's logins by other servers, as it declares them, but for when their providers are loaded.

    It loads them with every process, and with them `requests`. The address map loads them here (`toolsync_site.urls`): commands
    and workers show no pages.
    """

    def ready(self) -> None:
        from allauth.socialaccount import checks  # noqa: F401
