"""Damaged files of every kind, for as long as SOAK_MINUTES says: nothing but a sentence or rejected rows comes of any.

SOAK_SEED repeats a run; SOAK_FAULTS names a folder for the files that something was wrong with.
"""

from __future__ import annotations

import io
import logging
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from sync.columns.cell_texts import CellTexts
from sync.columns.header import match_header
from sync.columns.rows import RowCleaner
from sync.columns.survey import Survey
from sync.encodings import ENCODING_LABELS
from sync.errors import ArchiveRefused, CommandFileError, OptionError
from sync.messages import text_of
from sync.outcomes.report import INTERNAL_ERROR, describe_outcome
from sync.outcomes.tryback import FORMS, reads_back, write_tryback
from sync.processors.registry import REGISTRY
from sync.reader import RowReader, open_rows
from sync.reader.dialect import SEPARATORS
from sync.reader.picture_zip import holds_pictures
from sync.values import Action, Outcome
from sync.web.preview import preview_file
from tests.moodle.course_content.backup.archives import opened
from tests.moodle_sites import MoodleSite
from tests.pictures import data_folder
from tests.processors.random_files import furnish
from tests.soak.mutations import Mutator
from tests.soak.seed_files import SeedFile, seed_file
from tests.support import run_file

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or time.time_ns() % 1_000_000
FAULTS = os.environ.get("SOAK_FAULTS", "")
# What one file of some kilobytes may take: CPU time of this process and of those it starts, and memory of this one. The time is
# that of a machine with nothing else to do: where others share its cores, the same work takes more. A workbook is given up after
# ten seconds (`sync.reader.workbook_process`), and is read twice here, for its preview as well.
SECONDS, MIB = 25, 128
# Of the whole process, Moodle's rows and the tests themselves included.
PEAK_MIB = 512
_SPOKEN_EVERY = 60
_SEEDS_AT_A_TIME, _MUTANTS_OF_SEED = 40, 12
_REAL_RUNS = 0.03


@dataclass
class Figures:
    """What came of the files. Shape: results: (kind, what it ended as) -> files; faults: trace -> files that had it"""

    started: float = field(default_factory=time.monotonic)
    files: Counter[str] = field(default_factory=Counter)
    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    trybacks: int = 0
    rows: int = 0
    slowest: tuple[float, str] = (0, "")
    largest: tuple[int, str] = (0, "")
    first: int = 0
    peak: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        yield (
            f"seed {SEED}, {(time.monotonic() - self.started) / 60:.1f} minutes: {self.files.total()} files {dict(self.files)}, "
            f"{self.rows} rows, {self.trybacks} trybacks read back, runs {dict(self.runs)}"
        )
        yield (
            f"  slowest {self.slowest[0]:.2f} s CPU ({self.slowest[1]}); most memory for a file {self.largest[0] >> 10} MiB "
            f"({self.largest[1]}); process {self.first >> 10} to {self.peak >> 10} MiB; faults {self.faults.total()}"
        )


class LastTrace(logging.Handler):
    """Keeps what the pipeline logs of a row over which ToolSync stumbled."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


class Examiner:
    """Tries files, and notes what came of them. Shape: faults: folder for the files that something was wrong with"""

    def __init__(self, site: MoodleSite, dataroot: Path, faults: Path, chance: random.Random) -> None:
        self.figures = Figures()
        self._site = site
        self._dataroot = dataroot
        self._faults = faults
        self._chance = chance
        self._trace = LastTrace()
        self._fastest = min(_reference_seconds() for _try in range(20))
        logging.getLogger("sync.runs.pipeline").addHandler(self._trace)

    def examine(self, file: SeedFile) -> None:
        figures = self.figures
        Path("/proc/self/clear_refs").write_text("5")
        resident = _status("VmRSS")
        started = _cpu_seconds()
        figures.files[file.kind] += 1
        try:
            result = self._result_of(file)
            figures.results[file.kind, result] += 1
        except Exception:  # noqa: BLE001 (each is a fault, and the next file is tried all the same)
            self._note(file, traceback.format_exc())
        seconds = _cpu_seconds() - started
        if seconds > SECONDS / 3:
            seconds *= self._fastest / _reference_seconds()
        figures.slowest = max(figures.slowest, (seconds, f"{file.kind} {file.key}"))
        peak = _status("VmHWM")
        figures.first, figures.peak = figures.first or resident, max(figures.peak, peak)
        figures.largest = max(figures.largest, (grown := peak - resident, f"{file.kind} {file.key}"))
        if seconds > SECONDS:
            self._note(file, f"{seconds:.1f} seconds")
        if grown > MIB << 10:
            self._note(file, f"{grown >> 10} MiB")

    def _note(self, file: SeedFile, trace: str) -> None:
        self.figures.faults[trace] += 1
        if self.figures.faults[trace] == 1:
            path = self._faults / f"{SEED}-{self.figures.files.total()}-{file.kind}-{file.key}-{file.name}"
            path.write_bytes(file.data)
            path.with_name(f"{path.name}.fault").write_text(f"{file.kind} {file.key} {file.name}\n{trace}")
            _say(f"FAULT {path.name}: {trace.strip().splitlines()[-1][:300]}")

    def _result_of(self, file: SeedFile) -> str:
        """Return the code that a file is refused with, or "read"."""
        if not file.key:
            return self._backup_result(file)
        preview_options = {"encoding": "", "separator": "", "invalidnamesnocheck": False, "flatfile": False}
        preview_file(io.BytesIO(file.data), file.name, len(file.data), REGISTRY[file.key], preview_options)
        holds_pictures(io.BytesIO(file.data))
        options: dict[str, Any] = {}
        if self._chance.random() < 0.1:
            options["encoding"] = self._chance.choice([*ENCODING_LABELS])
        if self._chance.random() < 0.1:
            options["separator"] = self._chance.choice(SEPARATORS)
        try:
            self._read(file, options)
        except CommandFileError as error:
            _check_text(error.code, error.params)
            return error.code
        return self._run(file, options)

    def _backup_result(self, file: SeedFile) -> str:
        folder = self._faults / "backup"
        try:
            with opened(folder, file.data) as content:
                for table in content.tables():
                    for _rows in content.rows(table):
                        pass
        except ArchiveRefused as error:
            _check_text(error.code, error.params)
            return error.code
        finally:
            _remove(folder)
        return "read"

    def _read(self, file: SeedFile, options: Mapping[str, str]) -> None:
        """Read, clean and write the tryback of what was rejected. Raises: CommandFileError"""
        columns = REGISTRY[file.key].columns
        survey = Survey(columns, "", REGISTRY[file.key].file_survey)
        reader = self._open(file, options, survey)
        header = match_header(columns, reader.header)
        cleaner = RowCleaner(
            columns, header, lambda _table, _column: 100, dates=survey.dates, texts=CellTexts(),
            options=REGISTRY[file.key].options.resolve(options),
        )  # fmt: skip
        rows = list(reader)
        self.figures.rows += len(rows)
        assert all(first.line < second.line for first, second in pairwise(rows)), "lines aren't in order"
        assert reader.notes is not None
        clean, rejected = cleaner.clean(rows)
        assert sorted([*(row.line for row in clean), *(r.line for r in rejected)]) == [row.line for row in rows]
        outcomes = [Outcome(r.line, Action.REJECTED, r.code, {**r.params, "column": r.column}) for r in rejected]
        for outcome in outcomes:
            _check_outcome(outcome)
        if outcomes and reader.pictures is None:
            self._check_tryback(file, options, outcomes, survey.dates.order_cell)

    def _open(self, file: SeedFile, options: Mapping[str, str], survey: Survey | None = None) -> RowReader:
        columns = REGISTRY[file.key].columns
        return open_rows(
            io.BytesIO(file.data), file.name, encoding=options.get("encoding", ""), separator=options.get("separator", ""),
            known_name=columns.knows, list_names=columns.list_names_for(options), of_pictures=columns.of_pictures,
            look=None if survey is None else survey.start,
        )  # fmt: skip

    def _check_tryback(self, file: SeedFile, options: Mapping[str, str], outcomes: list[Outcome], order: str) -> None:
        """As a run's own (`sync.runs.finalize`) one of its forms is read back, with and without options."""
        for form in FORMS:
            out = io.BytesIO()
            write_tryback(out, self._open(file, options), outcomes, language="fr", date_order=order, form=form)
            name = "in.csv" if file.kind not in ("text", "real") else file.name
            tryback = file._replace(data=out.getvalue(), name=name)
            if all(self._reads_back(tryback, file, asked, options, outcomes) for asked in ({}, options)):
                self.figures.trybacks += 1
                return
        raise AssertionError("the tryback isn't read back")

    def _reads_back(
        self,
        tryback: SeedFile,
        file: SeedFile,
        asked: Mapping[str, str],
        options: Mapping[str, str],
        outcomes: list[Outcome],
    ) -> bool:
        try:
            again = self._open(tryback, asked)
            return reads_back(again, self._open(file, options), (outcome.line for outcome in outcomes))
        except CommandFileError:
            return False

    def _run(self, file: SeedFile, options: Mapping[str, str]) -> str:
        """Simulate the file, or carry it out; every row has one outcome, and none is our fault."""
        is_real = self._chance.random() < _REAL_RUNS
        chosen = {**options, **self._random_options(file.key)}
        try:
            result = run_file(
                self._site, file.key, file.data, simulate=not is_real, chunk_rows=self._chance.choice((1, 3, 1000)),
                filename=file.name, dataroot=self._dataroot, **chosen,
            )  # fmt: skip
        except CommandFileError as error:
            _check_text(error.code, error.params)
            return f"run: {error.code}"
        except OptionError:
            return "read"
        finally:
            if is_real:
                self._site.restore_template()
        self.figures.runs["real" if is_real else "simulated"] += 1
        lines = [outcome.line for outcome in result.outcomes]
        assert len(lines) == len(set(lines)), "a row has two outcomes"
        assert INTERNAL_ERROR not in result.codes, f"{chosen}\n{self._trace.text}"
        return "run"

    def _random_options(self, key: str) -> dict[str, Any]:
        """Return some switches of a file type, and an order of dates."""
        if self._chance.random() < 0.5:
            return {}
        options = REGISTRY[key].options
        flags = [name for name, value in options.resolve({}).items() if isinstance(value, bool)]
        return {name: self._chance.random() < 0.5 for name in self._chance.sample(flags, min(4, len(flags)))}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _check_text(code: str, params: Mapping[str, Any]) -> None:
    for language in ("en", "fr"):
        with translation.override(language):
            assert text_of(code, params).strip()


def _check_outcome(outcome: Outcome) -> None:
    for language in ("en", "fr"):
        with translation.override(language):
            assert describe_outcome(outcome).strip()


def _cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _reference_seconds() -> float:
    """Return the CPU time that a certain amount of work takes now."""
    started = time.process_time()
    sum(number * number % 7 for number in range(500_000))
    return time.process_time() - started


def _status(name: str) -> int:
    """Return a figure of this process, in KiB."""
    return next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)
    )


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    folder = Path(FAULTS) if FAULTS else tmp_path / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_damaged_files_end_in_a_sentence_or_in_rejected_rows(
    sqlite_site: MoodleSite, tmp_path: Path, faults: Path
) -> None:
    furnish(sqlite_site)
    sqlite_site.keep_as_template()
    chance = random.Random(SEED)
    examiner = Examiner(sqlite_site, data_folder(tmp_path), faults, chance)
    figures = examiner.figures
    _say(f"\nseed {SEED}, {MINUTES:g} minutes")
    end, spoken = time.monotonic() + 60 * MINUTES, time.monotonic()
    while time.monotonic() < end:
        seeds = [seed_file(chance) for _seed in range(_SEEDS_AT_A_TIME)]
        mutator = Mutator(chance, [seed.data for seed in seeds])
        for seed in seeds:
            for _mutant in range(_MUTANTS_OF_SEED):
                if time.monotonic() < end:
                    examiner.examine(seed._replace(data=mutator.damaged(seed.data)))
        if time.monotonic() - spoken > _SPOKEN_EVERY:
            spoken = time.monotonic()
            _say("\n".join(figures.lines()))
    _say("\n".join(figures.lines()))
    for (kind, result), count in sorted(figures.results.items()):
        _say(f"  {kind}: {result}: {count}")
    assert not figures.faults, "\n\n".join(figures.faults)
    assert figures.peak < PEAK_MIB << 10
