"""What the functions take and return, as the plugin declares it. Source: the *_parameters() and *_returns() of tool_sync"""

from __future__ import annotations

from sync.api.moodle_protocol.kinds import Description, Kind, Many, One, Value

INT, BOOL, TEXT, RAW = Value(Kind.INT), Value(Kind.BOOL), Value(Kind.TEXT), Value(Kind.RAW)
_ALPHANUMEXT = Value(Kind.ALPHANUMEXT)
_OPTIONAL_RAW, _OPTIONAL_INT = Value(Kind.RAW, is_optional=True), Value(Kind.INT, is_optional=True)


ENROLMENT: dict[str, Description] = {
    "roleidsource": TEXT, "roleid": TEXT, "useridsource": TEXT, "userid": TEXT, "courseidsource": TEXT, "courseid": TEXT,
    "method": Value(Kind.TEXT, "manual"), "timestart": Value(Kind.INT, 0), "timeend": Value(Kind.INT, 0),
    "suspend": Value(Kind.INT, 0),
}  # fmt: skip
UNENROLMENT: dict[str, Description] = {
    "useridsource": TEXT, "userid": TEXT, "courseidsource": TEXT, "courseid": TEXT, "roleidsource": Value(Kind.TEXT, ""),
    "roleid": Value(Kind.TEXT, ""), "method": Value(Kind.TEXT, "manual"),
}  # fmt: skip
UNASSIGNMENT: dict[str, Description] = {
    "roleidsource": TEXT, "roleid": TEXT, "useridsource": TEXT, "userid": TEXT, "contexttype": TEXT, "instanceidsource": TEXT,
    "instanceid": TEXT, "component": Value(Kind.TEXT, ""),
}  # fmt: skip
ASSIGNMENT: dict[str, Description] = {**UNASSIGNMENT, "shiftrole": Value(Kind.BOOL, False)}
COHORT_LINK: dict[str, Description] = {"chidsource": TEXT, "chid": TEXT, "cidsource": TEXT, "cid": TEXT}
# The source of the course may be left out, though then no course is found.
COHORT_SWITCH: dict[str, Description] = {
    "chidsource": TEXT, "chid": TEXT, "cidsource": Value(Kind.TEXT, "shortname"), "cid": Value(Kind.TEXT, ""),
    "method": Value(Kind.TEXT, "cohort"),
}  # fmt: skip
# The plugin's default for the method is one that it refuses.
COHORT_BIND: dict[str, Description] = {
    **COHORT_LINK, "ridsource": TEXT, "rid": TEXT, "method": Value(Kind.TEXT, "cohort"), "timestart": Value(Kind.INT, 0),
    "timeend": Value(Kind.INT, 0), "suspend": Value(Kind.INT, 0), "makegroup": Value(Kind.INT, 0),
    "extparam1": Value(Kind.TEXT, ""), "extparam2": Value(Kind.TEXT, ""),
}  # fmt: skip
_NAMED = One({"type": _ALPHANUMEXT, "value": RAW})
MEMBERS = Many(One({"cohorttype": _NAMED, "usertype": _NAMED}))
OPTIONS = Many(One({"name": _ALPHANUMEXT, "value": RAW}), default=())

STATUSES = Many(One({"userid": TEXT, "status": BOOL}))
COHORTS = Many(
    One({"id": INT, "name": RAW, "idnumber": RAW, "description": RAW, "descriptionformat": INT, "visible": BOOL})
)
LIGHT_USERS = Many(One({"id": INT, "username": RAW, "firstname": RAW, "lastname": RAW, "idnumber": RAW}))
WARNINGS = One(
    {"warnings": Many(One({"item": _OPTIONAL_RAW, "itemid": _OPTIONAL_INT, "warningcode": RAW, "message": RAW}))}
)
_USER: dict[str, Description] = {
    "id": INT, "username": _OPTIONAL_RAW, "firstname": _OPTIONAL_RAW, "lastname": _OPTIONAL_RAW, "fullname": RAW,
    **dict.fromkeys(
        ("email", "address", "phone1", "phone2", "icq", "skype", "yahoo", "aim", "msn", "department", "institution", "idnumber",
         "interests"), _OPTIONAL_RAW,
    ),
    "firstaccess": _OPTIONAL_INT, "lastaccess": _OPTIONAL_INT, "description": _OPTIONAL_RAW, "descriptionformat": _OPTIONAL_INT,
    **dict.fromkeys(("city", "url", "country", "profileimageurlsmall", "profileimageurl"), _OPTIONAL_RAW),
    "customfields": Many(One({"type": RAW, "value": RAW, "name": RAW, "shortname": RAW}), is_optional=True),
}  # fmt: skip
_PREFERENCES = Many(One({"name": RAW, "value": RAW}), is_optional=True)
MEMBERS_IN_FULL = Many(One({**_USER, "preferences": _PREFERENCES}))
USERS_IN_FULL = Many(
    One(
        {
            **_USER,
            "groups": Many(
                One({"id": INT, "name": RAW, "description": RAW, "descriptionformat": INT}), is_optional=True
            ),
            "roles": Many(One({"roleid": INT, "name": RAW, "shortname": RAW, "sortorder": INT}), is_optional=True),
            "preferences": _PREFERENCES,
            "enrolledcourses": Many(One({"id": INT, "fullname": RAW, "shortname": RAW}), is_optional=True),
        }
    )
)
