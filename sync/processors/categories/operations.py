"""What is done to categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.moodle.categories.categories import Category
from sync.moodle.categories.deletion import delete_empty_categories
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.db.writer import Writer
from sync.processors.base.operations import Applied, Operation


@dataclass
class DeleteCategories(Operation):
    """Delete categories that hold nothing, inner ones first."""

    categories: Sequence[Category]

    def __bool__(self) -> bool:
        return bool(self.categories)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_empty_categories(writer, load_graph(), self.categories, now=applied.now)
