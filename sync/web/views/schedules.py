"""One feed: what it takes and when, switched, started, changed; and one start of it."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import CodedError, ScheduleError
from sync.messages import text_of
from sync.models import Schedule
from sync.notifications.trial import send_test_mail, send_test_webhook
from sync.overview.feed_details import next_starts
from sync.people.roles import MANAGE_NOTIFICATIONS
from sync.runs.options import site_zone
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for, visible_processors
from sync.schedules import services as scheduling
from sync.schedules.sequences import cancel_sequence, steps_of, window_at
from sync.web.access import (
    MANAGE_SCHEDULES,
    current_site,
    every_file_type_or_404,
    may_change_schedule,
    may_manage_notifications,
    may_manage_schedules,
    own_schedule_or_404,
    schedule_or_404,
    sequence_or_404,
    signed_in,
)
from sync.web.feed_page import feed_page, mail_addresses, recipients_page, save_recipients_page
from sync.web.feed_table import name_of, recipients_of
from sync.web.forms import is_saved
from sync.web.preferences import by_site_clock
from sync.web.recipients_form import NothingAsked
from sync.web.schedule_form import ScheduleForm


@may_manage_schedules
@require_http_methods(["GET", "HEAD", "POST"])
@by_site_clock
def schedule_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Schedule(site=current_site()))


@may_manage_schedules
@require_http_methods(["GET", "HEAD", "POST"])
@by_site_clock
def schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    return _edit(request, schedule_or_404(request.user, schedule_id))


@may_manage_schedules
@require_POST
def switch(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Switch a schedule off; before it is switched on something is asked."""
    shown = own_schedule_or_404(request.user, schedule_id)
    if request.POST.get("on") == "1":
        return redirect("schedule_on", schedule_id)
    scheduling.switch_schedule(shown, on=False, owner=Responsible.of(request.user))
    return redirect("schedule", schedule_id)


@may_manage_schedules
@require_http_methods(["GET", "HEAD", "POST"])
@by_site_clock
def recipients(request: HttpRequest, schedule_id: int, *, is_switch: bool) -> HttpResponse:
    """Ask who is told of a feed, and what is held. Shape: is_switch: it is switched on after that"""
    shown = own_schedule_or_404(request.user, schedule_id)
    page, by = (
        recipients_page(request.user, shown, request.POST if request.method == "POST" else None),
        Responsible.of(request.user),
    )
    if page.form is None and not is_switch:
        raise PermissionDenied

    def save() -> None:
        with transaction.atomic():
            save_recipients_page(page, shown, by)
            if is_switch:
                scheduling.switch_schedule(shown, on=True, owner=by)

    said = _("The feed is switched on.") if is_switch else _("Saved.")
    if is_saved(request, page.form or NothingAsked(request.POST), save, said):
        return redirect("schedule", schedule_id)
    context = {
        "schedule": shown, "page": page, "is_switch": is_switch, "zone": site_zone(),
        "recipients": recipients_of(shown.site)(shown), "next_start": next_starts(shown, [])[0],
    }  # fmt: skip
    return render(request, "sync/feed_recipients.html", context)


@may_manage_schedules
@require_POST
def start(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Start a schedule now, by hand."""
    try:
        sequence = scheduling.start_now(schedule_or_404(request.user, schedule_id), request.user)
    except ScheduleError as error:
        messages.error(request, text_of(error.code, error.params))
        return redirect("schedule", schedule_id)
    return redirect("sequence_run", sequence.pk)


@may_manage_schedules
@require_POST
def delete(request: HttpRequest, schedule_id: int) -> HttpResponse:
    shown = own_schedule_or_404(request.user, schedule_id)
    scheduling.delete_schedule(shown, by=Responsible.of(request.user))
    messages.success(request, _("The feed was deleted. Its runs are kept."))
    return redirect("feeds")


def _edit(request: HttpRequest, shown: Schedule) -> HttpResponse:
    form = ScheduleForm(request.POST or None, schedule=shown, processors=processors_for(request.user, MANAGE_SCHEDULES))
    if request.method == "POST" and not may_change_schedule(request.user, shown):
        raise PermissionDenied
    owner, was_on, said = Responsible.of(request.user), shown.enabled, _("The feed was saved.")
    if is_saved(request, form, lambda: _save(shown, form, owner), said):
        is_to_be_on = form.cleaned_data["enabled"] and not was_on
        return redirect("schedule_on" if is_to_be_on else "schedule", shown.pk)
    if shown.pk:
        return render(request, "sync/feed.html", feed_page(request.user, shown, form))
    return render(request, "sync/feed_new.html", {"form": form, "zone": site_zone(), "may_change": True})


def _save(shown: Schedule, form: ScheduleForm, owner: Responsible) -> None:
    """Keep a schedule. One that was off stays off until it was asked who is told of it."""
    choice = form.choice
    scheduling.save_schedule(shown.site, replace(choice, enabled=choice.enabled and shown.enabled), shown, owner=owner)


@may_manage_notifications
@require_POST
def try_notifications(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Send a test to the people of a feed, or to the webhook of the site. Shape: way: mail or webhook"""
    shown = schedule_or_404(request.user, schedule_id)
    try:
        if request.POST.get("way") == "webhook":
            every_file_type_or_404(request.user, MANAGE_NOTIFICATIONS)
            sent = send_test_webhook(shown.site)
        else:
            addresses = mail_addresses(shown)
            sent = bool(addresses)
            if sent:
                send_test_mail(shown.site, addresses, name_of(shown))
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
    else:
        said = _("A test was sent, and was taken.") if sent else _("Nobody is named, so nothing was sent.")
        messages.add_message(request, messages.SUCCESS if sent else messages.WARNING, said)
    return redirect("schedule", schedule_id)


@signed_in
@require_safe
def sequence_run(request: HttpRequest, sequence_id: int) -> HttpResponse:
    shown = sequence_or_404(request.user, sequence_id)
    usable = {processor.key for processor in processors_for(request.user)}
    visible = {processor.key for processor in visible_processors(request.user)}
    waits_for = None if shown.is_over or shown.requested_by_id else window_at(shown.site, timezone.now())
    context = {
        "sequence": shown,
        "steps": [step for step in steps_of(shown) if step.processor in visible],
        "window": waits_for,
        "can_cancel": not shown.is_over and usable.issuperset(shown.processors),
    }
    is_fragment = request.headers.get("HX-Request")
    return render(request, "sync/_sequence_steps.html" if is_fragment else "sync/sequence_run.html", context)


@signed_in
@require_POST
def sequence_cancel(request: HttpRequest, sequence_id: int) -> HttpResponse:
    cancel_sequence(sequence_or_404(request.user, sequence_id, every_file_type=True))
    return redirect("sequence_run", sequence_id)
