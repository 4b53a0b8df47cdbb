"""Texts of the file type `user_preferences`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "preference_set": _("preference set"),
    "preference_updated": _("preference changed"),
    "preference_unchanged": _("preference unchanged"),
    "preference_unset": _("preference unset"),
    "preference_absent": _("nothing to do: the user has no such preference"),
    "preference_refused": _(
        "“%(name)s” may guard a user or hold a secret: no file sets it. Take the line out, or set it in Moodle."
    ),
    "preference_name_odd": _(
        "“%(name)s” isn't the name of a preference: small letters, digits, underscores and hyphens, a letter first. Correct it."
    ),
    "preference_value_odd": _("The value looks like a PHP object, which a file doesn't store. Correct it."),
    "preference_without_value": _("There is no value to be set. Add the column value, or write unset in cmd."),
    "preference_of_guest": _("The guest has no preferences. Name another user."),
}
