"""Who is notified about runs: the list of rules with the webhook and the last notifications, and the page of one rule."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.models import CHOSEN_EVENTS, Notification, NotificationRule
from sync.notifications.services import delete_rule, rule_of, save_rule
from sync.notifications.webhooks import delete_webhook, save_webhook, webhook_of
from sync.people.rights import EVERY, may
from sync.people.roles import MANAGE_NOTIFICATIONS
from sync.runs.options import page_address, site_zone
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for
from sync.web.access import (
    current_site,
    every_file_type_or_404,
    may_manage_notifications,
    processor_or_404,
    uses_every_file_type,
)
from sync.web.cards import FileTypeCard, file_type_card
from sync.web.forms import is_saved
from sync.web.notification_form import RuleForm, WebhookForm

# Stands in addresses for the rule of the file types that have none of their own.
COMMON = "all"
_LAST_NOTIFICATIONS = 20


class RuleCard(NamedTuple):
    """A rule as the list shows it. Shape: file_type: None = the common one; recipients: event, addresses; is_own: it has one"""

    file_type: FileTypeCard | None
    rule: NotificationRule
    recipients: list[tuple[str, str]]
    is_own: bool


@may_manage_notifications
@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    return _list(request, WebhookForm(webhook=webhook_of(current_site())))


@may_manage_notifications
@require_http_methods(["GET", "HEAD", "POST"])
def rule_detail(request: HttpRequest, key: str) -> HttpResponse:
    processor = _processor(request, key)
    stored = rule_of(current_site(), processor)
    form = RuleForm(request.POST or None, rule=stored)
    by = Responsible.of(request.user)
    if is_saved(request, form, lambda: save_rule(current_site(), processor, form.choice, by=by), _("Saved.")):
        return redirect("notification_rules")
    context = {
        "form": form, "rule": stored, "key": key, "zone": site_zone(),
        "file_type": file_type_card(processor_or_404(request.user, key, MANAGE_NOTIFICATIONS)) if processor else None,
    }  # fmt: skip
    return render(request, "sync/notification_rule.html", context)


@may_manage_notifications
@require_POST
def rule_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Take the rule of a file type away, so that the common one holds again."""
    delete_rule(current_site(), _processor(request, key), by=Responsible.of(request.user))
    return redirect("notification_rules")


@may_manage_notifications
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    every_file_type_or_404(request.user, MANAGE_NOTIFICATIONS)
    site, by = current_site(), Responsible.of(request.user)
    form = WebhookForm(request.POST, webhook=webhook_of(site))
    if is_saved(request, form, lambda: save_webhook(site, form.choice, by=by), _("Saved.")):
        return redirect("notification_rules")
    return _list(request, form)


@may_manage_notifications
@require_POST
def webhook_delete(request: HttpRequest) -> HttpResponse:
    every_file_type_or_404(request.user, MANAGE_NOTIFICATIONS)
    delete_webhook(current_site(), by=Responsible.of(request.user))
    return redirect("notification_rules")


def _list(request: HttpRequest, form: WebhookForm) -> HttpResponse:
    site, processors = current_site(), processors_for(request.user, MANAGE_NOTIFICATIONS)
    stored = {rule.processor: rule for rule in NotificationRule.objects.filter(site=site)}
    cards = [_card(file_type_card(processor), stored.get(processor.key)) for processor in processors]
    for_all = uses_every_file_type(request.user) and may(request.user, MANAGE_NOTIFICATIONS, processor=EVERY)
    if for_all:
        cards.insert(0, _card(None, stored.get("")))
    # Digests, and what is told of parts, are about no file type.
    keys = [*([""] if for_all else []), *(one.key for one in processors)]
    notifications = Notification.objects.filter(site=site, processor__in=keys).select_related("run")
    context: dict[str, Any] = {
        "cards": cards,
        "notifications": notifications[:_LAST_NOTIFICATIONS],
        "has_links": bool(page_address("/")),
        "webhook": webhook_of(site),
        "webhook_form": form if for_all else None,
    }
    return render(request, "sync/notification_rules.html", context)


def _card(file_type: FileTypeCard | None, rule: NotificationRule | None) -> RuleCard:
    shown = rule or NotificationRule()
    recipients = [
        (str(event.label), ", ".join(shown.recipients[event])) for event in CHOSEN_EVENTS if shown.recipients.get(event)
    ]  # fmt: skip
    return RuleCard(file_type, shown, recipients, rule is not None)


def _processor(request: HttpRequest, key: str) -> str:
    """Return the file type that an address names, "" for the common rule, if the user may use it."""
    if key == COMMON:
        every_file_type_or_404(request.user, MANAGE_NOTIFICATIONS)
        return ""
    return processor_or_404(request.user, key, MANAGE_NOTIFICATIONS).key
