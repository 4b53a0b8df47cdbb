"""What a new course gets where nobody says otherwise: the site's settings for courses.

Source: spec courses.md sections 1.1 and 1.7; Moodle's admin/settings/courses.php
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from django.utils.functional import cached_property

from sync.moodle.courses.creation import Block
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import Feature

# Moodle's own defaults, for settings that nobody has saved yet.
_SETTINGS = {
    "format": "topics", "visible": "1", "numsections": "4", "hiddensections": "1", "coursedisplay": "0", "lang": "",
    "newsitems": "5", "showgrades": "1", "showreports": "0", "showactivitydates": "1", "maxbytes": "0",
    "enablecompletion": "1", "showcompletionconditions": "1", "groupmode": "0", "groupmodeforce": "0",
}  # fmt: skip
_FORMAT_OPTIONS: dict[str, dict[str, str]] = {
    "topics": {"hiddensections": "", "coursedisplay": ""},
    "weeks": {"hiddensections": "", "coursedisplay": "", "automaticenddate": "1"},
    "social": {"numdiscussions": "10"},
}
_FORMAT_BLOCKS = {"social": ":social_activities"}
_FORMATS_WITH_NEWS = ("topics", "weeks")
_FORMATS_WITH_SECTIONS = ("topics", "weeks")
_NEWS_NAME, _NEWS_INTRO = "Announcements", "General news and announcements"
_DAY = 86_400


class CourseDefaults:
    """The site's settings for new courses, read once."""

    def __init__(self, moodle: MoodleSession) -> None:
        self._moodle = moodle
        self._settings = {**_SETTINGS, **moodle.plugin_config("moodlecourse")}

    def number(self, name: str) -> int:
        """Return a setting as a number."""
        text = self._settings.get(name, "")
        return int(text) if text.isdigit() else int(_SETTINGS[name])

    def text(self, name: str) -> str:
        return self._settings[name]

    @cached_property
    def formats(self) -> frozenset[str]:
        """The course formats that are installed."""
        return frozenset(self._moodle.plugins_of("format"))

    @property
    def site_maxbytes(self) -> int:
        """The largest upload that the site allows; 0 = no limit of its own."""
        text = self._moodle.config.get("maxbytes", "0")
        return int(text) if text.isdigit() else 0

    def values(self, now: int) -> dict[str, Any]:
        """Return the columns of `course` for a course of which nothing is known."""
        numbers = (
            "newsitems", "showgrades", "showreports", "showactivitydates", "showcompletionconditions", "maxbytes", "visible",
            "groupmode", "groupmodeforce", "enablecompletion",
        )  # fmt: skip
        return {
            "sortorder": 0, "idnumber": "", "summary": "", "summaryformat": 1, "format": self._settings["format"],
            "startdate": now, "enddate": 0, "marker": 0, "legacyfiles": 0, "lang": self._settings["lang"], "calendartype": "",
            "theme": "", "defaultgroupingid": 0, "completionnotify": 0, "timecreated": now, "timemodified": now, "cacherev": now,
            **{name: self.number(name) for name in numbers},
        }  # fmt: skip

    def format_options(self, course_format: str) -> dict[str, str]:
        """Return the options of a format; an empty list for formats of others, which have their own defaults."""
        if course_format == "singleactivity":
            return {"activitytype": self._moodle.plugin_config("format_singleactivity").get("activitytype") or "forum"}
        options = _FORMAT_OPTIONS.get(course_format, {})
        if course_format in _FORMATS_WITH_SECTIONS and Feature.LINEAR_NAVIGATION.is_in(self._moodle.version):
            options = {**options, "enablelinearnav": self._settings.get("enablelinearnav") or "0"}
        return {name: value or self._settings[name] for name, value in options.items()}

    def sections(self, course_format: str) -> int:
        """Return how many sections beside the first a new course gets."""
        return 0 if course_format in ("social", "singleactivity") else self.number("numsections")

    def blocks(self, course_format: str) -> list[Block]:
        """Mirrors: blocks_get_default_site_course_blocks() and blocks_add_default_course_blocks()"""
        config = self._moodle.config
        text = next(
            (
                config[name]
                for name in ("defaultblocks_override", f"defaultblocks_{course_format}", "defaultblocks")
                if config.get(name)
            ),
            _FORMAT_BLOCKS.get(course_format, ""),
        )
        left, _colon, right = text.partition(":")
        blocks = [
            Block(name.strip(), region, place)
            for region, names in (("side-pre", left), ("side-post", right))
            for place, name in enumerate(filter(None, names.split(",")))
        ]
        if course_format == "singleactivity" and Feature.SINGLE_ACTIVITY_MENU.is_in(self._moodle.version):
            blocks.append(Block("site_main_menu", "side-pre", 0, pages="*", in_subcontexts=1))
        return blocks

    def news_forum(self, course_format: str, newsitems: int, now: int) -> dict[str, Any] | None:
        """Return the Announcements forum of a course that shows news, without its course."""
        if newsitems <= 0 or course_format not in _FORMATS_WITH_NEWS:
            return None
        config = self._moodle.config
        return {
            "course": 0, "type": "news", **self._news_texts, "introformat": 1, "assessed": 0, "scale": 0,
            "maxbytes": _number(config, "forum_announcementmaxbytes", 0),
            "maxattachments": _number(config, "forum_announcementmaxattachments", 1),
            "forcesubscribe": _number(config, "forum_announcementsubscription", 1), "trackingtype": 1, "timemodified": now,
        }  # fmt: skip

    def read_news_texts(self) -> None:
        """Read what `news_forum` needs, for those who may not ask later. Queries: two"""
        if self._moodle.database.has_table("forum"):
            _ = self._news_texts

    @cached_property
    def _news_texts(self) -> dict[str, str]:
        """What the site calls Announcements: most of its courses tell it in its own language, whose strings aren't at hand."""
        forum, course = self._moodle.table("forum"), self._moodle.table("course")
        newest = sa.func.max(forum.c.id)
        usual = (
            sa.select(newest)
            .join(course, course.c.id == forum.c.course)
            .where(forum.c.type == "news", course.c.category > 0)
            .group_by(forum.c.name)
            .order_by(sa.func.count().desc(), newest.desc())
            .limit(1)
        )
        # MariaDB has no LIMIT in a subquery, hence two.
        ids = [forumid for (forumid,) in self._moodle.fetch(usual)]
        for name, intro in self._moodle.fetch(sa.select(forum.c.name, forum.c.intro).where(forum.c.id.in_(ids))):
            return {"name": name, "intro": intro}
        return {"name": _NEWS_NAME, "intro": _NEWS_INTRO}

    def instances(self, now: int, given: Mapping[str, int]) -> list[dict[str, Any]]:
        """Return the enrolment methods of a new course, in the site's order.

        Shape: given: method -> 1 to have it switched on, 0 off; those that aren't named as the site has it
        """
        order = [name for name in self._moodle.config.get("enrol_plugins_enabled", "").split(",") if name]
        wanted = [
            name
            for name in dict.fromkeys((*order, *(name for name, is_on in given.items() if is_on)))
            if name in ("manual", "guest", "self") and (given.get(name) or self._is_default(name))
        ]
        instances = [self.instance(name, now) for name in wanted]
        for instance in instances:
            if instance["enrol"] in given:
                instance["status"] = 0 if given[instance["enrol"]] else 1
        return instances

    def instance(self, method: str, now: int) -> dict[str, Any]:
        """Return a manual, guest or self enrolment method with the site's settings, without its course.

        Source: add_default_instance() of the methods; effects course_create_*
        """
        config = self._moodle.plugin_config(f"enrol_{method}")
        row: dict[str, Any] = {
            "enrol": method, "status": _number(config, "status", 0 if method == "manual" else 1), "courseid": 0, "sortorder": 0,
            "enrolstartdate": 0, "enrolenddate": 0, "timecreated": now, "timemodified": now, "roleid": 0,
        }  # fmt: skip
        if method == "guest":
            return {**row, "password": ""}
        notify = _number(config, "expirynotify", 0)
        row |= {
            "roleid": _number(config, "roleid", 5),
            "enrolperiod": _number(config, "enrolperiod", 0),
            "expirynotify": min(notify, 1),
            "notifyall": int(notify == 2),
            "expirythreshold": _number(config, "expirythreshold", _DAY),
        }
        if method == "manual":
            if "sendcoursewelcomemessage" in config:
                row["customint1"] = _number(config, "sendcoursewelcomemessage", 1)
            return row
        if _number(config, "requirepassword", 0):
            row["password"] = secrets.token_urlsafe(12)
        return row | {
            "customint1": _number(config, "groupkey", 0),
            "customint2": _number(config, "longtimenosee", 0),
            "customint3": _number(config, "maxenrolled", 0),
            "customint4": _number(config, "sendcoursewelcomemessage", 1),
            "customint5": 0,
            "customint6": _number(config, "newenrols", 1),
        }

    def _is_default(self, method: str) -> bool:
        return method in enabled_methods(self._moodle) and (
            self._moodle.plugin_config(f"enrol_{method}").get("defaultenrol", "1") not in ("", "0")
        )


def _number(config: Mapping[str, str], name: str, default: int) -> int:
    text = config.get(name, "")
    return int(text) if text.isdigit() else default


def enabled_methods(moodle: MoodleSession) -> frozenset[str]:
    """Return the names of the enrolment plugins that the site has switched on."""
    return frozenset(filter(None, moodle.config.get("enrol_plugins_enabled", "").split(",")))
