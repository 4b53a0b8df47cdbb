"""What is inside of columns: conditions, settings of blocks, links."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sync.moodle.course_content.graph.content_source import IdMap
from sync.moodle.course_content.restore import block_config
from sync.moodle.course_content.restore.backup_links import ArchiveLinks
from sync.moodle.course_content.restore.php_values import PhpArray, PhpFloat, dumps, loads
from sync.moodle.course_content.restore.text_links import LiveLinks

MAPS = IdMap({
    "course": {2: 20}, "course_modules": {5: 50}, "grade_items": {6: 60}, "groups": {7: 70}, "groupings": {8: 80},
    "book_chapters": {3: 33}, "glossary": {4: 40}, "quiz": {9: 90}, "context": {11: 110}, "course_sections": {12: 120},
})  # fmt: skip


PHP = [
    b"N;", b"b:1;", b"i:-5;", b"d:0.10000000000000001;", b's:3:"a"b";', b's:2:"\xc3\xa9";', b"a:0:{}",
    b'O:8:"stdClass":2:{s:5:"title";s:4:"HTML";s:4:"list";a:1:{i:0;i:7;}}',
]  # fmt: skip


@pytest.mark.parametrize("text", PHP)
def test_serialised_values_are_written_back_as_they_were(text: bytes) -> None:
    assert dumps(loads(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        b"", b"i:5", b's:9:"short";', b'O:4:"Evil":0:{}', b"r:1;", b"i:1;i:2;", b"a:2:{i:0;i:1;}", b"a:1:{N;i:1;}",
        b"a:1:{i:0;" * 60,
    ],
)  # fmt: skip
def test_what_is_no_plain_serialised_value_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_values_are_told_apart() -> None:
    read = loads(b'a:2:{i:1;d:2.5;s:1:"k";b:0;}')
    assert read == PhpArray({1: PhpFloat(b"2.5"), b"k": False}, is_object=False)


def config(settings: dict[str, Any]) -> str:
    pairs: dict[int | bytes, object] = {
        key.encode(): value.encode() if isinstance(value, str) else value for key, value in settings.items()
    }
    return base64.b64encode(dumps(PhpArray(pairs, is_object=True))).decode()


@pytest.mark.parametrize(
    ("block", "before", "after"),
    [
        ("glossary_random", {"title": "4", "glossary": "4"}, {"title": "4", "glossary": "40"}),
        ("glossary_random", {"glossary": 4}, {"glossary": 40}),
        ("glossary_random", {"glossary": 99}, {"glossary": 99}),
        (
            "activity_results", {"activityparent": "quiz", "activityparentid": 9},
            {"activityparent": "quiz", "activityparentid": 90},
        ),
        ("activity_results", {"activitygradeitemid": "6"}, {"activitygradeitemid": "60"}),
        ("html", {"text": "é //m.example/course/view.php?id=2"}, {"text": "é //m.example/course/view.php?id=20"}),
        ("online_users", {"glossary": "4"}, {"glossary": "4"}),
    ],
)  # fmt: skip
def test_settings_of_blocks_name_what_is_in_the_copy(block: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    links = LiveLinks("https://m.example")

    assert block_config.rewritten(config(before), block, MAPS.get, lambda text: links.rewrite(text, MAPS)) == config(
        after
    )


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(b'O:4:"Evil":0:{}').decode()])
def test_settings_that_cannot_be_read_stay(text: str) -> None:
    assert block_config.rewritten(text, "html", MAPS.get, str.upper) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/mod/quiz/view.php?id=5", "/mod/quiz/view.php?id=50"),
        ("/mod/quiz/view.php?q=9", "/mod/quiz/view.php?q=90"),
        ("/mod/quiz/index.php?id=2", "/mod/quiz/index.php?id=20"),
        ("/mod/book/view.php?id=5&amp;chapterid=3", "/mod/book/view.php?id=50&amp;chapterid=33"),
        ("/mod/book/view.php?id=5&chapterid=3#top", "/mod/book/view.php?id=50&chapterid=33#top"),
        ("/mod/book/view.php?id=5&chapterid=99", "/mod/book/view.php?id=5&chapterid=99"),
        ("/course/view.php?id=2&section=5", "/course/view.php?id=20&section=5"),
        ("/course/section.php?id=12", "/course/section.php?id=120"),
        ("/grade/report/index.php?id=2", "/grade/report/index.php?id=20"),
        ("/pluginfile.php/11/mod_page/content/0/a.png", "/pluginfile.php/110/mod_page/content/0/a.png"),
        ("/user/view.php?id=5&course=2", "/user/view.php?id=5&course=2"),
        ("/mod/forum/discuss.php?d=5", "/mod/forum/discuss.php?d=5"),
        ("/course/view.php?id=99", "/course/view.php?id=99"),
    ],
)
def test_links_lead_into_the_copy(before: str, after: str) -> None:
    links = LiveLinks("https://m.example/moodle")
    text = '<a href="http://m.example/moodle{}">x</a> <a href="https://elsewhere.example/moodle{}">y</a> {}'

    assert links.rewrite(text.format(before, before, before), MAPS) == text.format(after, before, before)


def test_without_the_address_of_the_site_nothing_is_a_link() -> None:
    assert not LiveLinks("").has_links("https://m.example/course/view.php?id=2")


@pytest.mark.parametrize(
    ("version", "address"),
    [(2022112800, "/badges/view.php?type=2&id=20"), (2024100700, "/badges/index.php?type=2&id=20")],
)
def test_a_link_of_a_backup_leads_where_the_version_has_the_page(version: float, address: str) -> None:
    links = ArchiveLinks("https://there.example", "https://here.example", version, 2)
    assert links.rewrite("$@BADGESVIEWBYID*2@$", MAPS) == f"https://here.example{address}"
