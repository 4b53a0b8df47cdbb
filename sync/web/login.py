"""Logging in: whose address counts, the rate limit of wrong passwords, and the ways to another password.

Nobody is ever locked out. Each wrong password for one user from one address makes that pair wait, longer each time; so do
many names that are tried from one address. An administrator elsewhere notices nothing of it.
"""

from __future__ import annotations

import logging
import unicodedata
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login as PendingLogin
from allauth.usersessions.models import UserSession
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.contrib import messages
from django.contrib.auth import get_user_model, views
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.db.models import Count, Max, Sum
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import get_language, gettext as _

from sync.notifications import password_mails
from sync.people.sessions import end_sessions, sessions_of
from sync.runs.options import named_hosts, openid_name, page_address, settings_language, trusted_proxies

# So many wrong passwords for one user, and so many names from one address, are mistakes.
FREE_PASSWORDS, FREE_NAMES = 5, 20
LONGEST_WAIT = timedelta(minutes=15)
# Where the server doesn't say who asks: all of those are one.
NOWHERE = str(IPv4Address(0))
_FIRST_WAIT = timedelta(seconds=2)
_NAMES_REMEMBERED = timedelta(hours=1)

logger = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str:
    """Return the address that a request comes from, as far as proxies of ours vouch for it.

    Each proxy appends whom it was asked by. What stands before that, anybody may have written. Of an IPv6 address the
    network: whoever has one has them all.
    """
    asked_by = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    chain = [part.strip() for part in asked_by if part.strip()] + [request.META.get("REMOTE_ADDR", "")]
    claimed = chain[-min(trusted_proxies() + 1, len(chain))]
    for text in (claimed, chain[-1]):
        try:
            address = ip_address(_without_port(text))
        except ValueError:
            continue
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(IPv6Network((int(address), 64), strict=False).network_address)
        return str(address)
    return NOWHERE


def _without_port(text: str) -> str:
    """Return the address alone: some proxies write 192.0.2.1:50000, [2001:db8::1]:50000 or [2001:db8::1]."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.partition(":")
    return host if colon and port.isdecimal() and "." in host else text


def login_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Return under which name wrong passwords are counted: that of the user which the database finds for what was typed.

    A database may take other spellings for the same: accents, capitals, blanks at the end. Queries: one
    """
    typed = (credentials or {}).get("username") or (request.POST.get("username") if request is not None else "") or ""
    name = unicodedata.normalize("NFKC", str(typed).replace("\0", ""))[:255]
    users = get_user_model().objects.filter(username=name)
    found = users.values_list("username", flat=True).first()
    return (found or name).casefold()[:255]


def wait_after(count: int, free: int) -> timedelta:
    """Return how long to wait after so many failures: nothing at first, then twice as long each time, up to a limit."""
    return min(_FIRST_WAIT * 2 ** min(count - free, 20), LONGEST_WAIT) if count >= free else timedelta()


class GrowingDelays(AxesDatabaseHandler):
    """Lets axes record failed logins, and says itself who has to wait."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return seconds_to_wait(request, credentials) > 0


def seconds_to_wait(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    """Return how long a login has to wait. Queries: three"""
    now, address = timezone.now(), client_address(request)
    failures = AccessAttempt.objects.filter(ip_address=address)
    pair = failures.filter(username=get_client_username(request, credentials))
    of_pair = pair.aggregate(count=Sum("failures_since_start"), last=Max("attempt_time"))
    recent = failures.filter(attempt_time__gte=now - _NAMES_REMEMBERED)
    of_names = recent.aggregate(count=Count("username", distinct=True), last=Max("attempt_time"))
    until = max(_until(of_pair, FREE_PASSWORDS, now), _until(of_names, FREE_NAMES, now))
    return max(0, -int((now - until) / timedelta(seconds=1) // 1))


def _until(found: dict[str, Any], free: int, now: datetime) -> datetime:
    return found["last"] + wait_after(found["count"], free) if found["count"] else now


def ask_to_wait(request: HttpRequest, _response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    """Return the page that says how long to wait."""
    seconds = max(1, seconds_to_wait(request, credentials))
    answer = render(request, "registration/wait.html", {"seconds": seconds}, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


class Login(views.LoginView):
    """Name and password; what else is asked for before somebody is logged in is asked by allauth."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "openid_name": openid_name()}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login = PendingLogin(user=user, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": user.get_username()}, login)


class OwnPasswordChange(views.PasswordChangeView):
    """Everybody can change their own password."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("password_change")
    extra_context = {"button": True}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your password was changed. Other browsers are logged out."))
        answer = super().form_valid(form)
        end_sessions(sessions_of(self.request.user))
        UserSession.objects.create_from_request(self.request)
        return answer


class PasswordByMail(views.PasswordResetView):
    """The way back: a link by mail to whoever has an address."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        if not password_mails.may_ask(client_address(self.request)):
            return ask_to_wait(self.request, HttpResponse(), None)
        host, is_secure = address_for_links(self.request)
        language = get_language() or settings_language()
        if host and password_mails.ask_for_mail(form.cleaned_data["email"], host, language, is_secure=is_secure):
            said = _("If a user of ToolSync has this address, a mail with a link is on its way.")
            messages.success(self.request, said)
        else:
            messages.error(self.request, _("Mails can't be sent at the moment. Ask those who run ToolSync."))
        return redirect(self.get_success_url())


def address_for_links(request: HttpRequest) -> tuple[str, bool]:
    """Return host and whether it is https: as the operator has set it, not whatever the browser asked for.

    Where nothing is set, a host will do that ALLOWED_HOSTS names in full: of a pattern the browser chooses the rest.
    Shape: "" = there is none that can be trusted
    """
    site = urlsplit(page_address("/"))
    if site.netloc:
        return site.netloc, site.scheme == "https"
    host = request.get_host()
    if split_domain_port(host)[0] in named_hosts():
        return host, request.is_secure()
    logger.error("a link to another password needs TOOLSYNC_ADDRESS")
    return "", False


class PasswordFromMail(views.PasswordResetConfirmView):
    """Set another password with the link of a mail; what wrong passwords have made the user wait is forgotten."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        if self.user is not None:
            AxesProxyHandler.reset_attempts(username=login_name(None, {"username": self.user.get_username()}))
            end_sessions(sessions_of(self.user))
        messages.success(self.request, _("Your password was changed. Log in with it."))
        return super().form_valid(form)
