"""People: the list, the page of one person, and what is done there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import PeopleRefused
from sync.messages import text_of
from sync.models import MoodleSite, RoleAssignment
from sync.notifications.password_mails import ask_for_mail
from sync.people import services
from sync.people.rights import may
from sync.people.roles import MANAGE_PEOPLE
from sync.people.second_factor import factors_of, take_factors
from sync.people.selectors import direct_permissions, open_invitations, people
from sync.people.sessions import sessions_of
from sync.runs.options import settings_language
from sync.web.access import current_site, may_manage_people
from sync.web.forms import is_saved
from sync.web.login import address_for_links
from sync.web.people_form import PersonForm, RoleForm

_PEOPLE_PER_PAGE = 50


@may_manage_people
@require_safe
def people_list(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    page = Paginator(people(text), _PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "q": text, "invitations": list(open_invitations(current_site())), "sites": _sites()}
    return render(request, "sync/people.html", context)


@may_manage_people
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    shown = _person_or_404(person_id)
    form = PersonForm(request.POST or None, instance=_person_or_404(person_id))
    if is_saved(request, form, lambda: services.change_person(request.user, shown, **form.cleaned_data), _("Saved.")):
        return redirect("person", person_id)
    return _page(request, shown, form, RoleForm(sites=sites_of(request.user)))


@may_manage_people
@require_POST
def role_give(request: HttpRequest, person_id: int) -> HttpResponse:
    shown, form = _person_or_404(person_id), RoleForm(request.POST, sites=sites_of(request.user))

    def give() -> None:
        cleaned = form.cleaned_data
        services.give_role(request.user, shown, form.chosen_site, cleaned["role"], cleaned["file_types"])

    if is_saved(request, form, give, _("The role was given.")):
        return redirect("person", person_id)
    return _page(request, shown, PersonForm(instance=shown), form)


@may_manage_people
@require_POST
def role_take(request: HttpRequest, person_id: int, assignment_id: int) -> HttpResponse:
    assignments = RoleAssignment.objects.select_related("site", "person")
    assignment = get_object_or_404(assignments, pk=assignment_id, person=person_id)
    return _done(
        request, person_id, lambda: services.take_role(request.user, assignment), _("The role was taken away.")
    )  # fmt: skip


@may_manage_people
@require_POST
def permissions_take(request: HttpRequest, person_id: int) -> HttpResponse:
    shown = _person_or_404(person_id)
    said = _("The permissions were taken away; roles alone count now.")
    return _done(request, person_id, lambda: services.take_direct_permissions(request.user, shown), said)


@may_manage_people
@require_POST
def person_switch(request: HttpRequest, person_id: int) -> HttpResponse:
    """Switch somebody off or on. Shape: on: 1 or 0"""
    shown, on = _person_or_404(person_id), request.POST.get("on") == "1"
    said = _("%(name)s may log in again.") if on else _("%(name)s is logged out and may not log in any more.")
    return _done(
        request, person_id, lambda: services.set_active(request.user, shown, active=on),
        said % {"name": shown.get_username()},
    )  # fmt: skip


@may_manage_people
@require_POST
def person_mail(request: HttpRequest, person_id: int) -> HttpResponse:
    """Send somebody a link to another password, as they could do themselves on the page of login."""
    shown, (host, is_secure) = _person_or_404(person_id), address_for_links(request)
    language = get_language() or settings_language()
    if shown.email and host and ask_for_mail(shown.email, host, language, is_secure=is_secure):
        messages.success(request, _("A mail with a link to another password is on its way."))
    else:
        messages.error(request, _("No mail can be sent to this person at the moment."))
    return redirect("person", person_id)


@may_manage_people
@require_POST
def person_sessions_end(request: HttpRequest, person_id: int) -> HttpResponse:
    shown = _person_or_404(person_id)
    said = _("%(name)s is logged out everywhere.") % {"name": shown.get_username()}
    return _done(request, person_id, lambda: services.end_all_sessions(request.user, shown), said)


@may_manage_people
@require_POST
def second_factor_take(request: HttpRequest, person_id: int) -> HttpResponse:
    shown = _person_or_404(person_id)
    said = _("The second factor was taken away; the password alone logs in now.")
    return _done(request, person_id, lambda: take_factors(request.user, shown), said)


def sites_of(user: Any) -> list[MoodleSite]:
    """Return the sites on which somebody may give roles."""
    return [site for site in _sites() if may(user, MANAGE_PEOPLE, site)]


def _sites() -> list[MoodleSite]:
    return list(MoodleSite.objects.all())


def _person_or_404(person_id: int) -> Any:
    return get_object_or_404(get_user_model(), pk=person_id)


def _done(request: HttpRequest, person_id: int, do: Callable[[], object], said: str) -> HttpResponse:
    try:
        do()
    except PeopleRefused as error:
        messages.error(request, text_of(error.code, error.params))
    else:
        messages.success(request, said)
    return redirect("person", person_id)


def _page(request: HttpRequest, shown: Any, form: PersonForm, role_form: RoleForm) -> HttpResponse:
    context = {
        "person": shown,
        "form": form,
        "role_form": role_form,
        "roles": list(shown.role_assignments.select_related("site")),
        "direct": [] if shown.is_superuser else direct_permissions(shown),
        "is_self": shown == request.user,
        "may_manage": services.may_manage(request.user, shown),
        "sites": _sites(),
        "factors": factors_of(shown),
        "sessions": sessions_of(shown),
    }
    return render(request, "sync/person.html", context)
