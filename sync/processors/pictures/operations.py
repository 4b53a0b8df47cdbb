"""What is written of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.moodle.db.writer import Writer
from sync.moodle.users.pictures import ChecksumRow, NewPicture, write_checksums, write_pictures
from sync.processors.base.operations import Applied, Operation


@dataclass
class SetPictures(Operation):
    """Set pictures of users whose contents are in Moodle's pool already, and keep the checksums of what was sent.

    Shape: fieldid: profile field of the checksums, None = there is none; checksums: the rows that are there, by user
    """

    pictures: Sequence[NewPicture]
    fieldid: int | None
    checksums: Mapping[int, ChecksumRow]

    def __bool__(self) -> bool:
        return bool(self.pictures)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += write_pictures(writer, self.pictures, now=applied.now)
        if self.fieldid is not None:
            md5s = {picture.userid: picture.md5 for picture in self.pictures}
            write_checksums(writer, self.fieldid, md5s, self.checksums)
