"""Texts of the API: why a request can't be taken."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "token_missing": _("Send a token: the header “Authorization: Bearer tsk_…”. Make one under Settings, Tokens."),
    "token_of_another_site": _("This token is not one of the site “%(site)s”. It is for: %(token_site)s."),
    "scope_missing": _("This token is not good for this: it needs the scope “%(scope)s”. Make one that has it."),
    "too_many_requests": _("Too many requests. Try again in %(seconds)s seconds."),
    "moment_without_offset": _(
        "Write the moment with its offset, like 2026-07-01T00:00:00+02:00 or 2026-07-01T00:00:00Z."
    ),
    "webhook_key_both": _("Send a key, or let one be made: not both."),
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
    "cursor_wrong": _("This is no cursor. Take the address in “next” as it is."),
    "file_place_twice": _(
        "A file with a type goes into a folder of its own. Send “file_type”, or “folder” and “replace”, not both."
    ),
    "file_type_unknown": _("The header of this file doesn't say of which type it is. Send “file_type”."),
    "file_gone": _("This file isn't kept any more."),
    "upload_offset_missing": _("Say in the header “Upload-Offset” where in the file the piece begins: a whole number."),
    "idempotency_key_wrong": _(
        "The header Idempotency-Key is 1 to 255 signs of ASCII without blanks, a UUID for example."
    ),
    "idempotency_key_reused": _(
        "This Idempotency-Key was sent before with another request. Use a new one for each request."
    ),
    "idempotency_in_progress": _(
        "The first request with this Idempotency-Key is still being carried out. Ask again soon."
    ),
    "run_state_wrong": _("The run is not in a state in which this can be done. Look at its “state”."),
    "run_not_mendable": _(
        "This run has no failed rows that could be mended. Look at its “state” and “counts”; undos and zips of pictures have "
        "none."
    ),
    "rows_too_many": _(
        "These are %(count)s rows; %(most)s are taken as JSON. Send them as a file, if need be in chunks."
    ),
    "rows_uneven": _(
        "Row %(row)s (from 0) has other columns than the first one: %(columns)s. Send the same columns in each row, null for an "
        "empty cell: a column that is absent leaves a value as it is, an empty cell may clear it."
    ),
    "rows_cell_wrong": _("Row %(row)s (from 0), column %(column)s: a cell is a text, a number, true, false or null."),
    "rows_column_unknown": _(
        "There is no such column here, or one is missing: %(columns)s. The columns are: %(known)s."
    ),
    "deletions_mixed": _("These are users and courses. Take them off in two requests."),
    "changed_meanwhile": _("It isn't any more as you have read it (If-Match). Read it again, then send your change."),
    "server_error": _("Something went wrong here. It was logged; nothing that was begun is left half done."),
    "database_away": _("The database of ToolSync doesn't answer. Try again later."),
}
