"""What we rely on in Moodle's tables: the order of writing, the natural keys, the columns that must be there."""

from __future__ import annotations

# Parents before children: rows are inserted in this order and deleted in the reverse one.
WRITE_ORDER = (
    "user",
    "context",
    "cohort",
    "groups",
    "groupings",
    "enrol",
    "user_enrolments",
    "role_assignments",
    "cohort_members",
    "groups_members",
    "groupings_groups",
    "message_conversation_members",
    "forum_subscriptions",
    "user_info_data",
    "user_preferences",
    "grade_grades_history",
)

# What tells new rows of a table apart, to read their ids back; indexes that Moodle declares unique are marked *.
NATURAL_KEYS: dict[str, tuple[str, ...]] = {
    "user": ("mnethostid", "username"),  # *
    "context": ("contextlevel", "instanceid"),  # *
    "cohort": ("contextid", "name"),
    "cohort_members": ("cohortid", "userid"),  # *
    "groups": ("courseid", "name", "idnumber"),
    "groups_members": ("userid", "groupid"),  # *
    "groupings": ("courseid", "name", "idnumber"),
    "enrol": ("courseid", "enrol", "sortorder"),
    "user_enrolments": ("enrolid", "userid"),  # *
    "role_assignments": ("contextid", "userid", "roleid", "component", "itemid"),
    "user_preferences": ("userid", "name"),  # *
    "user_info_data": ("userid", "fieldid"),  # *
    "customfield_data": ("instanceid", "fieldid"),  # *
    "forum_subscriptions": ("userid", "forum"),  # *
    "message_conversation_members": ("conversationid", "userid"),
}

# Without these no command file can be carried out.
REQUIRED_COLUMNS: dict[str, tuple[str, ...]] = {
    "config": ("name", "value"),
    "config_plugins": ("plugin", "name", "value"),
    "context": ("id", "contextlevel", "instanceid", "path", "depth"),
    "user": (
        "id", "auth", "confirmed", "deleted", "suspended", "mnethostid", "username", "password", "idnumber", "firstname",
        "lastname", "email", "city", "country", "lang", "timezone", "timecreated", "timemodified",
    ),
    "user_preferences": ("id", "userid", "name", "value"),
    "user_info_field": ("id", "shortname", "datatype", "defaultdata", "param1", "param2", "param3", "forceunique"),
    "user_info_data": ("id", "userid", "fieldid", "data", "dataformat"),
    "cache_flags": ("id", "flagtype", "name", "timemodified", "value", "expiry"),
    "role": ("id", "shortname"),
    "role_assignments": ("id", "roleid", "contextid", "userid", "component", "itemid"),
    "enrol": ("id", "enrol", "status", "courseid", "sortorder"),
    "user_enrolments": ("id", "status", "enrolid", "userid", "timestart", "timeend"),
    "groups": ("id", "courseid", "name"),
    "groups_members": ("id", "groupid", "userid", "component", "itemid"),
    "cohort": ("id", "contextid", "name", "idnumber"),
    "cohort_members": ("id", "cohortid", "userid"),
    "course": ("id", "category", "shortname", "idnumber", "fullname"),
}  # fmt: skip
