"""A bucket in which a file is replaced in one step."""

from __future__ import annotations

from typing import IO

from django.core.files.base import File
from storages.backends.s3 import S3Storage


class ReplacingS3Storage(S3Storage):
    """Puts a new content under a key that is there already, which S3 does whole or not at all."""

    def replace(self, name: str, content: IO[bytes]) -> None:
        """Keep a content under exactly this name."""
        self._save(name, File(content))
