"""What the API keeps between requests: answers, so that the same request twice is done once, and uploads in pieces."""

from __future__ import annotations

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a request with an idempotency key.

    Shape: digest: of the request; claim: of who carries it out; claimed_at: since when; status: 0 = it is being carried out
    """

    token = models.ForeignKey("sync.ApiToken", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    claim = models.CharField(max_length=32)
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    location = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("token", "key"), name="one_answer_per_key"),)

    def __str__(self) -> str:
        return f"{self.token_id}: {self.status}"


class ChunkedUpload(models.Model):
    """A file that arrives piece by piece.

    Shape: processor: key of the file type it is for, "" = it goes into the folder; offset: bytes that have arrived; parts:
    storage keys of the pieces, in order; sha256: that of the whole, "" = not said; file: what became of it
    Units: size: bytes
    """

    site = models.ForeignKey("sync.MoodleSite", on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey("sync.ApiToken", null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=255)
    folder = models.CharField(max_length=255, blank=True, default="")
    processor = models.CharField(max_length=40, blank=True, default="")
    replace = models.BooleanField(default=False)
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    parts = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    file = models.ForeignKey("sync.CommandFile", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.offset}/{self.size}"

    @property
    def is_whole(self) -> bool:
        """Whether all of it has arrived, and nothing was made of it yet."""
        return self.file_id is None and self.offset == self.size
