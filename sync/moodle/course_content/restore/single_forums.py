"""The discussion of a forum that has a single one; a forum of this type can't be used without.

Mirrors: restore_forum_activity_structure_step::after_restore() and forum_add_discussion() of Moodle 4.1 to 5.1
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT
from sync.moodle.course_content.graph.scope import inline
from sync.moodle.db.writer import Writer
from sync.moodle.files.files import pathname_hash
from sync.moodle.versions import CONTEXT_MODULE

_COMPONENT = "mod_forum"
_MAILED = 1
# Closing tags, but for those that stand within words, and line breaks: words end there. Source: count_words()
_WORD_ENDS = re.compile(
    r"(</(?!(?:a|b|del|em|i|ins|s|small|span|strong|sub|sup|u)>)\w+>|<br>|<br\s*/>)"
)  # fmt: skip
# Separators, control characters, and long dashes. Source: count_words()
_BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u2013\u2014]+")
_BLANKS = re.compile(r"[ \t\n\r\f\v]+")


def open_single_forums(writer: Writer, courseids: Sequence[int], *, now: int) -> None:
    """Make the discussion of forums for a single one, with a first post that nobody is mailed, and the files of its text.

    Queries: two, and some for the discussions; constant in the number of forums
    """
    session = writer.session
    forum, discussion = session.table("forum"), session.table("forum_discussions")
    forums = session.fetch(
        sa.select(forum.c.id, forum.c.course, forum.c.name, forum.c.intro, forum.c.introformat)
        .where(forum.c.course.in_(inline(courseids)), forum.c.type == "single")
        .where(~sa.exists().where(discussion.c.forum == forum.c.id))
        .order_by(forum.c.id)
    )
    if not forums:
        return
    people = {"userid": session.operatorid}
    discussions = writer.insert_many(
        "forum_discussions",
        [
            {
                "course": row.course, "forum": row.id, "name": row.name, "firstpost": 0, "groupid": -1, "assessed": 0,
                "timemodified": now, "usermodified": session.operatorid, "timestart": 0, "timeend": 0, **people,
            }
            for row in forums
        ],
        ("forum",),
    )  # fmt: skip
    posts = writer.insert_many(
        "forum_posts",
        [
            {
                "discussion": discussionid, "parent": 0, "created": now, "modified": now, "mailed": _MAILED,
                "subject": row.name, "message": row.intro or "", "messageformat": row.introformat, "messagetrust": 1,
                "attachment": "", **message_counts(row.intro or ""), **people,
            }
            for row, discussionid in zip(forums, discussions, strict=True)
        ],
        ("discussion",),
    )  # fmt: skip
    first = {rowid: {"firstpost": postid} for rowid, postid in zip(discussions, posts, strict=True)}
    writer.complete_many("forum_discussions", first)
    _copy_files(writer, {row.id: postid for row, postid in zip(forums, posts, strict=True)})


def message_counts(message: str) -> dict[str, int | None]:
    """Return how many words and letters a post has; nothing of an empty one.

    Mirrors: mod_forum\\local\\entities\\post::add_message_counts(); leaves out: filters and the cleaning of the text
    """
    if message in ("", "0"):
        return {"wordcount": None, "charcount": None}
    spaced = html.unescape(_strip_tags(_WORD_ENDS.sub(r"\1 ", message)))
    words = [word for word in _BETWEEN_WORDS.split(spaced) if word]
    letters = _BLANKS.sub("", html.unescape(_strip_tags(message)))
    return {"wordcount": len(words), "charcount": len(letters)}


def _strip_tags(text: str) -> str:
    """Return a text without tags and comments; a lone "<" stays.

    Where a tag or comment has no end, its end isn't looked for again behind it: the time follows the length of the text.
    Mirrors: strip_tags() of PHP, as far as editors' HTML goes
    """
    last_end, last_comment_end = text.rfind(">"), text.rfind("-->")
    kept: list[str] = []
    position = start = 0
    while 0 <= (start := text.find("<", start)) < last_end:
        following = text[start + 1]
        if text.startswith("<!--", start) and start + 4 <= last_comment_end:
            end = text.index("-->", start + 4) + 3
        elif following in "/!?" or (following.isascii() and following.isalpha()):
            end = text.index(">", start) + 1
        else:
            start += 1
            continue
        kept.append(text[position:start])
        position = start = end
    return "".join((*kept, text[position:]))


def _copy_files(writer: Writer, posts: Mapping[int, int]) -> None:
    """Make the files of forums' descriptions files of their first posts too. Shape: posts: forum -> post"""
    session = writer.session
    files, context, cm, modules = map(session.table, ("files", CONTEXT, "course_modules", "modules"))
    at_activity = sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id)
    found = session.fetch(
        sa.select(cm.c.instance, files)
        .join(context, context.c.id == files.c.contextid)
        .join(cm, at_activity)
        .join(modules, sa.and_(modules.c.id == cm.c.module, modules.c.name == "forum"))
        .where(session.in_clause(cm.c.instance, sorted(posts)))
        .where(files.c.component == _COMPONENT, files.c.filearea == "intro")
        .order_by(files.c.id)
    )
    rows: list[dict[str, Any]] = []
    for forumid, *values in found:
        row = dict(zip(files.c.keys(), values, strict=True)) | {"filearea": "post", "itemid": posts[forumid]}
        rows.append({name: value for name, value in row.items() if name != "id"} | {"pathnamehash": pathname_hash(row)})
    writer.insert_many("files", rows, ("pathnamehash",))
