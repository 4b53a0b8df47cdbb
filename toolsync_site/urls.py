"""The address map of the site: sign-in, language and Django's admin here, everything else in `sync.web.urls`."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from sync.web.login import OwnPasswordChange, PasswordByMail, PasswordFromMail

handler500 = "sync.web.views.health.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", OwnPasswordChange.as_view(), name="password_change"),
    path("password/mail/", PasswordByMail.as_view(), name="password_reset"),
    path("password/mail/<uidb64>/<token>/", PasswordFromMail.as_view(), name="password_reset_confirm"),
    path("language/", set_language, name="set_language"),
    path("", include("sync.web.urls")),
]
