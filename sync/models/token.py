"""Tokens: with what programs prove to the API in whose name they ask, and the machine users that only programs use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from sync.models.site import MoodleSite


class Scope(models.TextChoices):
    """What a token lets somebody do of all that they may do."""

    READ = "read", _("Read")
    PLAN = "plan", _("Plan")
    APPLY = "apply", _("Apply")
    APPROVE = "approve", _("Approve")
    MANAGE = "manage", _("Manage")


class ApiToken(models.Model):
    """A token of one person, for one site or several. It never lets anybody do more than that person may do at that moment.

    Shape: site: where it was made; further_sites: beside that one; beginning: of the secret, to tell tokens apart; digest: of the
    secret (SHA-256), which is kept nowhere; scopes: of `Scope`; file_types: keys of the registry, [] = all of them;
    created_by_name, revoked_by_name: kept when a user is deleted; minute: since 1970, in which `requests` were counted
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    further_sites = models.ManyToManyField(
        "sync.MoodleSite", verbose_name=_("further sites"), blank=True, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    beginning = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    file_types = models.JSONField(_("file types"), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires on"))
    last_used_at = models.DateTimeField(_("last used on"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked on"), null=True, blank=True)
    revoked_by_name = models.CharField(max_length=150, blank=True, default="")
    minute = models.BigIntegerField(default=0, editable=False)
    requests = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ("-id",)
        permissions = (("manage_tokens", _("Can see and revoke all tokens, and make machine users")),)

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"

    @property
    def sites(self) -> list[MoodleSite]:
        """The sites that it is for. Queries: one, unless the further ones were fetched"""
        return [self.site, *self.further_sites.all()]

    @property
    def is_over(self) -> bool:
        """Whether it is too old."""
        return self.expires_at <= timezone.now()

    @property
    def is_live(self) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and not self.is_over

    @property
    def scope_labels(self) -> list[str]:
        return [str(scope.label) for scope in Scope if scope in self.scopes]


class Machine(models.Model):
    """A user that is no person: nobody logs in as it, programs use its tokens.

    Shape: made_by_name: kept when a user is deleted
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), primary_key=True, on_delete=models.CASCADE,
        related_name="machine",
    )  # fmt: skip
    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)

    class Meta:
        verbose_name = _("machine user")
        verbose_name_plural = _("machine users")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} ({self.site_id})"
