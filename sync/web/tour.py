"""The tour of the demo: three steps, each with what to look at, gone when they are done."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from sync.demo.story import LATE_FEED, LATE_FILE_TYPE
from sync.models import MoodleSite, RunState, Schedule, SyncRun
from sync.models.run import WAITING_STATES
from sync.runs.selectors import visible_runs
from sync.schedules.overdue import overdue_files
from sync.web.first_steps import Step


def tour_steps(user: Any, site: MoodleSite) -> list[Step]:
    """Return the steps of the tour as long as one is left. Queries: at most seven"""
    runs = visible_runs(user, site)
    steps = [step for step in (_held(runs), _mistakes(runs), _late(site)) if step is not None]
    return [] if all(step.is_done for step in steps) else steps


def _held(runs: Any) -> Step | None:
    held = runs.filter(state__in=WAITING_STATES).first()
    shown = held or runs.exclude(decision="").first()
    if shown is None:
        return None
    text = _(
        "At night a file came that would delete too many users. It was held: look at what it would do, and decline it."
    )
    return Step(_("Decide on a night that was held"), text, reverse("run", args=[shown.pk]), held is None)


def _mistakes(runs: Any) -> Step | None:
    run = runs.filter(processor="users", state=RunState.COMPLETED_WITH_REJECTIONS, mends=None, simulate=False).first()
    if run is None:
        return None
    text = _("A file had seven mistakes. Choose what was meant, check the rows again, and apply them.")
    is_done = SyncRun.objects.filter(mends__processor="users", simulate=False).exists()
    return Step(_("Mend seven rows"), text, reverse("run", args=[run.pk]), is_done)


def _late(site: MoodleSite) -> Step | None:
    feed = Schedule.objects.filter(site=site, name=LATE_FEED).first()
    if feed is None:
        return None
    is_late = any(file.processor == LATE_FILE_TYPE for file in overdue_files(site))
    text = _(
        "The file of this feed didn't come. See when it was expected; a file that you upload for it counts as well."
    )
    return Step(_("See why a feed is late"), text, reverse("schedule", args=[feed.pk]), not is_late)
