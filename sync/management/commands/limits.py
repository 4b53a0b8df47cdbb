"""Show how much a file may change before a person has to agree, and set it."""

from __future__ import annotations

from sync.management.setting_command import Setting, SettingCommand


class Command(SettingCommand):
    """manage.py limits KEY. Exit status: as of SettingCommand."""

    help = (
        "Show the limits of a file type, or those of all that have none of their own; set them as JSON says, with the fields "
        "that the API takes. Exit status: 0 done, 2 the JSON can't be read, 3 they can't be set so."
    )

    def setting(self) -> Setting:
        """Return the limits."""
        from sync.api.limits import LimitsChoiceSerializer, set_limits, told_limits
        from sync.runs.plans import delete_limits
        from sync.runs.rights import OPERATOR

        return Setting(
            LimitsChoiceSerializer,
            told_limits,
            lambda site, key, sent: set_limits(site, key, sent, OPERATOR),
            lambda site, key: delete_limits(site, key, OPERATOR),
        )
