"""Sessions: where somebody is logged in, and ending them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone


def sessions_of(user: Any) -> list[Any]:
    """Return the sessions in which somebody is logged in, the newest first. Queries: two"""
    known = list(UserSession.objects.filter(user=user.pk).order_by("-created_at", "-pk"))
    live = Session.objects.filter(session_key__in=[one.session_key for one in known], expire_date__gt=timezone.now())
    keys = set(live.values_list("session_key", flat=True))
    return [one for one in known if one.session_key in keys]


def end_sessions(sessions: Iterable[Any]) -> int:
    """Log the browsers out that have these sessions; return how many. Queries: two"""
    ended = list(sessions)
    with transaction.atomic():
        Session.objects.filter(session_key__in=[one.session_key for one in ended]).delete()
        UserSession.objects.filter(pk__in=[one.pk for one in ended]).delete()
    return len(ended)


def forget_sessions() -> None:
    """Delete what is known of sessions that are over. Queries: two"""
    Session.objects.filter(expire_date__lte=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
