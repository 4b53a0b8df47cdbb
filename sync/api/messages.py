"""Texts of the API: why a request can't be taken."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "token_missing": _("Send a token: the header “Authorization: Bearer tsk_…”. Make one under Settings, Tokens."),
    "token_of_another_site": _(
        "This token is not one of the site “%(site)s”. Each token is for one site: %(token_site)s."
    ),
    "scope_missing": _("This token is not good for this: it needs the scope “%(scope)s”. Make one that has it."),
    "too_many_requests": _("Too many requests. Try again in %(seconds)s seconds."),
    "permission_missing": _("The user of this token may not do this. Ask an administrator for the right."),
    "not_found": _("There is nothing at this address that the user of this token may see."),
    "method_wrong": _("This address doesn't take %(method)s."),
    "media_type_wrong": _("The body is of type “%(given)s”; this address takes %(taken)s."),
    "not_acceptable": _("The answer can't be had in the type that is asked for: it is JSON."),
    "body_unreadable": _("The body can't be read: %(reason)s"),
    "body_too_large": _(
        "The body is larger than the %(limit)s kB that are taken here. Send rows as a file, and a large file in chunks."
    ),
    "body_invalid": _("Something in the request is missing or wrong; “errors” says what."),
    "query_invalid": _("Something in the address is wrong; “errors” says what."),
    "field_unknown": _("There is no such field here. Known ones: %(known)s."),
    "changed_meanwhile": _("It isn't any more as you have read it (If-Match). Read it again, then send your change."),
    "server_error": _("Something went wrong here. It was logged; nothing that was begun is left half done."),
    "database_away": _("The database of ToolSync doesn't answer. Try again later."),
}
