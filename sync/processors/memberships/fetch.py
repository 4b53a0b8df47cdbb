"""The reads of a chunk about courses, roles, enrolments, groups and cohorts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sync.moodle.cohorts.cohorts import fetch_cohort_members, fetch_cohorts
from sync.moodle.courses.defaults import enabled_methods
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import folding
from sync.moodle.db.user_rows import UserRows
from sync.moodle.enrolments.enrolments import EnrolInstance, fetch_instances, fetch_meta_children, fetch_user_enrolments
from sync.moodle.enrolments.forums import ALLOW_FORCE_SUBSCRIBE, Forum, fetch_forum_subscriptions, fetch_initial_forums
from sync.moodle.enrolments.roles import fetch_permissions, fetch_role_assignments, fetch_roles
from sync.moodle.groups.groups import Group, fetch_conversation_members, fetch_group_members, fetch_groups
from sync.processors.base.overlay import FoundRows, Overlay, Table, Wanted, is_temporary
from sync.processors.memberships.named import fetch_named_courses
from sync.processors.memberships.names import listed, with_listed
from sync.processors.memberships.state import (
    COHORT_MEMBERS,
    COHORTS,
    ENROLMENTS,
    GROUP_MEMBERS,
    GROUPS,
    METHODS,
    ROLES,
    SUBSCRIPTIONS,
    TALKERS,
    MembershipState,
    MetaSettings,
    UnenrolAction,
    roles_by_shortname,
)

# Methods that name the group in which they put people.
_FILLING = ("cohort", "meta")


def fetch_memberships(
    moodle: MoodleSession,
    overlay: Overlay,
    *,
    course_identifier: str = "shortname",
    courses: Collection[str] = (),
    groups: Collection[tuple[str, str]] = (),
    cohort_names: Collection[str] = (),
    cohort_idnumbers: Collection[str] = (),
    cohort_ids: Collection[int] = (),
    userids: Collection[int] | None = (),
    all_groups: bool = False,
    system_roles: bool = False,
    role_contextids: Collection[int] = (),
    of_methods: bool = False,
) -> MembershipState:
    """Read all that the rows of a chunk name.

    Shape: courses: identifiers as typed; groups: (course as typed, group name); userids: users that are there or that earlier
    chunks would have made, or None for everybody who is in the courses and cohorts; all_groups: whether to read all groups of
    the courses; system_roles: whether to read the roles that they hold for the whole site; role_contextids: further contexts of
    which their roles are read; of_methods: whether rows are about the methods themselves: then the cohorts keep who is in them,
    so that no other course matters in which they are enrolled, and the groups that any of the methods fills are read
    Queries: none without courses, cohorts and roles; nine for courses, plus two for cohorts, one when a group has a
    conversation, one when a course has meta children and two when a forum subscribes people
    """
    courses = {*filter(None, courses)}
    cohort_names, cohort_idnumbers = (with_listed(filter(None, names)) for names in (cohort_names, cohort_idnumbers))
    reads_roles = bool(courses or system_roles or role_contextids)
    if not (reads_roles or cohort_names or cohort_idnumbers or cohort_ids):
        return MembershipState(course_identifier=course_identifier)
    state = MembershipState(
        course_identifier=course_identifier,
        operatorid=moodle.operatorid,
        system_contextid=moodle.system_contextid,
        cohort_has_theme="theme" in moodle.table("cohort").c,
        enabled_methods=enabled_methods(moodle),
        meta=_meta_settings(moodle.plugin_config("enrol_meta")),
        cohort_unenrol_action=_unenrol_action(moodle.plugin_config("enrol_cohort"), UnenrolAction.UNENROL),
        recovers_grades=moodle.config.get("recovergradesdefault", "0") not in ("", "0"),
    )
    state = replace(
        state,
        courses_named=fetch_named_courses(moodle, overlay, course_identifier, courses),
        roles=roles_by_shortname(fetch_roles(moodle)) if reads_roles else {},
        cohorts=overlay.over(
            _compared(moodle, COHORTS),
            fetch_cohorts(moodle, cohort_names, cohort_idnumbers, cohort_ids),
            {("name",): cohort_names, ("idnumber",): cohort_idnumbers},
        ),
    )
    courseids = {course.id for found in state.courses_named.values() for course in found}
    state, synced = _with_methods(moodle, overlay, state, courseids, of_methods=of_methods)
    pairs = (
        None
        if all_groups
        else {
            (course.id, part)
            for text, name in groups
            for course in state.courses_named.get(text, ())
            for part in (name, *listed(name))
        }
    )
    found = _fetch_groups(moodle, courseids, pairs, synced)
    conversations = {group.id: group.conversationid for group in found if group.conversationid is not None}
    state = _with_forums(moodle, replace(state, conversations=conversations))
    groupids = [group.id for group in found]
    contextids = {*role_contextids, *([state.system_contextid] if system_roles else [])}
    rows = _fetch_rows(moodle, overlay, state, groupids, userids, role_contextids=contextids)
    wanted: Wanted = {("courseid",): courseids} if pairs is None else {("courseid", "name"): pairs}
    laid_over = _groups_over(overlay, _compared(moodle, GROUPS), found, wanted, rows[GROUP_MEMBERS.name])
    return replace(state, rows=rows, groups=laid_over)


def _meta_settings(config: Mapping[str, str]) -> MetaSettings:
    roleids = (text for text in config.get("nosyncroleids", "").split(",") if text.isdecimal())
    syncall = config.get("syncall", "1") not in ("", "0")
    return MetaSettings(
        syncall, frozenset(map(int, roleids)), _unenrol_action(config, UnenrolAction.SUSPEND_WITHOUT_ROLES)
    )


def _unenrol_action(config: Mapping[str, str], default: UnenrolAction) -> UnenrolAction:
    try:
        return UnenrolAction(int(config["unenrolaction"]))
    except (KeyError, ValueError):
        return default


def _compared(moodle: MoodleSession, table: Table) -> Table:
    """Return a table of named things whose names are compared as the server does."""
    return replace(table, folds={name: folding(moodle, table.name, name) for name in ("name", "idnumber")})


def _with_methods(
    moodle: MoodleSession,
    overlay: Overlay,
    state: MembershipState,
    courseids: Collection[int],
    *,
    of_methods: bool,
) -> tuple[MembershipState, list[EnrolInstance]]:
    """Add the methods of the courses, the courses where the cohorts are enrolled, and the meta children of both.

    Shape: state, methods into which the chunk may copy people by itself
    """
    named = {course.id: course for courses in state.courses_named.values() for course in courses}
    cohortids = [cohortid for cohortid in state.cohorts.rows if not is_temporary(cohortid)]
    found = fetch_instances(moodle, list(courseids), () if of_methods else cohortids)
    touched = named | {course.id: course for _instance, course in found if course.id not in named}
    children = fetch_meta_children(moodle, list(touched)) if "meta" in state.enabled_methods else []
    # Whether somebody who leaves a child is still enrolled there only the other methods of the child tell.
    found += fetch_instances(moodle, list({course.id for _instance, course in children} - touched.keys()))
    courses = {course.id: course for _instance, course in children} | touched
    synced = [
        instance
        for instance, _ in found
        if of_methods or (instance.enrol == "cohort" and instance.customint1 in cohortids)
    ]
    methods = {instance.id: instance._asdict() for instance, _course in found}
    return (
        replace(state, courses=courses, methods=overlay.over(METHODS, methods, {("courseid",): courses})),
        synced + [instance for instance, _course in children],
    )


def _fetch_groups(
    moodle: MoodleSession,
    courseids: Collection[int],
    pairs: Collection[tuple[int, str]] | None,
    synced: Collection[EnrolInstance],
) -> list[Group]:
    """Return the groups of these names in these courses (None: all of them), and those that methods fill."""
    filled = {instance.customint2 for instance in synced if instance.enrol in _FILLING} - {0}
    if pairs is None:
        return fetch_groups(moodle, courseids, None, filled)
    return fetch_groups(moodle, {courseid for courseid, _name in pairs}, {name for _courseid, name in pairs}, filled)


def _groups_over(
    overlay: Overlay,
    table: Table,
    found: Collection[Group],
    wanted: Wanted,
    members: FoundRows,
) -> FoundRows:
    """Return groups as earlier chunks would leave them, with the new ones of which users would be members."""
    read = {group.id: group._asdict() for group in found}
    for row in read.values():
        del row["conversationid"]
    joined = [groupid for groupid, _userid in members.rows if is_temporary(groupid)]
    return overlay.over(table, read, wanted, keys=joined)


def _with_forums(moodle: MoodleSession, state: MembershipState) -> MembershipState:
    forums: dict[int, tuple[Forum, ...]] = {}
    for forum in fetch_initial_forums(moodle, state.courses) if state.courses else ():
        forums[forum.courseid] = (*forums.get(forum.courseid, ()), forum)
    paths = {forum.path for of_course in forums.values() for forum in of_course}
    contextids = {int(contextid) for path in paths for contextid in path.split("/") if contextid}
    return replace(state, forums=forums, permissions=fetch_permissions(moodle, ALLOW_FORCE_SUBSCRIBE, contextids))


def _fetch_rows(
    moodle: MoodleSession,
    overlay: Overlay,
    state: MembershipState,
    groupids: Collection[int],
    userids: Collection[int] | None,
    *,
    role_contextids: Collection[int],
) -> dict[str, FoundRows]:
    """Read the enrolments, roles and memberships that users have where the chunk may change some: table -> rows."""
    present = None if userids is None else [userid for userid in userids if not is_temporary(userid)]
    enrolids, cohortids = (
        [key for key in rows.rows if not is_temporary(key)] for rows in (state.methods, state.cohorts)
    )
    contextids = {*(course.contextid for course in state.courses.values()), *role_contextids}
    forumids = [forum.id for forums in state.forums.values() for forum in forums]
    read: list[tuple[Table, UserRows]] = [
        (ENROLMENTS, fetch_user_enrolments(moodle, enrolids, present)),
        (ROLES, fetch_role_assignments(moodle, contextids, present)),
        (GROUP_MEMBERS, fetch_group_members(moodle, groupids, present)),
        (TALKERS, fetch_conversation_members(moodle, set(state.conversations.values()), present)),
        (COHORT_MEMBERS, fetch_cohort_members(moodle, cohortids, present)),
        (SUBSCRIPTIONS, fetch_forum_subscriptions(moodle, forumids, present)),
    ]
    wanted: Wanted = {("userid",): userids or ()}
    return {table.name: overlay.over(table, rows, wanted, everything=userids is None) for table, rows in read}
