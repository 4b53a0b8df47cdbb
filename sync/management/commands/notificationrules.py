"""Show who gets mails about a file type, and set it."""

from __future__ import annotations

from sync.management.setting_command import Setting, SettingCommand


class Command(SettingCommand):
    """manage.py notificationrules KEY. Exit status: as of SettingCommand."""

    help = (
        "Show who gets mails about a file type, or about all that have no rule of their own; set it as JSON says, with the "
        "fields that the API takes. Exit status: 0 done, 2 the JSON can't be read, 3 it can't be set so."
    )

    def setting(self) -> Setting:
        """Return the rule."""
        from sync.api.limits import RuleChoiceSerializer, set_rule, told_rule
        from sync.notifications.services import delete_rule
        from sync.runs.rights import OPERATOR

        return Setting(
            RuleChoiceSerializer, told_rule, lambda site, key, sent: set_rule(site, key, sent, OPERATOR), delete_rule
        )
