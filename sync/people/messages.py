"""Texts about people, roles and invitations."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.models import Role

TEXTS: dict[str, Any] = {
    "person_own_role": _("You can't change your own rights. Ask another administrator."),
    "person_with_more_rights": _(
        "%(name)s has rights that you don't have, so you can't do this. Ask somebody who has them."
    ),
    "role_beyond_own": _("This role gives rights that you don't have, so you can't give it or take it away."),
    "administrator_of_some": _("An administrator is one for every file type of the site. Choose every file type."),
    "last_administrator": _(
        "%(name)s is the last administrator of %(site)s. Make somebody else administrator first, or nobody could give roles."
    ),
    "person_known": _("There is a user with the address %(email)s already: %(name)s. Give them a role on their page."),
    "invited_before": _("%(email)s was invited already. Send the mail again, or withdraw that invitation first."),
    "invitation_over": _(
        "This link was used already, is too old or was withdrawn. Ask whoever invited you for another one."
    ),
    "invitation_without_right": _(
        "%(name)s, who invited you, may not give this role any more. Ask for another invitation."
    ),
}

ROLE_SUMMARIES: dict[str, Any] = {
    Role.VIEWER: _("Sees runs, plans and reports. Not the command files and trybacks, which may hold passwords."),
    Role.OPERATOR: _("Also hands in files, simulates, runs and undoes them."),
    Role.APPROVER: _("Also approves held runs, and takes users and courses off the list of deletions."),
    Role.MANAGER: _(
        "Also sets sources, schedules, notifications and limits; for every file type: freeze windows, how long things are kept, "
        "and the audit."
    ),
    Role.ADMINISTRATOR: _("Also invites people and gives roles, and erases in the audit. Always for every file type."),
}
