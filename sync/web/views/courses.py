"""The courses of Moodle: find them, choose some, and make a command file of those chosen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import CommandFileError
from sync.messages import Quantity, text_of
from sync.models import CommandFile, MoodleSite
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.courses.listing import (
    CourseSearch,
    count_courses,
    fetch_course_ids,
    fetch_course_list,
    fetch_role_counts,
)
from sync.moodle.db.identifiers import is_id
from sync.runs.course_files import CourseFile, keep_course_file, make_course_file
from sync.runs.selectors import processors_for
from sync.web.access import View, current_site, processor_or_404, signed_in
from sync.web.cards import FileTypeCard, file_type_card
from sync.web.course_forms import COURSE_FILE_FORMS, CourseSearchForm
from sync.web.moodle_pages import category_paths, moodle_session, needs_moodle

# They are named in one query, and written into one session.
MAX_CHOSEN = 10_000

_CHOSEN_KEY = "chosen_courses:{site}"
_COURSES_PER_PAGE = 50
_LEFT_OUT_NAMED = 10


def may_choose_courses(view: View) -> View:
    """Let only those in who may use a file type that courses are chosen for."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _file_types(request):
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(answer)


@may_choose_courses
@require_safe
@needs_moodle
def course_list(request: HttpRequest) -> HttpResponse:
    with moodle_session(current_site()) as moodle:
        paths = category_paths(fetch_categories(moodle))
        form = CourseSearchForm(request.GET, categories=paths.items())
        search = _search(request, form)
        page = Paginator(range(count_courses(moodle, search)), _COURSES_PER_PAGE).get_page(request.GET.get("page"))
        start = max(0, page.start_index() - 1)
        courses = fetch_course_list(moodle, search, start=start, limit=_COURSES_PER_PAGE)
        people = fetch_role_counts(moodle, [course.id for course in courses])
    rows = [(course, paths.get(course.category, ""), people.get(course.id, [])) for course in courses]
    context = {
        "form": form,
        "rows": rows,
        "page": page,
        "chosen": chosen_courses(request),
        "file_types": _file_types(request),
    }
    return render(request, "sync/courses.html", context)


@may_choose_courses
@require_POST
@needs_moodle
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what is ticked on one page of the list, beside what was chosen on others; then go on."""
    chosen = _after_ticks(request)
    if request.POST.get("do") == "all":
        chosen |= _found(request)
    if not choose_courses(request, set() if request.POST.get("do") == "none" else chosen):
        messages.error(
            request, _("At most %(most)s courses can be chosen. Narrow the search.") % {"most": Quantity(MAX_CHOSEN)}
        )
    if request.headers.get("HX-Request"):
        return render(
            request, "sync/_chosen.html", {"chosen": chosen_courses(request), "file_types": _file_types(request)}
        )
    if (key := request.POST.get("make")) in COURSE_FILE_FORMS:
        return redirect("course_file", key)
    query = request.GET.copy()
    query["page"] = request.POST.get("page", query.get("page", "1"))
    return redirect(f"{reverse('courses')}?{query.urlencode()}")


@may_choose_courses
@require_http_methods(["GET", "HEAD", "POST"])
@needs_moodle
def course_file(request: HttpRequest, key: str) -> HttpResponseBase:
    """Make a command file of the chosen courses: to be run here, or to be saved."""
    processor, site, chosen = processor_or_404(request.user, key), current_site(), chosen_courses(request)
    if key not in COURSE_FILE_FORMS:
        raise Http404
    if not chosen:
        messages.info(request, _("Choose courses first."))
        return redirect("courses")
    form = COURSE_FILE_FORMS[key](request.POST or None)
    cells = form.cells if form.is_valid() else {}
    with moodle_session(site) as moodle:
        file = make_course_file(moodle, site, key, chosen, cells)
    if form.is_valid() and file.courses:
        if request.POST.get("do") == "save":
            return _saved(file)
        if kept := _kept(request, site, key, file):
            return redirect(f"{reverse('tool', args=[key])}?file={kept.pk}")
    context = {
        "file_type": file_type_card(processor),
        "form": form,
        "file": file,
        "left_out": file.left_out[:_LEFT_OUT_NAMED],
    }
    return render(request, "sync/course_file.html", context)


def _file_types(request: HttpRequest) -> list[FileTypeCard]:
    """Return the file types that files can be made for here, of those that the user may use."""
    return [file_type_card(item) for item in processors_for(request.user) if item.key in COURSE_FILE_FORMS]


def _search(request: HttpRequest, form: CourseSearchForm) -> CourseSearch:
    """Return what the form asks for; what isn't understood is left out, and the form says so."""
    form.is_valid()
    wanted = form.cleaned_data
    ids = chosen_courses(request) if wanted.get("chosen") else None
    return CourseSearch(wanted.get("search", ""), wanted.get("category"), ids)


def _after_ticks(request: HttpRequest) -> set[int]:
    """Return the choice after a page with boxes was sent: those shown are chosen when they are ticked."""
    shown, ticked = (_ids(request.POST.getlist(name)) for name in ("shown", "course"))
    return (set(chosen_courses(request)) - shown) | (ticked & shown)


def _found(request: HttpRequest) -> set[int]:
    """Return everything that the search finds, at most one more than can be chosen."""
    with moodle_session(current_site()) as moodle:
        form = CourseSearchForm(request.GET, categories=category_paths(fetch_categories(moodle)).items())
        return set(fetch_course_ids(moodle, _search(request, form), limit=MAX_CHOSEN + 1))


def _ids(texts: list[str]) -> set[int]:
    return {int(text) for text in texts if is_id(text)}


def _saved(file: CourseFile) -> HttpResponse:
    disposition = f'attachment; filename="{file.name}"'
    return HttpResponse(file.content, content_type="text/csv", headers={"Content-Disposition": disposition})


def _kept(request: HttpRequest, site: MoodleSite, key: str, file: CourseFile) -> CommandFile | None:
    """Put the file among the command files; None when it can't be, which the page then says."""
    try:
        kept = keep_course_file(site, key, file, user=request.user)
    except CommandFileError as error:
        messages.error(request, text_of(error.code, error.params))
        return None
    said = ngettext("%(name)s with %(n)s course is ready.", "%(name)s with %(n)s courses is ready.", file.courses)
    messages.success(request, said % {"name": kept.name, "n": file.courses})
    return kept


def chosen_courses(request: HttpRequest) -> frozenset[int]:
    """Return the ids of the courses that are chosen on this site: those of another Moodle are other courses."""
    return frozenset(request.session.get(_CHOSEN_KEY.format(site=current_site().slug), ()))


def choose_courses(request: HttpRequest, courseids: Iterable[int]) -> bool:
    """Keep just these courses with the session; return whether there was room for all of them: if not, nothing changes."""
    ids = sorted(set(courseids))
    if len(ids) > MAX_CHOSEN:
        return False
    request.session[_CHOSEN_KEY.format(site=current_site().slug)] = ids
    return True
