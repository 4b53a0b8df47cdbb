"""What commands say of a run, and the exit status that it gives; apart from what carries runs out, which takes long to load."""

from __future__ import annotations

from sync.guard.messages import reason_text, total_texts
from sync.management.command import EXIT_OTHER, EXIT_REFUSED, EXIT_WAITS, ToolSyncCommand
from sync.management.run_facts import place_of
from sync.messages import text_of
from sync.models import RunFile, RunState, SyncRun
from sync.outcomes.report import count_texts

EXIT_STATUS = {RunState.COMPLETED: 0, RunState.COMPLETED_WITH_REJECTIONS: 1, RunState.FAILED: EXIT_REFUSED}
EXIT_HELP = (
    "Exit status: 0 completed, 1 completed with rejections, 2 the file can't be used, 3 anything else, 4 a person has to "
    "decide (manage.py decide)."
)


class RunResultCommand(ToolSyncCommand):
    """A command that says what came of a run."""

    def print_result(self, run: SyncRun) -> None:
        """Say what came of a run."""
        self.stdout.write(f"Run {run.pk} of {run.file_path}: {run.state_label}")
        self._print_mapping(run)
        if run.error_code:
            self.stdout.write(text_of(run.error_code, run.error_params))
        if run.waits_for_person or run.simulate:
            self.print_reasons(run)
        counts = ", ".join(count_texts(run.counts, run.partial_counts))
        if counts:
            self.stdout.write(counts)
        for text in total_texts(run.totals if run.simulate else {}):
            self.stdout.write(f"  {text}")
        for kept in run.files.all():
            self.stdout.write(f"{RunFile.Kind(kept.kind).label}: {place_of(kept)}")

    def _print_mapping(self, run: SyncRun) -> None:
        if not run.notes:
            return
        # What reads rows by a mapping takes long to load, and most runs have nothing to say of one.
        from sync.mappings.mapped_rows import MAPPING_NOTES

        for code, params in run.notes:
            if code in MAPPING_NOTES:
                self.stdout.write(text_of(code, params))

    def print_reasons(self, run: SyncRun) -> None:
        """Say why a run waits for a person, or would."""
        for reason in run.held_notes:
            self.stdout.write(reason_text(reason))


def status_of(run: SyncRun) -> int:
    """Return the exit status that a run gives."""
    return EXIT_WAITS if run.waits_for_person else EXIT_STATUS.get(RunState(run.state), EXIT_OTHER)
