"""Tokens of the API: the list, making one, which is shown once, and revoking; machine users."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import PeopleRefused
from sync.people import tokens
from sync.people.machines import machines_for, make_machine
from sync.people.rights import may
from sync.people.roles import MANAGE_TOKENS
from sync.web.access import current_site, may_have_tokens, may_manage_tokens
from sync.web.forms import is_saved
from sync.web.tokens_form import MachineForm, TokenForm

_TOKENS_PER_PAGE = 50


@may_have_tokens
@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    site = current_site()
    page = Paginator(tokens.tokens_for(request.user, site), _TOKENS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "sees_all": may(request.user, MANAGE_TOKENS, site)}
    return render(request, "sync/tokens.html", context)


@may_have_tokens
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token. The answer shows its secret, which is kept nowhere: no address shows it a second time."""
    site = current_site()
    machines = machines_for(request.user, site)
    further = [each for each in tokens.sites_of(request.user) if each.pk != site.pk]
    form = TokenForm(request.POST or None, user=request.user, machines=machines, sites=further)
    if request.method == "POST" and form.is_valid():
        try:
            made = tokens.make_token(request.user, site, form.chosen_person, **form.choice)
        except PeopleRefused as error:
            form.refuse(error)
        else:
            return render(request, "sync/token_made.html", {"token": made.token, "secret": made.secret})
    return render(request, "sync/token_new.html", {"form": form})


@may_have_tokens
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(tokens.tokens_for(request.user, current_site()), pk=token_id)
    tokens.revoke_token(request.user, token)
    messages.success(request, _("The token “%(name)s” lets nobody in any more.") % {"name": token.name})
    return redirect("tokens")


@may_manage_tokens
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def machine_new(request: HttpRequest) -> HttpResponse:
    """Make a machine user, which is a user with a role that nobody logs in as."""
    site = current_site()
    form = MachineForm(request.POST or None, sites=[site])

    def make() -> None:
        chosen = form.cleaned_data
        make_machine(request.user, site, chosen["name"], chosen["role"], chosen["file_types"])

    if is_saved(request, form, make, _("The machine user was made. Make a token for it now.")):
        return redirect("token_new")
    return render(request, "sync/machine_new.html", {"form": form})
