"""Texts about where files come from without a person."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "source_nothing": _("Nothing is there for “%(location)s”."),
    "file_not_armed": _(
        "%(name)s is there, but nobody who may run this file type has said that schedules take it, so it was left "
        "alone. Look at it on the page of the file type, and let schedules take it there."
    ),
    "dropped_file_not_armed": _(
        "%(name)s came out of the drop folder, but %(owner)s, who set the source, may not set sources or run files like this "
        "one any more, so it was left alone. Somebody who may must save the source and let schedules take the file."
    ),
    "source_owner_without_right": _(
        "%(owner)s, who set this source, is no active user of ToolSync any more, or may not set sources or run this "
        "file type. Nothing was taken. Somebody who may must save the source again."
    ),
    "source_never_next": _(
        "The first file stays after its run, so the others never get their turn. Tick “Take all files at once”, “Leave out a "
        "file that was carried out already”, or let the first one be deleted after the run."
    ),
    "source_file_growing": _(
        "%(name)s is still being written, so it was left where it is. It is taken once it stays the same."
    ),
    "source_checksum_differs": _(
        "%(name)s doesn't have the SHA-256 that %(mark)s says, so it was not taken. Send both again."
    ),
    "source_file_left_behind": _("%(path)s was fetched before, but its run was never asked for. It is taken now."),
    "same_file_again": _("%(name)s is the very same file that run %(run)s has carried out already."),
    "same_file_left_out": _(
        "%(name)s was left out: it is the very same file that run %(run)s has carried out already."
    ),
    "file_put_aside": _(
        "Run %(run)s could not use %(path)s, so it is called %(aside)s now. The next run goes on with the next file."
    ),
    "drop_feeder_writes": _(
        "Nothing was taken from the drop folder: %(lock)s has said for %(minutes)s minutes that files are being written there."
    ),
    "drop_feeder_died": _(
        "Nothing was taken from the drop folder: %(lock)s is %(hours)s hours old, so the program that feeds it has probably "
        "died. See that its files are whole, then delete %(lock)s."
    ),
    "drop_being_taken": _(
        "Nothing was taken from the drop folder: %(lock)s has said for %(minutes)s minutes that another process is taking them."
    ),
    "drop_lock_taken_over": _(
        "%(lock)s in the drop folder was %(hours)s hours old, left by a program that has died. It was removed. Check that "
        "program."
    ),
    "drop_lock_of_dead_process": _(
        "Process %(pid)s on %(host)s died while it took files from the drop folder; its %(lock)s was removed. Nothing is lost: "
        "what it had not taken is taken now."
    ),
    "dropped_file_quarantined": _(
        "%(name)s in the drop folder is called %(aside)s now: ToolSync broke off %(attempts)s times while it took it. Look what "
        "is in it (its size, its format), then hand it in again under its old name, or delete it."
    ),
    "fetched_file_quarantined": _(
        "%(name)s is left out: ToolSync broke off %(attempts)s times while it fetched it. Look what is in it (its "
        "size, its format) and put a mended one in its place; the same one is retried a day later."
    ),
    "drop_folder_failed": _(
        "The drop folder %(folder)s can't be used (%(reason)s). Let the system user that ToolSync runs as write there."
    ),
    "inbox_unknown": _("There is no inbox “%(inbox)s”. Choose another one, or name it in TOOLSYNC_INBOXES."),
    "inbox_failed": _("The inbox “%(inbox)s” doesn't answer as it should (%(reason)s). Check TOOLSYNC_INBOXES."),
    "path_unreadable": _(
        "“%(path)s” is not the path of a file. Write it like users.csv, in/users.csv or in/users_*.csv."
    ),
    "wildcard_in_folder": _("A * may stand in the name of a file only, not in its folder."),
    "address_unreadable": _("This is not an address. Write it like https://example.org/users.csv."),
    "address_scheme": _("Files can't be fetched by “%(scheme)s”. Begin the address with one of: %(schemes)s."),
    "address_wildcard": _("A web server doesn't list its files: write the whole name, without *."),
    "address_without_file": _("The address names a folder. Put the name of a file behind it, or a name with *."),
    "private_key_unreadable": _(
        "The private key can't be read. Paste the whole file, and give its passphrase as the password."
    ),
    "source_secret_unreadable": _(
        "The password can't be decrypted: SECRET_KEY or TOOLSYNC_CREDENTIALS_KEY is another one now. Enter it again."
    ),
    "remote_private": _(
        "%(host)s is an address of a private network or of this machine, and nothing is fetched from there. Whoever runs "
        "ToolSync can allow it in TOOLSYNC_FETCH_HOSTS."
    ),
    "remote_unknown": _("There is no server %(host)s. Check the spelling of the address."),
    "remote_failed": _("Fetching from %(host)s failed (%(reason)s). Check the address and the server."),
    "remote_silent": _("%(host)s doesn't answer: nothing came for %(seconds)s seconds. Check the server."),
    "remote_too_slow": _("Fetching from %(host)s was given up: it was not done after %(seconds)s seconds."),
    "remote_too_large": _("%(name)s has more than the %(limit)s MB that are taken. Split it."),
    "remote_cut_off": _("%(host)s cut the file off: %(missing)s bytes are missing. Nothing was taken."),
    "remote_certificate": _(
        "The certificate of %(host)s can't be trusted (%(reason)s), so nothing was sent or taken. Let the server have a "
        "valid one, or let whoever runs ToolSync name the authority behind it in SSL_CERT_FILE."
    ),
    "remote_login_refused": _("%(host)s doesn't accept the login. Check the user name and the password or key."),
    "remote_not_found": _("There is nothing at %(address)s."),
    "remote_status": _("%(host)s answers with an error (HTTP %(status)s). Check the address."),
    "remote_redirects": _("%(host)s sends us on more than %(count)s times. Enter the address where it ends."),
    "remote_redirect_insecure": _("%(host)s sends us on to %(target)s, which is not as safe. Enter another address."),
    "remote_host_key": _(
        "%(host)s shows a different key than before (%(met)s instead of %(known)s), so no password was sent. If the server was "
        "changed on purpose, enter the new fingerprint."
    ),
}
