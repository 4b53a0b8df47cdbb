"""What benchmarks have to tell: a table of figures beside the targets of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.kit import Measured

QUERIES_PER_1000_ROWS = 20
_HEAD = (
    "work", "server", "rows", "rows/s", "queries per 1,000 rows", "server's Questions per 1,000 rows", "peak MiB", "x floor",
    "x old plugin", "targets",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """The figures of one work on one server: medians of its runs.

    Shape: floor: a run's time, divided by the floor's, each repetition; old: the time of a row in the old plugin's way, divided
    by ours, each repetition; most, least: the targets, figure -> limit
    """

    work: str
    server: str
    runs: Sequence[Measured]
    floor: Sequence[float] = ()
    old: Sequence[float] = ()
    most: dict[str, float] = field(default_factory=dict)
    least: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float | None]:
        rows = self.runs[0].rows
        questions = [run.questions for run in self.runs if run.questions is not None]
        return {
            "rows": rows,
            "rows/s": rows / median(run.seconds for run in self.runs),
            "queries": 1000 * median(run.executions for run in self.runs) / rows,
            "questions": 1000 * median(questions) / rows if questions else None,
            "peak MiB": max(run.peak_mib for run in self.runs),
            "x floor": median(self.floor) if self.floor else None,
            "x old": median(self.old) if self.old else None,
        }

    def cells(self) -> tuple[str, ...]:
        shown = (_shown(name, value) for name, value in self.figures.items())
        return (self.work, self.server, *shown, "; ".join(self._verdicts()))

    def _verdicts(self) -> Iterator[str]:
        figures = self.figures
        for name, limit in self.most.items():
            yield f"{name} <= {limit:,g}: {_verdict((figures[name] or 0) <= limit)}"
        for name, limit in self.least.items():
            yield f"{name} >= {limit:,g}: {_verdict((figures[name] or 0) >= limit)}"


def as_markdown(lines: Iterable[Line]) -> str:
    """Return a table that reads as well on a terminal."""
    table = [_HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written) + "\n"


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if name in ("queries", "questions", "x floor", "x old") else f"{value:,.0f}"


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "**NOT MET**"
