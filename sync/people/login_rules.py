"""How allauth logs people in here: what it may do is narrowed to a second factor, OpenID Connect and a list of sessions.

Names and passwords are checked by Django's own page of login, whose delays are ours (sync/web/login.py); everything after the
password goes through allauth, so that no way in leaves out the second factor. Nobody signs up: people are invited.
"""

from __future__ import annotations

import secrets
import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from axes.helpers import get_client_ip_address
from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy

from sync.encryption import Unreadable, decrypt, encrypt
from sync.models import Machine
from sync.notifications.password_mails import within_limit
from sync.people.second_factor import CODE_PAUSE, CODES_PER_USER, PURPOSE, USED_CODE_PAUSE
from sync.runs.options import openid_trusts_addresses

# Those that a person can do nothing with.
# So many users are looked at for an address, before the letters are compared.
_ALIKE = 20
_UNSAID = ("account/messages/logged_in.txt",)


class AccountRules(DefaultAccountAdapter):
    """Log in whoever has shown a password, or was vouched for, and the second factor; offer nothing else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return get_client_ip_address(request)

    def login(self, request: HttpRequest, user: Any) -> None:
        user.backend = "django.contrib.auth.backends.ModelBackend"
        super().login(request, user)

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Ask for the password once more, with the delays of the login."""
        return authenticate(self.request, username=user.get_username(), password=password) == user

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, _("This user is switched off. Ask an administrator."))
        return redirect("login")

    def add_message(
        self, request: HttpRequest, level: int, message_template: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        if message_template not in _UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)


class SecondFactorRules(DefaultMFAAdapter):
    """Keep secrets encrypted, and name ToolSync in the app that shows codes."""

    def get_totp_issuer(self) -> str:
        return "ToolSync"

    def _get_site_name(self) -> str:
        return "ToolSync"

    def generate_authenticator_name(self, user: Any, kind: Any) -> str:
        count = Authenticator.objects.filter(user=user.pk, type=kind).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def get_totp_label(self, user: Any) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return encrypt(PURPOSE, {"": text}).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; where no key opens it, one that nobody knows: no code fits then."""
        try:
            return decrypt(PURPOSE, encrypted_text.encode())[""]
        except Unreadable:
            return secrets.token_hex(20).translate(str.maketrans("0189", "GHIJ")).upper()


class _Counted(forms.Form):
    """Counts tries for all processes of the web server, and takes no code twice."""

    user: Any

    def clean_code(self) -> str:
        if not within_limit(f"code of {self.user.pk}", CODES_PER_USER, CODE_PAUSE):
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        if not within_limit(f"code of {self.user.pk}: {code}", 1, USED_CODE_PAUSE):
            raise forms.ValidationError(gettext_lazy("This code was used already. Wait for the next one."))
        return code


class CodeForm(_Counted, AuthenticateForm):
    """The code of an app, or a recovery code, at login."""


class CodeAgainForm(_Counted, ReauthenticateForm):
    """The same, before something that matters."""


class OpenIdRules(DefaultSocialAccountAdapter):
    """Let a person in whose verified address is that of one user of ToolSync; that user is theirs from then on."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.state.get("process") != "login":
            _turn_away(request, _("Log out first, then log in that way."))
        if sociallogin.is_existing:
            return
        verified = _verified(sociallogin)
        # The server may take other letters for the same.
        found = get_user_model().objects.filter(email__in=verified)[:_ALIKE]
        machines = {machine.pk for machine in Machine.objects.filter(user__in=list(found))}
        # Nobody logs in as a machine, whatever address somebody has given it.
        users = [
            user for user in found if user.pk not in machines and _same_form(user.email) in map(_same_form, verified)
        ]
        if len(users) != 1:
            said = _("No user of ToolSync has your mail address, or several have. Ask an administrator to invite you.")
            _turn_away(request, said)
        sociallogin.connect(request, users[0])

    def on_authentication_error(self, request: HttpRequest, provider: Any, *_args: Any, **_kwargs: Any) -> None:
        name = getattr(provider, "name", "")
        _turn_away(request, _("%(provider)s did not log you in. Try again, or use your password.") % {"provider": name})


def _verified(sociallogin: Any) -> list[str]:
    facts = sociallogin.account.extra_data
    says_nothing = not any("email_verified" in (facts.get(part) or {}) for part in ("userinfo", "id_token"))
    trusts = says_nothing and openid_trusts_addresses()
    return [address.email for address in sociallogin.email_addresses if address.verified or trusts]


def _same_form(address: str) -> str:
    return unicodedata.normalize("NFKC", address).casefold()


def _turn_away(request: HttpRequest, said: str) -> None:
    messages.error(request, said)
    raise ImmediateHttpResponse(redirect("login"))
