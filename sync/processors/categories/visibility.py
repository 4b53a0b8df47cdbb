"""What of categories and courses is seen, as rows hide, show and move categories."""

from __future__ import annotations

from sync.processors.base.overlay import ChangedRows


class Visibility:
    """Hides and shows categories with all that is in them; what was hidden by itself stays so.

    Mirrors: core_course_category::hide_raw() and show_raw(). Differs within what was hidden by itself: that keeps what was seen
    in it before, and isn't touched when a category above is shown. (Moodle forgets it, and shows parts of it.)
    Shape: categories: rows with visible and visibleold; courses: likewise, all of the site
    """

    def __init__(self, categories: ChangedRows, courses: ChangedRows) -> None:
        self._categories = categories
        self._courses = courses

    def is_wanted(self, key: int) -> bool:
        """Tell whether a category is seen, or would be if what holds it were."""
        row = self._categories[key]
        return bool(row["visible"] or (row["visibleold"] and not self.is_seen(row["parent"])))

    def is_seen(self, key: int) -> bool:
        """Tell whether a category is seen; the top is."""
        row = self._categories.get(key)
        return row is None or bool(row["visible"])

    def hide(self, key: int, line: int, *, visibleold: int = 0) -> None:
        """Hide a category. Shape: visibleold: 1 = it is seen again once what holds it is"""
        was_seen = self._categories[key]["visible"]
        self._categories.update(key, {"visible": 0, "visibleold": visibleold}, line)
        if was_seen:
            self._hide_within(key, line)

    def show(self, key: int, line: int) -> None:
        """Show a category, or have it shown once what holds it is."""
        visible = int(self.is_seen(self._categories[key]["parent"]))
        self._categories.update(key, {"visible": visible, "visibleold": 1}, line)
        if visible:
            self._show_within(key, line)

    def _hide_within(self, key: int, line: int) -> None:
        for courseid in self._courses.find(category=key):
            seen = self._courses[courseid]["visible"]
            self._courses.update(courseid, {"visible": 0, "visibleold": seen}, line)
        for inner in self._categories.find(parent=key):
            self.hide(inner, line, visibleold=self._categories[inner]["visible"])

    def _show_within(self, key: int, line: int) -> None:
        for courseid in self._courses.find(category=key):
            self._courses.update(courseid, {"visible": self._courses[courseid]["visibleold"]}, line)
        for inner in self._categories.find(parent=key):
            row = self._categories[inner]
            if row["visibleold"] and not row["visible"]:
                self.show(inner, line)
