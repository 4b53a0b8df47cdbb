"""The pictures of users: rows of `files`, user.picture, and the checksum of what was sent.

Source: spec userpictures.md section 5; effects user_picture_*
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.file_pool import EMPTY_HASH
from sync.moodle.files.files import DeletedFiles, delete_files, pathname_hash
from sync.moodle.users.contexts import fetch_userids_without_context, insert_user_contexts
from sync.moodle.versions import CONTEXT_USER

CHECKSUM_FIELD = "userpicturehash"
_PLACE = {"component": "user", "filearea": "icon", "itemid": 0, "filepath": "/"}
_MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


class PictureFile(NamedTuple):
    """One of the squares. Shape: name: "f1.jpg"."""

    name: str
    contenthash: str
    size: int


class NewPicture(NamedTuple):
    """A picture to be set. Shape: picture: user.picture as it is now; files: f1 first; md5: of what was sent"""

    userid: int
    picture: int
    files: tuple[PictureFile, ...]
    md5: str


class ChecksumRow(NamedTuple):
    """The stored checksum of one user."""

    id: int
    data: str


def fetch_icons(moodle: MoodleSession, userids: Collection[int]) -> dict[int, dict[str, tuple[int, str]]]:
    """Return the picture files that users have. Shape: userid -> name -> (id, contenthash). Queries: one per 10,000"""
    files, context = moodle.table("files"), moodle.table("context")
    icons: dict[int, dict[str, tuple[int, str]]] = {}
    for part in batched(sorted(userids), MAX_KEYS):
        statement = (
            sa.select(context.c.instanceid, files.c.filename, files.c.id, files.c.contenthash)
            .join_from(context, files, files.c.contextid == context.c.id)
            .where(context.c.contextlevel == CONTEXT_USER, context.c.instanceid.in_(part), *_is_icon(files))
        )
        for userid, name, rowid, contenthash in moodle.fetch(statement):
            if name != ".":
                icons.setdefault(userid, {})[name] = (rowid, contenthash)
    return icons


def fetch_checksum_fieldid(moodle: MoodleSession) -> int | None:
    """Return the id of the profile field that holds checksums; None when Moodle has no such field."""
    field = moodle.table("user_info_field")
    found = moodle.fetch(sa.select(field.c.id).where(field.c.shortname == CHECKSUM_FIELD).order_by(field.c.id))
    return int(found[0][0]) if found else None


def fetch_checksums(moodle: MoodleSession, fieldid: int, userids: Collection[int]) -> dict[int, ChecksumRow]:
    """Return the stored checksums of users. Queries: one per 10,000"""
    data = moodle.table("user_info_data")
    checksums: dict[int, ChecksumRow] = {}
    for part in batched(sorted(userids), MAX_KEYS):
        statement = sa.select(data.c.userid, data.c.id, data.c.data).where(
            data.c.fieldid == fieldid, data.c.userid.in_(part)
        )
        checksums |= {userid: ChecksumRow(rowid, text) for userid, rowid, text in moodle.fetch(statement)}
    return checksums


def write_pictures(writer: Writer, pictures: Sequence[NewPicture], *, now: int) -> DeletedFiles:
    """Set pictures; the contents are in the pool already; return what the old ones leave behind.

    Mirrors: process_new_icon(), and core_user::update_picture(), which puts the id of f1 into user.picture; no cache flag,
    no timemodified, as there
    Queries: constant
    """
    userids = [picture.userid for picture in pictures]
    insert_user_contexts(writer, fetch_userids_without_context(writer, userids))
    contextids = _fetch_contextids(writer.session, userids)
    files = writer.session.table("files")
    deleted = delete_files(writer, "contextid", list(contextids.values()), *_is_icon(files))
    rows = [row for picture in pictures for row in _file_rows(picture, contextids[picture.userid], now)]
    ids = writer.insert_many("files", rows, ("pathnamehash",))
    id_of_f1 = {row["contextid"]: rowid for rowid, row in zip(ids, rows, strict=True) if row["filename"][:3] == "f1."}
    writer.update_many(
        "user",
        [
            RowChange(p.userid, {"picture": p.picture}, {"picture": id_of_f1[contextids[p.userid]]})
            for p in pictures
        ],
    )  # fmt: skip
    return deleted


def write_checksums(
    writer: Writer, fieldid: int, md5_by_userid: Mapping[int, str], present: Mapping[int, ChecksumRow]
) -> None:
    """Keep the checksums of what was sent. Queries: two"""
    new = {userid: md5 for userid, md5 in md5_by_userid.items() if userid not in present}
    rows = [{"userid": userid, "fieldid": fieldid, "data": md5, "dataformat": 0} for userid, md5 in new.items()]
    writer.insert_many("user_info_data", rows, ("userid", "fieldid"))
    writer.update_many(
        "user_info_data",
        [
            RowChange(present[userid].id, {"data": present[userid].data}, {"data": md5})
            for userid, md5 in md5_by_userid.items()
            if userid in present and present[userid].data != md5
        ],
    )


def fetch_referred_hashes(moodle: MoodleSession, contenthashes: Iterable[str]) -> set[str]:
    """Return those of the contents that rows refer to. Queries: one per 10,000"""
    files = moodle.table("files")
    referred: set[str] = set()
    for part in batched(sorted(contenthashes), MAX_KEYS):
        found = moodle.fetch(sa.select(files.c.contenthash).distinct().where(files.c.contenthash.in_(part)))
        referred.update(contenthash for (contenthash,) in found)
    return referred


def _is_icon(files: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return (files.c.component == "user", files.c.filearea == "icon", files.c.itemid == 0)


def _fetch_contextids(moodle: MoodleSession, userids: Sequence[int]) -> dict[int, int]:
    context = moodle.table("context")
    statement = sa.select(context.c.instanceid, context.c.id).where(
        context.c.contextlevel == CONTEXT_USER, context.c.instanceid.in_(userids)
    )
    return {row.instanceid: row.id for row in moodle.fetch(statement)}


def _file_rows(picture: NewPicture, contextid: int, now: int) -> list[dict[str, Any]]:
    """Return the rows in the order in which Moodle inserts them: f1, the folder, f2, f3."""
    first, *others = picture.files
    return [_file_row(file, contextid, now) for file in (first, PictureFile(".", EMPTY_HASH, 0), *others)]


def _file_row(file: PictureFile, contextid: int, now: int) -> dict[str, Any]:
    place = {"contextid": contextid, **_PLACE, "filename": file.name}
    return {
        "contenthash": file.contenthash,
        "pathnamehash": pathname_hash(place),
        **place,
        "filesize": file.size,
        "mimetype": _MIME_TYPES.get(file.name.rpartition(".")[2]),
        "status": 0,
        "timecreated": now,
        "timemodified": now,
        "sortorder": 0,
    }
