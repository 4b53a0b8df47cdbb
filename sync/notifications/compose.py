"""What people and programs are told about an event: counts, reasons and links; never a cell of the file, never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.core.mail import EmailMessage, get_connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext, override

from sync.commandfiles import storage
from sync.errors import NotificationError
from sync.guard.messages import reason_text, total_texts
from sync.messages import Quantity, text_of, without_addresses
from sync.models import Event, Notification, RunFile, Schedule, Source, SyncRun
from sync.notifications.mails import reaches_people
from sync.notifications.readers import Reader, readers_of
from sync.notifications.webhooks import post, webhook_of
from sync.outcomes.report import count_texts
from sync.people.rights import may_set_something
from sync.runs.finalize import language_of, report_in
from sync.runs.options import find_processor, page_address, settings_language
from sync.runs.selectors import run_notes
from sync.schedules.titles import file_type_label, title_of
from sync.values import Action

# What mail servers take without complaint; a longer report is left to the link.
_MOST_ATTACHED = 5_000_000

# How long a worker may be at one letter before another one sends it.
TAKEN_FOR = timedelta(minutes=5)
# Of a mail that was not sent: how many have it, and whether all but those whom their server refuses for good.
_REACHED, IS_TOLD = "reached", "is_told"
_PERMANENT = 500

Attachment = tuple[str, str, str]


class Letter(NamedTuple):
    """What a mail says."""

    subject: str
    body: str
    attachments: list[Attachment]


@dataclass
class _Delivery:
    """One try to send a notification, each address alone.

    Shape: left: who hasn't got it yet; refused: those of them whom the server refuses for good; reached: how many have it
    """

    notification: Notification
    left: list[str]
    reached: int
    refused: set[str] = field(default_factory=set)
    reason: str = ""

    @property
    def kept(self) -> QuerySet[Notification]:
        """The notification, as long as no other worker has taken it over."""
        return Notification.objects.filter(pk=self.notification.pk, attempts=self.notification.attempts)

    def hand_over(self, connection: Any, letters: Mapping[str, Letter]) -> None:
        """Send each letter, and keep at once who has theirs. Raises: SMTPException, OSError"""
        for address, letter in letters.items():
            if not self._keep():
                return
            mail = EmailMessage(letter.subject, letter.body, to=[address], attachments=letter.attachments)
            try:
                taken = connection.send_messages([mail])
            except (SMTPRecipientsRefused, SMTPDataError) as error:
                self.reason = reason_of(error)
                if _is_for_good(error):
                    self.refused.add(address)
            except ValueError:
                # An address that no mail can be sent to, as a name of a host that is too long: the others get theirs.
                self.reason = address
                self.refused.add(address)
            else:
                if taken and reaches_people(connection):
                    self.left.remove(address)
                    self.reached += 1
        self._keep()

    def _keep(self) -> bool:
        """Keep who has it, and for how long nobody else is to send it. Returns False when another worker does so already."""
        self.kept.exclude(next_try_at=None).update(next_try_at=timezone.now() + TAKEN_FOR)
        params = {**self.notification.error_params, _REACHED: self.reached}
        return bool(self.kept.update(recipients=self.left, error_params=params))


def send_mail(notification: Notification) -> None:
    """Send a notification to everybody who hasn't got it yet, each alone.

    Raises: NotificationError if somebody couldn't be reached; CodedError if the report can't be read
    """
    if _is_stale(notification):
        return
    letters = _letters(notification)
    delivery = _Delivery(
        notification, list(notification.recipients), int(notification.error_params.get(_REACHED, 0))
    )  # fmt: skip
    left, kept = delivery.left, delivery.kept
    connection = get_connection()
    if notification.attempts > 1 and not reaches_people(connection):
        # It lies in the folder already.
        raise NotificationError("mail_without_server", recipients=", ".join(left))
    try:
        with connection:
            if notification.event == Event.DIGEST:
                # From now on until the server has answered nobody knows whether it has it.
                kept.update(begun_at=timezone.now())
            delivery.hand_over(connection, letters)
    except SMTPResponseException as error:
        # It was answered, so there is no doubt.
        delivery.reason = reason_of(error)
    except (SMTPException, OSError) as error:
        if kept.exclude(begun_at=None).exists():
            kept.update(next_try_at=None)
            raise NotificationError("mail_in_doubt", recipients=", ".join(left)) from error
        delivery.reason = reason_of(error)
    kept.update(recipients=left, begun_at=None)
    if not left:
        return
    about = {"recipients": ", ".join(left), _REACHED: delivery.reached}
    if not delivery.reason:
        raise NotificationError("mail_without_server", **about)
    is_told = delivery.reached > 0 and delivery.refused.issuperset(left)
    raise NotificationError(
        "mail_not_sent", reason=delivery.reason[:200], **about, **({IS_TOLD: True} if is_told else {})
    )


def _is_for_good(error: SMTPRecipientsRefused | SMTPDataError) -> bool:
    """Whether a server will not take a mail later either. Source: RFC 5321, 4.2.1"""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _said in error.recipients.values())
    return error.smtp_code >= _PERMANENT


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
    if notification.part:
        about["part"] = notification.part
    if notification.feed is not None:
        about["feed"] = {"id": notification.feed.pk, "name": title_of(notification.feed)}
    if notification.since is not None:
        about["since"] = notification.since.isoformat()
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
                "held_for": [{"code": note.code, "text": reason_text(note)} for note in run.held_notes],
                "error": {"code": run.error_code, "text": _trouble(run)} if run.error_code else None,
                "address": _page_of(run),
            }
    return about


def _letters(notification: Notification) -> dict[str, Letter]:
    """Return what each address is told, in the language and by the clock that its reader has chosen.

    Queries: one more; of a dead part also those of the rights of each reader
    """
    usual = notification.language or (language_of(notification.run) if notification.run else settings_language())
    readers = readers_of(notification.recipients)
    made: dict[tuple[str | None, ZoneInfo, bool], Letter] = {}
    letters = {}
    for address in notification.recipients:
        reader = readers[address.casefold()]
        kind = (reader.language or usual, reader.zone, _sees_addresses(notification, reader))
        letters[address] = made[kind] = made.get(kind) or _letter(notification, *kind)
    return letters


def _sees_addresses(notification: Notification, reader: Reader) -> bool:
    """Whether somebody is told addresses of servers with a part that is dead: those to whom the pages show them."""
    if not (notification.part and notification.fault):
        return True
    return reader.person is not None and may_set_something(reader.person, notification.site)


def _letter(notification: Notification, language: str | None, zone: ZoneInfo, sees_addresses: bool) -> Letter:
    with override(language), timezone.override(zone):
        body = _body(notification, sees_addresses=sees_addresses)
        return Letter(_subject(notification), body, _attachments(notification, language))


def _is_stale(notification: Notification) -> bool:
    """Whether a mail about a dead part, or a late feed, comes too late: it works again, and that is told by the next one."""
    if notification.event not in (Event.DEAD, Event.LATE):
        return False
    later = Notification.objects.filter(
        site=notification.site_id, part=notification.part, feed=notification.feed_id, event=Event.RECOVERED
    )
    return later.filter(pk__gt=notification.pk).exists()


def _body(notification: Notification, *, sees_addresses: bool) -> str:
    lines = _lines(notification, sees_addresses=sees_addresses)
    return str(notification.text.get("body", "")) or "\n".join(lines) + "\n"


def _subject(notification: Notification) -> str:
    if notification.text:
        return f"[ToolSync] {' '.join(notification.text['subject'].split())}"
    about = f"{_headline(notification)} ({notification.run.file_name})" if notification.run else _headline(notification)
    return f"[ToolSync] {' '.join(about.split())}"


def _headline(notification: Notification) -> str:  # noqa: PLR0911 (one for each event)
    if notification.part:
        return _headline_of_part(notification)
    if notification.feed is not None:
        return _headline_of_feed(notification, notification.feed)
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
    text = _("%(file_type)s: works again") if notification.event == Event.RECOVERED else _("%(file_type)s: failed")
    return text % file_type


def _headline_of_feed(notification: Notification, feed: Schedule) -> str:
    text = _("%(feed)s: on time again") if notification.event == Event.RECOVERED else _("%(feed)s: late")
    return text % {"feed": title_of(feed)}


def _headline_of_part(notification: Notification) -> str:
    part = {"part": text_of(f"health_{notification.part}_label")}
    return (_("%(part)s: works again") if notification.event == Event.RECOVERED else _("%(part)s: not at work")) % part


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
        ) % {"count": Quantity(partial)}  # fmt: skip
    return text


def _lines(notification: Notification, *, sees_addresses: bool) -> Iterator[str]:
    yield _headline(notification)
    yield ""
    yield _("Site: %(site)s") % {"site": notification.site.name}
    if notification.since is not None:
        yield from _lines_of_change(notification, notification.since)
    if notification.run is not None:
        yield from _lines_of_run(notification.run)
    if notification.fault:
        code, params = notification.fault
        yield ""
        yield text_of(code, params if sees_addresses else without_addresses(code, params))
    if notification.due_at is not None:
        yield from _lines_of_overdue(notification, notification.due_at)


def _lines_of_change(notification: Notification, since: datetime) -> Iterator[str]:
    """Say since when something is so, and of what works again how long it didn't."""
    if notification.event == Event.RECOVERED:
        times = {"now": _clock(notification.created_at), "since": _clock(since)}
        text = _("It works again since %(now)s. It had failed since %(since)s.")
        if notification.feed_id is not None:
            text = _("It is on time again since %(now)s. It was late since %(since)s.")
        yield text % times
    else:
        yield _("Since: %(since)s") % {"since": _clock(since)}
    if notification.part and (address := page_address(reverse("health"), notification.site.slug)):
        yield _("Health: %(address)s") % {"address": address}
    if notification.feed is not None:
        if notification.fault:
            yield _("File type: %(file_type)s") % {"file_type": file_type_label(notification.processor)}
        if address := page_address(reverse("schedule", args=[notification.feed.pk]), notification.site.slug):
            yield _("The feed: %(address)s") % {"address": address}


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
        yield from (f"- {reason_text(reason)}" for reason in run.held_notes)
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
        for code, params in source.notes:
            yield f"- {text_of(code, params)}"
    if address := page_address(reverse("source", args=[notification.processor]), notification.site.slug):
        yield ""
        yield _("Where it comes from: %(address)s") % {"address": address}


def _attachments(notification: Notification, language: str | None) -> list[Attachment]:
    """Return the report, or those of a digest, in the language of the mail."""
    if not notification.attach_report:
        return []
    wanted = notification.text.get("reports") or ([notification.run_id] if notification.run_id else [])
    reports = RunFile.objects.filter(run__in=wanted, kind=RunFile.Kind.REPORT).select_related("run").order_by("run")
    left, found = _MOST_ATTACHED, []
    for report in reports:
        if report.size <= left and (attached := _attachment(report, language)) is not None:
            found.append(attached)
            left -= report.size
    return found


def _attachment(report: RunFile, language: str | None) -> Attachment | None:
    name = f"{report.name.removesuffix('.txt')}.txt"
    try:
        if language and language != language_of(report.run):
            return name, report_in(report.run, language), "text/plain"
        with storage.opened(report.storage_key) as content:
            return name, content.read().decode(errors="replace"), "text/plain"
    except FileNotFoundError:
        return None


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
