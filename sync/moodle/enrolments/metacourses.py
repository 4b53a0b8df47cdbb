"""What reaches metacourses as soon as people lose an enrolment or a role in a course that these copy.

Mirrors: enrol_meta_handler::sync_with_parent_course(), as far as something is lost; what only comes is left to Moodle's task
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.defaults import enabled_methods
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED, SUSPENDED
from sync.moodle.enrolments.unenrol_cleanup import leave_groups, unenrol_cleanup
from sync.moodle.files.files import DeletedFiles
from sync.moodle.site import caches
from sync.moodle.versions import CONTEXT_COURSE

META = "meta"
# enrol_meta's setting unenrolaction. Source: ENROL_EXT_REMOVED_* in Moodle's lib/enrollib.php
UNENROL, KEEP, SUSPEND, SUSPEND_AND_TAKE_ROLES = "0", "1", "2", "3"

Pair = tuple[int, int]
_Row = dict[str, Any]


class MetaLink(NamedTuple):
    """A meta method: the course that copies people, and the one that it copies. Shape: status: a disabled one gives no roles"""

    id: int
    courseid: int
    parentid: int
    status: int


class Copies(NamedTuple):
    """What the people of meta methods have by them. Shape: by (enrolid, userid)"""

    enrolments: dict[Pair, _Row]
    roles: dict[Pair, list[_Row]]


class Originals(NamedTuple):
    """What people have in the courses that are copied. Shape: by (courseid, userid)"""

    enrolments: dict[Pair, list[_Row]]
    roleids: dict[Pair, set[int]]


def fetch_copied(session: MoodleSession, courseids: Collection[int]) -> set[Pair]:
    """Return whom metacourses have taken from courses. Shape: (userid, courseid of the copied course)"""
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    statement = (
        sa.select(enrolment.c.userid, enrol.c.customint1)
        .join(enrol, enrol.c.id == enrolment.c.enrolid)
        .where(enrol.c.enrol == META, session.in_clause(enrol.c.customint1, courseids))
    )
    return {(userid, courseid) for userid, courseid in session.fetch(statement)}


def unenrol_action(session: MoodleSession) -> str:
    """Return what the site does with people whose enrolment in the copied course has gone."""
    return session.plugin_config("enrol_meta").get("unenrolaction", "") or SUSPEND_AND_TAKE_ROLES


def follow_in_metacourses(
    writer: Writer, pairs: Collection[Pair], *, now: int, are_going: Collection[int] = ()
) -> DeletedFiles:
    """Bring what metacourses copy of people down to what these have left in the courses that are copied.

    Shape: pairs: (userid, courseid) of people who lost an enrolment or a role; are_going: courses that are about to be deleted:
    nobody has anything left in them, whatever their rows say
    Units: now: seconds since epoch
    Queries: constant, whatever the number of people and courses; one where no metacourse copies the courses
    """
    session = writer.session
    # While the plugin is off, its task sees to people later; of courses that go it is done at once.
    if not pairs or (META not in enabled_methods(session) and not are_going):
        return DeletedFiles()
    links = [
        link
        for link in _fetch_links(session, {courseid for _userid, courseid in pairs})
        if link.courseid not in are_going
    ]
    if not links:
        return DeletedFiles()
    by_parent: dict[int, list[MetaLink]] = {}
    for link in links:
        by_parent.setdefault(link.parentid, []).append(link)
    concerned = [(link, userid) for userid, courseid in sorted(pairs) for link in by_parent.get(courseid, ())]
    userids = sorted({userid for _link, userid in concerned})
    originals = _fetch_originals(session, sorted(by_parent.keys() - set(are_going)), userids)
    following = _Following(writer, _fetch_copies(session, links, userids), originals, now)
    for link, userid in concerned:
        following.follow(link, userid)
    return following.write()


class _Following:
    """Collects what metacourses take from people."""

    def __init__(self, writer: Writer, copies: Copies, originals: Originals, now: int) -> None:
        self._writer = writer
        self._copies = copies
        self._originals = originals
        self._now = now
        config = writer.session.plugin_config("enrol_meta")
        self._action = unenrol_action(writer.session)
        self._copies_all = config.get("syncall", "1") not in ("", "0")
        self._not_copied = {int(text) for text in config.get("nosyncroleids", "").split(",") if text.isdecimal()}
        self._gone: list[tuple[MetaLink, _Row]] = []
        self._changes: list[RowChange] = []
        self._roles: list[_Row] = []
        self._users: set[int] = set()

    def follow(self, link: MetaLink, userid: int) -> None:
        """Take what somebody no more has in the copied course."""
        copy = self._copies.enrolments.get((link.id, userid))
        if copy is None:
            return
        enrolments = self._originals.enrolments.get((link.parentid, userid), [])
        roleids = self._originals.roleids.get((link.parentid, userid), set()) - self._not_copied
        if not enrolments or not (roleids or self._copies_all):
            self._leave(link, copy)
            return
        active = [row for row in enrolments if row["status"] == ACTIVE and row["method_status"] == ENABLED]
        ends = [row["timeend"] for row in active]
        values: dict[str, int] = {"status": ACTIVE if active else SUSPENDED}
        if active:
            values["timestart"] = min(row["timestart"] for row in active)
            values["timeend"] = 0 if 0 in ends else max(ends)
        self._change(copy, values)
        if self._action != SUSPEND:
            kept = roleids if active and link.status == ENABLED else set()
            roles = self._copies.roles.get((link.id, userid), [])
            self._take_roles([row for row in roles if row["roleid"] not in kept])

    def write(self) -> DeletedFiles:
        """Write what was collected; give the files to be seen to after the commit."""
        writer, session = self._writer, self._writer.session
        files = DeletedFiles()
        writer.delete_many("role_assignments", sorted(self._roles, key=lambda row: row["id"]))
        writer.update_many("user_enrolments", self._changes)
        if self._gone:
            member = session.table("groups_members")
            own = {(link.id, row["userid"]) for link, row in self._gone}
            statement = sa.select(member).where(
                member.c.component == "enrol_meta",
                session.in_clause(member.c.itemid, sorted({link for link, _user in own})),
            )
            memberships = [dict(row._mapping) for row in session.fetch(statement.order_by(member.c.id))]
            leave_groups(writer, [row for row in memberships if (row["itemid"], row["userid"]) in own], now=self._now)
            writer.delete_many("user_enrolments", [row for _link, row in self._gone])
            files = unenrol_cleanup(writer, {(row["userid"], link.courseid) for link, row in self._gone}, now=self._now)
        caches.flag_changes(writer, dirty_users=self._users)
        return files

    def _leave(self, link: MetaLink, copy: _Row) -> None:
        """Mirrors: enrol_meta_handler::user_not_supposed_to_be_here()"""
        if self._action in (UNENROL, SUSPEND_AND_TAKE_ROLES):
            self._take_roles(self._copies.roles.get((link.id, copy["userid"]), []))
        if self._action == UNENROL:
            self._gone.append((link, copy))
            self._users.add(copy["userid"])
        elif self._action in (SUSPEND, SUSPEND_AND_TAKE_ROLES):
            self._change(copy, {"status": SUSPENDED})

    def _change(self, copy: _Row, values: Mapping[str, int]) -> None:
        after = {name: value for name, value in values.items() if copy[name] != value}
        if after:
            after |= {"modifierid": self._writer.session.operatorid, "timemodified": self._now}
            self._changes.append(RowChange(copy["id"], {name: copy[name] for name in after}, after))
            self._users.add(copy["userid"])

    def _take_roles(self, rows: list[_Row]) -> None:
        self._roles += rows
        self._users.update(row["userid"] for row in rows)


def _fetch_links(session: MoodleSession, courseids: Collection[int]) -> list[MetaLink]:
    enrol = session.table("enrol")
    statement = (
        sa.select(enrol.c.id, enrol.c.courseid, enrol.c.customint1, enrol.c.status)
        .where(enrol.c.enrol == META, session.in_clause(enrol.c.customint1, sorted(courseids)))
        .where(enrol.c.courseid != enrol.c.customint1)
        .order_by(enrol.c.id)
    )
    return [MetaLink(*row) for row in session.fetch(statement)]


def _fetch_copies(session: MoodleSession, links: Collection[MetaLink], userids: Collection[int]) -> Copies:
    enrolment, assignment = session.table("user_enrolments"), session.table("role_assignments")
    ids = [link.id for link in links]
    enrolments = session.fetch(
        sa.select(enrolment).where(
            session.in_clause(enrolment.c.enrolid, ids), session.in_clause(enrolment.c.userid, userids)
        )
    )
    roles = session.fetch(
        sa.select(assignment)
        .where(assignment.c.component == "enrol_meta", session.in_clause(assignment.c.itemid, ids))
        .where(session.in_clause(assignment.c.userid, userids))
    )
    by_pair: dict[Pair, list[_Row]] = {}
    for row in roles:
        by_pair.setdefault((row.itemid, row.userid), []).append(dict(row._mapping))
    return Copies({(row.enrolid, row.userid): dict(row._mapping) for row in enrolments}, by_pair)


def _fetch_originals(session: MoodleSession, courseids: Collection[int], userids: Collection[int]) -> Originals:
    """Meta enrolments and the roles that come with them aren't copied any further."""
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    assignment, context = session.table("role_assignments"), session.table("context")
    enrolments: dict[Pair, list[_Row]] = {}
    for row in session.fetch(
        sa.select(enrol.c.courseid, enrol.c.status.label("method_status"), enrolment)
        .join(enrol, enrol.c.id == enrolment.c.enrolid)
        .where(enrol.c.enrol.in_(sorted(enabled_methods(session) - {META})))
        .where(session.in_clause(enrol.c.courseid, courseids), session.in_clause(enrolment.c.userid, userids))
    ):
        enrolments.setdefault((row.courseid, row.userid), []).append(dict(row._mapping))
    roleids: dict[Pair, set[int]] = {}
    for courseid, userid, roleid in session.fetch(
        sa.select(context.c.instanceid, assignment.c.userid, assignment.c.roleid)
        .join(context, context.c.id == assignment.c.contextid)
        .where(context.c.contextlevel == CONTEXT_COURSE, session.in_clause(context.c.instanceid, courseids))
        .where(assignment.c.component != "enrol_meta", session.in_clause(assignment.c.userid, userids))
    ):
        roleids.setdefault((courseid, userid), set()).add(roleid)
    return Originals(enrolments, roleids)
