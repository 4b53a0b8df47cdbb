"""Texts of the file type `user_preferences`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

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
    "preference_is_truth": _(
        "“%(value)s” is how a spreadsheet writes yes or no; Moodle would take either for a yes. Write 1 or 0."
    ),
    "preference_word_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row sets a preference to a word for yes or no; it was taken as it is (line %(line)s). To Moodle every "
            "word means yes: write 1 or 0 where a yes or no is meant.",
            "%(count)s rows set preferences to words for yes or no; they were taken as they are (first line %(line)s). To "
            "Moodle every word means yes: write 1 or 0 where a yes or no is meant.",
            n,
        )
    ),
    "preference_of_users_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row sets a preference that is called like a column of files of users (line %(line)s), lang for instance. "
            "Moodle keeps that with the user and looks at no such preference: send a file of users.",
            "%(count)s rows set preferences that are called like columns of files of users (first line %(line)s), lang for "
            "instance. Moodle keeps that with the user and looks at no such preference: send a file of users.",
            n,
        )
    ),
    "preference_without_value": _("There is no value to be set. Add the column value, or write unset in cmd."),
    "preference_locks_out": _(
        "Users of the authentication plugin “%(auth)s” can't change a password in Moodle as far as ToolSync knows, so nobody of "
        "them could go on after logging in. Take the line out, or set it in Moodle."
    ),
    "preference_of_guest": _("The guest has no preferences. Name another user."),
}
