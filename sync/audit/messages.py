"""Texts about the audit."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "audit_keys_unreadable": _(
        "The keys of the audit of the site “%(site)s” can't be decrypted: TOOLSYNC_CREDENTIALS_KEY or SECRET_KEY is another one "
        "now. Name the old one among the fallbacks, then do this again. If it is lost, the operator goes on with manage.py "
        "verifyaudit --new-keys."
    ),
    "audit_keys_lost": _("Record %(sequence)s was written under keys that are lost, so it can't be read any more."),
    "audit_keys_were_lost": _(
        "The keys of the audit were lost. The records up to %(last)s can't be proved any more, nor can values about people in "
        "them be read."
    ),
    "audit_keys_damaged": _("Record %(sequence)s: its keys were altered."),
    "audit_entries_damaged": _("The entries were altered, so they can't be read."),
    "audit_part_missing": _("Record %(sequence)s: its part %(part)s is not in the storage any more."),
    "audit_chain_was_damaged": _(
        "The end of the audit, at record %(sequence)s, was not as ToolSync had left it. Records before this one may be missing."
    ),
    "audit_chain_missing": _("The end of the chain and its keys are gone."),
    "audit_records_missing": _("Records %(first)s to %(last)s are missing."),
    "audit_record_unlinked": _("Record %(sequence)s doesn't follow the record before it."),
    "audit_record_altered": _("Record %(sequence)s was altered."),
    "audit_record_replaced": _("Record %(sequence)s is not the one that was expected."),
    "audit_body_altered": _("Record %(sequence)s: its entries were altered."),
    "audit_index_altered": _("Record %(sequence)s: the names it is found by were altered."),
    "audit_chunk_missing": _(
        "Run %(run)s has rows up to line %(line)s that record %(sequence)s should tell of; there is no such record."
    ),
    "audit_part_unlisted": _("No record tells of the part %(part)s in the storage: its record is missing."),
    "audit_end_altered": _("The end of the chain, at record %(sequence)s, is not as ToolSync has left it."),
    "audit_expected_missing": _("Record %(sequence)s was expected; the chain ends before it."),
    "audit_erased_by_nobody": _("Record %(sequence)s: a key was destroyed, and no erasure tells of it."),
    "audit_erased_is_back": _("Record %(sequence)s: values that were erased are there again."),
    "audit_settings_updated": _("Settings or limits of a file type were changed."),
    "audit_source_updated": _("A source was changed."),
    "audit_schedule_created": _("A schedule was made."),
    "audit_schedule_updated": _("A schedule was changed."),
    "audit_schedule_deleted": _("A schedule was deleted."),
    "audit_freeze_created": _("A freeze window was made."),
    "audit_freeze_deleted": _("A freeze window was deleted."),
    "audit_arming_created": _("Schedules may take a file."),
    "audit_arming_deleted": _("Schedules may not take a file any more."),
    "audit_notification_updated": _("Notifications were changed."),
    "audit_notification_deleted": _("Notifications were taken away."),
    "audit_webhook_updated": _("The webhook was changed."),
    "audit_webhook_deleted": _("The webhook was taken away."),
    "audit_retention_updated": _("How long files of runs are kept was changed."),
    "audit_site_created": _("A site was made."),
    "audit_site_updated": _("A site was changed."),
    "audit_rights_created": _("A user of ToolSync, or a group, was made."),
    "audit_rights_updated": _("Rights were changed."),
    "audit_rights_deleted": _("A user of ToolSync, or a group, was deleted."),
    "audit_role_created": _("A role was given."),
    "audit_role_updated": _("A role was given for other file types."),
    "audit_role_deleted": _("A role was taken away."),
    "audit_login_created": _("A second factor, or another way to log in, was added."),
    "audit_login_updated": _("A second factor, or another way to log in, was changed."),
    "audit_login_deleted": _("A second factor, or another way to log in, was taken away."),
    "audit_token_created": _("A token was made."),
    "audit_token_deleted": _("A token was revoked."),
    "audit_invitation_created": _("Somebody was invited."),
    "audit_invitation_updated": _("An invitation was sent again."),
    "audit_invitation_deleted": _("An invitation was withdrawn."),
    "audit_approval_updated": _("A run was decided on."),
    "audit_erasure_deleted": PluralText(
        lambda count: ngettext(
            "Values about a person were erased on request, in %(count)s record.",
            "Values about a person were erased on request, in %(count)s records.",
            count,
        )
    ),
}
