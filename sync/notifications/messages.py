"""Texts about notifications, and about Moodle's caches after a run."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "caches_purged": _("Moodle's caches were purged, as groups, categories, roles or enrolments changed."),
    "caches_not_purged": _(
        "Groups, categories, roles or enrolments changed, and Moodle's caches were not purged, as no Moodle command line is "
        "set: some pages may show the old state. Purge the caches in Moodle, and see TOOLSYNC_MOODLE_CLI."
    ),
    "caches_purge_failed": _(
        "Moodle's caches could not be purged, so some of its pages may show the old state. Purge them in Moodle. %(reason)s"
    ),
    "moodle_command_not_started": _("Moodle's command line can't be started: %(program)s (%(reason)s)."),
    "moodle_command_too_slow": _("Moodle's %(script)s was stopped: it was not done after %(seconds)s seconds."),
    "moodle_command_failed": _("Moodle's %(script)s ended with status %(status)s and said: %(said)s"),
    "mail_without_server": _(
        "No mail server is set, so nothing was sent to: %(recipients)s. Set EMAIL_URL and start the workers again."
    ),
    "mail_not_sent": _(
        "The mail could not be sent to: %(recipients)s (%(reason)s). Check the addresses and EMAIL_URL."
    ),
    "mail_in_doubt": _(
        "Nobody knows whether this mail has reached %(recipients)s: the server didn't answer, or the worker died, while it was "
        "handed over. It is not sent again."
    ),
    "mail_address_wrong": _("“%(address)s” is not a mail address."),
    "webhook_address": _(
        "This is not an address that a webhook can have. Write it like https://example.org/hooks/1, without a user name."
    ),
    "webhook_key_short": _(
        "The key is too short to be safe. Give it at least %(length)s bytes: that many characters, or “%(prefix)s” and base64."
    ),
    "webhook_key_unreadable": _("What follows “%(prefix)s” in the key must be base64."),
    "webhook_secret_unreadable": _(
        "The address can't be decrypted: SECRET_KEY or TOOLSYNC_CREDENTIALS_KEY is another one now. Enter address and key again."
    ),
    "webhook_private": _(
        "%(host)s is an address of a private network or of this machine, and nothing is sent there. Whoever runs ToolSync can "
        "allow it in TOOLSYNC_FETCH_HOSTS."
    ),
    "webhook_failed": _("%(host)s could not be notified (%(reason)s). Check the address and the server."),
    "webhook_too_slow": _(
        "%(host)s took longer than %(seconds)s seconds. It should answer first and do its work then."
    ),
    "webhook_status": _("%(host)s answers with HTTP %(status)s instead of 200. Check the address and the server."),
}
