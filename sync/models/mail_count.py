"""How many mails were asked for: counted in the database, which all processes of the web server share."""

from __future__ import annotations

from django.db import models


class MailCount(models.Model):
    """Mails with a link to another password, for one account or from one address.

    Shape: key: digest of what is counted; since: when the counting began, anew after a pause
    """

    key = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"
