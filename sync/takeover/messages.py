"""Texts about the take-over from tool_sync."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "takeover_dead": _(
        "This setting did nothing in the plugin, though its form stored it. What it promised would be done here, so nobody "
        "switches it on but you."
    ),
    "takeover_detected": _("Found out for each file here, which serves this file as well."),
    "takeover_set_here": _("Set otherwise here already, which stays."),
    "takeover_task_other": _("There is no such task here: reports and archives go after their days (retention)."),
    "takeover_feed_stays_off": _(
        "The task is on in Moodle. Switch it off there, then switch the feed on here: two of them would feed everything twice."
    ),
    "takeover_days_unreadable": _("This is no number of days. Set how long things are kept on the page of settings."),
    "takeover_stopped": _(
        "The plugin stopped in the midst of “%(path)s”: parts of it may be done. Simulate that file here before you run it."
    ),
    "takeover_unknown": _("ToolSync has nothing that this setting could be."),
    "takeover_no_data_folder": _(
        "The data folder of this Moodle isn't set, so the content of this file can't be reached. Set it, then take over again."
    ),
    "takeover_file_here": _("There is another file of this path here already, which stays."),
    "takeover_file_lost": _("The content of this file isn't in Moodle's data folder."),
    "takeover_file_gone": _("The content of %(path)s went away from Moodle's data folder meanwhile. Take over again."),
    "audit_takeover": _("what the plugin tool_sync was set to was taken over"),
}
