"""The first steps of a new site, and which are done."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from sync.health.records import Level, Part
from sync.models import HealthRecord, MoodleSite
from sync.overview.feeds import Feed
from sync.runs.selectors import processors_for, visible_runs
from sync.web.access import MANAGE_SCHEDULES


class Step(NamedTuple):
    """Shape: url: where it is done"""

    title: str
    text: str
    url: str
    is_done: bool


def first_steps(user: Any, site: MoodleSite, feeds: list[Feed]) -> list[Step]:
    """Return the first steps as long as one of them is left, those alone that the person can take. Queries: two"""
    if not processors_for(user):
        return []
    moodle = HealthRecord.objects.filter(part=Part.MOODLE, subject=site.slug).exclude(level=Level.ERROR)
    steps = [
        Step(
            _("Connect Moodle"),
            _(
                "Whoever runs ToolSync names its database in TOOLSYNC_MOODLE_URL. The page of health says whether it answers."
            ),
            reverse("health"),
            moodle.exists(),
        ),
        Step(
            _("Try a file"),
            _(
                "Make the plan of a file, or simulate it: it shows what every row would do, and changes nothing in Moodle."
            ),
            reverse("new_import"),
            visible_runs(user, site).exists(),
        ),
    ]
    if user.has_perm(MANAGE_SCHEDULES):
        is_on = any(feed.schedule.enabled for feed in feeds)
        text = _("A feed takes files by itself, at its time, within its limits, and tells the people whom you name.")
        steps.append(Step(_("Switch on a feed"), text, reverse("feeds"), is_on))
    return [] if all(step.is_done for step in steps) else steps
