"""Invitations: made and withdrawn by who manages people, accepted by who was invited."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sync.errors import PeopleRefused
from sync.messages import text_of
from sync.models import Invitation
from sync.people import invitations
from sync.people.invitations import Link
from sync.runs.options import settings_language
from sync.web.access import current_site, may_manage_people
from sync.web.login import address_for_links
from sync.web.people_form import AcceptanceForm, InvitationForm
from sync.web.views.people import sites_of


@may_manage_people
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None, sites=sites_of(request.user))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            made = invitations.invite(
                request.user, form.chosen_site, chosen["email"], role=chosen["role"], file_types=chosen["file_types"],
                link=_link(request),
            )  # fmt: skip
        except PeopleRefused as error:
            form.refuse(error)
        else:
            _say(request, made, reached=invitations.send(made))
            return redirect("people")
    return render(request, "sync/invite.html", {"form": form, "days": invitations.LIFETIME.days})


@may_manage_people
@require_POST
def invitation_send(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Mail a new link; the one before is void."""
    invitation = _invitation_or_404(invitation_id)
    try:
        _say(request, invitation, reached=invitations.send_again(request.user, invitation, _link(request)))
    except PeopleRefused as error:
        messages.error(request, text_of(error.code, error.params))
    return redirect("people")


@may_manage_people
@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invitation = _invitation_or_404(invitation_id)
    try:
        invitations.withdraw(request.user, invitation)
    except PeopleRefused as error:
        messages.error(request, text_of(error.code, error.params))
    else:
        messages.success(request, _("The invitation of %(email)s was withdrawn.") % {"email": invitation.email})
    return redirect("people")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Let somebody who was invited choose a name and a password. The secret of the link is all that is asked for."""
    try:
        invitation = invitations.find_invitation(secret)
        form = AcceptanceForm(request.POST or None, initial={"username": invitation.email})
        if request.method == "POST" and form.is_valid():
            invitations.accept(secret, **form.choice)
            messages.success(request, _("Welcome. Log in with your username and password."))
            return redirect("login")
    except PeopleRefused as error:
        context = {"fault": text_of(error.code, error.params)}
        return render(request, "registration/invitation.html", context, status=410)
    return render(request, "registration/invitation.html", {"form": form, "invitation": invitation})


def _invitation_or_404(invitation_id: int) -> Invitation:
    found = Invitation.objects.select_related("site", "invited_by")
    return get_object_or_404(found, site=current_site(), pk=invitation_id)


def _link(request: HttpRequest) -> Link:
    host, is_secure = address_for_links(request)
    return Link(host, is_secure, get_language() or settings_language())


def _say(request: HttpRequest, invitation: Invitation, *, reached: bool) -> None:
    if reached:
        messages.success(request, _("A mail with a link goes to %(email)s.") % {"email": invitation.email})
    else:
        messages.error(request, _("Mails can't be sent at the moment. Ask those who run ToolSync."))
