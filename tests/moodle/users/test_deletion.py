"""Deleting users takes what Moodle takes, and nothing of anybody else."""

from __future__ import annotations

import base64
import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.db.writer import BeforeImage, Writer
from sync.moodle.files.files import BlobsLeft, DeletedFiles, trash_unreferenced_blobs
from sync.moodle.schemas import load_schema
from sync.moodle.users.deletion import DeletionSummary, UserToDelete, delete_users
from tests.moodle_sites import MoodleSite, Snapshot

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")

NOW = 1_800_000_000
GOING, STAYING = 5001, 5002

# Things that belong to nobody in particular.
GROUP, GROUP_TALK, OTHER_TALK, FORUM_LEFT, FORUM_ELSEWHERE, GRADE_ITEM, SHARED_TAG = range(901, 908)


class Deletion(NamedTuple):
    summary: DeletionSummary
    images: list[BeforeImage]
    statements: list[str]


@contextmanager
def opened(site: MoodleSite) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    try:
        with database.session() as session:
            yield session
    finally:
        database.dispose()


def delete(site: MoodleSite, *userids: int, then: Callable[[], object] = lambda: None) -> Deletion:
    users = [UserToDelete(*(site.one("user", id=userid)[name] for name in UserToDelete._fields)) for userid in userids]
    with opened(site) as session:
        statements: list[str] = []

        def note(connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
            # Tables are reflected on connections of their own, once.
            if connection is session.connection:
                statements.append(statement)

        sa.event.listen(session.database.engine, "before_cursor_execute", note)
        writer = Writer(session)
        with session.transaction():
            summary = delete_users(writer, users, now=NOW)
            then()
        return Deletion(summary, list(writer.before_images), statements)


def undo(site: MoodleSite, images: Sequence[BeforeImage]) -> None:
    """Put back by hand what before-images say, the last write first."""
    with opened(site) as session, session.transaction():
        for kind, name, rowid, row, _after, _lines in reversed(images):
            table = session.table(name)
            if kind == "delete":
                session.connection.execute(sa.insert(table).values(dict(row)))
            elif kind == "update":
                session.connection.execute(sa.update(table).where(table.c.id == rowid).values(dict(row)))
            else:
                session.connection.execute(sa.delete(table).where(table.c.id == rowid))


def fill(site: MoodleSite, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows; columns that must have a value and aren't named become 0 or empty. Unknown tables and columns are left out."""
    schema = load_schema(site.version).tables.get(table)
    if schema is None:
        return
    empty = {
        column.name: "" if column.type in ("char", "text") else 0
        for column in schema.columns
        if column.name != "id" and not column.nullable and column.default is None
    }
    known = {column.name for column in schema.columns}
    complete = [{**empty, **{name: value for name, value in row.items() if name in known}} for row in rows]
    target = sa.table(site.prefix + table, *(sa.column(name) for name in complete[0]))
    with site.engine.begin() as connection:
        if site.engine_name == "sqlite":
            # Left alone it commits each row.
            connection.exec_driver_sql("BEGIN")
        connection.execute(sa.insert(target), complete)


def add_users(site: MoodleSite, userids: Sequence[int], **values: Any) -> None:
    fill(
        site, "user",
        [
            {
                "id": userid, "mnethostid": 1, "username": f"user{userid}", "email": f"User {userid}@x.org", "city": "Lyon",
                "idnumber": f"N{userid}", "picture": 7, "confirmed": 1, "timemodified": 1, "auth": "manual",
            } | values
            for userid in userids
        ],
    )  # fmt: skip
    fill(
        site, "context",
        [
            {"id": 1000 * userid, "contextlevel": 30, "instanceid": userid, "path": f"/1/{1000 * userid}", "depth": 2}
            for userid in userids
        ],
    )  # fmt: skip


def add_shared_things(site: MoodleSite) -> None:
    course, other = site.ids["C1"], site.ids["C2"]
    fill(site, "groups", [{"id": GROUP, "courseid": course, "name": "G", "timemodified": 1}])
    fill(
        site, "message_conversations",
        [
            {"id": GROUP_TALK, "type": 2, "component": "core_group", "itemtype": "groups", "itemid": GROUP, "enabled": 1},
            {"id": OTHER_TALK, "type": 1, "component": None, "itemtype": None, "itemid": None, "enabled": 1},
        ],
    )  # fmt: skip
    fill(site, "forum", [{"id": FORUM_LEFT, "course": course}, {"id": FORUM_ELSEWHERE, "course": other}])
    fill(site, "grade_items", [{"id": GRADE_ITEM, "courseid": course, "itemtype": "manual"}])
    fill(site, "tag", [{"id": SHARED_TAG, "tagcollid": 1, "name": "shared", "isstandard": 0}])


def going_with(site: MoodleSite, userid: int) -> dict[str, list[dict[str, Any]]]:
    """Return a row of everything that goes with a user. Shape: ids: 1000 times the user's id, and a number."""
    own = 1000 * userid
    context, block_context, block, digest = own, own + 1, own + 2, f"{userid:064x}"
    return {
        "auth_lti_linked_login": [{"userid": userid, "issuer256": digest, "sub256": digest}],
        "auth_oauth2_linked_login": [{"userid": userid, "issuerid": 1, "username": f"u{userid}"}],
        "communication_user": [{"userid": userid, "commid": 1}],
        "grade_grades": [{"userid": userid, "itemid": GRADE_ITEM, "finalgrade": "7.5", "feedback": "Well done", "hidden": 1}],
        "tag": [{"tagcollid": 1, "name": f"own{userid}", "isstandard": 0}],
        "tag_instance": [
            {"id": own, "tagid": own, "component": "core", "itemtype": "user", "itemid": userid, "contextid": context},
            {"id": own + 1, "tagid": own + 1, "component": "core", "itemtype": "user", "itemid": userid, "contextid": context},
            {"id": own + 2, "tagid": SHARED_TAG, "component": "core", "itemtype": "user", "itemid": userid, "contextid": context},
        ],
        "user_enrolments": [{"userid": userid, "enrolid": site.ids["C1 manual"]}],
        "role_assignments": [
            {"id": own, "userid": userid, "roleid": 5, "contextid": site.ids["C1 context"]},
            {"id": own + 1, "userid": userid, "roleid": 5, "contextid": 1, "component": "tool_x"},
            {"id": own + 2, "userid": 2, "roleid": 5, "contextid": context},
        ],
        "groups_members": [{"userid": userid, "groupid": GROUP}],
        "message_conversation_members": [{"userid": userid, "conversationid": GROUP_TALK}],
        "forum_subscriptions": [{"userid": userid, "forum": FORUM_LEFT}],
        "forum_digests": [{"userid": userid, "forum": FORUM_LEFT}],
        "forum_track_prefs": [{"userid": userid, "forumid": FORUM_LEFT}],
        "forum_read": [{"userid": userid, "forumid": FORUM_LEFT}],
        "user_lastaccess": [{"userid": userid, "courseid": site.ids["C1"]}],
        "competency_usercomp": [{"userid": userid, "competencyid": 1}],
        "competency_evidence": [{"usercompetencyid": own}],
        "competency_usercompcourse": [{"userid": userid, "courseid": 1, "competencyid": 1}],
        "competency_usercompplan": [{"userid": userid, "planid": own, "competencyid": 1}],
        "competency_userevidence": [{"userid": userid}],
        "competency_userevidencecomp": [{"userevidenceid": own, "competencyid": 1}],
        "competency_plan": [{"userid": userid}],
        "competency_plancomp": [{"planid": own, "competencyid": 1}],
        "event": [{"userid": userid, "subscriptionid": own}],
        "event_subscriptions": [{"userid": userid}],
        "cohort_members": [{"userid": userid, "cohortid": 1}],
        "user_preferences": [{"userid": userid, "name": "htmleditor", "value": "x"}],
        "user_info_data": [{"userid": userid, "fieldid": site.ids["dept"], "data": "Maths"}],
        "user_password_history": [{"userid": userid}],
        "external_tokens": [{"userid": userid, "token": digest}],
        "external_services_users": [{"userid": userid}],
        "user_private_key": [{"userid": userid, "script": "core_files", "value": digest}],
        "oauth2_refresh_token": [{"userid": userid, "issuerid": 1}],
        "sessions": [{"userid": userid, "sid": digest}],
        "my_pages": [{"userid": userid, "private": 1}],
        "tool_monitor_subscriptions": [{"userid": userid}],
        "tool_cohortroles": [{"userid": userid, "cohortid": 1, "roleid": 5}],
        "context": [
            {"id": block_context, "contextlevel": 80, "instanceid": block, "path": f"/1/{context}/{block_context}", "depth": 3},
        ],
        "block_instances": [{"id": block, "blockname": "html", "parentcontextid": context}],
        "block_positions": [{"blockinstanceid": block, "contextid": context}],
        "filter_active": [{"contextid": context, "filter": "emoticon"}],
        "filter_config": [{"contextid": context, "filter": "emoticon"}],
        "comments": [{"contextid": context, "userid": 2}],
        "rating": [{"contextid": context, "userid": 2}],
        "role_names": [{"contextid": context, "roleid": 5}],
        "role_capabilities": [{"contextid": context, "roleid": 5, "capability": "a/b:c"}],
        "repository_instances": [{"contextid": context}],
        "repository_instance_config": [{"instanceid": own}],
        "grading_areas": [{"contextid": context}],
        "grading_definitions": [{"areaid": own}],
        "files": [
            a_file(own, context, "user", f"private {userid}"),
            a_file(own + 1, block_context, "block_html", f"block {userid}"),
            a_file(own + 2, site.ids["C1 context"], "grade", f"feedback {userid}", filearea="feedback", itemid=own),
        ],
    }  # fmt: skip


def staying_after(site: MoodleSite, userid: int) -> dict[str, list[dict[str, Any]]]:
    """Return rows of a user that outlive it; their ids follow those of `going_with`."""
    own = 1000 * userid
    return {
        "tag": [{"id": own + 1, "tagcollid": 1, "name": f"standard{userid}", "isstandard": 1}],
        "message_conversation_members": [{"id": own + 1, "userid": userid, "conversationid": OTHER_TALK}],
        "forum_subscriptions": [{"id": own + 1, "userid": userid, "forum": FORUM_ELSEWHERE}],
        "forum_read": [{"id": own + 1, "userid": userid, "forumid": FORUM_ELSEWHERE}],
        "event": [{"id": own + 1, "userid": userid, "subscriptionid": None}],
        "my_pages": [{"id": own + 1, "userid": userid, "private": 0}],
        "comments": [{"id": own + 1, "userid": userid, "contextid": 1}],
        "forum_posts": [{"id": own, "userid": userid, "message": "Hello"}],
        "files": [a_file(own + 3, 1, "mod_forum", f"post {userid}", userid=userid)],
    }


def a_file(rowid: int, contextid: int, component: str, content: str, **values: Any) -> dict[str, Any]:
    return {
        "id": rowid, "contextid": contextid, "component": component, "filearea": "private", "itemid": 0, "filepath": "/",
        "filename": "f.txt", "contenthash": sha1(content), "pathnamehash": sha1(str(rowid)), "filesize": len(content),
    } | values  # fmt: skip


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def furnish(site: MoodleSite, userids: Sequence[int]) -> None:
    for things in (going_with, staying_after):
        for table in things(site, userids[0]):
            fill(
                site, table, [{"id": 1000 * userid, **row} for userid in userids for row in things(site, userid)[table]]
            )


def owned_by(snapshot: Snapshot, userid: int) -> set[tuple[str, int]]:
    return {(table, rowid) for table, rows in snapshot.items() for rowid in rows if rowid // 1000 == userid}


@pytest.fixture
def furnished(moodle_site: MoodleSite) -> MoodleSite:
    add_shared_things(moodle_site)
    add_users(moodle_site, (GOING, STAYING))
    furnish(moodle_site, (GOING, STAYING))
    return moodle_site


def test_what_belongs_to_the_user_goes_and_what_others_see_of_it_stays(furnished: MoodleSite) -> None:
    delete(furnished, GOING)

    staying = staying_after(furnished, GOING)
    assert owned_by(furnished.snapshot(), GOING) == {
        ("context", 1000 * GOING),
        *((table, row["id"]) for table, rows in staying.items() for row in rows),
    }


def test_rows_of_other_users_are_untouched(furnished: MoodleSite) -> None:
    before = furnished.snapshot()

    delete(furnished, GOING)

    changes = furnished.diff(before, furnished.snapshot())
    assert {row["id"] // 1000 for change in changes.values() for row in change["deleted"]} == {GOING}
    assert {table for table, change in changes.items() if change["inserted"]} == {"cache_flags", "grade_grades_history"}
    assert {(table, row["id"]) for table, change in changes.items() for row in change["updated"]} == {
        ("user", GOING),
        ("groups", GROUP),
    }


def test_the_user_stays_under_a_name_that_nobody_logs_in_with(furnished: MoodleSite) -> None:
    before = furnished.one("user", id=GOING)

    delete(furnished, GOING)

    assert furnished.one("user", id=GOING) == before | {
        "deleted": 1, "username": f"user{GOING}@x.org.{NOW}", "idnumber": "", "picture": 0, "timemodified": NOW,
        "email": hashlib.md5(f"user{GOING}".encode(), usedforsecurity=False).hexdigest(),
    }  # fmt: skip


def test_grades_are_kept_in_the_history(furnished: MoodleSite) -> None:
    grade = furnished.one("grade_grades", userid=GOING)

    delete(furnished, GOING)

    kept = furnished.one("grade_grades_history", userid=GOING)
    common = kept.keys() & grade.keys() - {"id", "timemodified"}
    assert {name: kept[name] for name in common} == {name: grade[name] for name in common}
    assert {name: kept[name] for name in kept.keys() - common - {"id"}} == {
        "action": 3, "oldid": grade["id"], "source": "userdelete", "timemodified": NOW, "loggeduser": 2,
    }  # fmt: skip


def test_no_history_is_written_where_the_site_keeps_none(sqlite_site: MoodleSite) -> None:
    add_shared_things(sqlite_site)
    add_users(sqlite_site, [GOING])
    furnish(sqlite_site, [GOING])
    sqlite_site.execute("DELETE FROM {config} WHERE name = 'disablegradehistory'")
    sqlite_site.insert("config", name="disablegradehistory", value="1")

    delete(sqlite_site, GOING)

    assert sqlite_site.rows("grade_grades") == sqlite_site.rows("grade_grades_history") == []


def test_groups_left_by_several_users_are_touched_once(furnished: MoodleSite) -> None:
    deletion = delete(furnished, GOING, STAYING)

    assert furnished.one("groups", id=GROUP)["timemodified"] == NOW
    assert [image.id for image in deletion.images if image.table == "groups"] == [GROUP]


def test_sessions_learn_that_the_access_of_the_user_changed(furnished: MoodleSite) -> None:
    before = furnished.snapshot()

    delete(furnished, GOING)

    flags = furnished.diff(before, furnished.snapshot())["cache_flags"]["inserted"]
    assert [(flag["flagtype"], flag["name"]) for flag in flags] == [("accesslib/dirtyusers", str(GOING))]


def test_a_tag_goes_with_the_last_user_that_bears_it(furnished: MoodleSite) -> None:
    delete(furnished, GOING)
    assert furnished.rows("tag", id=SHARED_TAG)

    delete(furnished, STAYING)
    assert not furnished.rows("tag", id=SHARED_TAG)


def test_the_before_images_give_everything_back(furnished: MoodleSite) -> None:
    before = furnished.snapshot()
    deletion = delete(furnished, GOING, STAYING)
    assert furnished.diff(before, furnished.snapshot())

    undo(furnished, deletion.images)

    assert furnished.diff(before, furnished.snapshot()) == {}


def test_the_summary_counts_what_went(furnished: MoodleSite) -> None:
    before = furnished.snapshot()

    summary = delete(furnished, GOING, STAYING).summary

    changes = furnished.diff(before, furnished.snapshot())
    assert summary.rows == {table: len(change["deleted"]) for table, change in changes.items() if change["deleted"]}
    contents = [f"{kind} {userid}" for kind in ("private", "block", "feedback") for userid in (GOING, STAYING)]
    assert summary.files.sizes == {sha1(content): len(content) for content in contents}


def test_a_deletion_that_fails_leaves_everything_as_it_was(furnished: MoodleSite) -> None:
    before = furnished.snapshot()

    with pytest.raises(ZeroDivisionError):
        delete(furnished, GOING, then=lambda: 1 / 0)

    assert furnished.diff(before, furnished.snapshot()) == {}


def test_deleting_nobody_writes_nothing(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()

    assert delete(moodle_site).images == []

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_the_number_of_queries_does_not_grow_with_the_users(sqlite_site: MoodleSite) -> None:
    everybody = range(5001, 5062)
    add_shared_things(sqlite_site)
    add_users(sqlite_site, everybody)
    furnish(sqlite_site, everybody)

    # As many rows a statement: with one user each flag is inserted, with many as well.
    counts = []
    for part in ([5001], range(5002, 5012), range(5012, 5062)):
        # A group that was touched this very second isn't touched again.
        sqlite_site.execute("UPDATE {groups} SET timemodified = 1")
        counts.append(len(delete(sqlite_site, *part).statements))

    assert len(set(counts)) == 1, counts


# --- the new username ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"email": "Ann.B-C_d@X.Org"}, "ann.b-c_d@x.org"),
        ({"email": " ann+x é@x.org "}, "annx@x.org"),
        ({"email": "", "username": "anna"}, f"anna.{GOING}@unknownemail.invalid"),
        ({"email": "a" * 95 + "@x"}, "a" * 89),
        ({"email": "+++" + "a" * 95}, "a" * 89),
        ({"email": "+"}, ""),
    ],
)
def test_the_new_username_is_the_cleaned_address_and_the_time(
    sqlite_site: MoodleSite, values: dict[str, str], expected: str
) -> None:
    add_users(sqlite_site, [GOING], **values)

    delete(sqlite_site, GOING)

    assert sqlite_site.one("user", id=GOING)["username"] == f"{expected}.{NOW}"


def test_a_site_that_allows_any_character_in_usernames_keeps_them(moodle_site: MoodleSite) -> None:
    moodle_site.execute("DELETE FROM {config} WHERE name = 'extendedusernamechars'")
    moodle_site.insert("config", name="extendedusernamechars", value="1")
    add_users(moodle_site, [GOING], email="Élé+ one@x.org")

    delete(moodle_site, GOING)

    assert moodle_site.one("user", id=GOING)["username"] == f"élé+ one@x.org.{NOW}"


def test_a_username_that_is_taken_on_any_host_gets_a_later_time(moodle_site: MoodleSite) -> None:
    add_users(moodle_site, [GOING, STAYING], email="same@x.org")
    for second, host in ((0, 1), (1, 2), (3, 1)):
        moodle_site.insert("user", username=f"same@x.org.{NOW + second}", mnethostid=host, deleted=1)

    delete(moodle_site, GOING, STAYING)

    assert [moodle_site.one("user", id=userid)["username"] for userid in (GOING, STAYING)] == [
        f"same@x.org.{NOW + 2}", f"same@x.org.{NOW + 4}",
    ]  # fmt: skip
    assert moodle_site.one("user", id=STAYING)["timemodified"] == NOW


# --- blobs ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dataroot(tmp_path: Path) -> Path:
    (tmp_path / "filedir").mkdir(mode=0o777)
    (tmp_path / "filedir").chmod(0o2777)
    return tmp_path


def put_blob(dataroot: Path, content: str) -> Path:
    path = blob(dataroot, content)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    return path


def blob(dataroot: Path, content: str, folder: str = "filedir") -> Path:
    digest = sha1(content)
    return dataroot / folder / digest[:2] / digest[2:4] / digest


def trash(site: MoodleSite, dataroot: Path | None, *contents: str) -> BlobsLeft:
    with opened(site) as session:
        return trash_unreferenced_blobs(session, dataroot, DeletedFiles({sha1(text): len(text) for text in contents}))


def test_a_blob_is_trashed_when_no_row_refers_to_it(moodle_site: MoodleSite, dataroot: Path) -> None:
    fill(moodle_site, "files", [a_file(1_000_000, 1, "x", "kept")])
    kept, orphan = put_blob(dataroot, "kept"), put_blob(dataroot, "orphan")

    trash(moodle_site, dataroot, "kept", "orphan")

    assert kept.read_text() == "kept"
    assert not orphan.exists()
    assert blob(dataroot, "orphan", "trashdir").read_text() == "orphan"


def test_a_blob_that_lies_in_the_trash_already_is_only_removed(sqlite_site: MoodleSite, dataroot: Path) -> None:
    orphan, trashed = put_blob(dataroot, "orphan"), blob(dataroot, "orphan", "trashdir")
    trashed.parent.mkdir(parents=True)
    trashed.write_text("orphan")

    trash(sqlite_site, dataroot, "orphan")

    assert (orphan.exists(), trashed.read_text()) == (False, "orphan")


def test_a_blob_that_is_gone_already_is_no_trouble(sqlite_site: MoodleSite, dataroot: Path) -> None:
    assert trash(sqlite_site, dataroot, "gone").bytes_left == 0


def test_without_the_data_folder_the_bytes_that_remain_are_told(sqlite_site: MoodleSite) -> None:
    fill(sqlite_site, "files", [a_file(1_000_000, 1, "x", "kept")])

    assert trash(sqlite_site, None, "kept", "orphan") == BlobsLeft(0, len("orphan"))


def test_empty_files_and_folders_have_no_blob_to_trash(sqlite_site: MoodleSite) -> None:
    add_users(sqlite_site, [GOING])
    fill(sqlite_site, "files", [a_file(1_000_000, 1000 * GOING, "user", "", filename=".")])

    assert delete(sqlite_site, GOING).summary.files == DeletedFiles({})


# --- what is easily forgotten ---------------------------------------------------------------------------------------------


def test_a_user_without_access_anywhere_needs_no_flag(moodle_site: MoodleSite) -> None:
    """Source: effects user_delete_plain"""
    add_users(moodle_site, [GOING])
    before = moodle_site.snapshot()

    delete(moodle_site, GOING)

    assert moodle_site.diff(before, moodle_site.snapshot()).keys() == {"user"}


def test_the_number_of_queries_does_not_grow_with_users_of_one_address(sqlite_site: MoodleSite) -> None:
    add_users(sqlite_site, range(5001, 5302), email="same@x.org")

    alone = delete(sqlite_site, 5001)
    many = delete(sqlite_site, *range(5002, 5302))

    assert len({row["username"] for row in sqlite_site.rows("user", deleted=1)}) == 301
    assert len(many.statements) <= len(alone.statements) + 2


def test_positions_of_other_blocks_on_pages_of_the_user_go(sqlite_site: MoodleSite) -> None:
    """Mirrors: blocks_delete_all_for_context()"""
    add_users(sqlite_site, [GOING, STAYING])
    for userid in (GOING, STAYING):
        fill(sqlite_site, "block_positions", [{"id": userid, "blockinstanceid": 1, "contextid": 1000 * userid}])

    delete(sqlite_site, GOING)

    assert [row["id"] for row in sqlite_site.rows("block_positions")] == [STAYING]


def test_what_others_prefer_about_blocks_of_the_user_goes(sqlite_site: MoodleSite) -> None:
    """Mirrors: blocks_delete_instance()"""
    add_users(sqlite_site, [GOING, STAYING])
    fill(sqlite_site, "block_instances", [{"id": 77, "parentcontextid": 1000 * GOING}])
    names = ("block77hidden", "docked_block_instance_77", "block7hidden")
    fill(sqlite_site, "user_preferences", [{"userid": STAYING, "name": name, "value": "1"} for name in names])

    delete(sqlite_site, GOING)

    assert [row["name"] for row in sqlite_site.rows("user_preferences", userid=STAYING)] == ["block7hidden"]


def test_correlations_of_a_tag_go_with_it(sqlite_site: MoodleSite) -> None:
    """Mirrors: core_tag_tag::delete_tags()"""
    add_shared_things(sqlite_site)
    add_users(sqlite_site, [GOING])
    furnish(sqlite_site, [GOING])
    fill(
        sqlite_site,
        "tag_correlation",
        [{"tagid": SHARED_TAG, "correlatedtags": "1"}, {"tagid": 1, "correlatedtags": "2"}],
    )

    delete(sqlite_site, GOING)

    assert [row["tagid"] for row in sqlite_site.rows("tag_correlation")] == [1]


def test_the_tie_to_a_published_lti_tool_goes(sqlite_site: MoodleSite) -> None:
    """Mirrors: enrol_lti_plugin::unenrol_user()"""
    add_users(sqlite_site, [GOING, STAYING])
    enrol = sqlite_site.insert("enrol", enrol="lti", courseid=sqlite_site.ids["C1"])
    fill(sqlite_site, "enrol_lti_tools", [{"id": 1, "enrolid": enrol}])
    for table, column, value in (("user_enrolments", "enrolid", enrol), ("enrol_lti_users", "toolid", 1)):
        fill(sqlite_site, table, [{"userid": userid, column: value} for userid in (GOING, STAYING)])

    delete(sqlite_site, GOING)

    assert [row["userid"] for row in sqlite_site.rows("enrol_lti_users")] == [STAYING]


@pytest.mark.parametrize(("overridden", "state"), [(None, 0), (2, 2)])
def test_an_activity_that_is_complete_by_a_grade_is_so_no_more(
    sqlite_site: MoodleSite, overridden: int | None, state: int
) -> None:
    """Mirrors: completion_info::inform_grade_changed(); one that a teacher completed by hand stays."""
    course = sqlite_site.ids["C1"]
    add_users(sqlite_site, [GOING, STAYING])
    sqlite_site.execute("UPDATE {course} SET enablecompletion = 1 WHERE id = :id", id=course)
    quiz = sqlite_site.one("modules", name="quiz")["id"] if sqlite_site.rows("modules", name="quiz") else None
    if quiz is None:
        quiz = sqlite_site.insert("modules", name="quiz")
    module = {"course": course, "module": quiz, "instance": 9, "completion": 2}
    fill(
        sqlite_site, "course_modules",
        [{"id": 71, **module, "completiongradeitemnumber": 0}, {"id": 72, **module, "completiongradeitemnumber": None}],
    )  # fmt: skip
    fill(
        sqlite_site, "grade_items",
        [{"id": GRADE_ITEM, "courseid": course, "itemtype": "mod", "itemmodule": "quiz", "iteminstance": 9, "itemnumber": 0}],
    )  # fmt: skip
    fill(sqlite_site, "grade_grades", [{"userid": userid, "itemid": GRADE_ITEM} for userid in (GOING, STAYING)])
    fill(
        sqlite_site, "course_modules_completion",
        [
            {"coursemoduleid": cm, "userid": userid, "completionstate": 2, "overrideby": overridden, "timemodified": 1}
            for userid in (GOING, STAYING)
            for cm in (71, 72)
        ],
    )  # fmt: skip

    deletion = delete(sqlite_site, GOING)

    rows = sqlite_site.rows("course_modules_completion")
    assert [(row["userid"], row["coursemoduleid"], row["completionstate"]) for row in rows] == [
        (GOING, 71, state), (GOING, 72, 2), (STAYING, 71, 2), (STAYING, 72, 2),
    ]  # fmt: skip
    assert rows[0]["timemodified"] == (NOW if state == 0 else 1)
    assert len([image for image in deletion.images if image.table == "course_modules_completion"]) == (state == 0)


def test_aliases_of_a_private_file_become_files_of_their_own(moodle_site: MoodleSite) -> None:
    """Mirrors: stored_file::delete(): a course shows a private file of its teacher, also when the teacher is gone."""
    add_users(moodle_site, [GOING, STAYING])
    for userid in (GOING, STAYING):
        source = a_file(1000 * userid, 1000 * userid, "user", "text", filename="é f.txt")
        # PHP's serialisation, where lengths count bytes. Source: file_storage::pack_reference()
        place = (
            f'a:6:{{s:9:"contextid";i:{1000 * userid};s:9:"component";s:4:"user";s:6:"itemid";i:0;'
            's:8:"filearea";s:7:"private";s:8:"filepath";s:1:"/";s:8:"filename";s:8:"é f.txt";}'
        )
        reference = base64.b64encode(place.encode()).decode()
        fill(
            moodle_site,
            "files_reference",
            [{"id": userid, "repositoryid": 4, "reference": reference, "referencehash": sha1(reference)}],
        )
        alias = a_file(1000 * userid + 1, 1, "mod_resource", "text", filename="alias.txt", referencefileid=userid)
        fill(moodle_site, "files", [{**source, "referencefileid": None}, alias])
    before = moodle_site.snapshot()

    deletion = delete(moodle_site, GOING)

    alias, other = moodle_site.rows("files", filename="alias.txt")
    assert (alias["referencefileid"], other["referencefileid"]) == (None, STAYING)
    assert [row["id"] for row in moodle_site.rows("files_reference")] == [STAYING]
    undo(moodle_site, deletion.images)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_a_reference_goes_with_the_last_alias_of_the_user(sqlite_site: MoodleSite) -> None:
    add_users(sqlite_site, [GOING, STAYING])
    fill(
        sqlite_site,
        "files_reference",
        [{"id": number, "repositoryid": 4, "referencehash": str(number)} for number in (1, 2)],
    )
    fill(
        sqlite_site, "files",
        [
            a_file(1, 1000 * GOING, "user", "a", referencefileid=1), a_file(2, 1000 * GOING, "user", "b", referencefileid=2),
            a_file(3, 1000 * STAYING, "user", "b", referencefileid=2),
        ],
    )  # fmt: skip

    delete(sqlite_site, GOING)

    assert [row["id"] for row in sqlite_site.rows("files_reference")] == [2]


def test_moodle_may_write_into_the_trash_as_it_may_into_the_file_pool(sqlite_site: MoodleSite, dataroot: Path) -> None:
    put_blob(dataroot, "orphan")

    trash(sqlite_site, dataroot, "orphan")

    trashed = blob(dataroot, "orphan", "trashdir")
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(trashed.parents)[:3]} == {0o2777}


def test_a_blob_that_cannot_be_moved_is_told_and_stops_nothing(sqlite_site: MoodleSite, dataroot: Path) -> None:
    put_blob(dataroot, "orphan")
    (dataroot / "trashdir").write_text("not a folder")

    assert trash(sqlite_site, dataroot, "orphan") == BlobsLeft(0, len("orphan"))


def test_rows_are_written_in_the_order_of_their_ids(sqlite_site: MoodleSite) -> None:
    add_users(sqlite_site, [GOING, STAYING])
    for rowid, userid in ((9, GOING), (8, STAYING), (7, GOING)):
        fill(sqlite_site, "user_lastaccess", [{"id": rowid, "userid": userid, "courseid": rowid}])

    deletion = delete(sqlite_site, STAYING, GOING)

    for table in ("user_lastaccess", "user"):
        ids = [image.id or 0 for image in deletion.images if image.table == table]
        assert ids == sorted(ids)


def test_many_users_go_in_one_transaction_of_a_worker_that_just_started(sqlite_site: MoodleSite) -> None:
    """SQLite lets nobody read, and so no table be reflected, once a transaction outgrew its memory."""
    everybody = range(5001, 5401)
    add_shared_things(sqlite_site)
    add_users(sqlite_site, everybody)
    furnish(sqlite_site, everybody)
    long = "x" * 4000
    fill(
        sqlite_site,
        "user_preferences",
        [{"userid": userid, "name": f"p{n}", "value": long} for userid in everybody for n in range(8)],
    )

    delete(sqlite_site, *everybody)

    assert len(sqlite_site.rows("user", deleted=1)) == 400
