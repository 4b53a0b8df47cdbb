"""What an administrator may tune of roles."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import CourseIdentifier, GeneralOptions, UserIdentifier
from sync.columns.options import Choice


class RolesOptions(GeneralOptions):
    useridentifier = UserIdentifier(
        help=_("What the column userid holds, and the column instance in rows about a user.")
    )
    roleidentifier = Choice(
        default="shortname",
        choices={"id": "id", "shortname": "shortname"},
        label=_("Role identifier"),
        help=_("What the column role holds."),
    )
    courseidentifier = CourseIdentifier(
        help=_("What the column course holds, and the column instance in rows about a course.")
    )
    categoryidentifier = Choice(
        default="idnumber",
        choices={"id": "id", "idnumber": "idnumber"},
        label=_("Category identifier"),
        help=_("What the column instance holds in rows about a category."),
    )
