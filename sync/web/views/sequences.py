"""The page of one start of a schedule: its tools in order, each with its runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sync.runs.selectors import processors_for
from sync.schedules.sequences import cancel_sequence, steps_of, window_at
from sync.web.access import sequence_or_404, signed_in


@signed_in
@require_safe
def sequence_run(request: HttpRequest, sequence_id: int) -> HttpResponse:
    shown = sequence_or_404(request.user, sequence_id)
    usable = {processor.key for processor in processors_for(request.user)}
    waits_for = None if shown.is_over or shown.requested_by_id else window_at(shown.site, timezone.now())
    context = {
        "sequence": shown,
        "steps": [step for step in steps_of(shown) if step.processor in usable],
        "window": waits_for,
        "can_cancel": not shown.is_over and usable.issuperset(shown.processors),
    }
    is_fragment = request.headers.get("HX-Request")
    return render(request, "sync/_sequence_steps.html" if is_fragment else "sync/sequence_run.html", context)


@signed_in
@require_POST
def cancel(request: HttpRequest, sequence_id: int) -> HttpResponse:
    cancel_sequence(sequence_or_404(request.user, sequence_id, every_tool=True))
    return redirect("sequence_run", sequence_id)
