"""Which tables and columns an undo treats otherwise than the rest, and why."""

from __future__ import annotations

# Moodle's own notes to itself: what an undo changes is flagged anew.
NEVER_TAKEN_BACK = frozenset({"cache_flags"})
# A session that ended stays ended: whoever held it logs in again.
SESSIONS = "sessions"
# Moodle works through them by itself; what is left of them goes, however far it has come.
WORK_LISTS = frozenset({"task_adhoc", "stored_progress"})
# Goes up with every change, so that Moodle doesn't take an old copy of the course for the present one.
CACHE_REVISION = "cacherev"
# Where somebody else has changed them since, the rest of the row is still what the run left: Moodle writes them by itself.
_NEUTRAL = frozenset({CACHE_REVISION, "timemodified", "needsupdate"})
# Brought in order once the rows are done.
_ORDER = {
    "course": frozenset({"sortorder"}),
    "course_categories": frozenset({"sortorder", "coursecount", "depth", "path"}),
}
ORDERED_TABLES = frozenset(_ORDER)
# What a new row holds that doesn't name these: they tell that somebody has used it.
UNUSED: dict[str, dict[str, int]] = {"user": {"firstaccess": 0, "lastaccess": 0, "lastlogin": 0, "currentlogin": 0}}
# Rows that only say that somebody has looked at something, or what happened when: they keep nothing back.
TRACES = frozenset(
    """
    backup_logs block_recent_activity block_recentlyaccesseditems config_log events_queue external_tokens_log log
    logstore_standard_log mnet_log portfolio_log task_log upgrade_log user_lastaccess
    """.split()  # noqa: SIM905 (read by people)
)
# A row of these is nothing without its user.
OF_LIVING_USERS = frozenset(
    {"cohort_members", "groups_members", "role_assignments", "user_enrolments", "user_info_data", "user_preferences"}
)
# Columns that a second row must not share, although the server would take it. Source: Moodle's own checks
KEYS_OF_MOODLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "course": (("shortname",), ("idnumber",)),
    "course_categories": (("idnumber",),),
    "cohort": (("idnumber",),),
    # Found by its first column where all are alike: the server has an index on users.
    "role_assignments": (("userid", "contextid", "roleid", "component", "itemid"),),
}
# Of these the server may hold rows that are alike all the same, from before Moodle looked.
ALIKE_AT_TIMES = frozenset({"role_assignments"})
# In which "" is a value like any other: a role that was given by hand has no component.
_EMPTY_COUNTS = frozenset({"component"})
# Tables of rows that have names of their own, which others may take once they are renamed.
NAMED_TABLES = frozenset({"user", *KEYS_OF_MOODLE})
# Never shown, whatever the table.
_SECRETS = ("password", "secret", "token", "sesskey", "privatekey")


def is_neutral(table: str, column: str) -> bool:
    """Return whether a column may have changed since without anybody having changed the row."""
    return column in _NEUTRAL or column in _ORDER.get(table, ())


def is_filled(column: str, value: object) -> bool:
    """Return whether a value is one that keeps others from having the same: a course without an idnumber shares none."""
    return value is not None and (value != "" or column in _EMPTY_COUNTS)


def is_secret(table: str, column: str) -> bool:
    """Return whether the values of a column are kept out of reports."""
    return table == "user_preferences" or any(secret in column for secret in _SECRETS)
