"""Texts about sites."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "site_name_taken": _(
        "“%(name)s” can't be the short name of a site. Use small letters, digits and hyphens, and a name that no other site has."
    ),
    "site_command_unknown": _(
        "There is no command line “%(name)s”. Have the operator add it to TOOLSYNC_SITE_COMMANDS, or choose another one."
    ),
    "site_unusable": _(
        "This Moodle can't be used as it was entered, so nothing was saved. Mend what is listed, then save again."
    ),
    "site_is_another_moodle": _(
        "This is another Moodle than the one that the site was so far: what ToolSync knows of its rows would be wrong. Add it "
        "as a new site, and take this one out of use."
    ),
    "site_same_database": _(
        "The site “%(site)s” has this very database. Two sites would write into it at the same time: use that one."
    ),
    "site_same_moodle": _(
        "This Moodle calls itself as that of the site “%(site)s” does. If it is a copy in a database of its own, say so "
        "below; if it is the same database under another address, use that site."
    ),
    "site_main_stays": _(
        "The site “main” is the one of the environment and stays in use. Empty TOOLSYNC_MOODLE_URL where there is no such Moodle."
    ),
    "site_without_right": _(
        "You may not run this file type on the site “%(site)s”, or it is out of use. Nothing was kept."
    ),
    "site_twice": _("A site is named twice. Name each site once."),
    "site_not_planned": _("There is no plan of this file on the site “%(site)s”. Nothing was begun."),
    "site_plan_refused": _("Nothing was begun, because of the site “%(site)s”: %(said)s"),
    "site_no_plan": _(
        "Only a simulation that somebody asked for can be made on other sites too. Simulate the file first."
    ),
    "site_busy": _(
        "Run %(run)s is at work on this site. Wait until it is over, or cancel it, and then take the site out of use."
    ),
}
