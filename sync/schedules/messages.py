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
    "feed_not_started": _(
        "It should have started, and hasn't. Look at the page of the feed, and into the log of the workers."
    ),
    "feed_run_paused": _(
        "It should have started, and hasn't: a run of its last start is paused. Go on with that run, or cancel it."
    ),
    "feed_without_file": _(
        "The file of this file type was to have come by then, and hasn't. Look at where it comes from."
    ),
    "schedule_without_recipients": _(
        "Nobody has said who is told of this feed. Name mail addresses, or say that nobody is to be told."
    ),
    "zip_put_aside": _(
        "The zip %(name)s is called %(aside)s now: it can't be used as it is. Look what is in it, and hand in a mended one."
    ),
    "zip_file_unknown": _(
        "%(file)s in the zip %(name)s is no command file that is known; it is called %(aside)s now, and the others were taken."
    ),
    "zip_file_not_scheduled": _(
        "%(file)s in the zip %(name)s is of a file type that isn't in the schedule; it is called %(aside)s now, and the others "
        "were taken. Add its file type to the schedule, or leave it out of the zip."
    ),
    "zip_turn_over": _(
        "The zip %(name)s holds files whose file types come earlier in the schedule: %(files)s. Set it as the source of the "
        "first file type. Nothing of it was taken."
    ),
    "zip_same_names": _("The zip holds several files of one name: %(files)s. Give each a name of its own."),
    "zip_without_right": _(
        "%(owner)s, in whose name the zip %(name)s is taken, may not run the file types of %(files)s. Nothing of it was taken."
    ),
    "schedule_under_way": _("This schedule is under way already. Wait until it is over."),
    "freeze_window_too_long": _("A window has at most %(days)s days. Enter an earlier end, or switch schedules off."),
    "freeze_window_over": _("The window is over already. Enter a later end."),
    "freeze_window_too_far": _("The window begins more than %(days)s days from now. Check the year."),
    "freeze_window_empty": _("The window ends before it begins. Enter a later end."),
}
