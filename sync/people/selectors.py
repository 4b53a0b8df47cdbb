"""People and invitations as pages show them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from sync.models import Invitation, MoodleSite, RoleAssignment

User = get_user_model()


def people(text: str = "") -> QuerySet[Any]:
    """Return the users of ToolSync by name, with their roles. Shape: text: part of a name or an address; "" = everybody

    Each has `has_direct`: whether permissions were given to them one by one or by a group.
    Queries: two
    """
    users = User.objects.annotate(
        has_direct=Exists(User.user_permissions.through.objects.filter(user=OuterRef("pk")))
        | Exists(User.groups.through.objects.filter(user=OuterRef("pk")))
    )
    for word in text.split():
        users = users.filter(
            Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
            | Q(email__icontains=word)
        )  # fmt: skip
    roles = RoleAssignment.objects.select_related("site")
    return users.order_by("username").prefetch_related(Prefetch("role_assignments", queryset=roles))


def direct_permissions(person: Any) -> list[str]:
    """Return the permissions that somebody was given one by one and by groups, in the words of Django's pages. Queries: one"""
    given = Permission.objects.filter(Q(user=person) | Q(group__user=person)).distinct()
    return sorted(given.values_list("name", flat=True))


def open_invitations(site: MoodleSite) -> QuerySet[Invitation]:
    """Return the invitations to a site that nobody has accepted yet, the newest first."""
    return Invitation.objects.filter(site=site).select_related("site", "invited_by")
