"""Texts of the file type `custom_fields`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "custom_field_filled": _("field filled"),
    "custom_field_updated": _("field changed"),
    "custom_field_unchanged": _("field unchanged"),
    "custom_field_unknown": _(
        "Courses have no custom field with the short name “%(field)s”. Correct the cell, or make the field in Moodle first."
    ),
    "custom_field_truth_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row puts a yes or no, as a spreadsheet writes it, into a field that wants a text; it was taken as it is "
            "(line %(line)s). Correct or empty such cells.",
            "%(count)s rows put a yes or no, as a spreadsheet writes it, into fields that want a text; they were taken as they "
            "are (first line %(line)s). Correct or empty such cells.",
            n,
        )
    ),
}
