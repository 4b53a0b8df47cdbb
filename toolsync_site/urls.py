"""The address map of the site: sign-in, language and Django's admin here, everything else in `sync.web.urls`."""

from __future__ import annotations

from allauth.account.views import reauthenticate
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from sync.web.login import Login, OwnPasswordChange, PasswordByMail, PasswordFromMail

# The pages of allauth that we have, under the names by which it looks for them.
allauth_urls = [
    path("login/", Login.as_view(), name="account_login"),
    path("login/code/", second_factor.authenticate, name="mfa_authenticate"),
    path("login/again/", reauthenticate, name="account_reauthenticate"),
    path("login/again/code/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("login/again/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("login/<slug:provider_id>/", openid.login, name="openid_connect_login"),
    path("login/<slug:provider_id>/back/", openid.callback, name="openid_connect_callback"),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/", second_factor.index, name="mfa_list_webauthn"),
    path("second-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/passkey/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("second-factor/passkey/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("second-factor/codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("second-factor/codes/file/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
]

admin.autodiscover()
# Not at the start of every process: see `toolsync_site.logins`.
registry.load()

handler500 = "sync.web.views.health.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", OwnPasswordChange.as_view(), name="password_change"),
    path("password/mail/", PasswordByMail.as_view(), name="password_reset"),
    path("password/mail/<uidb64>/<token>/", PasswordFromMail.as_view(), name="password_reset_confirm"),
    *allauth_urls,
    path("language/", set_language, name="set_language"),
    path("api/", include("sync.api.urls")),
    path("webservice/", include("sync.api.moodle_protocol.urls")),
    path("", include("sync.web.urls")),
]
