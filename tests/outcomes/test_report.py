"""The report, read as the person who gets it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.utils.translation import get_language

from sync.outcomes import report as report_module
from sync.outcomes.report import ReportFacts, write_report
from sync.values import Action, Change, Note, Outcome

FACTS = ReportFacts(
    file_type="Accounts",
    run_id=12,
    site="Our Moodle",
    file="/users/in.csv",
    requested_by="anna",
    started=datetime(2025, 3, 4, 9, 12, 5, tzinfo=UTC),
    ended=datetime(2025, 3, 4, 9, 12, 9, tzinfo=UTC),
    simulate=False,
    encoding="UTF-8",
    separator="\t",
    options={"Rename (allowrename)": "on"},
    counts={"created": 1, "rejected": 2},
)
CREATED = Outcome(2, Action.CREATED, "account_created", {}, "bob.k")
CHANGED = Outcome(3, Action.UPDATED, "account_updated", {}, "ann", (Change("city", "", "Lyon"),))
REJECTED = Outcome(4, Action.REJECTED, "value_not_email", {"column": "email", "value": "no"})


def report(outcomes: Sequence[Outcome], facts: ReportFacts = FACTS, language: str = "en") -> list[str]:
    out = io.BytesIO()
    rejected = [outcome for outcome in outcomes if outcome.action is Action.REJECTED]
    write_report(out, facts, iter(rejected), iter(outcomes), language=language)
    return out.getvalue().decode().splitlines()


def test_the_beginning_says_what_who_where_when_and_how() -> None:
    assert report([])[:6] == [
        "Run 12: Accounts",
        "File: /users/in.csv (UTF-8, separator tab)",
        "Site: Our Moodle",
        "Asked for by: anna",
        "Time: 2025-03-04 09:12:05 to 09:12:09",
        "Option: Rename (allowrename) = on",
    ]


def test_each_row_that_was_touched_is_a_line_and_each_field_one_below() -> None:
    lines = report([CREATED, CHANGED])
    at = lines.index("line 2: bob.k: user added")
    assert lines[at + 1 : at + 3] == ["line 3: ann: user changed", "    city: (empty) -> Lyon"]


def test_what_became_of_moodles_objects_is_said_at_the_end() -> None:
    done = replace(FACTS, objects=("1 course created", "2 categories created"))
    assert report([], done)[-2] == "In Moodle: 1 course created, 2 categories created."
    assert (
        report([], replace(done, simulate=True))[-2]
        == "In Moodle there would be: 1 course created, 2 categories created."
    )
    assert "In Moodle" not in "".join(report([]))


def test_a_rejected_row_names_line_column_and_remedy() -> None:
    assert "line 4: REJECTED: column email: “no” is not an e-mail address. Write it like name@example.org." in report(
        [REJECTED]
    )


def test_what_needs_the_reader_comes_before_the_rows_most_frequent_first() -> None:
    often = [Outcome(line, Action.REJECTED, "cell_empty", {"column": "email"}) for line in range(10, 18)]
    lines = report([CREATED, REJECTED, *often], replace(FACTS, tryback="/users/in_tryback_x.csv"))
    at = lines.index("What needs you: 9 rows were rejected.")
    assert at < lines.index("line 2: bob.k: user added")
    assert lines[at + 1 : at + 6] == [
        "  8 rows, lines 10, 11, 12, 13, 14 … [cell_empty]",
        "    column email: The cell is empty. Fill it in.",
        "  1 row, line 4 [value_not_email]",
        "    column email: “no” is not an e-mail address. Write it like name@example.org.",
        "These rows are in /users/in_tryback_x.csv: mend them there and send that file.",
    ]


def test_rows_that_were_as_they_should_be_are_only_counted() -> None:
    quiet = Outcome(5, Action.UNCHANGED, "account_unchanged", {}, "max")
    noted = quiet._replace(line=6, notes=(Note("cell_empty", {}),))
    lines = report([quiet, noted], replace(FACTS, counts={"unchanged": 2}))
    assert not [line for line in lines if line.startswith("line 5")]
    assert [line for line in lines if line.startswith("line 6")]
    assert "    note: The cell is empty. Fill it in." in lines


def test_a_simulation_says_so_on_top_and_before_each_row() -> None:
    lines = report([CREATED, REJECTED], replace(FACTS, simulate=True))
    assert lines[0] == "Simulation 12: Accounts"
    assert "This is a simulation (dry run): nothing was written to Moodle, and no file was moved." in lines
    assert "SIMULATION : line 2: bob.k: user added" in lines


def test_skipped_lines_are_counted() -> None:
    assert "3 blank or comment lines were passed over." in report([], replace(FACTS, skipped_count=3))


def test_lines_that_were_nearly_passed_over_come_first_of_what_needs_you() -> None:
    outcomes = [Outcome(line, Action.REJECTED, "cell_empty", {"column": "x"}) for line in (2, 3, 4)]
    outcomes.append(Outcome(7, Action.REJECTED, "comment_like_row", {"cell": "-C2"}))
    lines = report(outcomes, FACTS)
    at = lines.index("What needs you: 4 rows were rejected.")
    assert lines[at + 1] == "  1 row, line 7 [comment_like_row]"
    assert "“-C2”" in lines[at + 2]
    assert "quotes" in lines[at + 2]


def test_a_run_that_stopped_says_why_and_how_far_it_came() -> None:
    lines = report([CREATED], replace(FACTS, trouble="Moodle is away.", is_whole=False, last_line=1001))
    assert "The run stopped before the end of the file: Moodle is away." in lines
    assert "Everything up to line 1001 is done; nothing after it." in lines


def test_the_end_has_the_totals() -> None:
    assert report([])[-2:] == [
        "Totals: 1 created, 0 updated, 0 deleted, 0 unchanged, 0 overwritten, 0 partial, 2 rejected.",
        "End of report.",
    ]


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b"])
def test_a_value_with_line_breaks_does_not_break_the_lines(text: str) -> None:
    outcome = Outcome(3, Action.UPDATED, "account_updated", {}, f"x{text}", (Change("city", text, ""),))
    assert "    city: a b -> (empty)" in report([outcome])


def test_the_report_is_written_in_the_language_of_the_one_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "_", lambda text: f"{get_language()}: {text}")
    assert report([CREATED], language="fr")[-1] == "fr: End of report."


def test_characters_that_turn_the_direction_of_text_are_shown_as_marks() -> None:
    turned = Outcome(2, Action.CREATED, "account_created", {}, "ann\u202egnp.exe")
    changed = Outcome(3, Action.UPDATED, "account_updated", {}, "bob", (Change("city", "a\u2066b", "\u200fc"),))
    lines = report([turned, changed], replace(FACTS, file="/\u202ein.csv"))
    assert "line 2: ann[U+202E]gnp.exe: user added" in lines
    assert "    city: a[U+2066]b -> [U+200F]c" in lines
    assert "File: /[U+202E]in.csv (UTF-8, separator tab)" in lines
