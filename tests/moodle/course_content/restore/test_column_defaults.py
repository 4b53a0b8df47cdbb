"""What Moodle's restore writes into rows where that isn't what the archive says: archives of other versions and sites."""

from __future__ import annotations

import json
import re
from hashlib import sha1
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sync.moodle.course_content.restore.single_forums import _strip_tags, message_counts
from tests.moodle.course_content.backup.archives import FILES, MANIFEST, activity, backup, file_row, manifest, tar_gz
from tests.moodle.course_content.backups import BackupFiles
from tests.moodle.course_content.furniture import insert
from tests.moodle.course_content.rich_backup import category, entry, row, xml
from tests.soundness import assert_sound
from tests.support import MoodleSite, RunResult, run_file

HEADER = "shortname;fullname;template"
ALWAYS = 69_904
PARTICIPANTS = [
    {"selectiontype": "all", "selectionid": "all", "role": "viewer"},
    {"selectiontype": "role", "selectionid": "3", "role": "moderator"},
    {"selectiontype": "role", "selectionid": "987654", "role": "moderator"},
    {"selectiontype": "user", "selectionid": "2", "role": "moderator"},
]
INFOREF = b"<inforef><fileref><file><id>9</id></file></fileref></inforef>"
INTRO = '<p>Say <b>he</b>llo, all&nbsp;of <i>you</i>:</p><p>now</p><img src="@@PLUGINFILE@@/picture.png" alt="x">'


def member(module: str, cmid: int, within: str = "", **values: Any) -> dict[str, bytes]:
    """Return the files of an activity of an archive."""
    moduled = {"modulename": module, "sectionid": 5, "sectionnumber": 1, "visible": 1, "idnumber": "", **values}
    folder = f"activities/{module}_{cmid}"
    return {
        f"{folder}/{module}.xml": activity(module, within, cmid=cmid, instance=cmid * 10, contextid=cmid + 100),
        f"{folder}/module.xml": row("module", cmid, **moduled).encode(),
    }


def cells(**values: Any) -> str:
    return "".join(xml(name, "$@NULL@$" if value is None else str(value)) for name, value in values.items())


def packed(activities: dict[tuple[str, int], dict[str, bytes]], **more: Any) -> bytes:
    named = tuple(activities)
    members = {**backup(activities=named)}
    for files in activities.values():
        members |= files
    listed = {key: value for key, value in more.items() if key.startswith("original_") or key.endswith("_version")}
    members[MANIFEST] = manifest(activities=named, **listed)
    members |= more.get("members", {})
    return tar_gz(members)


def restore(site: MoodleSite, tmp_path: Path, content: bytes, name: str = "NEW", **options: Any) -> RunResult:
    (tmp_path / "filedir").mkdir(exist_ok=True)
    fullname = next((each["fullname"] for each in site.rows("course", shortname=name)), "New")
    text = f"{HEADER}\n{name};{fullname};old.mbz\n"
    result = run_file(
        site,
        "courses",
        text,
        dataroot=tmp_path,
        file_area=BackupFiles({"old.mbz": content}),
        leaveoutunknown=True,
        **options,
    )
    assert "rejected" not in result.counts, result.report
    return result


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    moodle_site.execute(
        "DELETE FROM {context} WHERE contextlevel = 80 AND instanceid NOT IN (SELECT id FROM {block_instances})"
    )
    return moodle_site


EACH_VERSION = pytest.mark.parametrize("moodle_site", ["sqlite:4.1", "sqlite:4.5", "sqlite:5.1"], indirect=True)
ONE_VERSION = pytest.mark.parametrize("moodle_site", ["sqlite:4.5"], indirect=True)


@EACH_VERSION
def test_what_an_older_archive_lacks_is_what_moodle_puts_there(site: MoodleSite, tmp_path: Path) -> None:
    site.execute(
        "DELETE FROM {config_plugins} WHERE plugin IN ('quiz', 'folder') AND name IN ('overduehandling', 'showexpanded')"
    )
    for plugin, name, value in (("quiz", "overduehandling", "graceperiod"), ("folder", "showexpanded", "0")):
        site.insert("config_plugins", plugin=plugin, name=name, value=value)
    content = packed({
        ("quiz", 8): member("quiz", 8, cells(reviewmarks=4352, sumgrades=1, grade=1)),
        ("quiz", 9): member("quiz", 9, cells(
            reviewmaxmarks=4096, overduehandling="autoabandon", browsersecurity="securewindow", preferredbehaviour="adaptive",
        )),
        ("folder", 10): member("folder", 10), ("assign", 11): member("assign", 11, cells(grade=5)),
        ("bigbluebuttonbn", 12): member("bigbluebuttonbn", 12),
    }, members={"groups.xml": xml("groups", row("group", 4, name="G", idnumber="", enrolmentkey="")).encode()})  # fmt: skip

    restore(site, tmp_path, content)

    old, new = site.rows("quiz")
    assert (old["overduehandling"], old["browsersecurity"], old["preferredbehaviour"]) == (
        "graceperiod", "-", "deferredfeedback",
    )  # fmt: skip
    assert (new["overduehandling"], new["browsersecurity"], new["preferredbehaviour"]) == (
        "autoabandon", "securewindow", "adaptive",
    )  # fmt: skip
    if site.version != "4.1":
        assert (old["reviewmaxmarks"], new["reviewmaxmarks"]) == (ALWAYS, 4096)
        assert (old["precreateattempts"] if site.version == "5.1" else None) is None
        assert site.one("assign")["markinganonymous"] == 0
        assert site.one("bigbluebuttonbn")["showpresentation"] == 1
        (group,) = site.rows("groups", name="G")
        assert (group["participation"], group["visibility"]) == (1, 0)
    assert site.one("folder")["showexpanded"] == 0
    assert_sound(site, "NEW")


@EACH_VERSION
def test_the_discussion_of_a_single_forum_is_mailed_to_nobody_and_has_the_files_of_its_text(
    site: MoodleSite, tmp_path: Path
) -> None:
    picture = file_row(contextid="108", component="mod_forum", filearea="intro")
    content = packed(
        {("forum", 8): member("forum", 8, cells(type="single", intro=INTRO.replace("&", "&amp;").replace("<", "&lt;"),
                                                introformat=1, assessed=1))},
        members={FILES: picture, "activities/forum_8/inforef.xml": INFOREF},
    )  # fmt: skip

    restore(site, tmp_path, content)

    forum = site.one("forum", type="single")
    discussion = site.one("forum_discussions", forum=forum["id"])
    post = site.one("forum_posts", discussion=discussion["id"])
    assert (discussion["assessed"], discussion["firstpost"]) == (0, post["id"])
    assert (post["mailed"], post["messagetrust"], post["message"]) == (1, 1, INTRO)
    assert (post["wordcount"], post["charcount"]) == (6, len("Sayhello,all\xa0ofyou:now"))
    intro, copied = (site.rows("files", component="mod_forum", filearea=area) for area in ("intro", "post"))
    assert [(row["filename"], row["contenthash"], row["contextid"]) for row in copied] == [
        (row["filename"], row["contenthash"], row["contextid"]) for row in intro
    ]
    assert {row["filename"] for row in copied} == {".", "picture.png"}
    assert {row["itemid"] for row in copied} == {post["id"]}
    for row_ in copied:
        path = f"/{row_['contextid']}/mod_forum/post/{post['id']}/{row_['filename']}"
        assert row_["pathnamehash"] == sha1(path.encode()).hexdigest()


@pytest.mark.parametrize(
    ("message", "words", "letters"),
    [
        ("", None, None), ("one", 1, 3), ("<p>one</p><p>two</p>", 2, 6), ("<b>o</b>ne<br>two", 2, 6), ("a &amp; b", 3, 3),
        ("word\u2014word \u2013 word", 3, 14), ("a\xa0b", 2, 3), ("<!-- no --> yes", 1, 3),
        ("<ul><li>a</li><li>b</li></ul>", 2, 2),
    ],
)  # fmt: skip
def test_words_and_letters_are_counted_as_moodle_does(message: str, words: int | None, letters: int | None) -> None:
    assert message_counts(message) == {"wordcount": words, "charcount": letters}


@EACH_VERSION
def test_roles_are_found_by_what_the_archive_says_of_them(site: MoodleSite, tmp_path: Path) -> None:
    teacher = site.one("role", shortname="editingteacher")["id"]
    own = insert(site, "role", {"shortname": "tutor", "name": "", "sortorder": 77})
    criteria = "".join(
        row("course_completion_criteria", number, criteriatype=7, role=role, roleshortname=name)
        for number, (role, name) in enumerate([(44, "tutor"), (3, None), (44, "nobody"), (teacher, "student")], start=1)
    )
    content = packed(
        {("bigbluebuttonbn", 8): member("bigbluebuttonbn", 8, cells(participants=json.dumps(PARTICIPANTS)))},
        members={"completion.xml": f"<course_completion>{criteria}</course_completion>".encode()},
    )

    restore(site, tmp_path, content)

    course = site.one("course", shortname="NEW")["id"]
    student = site.one("role", shortname="student")["id"]
    assert [each["role"] for each in site.rows("course_completion_criteria", course=course)] == [own, student]
    kept = json.loads(site.one("bigbluebuttonbn")["participants"])
    assert kept == PARTICIPANTS[:2]


@ONE_VERSION
def test_filters_that_are_off_are_not_set_up(site: MoodleSite, tmp_path: Path) -> None:
    site.execute("DELETE FROM {filter_active}")
    system = site.one("context", contextlevel=10)["id"]
    for name, active in (("on", 1), ("available", -1), ("off", -9999)):
        site.insert("filter_active", filter=name, contextid=system, active=active, sortorder=1)
    names = ("on", "available", "off", "nosuch", "filter/on2")
    actives = "".join(row("filter_active", None, filter=name, active=1) for name in names)
    configs = "".join(row("filter_config", None, filter=name, name="n", value="v") for name in names)
    filters = xml("filters", xml("filter_actives", actives), xml("filter_configs", configs))

    restore(site, tmp_path, packed({("page", 7): {}}, members={"course/filters.xml": filters.encode()}))

    context = site.one("context", contextlevel=50, instanceid=site.one("course", shortname="NEW")["id"])["id"]
    assert sorted(each["filter"] for each in site.rows("filter_active", contextid=context)) == ["available", "on"]
    assert sorted(each["filter"] for each in site.rows("filter_config", contextid=context)) == ["available", "on"]


@EACH_VERSION
def test_badges_tools_and_idnumbers_are_as_moodle_leaves_them(site: MoodleSite, tmp_path: Path) -> None:
    criterion = row("criterion", 5, criteriatype=0, method=1, description=None, descriptionformat=None)
    badge = row("badge", 4, xml("criteria", criterion), name="B", description="", type=2, status=1, expireperiod=None)
    items = {
        number: row(
            "grade_item", 20 + number, categoryid=None, itemname="I", itemtype="mod", itemmodule="assign",
            iteminstance=number * 10, itemnumber=0, idnumber=idnumber, gradetype=1,
        )
        for number, idnumber in ((8, ""), (9, "N"), (10, "N"))
    }  # fmt: skip
    graded = {
        f"activities/assign_{number}/grades.xml": xml("activity_gradebook", xml("grade_items", item)).encode()
        for number, item in items.items()
    }
    content = packed(
        {
            **{
                ("assign", number): member("assign", number, cells(grade=5), idnumber="N" if number == 9 else "")
                for number in items
            },
            ("lti", 11): member("lti", 11, cells(typeid=None, toolurl="https://x.example")),
        },
        members={**graded, "badges.xml": xml("badges", badge).encode()},
    )  # fmt: skip

    restore(site, tmp_path, content)

    course = site.one("course", shortname="NEW")["id"]
    assert [(each["description"], each["descriptionformat"]) for each in site.rows("badge_criteria")] == [("", 0)]
    assert site.one("lti")["typeid"] == 0
    numbers = [each["idnumber"] for each in site.rows("grade_items", courseid=course, itemtype="mod")]
    assert numbers == [None, "N", None]


@ONE_VERSION
def test_idnumbers_of_a_course_stay_its_own_where_content_is_added(site: MoodleSite, tmp_path: Path) -> None:
    item = row(
        "grade_item", 28, itemtype="mod", itemmodule="assign", iteminstance=80, itemnumber=0, idnumber="N", gradetype=1
    )
    content = packed(
        {("assign", 8): member("assign", 8, cells(grade=5), idnumber="N")},
        members={"activities/assign_8/grades.xml": xml("activity_gradebook", xml("grade_items", item)).encode()},
    )
    restore(site, tmp_path, content)
    site.execute("UPDATE {assign} SET name = 'Other'")

    restore(site, tmp_path, content, forceupdate=True, templatemode="1")

    moduleid = site.one("modules", name="assign")["id"]
    assert [each["idnumber"] for each in site.rows("course_modules", module=moduleid)] == ["N", ""]
    assert [each["idnumber"] for each in site.rows("grade_items", itemtype="mod")] == ["N", None]


def bank_backup(level: int) -> bytes:
    """Return a backup with an activity of questions: a category in use, one that holds none, and the banks of nobody."""
    questions = xml(
        "question_categories",
        category(1, 109, level, 0), category(2, 109, level, 1, entry(11)), category(3, 109, level, 1),
        category(4, 77, level, 0), category(5, 77, level, 4),
    )  # fmt: skip
    return packed({("qbank", 9): member("qbank", 9)}, members={"questions.xml": questions.encode()})


@EACH_VERSION
def test_no_empty_category_is_left_of_a_bank_that_the_site_has_no_activity_for(
    site: MoodleSite, tmp_path: Path
) -> None:
    before = {each["id"] for each in site.rows("question_categories")}

    restore(site, tmp_path, bank_backup(70))

    new = [each for each in site.rows("question_categories") if each["id"] not in before]
    names = [each["name"] for each in new]
    assert names == (["top", "Category 2", "Category 3"] if site.version == "5.1" else ["top", "Category 2"])
    assert len({each["contextid"] for each in new}) == 1
    assert_sound(site, "NEW")


@pytest.mark.parametrize("moodle_site", ["sqlite:5.1"], indirect=True)
def test_a_bank_for_the_questions_of_a_course_is_made_as_moodle_makes_it(site: MoodleSite, tmp_path: Path) -> None:
    questions = xml("question_categories", category(1, 30, 50, 0), category(2, 30, 50, 1, entry(11)))
    course = row("course", 3, shortname="CHEM", fullname="C", format="topics", groupmode=2)
    members = {
        "questions.xml": questions.encode(),
        "course/course.xml": course.replace("<course ", '<course contextid="30" ').encode(),
    }
    restore(site, tmp_path, packed({("page", 7): {}}, members=members))

    bank = site.one("qbank")
    assert (bank["type"], bank["introformat"]) == ("system", 1)
    assert bank["intro"] == "This question bank was created automatically when the site was upgraded."
    moduleid = site.one("modules", name="qbank")["id"]
    cm = site.one("course_modules", module=moduleid, instance=bank["id"])
    assert (cm["visible"], cm["visibleold"], cm["visibleoncoursepage"], cm["showdescription"]) == (0, 0, 0, 1)
    assert (cm["groupmode"], cm["downloadcontent"]) == (2, 1)


def test_tags_go_as_the_expression_says_that_would_take_minutes_on_hostile_texts() -> None:
    expression = re.compile(r"<(?:!--.*?-->|[/!?a-zA-Z][^>]*>)", re.DOTALL)
    parts = ("<", "<!--", "-->", "--", "!", "a", "</b", ">", "1")
    for pieces in product(parts, repeat=4):
        text = "".join(pieces)
        assert _strip_tags(text) == expression.sub("", text), text
    assert _strip_tags("<!--" * 100_000 + "<a" * 100_000)
