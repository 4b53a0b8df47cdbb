"""The progress of a run on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich import progress as bars


class ProgressBar:
    """A bar on standard error, when that is a terminal. Its library is loaded for the first rows that are shown."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._bar: bars.Progress | None = None
        self._task: bars.TaskID | None = None

    def show(self, rows_done: int, rows_expected: int) -> None:
        """Show how many rows are done."""
        if not self._shows or (self._bar is None and rows_done >= rows_expected):
            # A file that was done at once needs none.
            return
        if self._bar is None or self._task is None:
            self._bar, self._task = _started()
        # Nobody has counted the rows of a file: what is expected is an estimate.
        total = max(rows_expected, rows_done) or None
        self._bar.update(self._task, completed=rows_done, total=total)

    def show_count(self, rows: int) -> None:
        """Show how many rows are done where nobody knows of how many."""
        if not self._shows:
            return
        if self._bar is None or self._task is None:
            self._bar, self._task = _started()
        self._bar.update(self._task, completed=rows, total=None)

    def end(self) -> None:
        """Leave the bar as it is, and the cursor behind it."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def _started() -> tuple[bars.Progress, bars.TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TaskProgressColumn, TimeRemainingColumn

    columns = (BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), "rows", TimeRemainingColumn())
    bar = Bar(*columns, console=Console(stderr=True))
    bar.start()
    return bar, bar.add_task("", total=None)
