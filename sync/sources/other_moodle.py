"""Cohorts, their members and their courses in the database of another Moodle, in the columns of the command files.

Mirrors: the scripts of the plugin tool_sync that feed from a "transbase"; cohorts that a plugin owns stay out
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sync.errors import SourceError

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,29}|")

# File type -> statement. A cohort is known by its idnumber there as here; one without it can't be told apart from others.
_STATEMENTS: Mapping[str, str] = {
    "cohorts": (
        "SELECT 'add' AS cmd, c.idnumber AS cidnumber, c.name AS cname, c.description AS cdescription, c.visible AS visible,"
        " COALESCE(p.username, '') AS userid"
        " FROM {prefix}cohort c"
        " LEFT JOIN (SELECT m.cohortid, u.username FROM {prefix}cohort_members m"
        " JOIN {prefix}user u ON u.id = m.userid WHERE u.deleted = 0) p ON p.cohortid = c.id"
        " WHERE c.idnumber <> '' AND c.component = ''"
        " ORDER BY c.idnumber, p.username"
    ),
    "cohort_courses": (
        "SELECT CASE WHEN e.status = 0 THEN 'add' ELSE 'del' END AS cmd, s.shortname AS course, c.idnumber AS cohort,"
        " r.shortname AS role"
        " FROM {prefix}enrol e"
        " JOIN {prefix}cohort c ON c.id = e.customint1"
        " JOIN {prefix}course s ON s.id = e.courseid"
        " JOIN {prefix}role r ON r.id = e.roleid"
        " WHERE e.enrol = 'cohort' AND c.idnumber <> ''"
        " ORDER BY s.shortname, c.idnumber, r.shortname"
    ),
}
FILE_TYPES = tuple(_STATEMENTS)


def statement_for(processor: str, prefix: str) -> str:
    """Return the statement for a file type. Shape: prefix: of the tables, "mdl_". Raises: SourceError"""
    if processor not in _STATEMENTS:
        raise SourceError("other_moodle_not_for_type", types=", ".join(FILE_TYPES))
    if not _PREFIX.fullmatch(prefix):
        raise SourceError("other_moodle_prefix", prefix=prefix[:40])
    return _STATEMENTS[processor].format(prefix=prefix)
