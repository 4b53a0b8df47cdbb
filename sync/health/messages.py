"""Texts about the parts that ToolSync needs: how they are, and what to do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "health_database_label": _("Database of ToolSync"),
    "health_broker_label": _("Broker"),
    "health_worker_label": _("Worker"),
    "health_beat_label": _("Beat"),
    "health_queue_label": _("Queue"),
    "health_moodle_label": _("Moodle"),
    "health_storage_label": _("Storage of files"),
    "health_disk_label": _("Disk space"),
    "health_mail_label": _("Mail server"),
    "health_clock_label": _("Clock"),
    "health_caches_label": _("Moodle's caches"),
    "health_database_answers": _("%(server)s %(version)s answers in %(milliseconds)s ms."),
    "health_broker_answers": PluralText(
        lambda n: ngettext("It answers; %(count)s message waits.", "It answers; %(count)s messages wait.", n)
    ),
    "health_broker_away": _(
        "The broker (CELERY_BROKER_URL) doesn't answer: no run can start. Start it again, and look whether this machine "
        "reaches it. It said: %(reason)s"
    ),
    "health_worker_alive": _("Workers take their work."),
    "health_worker_dead": _(
        "No worker takes any work: runs and mails wait. Start one (celery -A toolsync_site worker), and look into its log for "
        "why it ended."
    ),
    "health_worker_unknown": _(
        "Nobody knows, as beat sends no work. When it does again, this shows whether a worker takes it."
    ),
    "health_beat_alive": _("Beat sends what is due each minute."),
    "health_beat_dead": _(
        "Beat sends nothing: no feed starts by itself and nothing is tried again. Start it (celery -A toolsync_site beat); if it "
        "runs, look whether it reaches the broker and the database."
    ),
    "health_queue_empty": _("No run waits."),
    "health_queue_moves": PluralText(
        lambda n: ngettext(
            "%(count)s run waits for its turn, the oldest for %(minutes)s min.",
            "%(count)s runs wait for their turn, the oldest for %(minutes)s min.",
            n,
        )
    ),
    "health_queue_stands": PluralText(
        lambda n: ngettext(
            "%(count)s run waits, the oldest for %(minutes)s min, and none is under way. Look at the worker and the broker.",
            "%(count)s runs wait, the oldest for %(minutes)s min, and none is under way. Look at the worker and the broker.",
            n,
        )
    ),
    "health_storage_keeps": _("A file was written, read and deleted."),
    "health_storage_fails": _(
        "Files can't be kept (TOOLSYNC_STORAGE): nothing can be uploaded, and runs wait. Look whether the place is there, has "
        "space and may be written to. It said: %(reason)s"
    ),
    "health_storage_garbles": _(
        "A file came back from the storage (TOOLSYNC_STORAGE) with other content than it was given. Let nothing run until "
        "its disk was checked."
    ),
    "health_disk_free": _("%(free)s GB (%(percent)s %%) are free in %(folder)s."),
    "health_disk_short": _(
        "Only %(free)s GB (%(percent)s %%) are free in %(folder)s. Make room, or keep reports and archives for fewer days."
    ),
    "health_disk_full": _(
        "The disk is full: %(free)s GB are free in %(folder)s. Make room at once; uploads and runs fail until then."
    ),
    "health_mail_answers": _("%(server)s answers."),
    "health_mail_unset": _(
        "No mail server is set: mails are only kept as files, and reach nobody. Set EMAIL_URL and start everything again."
    ),
    "health_mail_away": _(
        "The mail server %(server)s doesn't answer: passwords and notifications wait. Check it and EMAIL_URL. It said: %(reason)s"
    ),
    "health_clock_right": _("The clocks of this machine and the database agree."),
    "health_clock_unknown": _("The clock of this database can't be asked."),
    "health_clock_off": _(
        "The clocks of this machine and the database are %(seconds)s s apart: runs may be taken for dead, and schedules start "
        "at the wrong time. Let both take their time from a time server (NTP)."
    ),
    "health_caches_purged": _(
        "After a run that changed groups, categories, roles or enrolments, Moodle's own command line purges its caches."
    ),
    "health_caches_by_hand": _(
        "No Moodle command line is set: after a run that changed groups, categories, roles or enrolments, some pages of Moodle "
        "may show the old state until its caches are purged. Purge them in Moodle, or set TOOLSYNC_MOODLE_CLI."
    ),
    "health_unseen": _("Nobody has looked yet. Press “Look now”."),
}
