"""Pages of the frame: those that only lead on, the help, and how somebody likes to see the pages."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sync import __version__
from sync.runs.selectors import processors_for
from sync.web.access import signed_in
from sync.web.cards import families
from sync.web.preferences import MailsForm, PreferencesForm
from sync.web.sections import open_entries, section_named


@signed_in
@require_safe
def landing(request: HttpRequest, name: str) -> HttpResponse:
    """Lead on to the pages of a section."""
    section = section_named(name)
    entries = open_entries(section.entries, request.user)
    if not entries:
        raise PermissionDenied
    return render(request, f"sync/{name}.html", {"section": section, "entries": entries})


@signed_in
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say what each file type is for, where its format is explained, and which version this is."""
    context = {"families": families(processors_for(request.user)), "version": __version__}
    return render(request, "sync/help.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Let somebody choose theme and time zone, and when and how their mails come."""
    is_of_mails = "digest_at" in request.POST
    form = PreferencesForm(request.POST if request.method == "POST" and not is_of_mails else None, request=request)
    mails = MailsForm(request.POST if is_of_mails else None, request=request)
    if request.method != "POST" or not (mails if is_of_mails else form).is_valid():
        return render(request, "sync/preferences.html", {"form": form, "mails": mails})
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if is_ours else reverse("preferences"))
    if is_of_mails:
        mails.keep(cast(User, request.user))
    else:
        form.keep(response)
    if not is_ours:
        messages.success(request, _("Saved."))
    return response


def csrf_failure(request: HttpRequest, **_reason: str) -> HttpResponse:
    """Say that a form came from a page of another session; why, Django has logged."""
    return render(request, "403_csrf.html", status=403)
