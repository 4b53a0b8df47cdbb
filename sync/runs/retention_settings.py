"""How long what runs leave is kept: what administrators chose for a site, or the operator for all."""

from __future__ import annotations

from sync.models import MoodleSite, Retention
from sync.runs.options import usual_days, usual_journal_days


def retention_of(site: MoodleSite) -> Retention:
    """Return how long the files of a site are kept; where nobody has said so, as the operator has set it."""
    days = usual_days()
    return Retention.objects.filter(site=site).first() or Retention(
        site=site, reports=days, archives=days, trybacks=days, journals=usual_journal_days()
    )


def save_retention(
    site: MoodleSite, *, reports: int, archives: int, trybacks: int, journals: int, trashes_at_once: bool = False
) -> Retention:
    """Keep how many days the files of a site are kept, 0 = for ever, and when Moodle's unused files go."""
    values = {
        "reports": reports,
        "archives": archives,
        "trybacks": trybacks,
        "journals": journals,
        "trashes_at_once": trashes_at_once,
    }
    return Retention.objects.update_or_create(site=site, defaults=values)[0]
