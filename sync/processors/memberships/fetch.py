"""The reads of a chunk about courses, roles, enrolments, groups and cohorts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sync.moodle.cohorts.cohorts import fetch_cohort_members, fetch_cohorts
from sync.moodle.courses.courses import fetch_courses
from sync.moodle.courses.defaults import enabled_methods
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import folding
from sync.moodle.enrolments.enrolments import EnrolInstance, fetch_instances, fetch_meta_children, fetch_user_enrolments
from sync.moodle.enrolments.forums import ALLOW_FORCE_SUBSCRIBE, Forum, fetch_forum_subscriptions, fetch_initial_forums
from sync.moodle.enrolments.roles import fetch_permissions, fetch_role_assignments, fetch_roles
from sync.moodle.groups.groups import Group, fetch_conversation_members, fetch_group_members, fetch_groups
from sync.processors.base.memory import Memory
from sync.processors.memberships.memory import recall
from sync.processors.memberships.state import MembershipState, MetaSettings, Rows, UnenrolAction, roles_by_shortname


def fetch_memberships(
    moodle: MoodleSession,
    memory: Memory,
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
) -> MembershipState:
    """Read all that the rows of a chunk name.

    Shape: courses: identifiers as typed; groups: (course as typed, group name); userids: accounts that are there, and
    in a simulation the negative ids of those that earlier chunks would have made, or None for everybody who is in the
    courses and cohorts; all_groups: whether to read all groups of the courses; system_roles: whether to read the roles that
    they hold for the whole site
    Queries: none without courses, cohorts and system roles; nine for courses, plus two for cohorts, one when a group has a
    conversation, one when a course has meta children and two when a forum subscribes people
    """
    courses, cohort_names, cohort_idnumbers = ({*filter(None, v)} for v in (courses, cohort_names, cohort_idnumbers))
    if not (courses or cohort_names or cohort_idnumbers or cohort_ids or system_roles):
        return MembershipState(course_identifier=course_identifier)
    state = MembershipState(
        course_identifier=course_identifier,
        operatorid=moodle.operatorid,
        system_contextid=moodle.system_contextid,
        cohort_has_theme="theme" in moodle.table("cohort").c,
        enabled_methods=enabled_methods(moodle),
        meta=_meta_settings(moodle.plugin_config("enrol_meta")),
        cohort_when_gone=_when_gone(moodle.plugin_config("enrol_cohort"), UnenrolAction.UNENROL),
        recovers_grades=moodle.config.get("recovergradesdefault", "0") not in ("", "0"),
        fold_group=folding(moodle, "groups", "name"),
        fold_cohort=folding(moodle, "cohort", "name"),
    )
    state = replace(
        state,
        courses_named=fetch_courses(moodle, course_identifier, courses),
        roles=roles_by_shortname(fetch_roles(moodle)) if courses or system_roles else {},
        cohorts=tuple(fetch_cohorts(moodle, cohort_names, cohort_idnumbers, cohort_ids)),
    )
    state = _with_methods(moodle, state)
    state = replace(state, groups=_fetch_groups(moodle, state, None if all_groups else set(groups)))
    state = _with_forums(moodle, state)
    present = None if userids is None else [userid for userid in userids if userid > 0]
    state = replace(state, rows=_fetch_rows(moodle, state, present, system_roles=system_roles))
    return recall(
        memory,
        state,
        groups=groups,
        cohort_names=cohort_names,
        cohort_idnumbers=cohort_idnumbers,
        userids=userids,
    )


def _meta_settings(config: Mapping[str, str]) -> MetaSettings:
    roleids = (text for text in config.get("nosyncroleids", "").split(",") if text.isdecimal())
    syncall = config.get("syncall", "1") not in ("", "0")
    return MetaSettings(syncall, frozenset(map(int, roleids)), _when_gone(config, UnenrolAction.SUSPEND_WITHOUT_ROLES))


def _when_gone(config: Mapping[str, str], default: UnenrolAction) -> UnenrolAction:
    try:
        return UnenrolAction(int(config["unenrolaction"]))
    except (KeyError, ValueError):
        return default


def _with_methods(moodle: MoodleSession, state: MembershipState) -> MembershipState:
    """Add the methods of the courses, the courses where the cohorts are enrolled, and the meta children of both."""
    named = {course.id: course for courses in state.courses_named.values() for course in courses}
    cohortids = [cohort.id for cohort in state.cohorts]
    found = fetch_instances(moodle, list(named), cohortids)
    touched = named | {course.id: course for _instance, course in found if course.id not in named}
    children = fetch_meta_children(moodle, list(touched)) if "meta" in state.enabled_methods else []
    # Whether somebody who leaves a child is still enrolled there only the other methods of the child tell.
    found += fetch_instances(moodle, list({course.id for _instance, course in children} - touched.keys()))
    instances: dict[int, list[EnrolInstance]] = {}
    bound: dict[int, list[EnrolInstance]] = {}
    for instance, _course in found:
        instances.setdefault(instance.courseid, []).append(instance)
        if instance.enrol == "cohort" and instance.customint1 in cohortids:
            bound.setdefault(instance.customint1, []).append(instance)
    by_parent: dict[int, list[EnrolInstance]] = {}
    for instance, _course in children:
        by_parent.setdefault(instance.customint1, []).append(instance)
    return replace(
        state,
        courses={course.id: course for _instance, course in children} | touched,
        instances={courseid: tuple(methods) for courseid, methods in instances.items()},
        cohort_instances={cohortid: tuple(methods) for cohortid, methods in bound.items()},
        meta_children={courseid: tuple(methods) for courseid, methods in by_parent.items()},
    )


def _synced(state: MembershipState) -> list[EnrolInstance]:
    """The methods into which the chunk may copy people by itself."""
    return [
        instance
        for by_source in (state.cohort_instances, state.meta_children)
        for instances in by_source.values()
        for instance in instances
    ]


def _fetch_groups(
    moodle: MoodleSession, state: MembershipState, wanted: set[tuple[str, str]] | None
) -> dict[int, Group]:
    names = None if wanted is None else {name for _text, name in wanted}
    texts = state.courses_named if wanted is None else {text for text, _name in wanted}
    courseids = {course.id for text in texts for course in state.courses_named.get(text, ())}
    synced = {instance.customint2 for instance in _synced(state)} - {0}
    return {group.id: group for group in fetch_groups(moodle, courseids, names, synced)}


def _with_forums(moodle: MoodleSession, state: MembershipState) -> MembershipState:
    forums: dict[int, tuple[Forum, ...]] = {}
    for forum in fetch_initial_forums(moodle, state.courses) if state.courses else ():
        forums[forum.courseid] = (*forums.get(forum.courseid, ()), forum)
    paths = {forum.path for of_course in forums.values() for forum in of_course}
    contextids = {int(contextid) for path in paths for contextid in path.split("/") if contextid}
    return replace(state, forums=forums, permissions=fetch_permissions(moodle, ALLOW_FORCE_SUBSCRIBE, contextids))


def _fetch_rows(
    moodle: MoodleSession, state: MembershipState, userids: Collection[int] | None, *, system_roles: bool
) -> dict[str, Rows]:
    """Read what the users belong to already, in everything that the chunk may touch."""
    enrolids = {instance.id for instances in state.instances.values() for instance in instances}
    enrolids |= {instance.id for instance in _synced(state)}
    contextids = [course.contextid for course in state.courses.values()]
    contextids += [state.system_contextid] if system_roles else []
    conversationids = {group.conversationid for group in state.groups.values() if group.conversationid is not None}
    forumids = [forum.id for forums in state.forums.values() for forum in forums]
    return {
        "user_enrolments": fetch_user_enrolments(moodle, enrolids, userids),
        "role_assignments": fetch_role_assignments(moodle, contextids, userids),
        "groups_members": fetch_group_members(moodle, state.groups, userids),
        "message_conversation_members": fetch_conversation_members(moodle, conversationids, userids),
        "cohort_members": fetch_cohort_members(moodle, [cohort.id for cohort in state.cohorts], userids),
        "forum_subscriptions": fetch_forum_subscriptions(moodle, forumids, userids),
    }
