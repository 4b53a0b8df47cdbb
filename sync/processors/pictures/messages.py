"""Texts of the file type `userpictures`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "zip_broken": _("This is not a zip, or it is damaged. Make the zip again and send the whole file."),
    "zip_without_pictures": _("The zip holds no pictures. Put files like ada.lovelace.jpg in it."),
    "zip_too_many": _("The zip holds %(count)s files, more than the %(limit)s that are taken. Split it."),
    "zip_directory_too_large": _("The zip lists more files than are taken. Split it."),
    "zip_too_large": _(
        "Unpacked, the zip would have %(size)s MB, more than the %(limit)s MB that are taken. Split it."
    ),
    "pictures_passed_over": _("Files of the zip that are no pictures at all were passed over: %(count)s."),
    "pictures_without_data_folder": _(
        "Pictures are stored in Moodle's data folder, and none is configured. Set TOOLSYNC_MOODLE_DATAROOT."
    ),
    "moodle_files_unavailable": _(
        "Moodle's data folder can't be used (%(reason)s). Check that it can be reached and written to, then take the run up "
        "again."
    ),
    "picture_set": _("picture set for “%(username)s”"),
    "picture_unchanged": _("“%(username)s” has this picture already"),
    "picture_kept": _("“%(username)s” has a picture, which is kept"),
    "picture_owner_unknown": _(
        "There is no user with %(identity)s “%(value)s”. Rename the picture, or create the user first."
    ),
    "picture_ambiguous": _(
        "“%(value)s” is the %(identity)s of %(count)s users. Name the picture by something that only one user has."
    ),
    "picture_without_name": _("Nothing but an extension: name the picture after the %(identity)s of its user."),
    "picture_without_host": _("“%(value)s” has no MNet host. Name the picture like ada.lovelace@1.jpg."),
    "picture_outside": _("The path leads out of the zip, so the picture was not read. Make the zip again."),
    "picture_link": _("This is a link, not a picture. Put the picture itself in the zip."),
    "picture_encrypted": _("The picture is protected by a password. Make the zip without one."),
    "picture_method": _(
        "The picture is packed in a way that is not read (bzip2, LZMA or another). Make the zip with the usual method, "
        "called Deflate."
    ),
    "picture_damaged": _("The picture can't be unpacked: the zip is damaged at this place. Make it again."),
    "picture_too_large": _("The picture has %(size)s MB, more than the %(limit)s MB that are taken. Make it smaller."),
    "picture_too_many_pixels": _(
        "The picture has %(width)s by %(height)s pixels, more than the %(limit)s million that are taken. Make it smaller."
    ),
    "picture_unreadable": _(
        "This is not a JPEG, PNG or GIF picture, whatever its name says, or it is damaged. Save it again as one of these."
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"picture_owner_unknown": "user"}
