"""Delete users, with everything that Moodle deletes along with them, whole sets at a time.

Mirrors: delete_user() of Moodle 4.1 to 5.1; leaves out: events, logs, the data-privacy request, welcome of the recycle bin
Source: spec users.md section 6 (the numbers below are its rows); effects user_delete, user_delete_plain
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.enrolments.unenrol_cleanup import leave_forums, leave_groups
from sync.moodle.files.files import DeletedFiles
from sync.moodle.grades.grades import move_grades_to_history
from sync.moodle.site import caches
from sync.moodle.site.tags import delete_unborne_tags
from sync.moodle.users.contexts import delete_user_context_contents

# Rows that go because they hold the user's id: table, column. Children stand before their parents.
_ROWS_OF_THE_USER = (
    ("auth_lti_linked_login", "userid"),  # 1
    ("auth_oauth2_linked_login", "userid"),  # 1
    ("communication_user", "userid"),  # 1, from 4.2 on
    ("enrol_lti_users", "userid"),  # 4, enrol_lti_plugin::unenrol_user()
    ("competency_usercompcourse", "userid"),  # 6
    ("competency_usercompplan", "userid"),  # 6
    ("cohort_members", "userid"),  # 8
    ("user_preferences", "userid"),  # 8
    ("user_info_data", "userid"),  # 8
    ("user_password_history", "userid"),  # 8
    ("user_lastaccess", "userid"),  # 8
    ("external_tokens", "userid"),  # 8
    ("external_services_users", "userid"),  # 8
    ("user_private_key", "userid"),  # 8
    ("oauth2_refresh_token", "userid"),  # 8
    ("sessions", "userid"),  # 9
    ("tool_monitor_subscriptions", "userid"),  # 12
    ("tool_cohortroles", "userid"),  # 12
)

# Rows that go with a parent row of the user: parent, child, the child's column.
_FAMILIES = (
    ("competency_usercomp", (("competency_evidence", "usercompetencyid"),)),  # 6
    ("competency_userevidence", (("competency_userevidencecomp", "userevidenceid"),)),  # 6
    ("competency_plan", (("competency_plancomp", "planid"),)),  # 6
)

_NOT_IN_USERNAMES = re.compile(r"[^-.@_a-z0-9]")
# user.username holds 100 characters: 89, a point, and ten digits of time.
_PREFIX_LENGTH = 89


class UserToDelete(NamedTuple):
    """What must be known of a user to delete it."""

    id: int
    username: str
    email: str
    idnumber: str
    picture: int
    timemodified: int
    mnethostid: int


class DeletionSummary(NamedTuple):
    """What went. Shape: rows: table -> rows deleted; files: what is to be seen to once the transaction is committed."""

    rows: Mapping[str, int]
    files: DeletedFiles


def delete_users(writer: Writer, users: Sequence[UserToDelete], *, now: int) -> DeletionSummary:
    """Delete users inside the caller's transaction. The caller has refused guest, administrators and operator.

    Units: now: seconds since epoch
    Queries: constant, whatever the number of users
    """
    users = sorted(users)
    userids = [user.id for user in users]
    before = len(writer.before_images)
    files = move_grades_to_history(writer, userids, now=now)
    _delete_tags(writer, userids)
    enrolments = _unenrol_everywhere(writer, userids, now=now)
    assignments = writer.delete_where("role_assignments", "userid", userids)
    for parent, children in _FAMILIES:
        _delete_family(writer, parent, children, userids)
    _delete_calendar_subscriptions(writer, userids)
    for table, column in _ROWS_OF_THE_USER:
        if _has_column(writer.session, table, column):
            writer.delete_where(table, column, userids)
    _revoke_tokens(writer, userids)
    my_pages = writer.session.table("my_pages")
    writer.delete_where("my_pages", "userid", userids, my_pages.c.private == 1)
    files += delete_user_context_contents(writer, userids)
    _rename_away(writer, users, now=now)
    caches.flag_changes(writer, dirty_users={row["userid"] for row in (*enrolments, *assignments)})
    rows: dict[str, int] = {}
    for image in writer.before_images[before:]:
        if image.kind == "delete":
            rows[image.table] = rows.get(image.table, 0) + 1
    return DeletionSummary(rows, files)


def _delete_tags(writer: Writer, userids: Sequence[int]) -> None:
    """Row 3: the user's interests, and tags that nothing bears any more unless they are standard."""
    instance = writer.session.table("tag_instance")
    gone = writer.delete_where(
        "tag_instance", "itemid", userids, instance.c.itemtype == "user", instance.c.component == "core"
    )
    delete_unborne_tags(writer, sorted({row["tagid"] for row in gone}))


def _unenrol_everywhere(writer: Writer, userids: Sequence[int], *, now: int) -> list[dict[str, Any]]:
    """Row 4: unenrol from everything; groups, conversations of groups and forums follow; return the enrolments that went."""
    session = writer.session
    leave_forums(writer, _courses_of(session, userids))
    members = session.table("groups_members")
    dependent_tables = [
        dict(row._mapping)
        for part in batched(userids, MAX_KEYS)
        for row in session.fetch(sa.select(members).where(members.c.userid.in_(part)).order_by(members.c.id))
    ]
    leave_groups(writer, dependent_tables, now=now)
    return writer.delete_where("user_enrolments", "userid", userids)


def _courses_of(session: MoodleSession, userids: Sequence[int]) -> frozenset[tuple[int, int]]:
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    statement = sa.select(enrolment.c.userid, enrol.c.courseid).join(enrol, enrol.c.id == enrolment.c.enrolid)
    return frozenset(
        (userid, courseid)
        for part in batched(userids, MAX_KEYS)
        for userid, courseid in session.fetch(statement.where(enrolment.c.userid.in_(part)))
    )


def _delete_family(writer: Writer, parent: str, children: Collection[tuple[str, str]], userids: Sequence[int]) -> None:
    if not writer.session.database.has_table(parent):
        return
    gone = writer.delete_where(parent, "userid", userids)
    for child, column in children:
        writer.delete_where(child, column, [row["id"] for row in gone])


def _revoke_tokens(writer: Writer, userids: Sequence[int]) -> None:
    """Tokens of the REST API stay, revoked. Source: Moodle's upgrade steps to 5.3, not yet tried on a release"""
    if not writer.session.database.has_table("rest_api_tokens"):
        return
    token = writer.session.table("rest_api_tokens")
    for part in batched(userids, MAX_KEYS):
        found = writer.session.fetch(
            sa.select(token.c.id, token.c.revoked).where(token.c.userid.in_(part), token.c.revoked == 0)
        )
        writer.update_many(
            "rest_api_tokens", [RowChange(row.id, {"revoked": row.revoked}, {"revoked": 1}) for row in found]
        )


def _delete_calendar_subscriptions(writer: Writer, userids: Sequence[int]) -> None:
    """Row 7: imported calendars and the events that they brought."""
    event = writer.session.table("event")
    writer.delete_where("event", "userid", userids, event.c.subscriptionid.is_not(None))
    writer.delete_where("event_subscriptions", "userid", userids)


def _rename_away(writer: Writer, users: Sequence[UserToDelete], *, now: int) -> None:
    """Row 10: the row stays, under a name that nobody logs in with."""
    names = _free_names(writer.session, users, now)
    writer.update_many(
        "user",
        [
            RowChange(
                user.id,
                {
                    "deleted": 0, "username": user.username, "email": user.email, "idnumber": user.idnumber,
                    "picture": user.picture, "timemodified": user.timemodified,
                },
                row_of_deleted(user, name, now=now),
            )
            for user, name in zip(users, names, strict=True)
        ],
    )  # fmt: skip


def row_of_deleted(user: UserToDelete, name: str, *, now: int) -> dict[str, Any]:
    """Return what deletion leaves in the row of a user, under a name that nobody logs in with."""
    return {
        "deleted": 1, "username": name, "email": md5_of(user.username), "idnumber": "", "picture": 0, "timemodified": now,
    }  # fmt: skip


def md5_of(username: str) -> str:
    return hashlib.md5(username.encode(), usedforsecurity=False).hexdigest()


def _free_names(session: MoodleSession, users: Sequence[UserToDelete], now: int) -> list[str]:
    """Names "<email>.<time>", a later second where that is in use on any host or by a user before.

    Queries: one, and one more for each tenfold of seconds that are in use
    """
    is_extended = session.config.get("extendedusernamechars", "0") == "1"
    prefixes = [_prefix(user, is_extended=is_extended) for user in users]
    spare = 4
    while True:
        candidates = {
            prefix: [f"{prefix}.{now + second}" for second in range(count + spare)]
            for prefix, count in Counter(prefixes).items()
        }
        taken = _present_usernames(session, list(chain.from_iterable(candidates.values())))
        free = {prefix: [name for name in names if name not in taken] for prefix, names in candidates.items()}
        if all(len(free[prefix]) >= count for prefix, count in Counter(prefixes).items()):
            unused = {prefix: iter(names) for prefix, names in free.items()}
            return [next(unused[prefix]) for prefix in prefixes]
        spare *= 10


def _prefix(user: UserToDelete, *, is_extended: bool) -> str:
    name = (user.email or f"{user.username}.{user.id}@unknownemail.invalid").lower().strip()
    if not is_extended:
        name = _NOT_IN_USERNAMES.sub("", name)
    return name[:_PREFIX_LENGTH]


def _present_usernames(session: MoodleSession, names: Collection[str]) -> set[str]:
    user, host = session.table("user"), session.table("mnet_host")
    # Moodle's index on usernames begins with the host.
    hostids = [0, *(hostid for (hostid,) in session.fetch(sa.select(host.c.id)))]
    present: set[str] = set()
    for part in batched(sorted(names), MAX_KEYS):
        statement = sa.select(user.c.username).where(user.c.mnethostid.in_(hostids), user.c.username.in_(part))
        present.update(username for (username,) in session.fetch(statement))
    return present


def _has_column(session: MoodleSession, table: str, column: str) -> bool:
    return session.database.has_table(table) and column in session.table(table).c
