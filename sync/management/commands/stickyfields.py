"""Show which columns files leave as they are, and set it."""

from __future__ import annotations

from sync.management.setting_command import Setting, SettingCommand


class Command(SettingCommand):
    """manage.py stickyfields KEY. Exit status: as of SettingCommand."""

    help = (
        "Show the columns that files of a type leave as they are, each with its rule; set them as JSON says, with the fields "
        "that the API takes. Exit status: 0 done, 2 the JSON can't be read, 3 they can't be set so."
    )

    def setting(self) -> Setting:
        """Return the sticky fields."""
        from sync.api.limits import StickySerializer
        from sync.runs.sticky import rules_of, save_rules

        return Setting(
            StickySerializer,
            lambda site, key: {"rules": rules_of(site, key)},
            lambda site, key, sent: save_rules(site, key, sent["rules"]),
            of_all=False,
        )
