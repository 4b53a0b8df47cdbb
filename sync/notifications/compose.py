"""What people and programs are told about an event: counts, reasons and links; never a cell of the file, never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext, override

from sync.commandfiles import storage
from sync.errors import NotificationError
from sync.guard.messages import reason_text, total_texts
from sync.messages import text_of
from sync.models import Event, Notification, RunFile, Source, SyncRun
from sync.notifications.mails import reaches_people
from sync.notifications.webhooks import post, webhook_of
from sync.outcomes.report import count_texts
from sync.runs.finalize import language_of, report_in
from sync.runs.options import find_processor, page_address
from sync.runs.plans import held_notes
from sync.runs.selectors import run_notes
from sync.values import Action

# What mail servers take without complaint; a longer report is left to the link.
_MOST_ATTACHED = 5_000_000

Attachment = tuple[str, str, str]


def send_mail(notification: Notification) -> None:
    """Send a notification to everybody who hasn't got it yet, each alone.

    Raises: NotificationError if somebody couldn't be reached; CodedError if the report can't be read
    """
    language = notification.language or (language_of(notification.run) if notification.run else None)
    with override(language):
        subject, body = _subject(notification), "\n".join(_lines(notification)) + "\n"
        attachments = _attachments(notification, language)
    left, reason = list(notification.recipients), ""
    connection = get_connection()
    if notification.attempts and not reaches_people(connection):
        # It lies in the folder already.
        raise NotificationError("mail_without_server", recipients=", ".join(left))
    try:
        with connection:
            for address in notification.recipients:
                mail = EmailMessage(subject, body, to=[address], attachments=attachments)
                try:
                    taken = connection.send_messages([mail])
                except SMTPRecipientsRefused as error:
                    reason = reason_of(error)
                except ValueError:
                    # An address that no mail can be sent to, as a name of a host that is too long: the others get theirs.
                    reason = address
                else:
                    if taken and reaches_people(connection):
                        left.remove(address)
    except (SMTPException, OSError) as error:
        reason = reason_of(error)
    Notification.objects.filter(pk=notification.pk).update(recipients=left)
    if left and not reason:
        raise NotificationError("mail_without_server", recipients=", ".join(left))
    if left:
        raise NotificationError("mail_not_sent", recipients=", ".join(left), reason=reason[:200])


def send_to_webhook(notification: Notification) -> None:
    """Send a notification to the webhook of its site; when that was taken away meanwhile, nothing is left to do.

    Raises: NotificationError
    """
    webhook = webhook_of(notification.site)
    if webhook is not None:
        post(webhook, json.dumps(payload_of(notification)).encode(), f"msg_{notification.pk}")


def payload_of(notification: Notification) -> dict[str, Any]:
    """Return what a program is told. Its texts are English."""
    about: dict[str, Any] = {
        "id": notification.pk,
        "event": notification.event,
        "site": notification.site.slug,
        "tool": notification.processor,
        "at": notification.created_at.isoformat(),
    }
    if notification.due_at is not None:
        about["expected_by"] = notification.due_at.isoformat()
    if notification.fault:
        with override("en"):
            about["error"] = {"code": notification.fault[0], "text": text_of(*notification.fault)}
    if (run := notification.run) is not None:
        with override("en"):
            about["run"] = {
                "id": run.pk,
                "state": run.state,
                "file": run.file_path,
                "counts": run.counts,
                "partial_counts": run.partial_counts,
                "held_for": [{"code": note.code, "text": reason_text(note)} for note in held_notes(run)],
                "error": {"code": run.error_code, "text": _trouble(run)} if run.error_code else None,
                "address": _page_of(run),
            }
    return about


def _subject(notification: Notification) -> str:
    about = f"{_headline(notification)} ({notification.run.file_name})" if notification.run else _headline(notification)
    return f"[ToolSync] {' '.join(about.split())}"


def _headline(notification: Notification) -> str:
    file_type = {"file_type": find_processor(notification.processor).label}
    match notification.event:
        case Event.SUCCESS:
            return _("%(file_type)s: done") % file_type
        case Event.REJECTIONS:
            return _headline_of_failed_rows(notification.run.counts if notification.run else {}, file_type)
        case Event.HELD:
            return _("%(file_type)s: held, somebody has to approve it") % file_type
        case Event.OVERDUE:
            return _("%(file_type)s: the file did not come") % file_type
    return _("%(file_type)s: failed") % file_type


def _headline_of_failed_rows(counts: Mapping[str, int], file_type: Mapping[str, object]) -> str:
    rejected, partial = counts.get(Action.REJECTED, 0), counts.get(Action.PARTIAL, 0)
    if partial and not rejected:
        text = ngettext(
            "%(file_type)s: %(count)s row was carried out in part",
            "%(file_type)s: %(count)s rows were carried out in part",
            partial,
        )
        return text % {**file_type, "count": partial}
    text = ngettext(
        "%(file_type)s: %(count)s row was rejected", "%(file_type)s: %(count)s rows were rejected", rejected
    )
    text %= {**file_type, "count": rejected}
    if partial:
        text += ngettext(
            ", %(count)s carried out in part", ", %(count)s carried out in part", partial
        ) % {"count": partial}  # fmt: skip
    return text


def _lines(notification: Notification) -> Iterator[str]:
    yield _headline(notification)
    yield ""
    yield _("Site: %(site)s") % {"site": notification.site.name}
    if notification.run is not None:
        yield from _lines_of_run(notification.run)
    if notification.fault:
        yield ""
        yield text_of(*notification.fault)
    if notification.due_at is not None:
        yield from _lines_of_overdue(notification, notification.due_at)


def _lines_of_run(run: SyncRun) -> Iterator[str]:
    yield _("File: %(file)s") % {"file": run.file_path}
    if run.requested_by is not None:
        yield _("Asked for by: %(person)s") % {"person": run.requested_by.get_username()}
    if run.started_at and run.finished_at:
        start, end = _clock(run.started_at), _clock(run.finished_at)
        yield _("Time: %(start)s to %(end)s") % {"start": start, "end": end}
    totals = count_texts(run.counts, run.partial_counts)
    if totals:
        yield _("Totals: %(totals)s.") % {"totals": ", ".join(totals)}
    if run.waits_for_person and run.plan is not None:
        yield ""
        yield _("Nothing was written. What would happen: %(totals)s.") % {
            "totals": ", ".join(total_texts(run.planned_totals))
        }
        yield from (f"- {reason_text(reason)}" for reason in held_notes(run))
    if trouble := _trouble(run):
        yield ""
        yield trouble
    for note in run_notes(run):
        yield ""
        yield text_of(note.code, note.params)
    if address := _page_of(run):
        yield ""
        yield _("The run: %(address)s") % {"address": address}
        kinds = set(run.files.values_list("kind", flat=True))
        if RunFile.Kind.REPORT in kinds:
            report = reverse("run_report", args=[run.pk])
            yield _("Report: %(address)s") % {"address": page_address(report, run.site.slug)}
        if RunFile.Kind.TRYBACK in kinds:
            tryback = reverse("run_file", args=[run.pk, RunFile.Kind.TRYBACK.value])
            yield _("Tryback: %(address)s") % {"address": page_address(tryback, run.site.slug)}


def _lines_of_overdue(notification: Notification, due_at: datetime) -> Iterator[str]:
    yield _("It was expected by %(time)s, and no run was asked for since the time before.") % {"time": _clock(due_at)}
    source = Source.objects.filter(site=notification.site, processor=notification.processor).first()
    if source is not None and source.looked_at is not None:
        yield _("Files were last looked for on %(time)s.") % {"time": _clock(source.looked_at)}
        for code, params in source.told:
            yield f"- {text_of(code, params)}"
    if address := page_address(reverse("source", args=[notification.processor]), notification.site.slug):
        yield ""
        yield _("Where it comes from: %(address)s") % {"address": address}


def _attachments(notification: Notification, language: str | None) -> list[Attachment]:
    """Return the report, in the language of the mail."""
    if not notification.attach_report or notification.run is None:
        return []
    report = notification.run.files.filter(kind=RunFile.Kind.REPORT, size__lte=_MOST_ATTACHED).first()
    if report is None:
        return []
    name = f"{report.name.removesuffix('.txt')}.txt"
    try:
        if language and language != language_of(notification.run):
            return [(name, report_in(notification.run, language), "text/plain")]
        with storage.opened(report.storage_key) as content:
            return [(name, content.read().decode(errors="replace"), "text/plain")]
    except FileNotFoundError:
        return []


def _trouble(run: SyncRun) -> str:
    return text_of(run.error_code, run.error_params) if run.error_code else ""


def _page_of(run: SyncRun) -> str:
    return page_address(reverse("run", args=[run.pk]), run.site.slug)


def _clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def reason_of(error: Exception) -> str:
    """Return what a mail server has said, or else the error."""
    if isinstance(error, SMTPRecipientsRefused):
        return " ".join(_reply(*reply) for reply in error.recipients.values())
    code, reply = getattr(error, "smtp_code", None), getattr(error, "smtp_error", b"")
    return _reply(code, reply) if code is not None else str(error) or type(error).__name__


def _reply(code: int, reply: bytes | str) -> str:
    """Return what a mail server has said, on one line."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".split())
