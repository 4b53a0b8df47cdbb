"""The mails that tell the contacts of a course what a run has done there: one for each course and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from sync.messages import text_of
from sync.moodle.courses.contacts import fetch_contact_addresses, fetch_people
from sync.moodle.courses.courses import fetch_course_names
from sync.moodle.db.database import MoodleSession
from sync.processors.base.plan import Mail

# A mail names so many people; the report names all.
MOST_LINES = 500


class ContactNotice(NamedTuple):
    """What became of somebody in a course. Shape: code: of `sync.messages`; groups: that he has joined or left"""

    userid: int
    code: str


def contact_mails(moodle: MoodleSession, news: Mapping[int, Sequence[ContactNotice]], *, site: str) -> list[Mail]:
    """Write the mails. Shape: news: courseid -> what happened there, in file order"""
    addresses = fetch_contact_addresses(moodle, news)
    notices = {courseid: news[courseid] for courseid in addresses}
    people = fetch_people(moodle, {item.userid for items in notices.values() for item in items[:MOST_LINES]})
    names = fetch_course_names(moodle, notices)
    return [
        Mail(address, _subject(names[courseid].fullname, site), _body(items, people))
        for courseid, items in notices.items()
        for address in addresses[courseid]
    ]


def _subject(course: str, site: str) -> str:
    # A name may hold a line end, a subject may not.
    return " ".join((_("%(course)s: changed enrolments on %(site)s") % {"course": course, "site": site}).split())


def _body(items: Sequence[ContactNotice], people: Mapping[int, str]) -> str:
    lines = [_("A command file has changed who belongs to this course."), ""]
    lines += [f"{people.get(item.userid, item.userid)}: {text_of(item.code)}" for item in items[:MOST_LINES]]
    if len(items) > MOST_LINES:
        lines.append(_("… and %(count)s more") % {"count": len(items) - MOST_LINES})
    return "\n".join((*lines, ""))
