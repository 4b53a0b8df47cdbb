"""What is in Moodle, looked at: users and courses with what ToolSync changed of them, and lists of what files can name."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sync.audit.selectors import AuditQuery, Cursor, find_entries
from sync.messages import text_of
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.lookup.courses import category_place, fetch_course_details
from sync.moodle.lookup.lists import Listed, fetch_list
from sync.moodle.lookup.search import search_courses, search_users
from sync.moodle.lookup.users import fetch_user_details
from sync.web.access import VIEW_AUDIT, current_site, may_look_into_moodle, may_view_people, views_people
from sync.web.audit_lines import UNREADABLE_AUDIT, shown_lines
from sync.web.filters import number_in
from sync.web.moodle_lists import LIST_LABELS, column_labels, list_links, shown_rows
from sync.web.moodle_pages import category_paths, moodle_session, needs_moodle

MOST_FOUND = 50
_ROWS_PER_PAGE = 100
_CHANGES_PER_PAGE = 20


@may_look_into_moodle
@require_safe
@needs_moodle
def search(request: HttpRequest) -> HttpResponse:
    """Find courses, and users where people may be looked at."""
    text, sees_people = request.GET.get("q", "").strip()[:200], views_people(request.user)
    context: dict[str, Any] = {"q": text, "sees_people": sees_people, "most": MOST_FOUND, "lists": list_links()}
    if text:
        with moodle_session(current_site()) as moodle:
            context["courses"] = search_courses(moodle, text, most=MOST_FOUND)
            context["users"] = search_users(moodle, text, most=MOST_FOUND) if sees_people else []
    return render(request, "sync/moodle_search.html", context)


@may_view_people
@require_safe
@needs_moodle
def user(request: HttpRequest, user_id: int) -> HttpResponse:
    with moodle_session(current_site()) as moodle:
        details = fetch_user_details(moodle, user_id)
    if details is None:
        raise Http404
    first, *others = details.names
    changes = _changes(request, AuditQuery(user=first, other_names=tuple(others)))
    return render(request, "sync/moodle_user.html", {"details": details, **changes})


@may_look_into_moodle
@require_safe
@needs_moodle
def course(request: HttpRequest, course_id: int) -> HttpResponse:
    with moodle_session(current_site()) as moodle:
        details = fetch_course_details(moodle, course_id)
        if details is None:
            raise Http404
        categories = {category.id: category for category in fetch_categories(moodle)}
    first, *others = details.names
    changes = _changes(request, AuditQuery(course=first, other_names=tuple(others)))
    place = category_place(categories, details.course["category"])
    return render(request, "sync/moodle_course.html", {"details": details, "place": place, **changes})


@may_look_into_moodle
@require_safe
@needs_moodle
def moodle_list(request: HttpRequest, kind: str) -> HttpResponse:
    """Show a part of a list of what files can name."""
    if kind not in list(Listed):
        raise Http404
    listed, text = Listed(kind), request.GET.get("q", "").strip()[:200]
    with moodle_session(current_site()) as moodle:
        after = number_in(request.GET.get("after", ""))
        page = fetch_list(moodle, listed, text=text, after=after, most=_ROWS_PER_PAGE)
        paths = category_paths(fetch_categories(moodle)) if listed is Listed.CATEGORIES else {}
    context = {
        "kind": kind, "title": LIST_LABELS[listed], "labels": column_labels(listed), "lists": list_links(), "q": text,
        "rows": list(shown_rows(listed, page.rows, paths)), "following": page.following, "is_first": after is None,
    }  # fmt: skip
    return render(request, "sync/moodle_list.html", context)


def _changes(request: HttpRequest, query: AuditQuery) -> dict[str, Any]:
    """Return what ToolSync changed of a user or a course, for whoever may see that."""
    if not request.user.has_perm(VIEW_AUDIT):
        return {"sees_changes": False}
    start = Cursor.parse(request.GET.get("start", ""))
    found: dict[str, Any] = {"sees_changes": True, "lines": [], "is_first": start is None, "names": [
        query.user or query.course, *query.other_names,
    ]}  # fmt: skip
    try:
        page = find_entries(current_site(), query, start=start, most=_CHANGES_PER_PAGE)
    except UNREADABLE_AUDIT as error:
        return found | {"fault": text_of(error.code, error.params)}
    lines = shown_lines(page.lines, request.user, with_undo=True)
    return found | {"lines": lines, "following": str(page.following) if page.following else ""}
