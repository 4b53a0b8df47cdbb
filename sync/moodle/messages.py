"""Texts about the Moodle database: the connection check, and what stops a run."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "moodle_url_invalid": _(
        "The address of the Moodle database can't be read. Check TOOLSYNC_MOODLE_URL: signs like @ : / ? # in its password are "
        "written as %%40 %%3A %%2F %%3F %%23."
    ),
    "moodle_url_unsupported": _(
        "“%(backend)s” is not a database that Moodle runs on. Use mysql, mariadb, postgresql or sqlite in TOOLSYNC_MOODLE_URL."
    ),
    "moodle_unavailable": _(
        "The Moodle database doesn't answer (%(reason)s). Check the server and take the run up again."
    ),
    "moodle_not_allowed": _(
        "The database account lacks a right (%(reason)s). Grant what manage.py moodlegrants prints, then take the "
        "run up again."
    ),
    "moodle_tables_unknown": _(
        "This Moodle has tables that ToolSync doesn't know, and whose rows would not be seen to: %(tables)s. Update ToolSync. If "
        "they belong to a plugin and its rows may stay as they are, let the operator name them in "
        "TOOLSYNC_MOODLE_LEAVE_TABLES."
    ),
    "check_tables_known": _("All tables that name a course, a user or an activity are known."),
    "moodle_version_unknown": _(
        "Moodle %(release)s is newer than %(known)s, the newest that ToolSync knows: files are only simulated (dry "
        "run), nothing is changed. Update ToolSync. Or try it on a copy of the site, and then let the operator set "
        "TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS=1."
    ),
    "row_internal_error": _(
        "ToolSync made a mistake with this row (internal error); nothing of it was written, and the other rows are done. Give "
        "the number %(number)s to the person who looks after ToolSync: the log tells more under it."
    ),
    "moodle_refused": _(
        "The Moodle database rejected the row (%(reason)s). Correct the value that it names, then send the row again."
    ),
    "moodle_error": _(
        "The Moodle database reports an error (%(reason)s). Look at the log of the server, then take the run up again."
    ),
    "moodle_table_missing": _("The table %(table)s isn't there. Check the prefix and that this is a Moodle database."),
    "moodle_column_missing": _(
        "The table %(table)s has no column %(column)s. Check that this is a Moodle database of 4.1 or later."
    ),
    "check_server": _("%(server)s %(version)s answers."),
    "check_release": _("Moodle %(release)s (version %(version)s), tables with the prefix “%(prefix)s”."),
    "check_release_old": _(
        "Moodle %(release)s is older than %(oldest)s, the oldest that ToolSync knows. Upgrade Moodle."
    ),
    "check_release_new": _(
        "Moodle %(release)s is newer than %(known)s, the newest that ToolSync knows. Files may change it all the "
        "same, because TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS is set. Simulate first (dry run)."
    ),
    "check_release_untried": _(
        "Moodle %(release)s: ToolSync knows what this release changes, but was not yet tried on it (the newest that "
        "it was tried on is %(tried)s). Simulate first (dry run), on a copy."
    ),
    "check_prefix_wrong": _(
        "There is no table %(table)s. Tables of Moodle are here with these prefixes: %(prefixes)s."
    ),
    "check_no_moodle": _(
        "There is no table %(table)s, and no other table of a Moodle. Check the name of the database."
    ),
    "check_column_missing": _("The table %(table)s lacks the columns %(columns)s, which ToolSync needs."),
    "check_table_missing": _("The table %(table)s, which ToolSync needs, isn't there."),
    "check_columns_differ": _(
        "The table %(table)s lacks columns of Moodle %(known)s: %(columns)s. Was it upgraded fully?"
    ),
    "check_columns_shorter": _("The table %(table)s has shorter columns than Moodle %(known)s: %(columns)s."),
    "check_columns_demanding": _(
        "The table %(table)s has columns that Moodle %(known)s doesn't have and that must be filled: %(columns)s. "
        "New rows will be rejected. Give the columns a default."
    ),
    "check_index_missing": _("The table %(table)s lacks a unique index of Moodle %(known)s on %(columns)s. Add it."),
    "check_schema_same": _("All %(count)s tables that ToolSync uses are as in Moodle %(known)s."),
    "check_right_missing": _("The database account may not %(right)s in %(table)s (%(reason)s). Grant it."),
    "check_rights": _(
        "The database account may insert, update and delete in all %(count)s tables that ToolSync writes to."
    ),
    "check_operator_missing": _(
        "There is no Moodle user “%(operator)s”, in whose name ToolSync writes; the first administrator stands in. "
        "Set TOOLSYNC_MOODLE_OPERATOR."
    ),
    "check_dataroot_unset": _("No data folder is set, so user pictures can't be stored. Set TOOLSYNC_MOODLE_DATAROOT."),
    "check_dataroot_wrong": _(
        "%(folder)s holds no folder “filedir”. Set TOOLSYNC_MOODLE_DATAROOT to Moodle's data folder."
    ),
    "check_dataroot_readonly": _(
        "ToolSync may not write in %(folder)s. Give the system user that it runs as the right to."
    ),
    "check_data_storage": _("The storage of Moodle's data folder can be read."),
    "check_data_storage_wrong": _(
        "The storage of TOOLSYNC_MOODLE_DATAROOT holds no folder “filedir”. Set it to Moodle's data folder."
    ),
    "check_data_storage_failed": _(
        "The storage of Moodle's data folder can't be read (%(reason)s). Check TOOLSYNC_MOODLE_DATAROOT."
    ),
    "check_dataroot": _("The data folder %(folder)s can be written to."),
    "moodle_not_installed": _("The database holds no system context: this is not an installed Moodle."),
}
