"""What the page of a new import shows: how a file is understood, from what has been chosen so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, ngettext

from sync.columns.general_options import GeneralOptions
from sync.errors import CodedError, OptionError, WorkbookUnread
from sync.health.selectors import worker_trouble
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.file_check import FileCheck, FileChecker
from sync.mappings.recognition import Recognised, likeliest
from sync.messages import Quantity, text_of
from sync.models import CommandFile, MoodleSite, SavedMapping
from sync.processors.base.processor import Processor
from sync.reader import Dialect
from sync.runs.mappings import mapping_data
from sync.runs.options import resolve_options
from sync.runs.rights import Responsible
from sync.sites.groups import further_sites
from sync.web.import_columns import ColumnRow, ImportColumns, Missing
from sync.web.import_form import FileTypeForm, ImportOptionsForm, OptionField
from sync.web.import_mapping import ImportMapping
from sync.web.import_source import ImportSource, Opening
from sync.web.preview import CELLS_SHOWN

# What the form says of the file itself, whatever its type.
_OF_THE_FILE = ("encoding", "separator")


# Which mapping a further site has: the one of this page, or what is kept there for the header.
_BY_HEADER = "kept"


class SiteChoice(NamedTuple):
    """A further site. Shape: by_header: the mapping is the one that is kept there for the header of the file"""

    site: MoodleSite
    is_chosen: bool
    by_header: bool


class ImportPage:
    """One look at a file. Shape: sent: what the form holds, empty at the first look; person: who looks"""

    def __init__(
        self, file: CommandFile, processors: Sequence[type[Processor]], sent: QueryDict, person: Responsible
    ) -> None:
        self.file = file
        self._person = person
        self._processors = {processor.key: processor for processor in processors}
        self._sent = sent
        self._source = ImportSource(file)

    @cached_property
    def is_unread(self) -> bool:
        """Whether a worker has yet to read the sheet that the page is about; asks for it."""
        try:
            self._source.check_sheet()
            if self._source.beginning.sheets is not None:
                self._source.recognised(list(self._processors.values()))
                if self.key:
                    self._source.opening(self.processor.columns, self._options)
                    self._source.opened(self.processor.columns, self._options, self.mapping).close()
        except WorkbookUnread:
            return True
        except CodedError:
            return False
        return False

    @cached_property
    def file_trouble(self) -> str:
        """Why the file can't be read, whatever its type; "" = it can."""
        try:
            self._source.check_sheet()
        except WorkbookUnread:
            return ""
        except CodedError as error:
            return text_of(error.code, error.params)
        return ""

    @cached_property
    def worker_trouble(self) -> str:
        """Why nobody reads the file now, "" = a worker does."""
        return worker_trouble()

    @cached_property
    def recognised(self) -> list[Recognised]:
        """The file types that the file may be of, the likeliest first."""
        try:
            return self._source.recognised(list(self._processors.values()))
        except WorkbookUnread:
            return []

    @cached_property
    def key(self) -> str:
        """The key of the file type that was chosen, or else recognised; "" = none."""
        chosen = self._sent.get("file_type", self.file.processor or likeliest(self.recognised))
        return chosen if chosen in self._processors else ""

    @property
    def processor(self) -> type[Processor]:
        return self._processors[self.key]

    @property
    def sure(self) -> Recognised | None:
        """What speaks for the file type that is chosen."""
        return next((found for found in self.recognised if found.key == self.key), None)

    @cached_property
    def type_form(self) -> FileTypeForm:
        return FileTypeForm(initial={"file_type": self.key}, file_types=self._processors)

    @cached_property
    def form(self) -> ImportOptionsForm:
        """The options: as sent for this file type, else as stored, and as the mapping that the header chooses means the rows."""
        if self._own_sent:
            return self._sent_form
        values = {**self._options, **(self.mapped.asked_options if self.mapped is not None else {})}
        return ImportOptionsForm(processor=self.processor, values=values, stored=self._stored)

    @property
    def option_values(self) -> Mapping[str, Any]:
        return self.form.option_values

    @property
    def is_ready(self) -> bool:
        """Whether all is chosen that a plan needs."""
        return bool(self.key) and self.form.is_valid() and not self.trouble

    @cached_property
    def trouble(self) -> str:
        """Why the file can't be used as chosen, "" = it can."""
        if self.is_too_large:
            return ""
        try:
            found = (self.columns and self.columns.damage) or self.check.trouble
        except CodedError as error:
            return text_of(error.code, error.params)
        return text_of(found.code, found.params) if found is not None else ""

    @property
    def dialect(self) -> Dialect | None:
        """How the file is written; None where it can't be read."""
        if not self.key:
            return None
        try:
            return self._opening.dialect
        except CodedError:
            return None

    @property
    def separator_name(self) -> str:
        separator = self.dialect.separator if self.dialect else ""
        return _("tab") if separator == "\t" else separator

    @property
    def sheet(self) -> str:
        """The sheet of a workbook that was chosen among several."""
        return self._opening.sheet

    @property
    def is_too_large(self) -> bool:
        """Whether it is a zip of pictures that is too large to be looked at."""
        return self._source.is_too_large

    @cached_property
    def check(self) -> FileCheck:
        """How the rows are understood. Raises: CommandFileError if the file can't be read"""
        checker = FileChecker(
            self.processor.columns, self._options, self.mapping, only_faulty=self.only_faulty,
            is_cut=self._source.beginning.is_cut,
        )  # fmt: skip
        mapping = self.mapping
        return checker.check(lambda: self._source.opened(self.processor.columns, self._options, mapping))

    @cached_property
    def mapped(self) -> ImportMapping | None:
        """The mapping of the file; None for a file without header, and where it can't be read."""
        if not self.key or self._is_list or self.dialect is None:
            return None
        return ImportMapping(
            self.file.site, self.processor, self._opening.head, self._own_sent,
            is_set_aside=self._sent.get("do") == "without",
        )  # fmt: skip

    @property
    def columns(self) -> ImportColumns | None:
        return self.mapped.columns if self.mapped is not None else None

    @property
    def mapping(self) -> ColumnMapping | None:
        """The mapping as the form has it."""
        return self.columns.mapping if self.columns is not None else None

    @property
    def chosen_mapping(self) -> dict[str, Any] | None:
        """The mapping as the run keeps it; None where nobody has seen the columns, and the run is to choose it."""
        return mapping_data(self.mapping) if self.columns is not None else None

    @property
    def found(self) -> FileCheck | None:
        """What was found in the rows; None where they can't be read."""
        return self.check if self.key and self.dialect is not None and self.check.trouble is None else None

    @property
    def words(self) -> list[str]:
        """The first words that show whether the encoding is the right one."""
        return self.check.words if self.dialect is not None else []

    @property
    def column_rows(self) -> list[ColumnRow]:
        return self.columns.rows(self.check) if self.columns is not None else []

    @property
    def names_shown(self) -> Sequence[str]:
        """What the cells of the rows are that are shown."""
        return self.check.names[:CELLS_SHOWN]

    @property
    def cells_hidden(self) -> int:
        """How many columns have no place in the rows that are shown."""
        return max(0, len(self.check.names) - CELLS_SHOWN)

    @property
    def missing(self) -> list[Missing]:
        return self.columns.missing if self.columns is not None else []

    @property
    def only_faulty(self) -> bool:
        return "only_faulty" in self._sent

    @property
    def summary(self) -> str:
        """What was found, in a sentence that is read out as well."""
        if self.is_unread:
            return _("The workbook is being read.")
        if not self.key or self.is_too_large:
            return self.file_trouble
        if self.trouble:
            return self.trouble
        check = self.check
        if not check.faulty_rows:
            said = ngettext(
                "%(count)s row was checked, without faults.",
                "%(count)s rows were checked, without faults.",
                check.checked,
            )
        else:
            said = ngettext(
                "%(count)s row was checked: %(faulty)s with faults.",
                "%(count)s rows were checked: %(faulty)s with faults.",
                check.checked,
            )
        counts = {"count": check.checked, "faulty": check.faulty_rows}
        shown = said % {name: Quantity(count) for name, count in counts.items()}
        # Apart from the f-string, in which xgettext finds nothing.
        more = _("There are more; the plan checks them all.")
        return f"{shown} {more}" if check.is_part else shown

    def keep(self, by: Responsible) -> SavedMapping | None:
        """Keep the mapping; None where that can't be, which the page then says."""
        return self.mapped.keep(by) if self.mapped is not None else None

    @property
    def first_options(self) -> list[OptionField]:
        return self.form.first(self.option_names)

    @property
    def other_options(self) -> list[OptionField]:
        return self.form.others(self.option_names)

    @property
    def asked_options(self) -> dict[str, str]:
        """What a mapping of ours asks of the options where the form has it otherwise. Shape: label -> value"""
        asked = self.mapped.asked_options if self.mapped is not None else {}
        options, chosen = self.processor.options, self.form.chosen
        return {str(options.find(name).label): value for name, value in asked.items() if chosen[name] != value}

    @cached_property
    def option_names(self) -> set[str]:
        """The columns that rows have, by which options are shown first."""
        return self.columns.made if self.columns is not None else set()

    @cached_property
    def sites(self) -> list[SiteChoice]:
        """The other sites on which the person may have the file planned as well."""
        if not self.key:
            return []
        chosen = set(self._sent.getlist("site"))
        return [
            SiteChoice(site, site.slug in chosen, self._sent.get(f"mapping_{site.slug}") == _BY_HEADER)
            for site in further_sites(self.file.site, self.key, self._person)
        ]

    @property
    def chosen_sites(self) -> list[MoodleSite]:
        return [choice.site for choice in self.sites if choice.is_chosen]

    @property
    def by_header(self) -> set[str]:
        """The sites whose own mapping counts, as the header chooses it there."""
        return {choice.site.slug for choice in self.sites if choice.by_header}

    @property
    def _own_sent(self) -> QueryDict:
        """What was sent of this file type, nothing where the form was about another."""
        return self._sent if self.key and self._sent.get("shown_type") == self.key else QueryDict()

    @cached_property
    def _options(self) -> GeneralOptions:
        """The options of the form; where one of them can't be, and for another type than the form is about, the stored ones."""
        if self._own_sent and self._sent_form.is_valid():
            return self.processor.options(self._sent_form.option_values)
        of_file = {name: self._sent[f"option_{name}"] for name in _OF_THE_FILE if f"option_{name}" in self._sent}
        try:
            return self.processor.options.resolve(self._stored, of_file)
        except OptionError:
            return self._stored

    @cached_property
    def _stored(self) -> GeneralOptions:
        return resolve_options(self.file.site, self.key)

    @cached_property
    def _sent_form(self) -> ImportOptionsForm:
        return ImportOptionsForm(self._own_sent, processor=self.processor, values=self._stored, stored=self._stored)

    @property
    def _is_list(self) -> bool:
        return bool(self.processor.columns.list_names_for(self._options))

    @cached_property
    def _opening(self) -> Opening:
        """Raises: CommandFileError"""
        return self._source.opening(self.processor.columns, self._options)
