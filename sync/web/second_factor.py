"""Middleware: whoever must have a second factor sets one up before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from sync.people.second_factor import factors_of, must_have_factor
from sync.runs.options import second_factor_rule

# What it takes to set one up, and to leave.
_OPEN = {
    "mfa_index", "mfa_list_webauthn", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
    "mfa_download_recovery_codes", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "account_reauthenticate",
    "password_change", "login", "account_login", "logout", "set_language", "healthz",
}  # fmt: skip


class SecondFactorAsked:
    """Leads people to the page of their second factor as long as they have none, where the operator wants one.

    Who was vouched for by OpenID Connect was asked there. Queries: none where the operator wants none; else one to three
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_args: Any) -> HttpResponseBase | None:
        if not second_factor_rule() or not request.user.is_authenticated:
            return None
        match = request.resolver_match
        if (match is not None and match.url_name in _OPEN) or _was_vouched_for(request):
            return None
        if not must_have_factor(request.user) or factors_of(request.user):
            return None
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(reverse("mfa_index"))
        messages.warning(request, _("Set up a second factor first: those who run ToolSync want one of you."))
        return redirect("mfa_index")


def _was_vouched_for(request: HttpRequest) -> bool:
    methods = request.session.get("account_authentication_methods", [])
    return any(method.get("method") == "socialaccount" for method in methods)
