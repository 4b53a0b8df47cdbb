"""Texts about schedules."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "crontab_fields": _(
        "“%(crontab)s” is not a crontab: it takes five fields with blanks between them (minute, hour, day of the month, "
        "month, day of the week)."
    ),
    "crontab_unreadable": _(
        "“%(crontab)s” is not a crontab, or names a day that never comes. Write it like 15 2 * * 1-5 (at 02:15, Monday to "
        "Friday)."
    ),
    "schedule_without_tool": _("No file type is chosen. Choose at least one."),
    "schedule_without_time": _("No time is given. Enter one, for example 02:15."),
    "schedule_tells_nobody": _(
        "Nobody has said who is told of this feed. Name mail addresses, or say that nobody is to be told."
    ),
    "schedule_under_way": _("This schedule is under way already. Wait until it is over."),
    "freeze_window_too_long": _("A window has at most %(days)s days. Enter an earlier end, or switch schedules off."),
    "freeze_window_over": _("The window is over already. Enter a later end."),
    "freeze_window_too_far": _("The window begins more than %(days)s days from now. Check the year."),
    "freeze_window_empty": _("The window ends before it begins. Enter a later end."),
}
