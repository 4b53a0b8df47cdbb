"""What is known of the pictures of a chunk, and what is to be done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.moodle.db.writer import Writer
from sync.moodle.users.image_resizer import SIDES, ResizeResult
from sync.moodle.users.pictures import ChecksumRow, NewPicture, PictureFile, write_checksums, write_pictures
from sync.processors.base.operations import Applied, Operation, Touched
from sync.processors.base.plan import Plan
from sync.processors.base.totals import UPDATED, Totals, total
from sync.reader.picture_zip import PictureRefused


class PictureOwner(NamedTuple):
    """A user. Shape: picture: user.picture, 0 = none."""

    id: int
    username: str
    picture: int


@dataclass
class PicturesState:
    """Shape: owners: identifier -> users; icons: userid -> file name -> (id, contenthash); the others: by line"""

    now: int
    owners: Mapping[str, list[PictureOwner]]
    icons: Mapping[int, Mapping[str, tuple[int, str]]]
    checksums: Mapping[int, ChecksumRow]
    superseded: set[int] = field(default_factory=set)
    refused: dict[int, PictureRefused] = field(default_factory=dict)
    md5s: dict[int, str] = field(default_factory=dict)
    resized: dict[int, ResizeResult] = field(default_factory=dict)

    def has_same(self, owner: PictureOwner, md5: str) -> bool:
        """Whether the picture that the user shows was made of the same bytes."""
        checksum = self.checksums.get(owner.id)
        return checksum is not None and checksum.data == md5 and bool(owner.picture and self.icons.get(owner.id))

    def shows(self, owner: PictureOwner, files: tuple[PictureFile, ...]) -> bool:
        """Whether the user shows these very files."""
        icon = self.icons.get(owner.id, {})
        is_shown = owner.picture == icon.get(files[0].name, (0, ""))[0]
        return is_shown and {file.name: file.contenthash for file in files} == {
            name: contenthash for name, (_id, contenthash) in icon.items()
        }


@dataclass(frozen=True)
class SetPictures(Operation):
    """Set pictures of users whose contents are in Moodle's pool already, and keep the checksums of what was sent.

    Expects: users who show the picture that `NewPicture` has, and the checksums as they were.
    Shape: pictures: by the line that asks for it; fieldid: profile field of the checksums, None = there is none; checksums: the
    rows that are there, by user
    """

    pictures: Mapping[int, NewPicture]
    fieldid: int | None
    checksums: Mapping[int, ChecksumRow]

    def __bool__(self) -> bool:
        return bool(self.pictures)

    @property
    def lines(self) -> Collection[int]:
        return self.pictures.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        pictures = [*self.pictures.values()]
        applied.files += write_pictures(writer, pictures, now=applied.now)
        if self.fieldid is not None:
            md5s = {picture.userid: picture.md5 for picture in pictures}
            write_checksums(writer, self.fieldid, md5s, self.checksums)

    def totals(self) -> Totals:
        return total("pictures", UPDATED, len(self.pictures))

    def touched(self) -> Iterator[Touched]:
        return (Touched(line, "user", str(picture.userid)) for line, picture in self.pictures.items())


class PicturesPlan(Plan):
    """Shape: pictures: to be set, by line; contents: contenthash -> bytes; fieldid, checksums: see `SetPictures`"""

    def __init__(self, now: int, fieldid: int | None) -> None:
        super().__init__(now)
        self.pictures: dict[int, NewPicture] = {}
        self.contents: dict[str, bytes] = {}
        self.checksums: Mapping[int, ChecksumRow] = {}
        self.fieldid = fieldid

    def operations(self) -> list[Operation]:
        return [SetPictures(self.pictures, self.fieldid, self.checksums)]


def picture_files(resized: ResizeResult) -> tuple[PictureFile, ...]:
    """Return the files that Moodle keeps of a picture."""
    return tuple(
        PictureFile(f"{name}.{resized.extension}", hashlib.sha1(content, usedforsecurity=False).hexdigest(), len(content))
        for name, content in zip(SIDES, resized.contents, strict=True)
    )  # fmt: skip
