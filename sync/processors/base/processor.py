"""The contract of a processor, and the carrying out of its plans.

A processor is made for every connection of a run. For every chunk of cleaned rows the pipeline calls, in this order:

    state = fetch(rows)            all reads; may raise SplitChunk
    plan = plan(rows, state)       pure: no database, no clock; may raise SplitChunk
    prepare(plan)                  slow work that needs no database (password hashes); not in a dry run
    apply(plan, writer)            all writes, in one transaction; not in a dry run
    owed_after_commit(plan, applied)  what is owed once the transaction is in, as data that is stored with the chunk
    collect(owed)                  keep of it what the end of the run must know
    after_commit(owed)             carry it out; both also when the commit became known only later; not in a dry run

After the last chunk: next_closing_plan() and next_emptied_plan(), each until it has nothing more to do, and final_plan(). All are
carried out like the plan of a chunk. Where the file declares itself complete: check() before the first chunk, and note_named() of
all rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast, final, get_args

from django.utils.functional import Promise

from sync.columns.cells import Cells
from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.columns.rows import ReadCells
from sync.columns.survey import FileSurvey
from sync.moodle.courses.order import Misplaced
from sync.moodle.db.writer import Writer
from sync.moodle.files.files import DeletedFiles
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.blobs import blob_notes, trash_blobs
from sync.processors.base.closing import FileEnd
from sync.processors.base.context import Collected, ProcessorContext
from sync.processors.base.export import Exporter
from sync.processors.base.operations import Applied
from sync.processors.base.plan import Plan, apply_plan
from sync.processors.base.sticky import StickyColumn
from sync.values import Note, Outcome

State = TypeVar("State")
CellsT = TypeVar("CellsT", bound=Cells)
PlanT = TypeVar("PlanT", bound=Plan)
OptionsT = TypeVar("OptionsT", bound=GeneralOptions)
OptionsT_co = TypeVar("OptionsT_co", bound=GeneralOptions, covariant=True)
CollectedT = TypeVar("CollectedT", bound=Collected)
CollectedT_co = TypeVar("CollectedT_co", bound=Collected, covariant=True)


class _HasOptions(Protocol[OptionsT_co]):
    """Tells the type of the values from the options that a processor declares, so that it needs not be said twice."""

    @property
    def options(self) -> type[OptionsT_co]: ...

    @property
    def context(self) -> ProcessorContext: ...


class _Collects(Protocol[CollectedT_co]):
    """The same of what a processor collects."""

    @property
    def collected_type(self) -> type[CollectedT_co]: ...

    @property
    def context(self) -> ProcessorContext: ...


class Processor(ABC, Generic[CellsT, State, PlanT]):
    """One file type: what it may contain (declared) and what it does.

    In brackets stand the class of its rows, from which `columns` follow, and what `fetch` and `plan` return.
    Must implement: the declarations, `fetch`, `plan`. May override: all else; `setup` and `close` go with the connection.
    Shape: after: keys of processors whose files go first when several arrive together; rows_per_chunk: at most so many,
    where one row may do much; file_survey: what is looked for in all rows before the first is used; collected_type: what the
    processor collects over the whole run; emptied_notes: code of the outcome of an emptied object -> code of the note that tells
    how many there are; exporter: reads what Moodle holds as rows of such a file, None = nothing says what
    is; sampler: the same for a sample, where it differs; sticky_columns: those that a rule may keep from changing what is
    there; plans_are_data: a plan holds all that it takes to carry it out, so any object of the class may do so; file_notes:
    about the whole file; text_fields: columns of the file that fill texts of the site's own fields
    """

    key: ClassVar[str]
    label: ClassVar[Promise]
    summary: ClassVar[Promise]
    default_filename: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[Columns]
    options: ClassVar[type[GeneralOptions]]
    rows_per_chunk: ClassVar[int | None] = None
    file_survey: ClassVar[type[FileSurvey] | None] = None
    collected_type: ClassVar[type[Collected]] = Collected
    emptied_notes: ClassVar[Mapping[str, str]] = MappingProxyType({})
    exporter: ClassVar[type[Exporter[Any]] | None] = None
    sampler: ClassVar[type[Exporter[Any]] | None] = None
    sticky_columns: ClassVar[tuple[StickyColumn, ...]] = ()
    plans_are_data: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Take the columns of the class of rows that stands in brackets."""
        super().__init_subclass__()
        for base in vars(cls).get("__orig_bases__", ()):
            columns = getattr(next(iter(get_args(base)), None), "columns", None)
            if isinstance(columns, Columns):
                cls.columns = columns

    def __init__(self, context: ProcessorContext) -> None:
        self.context = context
        self.moodle = context.moodle
        self.overlay = context.overlay
        self.sticky = context.sticky
        self.survey = context.survey
        self.file_notes: list[Note] = []
        self.text_fields: frozenset[str] = frozenset()
        try:
            self.setup(context.names)
        except BaseException:
            self.close()
            raise

    @property
    def option_values(self: _HasOptions[OptionsT]) -> OptionsT:
        """What was chosen of `options`, in their type."""
        return cast(OptionsT, self.context.options)

    @property
    def collected(self: _Collects[CollectedT]) -> CollectedT:
        """What the processor has collected so far, in its `collected_type`."""
        return cast(CollectedT, self.context.collected)

    def setup(self, names: Sequence[str]) -> None:
        """Prepare for the file. Shape: names: the header's canonical names"""

    @abstractmethod
    def fetch(self, rows: Sequence[CellsT]) -> State:
        """Read everything that the rows need, whole sets at a time."""

    @abstractmethod
    def plan(self, rows: Sequence[CellsT], state: State) -> PlanT:
        """Decide what each row does, as if the rows were carried out in file order. Pure."""

    def prepare(self, plan: PlanT) -> None:
        """Complete the plan with what takes long and needs no transaction, before that opens."""

    @final
    def apply(self, plan: PlanT, writer: Writer) -> Applied:
        """Write the plan, which stays as it is. Inside a transaction of the writer's session."""
        return apply_plan(plan, writer)

    def owed_after_commit(self, plan: PlanT, applied: Applied) -> AfterCommit:
        """Return what is owed once the transaction is in. Called after `apply`, before the commit; in a dry run after `plan`."""
        return AfterCommit(
            files=applied.files.sizes,
            mails=len(plan.mails),
            notes=list(plan.notes),
            grace=list(plan.grace.values()),
            absent=dict(plan.absent),
            absent_upto=plan.absent_upto,
            absent_left=plan.absent_left,
            written=plan.digests_left(applied.ids),
        )

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        """Return of which rows something is said at the top of the report, where outcomes tell. Shape: code -> lines

        What cells tell stands in `Plan.counted`, of rows that change something: others aren't planned again when a stored plan
        is carried out.
        """
        return {}

    def collect(self, owed: AfterCommit) -> None:
        """Keep what the end of the run must know of a chunk that is committed; once for each chunk and process."""
        self.collected.notes.extend(owed.notes)
        self.collected.counted.add(owed.counted)
        self.collected.grace.update((change.key, change) for change in owed.grace)
        self.collected.absence.add(owed.absent, owed.absent_upto, owed.absent_left)

    def after_commit(self, owed: AfterCommit) -> None:
        """Do what may only happen once the transaction is in (files in Moodle's data folder). Twice is harmless."""
        if not self.context.blobs.keep(owed.files):
            self.collected.bytes_left += trash_blobs(self.moodle, DeletedFiles(owed.files))

    def on_skipped(self, rows: Sequence[CellsT]) -> None:
        """Look at rows that an earlier attempt at this run has carried out; for what `final_plan` must know."""

    @property
    def is_complete(self) -> bool:
        """Whether the file declares itself complete, so that what is absent from it is not to stay as it is."""
        return self.context.options.is_complete

    def check(self) -> None:
        """Look whether the scope of a complete file can be meant, before the first write. May read. Raises: CommandFileError"""

    def note_named(self, rows: Sequence[CellsT], rejected: Sequence[ReadCells]) -> None:
        """Note what the rows of a file that is complete name, perhaps several times. Shape: rejected: by the cleaner"""

    def next_closing_plan(self, end: FileEnd) -> PlanT | None:
        """Decide on the next part of what a complete file takes away, after those that were collected. May read.

        A plan without outcomes, or None, ends it.
        """
        return None

    def next_emptied_plan(self, end: FileEnd) -> PlanT | None:
        """Decide on the next objects that an option deletes because the file has left them empty. May read.

        A plan without outcomes, or None, ends it.
        """
        return None

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> PlanT | None:
        """Decide, after all, what else is to be done (without outcomes). May read; None when there is nothing.

        Shape: places: of the order of the site's courses only these, None = all that it takes
        """
        return None

    @property
    def sees_to_order(self) -> bool:
        """Whether `final_plan` brings the courses of the site in order."""
        return False

    def final_notes(self) -> list[Note]:
        """Say what is worth saying about everything that was done; asked for once, at the end."""
        return [*blob_notes(self.collected.bytes_left), *self.collected.notes, *self.collected.counted.notes]

    def close(self) -> None:
        """Release what the processor holds (helper processes)."""


class SplitChunk(Exception):
    """Raised by `fetch` or `plan`: earlier rows of the chunk are to be carried out before this line.

    Because it depends on what they do, or because the chunk would become too much.
    """

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line
