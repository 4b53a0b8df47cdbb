"""Texts about undoing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "undo_row_deleted": _("the new row was deleted"),
    "undo_row_changed_back": _("changed back"),
    "undo_row_inserted": _("the deleted row was inserted again, under its old id"),
    "undo_as_before": _("it is as it was before the run"),
    "undo_kept": _("The row stays as it is."),
    "undo_kept_changed": _("somebody has changed it since the run (%(columns)s)"),
    "undo_kept_columns": _("somebody has changed it since the run (%(columns)s)"),
    "undo_kept_gone": _("somebody has deleted it since the run"),
    "undo_kept_unknown": _("no row holds what the run inserted any more: it was changed or deleted since"),
    "undo_kept_session": _("a session that ended stays ended: its user logs in again"),
    "undo_use_changed": _("%(owner)s was changed since the run (table %(table)s), so nothing of it is taken away"),
    "undo_use_named": _("%(owner)s is in use since the run: rows of %(table)s name it, so nothing of it is taken away"),
    "undo_columns_kept": _("somebody has changed these columns since the run: %(columns)s. They stay as they are."),
    "undo_id_taken": _("Moodle has another row under this id by now. Bring it back by hand."),
    "undo_key_taken": _(
        "The row %(id)s of %(table)s has the same %(columns)s by now. Change that one in Moodle, then undo the run once more."
    ),
    "undo_parent_gone": _(
        "What the row belongs to is gone: %(table)s %(id)s. Bring that back, then undo the run once more."
    ),
    "undo_file_gone": _(
        "The content of the file “%(name)s” is neither in Moodle's data folder nor in its trash. Bring it back from a backup, "
        "then undo the run once more."
    ),
    "undo_table_gone": _("Moodle has no table %(table)s any more."),
    "undo_journal_missing": _(
        "The before-images of the run are missing or damaged, in whole or in part, so it can't be undone. Bring the folder of "
        "the run back from a backup."
    ),
    "undo_journal_old": _("The before-images of run %(run)s are gone: it is too old to be undone."),
    "undo_of_simulation": _("Run %(run)s was a simulation: there is nothing to undo."),
    "undo_of_active_run": _("Run %(run)s is still at work. Cancel it, or wait until it is over."),
    "undo_of_nothing": _("Run %(run)s has changed no row of Moodle: there is nothing to undo."),
    "undo_at_work": _("Run %(undo)s is undoing run %(run)s just now. Wait until it is over."),
    "undo_went_on": _("Run %(run)s has gone on since its undo was simulated. Simulate the undo again."),
    "undo_done": _("Run %(run)s is undone already, by run %(undo)s. Undo that one to have everything back."),
    "undo_bundle_unknown": _("There is no bundle %(bundle)s."),
    "undo_bundle_without_runs": _("Nothing of bundle %(bundle)s was carried out: its files have no runs."),
    "undo_bundle_done": _("Bundle %(bundle)s is undone already."),
    "undo_line_done": _(
        "Line %(line)s of run %(run)s is undone already, by run %(undo)s. Undo that one to have it back."
    ),
    "undo_line_of_nothing": _("Line %(line)s of run %(run)s has changed no row of Moodle: there is nothing to undo."),
    "undo_line_tied": _(
        "Line %(line)s of run %(run)s changed a row of Moodle (table %(table)s) together with other lines of its file "
        "(%(lines)s), so it can't be undone alone. Undo the whole run, or change it in Moodle."
    ),
    "undo_line_unknown": _(
        "What line %(line)s of run %(run)s changed in Moodle (table %(table)s) can't be told from what the lines around it "
        "changed, so it can't be undone alone. Undo the whole run, or change it in Moodle."
    ),
    "undo_of_another_site": _("Run %(run)s belongs to the site “%(site)s”."),
    "undo_run_unknown": _("There is no run %(run)s."),
    "undo_mails_sent": PluralText(
        lambda count: ngettext(
            "The run sent %(count)s mail, which can't be taken back.", "The run sent %(count)s mails, which can't be taken back.",
            count,
        )
    ),
    "undo_restored_by_moodle": _("Courses that the run had Moodle itself restore are not taken back."),
}  # fmt: skip
