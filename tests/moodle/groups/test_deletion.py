"""What goes with groups and groupings beyond what the recorded effects hold: files, messages, custom fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.writer import Writer
from sync.moodle.groups.deletion import delete_groupings, delete_groups
from tests.moodle_sites import MoodleSite

GONE, KEPT = 501, 502


def carry_out(site: MoodleSite, delete: Callable[[Writer], object]) -> None:
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with moodle.session() as session, session.transaction():
        delete(Writer(session))
    moodle.dispose()


def add_custom_field(site: MoodleSite, area: str, instances: tuple[int, ...]) -> None:
    category = site.insert(
        "customfield_category", name="More", component="core_group", area=area, timecreated=1, timemodified=1
    )
    field = site.insert(
        "customfield_field",
        shortname=f"f{area}",
        name="F",
        type="text",
        categoryid=category,
        timecreated=1,
        timemodified=1,
    )
    for instance in instances:
        site.insert(
            "customfield_data",
            fieldid=field,
            instanceid=instance,
            value="x",
            valueformat=0,
            timecreated=1,
            timemodified=1,
        )


def add_file(site: MoodleSite, component: str, area: str, itemid: int) -> None:
    site.insert(
        "files", contenthash=f"{itemid:040}", pathnamehash=f"{component}{area}{itemid:020}", component=component,
        contextid=site.ids["C1 context"], filearea=area, itemid=itemid, filepath="/",
        filename="a.png", filesize=1, timecreated=1, timemodified=1,
    )  # fmt: skip


def test_a_group_goes_with_its_files_messages_and_custom_fields(sqlite_site: MoodleSite) -> None:
    site = sqlite_site
    for groupid in (GONE, KEPT):
        site.insert("groups", id=groupid, courseid=site.ids["C1"], name=f"G{groupid}")
        talk = site.insert(
            "message_conversations", type=2, component="core_group", itemtype="groups", itemid=groupid, timecreated=1
        )
        message = site.insert("messages", conversationid=talk, useridfrom=2, timecreated=1)
        site.insert("message_user_actions", userid=2, messageid=message, action=1, timecreated=1)
        site.insert("message_conversation_actions", userid=2, conversationid=talk, action=1, timecreated=1)
        for area in ("description", "icon"):
            add_file(site, "group", area, groupid)
    add_file(site, "grouping", "description", GONE)
    add_custom_field(site, "group", (GONE, KEPT))
    add_custom_field(site, "grouping", (GONE,))

    carry_out(site, lambda writer: delete_groups(writer, [GONE]))

    assert [row["id"] for row in site.rows("groups")] == [KEPT]
    assert [row["itemid"] for row in site.rows("message_conversations")] == [KEPT]
    for table in ("messages", "message_user_actions", "message_conversation_actions"):
        assert len(site.rows(table)) == 1
    assert {row["itemid"] for row in site.rows("files", component="group")} == {KEPT}
    assert len(site.rows("files", component="grouping")) == 1
    assert sorted(row["instanceid"] for row in site.rows("customfield_data")) == [GONE, KEPT]


@pytest.mark.parametrize("cacherev", [5, 2_000_000_000])
def test_a_grouping_goes_and_its_course_is_read_anew(sqlite_site: MoodleSite, cacherev: int) -> None:
    site = sqlite_site
    for groupingid in (GONE, KEPT):
        site.insert("groupings", id=groupingid, courseid=site.ids["C1"], name=f"G{groupingid}")
        site.insert("groupings_groups", groupingid=groupingid, groupid=7)
        add_file(site, "grouping", "description", groupingid)
    add_custom_field(site, "grouping", (GONE, KEPT))
    site.execute("UPDATE {course} SET cacherev = :rev", rev=cacherev)
    untouched = site.one("course", id=site.ids["C2"])

    carry_out(site, lambda writer: delete_groupings(writer, [GONE], now=1_700_000_000))

    assert [row["id"] for row in site.rows("groupings")] == [KEPT]
    assert [row["groupingid"] for row in site.rows("groupings_groups")] == [KEPT]
    assert [row["itemid"] for row in site.rows("files", component="grouping")] == [KEPT]
    assert [row["instanceid"] for row in site.rows("customfield_data")] == [KEPT]
    assert site.one("course", id=site.ids["C1"])["cacherev"] == max(cacherev + 1, 1_700_000_000)
    assert site.one("course", id=site.ids["C2"]) == untouched
