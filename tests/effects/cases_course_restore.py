"""The cases of backup_format.md section 13: a new course from a backup of TPL1, the course of every activity."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.effects.case import Case
from tests.effects.comparison import Allowed, Versions
from tests.moodle.course_content.backups import BackupFiles, real_backup, template_backup
from tests.moodle_sites import MoodleSite
from tests.support import run_file

# People's data is never restored.
FAMILIES = {"course_restore_": ("course_restore_with_users",)}
HEADER = "shortname;fullname;category;template"


def _restore(site: MoodleSite) -> None:
    assert _run(site, "REST1;Restored;3;{}") == ["course_created"]


def _add(site: MoodleSite) -> None:
    fullname = site.one("course", shortname="EMPTYC")["fullname"]
    assert _run(site, f"EMPTYC;{fullname};;{{}}", templatemode="1", forceupdate=True) == ["course_content_added"]


def _run(site: MoodleSite, line: str, **options: Any) -> list[str]:
    name = template_backup(site.version)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "filedir").mkdir()
        result = run_file(
            site, "courses", f"{HEADER}\n{line.format(name)}\n", dataroot=Path(folder),
            file_area=BackupFiles({name: real_backup(name)}), **options,
        )  # fmt: skip
        return result.codes


_IN_ANY_COURSE = (
    Allowed("grade_categories_history", "inserted", "no histories of what begins"),
    Allowed("grade_items_history", "inserted", "no histories of what begins"),
    Allowed(
        "grade_items", "inserted", "Moodle works grades out at the next view", ("needsupdate",), side="differs",
        versions=Versions(before="5.1"),
    ),
    Allowed(
        "course_sections", "inserted", "Moodle leaves those alone that it puts nothing into", ("timemodified",),
        side="differs",
    ),
    Allowed("course_modules", "inserted", "the same condition in another order, with our id", ("availability",),
            side="differs"),
    Allowed("scorm", "inserted", "the recording tells a float as a text", ("maxgrade",), side="differs"),
)  # fmt: skip
_AS_EVER = (
    *_IN_ANY_COURSE,
    Allowed("course", "updated", "courses are brought in order at once", ("sortorder",), side="extra"),
    Allowed(
        "course", "inserted", "a new course is made now, and put in order",
        ("sortorder", "timecreated", "timemodified"), side="differs",
    ),
)  # fmt: skip
# The recorded restores read the course as it was; the backups at hand were taken before, and for another site.
_OLDER = "the backup was taken before the course had it"
_OF_THE_BACKUP = (
    Allowed("lti", "inserted", "encrypted for the site that the backup comes from", ("password", "resourcekey"),
            side="differs"),
    *(
        Allowed(table, "inserted", _OLDER)
        for table in ("assign_overrides", "event", "lesson_overrides", "quiz_overrides", "tag_instance")
    ),
)  # fmt: skip
_METHODS = Allowed("enrol", "inserted", "an import leaves a course without any, a new course has some", side="extra")
_NUMBER = Allowed("task_adhoc", "inserted", "Moodle puts the number there as a text", ("customdata",), side="differs")

CASES = (
    Case(
        "course_restore_template", "courses", "", act=_restore,
        allowed=(*_AS_EVER, *_OF_THE_BACKUP, _METHODS),
    ),
    Case("course_restore_template_general", "courses", "", act=_restore, allowed=(*_AS_EVER, *_OF_THE_BACKUP)),
    Case("course_restore_into_existing", "courses", "", act=_add, allowed=(*_IN_ANY_COURSE, *_OF_THE_BACKUP, _NUMBER)),
    Case("course_restore_template_samesite", "courses", "", act=_restore, allowed=(*_AS_EVER, *_OF_THE_BACKUP)),
)  # fmt: skip
