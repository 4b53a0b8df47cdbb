"""The mapping of a file on the page of a new import: the one that its header chooses, what is made of it, and keeping that."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict
from django.utils.functional import cached_property

from sync.errors import MappingError
from sync.mappings.choices import guessed_mapping, without_unknown
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.header_keys import column_keys
from sync.mappings.shipped import SHIPPED, shipped_mapping
from sync.messages import text_of
from sync.models import MoodleSite, SavedMapping
from sync.processors.base.processor import Processor
from sync.runs.mappings import FileHead, choose_mapping, column_mapping, is_understood, save_mapping
from sync.runs.rights import Responsible
from sync.web.import_columns import ImportColumns


class ImportMapping:
    """What the columns of one file become. Shape: sent: the form; is_set_aside: the mapping of the header isn't wanted

    trouble: why the mapping can't be kept, "" = nobody has tried, or it is kept
    """

    trouble = ""

    def __init__(
        self, site: MoodleSite, processor: type[Processor], head: FileHead, sent: QueryDict, *, is_set_aside: bool
    ) -> None:
        self._site = site
        self._processor = processor
        self._head = head
        self._spelled = head.header.spelled
        self._sent = sent
        self._is_set_aside = is_set_aside

    @cached_property
    def columns(self) -> ImportColumns:
        """The columns, and what each becomes."""
        sent = QueryDict() if self._is_set_aside else self._sent
        return ImportColumns(self._processor.columns, self._spelled, sent, self._start)

    @cached_property
    def fitting(self) -> ColumnMapping | None:
        """The mapping that the header chooses; None where there is none, or it can't be read any more."""
        try:
            return choose_mapping(self._site, self._processor.key, self._head)
        except MappingError:
            return None

    @property
    def title(self) -> str:
        """Name and version of the mapping, "" = it has none (any more)."""
        return self.columns.mapping.title

    @property
    def asked_options(self) -> Mapping[str, str]:
        """What a mapping of ours asks of the options. Shape: name -> value"""
        mapping = self.columns.mapping
        shipped = shipped_mapping(mapping.name, mapping.version)
        return shipped.options if shipped is not None else {}

    @property
    def may_keep(self) -> bool:
        """Whether there is something to keep."""
        return bool(self.columns.mapping) and not self.title

    @property
    def keep_name(self) -> str:
        """The name to keep the mapping under: that of the one that it was made from."""
        start = self._start.name
        return self._sent.get("keep_name") or ("" if any(shipped.name == start for shipped in SHIPPED) else start)

    def keep(self, by: Responsible) -> SavedMapping | None:
        """Keep the mapping under the name that was sent; None where that can't be, which `trouble` then says."""
        columns, name = self.columns, str(self._sent.get("keep_name", ""))
        try:
            kept = save_mapping(self._site, self._processor.key, name, columns.mapping, self._spelled, by=by)
        except MappingError as error:
            self.trouble = text_of(error.code, error.params)
            return None
        columns.mapping = column_mapping(kept)
        return kept

    @cached_property
    def _start(self) -> ColumnMapping:
        """The mapping to begin with: the one that the header chooses, or else what its names resemble."""
        if self._is_set_aside:
            return ColumnMapping()
        if self.fitting is not None:
            return without_unknown(self.fitting, column_keys(self._spelled))
        if is_understood(self._processor.columns, self._head.header):
            return ColumnMapping()
        return guessed_mapping(self._processor.columns, self._spelled)
