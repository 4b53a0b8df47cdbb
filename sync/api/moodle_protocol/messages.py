"""Texts of the web services of the plugin: what Moodle itself says of errors, in our languages, and what it has no words for.

What stands in brackets behind an error of Moodle's is for whoever wrote the script, and in English, as Moodle's own is.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "service_invalid_parameter": _("Invalid parameter value detected (%(detail)s)"),
    "service_access_denied": _("Access control exception (%(detail)s)"),
    "service_function_unknown": _("Can't find data record in database table external_functions. (%(name)s)"),
    "service_token_missing": _("Invalid token - token not found"),
    "service_token_wrong": _("Invalid token - %(reason)s"),
    "service_failed": _("ToolSync could not carry this out; see its log."),
    "service_wrong_tokens": _("Too many wrong tokens came from this address. Wait a minute."),
    "service_too_many_calls": _("Too many calls in this minute. Wait for the next one."),
    "service_area_wrong": _("Files are taken into the area %(area)s only."),
    "service_length_unreadable": _("The length of the body can't be read."),
    "service_file_missing": _("There is no file of yours for %(file_type)s: upload and commit one first."),
    "service_source_elsewhere": _(
        "The files of %(file_type)s come from another place (%(kind)s), whose settings and secrets would be lost, so nothing was "
        "set. Set the source on its page, or by the API."
    ),
    "service_shortname_taken": _("Short name is already used for another course (%(shortname)s)"),
    "service_found_several": _("%(thing)s: %(count)s have the %(source)s %(value)s"),
    "service_field_unknown": _("Invalid user field: %(name)s"),
    "service_draft_missing": _("There is no uploaded file under the number %(itemid)s."),
    "service_file_of_others": _("%(path)s is a file of somebody else."),
    "service_file_exists": _("File name already exists: %(name)s"),
    "service_run_waits": _("Run %(run)s waits for a person and has written nothing yet. %(reasons)s"),
    "service_run_going_on": _("Run %(run)s is not at its end yet; look at its page what comes of it."),
    "service_run_ended": _("Run %(run)s was not carried out: %(state)s"),
}
