"""Who is told what became of runs and feeds, what is still to be told, what was told, and how many mails were asked for."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    """What people are told of."""

    SUCCESS = "success", _("Success")
    REJECTIONS = "rejections", _("Rejected rows")
    FAILURE = "failure", _("Failure")
    OVERDUE = "overdue", _("File overdue")
    HELD = "held", _("Run held")
    RECOVERED = "recovered", _("Works again")
    LATE = "late", _("Feed late")
    DEAD = "dead", _("Part not at work")
    DIGEST = "digest", _("Digest")


# Of what people are named for, by file type; of the others those hear who hear of failures, and those of a feed.
CHOSEN_EVENTS = (Event.SUCCESS, Event.REJECTIONS, Event.FAILURE, Event.OVERDUE, Event.HELD)


class NotificationRule(models.Model):
    """Who gets mails about one file type of one site, and by when its file is expected.

    Shape: processor: "" = every file type that has no rule of its own; recipients: event -> mail addresses; language: of the
    mails; expected_at: by the clock of the site, None = no time is set; due_at: the next moment at which a look is taken
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40, blank=True, default="")
    recipients = models.JSONField(_("recipients"), default=dict, blank=True)
    attach_report = models.BooleanField(_("attach the report"), default=False)
    language = models.CharField(_("language"), max_length=20, blank=True, default="")
    expected_at = models.TimeField(_("expected by"), null=True, blank=True)
    weekdays_only = models.BooleanField(_("Monday to Friday only"), default=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("notification rule")
        verbose_name_plural = _("notification rules")
        constraints = (models.UniqueConstraint(fields=("site", "processor"), name="one_telling_rule_per_processor"),)
        permissions = (("manage_telling", _("Can set who is told about runs")),)

    def __str__(self) -> str:
        return f"{self.processor or '*'} ({self.site})"


class Webhook(models.Model):
    """The program that is told about the runs of a site.

    Shape: host: all that is shown of the address; events: those that it is told of; secret: address and key, encrypted, see
    sync/notifications/webhooks.py
    """

    site = models.OneToOneField("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    host = models.CharField(_("server"), max_length=300)
    events = models.JSONField(_("events"), default=list, blank=True)
    secret = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.host


class Notification(models.Model):
    """Something that is to be told, or was, by mail or to the webhook.

    Shape: recipients: mail addresses that it has still to be sent to; language: of the mail; due_at: of an overdue file;
    fault: code and parameters of what kept a file type of a sequence from beginning, or of what is dead;
    feed: that is late or on time again; part: of ToolSync, key of sync/health/records.py, that is dead or works again;
    since: of which moment it is told;
    text: of a digest, {"subject", "body", "reports": [run]}; begun_at: when a digest was about to be handed over, None = it is
    known whether it was; next_try_at: None when nothing more is tried;
    error_code and error_params: of the last try, as sync.messages knows them
    """

    class Channel(models.TextChoices):
        MAIL = "mail", _("Mail")
        WEBHOOK = "webhook", _("Webhook")

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40)
    event = models.CharField(_("event"), max_length=10, choices=Event)
    run = models.ForeignKey(
        "sync.SyncRun", verbose_name=_("run"), null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    feed = models.ForeignKey(
        "sync.Schedule", verbose_name=_("feed"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    due_at = models.DateTimeField(_("expected by"), null=True, blank=True)
    fault = models.JSONField(default=list, blank=True)
    part = models.CharField(max_length=20, blank=True, default="")
    since = models.DateTimeField(null=True, blank=True)
    text = models.JSONField(default=dict, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    channel = models.CharField(_("way"), max_length=10, choices=Channel)
    recipients = models.JSONField(_("recipients"), default=list, blank=True)
    attach_report = models.BooleanField(default=False)
    language = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True, db_index=True)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_params = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.pk} {self.channel} {self.event} {self.processor}"


class NotifiedFailure(models.Model):
    """A failure of a feed that people were told of; gone once they were told that it works again.

    Shape: processor: "" = the feed as a whole, that it is late (sync/overview/late_feeds.py); code: of the failure, as
    sync.messages knows it; has_run: whether a run failed, not the way to its file
    """

    schedule = models.ForeignKey("sync.Schedule", on_delete=models.CASCADE, related_name="notified_failures")
    processor = models.CharField(max_length=40)
    code = models.CharField(max_length=80)
    has_run = models.BooleanField(default=False)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("schedule", "processor"), name="one_notified_failure_per_part"),)

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.processor}: {self.code}"


class DigestEntry(models.Model):
    """A start of a feed that one address is still to be told of, or was, in a digest.

    Shape: is_over: the start, else it waited for a person; due_at: from when on a digest says so; notification: the digest,
    None = not yet
    """

    address = models.CharField(max_length=254)
    sequence_run = models.ForeignKey("sync.SequenceRun", on_delete=models.CASCADE, related_name="+")
    is_over = models.BooleanField(default=True)
    attach_report = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    notification = models.ForeignKey(
        Notification, null=True, blank=True, on_delete=models.CASCADE, related_name="entries"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("address", "sequence_run", "is_over"), name="one_entry_per_reader"),
        )
        indexes = (models.Index(fields=("notification", "due_at"), name="entry_by_digest"),)

    def __str__(self) -> str:
        return f"{self.address}: {self.sequence_run_id}"


class MailCount(models.Model):
    """Mails with a link to another password, for one user or from one address.

    Counted in the database, which all processes of the web server share.

    Shape: key: digest of what is counted; since: when the counting began, anew after a pause
    """

    key = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"
