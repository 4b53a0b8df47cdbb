"""Texts of the file type `courses_meta`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "meta_link_created": _("linked; people who came along: %(count)s"),
    "meta_link_revived": _("link switched on again"),
    "meta_link_synced": _("linked already; people brought up to date"),
    "meta_link_unchanged": _("linked already"),
    "meta_link_disabled": _("link switched off; the roles that it gave are gone"),
    "meta_link_off_already": _("link is switched off already"),
    "meta_link_missing": _("“%(meta)s” takes nobody from “%(master)s”. Correct the row, or take it out."),
    "meta_of_itself": _("“%(course)s” can't take its people from itself. Name two courses."),
    "meta_not_enabled": _(
        "The enrolment plugin “Course meta link” is switched off on this site. Switch it on in Moodle, then send the file again."
    ),
}
