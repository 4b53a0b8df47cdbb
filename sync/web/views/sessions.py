"""The sessions of the person who is logged in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_POST, require_safe

from sync.people.sessions import end_sessions, sessions_of
from sync.web.access import signed_in
from sync.web.filters import number_in


@signed_in
@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    context = {"sessions": sessions_of(request.user), "current": request.session.session_key}
    return render(request, "sync/sessions.html", context)


@signed_in
@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End one of the own sessions, or all but this one. Shape: session: number of one; without it all others"""
    others = [one for one in sessions_of(request.user) if one.session_key != request.session.session_key]
    if "session" in request.POST:
        number = number_in(request.POST["session"])
        others = [one for one in others if one.pk == number]
    count = end_sessions(others)
    if count:
        said = ngettext("%(n)s session was ended.", "%(n)s sessions were ended.", count)
        messages.success(request, said % {"n": count})
    else:
        messages.info(request, _("There was no other session."))
    return redirect("sessions")
