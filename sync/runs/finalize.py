"""What is made of a run once its rows are done: report, tryback, archive, clean-up, always in this order.

A worker may die in here as anywhere: every step may be done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from shutil import copyfileobj
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, override

from sync.columns.general_options import GeneralOptions, date_order_of
from sync.columns.survey import Survey
from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file, keep_file, quarantine_file
from sync.commandfiles.naming import archive_name, numbered_name, outcomes_name, report_name, split_path, tryback_name
from sync.errors import CommandFileError
from sync.guard.messages import total_texts
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.mapped_rows import known_by, mapped, mapped_look
from sync.messages import text_of
from sync.models import MoodleSite, RunFile, SyncRun
from sync.outcomes.archive import write_archive
from sync.outcomes.outcome_table import write_outcome_table
from sync.outcomes.report import ReportFacts, write_report
from sync.outcomes.tryback import FORMS, Form, reads_back, write_tryback
from sync.reader import Look, ReadSheet, RowReader, open_rows
from sync.runs.mappings import mapping_cell, mapping_of
from sync.runs.options import changed_options_of, processor_of, settings_language, value_text
from sync.runs.outcome_store import read_rows
from sync.runs.selectors import run_notes
from sync.values import FAILED_ACTIONS, Note, Outcome
from sync.whole_files import digest_of

Kind = RunFile.Kind


def language_of(run: SyncRun) -> str:
    """Return the language that the report of a run is written in."""
    return run.language or settings_language()


def report_in(run: SyncRun, language: str) -> str:
    """Write the report of a run once more, in another language."""
    finalizer = RunFinalizer(run)
    finalizer.language = language
    with storage.scratch_file() as out:
        finalizer.write_report(out)
        out.seek(0)
        return out.read().decode()


class RunFinalizer:
    """The files of one run.

    Shape: language: the one that the report and the reasons are written in; sheets: reads the workbook, as of open_rows
    """

    def __init__(self, run: SyncRun, sheets: ReadSheet | None = None) -> None:
        self.run = run
        self._sheets = sheets
        self.language = language_of(run)
        self.started = run.started_at or timezone.now()

    @cached_property
    def _options(self) -> GeneralOptions:
        return processor_of(self.run).options(self.run.options)

    @cached_property
    def _mapping(self) -> ColumnMapping | None:
        return mapping_of(self.run)

    def tidy_up(self, *, completed: bool) -> None:
        """Do everything that a run leaves behind. What isn't through to its end keeps its input."""
        self.make_report()
        if self.run.counts:
            self.make_outcome_table()
        if self.run.simulate or self._is_cleaned_up():
            return
        if self.run.failed_rows:
            self._make_tryback()
        if completed:
            if self._options.filearchive:
                self._make_archive()
            if self._is_to_be_cleaned_up:
                self._clean_up()

    def make_report(self) -> None:
        """Write the report, in the file area when it is to be stored there."""
        run = self.run
        name = report_name(run.file_name, self.started, simulate=run.simulate)
        path = storage.REPORTS + name if self._options.storereport else ""

        self._make(Kind.REPORT, name, path, "report.txt", self.write_report)

    def write_report(self, out: BinaryIO) -> None:
        """Write the report, wherever it goes."""
        run = self.run
        write_report(out, self._facts(), read_rows(run, *FAILED_ACTIONS), read_rows(run), language=self.language)

    def make_outcome_table(self) -> None:
        """Write what became of each row, or would, as CSV."""
        run = self.run

        def write(out: BinaryIO) -> None:
            write_outcome_table(out, read_rows(run), language=self.language, simulated=run.simulate)

        self._make(Kind.OUTCOMES, outcomes_name(run.file_name, self.started), "", "outcomes.csv", write)

    def discard(self) -> None:
        """Put a file that could not be used at all aside, so that the next one of its name can come."""
        file = self.run.command_file
        if self.run.simulate or file is None or not self._options.discardfileonfailure:
            return
        try:
            self.run.command_file = quarantine_file(file, for_run=self.run)
        except CommandFileError:
            # Another run waits for the same file: the last one puts it aside.
            return
        self.run.save(update_fields=["command_file"])

    def _make_tryback(self) -> None:
        name = self._tryback_name()
        path = self._input_folder() + name if self._options.filefailed else ""
        is_read_back = True

        def write(out: BinaryIO) -> None:
            nonlocal is_read_back
            is_read_back = self.write_rows_back(out, self._failed_rows) is not None

        self._make(Kind.TRYBACK, name, path, "tryback.csv", write)
        if not is_read_back:
            self._add_note(Note("tryback_read_otherwise", {}))
            self.make_report()

    def make_kept_tryback(self) -> RunFile:
        """Make the tryback of a run that has left none, as a simulation; it is kept with the run only.

        Raises: CommandFileError if the file of the run isn't there any more, or can't be written back
        """
        with storage.opened(self.run.input_key) as source:
            if digest_of(source)[0] != self.run.file_sha256:
                raise CommandFileError("file_changed", path=self.run.file_path)
        with storage.scratch_file() as out:
            if self.write_rows_back(out, self._failed_rows) is None:
                raise CommandFileError("file_changed", path=self.run.file_path)
            out.seek(0)
            return self._make(
                Kind.TRYBACK, self._tryback_name(), "", "tryback.csv", lambda kept: copyfileobj(out, kept)
            )

    def _failed_rows(self) -> Iterator[Outcome]:
        return read_rows(self.run, *FAILED_ACTIONS, of_file=True)

    def write_rows_back(self, out: BinaryIO, rows: Callable[[], Iterator[Outcome]]) -> Form | None:
        """Write rows of the file as a tryback has them; return the form that is read as it was written, None without one."""
        return next((form for form in FORMS if self._write_tryback(out, form, rows)), None)

    def _write_tryback(self, out: BinaryIO, form: Form, failed: Callable[[], Iterator[Outcome]]) -> bool:
        """Write the tryback in this form, in place of what is there; return whether it is read as it was written."""
        run = self.run
        out.seek(0)
        out.truncate()
        with storage.opened(run.input_key) as source:
            survey = Survey(processor_of(run).columns, date_order_of(self._options))
            with self._reader(source, survey.start) as reader:
                write_tryback(
                    out, reader, failed(), language=self.language, date_order=survey.dates.order_cell,
                    mapping=mapping_cell(run), form=form,
                )  # fmt: skip
        return self._reads_back(out, failed)

    def _add_note(self, note: Note) -> None:
        """Say something on the page of the run, and in the reports that are written from now on."""
        run = self.run
        if (added := [note.code, dict(note.params)]) not in run.notes:
            run.notes = [*run.notes, added]
            run.save(update_fields=["notes"])

    def _reads_back(self, tryback: BinaryIO, failed: Callable[[], Iterator[Outcome]]) -> bool:
        """Whether the tryback is read as it was written, with the options of this run as well as with none."""
        run = self.run
        unset = self._options.replaced({GeneralOptions.encoding: "", GeneralOptions.separator: ""})
        for options in (unset, self._options):
            with storage.opened(run.input_key) as source, self._reader(source) as original:
                if original.pictures is not None:
                    return True
                try:
                    lines = (outcome.line for outcome in failed())
                    with self._reader(tryback, name=self._tryback_name(), options=options) as again:
                        if not reads_back(again, original, lines):
                            return False
                except CommandFileError:
                    return False
            if unset == self._options:
                break
        return True

    def _make_archive(self) -> None:
        name = archive_name(self.run.file_name, self.started)

        def write(out: BinaryIO) -> None:
            with storage.opened(self.run.input_key) as source:
                if write_archive(out, source) != self.run.file_sha256:
                    raise CommandFileError("file_changed", path=self.run.file_path)

        kept = self._make(Kind.ARCHIVE, name, storage.ARCHIVES + name, "", write)
        if storage.size_of(kept.storage_key) != self.run.file_size:
            kept.delete()
            raise CommandFileError("archive_differs")

    def _clean_up(self) -> None:
        file = self.run.command_file
        if file is None or file.sha256 != self.run.file_sha256:
            return
        try:
            delete_file(file, for_run=self.run)
        except CommandFileError:
            # Another run waits for the same file: the last one cleans up.
            return
        self.run.command_file = None

    def _make(self, kind: Kind, name: str, path: str, own_name: str, write: Callable[[BinaryIO], Any]) -> RunFile:
        """Make a file and keep it: in the file area, at this path or a free one like it, when it has one; else with the run."""
        run = self.run
        in_inbox = bool(path) and kind is Kind.TRYBACK
        with storage.scratch_file() as out:
            write(out)
            sha256, size = digest_of(out)
            if path:
                path = self._claim_path(kind, name, path)
            if in_inbox:
                user = run.requested_by
                keep_file(run.site, out, path, sha256=sha256, size=size, processor=run.processor, user=user)
            key = storage.key_of_path(run.site.slug, path) if path else f"{self._own_folder()}/{own_name}"
            if not in_inbox:
                storage.save(key, out)
        values = {"name": split_path(path)[1] or name, "path": path, "storage_key": key, "size": size}
        return RunFile.objects.update_or_create(run=run, kind=kind, defaults=values)[0]

    @property
    def _is_to_be_cleaned_up(self) -> bool:
        return self._options.deletes_file

    def _is_cleaned_up(self) -> bool:
        """Whether a worker died right after it had deleted the file, the last thing to be done."""
        return self._is_to_be_cleaned_up and not storage.exists(self.run.input_key)

    def open_unmapped(self, source: BinaryIO, name: str = "") -> RowReader:
        """Open the file of the run, or another of this name, with the columns that it has itself."""
        return self._reader(source, name=name)

    def open_rows(self, source: BinaryIO, name: str = "") -> RowReader:
        """Open the file of the run, or another of this name, exactly as the pipeline did."""
        return mapped(self._mapping, processor_of(self.run).columns, self._reader(source, name=name))

    def _reader(
        self, source: BinaryIO, look: Look | None = None, *, name: str = "", options: GeneralOptions | None = None
    ) -> RowReader:
        """Open the file as the pipeline did, its rows as they came; what looks at them sees them as they were carried out.

        Shape: name, options: of another file, or other options
        """
        columns = processor_of(self.run).columns
        used = self._options if options is None else options
        return open_rows(
            source,
            name or self.run.file_name,
            encoding=used.encoding,
            separator=used.separator,
            known_name=known_by(self._mapping, columns),
            list_names=columns.list_names_for(self._options),
            of_pictures=columns.of_pictures,
            look=mapped_look(self._mapping, columns, look),
            sheets=self._sheets if not name else None,
        )

    def _facts(self) -> ReportFacts:
        run = self.run
        with override(self.language):
            return ReportFacts(
                file_type=str(processor_of(run).label),
                run_id=run.pk,
                site=run.site.name,
                file=run.file_path,
                requested_by=run.requested_by.get_username() if run.requested_by else "",
                started=timezone.localtime(self.started),
                ended=timezone.localtime(),
                simulate=run.simulate,
                encoding=run.dialect.get("encoding", ""),
                separator=run.dialect.get("separator", ""),
                is_workbook=run.dialect.get("is_workbook", False),
                options=dict(_shown_options(run)),
                notes=run_notes(run),
                skipped_count=run.skipped.get("count", 0),
                counts=run.counts,
                partial_counts=run.partial_counts,
                objects=total_texts(run.totals),
                trouble=self._trouble(),
                is_whole=run.carried_out,
                last_line=run.last_line,
                rows_left=run.rows_left,
                tryback=self._tryback_place() if run.failed_rows else "",
            )

    def _trouble(self) -> str:
        if self.run.error_code:
            return text_of(self.run.error_code, self.run.error_params)
        return _("it was cancelled.") if not self.run.carried_out else ""

    def _tryback_place(self) -> str:
        if self.run.simulate or self.run.undoes_id is not None:
            return ""
        if self._options.filefailed:
            return self._free_path(self._input_folder() + self._tryback_name())
        return _("the tryback on the page of run %(run)s") % {"run": self.run.pk}

    def _tryback_name(self) -> str:
        is_workbook = self.run.dialect.get("is_workbook", False)
        return tryback_name(self.run.file_name, self.started, is_workbook=is_workbook)

    def _claim_path(self, kind: Kind, name: str, path: str) -> str:
        """Return a path like this one that no other run has, nor can take from now on."""
        run = self.run
        with transaction.atomic():
            # Runs that end at the same time ask one behind the other.
            MoodleSite.objects.select_for_update().get(pk=run.site_id)
            free = self._free_path(path)
            key = storage.key_of_path(run.site.slug, free)
            values = {"name": split_path(free)[1] or name, "path": free, "storage_key": key}
            RunFile.objects.update_or_create(run=run, kind=kind, defaults=values)
        return free

    def _free_path(self, path: str) -> str:
        """Return a path under which no other run has left a file: who may read that one need not be allowed to read ours."""
        key = storage.key_of_path(self.run.site.slug, path)
        if not RunFile.objects.filter(storage_key=key).exclude(run=self.run).exists():
            return path
        folder, name = split_path(path)
        return folder + numbered_name(name, self.run.pk)

    def _input_folder(self) -> str:
        return split_path(self.run.file_path)[0]

    def _own_folder(self) -> str:
        return storage.run_folder(self.run.site.slug, self.run.pk)


def _shown_options(run: SyncRun) -> Iterator[tuple[str, str]]:
    """Return the label and the value, as people read them, of each option that isn't as it comes."""
    options = processor_of(run).options
    for name, value in changed_options_of(run).items():
        option = options.find(name)
        yield f"{option.label} ({name})", value_text(option, value)
