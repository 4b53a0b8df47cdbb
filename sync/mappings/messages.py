"""Texts about mappings of columns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

TEXTS = {
    "mapping_damaged": _("The mapping of the columns can't be read. Map the columns once more."),
    "mapping_source_missing": _(
        "The mapping of the columns needs some that the file doesn't have: %(columns)s. Use a file like the one that it was "
        "made for, or map the columns once more."
    ),
    "mapping_target_unknown": _(
        "The mapping of the columns makes one that this file type doesn't have (any more): %(column)s. Map the columns once "
        "more."
    ),
    "mapping_two_for_one": _(
        "Several columns become %(target)s: %(columns)s. Leave all but one of them out, or join them."
    ),
    "mapping_holds_secret": _(
        "%(column)s holds passwords. A mapping keeps none: it takes them from a column of the file, as they are."
    ),
    "mapping_shows_secret": _(
        "The column %(column)s holds passwords: it can't become %(target)s, which everybody may see. Leave it out."
    ),
    "mapping_name_missing": _("Give the mapping a name."),
    "mapping_name_taken": _("The mapping %(name)s comes with ToolSync. Give yours another name."),
    "mapping_empty": _("There is nothing to keep: the columns are called as this file type calls them."),
    "mapping_used": _("The columns were read by the mapping “%(name)s”, version %(version)s."),
    "mapping_used_once": _("The columns were read as they were mapped for this run; that mapping has no name."),
    "mapping_columns": _("Read as: %(columns)s."),
    "mapping_left_out": _("Columns that were not read: %(columns)s."),
}
