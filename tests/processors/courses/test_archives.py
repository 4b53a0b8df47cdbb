"""Courses made from a backup: courses.md section 1.5.

What is in them: tests/moodle/course_content/restore/test_restore_content.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from sync.moodle.db.database import MoodleConnection
from sync.moodle.files.file_pool import file_pool_of
from sync.processors.courses.archives import MOST_BACKUPS
from tests.moodle.course_content.backup.archives import BLOB, MANIFEST, PICTURE, activity, backup, manifest, tar_gz
from tests.moodle.course_content.backups import BackupFiles
from tests.soundness import assert_sound
from tests.support import MoodleSite, RunResult, run_file

HEADER = "shortname;fullname;template;startdate"
START, DAY = 1_756_677_600, 86_400
EMPTY = sha1(b"").hexdigest()
COURSE = (
    '<course id="3" contextid="30"><shortname>CHEM</shortname><fullname>Chemistry</fullname><summary>$@PAGEVIEWBYID*7@$ and more'
    f"</summary><format>topics</format><startdate>{START}</startdate><enddate>0</enddate><visible>1</visible><lang>xx</lang>"
    "<tags><tag id='1'><name>old</name><rawname>Old</rawname></tag></tags></course>"
)
ASSIGN = activity("assign", f"<intro></intro><duedate>{START + DAY}</duedate>", cmid=8, instance=80, contextid=32)
MODULE = (
    b'<module id="8" version="1"><modulename>assign</modulename><sectionid>5</sectionid><visible>1</visible></module>'
)


def packed(members: Mapping[str, bytes] = {}, *without: str, **kind: Any) -> bytes:
    """Return a backup of a page with a picture, and an assignment with a date."""
    kind = {"activities": (("page", 7), ("assign", 8)), **kind}
    whole = {
        **backup(**kind),
        "course/course.xml": COURSE.encode(),
        "activities/assign_8/assign.xml": ASSIGN,
        "activities/assign_8/module.xml": MODULE,
        **members,
    }
    return tar_gz({name: data for name, data in whole.items() if name not in without})


@pytest.fixture
def dataroot(tmp_path: Path) -> Path:
    (tmp_path / "data" / "filedir").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Backups are unpacked into a temporary folder, which goes with the run."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    yield
    assert list((tmp_path / "temporary").iterdir()) == []


def pool(dataroot: Path) -> set[str]:
    return {path.name for path in (dataroot / "filedir").rglob("*") if path.is_file()}


def run(
    site: MoodleSite, dataroot: Path, content: bytes | None, rows: str = "NEW;New;chem.mbz;", **more: Any
) -> RunResult:
    shelf = BackupFiles({} if content is None else {"chem.mbz": content})
    return run_file(site, "courses", f"{HEADER}\n{rows}\n", dataroot=dataroot, file_area=shelf, **more)


def stored(site: MoodleSite, dataroot: Path, content: bytes, **where: Any) -> None:
    """Put a backup into Moodle's own file area."""
    digest = sha1(content).hexdigest()
    path = dataroot / "filedir" / digest[:2] / digest[2:4] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    values = {
        "contenthash": digest, "pathnamehash": sha1(repr((digest, sorted(where.items()))).encode()).hexdigest(),
        "contextid": site.ids["C1 context"], "component": "backup", "filearea": "course", "itemid": 0, "filepath": "/",
        "filename": "chem.mbz", "filesize": len(content), "timecreated": 1, "timemodified": 1, **where,
    }  # fmt: skip
    site.insert("files", **values)


def test_rows_get_what_is_in_the_backup_that_is_read_once(sqlite_site: MoodleSite, dataroot: Path) -> None:
    shelf = BackupFiles({"/backups/chem.mbz": packed()})
    rows = f"NEW;New;/backups/chem.mbz;\nTWO;Two;/backups/chem.mbz;{START + 10 * DAY}"

    result = run_file(sqlite_site, "courses", f"{HEADER}\n{rows}\n", dataroot=dataroot, file_area=shelf)

    assert result.codes == ["course_created"] * 2, result.report
    assert shelf.opened_count == 1
    new, two = (sqlite_site.one("course", shortname=name) for name in ("NEW", "TWO"))
    assert (new["fullname"], new["startdate"], new["lang"], new["format"]) == ("New", START, "", "topics")
    assert (new["originalcourseid"], two["startdate"]) == (None, START + 10 * DAY)
    page = sqlite_site.one("page", course=new["id"])
    module, wwwroot = sqlite_site.one("modules", name="page")["id"], sqlite_site.one("mnet_host", id=1)["wwwroot"]
    cm = sqlite_site.one("course_modules", course=new["id"], module=module, instance=page["id"])
    assert new["summary"] == f"{wwwroot}/mod/page/view.php?id={cm['id']} and more"
    sections = sqlite_site.rows("course_sections", course=new["id"])
    assert sorted((row["section"], bool(row["sequence"])) for row in sections) == [(0, False), (1, True)]
    dues = [sqlite_site.one("assign", course=course["id"])["duedate"] for course in (new, two)]
    assert dues == [START + DAY, START + 11 * DAY]
    context = sqlite_site.one("context", contextlevel=70, instanceid=cm["id"])
    picture = sqlite_site.one("files", contextid=context["id"], filename="picture.png")
    assert (picture["contenthash"], picture["userid"]) == (BLOB[-40:], 2)
    # Folders have rows of their own, with the empty content.
    assert sqlite_site.one("files", contextid=context["id"], filename=".")["filepath"] == "/"
    assert pool(dataroot) == {BLOB[-40:], EMPTY}
    tag = sqlite_site.one("tag", name="old")
    assert sqlite_site.one("tag_instance", itemtype="course", itemid=two["id"])["tagid"] == tag["id"]
    assert {row["enrol"] for row in sqlite_site.rows("enrol", courseid=new["id"])} >= {"manual"}
    assert_sound(sqlite_site, "NEW", "TWO", pool=file_pool_of(MoodleConnection("", dataroot=dataroot)))


def test_a_chunk_ends_before_too_many_backups_are_unpacked(
    sqlite_site: MoodleSite, dataroot: Path, tmp_path: Path
) -> None:
    unpacked: list[int] = []

    class Counting(BackupFiles):
        @contextmanager
        def opened(self, path: str) -> Iterator[BinaryIO]:
            with super().opened(path) as stream:
                unpacked.append(len(list((tmp_path / "temporary").iterdir())))
                yield stream

    names = [f"chem{number}.mbz" for number in range(MOST_BACKUPS + 2)]
    rows = "\n".join(f"N{number};New;{name};" for number, name in enumerate(names))
    shelf = Counting(dict.fromkeys(names, packed()))

    result = run_file(sqlite_site, "courses", f"{HEADER}\n{rows}\n", dataroot=dataroot, file_area=shelf)

    assert result.counts == {"created": len(names)}, result.report
    assert max(unpacked) == MOST_BACKUPS
    assert len(unpacked) == len(names)


def test_a_simulation_tells_the_same_and_writes_nothing(sqlite_site: MoodleSite, dataroot: Path) -> None:
    before = sqlite_site.snapshot()
    content = packed({}, BLOB)

    simulated = run(sqlite_site, dataroot, content, simulate=True)
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    assert pool(dataroot) == set()
    result = run(sqlite_site, dataroot, content)

    assert simulated.codes == result.codes == ["course_created"]
    assert [note.code for note in simulated.notes] == [note.code for note in result.notes]
    assert "1 file of the backup “chem.mbz” is neither in it nor in Moodle" in result.report
    assert sqlite_site.rows("files", filename="picture.png") == []


def test_a_content_that_the_backup_lacks_is_taken_from_the_pool(sqlite_site: MoodleSite, dataroot: Path) -> None:
    stored(sqlite_site, dataroot, PICTURE, filename="other.png", component="course", filearea="summary")

    result = run(sqlite_site, dataroot, packed({}, BLOB))

    assert result.notes == []
    assert len(sqlite_site.rows("files", contenthash=BLOB[-40:])) == 2


def test_backups_that_moodle_keeps_are_found_by_name_the_newest_one(sqlite_site: MoodleSite, dataroot: Path) -> None:
    older = packed({"activities/page_7/page.xml": activity("page", "<content>Older</content>")})
    stored(sqlite_site, dataroot, older)
    stored(sqlite_site, dataroot, packed(), filearea="automated", timecreated=2)

    result = run(sqlite_site, dataroot, None, "NEW;New;/var/www/moodle/chem.mbz;")

    assert result.codes == ["course_created"], result.report
    assert [row["content"] for row in sqlite_site.rows("page")] == ["Hello"]


def test_a_name_that_backups_of_two_courses_have_says_nothing(sqlite_site: MoodleSite, dataroot: Path) -> None:
    elsewhere = {"contextid": sqlite_site.ids["C2 context"], "timecreated": 2}
    stored(sqlite_site, dataroot, packed({"activities/page_7/page.xml": activity("page", "<content>Other</content>")}))
    stored(sqlite_site, dataroot, packed(), **elsewhere)
    stored(sqlite_site, dataroot, packed(), filename="same.mbz")
    stored(sqlite_site, dataroot, packed(), filename="same.mbz", **elsewhere)

    result = run(sqlite_site, dataroot, None, "BAD;Bad;chem.mbz;\nNEW;New;same.mbz;")

    assert result.codes == ["course_backup_ambiguous", "course_created"], result.report
    assert sqlite_site.rows("course", shortname="BAD") == []


def test_the_newest_backup_of_a_course_stands_for_it_if_so_chosen(sqlite_site: MoodleSite, dataroot: Path) -> None:
    stored(sqlite_site, dataroot, packed({"activities/page_7/page.xml": activity("page", "<content>Older</content>")}))
    stored(sqlite_site, dataroot, packed(), filename="newer.mbz", timecreated=2)
    stored(sqlite_site, dataroot, b"no backup", filename="auto.mbz", filearea="automated", timecreated=3)
    rows = "NEW;New;C1;\nBAD;Bad;C2;\nWORSE;Worse;NOBODY;"

    result = run(sqlite_site, dataroot, None, rows, templatesource="backup")

    assert result.codes == ["course_created", "course_template_no_backup", "course_template_unknown"], result.report
    assert [row["content"] for row in sqlite_site.rows("page")] == ["Hello"]


def test_a_mended_tryback_makes_the_course(sqlite_site: MoodleSite, dataroot: Path) -> None:
    refused = run(sqlite_site, dataroot, None)
    assert refused.codes == ["course_template_archive"]
    assert refused.tryback is not None

    shelf = BackupFiles({"chem.mbz": packed()})
    result = run_file(sqlite_site, "courses", refused.tryback, dataroot=dataroot, file_area=shelf)

    assert result.codes == ["course_created"], result.report


def test_what_cannot_be_restored_leaves_no_row_and_no_file(sqlite_site: MoodleSite, dataroot: Path) -> None:
    before = sqlite_site.snapshot()
    whole = packed()
    cases = {
        "truncated.mbz": whole[: len(whole) // 2], "empty.mbz": b"", "text.mbz": b"shortname;fullname\n",
        "other.mbz": packed({BLOB: b"another picture"}), "up.mbz": packed({"../up.txt": b"up"}),
        "foo.mbz": packed({}, activities=(("page", 7), ("foomod", 9))),
    }  # fmt: skip
    rows = "\n".join(f"{name[:-4]};X;{name};" for name in cases)

    result = run_file(sqlite_site, "courses", f"{HEADER}\n{rows}\n", dataroot=dataroot, file_area=BackupFiles(cases))

    assert result.counts == {"rejected": len(cases)}, result.report
    assert result.codes[-1] == "course_backup_plugins"
    assert "mod_foomod" in result.report
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    assert pool(dataroot) == set()


def test_what_is_not_known_is_left_out_if_so_chosen(sqlite_site: MoodleSite, dataroot: Path) -> None:
    content = packed({}, activities=(("page", 7), ("assign", 8), ("foomod", 9)))

    result = run(sqlite_site, dataroot, content, leaveoutunknown=True)

    assert result.codes == ["course_created"], result.report
    assert "left out of the backup “chem.mbz”: The foomod" in result.report


def test_contents_go_when_their_rows_do_not_come_about(sqlite_site: MoodleSite, dataroot: Path) -> None:
    # The next activity gets an id that already has a context, which the database refuses.
    last = sqlite_site.insert("course_modules", course=1, module=1, instance=1)
    sqlite_site.insert("context", contextlevel=70, instanceid=last + 1, depth=1)
    before = sqlite_site.snapshot()

    result = run(sqlite_site, dataroot, packed())

    assert result.codes == ["moodle_refused"]
    assert pool(dataroot) == set()
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_without_a_data_folder_there_are_no_backups(sqlite_site: MoodleSite) -> None:
    shelf = BackupFiles({"chem.mbz": packed()})

    result = run_file(sqlite_site, "courses", f"{HEADER}\nNEW;New;chem.mbz;\n", file_area=shelf)

    assert result.codes == ["course_backup_no_data_folder"]
    assert shelf.opened_count == 0


def test_only_the_manifest_says_what_is_included(sqlite_site: MoodleSite, dataroot: Path) -> None:
    content = packed({MANIFEST: manifest(activities=(("page", 7), ("assign", 8)), left_out="assign_8")})

    result = run(sqlite_site, dataroot, content)

    assert result.codes == ["course_created"], result.report
    assert len(sqlite_site.rows("page")) == 1
    assert sqlite_site.rows("assign") == []


def test_a_path_of_the_server_opens_nothing_there(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    """Who may feed a file would else have any archive read that we can read."""
    archive = tmp_path / "course.mbz"
    archive.write_bytes(b"not even an archive, so that opening it would be told")
    result = run_file(
        sqlite_site, "courses", f"shortname;fullname;template\nNEW;New;{archive}\n", dataroot=tmp_path / "moodledata"
    )
    assert result.codes == ["course_template_archive"]
