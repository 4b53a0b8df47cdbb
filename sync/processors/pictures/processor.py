"""`userpictures`: the pictures of users, from zips."""

from __future__ import annotations

import hashlib
import io
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import text
from sync.columns.column import RequiredColumn
from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice, Flag, Text
from sync.errors import MoodleError
from sync.moodle.files.file_pool import file_pool_of
from sync.moodle.users.image_resizer import ImageResizerPool, ResizeResult
from sync.moodle.users.pictures import (
    NewPicture,
    fetch_checksum_fieldid,
    fetch_checksums,
    fetch_icons,
    fetch_referred_hashes,
)
from sync.moodle.users.users import SiteRules
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.context import Collected
from sync.processors.base.processor import Processor
from sync.processors.pictures.owners import HOSTED, fetch_owners, identifier_fold, identifier_of
from sync.processors.pictures.plan import PictureOwner, PicturesPlan, PicturesState, picture_files
from sync.reader.picture_zip import PictureRefused, PictureZip
from sync.values import Action, Note, Outcome


@dataclass
class PicturesCollected(Collected):
    """Shape: stored: hashes of contents in the pool whose rows aren't committed; is_usable: line -> whether it can be read"""

    stored: set[str] = field(default_factory=set)
    is_usable: dict[int, bool] = field(default_factory=dict)


class UserPicturesOptions(GeneralOptions):
    userfield = Choice(
        default="username",
        aliases=("userpictures_userfield",),
        choices={
            "username": "username",
            "idnumber": "idnumber",
            "email": "email",
            "id": "id",
            HOSTED: _("username@number of the MNet host"),
        },
        label=_("Pictures are named by"),
        help=_("What the name of a picture says about the user."),
    )
    overwrite = Flag(
        default=True,
        aliases=("userpictures_overwrite",),
        label=_("Replace pictures"),
        help=_("Users who have a picture get the new one; otherwise they are passed over."),
    )
    checksum = Flag(
        default=True,
        label=_("Remember checksums"),
        help=_(
            "Keep the MD5 of each picture in the profile field “userpicturehash”, where Moodle has it: the same "
            "picture is then not made again."
        ),
    )
    fileprefix = Text(
        default="userpictures_",
        aliases=("userpictures_fileprefix",),
        label=_("Names begin with"),
        help=_("Zips of the file area whose names begin like this are taken, whatever their folder. Empty: all zips."),
    )
    forcedeletion = Flag(
        default=True,
        aliases=("userpictures_forcedeletion",),
        group="after",
        label=_("Delete the zip afterwards"),
        help=_("Remove the zip once the run is over, even where other files are kept."),
    )

    @property
    def deletes_file(self) -> bool:
        # The zips of pictures go by themselves, unless somebody wants them kept.
        return self.filecleanup or self.forcedeletion


class PictureCells(Cells, of_pictures=True):
    """A picture of a zip."""

    # fmt: off
    __slots__ = ()

    picture = RequiredColumn(text(None), refers=True, names=False, sample="ada.lovelace.jpg",
                             help=_("The name of the file without its extension tells the user. Folders don't matter."))


class UserPictures(Processor[PictureCells, PicturesState, PicturesPlan]):
    """Set the pictures of users: one row is one picture of a zip, named after its user. Spec: userpictures.md.

    Contents are stored in Moodle's pool before the rows (`prepare`); what got no rows is taken away again (`close`).
    """

    key = "userpictures"
    label = _("Users: pictures")
    summary = _("Give users the pictures of a zip; each picture is named after its user, like ada.lovelace.jpg.")
    default_filename = "userpictures_all.zip"
    after = ("users", "users_delete", "users_restore")
    options = UserPicturesOptions
    # About a second of work, and the resized pictures are in memory.
    rows_per_chunk = 100
    collected_type = PicturesCollected

    @property
    def pictures(self) -> PictureZip:
        """The zip that is carried out."""
        return cast(PictureZip, self.context.pictures)

    def setup(self, names: Sequence[str]) -> None:
        # Before anything is read: these are closed whatever happens.
        self.resizers = ImageResizerPool()
        self._written: set[str] = set()
        pool = file_pool_of(self.moodle.database.settings)
        if pool is None:
            raise MoodleError("pictures_without_data_folder")
        self.pool = pool
        self.userfield = self.option_values.userfield
        self.rules = SiteRules(self.moodle)
        self.rules.read_protected()
        self.hostid = self.rules.mnethostid
        self.fieldid = fetch_checksum_fieldid(self.moodle) if self.option_values.checksum else None
        self.fold = identifier_fold(self.moodle, self.userfield)
        self.lines: dict[str, list[int]] = {}
        for line, path in self.pictures.paths.items():
            self.lines.setdefault(self.fold(identifier_of(path)), []).append(line)
        if self.pictures.passed_over:
            self.file_notes.append(Note("pictures_passed_over", {"count": self.pictures.passed_over}))

    def fetch(self, rows: Sequence[PictureCells]) -> PicturesState:
        identifiers = {identifier_of(row.picture) for row in rows}
        owners = fetch_owners(self.moodle, self.overlay, self.userfield, self.hostid, identifiers)
        userids = {owner.id for found in owners.values() for owner in found}
        state = PicturesState(
            now=int(time.time()),
            owners=owners,
            icons=fetch_icons(self.moodle, userids),
            checksums={} if self.fieldid is None else fetch_checksums(self.moodle, self.fieldid, userids),
        )
        # Nothing of Moodle's is held while pictures are resized.
        self.moodle.release()
        lines: deque[int] = deque()
        for resized in self.resizers.resize_many(self._originals(rows, state, lines)):
            state.resized[lines.popleft()] = resized
        return state

    def plan(self, rows: Sequence[PictureCells], state: PicturesState) -> PicturesPlan:
        plan = PicturesPlan(state.now, self.fieldid)
        plan.checksums = state.checksums
        plan.outcomes = [self._plan_row(row, plan, state) for row in rows]
        return plan

    def prepare(self, plan: PicturesPlan) -> None:
        self.pool.store(io.BytesIO())
        for content in plan.contents.values():
            contenthash, is_new = self.pool.store(io.BytesIO(content))
            if is_new:
                self._without_rows.add(contenthash)
        self._written = set(plan.contents)

    def after_commit(self, owed: AfterCommit) -> None:
        # After a lost connection nothing is known here, and Moodle is asked when the processor is closed.
        self._without_rows.difference_update(self._written)
        super().after_commit(owed)

    def close(self) -> None:
        self.resizers.close()
        # When Moodle is away, nobody knows whether the rows are there: the next connection sees to it.
        with suppress(MoodleError):
            referred = fetch_referred_hashes(self.moodle, self._without_rows) if self._without_rows else set()
            for contenthash in self._without_rows - referred:
                self.pool.trash(contenthash)
            self._without_rows.clear()

    @property
    def _without_rows(self) -> set[str]:
        """The contents that this run has stored, and whose rows aren't committed."""
        return self.collected.stored

    def _originals(self, rows: Sequence[PictureCells], state: PicturesState, lines: deque[int]) -> Iterator[bytes]:
        """Return the pictures of a chunk that are to be resized, and note their lines in `lines`."""
        for row in rows:
            owner = self._owner(row, state)
            if not isinstance(owner, PictureOwner) or self._is_kept(owner):
                continue
            if self._is_superseded(row):
                state.superseded.add(row.line)
                continue
            try:
                original = self.pictures.content_of(row.line)
            except PictureRefused as refused:
                state.refused[row.line] = refused
                continue
            state.md5s[row.line] = md5 = hashlib.md5(original, usedforsecurity=False).hexdigest()
            if not state.has_same(owner, md5):
                lines.append(row.line)
                yield original

    def _owner(self, row: PictureCells, state: PicturesState) -> PictureOwner | Outcome:
        """Return the user of a row, or why there is none."""
        path = row.picture
        value = identifier_of(path)
        found = state.owners.get(value, [])
        if len(found) == 1:
            return found[0]
        if found:
            return _rejected(row, "picture_ambiguous", identity=self.userfield, value=value, count=len(found))
        if not value:
            return _rejected(row, "picture_without_name", identity=self.userfield)
        if self.userfield == HOSTED and "@" not in value:
            return _rejected(row, "picture_without_host", value=value)
        return _rejected(row, "picture_owner_unknown", identity=self.userfield, value=value)

    def _is_kept(self, owner: PictureOwner) -> bool:
        return bool(owner.picture) and not self.option_values.overwrite

    def _is_superseded(self, row: PictureCells) -> bool:
        """Whether a later picture of the zip is for the same user, one that can be read."""
        lines = self.lines[self.fold(identifier_of(row.picture))]
        return any(self._is_usable(line) for line in reversed(lines) if line > row.line)

    def _is_usable(self, line: int) -> bool:
        known = self.collected.is_usable
        if line not in known:
            try:
                (resized,) = self.resizers.resize_many([self.pictures.content_of(line)])
                known[line] = not resized.code
            except PictureRefused:
                known[line] = False
        return known[line]

    def _plan_row(self, row: PictureCells, plan: PicturesPlan, state: PicturesState) -> Outcome:
        owner = self._owner(row, state)
        if isinstance(owner, Outcome):
            return owner
        if self._is_kept(owner):
            return _outcome(row, Action.UNCHANGED, "picture_kept", owner)
        if row.line in state.superseded:
            return _outcome(row, Action.SUPERSEDED, "superseded", owner)
        if refused := state.refused.get(row.line):
            return _rejected(row, refused.code, **refused.params)
        resized = state.resized.get(row.line)
        if resized is not None and resized.code:
            return _rejected(row, resized.code, **resized.params)
        return self._plan_picture(row, owner, resized, plan, state)

    def _plan_picture(
        self,
        row: PictureCells,
        owner: PictureOwner,
        resized: ResizeResult | None,
        plan: PicturesPlan,
        state: PicturesState,
    ) -> Outcome:
        """Plan a picture that was resized, unless the user shows the same; one that wasn't was known by its checksum."""
        files = picture_files(resized) if resized is not None else ()
        if resized is None or state.shows(owner, files):
            return _outcome(row, Action.UNCHANGED, "picture_unchanged", owner)
        if owner.id in self.rules.untouchable_ids:
            return _rejected(row, "account_protected", username=owner.username)
        plan.pictures[row.line] = NewPicture(owner.id, owner.picture, files, state.md5s[row.line])
        plan.contents |= {file.contenthash: content for file, content in zip(files, resized.contents, strict=True)}
        return _outcome(row, Action.UPDATED, "picture_set", owner)


def _outcome(row: PictureCells, action: Action, code: str, owner: PictureOwner) -> Outcome:
    return Outcome(row.line, action, code, {"username": owner.username}, row.picture)


def _rejected(row: PictureCells, code: str, **params: object) -> Outcome:
    return Outcome(row.line, Action.REJECTED, code, params, row.picture)
