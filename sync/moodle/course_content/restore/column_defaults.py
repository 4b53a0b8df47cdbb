"""What Moodle's restore puts into columns that an archive of an older version lacks, where that isn't the column's default.

Source: restore_*_stepslib.php of Moodle 4.1 to 5.1, what is set where `isset()` finds nothing. Gone through: every column that
Moodle 4.5 or 5.1 has and 4.1 hasn't (`schemas`, version_diff of the backup graph). Those that aren't named here take the
column's default there too: assign.markinganonymous and gradepenalty, bigbluebuttonbn.showpresentation and grade,
course_modules.enableaitools and enabledaiactions, groups.visibility and participation, quiz.precreateattempts,
quiz_slots.displaynumber and quizgradeitemid, quizaccess_seb_quizsettings.allowcapturecamera and allowcapturemicrophone,
qtype_ddimageortext.dropzonevisibility, question_calculated_options.shownumcorrect, customfield_data.valuetrust.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.moodle.db.database import MoodleSession

# DURING | IMMEDIATELY_AFTER | LATER_WHILE_OPEN | AFTER_CLOSE of Moodle's display_options.
# Source: restore_quiz_stepslib.php, "New setting in 4.3"
_MARKS_ALWAYS_SHOWN = 0x11110
_HTML = 1

Defaults = Mapping[str, Mapping[str, Any]]


def fetch_absent_values(session: MoodleSession) -> Defaults:
    """Return what stands for what an archive lacks. Shape: table -> column -> value"""
    return {
        "badge_criteria": {"description": "", "descriptionformat": 0},
        "folder": {"showexpanded": session.plugin_config("folder").get("showexpanded") or 1},
        "qtype_essay_options": {"responserequired": 1, "responsetemplate": "", "responsetemplateformat": _HTML},
        "quiz": {
            "browsersecurity": "-",
            "overduehandling": session.plugin_config("quiz").get("overduehandling") or "autosubmit",
            "preferredbehaviour": "deferredfeedback",
            "reviewmaxmarks": _MARKS_ALWAYS_SHOWN,
        },
    }  # fmt: skip


def with_absent_values(table: str, row: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    """Fill what a row lacks; what is NULL in the archive is missing too, as for Moodle's isset()."""
    missing = {name: value for name, value in defaults.get(table, {}).items() if row.get(name) is None}
    return {**row, **missing}
