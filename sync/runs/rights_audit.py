"""Changes of rights in the audit: users of ToolSync, their roles, groups and permissions.

These are Django's own tables: its admin pages, its commands and a shell change them, none of which asks a service of ours.
Signals are therefore the only way that misses none of them. Who did it is told by `acting`, for the length of a request.

Every command and worker connects them at its start, and few change a right: what writes the audit is loaded by the first change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from sync.models import AuditKind, MoodleSite, RoleAssignment
from sync.models.site import MAIN_SITE
from sync.runs.rights import OPERATOR, Responsible

_USER_FIELDS = ("username", "email", "is_active", "is_staff", "is_superuser")
_GROUP_FIELDS = ("name",)
_ROLE_FIELDS = ("role", "file_types")
# What somebody logs in with beside the password. Shape: model -> what is shown of it
_WAYS_TO_LOG_IN: dict[Any, tuple[str, ...]] = {Authenticator: ("type",), SocialAccount: ("provider",)}
# Django asks before it clears, when it is known what goes, and after it adds.
_ADDED, _REMOVED, _CLEARED = "post_add", "post_remove", "pre_clear"

_person: ContextVar[Any] = ContextVar("person", default=None)


@contextmanager
def acting(user: Any) -> Iterator[None]:
    """Take this user for the one who changes rights. Shape: user: may be lazy, it is asked only when something changes"""
    token = _person.set(user)
    try:
        yield
    finally:
        _person.reset(token)


def connect() -> None:
    """Hear of every change of rights from now on."""
    for model in (User, Group, RoleAssignment, Authenticator, SocialAccount):
        name = f"toolsync_audit_{model.__name__}"
        pre_save.connect(_before_save, sender=model, dispatch_uid=name)
        post_save.connect(_after_save, sender=model, dispatch_uid=name)
        pre_delete.connect(_before_delete, sender=model, dispatch_uid=name)
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_of_many, sender=through, dispatch_uid=f"toolsync_audit_{through.__name__}")


def _before_save(sender: Any, instance: Any, raw: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    fields = _fields_of(sender)
    if raw or (update_fields is not None and not set(fields).intersection(update_fields)):
        return
    stored = sender.objects.filter(pk=instance.pk).first() if instance.pk else None
    instance.audited_before = (_state(stored, fields),)


def _after_save(sender: Any, instance: Any, **_: Any) -> None:
    # None where the save is none of rights: that of a login, say.
    before = instance.__dict__.pop("audited_before", None)
    if before is not None:
        _record(instance, before[0], _state(instance, _fields_of(sender)))


def _before_delete(sender: Any, instance: Any, **_: Any) -> None:
    _record(instance, _state(instance, _fields_of(sender)), None)


def _of_many(
    sender: Any,
    *,
    instance: Any,
    action: str,
    reverse: bool,
    model: Any,
    pk_set: set[int] | None,
    **_: Any,
) -> None:
    if action not in (_ADDED, _REMOVED, _CLEARED):
        return
    ids: Collection[int] = pk_set or ()
    if action == _CLEARED:
        pairs = sender.objects.filter(**{type(instance).__name__.lower(): instance.pk})
        ids = list(pairs.values_list(f"{model.__name__.lower()}_id", flat=True))
    for other in model.objects.filter(pk__in=ids):
        owner, held = (other, instance) if reverse else (instance, other)
        what = "groups" if isinstance(held, Group) else "permissions"
        with_it, without = {what: _name_of(held)}, {what: ""}
        before, after = (without, with_it) if action == _ADDED else (with_it, without)
        _record(owner, before, after)


def _fields_of(model: Any) -> tuple[str, ...]:
    return {User: _USER_FIELDS, Group: _GROUP_FIELDS, RoleAssignment: _ROLE_FIELDS, **_WAYS_TO_LOG_IN}[model]


def _state(stored: Any, names: Collection[str]) -> dict[str, Any] | None:
    from sync.audit.services import fields_of

    return fields_of(stored, names)


def _name_of(held: Any) -> str:
    return f"{held.content_type.app_label}.{held.codename}" if isinstance(held, Permission) else str(held)


def _record(of: Any, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    from sync.audit.services import record_saved

    site = of.site if isinstance(of, RoleAssignment) else MoodleSite.objects.filter(slug=MAIN_SITE).first()
    subject, code = str(of), ""
    if isinstance(of, RoleAssignment):
        subject, code = str(of.person), "role"
    elif type(of) in _WAYS_TO_LOG_IN:
        subject, code = str(of.user), "login"
    user = _person.get()
    person = Responsible.of(user) if user is not None and user.is_authenticated else OPERATOR
    if site is not None:
        with transaction.atomic():
            record_saved(site, AuditKind.RIGHTS, person, subject, before=before, after=after, code=code)
