"""Texts about people, roles and invitations."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.models import Role, Scope

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
    "machine_of_others": _("Only who may manage the tokens of a site makes machine users for it."),
    "machine_name_wrong": _(
        "The name of a machine user is made of small letters a to z, digits, points and hyphens, and begins with a letter or "
        "digit: “sis-import”."
    ),
    "machine_known": _("There is a user %(name)s already. Choose another name."),
    "token_of_others": _(
        "You can make tokens for yourself and, if you may manage tokens, for machine users that have no right that you don't "
        "have. Others make their own."
    ),
    "token_without_scope": _("Choose at least one scope, and how long the token is good."),
    "token_site_wrong": _("A token can be for the sites only on which its user has a right, and that are in use."),
    "token_too_many": _("There are %(most)s tokens that let in already. Revoke those that nobody uses."),
    "token_unknown": _("This token isn't known. Make one under Settings, Tokens."),
    "token_revoked": _("This token was revoked. Make another one under Settings, Tokens."),
    "token_expired": _("This token is too old. Make another one under Settings, Tokens."),
    "token_of_nobody": _("The user of this token is switched off. Ask an administrator."),
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
        "the audit, all tokens and machine users."
    ),
    Role.ADMINISTRATOR: _("Also invites people and gives roles, and erases in the audit. Always for every file type."),
}

SCOPE_SUMMARIES: dict[str, Any] = {
    Scope.READ: _("Reads files, plans, runs, reports, trybacks, schedules and, for who may see it, the audit."),
    Scope.PLAN: _("Hands in files and rows, and makes plans. Nothing is written to Moodle."),
    Scope.APPLY: _("Applies plans, starts, pauses, takes up and cancels runs, undoes them."),
    Scope.APPROVE: _(
        "Approves and declines runs that are held, and takes users and courses off the list of deletions."
    ),
    Scope.MANAGE: _("Changes settings of file types, sources and schedules, and deletes files."),
}
