"""Texts of the file type `custom_fields`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "custom_field_filled": _("field filled"),
    "custom_field_updated": _("field changed"),
    "custom_field_unchanged": _("field unchanged"),
    "custom_field_unknown": _(
        "Courses have no custom field with the short name “%(field)s”. Correct the cell, or make the field in Moodle first."
    ),
}
