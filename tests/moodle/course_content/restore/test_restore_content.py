"""Courses made from real backups hold what Moodle's own restore puts there."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleConnection
from sync.moodle.files.file_pool import FilePool, file_pool_of
from tests.moodle.course_content.backups import BackupFiles, real_backup, template_backup
from tests.moodle.course_content.copies import content_of, course_of, differences, maps_of, pairs_of
from tests.moodle.course_content.restore.test_live_source import check_files, on
from tests.moodle.course_content.rich_backup import rich_backup
from tests.real_sites import REAL_SITES, RealSites, has_moodle_data
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, run_file

# In what a backup isn't its course: Moodle leaves it out, encrypts it for the site, or counts it anew.
LOST = (
    "book.revision", "book_chapters.timecreated", "lti.password", "lti.resourcekey", "tag_instance.ordering",
)  # fmt: skip
TIMES = {"timecreated": 1, "timemodified": 1}
HEADER = "shortname;fullname;template\n"


def data_folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "filedir").mkdir(parents=True)
    return tmp_path / "data"


def pool_of(tmp_path: Path) -> FilePool | None:
    return file_pool_of(MoodleConnection("", dataroot=tmp_path / "data"))


@pytest.mark.parametrize("name", [on(name) for name in REAL_SITES if "pg" not in name])
def test_a_restored_backup_is_the_course_that_it_was_made_of(real_site: RealSites, name: str, tmp_path: Path) -> None:
    site = real_site(name)
    backup = template_backup(site.version)
    # Moodle's backup takes only scales that are in use.
    site.execute("DELETE FROM {scale} WHERE courseid <> 0")

    result = run_file(
        site, "courses", f"{HEADER}NEW;New;{backup}\n", dataroot=data_folder(tmp_path),
        file_area=BackupFiles({backup: real_backup(backup)}),
    )  # fmt: skip

    assert result.codes == ["course_created"], result.report
    original, restored = course_of(site, "TEMPLATE"), course_of(site, "NEW")
    pairs = pairs_of(site, original, restored)
    maps = maps_of(site, pairs, original, restored)
    found = differences(pairs, maps)
    unmeant = [line for line in found if not line.startswith(LOST)]
    assert unmeant == []
    assert site.one("course", shortname="NEW")["originalcourseid"] == original.id
    check_files(site, restored.contextid, maps)
    stored = {path.name for path in (tmp_path / "data" / "filedir").rglob("*") if path.is_file()}
    assert stored == {row["contenthash"] for row in site.rows("files") if row["contextid"] in maps["context"].values()}
    assert_sound(site)
    assert_sound(site, "NEW", pool=pool_of(tmp_path))


EXPECTED = {
    "4.1": ("tpl1-m41-nousers.mbz into 4.1",),
    "4.5": (
        "tpl1-m45-nousers.mbz into 4.5", "tpl1-m41-nousers.mbz into 4.5", "tpl1-m45-users.mbz into 4.5, setting users=0",
        "unknown-module.mbz into 4.5",
    ),
    "5.1": ("tpl1-m51-nousers.mbz into 5.1", "tpl1-m45-nousers.mbz into 5.1", "tpl1-m41-nousers.mbz into 5.1"),
}  # fmt: skip
# What the recordings left out.
UNCOUNTED = ("tag", "task_adhoc", "stored_progress")


@pytest.mark.parametrize("moodle_site", [f"sqlite:{version}" for version in EXPECTED], indirect=True)
@pytest.mark.skipif(not has_moodle_data(), reason="no real backups (TOOLSYNC_MOODLE_DATA)")
@pytest.mark.moodle_data
def test_backups_bring_as_many_rows_as_moodles_own_restore(moodle_site: MoodleSite, tmp_path: Path) -> None:
    site = moodle_site
    without_stray_contexts(site)
    fields = site.insert("customfield_category", name="F", component="core_course", area="course", **TIMES)
    site.insert("customfield_field", shortname="cf1", name="F", type="text", categoryid=fields, **TIMES)
    recorded = json.loads(real_backup("expected_rows.json").read_text())
    cases = EXPECTED[site.version]
    expected = Counter[str]()
    for case in cases:
        expected.update({table: count for table, count in recorded[case].items() if table not in UNCOUNTED})
    names = [case.partition(" ")[0] for case in cases]
    if site.version == "4.5":
        names.append("tpl1-m45-nousers-zip.mbz")
        expected.update(recorded["tpl1-m45-nousers.mbz into 4.5"])
    rows = "".join(f"N{number};New;{name}\n" for number, name in enumerate(names))
    before, faults = site.snapshot(), faults_of(site)

    result = run_file(
        site, "courses", HEADER + rows, dataroot=data_folder(tmp_path), leaveoutunknown=True,
        file_area=BackupFiles({name: real_backup(name) for name in names}),
    )  # fmt: skip

    assert result.counts == {"created": len(names)}, result.report
    change = site.diff(before, site.snapshot())
    inserted = {table: len(rows["inserted"]) for table, rows in change.items() if rows["inserted"]}
    assert {table: count for table, count in inserted.items() if table not in UNCOUNTED} == dict(expected)
    assert ("The page" in result.report) == (site.version == "4.5")
    stored = {path.name for path in (tmp_path / "data" / "filedir").rglob("*") if path.is_file()}
    assert stored == {row["contenthash"] for row in change["files"]["inserted"]}
    assert_sound(site, but=faults, pool=pool_of(tmp_path))


@pytest.mark.skipif(not has_moodle_data(), reason="no real backups (TOOLSYNC_MOODLE_DATA)")
@pytest.mark.moodle_data
def test_hostile_backups_leave_no_row_and_no_file(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    codes = {"traversal": "backup_member_name", "bomb": "backup_ratio", "badhash": "backup_blob_differs"}
    contents = {f"evil-{name}.mbz": real_backup(f"evil-{name}.mbz") for name in codes}
    rows = "".join(f"{name};Evil;{name}\n" for name in contents)
    before = sqlite_site.snapshot()

    result = run_file(
        sqlite_site, "courses", HEADER + rows, dataroot=data_folder(tmp_path), file_area=BackupFiles(contents)
    )

    assert result.codes == list(codes.values()), result.report
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "moodle_site",
    ["sqlite:4.1", "sqlite:5.1", pytest.param("mariadb:4.5", marks=pytest.mark.xdist_group("mariadb:4.5")),
     pytest.param("postgresql:5.1", marks=pytest.mark.xdist_group("postgresql:5.1"))],
    indirect=True,
)  # fmt: skip
def test_what_a_backup_names_is_what_the_site_calls_so(moodle_site: MoodleSite, tmp_path: Path) -> None:
    site = moodle_site
    without_stray_contexts(site)
    site.insert("capabilities", name="moodle/known:one", captype="write", contextlevel=50, component="moodle")
    scale = site.insert("scale", courseid=0, userid=2, name="Ours", scale="no,yes", description="", descriptionformat=1)
    fields = site.insert("customfield_category", name="F", component="core_course", area="course", **TIMES)
    field = site.insert("customfield_field", shortname="faculty", name="F", type="text", categoryid=fields, **TIMES)
    shelf = BackupFiles({"rich.mbz": rich_backup()})

    result = run_file(
        site, "courses", f"{HEADER}ONE;One;rich.mbz\nTWO;Two;rich.mbz\n", dataroot=data_folder(tmp_path), file_area=shelf,
        leaveoutunknown=True,
    )  # fmt: skip

    assert result.codes == ["course_created"] * 2, result.report
    assert "rich.mbz”: qtype_foo." in result.report
    for shortname in ("ONE", "TWO"):
        course = course_of(site, shortname)
        content = content_of(site, course)
        cms = {modules(site)[row["module"]]: row for row in content["course_modules"]}
        check_questions(site, content, cms)
        check_links(site, site.one("course", id=course.id)["summary"], course, cms)
        student = site.one("role", shortname="student")["id"]
        assert [row["roleid"] for row in content["role_capabilities"]] == [student]
        assert [(row["roleid"], row["name"]) for row in content["role_names"]] == [(student, "Pupil")]
        assert [row["fieldid"] for row in content["customfield_data"]] == [field]
        assert [row["blockname"] for row in content["block_instances"]] == ["html"]
        config = base64.b64decode(content["block_instances"][0]["configdata"]).decode()
        check_links(site, config, course, cms)
        assert [row["eventtype"] for row in content["event"]] == ["course"]
        criteria = {row["criteriatype"]: row for row in content["course_completion_criteria"]}
        assert criteria.keys() == {4, 7}
        assert (criteria[4]["moduleinstance"], criteria[7]["role"]) == (cms["quiz"]["id"], student)
        condition = json.loads(cms["quiz"]["availability"])["c"]
        assert condition == [{"type": "completion", "cm": cms["page"]["id"], "e": 1}]
        items = {row["itemtype"]: row for row in content["grade_items"]}
        (total,) = content["grade_categories"]
        assert (items["course"]["iteminstance"], items["mod"]["categoryid"]) == (total["id"], total["id"])
        assert (items["mod"]["scaleid"], items["mod"]["iteminstance"]) == (scale, cms["quiz"]["instance"])
        assert total["path"] == f"/{total['id']}/"
    assert_sound(site, "ONE", "TWO", pool=pool_of(tmp_path))


def without_stray_contexts(site: MoodleSite) -> None:
    """The captured contexts of blocks came without their blocks."""
    site.execute(
        "DELETE FROM {context} WHERE contextlevel = 80 AND instanceid NOT IN (SELECT id FROM {block_instances})"
    )


def modules(site: MoodleSite) -> dict[int, str]:
    return {row["id"]: row["name"] for row in site.rows("modules")}


def check_questions(site: MoodleSite, content: dict[str, Any], cms: dict[str, Any]) -> None:
    """Each bank has one top category; slots name the questions and categories of this course."""
    context = {name: site.one("context", contextlevel=70, instanceid=cm["id"])["id"] for name, cm in cms.items()}
    home = context["qbank"] if "qbank" in modules(site).values() else course_context(site, cms)
    categories = {row["name"]: row for row in content["question_categories"] if row["parent"]}
    assert {name: row["contextid"] for name, row in categories.items()} == {
        "Category 2": home, "Category 4": context["quiz"], "Category 6": home,
    }  # fmt: skip
    tops = {row["contextid"]: row["id"] for row in content["question_categories"] if not row["parent"]}
    assert len(content["question_categories"]) == 5
    assert all(row["parent"] == tops[row["contextid"]] for row in categories.values())
    assert {row["stamp"] for row in categories.values()} >= {"stamp 2", "stamp 4"}
    assert sorted(row["idnumber"] or "" for row in categories.values()) == ["", "", "one"]
    assert len(content["question_bank_entries"]) == len(content["question"]) == 3
    assert {row["createdby"] for row in content["question"]} == {2}
    # The second slot, and the section that holds nothing else, went with their question.
    assert [row["slot"] for row in content["quiz_slots"]] == [1, 2, 3, 4]
    assert [(row["heading"], row["firstslot"]) for row in content["quiz_sections"]] == [("A", 1), ("C", 2)]
    entries = {row["id"] for row in content["question_bank_entries"]}
    assert {row["questionbankentryid"] for row in content["question_references"]} <= entries
    files = site.rows("files", contextid=home, component="question", filearea="questiontext")
    last = max(row["id"] for row in content["question"])
    assert sorted((row["itemid"], row["filepath"], row["filename"]) for row in files) == [
        (last, "/", "."), (last, "/a/", "."), (last, "/a/", "picture.png"),
    ]  # fmt: skip
    tag = site.one("tag", name="frog")["id"]
    (tagged,) = [row for row in content["tag_instance"] if row["itemtype"] == "question"]
    assert (tagged["tagid"], tagged["contextid"]) == (tag, home)
    old, new = (json.loads(row["filtercondition"]) for row in content["question_set_references"])
    chosen = categories["Category 2"]["id"]
    if site.version == "4.1":
        assert old == {"questioncategoryid": chosen, "includingsubcategories": True, "tags": [f"{tag},frog"]}
        assert new == {"questioncategoryid": chosen, "includingsubcategories": True, "tags": []}
    else:
        assert old["filter"]["category"]["values"] == new["filter"]["category"]["values"] == [str(chosen)]
        assert old["filter"]["qtagids"]["values"] == [str(tag)]
        assert new["cat"] == f"{chosen},{home}"
    assert {row["questionscontextid"] for row in content["question_set_references"]} == {home}


def course_context(site: MoodleSite, cms: dict[str, Any]) -> int:
    return int(site.one("context", contextlevel=50, instanceid=cms["quiz"]["course"])["id"])


def check_links(site: MoodleSite, text: str, course: Course, cms: dict[str, Any]) -> None:
    """What is in the backup is here; other things are where they were."""
    wwwroot = site.one("mnet_host", id=1)["wwwroot"]
    context = site.one("context", contextlevel=70, instanceid=cms["page"]["id"])["id"]
    for link in (
        f"{wwwroot}/mod/page/view.php?id={cms['page']['id']} ",
        "https://old.example/mod/book/view.php?id=99&amp;chapterid=1 ",
        f"{wwwroot}/course/view.php?id={course.id} ",
        f"{wwwroot}/pluginfile.php/{context}/mod_page/intro/a.png ",
        f"{quote(f'{wwwroot}/pluginfile.php/{context}', safe='')}%2Fx ",
        f"{wwwroot}/h5p/embed.php?url=1 ",
        f"{wwwroot}/file.php/{course.id}/a.txt?forcedownload=1 $@NOSUCH*1@$",
    ):
        assert link in text
