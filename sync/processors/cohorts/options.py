"""The options that the file types of cohorts share."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.options import Flag

FOLLOW_ENROLMENTS = Flag(
    "followenrolments", default=True, label=_("Enrolments follow at once"),
    help=_("Off: Moodle's own scheduled task brings the courses of the cohorts up to date."),
)  # fmt: skip

COHORT_IDENTIFIERS = {"id": "id", "idnumber": "idnumber", "name": "name"}
