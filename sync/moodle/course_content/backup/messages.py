"""Texts about course backups."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "backup_empty": _("The backup is an empty file. Take it from Moodle again."),
    "backup_not_archive": _(
        "This is no course backup: it is neither a tar.gz nor a zip. Take an .mbz file from Moodle."
    ),
    "backup_truncated": _("The backup breaks off before its end. Take it from Moodle again."),
    "backup_damaged": _("The backup is damaged. Take it from Moodle again."),
    "backup_method": _(
        "“%(member)s” in the backup is packed in a way that Moodle doesn't use (bzip2, LZMA or another). Take the backup from "
        "Moodle again, and don't pack it anew."
    ),
    "backup_encrypted": _(
        "“%(member)s” in the backup is encrypted. Take the backup from Moodle again, without a password."
    ),
    "backup_large": _(
        "The backup holds more than %(limit)s MiB. Leave out large files when you make it, or restore it in Moodle itself."
    ),
    "backup_ratio": _(
        "The backup would grow to more than %(limit)s times its size, as no backup of Moodle does. Don't trust this file."
    ),
    "backup_members": _("The backup holds more than %(limit)s files. Restore it in Moodle itself."),
    "backup_member_large": _(
        "The file %(member)s in the backup is larger than %(limit)s MiB. Restore the backup in Moodle itself."
    ),
    "backup_member_name": _(
        "The backup holds a file named “%(member)s”, which would be written where it doesn't belong. Don't trust this file."
    ),
    "backup_member_special": _(
        "“%(member)s” in the backup is a link, a device, or something else that Moodle never packs. Take the backup from "
        "Moodle again."
    ),
    "backup_member_unknown": _(
        "“%(member)s” in the backup is nothing that Moodle puts there. Take the backup from Moodle again, and don't pack it "
        "anew."
    ),
    "backup_member_twice": _("“%(member)s” is in the backup twice. Take the backup from Moodle again."),
    "backup_no_space": _(
        "There is no room for the %(size)s MiB of a file in the backup. Make room for temporary files."
    ),
    "backup_blob_differs": _(
        "The file %(member)s in the backup isn't what it was when the backup was made. Take the backup from Moodle again."
    ),
    "backup_file_row": _(
        "files.xml in the backup names a file “%(name)s” (number %(id)s) as Moodle never does. Take the backup from Moodle "
        "again."
    ),
    "backup_xml_broken": _(
        "Line %(xmlline)s, column %(xmlcolumn)s of %(member)s in the backup isn't XML. Take the backup from Moodle again."
    ),
    "backup_xml_doctype": _(
        "%(member)s in the backup declares a document type, as Moodle never does. Don't trust this file."
    ),
    "backup_xml_deep": _(
        "%(member)s in the backup has more than %(limit)s elements within each other, as Moodle's never have. Don't trust "
        "this file."
    ),
    "backup_xml_names": _(
        "%(member)s in the backup has more than %(limit)s kinds of elements, as Moodle's never have. Don't trust this file."
    ),
    "backup_xml_text": _(
        "%(member)s in the backup holds a text of more than %(limit)s MiB. Shorten it in Moodle, and make the backup again."
    ),
    "backup_row_id": _(
        "%(member)s in the backup gives an element “%(element)s” the number “%(value)s”. Take the backup from Moodle again."
    ),
    "backup_activity_broken": _(
        "The activity “%(title)s” is missing in the backup, or differs from its table of contents (%(folder)s). Make the "
        "backup again."
    ),
    "backup_manifest_missing": _(
        "The backup has no moodle_backup.xml that says what is in it. Take an .mbz file from Moodle."
    ),
    "backup_manifest_number": _(
        "moodle_backup.xml says “%(value)s” for %(name)s, which should be a number. Take the backup from Moodle again."
    ),
    "backup_manifest_folder": _(
        "moodle_backup.xml names the folder “%(folder)s”, as Moodle never does, or names it twice. Take the backup from "
        "Moodle again."
    ),
    "backup_kind": _(
        "This is no backup of a whole course (type “%(kind)s”, format “%(format)s”). Make a backup of the course itself."
    ),
    "backup_of_site": _("This is a backup of a front page, which can't be a template. Make one of a course."),
    "backup_old": _(
        "The backup was made by Moodle %(release)s; those from 4.0 on can be read. Restore it in a newer Moodle, and make a "
        "backup there."
    ),
}
