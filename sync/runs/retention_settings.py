"""How long what runs leave is kept: what administrators chose for a site, or the operator for all."""

from __future__ import annotations

from django.db import transaction

from sync.audit.services import fields_of, record_saved
from sync.models import AuditKind, MoodleSite, Retention
from sync.runs.options import usual_days, usual_journal_days
from sync.runs.rights import OPERATOR, Responsible


def retention_of(site: MoodleSite) -> Retention:
    """Return how long the files of a site are kept; where nobody has said so, as the operator has set it."""
    days = usual_days()
    return Retention.objects.filter(site=site).first() or Retention(
        site=site, reports=days, archives=days, trybacks=days, journals=usual_journal_days()
    )


def save_retention(
    site: MoodleSite,
    *,
    reports: int,
    archives: int,
    trybacks: int,
    journals: int,
    trashes_at_once: bool = False,
    by: Responsible = OPERATOR,
) -> Retention:
    """Keep how many days the files of a site are kept, 0 = for ever, and when Moodle's unused files go."""
    values = {
        "reports": reports,
        "archives": archives,
        "trybacks": trybacks,
        "journals": journals,
        "trashes_at_once": trashes_at_once,
    }
    with transaction.atomic():
        before = fields_of(retention_of(site), values)
        retention = Retention.objects.update_or_create(site=site, defaults=values)[0]
        record_saved(site, AuditKind.RETENTION, by, "", before=before, after=values)
    return retention
