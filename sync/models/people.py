"""Who has which role on which site, who was invited, and how somebody reads their mails."""

from __future__ import annotations

from datetime import time

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody may do, each with what the ones before it may do (sync/people/roles.py)."""

    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    APPROVER = "approver", _("Approver")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")


class GivenRole(models.Model):
    """A role on one site. Shape: file_types: keys of the registry, [] = all of them, those of later versions too"""

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    file_types = models.JSONField(_("file types"), default=list, blank=True)

    class Meta:
        abstract = True

    def covers(self, processor: str) -> bool:
        """Whether the role is for a file type."""
        return not self.file_types or processor in self.file_types


class RoleAssignment(GivenRole):
    """The role of one person on one site."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="role_assignments"
    )

    class Meta:
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of people")
        ordering = ("site", "id")
        constraints = (models.UniqueConstraint(fields=("person", "site", "role"), name="one_assignment_per_role"),)
        permissions = (("manage_people", _("Can invite people and give roles")),)

    def __str__(self) -> str:
        return f"{self.person_id}: {self.role} ({self.site_id})"


class Invitation(GivenRole):
    """An invitation by mail, until somebody has accepted it.

    Shape: digest: of the secret in the link (SHA-256), "" = no mail was sent; expires_at: of that link; invited_by: in whose name
    the role will be given; language: of the mail; host, is_secure: what the link begins with
    """

    email = models.EmailField(_("mail address"))
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("invited by"), on_delete=models.CASCADE, related_name="+"
    )
    language = models.CharField(max_length=20)
    host = models.CharField(max_length=300)
    is_secure = models.BooleanField(default=True)
    digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires on"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.email

    @property
    def is_over(self) -> bool:
        """Whether the link is too old."""
        return self.expires_at is not None and self.expires_at <= timezone.now()


class MailPreferences(models.Model):
    """How somebody reads the digests of feeds.

    Shape: language: "" = that of the site; zone: name of a time zone, "" = that of the site; digest_at: by the clock of the zone
    """

    # Before the first lesson, after the last feed of the night.
    USUAL_TIME = time(7)

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_preferences")
    language = models.CharField(_("language"), max_length=20, blank=True, default="")
    zone = models.CharField(_("time zone"), max_length=60, blank=True, default="")
    digest_at = models.TimeField(_("time of the digest"), default=USUAL_TIME)

    class Meta:
        verbose_name = _("preferences about mails")
        verbose_name_plural = _("preferences about mails")

    def __str__(self) -> str:
        return f"{self.person_id}: {self.language} {self.zone} {self.digest_at}"
