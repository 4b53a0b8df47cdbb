"""Invitations by mail: a link that works once and for some days; whoever follows it becomes a user with a role.

A worker makes the secret of the link and sends it: no message of the broker and no table holds it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override

from sync.audit.services import record_saved
from sync.errors import PeopleRefused
from sync.models import AuditKind, Invitation, MoodleSite, RoleAssignment
from sync.people.rights import may_give
from sync.people.services import check_role, in_order
from sync.runs.rights import Responsible
from sync.runs.rights_audit import acting
from sync.task_queue import QueueUnavailable, send_task

INVITATION_TASK = "sync.send_invitation"
LIFETIME = timedelta(days=7)
# So long one that nobody accepted stays in the list, to be sent again.
_LISTED = timedelta(days=60)
_SECRET_BYTES = 32

User = get_user_model()
logger = logging.getLogger(__name__)


class Link(NamedTuple):
    """What the link of a mail begins with, and the language of the mail. Shape: host: with its port, if any"""

    host: str
    is_secure: bool
    language: str


def invite(by: Any, site: MoodleSite, email: str, *, role: str, file_types: Collection[str], link: Link) -> Invitation:
    """Invite somebody who is no user yet; `send` mails the link. Raises: PeopleRefused"""
    check_role(by, site, role, file_types)
    if (known := User.objects.filter(Q(email__iexact=email) | Q(username__iexact=email)).first()) is not None:
        raise PeopleRefused("person_known", email=email, name=known.get_username())
    if Invitation.objects.filter(email__iexact=email).exists():
        raise PeopleRefused("invited_before", email=email)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            site=site, email=email, role=role, file_types=in_order(file_types), invited_by=by, **link._asdict()
        )
        _record(invitation, by, before=None, after=_facts(invitation))
    return invitation


def send(invitation: Invitation) -> bool:
    """Have the workers mail a new link; one that was mailed before is void from now on. Returns whether that was possible."""
    if not invitation.host:
        return False
    Invitation.objects.filter(pk=invitation.pk).update(digest="", sent_at=None, expires_at=None)
    try:
        send_task(INVITATION_TASK, invitation.pk, expires=LIFETIME.total_seconds())
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; invitation %s was not sent", invitation.pk)
        return False
    return True


def send_again(by: Any, invitation: Invitation, link: Link) -> bool:
    """Mail a new link in the name of whoever asks for it. Raises: PeopleRefused"""
    check_role(by, invitation.site, invitation.role, invitation.file_types)
    with transaction.atomic():
        before = _facts(invitation)
        invitation.invited_by = by
        invitation.host, invitation.is_secure, invitation.language = link
        invitation.save(update_fields=["invited_by", *Link._fields])
        _record(invitation, by, before=before, after=_facts(invitation))
    return send(invitation)


def withdraw(by: Any, invitation: Invitation) -> None:
    """Take an invitation back: its link is void. Raises: PeopleRefused"""
    check_role(by, invitation.site, invitation.role, invitation.file_types)
    with transaction.atomic():
        _record(invitation, by, before=_facts(invitation), after=None)
        invitation.delete()


def send_invitation(invitation_id: int) -> None:
    """Make the secret of an invitation and mail the link, unless that was done already."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    now = timezone.now()
    waiting = Invitation.objects.filter(pk=invitation_id, digest="")
    if not waiting.update(digest=_digest(secret), expires_at=now + LIFETIME):
        return
    invitation = Invitation.objects.select_related("site", "invited_by").get(pk=invitation_id)
    try:
        _mail(invitation, secret)
    except OSError as error:
        # The mail server's words may quote the mail.
        logger.warning("invitation %s was not sent: %s", invitation_id, type(error).__name__)
        Invitation.objects.filter(pk=invitation_id).update(digest="", expires_at=None)
    else:
        Invitation.objects.filter(pk=invitation_id).update(sent_at=now)


def find_invitation(secret: str) -> Invitation:
    """Return the invitation of a link. Raises: PeopleRefused if it was used, is too old, or there is none"""
    invitations = Invitation.objects.select_related("site", "invited_by")
    found = invitations.filter(digest=_digest(secret), expires_at__gt=timezone.now()).first()
    if found is None:
        raise PeopleRefused("invitation_over")
    return found


def accept(secret: str, *, username: str, first_name: str, last_name: str, password: str) -> Any:
    """Make the user who was invited, and give the role in the name of who invited; that person's right is asked for again.

    Raises: PeopleRefused, also when somebody else was faster with the same link
    """
    invitation = find_invitation(secret)
    by = invitation.invited_by
    if not may_give(by, invitation.site, invitation.role, invitation.file_types):
        raise PeopleRefused("invitation_without_right", name=by.get_username())
    with transaction.atomic(), acting(by):
        if not Invitation.objects.filter(pk=invitation.pk, digest=invitation.digest).delete()[0]:
            raise PeopleRefused("invitation_over")
        names = {"first_name": first_name, "last_name": last_name}
        person = User.objects.create_user(username, invitation.email, password, **names)
        RoleAssignment.objects.create(
            person=person, site=invitation.site, role=invitation.role, file_types=invitation.file_types
        )
    return person


def forget_invitations() -> None:
    """Delete the invitations that nobody accepted for a long time. Queries: one"""
    Invitation.objects.filter(created_at__lte=timezone.now() - _LISTED).delete()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _mail(invitation: Invitation, secret: str) -> None:
    path = reverse("invitation", args=[secret])
    address = f"{'https' if invitation.is_secure else 'http'}://{invitation.host}{path}"
    with override(invitation.language):
        context = {"invitation": invitation, "address": address, "days": LIFETIME.days}
        text = render_to_string("registration/invitation_mail.txt", context).strip() + "\n"
        send_mail(gettext("Invitation to ToolSync"), text, None, [invitation.email])


def _facts(invitation: Invitation) -> dict[str, Any]:
    return {
        "role": invitation.role,
        "file_types": invitation.file_types,
        "invited_by": invitation.invited_by.get_username(),
    }


def _record(invitation: Invitation, by: Any, *, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    person = Responsible.of(by)
    record_saved(
        invitation.site, AuditKind.RIGHTS, person, invitation.email, before=before, after=after, code="invitation"
    )
