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
    "source_checksum_missing": _(
        "%(mark)s holds no SHA-256, so %(name)s was not taken. Write the digest into it, or call the mark .done instead."
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
    "remote_end_unknown": _(
        "%(host)s doesn't say where the file ends, so nobody can tell whether all of it came. Nothing was taken. Let the server "
        "send the length (Content-Length), or put a .sha256 beside the file."
    ),
    "remote_certificate": _(
        "The certificate of %(host)s can't be trusted (%(reason)s), so nothing was sent or taken. Let the server have a "
        "valid one, or let whoever runs ToolSync name the authority behind it in SSL_CERT_FILE."
    ),
    "remote_login_refused": _("%(host)s doesn't accept the login. Check the user name and the password or key."),
    "remote_not_found": _("There is nothing at %(address)s."),
    "remote_status": _("%(host)s answers with an error (HTTP %(status)s). Check the address."),
    "remote_redirects": _("%(host)s sends us on more than %(count)s times. Enter the address where it ends."),
    "remote_redirect_insecure": _("%(host)s sends us on to %(target)s, which is not as safe. Enter another address."),
    "source_no_rows": _("%(host)s gave no row at all, so nothing was taken. Check what is asked for."),
    "source_too_many_rows": _(
        "%(host)s gave more than %(limit)s rows, so nothing was taken. Ask for fewer, or let whoever runs ToolSync raise "
        "TOOLSYNC_FETCH_ROWS."
    ),
    "source_binary_cell": _(
        "A column holds something that is no text (a picture, say), so nothing was taken. Leave that column out."
    ),
    "source_server_not_named": _(
        "%(server)s is not among the databases and directories that may be asked. Whoever runs ToolSync can name it in "
        "TOOLSYNC_FETCH_HOSTS."
    ),
    "source_not_for_pictures": _("Pictures come in zips: choose an address, an inbox or the file area."),
    "source_no_username": _("Enter the name that the other side knows ToolSync by."),
    "server_unreadable": _(
        "This is not the address of such a server. Write it like postgresql://example.org/students, "
        "sqlite:////srv/students.sqlite3 or ldaps://example.org; it begins with one of: %(schemes)s."
    ),
    "sql_not_select": _("This is not a query: it must begin with SELECT or WITH."),
    "sql_several": _("Only one statement may stand here, without a semicolon in it."),
    "sql_comment": _("Write the statement without comments (-- or /*): servers read them differently."),
    "sql_writes": _(
        "The statement holds %(word)s, and nothing may be written. If a column is called so, put its name in quotes."
    ),
    "sql_too_long": _("The statement has more than %(limit)s characters. Make a view of it in the database."),
    "sql_same_column": _("Two columns are called %(column)s. Give each a name of its own, with AS."),
    "sql_option_unknown": _("%(option)s can't stand behind the ? of this address. What can: %(options)s."),
    "sql_refused": _(
        "%(host)s doesn't understand the statement, or the database account may not read this (%(reason)s)."
    ),
    "sql_cut_off": _(
        "%(host)s has left out a part of the result (%(reason)s), so nothing was taken. Have its limits raised."
    ),
    "sql_failed": _("The database on %(host)s can't be read (%(reason)s). Check the address and the server."),
    "ldap_base_unknown": _(
        "%(host)s has no entry %(base)s below which to search, or doesn't show it to this login. Check its spelling and the "
        "login."
    ),
    "ldap_limit": _(
        "%(host)s gives no more than a part of the entries (%(reason)s), so none of them is used. Ask for fewer with the "
        "filter, or have the limit for this login raised."
    ),
    "ldap_login_unreadable": _(
        "%(host)s doesn't know people by names like %(username)s. Write the whole name of the entry, like "
        "cn=reader,dc=example,dc=org."
    ),
    "ldap_filter_unreadable": _("%(filter)s is not a filter. Write it like (objectClass=inetOrgPerson)."),
    "ldap_attribute_unreadable": _(
        "%(attribute)s can't be the name of an attribute. Write them like uid, givenName, sn, mail."
    ),
    "ldap_attribute_missing": _(
        "No entry that %(host)s gives has the attribute %(attributes)s, so nothing was taken: an empty column could clear what "
        "Moodle holds. Check its spelling and whether this login may read it, or take it out of the attributes."
    ),
    "ldap_attributes_wrong": _("Name each attribute once, and at most %(limit)s, with commas between them."),
    "oauth_insecure": _("The secret would go to %(host)s in the clear. Write the address of the token with https."),
    "oauth_refused": _(
        "%(host)s gave no token (HTTP %(status)s, %(reason)s). Check its address, the name of the client and the secret."
    ),
    "sheet_address_unreadable": _(
        "This is not the address of a Google Sheet. Copy the one that the browser shows while the sheet is open: "
        "https://docs.google.com/spreadsheets/d/…/edit#gid=0."
    ),
    "sheet_not_shared": _(
        "%(host)s doesn't give this sheet to %(email)s. Share it with that address (reading is enough), and check the address of "
        "the sheet."
    ),
    "service_key_missing": _("Paste the key of the service account: the whole file (JSON) that Google gave."),
    "service_key_unreadable": _(
        "This is not the key of a service account. Paste the whole file (JSON) that Google gave, from { to }."
    ),
    "service_key_refused": _(
        "%(host)s gave no token for the key of the service account (HTTP %(status)s, %(reason)s). See that the key is not "
        "deleted and that the clock of this server is right, or make a new key."
    ),
    "remote_page": _("%(host)s gave a web page in place of a table. Check the address."),
    "oneroster_unreadable": _(
        "%(host)s doesn't answer as a OneRoster server when asked for %(collection)s. Check the address."
    ),
    "oneroster_changed": _(
        "The %(collection)s of %(host)s changed while they were read, so nothing was taken. The next start asks for them again."
    ),
    "oneroster_cut_off": _("%(host)s gave %(missing)s records fewer than it said there are, so nothing was taken."),
    "other_moodle_not_for_type": _("Another Moodle is a source of these file types only: %(types)s."),
    "other_moodle_prefix": _("%(prefix)s can't be the beginning of the names of tables. Most often it is mdl_."),
    "remote_host_key": _(
        "%(host)s shows a different key than before (%(met)s instead of %(known)s), so no password was sent. If the server was "
        "changed on purpose, enter the new fingerprint."
    ),
}
