"""The clean-up of empty categories: shown first, and done when somebody confirms it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import SyncRun
from sync.moodle.categories.categories import Category, fetch_categories
from sync.processors.categories.delete import CategoriesDelete
from sync.runs.category_cleanup import CleanUp, look_for_empty, queue_cleanup
from sync.web.access import current_site, processor_or_404, signed_in
from sync.web.course_forms import CleanUpForm
from sync.web.moodle_pages import category_paths, moodle_session, needs_moodle

_STAYING_SHOWN = 200


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@needs_moodle
def empty_categories(request: HttpRequest) -> HttpResponse:
    processor_or_404(request.user, CategoriesDelete.key)
    with moodle_session(current_site()) as moodle:
        categories = fetch_categories(moodle)
        paths = category_paths(categories)
        form = CleanUpForm(request.GET, categories=paths.items())
        found = CleanUp([], [])
        if form.is_valid():
            start, branches = form.cleaned_data["start"] or 0, form.cleaned_data["branches"]
            sound = [category for category in categories if not category.is_damaged]
            found = look_for_empty(moodle, sound, start=start, whole_branches=branches)
    if request.method == "POST":
        run = _confirmed(request, found.going, paths)
        return redirect("run", run.pk) if run else redirect(request.get_full_path())
    context = {
        "form": form,
        "going": [(category, paths[category.id]) for category in found.going],
        "confirms": ",".join(str(category.id) for category in found.going),
        "staying": [(staying, paths[staying.category.id]) for staying in found.staying[:_STAYING_SHOWN]],
        "staying_count": len(found.staying),
    }
    return render(request, "sync/empty_categories.html", context)


def _confirmed(request: HttpRequest, going: Sequence[Category], paths: Mapping[int, str]) -> SyncRun | None:
    """Queue the run of what was shown and is still empty; None when it can't be, which the page then says."""
    shown = set(request.POST.get("categories", "").split(","))
    confirmed = [category for category in going if str(category.id) in shown]
    if not confirmed:
        messages.info(request, _("Nothing of what was shown is empty any more."))
        return None
    try:
        return queue_cleanup(current_site(), confirmed, paths, user=request.user)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return None
