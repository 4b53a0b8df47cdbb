"""Sites as pages list them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q

from sync.health.records import Part
from sync.health.selectors import PartState, states
from sync.models import MoodleSite, RunState, SyncRun
from sync.models.run import CLAIMED_STATES


class SiteState(NamedTuple):
    """How a site is. Shape: health: of its Moodle, None when nobody has looked yet; last: end of the last run"""

    site: MoodleSite
    health: PartState | None
    queued: int
    running: int
    last: datetime | None


def sites_with_states() -> list[SiteState]:
    """Return every site, by name, those out of use last. Queries: at most four"""
    runs = SyncRun.objects.values("site").annotate(
        queued=Count("pk", filter=Q(state=RunState.QUEUED)),
        running=Count("pk", filter=Q(state__in=CLAIMED_STATES)),
        last=Max("finished_at"),
    )
    by_site = {found["site"]: found for found in runs.order_by()}
    health = {state.subject: state for state in states() if state.part is Part.MOODLE and state.subject}
    found = []
    for site in MoodleSite.objects.defer("connection").order_by("-in_use", "name"):
        counts = by_site.get(site.pk)
        queued, running, last = (counts["queued"], counts["running"], counts["last"]) if counts else (0, 0, None)
        found.append(SiteState(site, health.get(site.slug), queued, running, last))
    return found
