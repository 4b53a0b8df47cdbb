"""The report: what a run did, as plain text for the person who reads it the next morning.

First what the run was, then what needs the reader, then every row that was touched or refused, and the totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from django.utils import translation
from django.utils.text import get_text_list
from django.utils.translation import gettext as _, ngettext

from sync.messages import Quantity, part_left_out, text_at_column, text_of
from sync.values import CLOSING_REJECTIONS, STICKY_KEPT, Action, Note, Outcome

# So many lines are named for each reason in the summary; the rest follow row by row.
LINES_NAMED = 5
# The row is not at fault, ToolSync is: such reasons are told before all others.
INTERNAL_ERROR = "row_internal_error"

# Embeddings, overrides, isolates and marks of the bidirectional algorithm (UAX 9).
_DIRECTION_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_DIRECTION_MARKS = {control: f"[U+{control:04X}]" for control in _DIRECTION_CONTROLS}
_DIRECTION_SIGNS = tuple(map(chr, _DIRECTION_CONTROLS))
# Told before all other reasons: the row is not at fault, ToolSync is; the row was nearly passed over; it is no row of the file.
_FIRST_CODES = (INTERNAL_ERROR, "comment_like_row", *sorted(CLOSING_REJECTIONS))

_SEPARATOR_NAMES = {"\t": "tab", " ": "space"}

# Codes whose texts say what was done now -> those that say what would be.
_PLANNED = {
    "account_suspended_for_deletion": "account_suspended_for_deletion_planned",
    "absent_user_suspended_for_deletion": "absent_user_suspended_for_deletion_planned",
    "course_hidden_for_deletion": "course_hidden_for_deletion_planned",
    "absent_course_hidden_for_deletion": "absent_course_hidden_for_deletion_planned",
}


@dataclass(frozen=True)
class ReportFacts:
    """What a report says beside the rows.

    Shape: options: label -> value, those that differ from the default; counts: action -> rows;
    partial_counts: what was done of the partial rows, action -> rows; notes: about the file as a
    whole; trouble: why the run didn't end well, "" when it
    did; objects: what became of which of Moodle's objects, in words; is_whole: every row was carried out;
    rows_left: how many weren't, 0 = unknown; tryback: where the failed lines are
    """

    file_type: str
    run_id: int
    site: str
    file: str
    requested_by: str
    started: datetime
    ended: datetime
    simulate: bool
    encoding: str = ""
    separator: str = ""
    is_workbook: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    skipped_count: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    partial_counts: Mapping[str, int] = field(default_factory=dict)
    objects: Sequence[str] = ()
    trouble: str = ""
    is_whole: bool = True
    last_line: int = 0
    rows_left: int = 0
    tryback: str = ""


def write_report(
    out: BinaryIO, facts: ReportFacts, failed: Iterable[Outcome], outcomes: Iterable[Outcome], *, language: str
) -> None:
    """Write the whole report as UTF-8. Both iterables are read once, `failed` first; nothing is kept in memory.

    Shape: failed: the rejected and the partial rows
    """
    with translation.override(language):
        for section in (_opening(facts), _file_notes(facts), _needs(facts, failed), _rows(facts, outcomes)):
            is_empty = True
            for line in section:
                out.write(f"{with_direction_marks(line)}\n".encode())
                is_empty = False
            if not is_empty:
                out.write(b"\n")
        for line in _closing(facts):
            out.write(f"{with_direction_marks(line)}\n".encode())


def describe_outcome(outcome: Outcome, *, simulated: bool = False) -> str:
    """Say in one line what became of a row: "bob.k: user added", "bob.k: column email: “x” is not …".

    Shape: simulated: it would become so
    """
    text = outcome_text(outcome, simulated=simulated)
    return f"{outcome.subject}: {text}" if outcome.subject else text


def outcome_text(outcome: Outcome, *, simulated: bool = False) -> str:
    """Return the text of an outcome, with the column at fault: "created, but not enrolled: column course1: ..."."""
    text = text_at_column(_PLANNED.get(outcome.code, outcome.code) if simulated else outcome.code, outcome.params)
    if outcome.done is None:
        return text
    said = {"done": action_label(outcome.done), "left": part_left_out(outcome.code), "reason": text}
    return _("%(done)s, but %(left)s: %(reason)s") % said


def action_label(action: str) -> str:
    """Return the word that people read for an action."""
    return {
        Action.CREATED: _("created"),
        Action.UPDATED: _("updated"),
        Action.DELETED: _("deleted"),
        Action.UNCHANGED: _("unchanged"),
        Action.SUPERSEDED: _("overwritten"),
        Action.PARTIAL: _("partial"),
        Action.REJECTED: _("rejected"),
    }[Action(action)]


def count_text(action: str, count: int) -> str:
    """Return "3 created", "12,481 created" for the rows of an action."""
    return {
        Action.CREATED: ngettext("%(count)s created", "%(count)s created", count),
        Action.UPDATED: ngettext("%(count)s updated", "%(count)s updated", count),
        Action.DELETED: ngettext("%(count)s deleted", "%(count)s deleted", count),
        Action.UNCHANGED: ngettext("%(count)s unchanged", "%(count)s unchanged", count),
        Action.SUPERSEDED: ngettext("%(count)s overwritten", "%(count)s overwritten", count),
        Action.PARTIAL: ngettext("%(count)s partial", "%(count)s partial", count),
        Action.REJECTED: ngettext("%(count)s rejected", "%(count)s rejected", count),
    }[Action(action)] % {"count": Quantity(count)}


def count_texts(counts: Mapping[str, int], partial_counts: Mapping[str, int]) -> list[str]:
    """Return the numbers of rows with their words: "3 created", "2 partial (1 created, 1 updated)"."""
    counted = [action for action in Action if action in counts]
    texts = [count_text(action, counts[action]) for action in counted]
    done = [count_text(action, partial_counts[action]) for action in Action if partial_counts.get(action)]
    if done:
        texts[counted.index(Action.PARTIAL)] += f" ({', '.join(done)})"
    return texts


def _opening(facts: ReportFacts) -> Iterator[str]:
    title = _("Simulation") if facts.simulate else _("Run")
    yield f"{title} {facts.run_id}: {facts.file_type}"
    yield _("File: %(file)s") % {"file": facts.file} + (f" ({_format_of(facts)})" if facts.encoding else "")
    yield _("Site: %(site)s") % {"site": facts.site}
    if facts.requested_by:
        yield _("Asked for by: %(person)s") % {"person": facts.requested_by}
    yield _("Time: %(start)s to %(end)s") % {
        "start": f"{facts.started:%Y-%m-%d %H:%M:%S}",
        "end": f"{facts.ended:%H:%M:%S}" if facts.started.date() == facts.ended.date() else f"{facts.ended:%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip
    for label, value in facts.options.items():
        yield _("Option: %(option)s = %(value)s") % {"option": label, "value": value}
    if facts.simulate:
        yield _("This is a simulation (dry run): nothing was written to Moodle, and no file was moved.")


def _format_of(facts: ReportFacts) -> str:
    if facts.is_workbook:
        return _("workbook")
    if not facts.separator:
        return facts.encoding
    separator = _SEPARATOR_NAMES.get(facts.separator, facts.separator)
    return _("%(encoding)s, separator %(separator)s") % {"encoding": facts.encoding, "separator": separator}


def _file_notes(facts: ReportFacts) -> Iterator[str]:
    for note in facts.notes:
        yield text_of(note.code, note.params)
    if facts.skipped_count:
        yield ngettext(
            "%(count)s blank or comment line was passed over.", "%(count)s blank or comment lines were passed over.",
            facts.skipped_count,
        ) % {"count": Quantity(facts.skipped_count)}  # fmt: skip


@dataclass
class _Reason:
    """One reason for failed rows: how often, the first lines, and the first case in full."""

    example: Outcome
    count: int = 0
    lines: list[int] = field(default_factory=list)


def _needs(facts: ReportFacts, failed: Iterable[Outcome]) -> Iterator[str]:
    if facts.trouble and facts.is_whole:
        yield _("All rows are done, but: %(reason)s") % {"reason": facts.trouble}
    elif facts.trouble:
        yield _("The run stopped before the end of the file: %(reason)s") % {"reason": facts.trouble}
        yield _("Everything up to line %(line)s is done; nothing after it.") % {"line": facts.last_line}
        if facts.rows_left:
            yield ngettext(
                "%(count)s row is left: take the run up again on its page.",
                "%(count)s rows are left: take the run up again on its page.",
                facts.rows_left,
            ) % {"count": Quantity(facts.rows_left)}
    reasons: dict[tuple[Action, str], _Reason] = {}
    for outcome in failed:
        reason = reasons.setdefault((outcome.action, outcome.code), _Reason(outcome))
        reason.count += 1
        if len(reason.lines) < LINES_NAMED:
            reason.lines.append(outcome.line)
    if not reasons:
        return
    yield from _failed_totals(reasons)
    for (_action, code), reason in sorted(
        reasons.items(), key=lambda item: (item[0][1] not in _FIRST_CODES, -item[1].count)
    ):
        yield f"  {_rows_and_lines(reason)} [{code}]"
        yield "    " + _one_line(describe_outcome(reason.example))
    if any(code in CLOSING_REJECTIONS for _action, code in reasons):
        yield _("What was rejected after the last row of the file is in no tryback: run the whole file again.")
    if facts.tryback:
        yield _("These rows are in %(tryback)s: mend them there and send that file.") % {"tryback": facts.tryback}


def _failed_totals(reasons: Mapping[tuple[Action, str], _Reason]) -> Iterator[str]:
    totals = Counter[Action]()
    for (action, _code), reason in reasons.items():
        totals[action] += reason.count
    if rejected := totals[Action.REJECTED]:
        yield ngettext(
            "What needs you: %(count)s row was rejected.", "What needs you: %(count)s rows were rejected.", rejected
        ) % {"count": Quantity(rejected)}
    if partial := totals[Action.PARTIAL]:
        yield ngettext(
            "What needs you: of %(count)s row a part was not carried out.",
            "What needs you: of %(count)s rows a part was not carried out.",
            partial,
        ) % {"count": Quantity(partial)}


def _rows_and_lines(reason: _Reason) -> str:
    rows = ngettext("%(count)s row", "%(count)s rows", reason.count) % {"count": Quantity(reason.count)}
    named: list[str] = [str(line) for line in reason.lines]
    if reason.count > len(named):
        return _("%(rows)s, lines %(lines)s …") % {"rows": rows, "lines": ", ".join(named)}
    if len(named) == 1:
        return _("%(rows)s, line %(line)s") % {"rows": rows, "line": named[0]}
    return _("%(rows)s, lines %(lines)s") % {"rows": rows, "lines": get_text_list(named, _("and"))}


def _rows(facts: ReportFacts, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Every row, apart from those that were as they should be: of these only notes are told."""
    # Translated once: a file may have a million rows.
    prefix = "SIMULATION : " if facts.simulate else ""
    of_line, of_rejected = prefix + _("line %(line)s: %(text)s"), _("REJECTED: %(text)s")
    of_partial = _("PARTIAL: %(text)s")
    of_note, empty = _("note: %(text)s"), _("(empty)")
    for outcome in outcomes:
        # What rules left as it is, is counted in the beginning.
        if outcome.action is Action.UNCHANGED and all(note.code == STICKY_KEPT for note in outcome.notes):
            continue
        text = describe_outcome(outcome, simulated=facts.simulate)
        if outcome.action is Action.REJECTED:
            text = of_rejected % {"text": text}
        elif outcome.action is Action.PARTIAL:
            text = of_partial % {"text": text}
        yield of_line % {"line": outcome.line, "text": _one_line(text)}
        for change in outcome.changes:
            yield f"    {change.field}: {_one_line(change.old) or empty} -> {_one_line(change.new) or empty}"
        for note in outcome.notes:
            yield "    " + of_note % {"text": _one_line(text_at_column(note.code, note.params))}


def _closing(facts: ReportFacts) -> Iterator[str]:
    totals = ", ".join(count_texts({action: facts.counts.get(action, 0) for action in Action}, facts.partial_counts))
    yield _("Totals: %(totals)s.") % {"totals": totals}
    if facts.objects:
        objects = ", ".join(facts.objects)
        text = _("In Moodle there would be: %(objects)s.") if facts.simulate else _("In Moodle: %(objects)s.")
        yield text % {"objects": objects}
    yield _("End of report.")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def with_direction_marks(text: str) -> str:
    """Return a text in which each character that turns the direction of text stands as "[U+202E]".

    Obeyed, they make a name read as another than it is.
    """
    if text.isascii() or not any(sign in text for sign in _DIRECTION_SIGNS):
        return text
    return text.translate(_DIRECTION_MARKS)
