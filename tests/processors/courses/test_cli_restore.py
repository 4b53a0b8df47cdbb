"""Backups that Moodle's own command line restores (option restorewith). A script stands for Moodle's, and writes as it would."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from sync.moodle.site.command_line import MoodleCommand
from tests.moodle.course_content.backups import BackupFiles
from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")

HEADER = "shortname;fullname;template"
BACKUP = b"only Moodle reads this"
# What restore_backup.php leaves behind: a course by the names of the backup, in the category that it was told.
SCRIPT = """
import os, pathlib, sys
import sqlalchemy as sa

here = pathlib.Path(__file__).parent
given = dict(option.removeprefix("--").split("=", 1) for option in sys.argv[1:])
backup = pathlib.Path(given["file"])
with (here / "calls").open("a") as calls:
    print(backup.parent.name, oct(backup.stat().st_mode & 0o777), given["categoryid"], backup.read_bytes().decode(), file=calls)
if (here / "broken").exists():
    raise SystemExit("error/setting_enrolments_missing")
if (here / "silent").exists():
    raise SystemExit(0)
engine = sa.create_engine((here / "url").read_text())
prefix = (here / "prefix").read_text()
with engine.begin() as connection:
    tables = sa.MetaData()
    names = ("course", "context", "course_sections", "enrol", "course_categories")
    course, context, section, enrol, category = (
        sa.Table(prefix + name, tables, autoload_with=connection) for name in names
    )
    def add(table, **values):
        for column in table.c:
            if column.name not in values and column.name != "id" and not column.nullable and column.server_default is None:
                values[column.name] = "" if isinstance(column.type, sa.String) else 0
        return connection.execute(table.insert().values(values)).inserted_primary_key[0]
    number = connection.execute(sa.select(sa.func.count()).select_from(course)).scalar_one()
    courseid = add(course, category=int(given["categoryid"]), fullname="Chemistry copy 1", shortname=f"CHEM_{number}",
                   idnumber="", summary="From the backup", format="topics", visible=0, startdate=1700000000)
    parent = connection.execute(sa.select(context.c.path).where(
        context.c.contextlevel == 40, context.c.instanceid == int(given["categoryid"]))).scalar_one()
    contextid = add(context, contextlevel=50, instanceid=courseid, depth=parent.count("/") + 1)
    connection.execute(context.update().where(context.c.id == contextid).values(path=f"{parent}/{contextid}"))
    for place in range(2):
        add(section, course=courseid, section=place, name=f"Week {place}", sequence="", summary="", summaryformat=1)
    add(enrol, courseid=courseid, enrol="manual", status=0, roleid=5)
print("== Restored course ID: {} ==".format(courseid if not (here / "elsewhere").exists() else 987654))
"""


def cli_for(site: MoodleSite, folder: Path) -> MoodleCommand:
    folder.mkdir()
    (folder / "restore_backup.php").write_text(SCRIPT)
    (folder / "url").write_text(site.url)
    (folder / "prefix").write_text(site.prefix)
    return MoodleCommand((sys.executable, str(folder)), 60)


@pytest.fixture
def cli(moodle_site: MoodleSite, tmp_path: Path) -> MoodleCommand:
    return cli_for(moodle_site, tmp_path / "cli")


@pytest.fixture
def cli_of_sqlite(sqlite_site: MoodleSite, tmp_path: Path) -> MoodleCommand:
    return cli_for(sqlite_site, tmp_path / "cli")


@pytest.fixture
def dataroot(tmp_path: Path) -> Path:
    for name in ("filedir", "temp"):
        (tmp_path / "moodledata" / name).mkdir(parents=True)
    return tmp_path / "moodledata"


def folder_of(cli: MoodleCommand) -> Path:
    return Path(cli.arguments[-1])


def by_moodle(
    site: MoodleSite, cli: MoodleCommand | None, dataroot: Path, line: str, header: str = HEADER, **options: Any
) -> RunResult:
    return run_file(
        site, "courses", f"{header}\n{line}\n", dataroot=dataroot, file_area=BackupFiles({"chem.mbz": BACKUP}),
        moodle_command=cli, restorewith="moodle", **options,
    )  # fmt: skip


def test_moodle_makes_the_course_and_the_cells_of_the_row_are_put_upon_it(
    moodle_site: MoodleSite, cli: MoodleCommand, dataroot: Path
) -> None:
    site = moodle_site
    header = f"{HEADER};category;topic1;teacher1_account;self;visible"
    lines = "NEW;Chemistry;chem.mbz;New/Deep;Atoms|All of them;ann;1;1\nPLAIN;Plain;;;;;;\nC1;Course;chem.mbz;;;;;"

    result = by_moodle(site, cli, dataroot, lines, header)

    assert result.codes == ["course_created", "course_created", "course_exists"], result.report
    made = site.one("course", shortname="NEW")
    assert (made["fullname"], made["visible"], made["summary"]) == ("Chemistry", 1, "From the backup")
    category = site.one("course_categories", id=made["category"])
    assert (category["name"], category["coursecount"]) == ("Deep", 1)
    path = site.one("context", contextlevel=50, instanceid=made["id"])["path"]
    parent = site.one("context", contextlevel=40, instanceid=category["id"])["path"]
    assert path.rpartition("/")[0] == parent
    sections = {row["section"]: row["name"] for row in site.rows("course_sections", course=made["id"])}
    assert sections == {0: "Week 0", 1: "Atoms"}
    enrols = {row["enrol"]: row for row in site.rows("enrol", courseid=made["id"])}
    assert enrols["self"]["status"] == 0
    assert [row["userid"] for row in site.rows("user_enrolments", enrolid=enrols["manual"]["id"])] == [site.ids["ann"]]
    order = sorted(row["sortorder"] for row in site.rows("course") if row["category"])
    assert len(set(order)) == len(order)
    # One course, in a category that was there, from a file that Moodle's account could read and nobody finds later.
    calls = (folder_of(cli) / "calls").read_text().splitlines()
    first = min(row["id"] for row in site.rows("course_categories") if row["id"] != category["id"])
    assert calls == [f"temp 0o644 {first} {BACKUP.decode()}"]
    assert list((dataroot / "temp").iterdir()) == []


def test_a_row_that_can_not_be_right_never_gets_as_far_as_moodle(
    moodle_site: MoodleSite, cli: MoodleCommand, dataroot: Path
) -> None:
    header = f"{HEADER};teacher1_account;idnumber"
    moodle_site.execute("UPDATE {course} SET idnumber = 'TAKEN' WHERE id = :id", id=moodle_site.ids["C1"])
    lines = "N1;One;chem.mbz;nobody at all;\nN2;Two;none.mbz;;\nN3;Three;chem.mbz;;TAKEN\nN4;Four;chem.mbz;;"
    result = by_moodle(moodle_site, cli, dataroot, lines, header)
    wrong = ["teacher_unknown", "course_template_archive", "course_idnumber_taken"]
    assert result.codes == [*wrong, "course_created"], result.report
    assert len((folder_of(cli) / "calls").read_text().splitlines()) == 1


def test_a_simulation_calls_nobody(moodle_site: MoodleSite, cli: MoodleCommand, dataroot: Path) -> None:
    before = moodle_site.snapshot()
    result = by_moodle(moodle_site, cli, dataroot, "N1;One;chem.mbz\nN2;Two;chem.mbz", simulate=True)
    assert result.codes == ["course_created"] * 2
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert not (folder_of(cli) / "calls").exists()


@pytest.mark.parametrize("simulate", [True, False])
def test_a_later_row_finds_the_course_that_moodle_makes(
    sqlite_site: MoodleSite, cli_of_sqlite: MoodleCommand, dataroot: Path, *, simulate: bool
) -> None:
    lines = "N1;One;chem.mbz\nN1;Other;chem.mbz"
    result = by_moodle(sqlite_site, cli_of_sqlite, dataroot, lines, simulate=simulate)
    assert result.codes == ["course_created", "course_exists"], result.report
    again = by_moodle(
        sqlite_site, cli_of_sqlite, dataroot, "N2;One;chem.mbz\nN2;Other;", simulate=simulate, forceupdate=True
    )
    assert again.codes == ["course_created", "course_updated"], again.report


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("broken", ("course_handover_failed", "setting_enrolments_missing")),
        ("silent", ("course_handover_silent", "restore_backup.php")),
        ("elsewhere", ("course_handover_lost", "987654")),
    ],
)
def test_what_moodle_does_not_restore_is_a_rejection_and_the_others_go_on(
    fault: str, told: tuple[str, str], sqlite_site: MoodleSite, cli_of_sqlite: MoodleCommand, dataroot: Path
) -> None:
    (folder_of(cli_of_sqlite) / fault).touch()
    lines = "N1;One;chem.mbz\nN2;Two;"
    result = by_moodle(sqlite_site, cli_of_sqlite, dataroot, lines)
    code, said = told
    assert result.codes == [code, "course_created"]
    assert said in result.report
    assert result.tryback is not None
    assert b"N1;One" in result.tryback
    assert list((dataroot / "temp").iterdir()) == []


def test_without_a_command_line_and_for_existing_courses_the_row_says_what_to_do(
    sqlite_site: MoodleSite, cli_of_sqlite: MoodleCommand, dataroot: Path
) -> None:
    none = by_moodle(sqlite_site, None, dataroot, "N1;One;chem.mbz")
    there = by_moodle(sqlite_site, cli_of_sqlite, dataroot, "C1;C;chem.mbz", forceupdate=True, templatemode="1")
    assert none.codes + there.codes == ["course_handover_no_command", "course_handover_existing"]
    assert "TOOLSYNC_MOODLE_CLI" in none.report


def test_a_data_folder_elsewhere_leaves_the_backup_in_the_folder_for_temporary_files(
    sqlite_site: MoodleSite, cli_of_sqlite: MoodleCommand
) -> None:
    result = run_file(
        sqlite_site, "courses", f"{HEADER}\nN1;One;chem.mbz\n", file_area=BackupFiles({"chem.mbz": BACKUP}),
        moodle_command=cli_of_sqlite, restorewith="moodle",
    )  # fmt: skip
    assert result.codes == ["course_created"], result.report
