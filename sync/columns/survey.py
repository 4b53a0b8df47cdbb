"""A look at the whole file before its first row is used: what single cells can't tell.

The reader goes through all rows once anyway; the survey counts, it keeps no rows. As it sees the file and not a chunk, what
is decided by it doesn't depend on where chunks end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.columns.clean import TimeKind
from sync.columns.dates import DateOrder, DateOrders, NotAMoment, order_shown, parse_moment
from sync.columns.file_columns import DATE_ORDER_COLUMN, TRYBACK_COLUMNS, Columns
from sync.values import Header, Note, Row

# Slashes and dashes are written in either order; dots by people who put the day first, so they tell of themselves only.
_DOT = "."
# Values of the option `dateorder`.
ORDERS = {"dmy": DateOrder.DAY_FIRST, "mdy": DateOrder.MONTH_FIRST}

Observer = Callable[[Row], None]


class FileSurvey:
    """What a file type wants to know of all rows; override `see`.

    Shape: places: canonical name of a column, or the name of one that a tryback adds -> position of its cell
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        self.places = places

    def see(self, row: Row) -> None:
        """Look at one row."""

    def cell(self, cells: Sequence[str], name: str) -> str:
        """Return the cell of a column, "" where the row or the file has none."""
        place = self.places.get(name)
        return cells[place] if place is not None and place < len(cells) else ""


def _stated_orders(cell: str) -> dict[str, DateOrder]:
    """Return the orders that a cell of a tryback names, as "column=dmy column=mdy"."""
    pairs = (word.rpartition("=") for word in cell.split())
    return {name: ORDERS[order] for name, _equals, order in pairs if name and order in ORDERS}


@dataclass
class _Evidence:
    """What the cells of one column show, by kind of mark.

    Shape: is_time: they are dates for certain; is_local: a cell is read by the site's clock
    """

    is_time: bool = True
    proofs: dict[bool, Counter[DateOrder | None]] = field(default_factory=lambda: defaultdict(Counter))
    is_local: bool = False


class DateSurvey:
    """The dates of a file, column by column: in which order day and month stand, and whether a clock is needed.

    Shape: chosen: what the option says, "" = the cells decide
    """

    def __init__(self, chosen: str = "") -> None:
        self._chosen = ORDERS.get(chosen)
        self._columns: dict[str, _Evidence] = {}
        self._fields: list[tuple[int, _Evidence, bool]] = []
        # Of a tryback: column, with a dot behind it for its dates with dots -> order. None: the file says nothing of the kind.
        self._stated: dict[str, DateOrder] | None = None
        self._order_place: int | None = None

    def start(self, columns: Columns, places: Mapping[str, int], order_place: int | None = None) -> bool:
        """Take the columns that may hold dates; tell whether there are any.

        Shape: order_place: of the cells in which a tryback says the orders of the file that it comes from
        """
        self._order_place = order_place
        for name, place in places.items():
            found = columns.find(name)
            if found is None:
                continue
            is_time = isinstance(found[0].kind, TimeKind)
            # Which of the site's own fields are dates, only Moodle knows; their cells are judged by their form.
            if is_time or found[0].may_be_date:
                self._fields.append((place, self._columns.setdefault(name, _Evidence(is_time)), is_time))
        return bool(self._fields)

    def see(self, row: Row) -> None:
        """Look at the cells of one row."""
        cells = row.cells
        if self._order_place is not None and self._stated is None and self._order_place < len(cells):
            self._stated = _stated_orders(cells[self._order_place]) or None
        for place, evidence, is_time in self._fields:
            text = cells[place] if place < len(cells) else ""
            if not text:
                continue
            if shown := order_shown(text):
                mark, order = shown
                evidence.proofs[mark == _DOT][order] += 1
                evidence.is_local = True
            elif is_time and not evidence.is_local:
                evidence.is_local = _is_local(text)

    def orders_of(self, name: str) -> DateOrders:
        """Return the orders that the dates of a column are read in.

        A column whose own cells leave the order open has that of the other columns. Where its cells, or those of the other
        columns, show both orders, the day comes first.
        """
        if self._chosen is not None:
            return DateOrders(self._chosen, self._chosen)
        if self._stated is not None:
            orders = (self._stated.get(key, DateOrder.DAY_FIRST) for key in (name, name + _DOT))
            return DateOrders(*orders)
        return DateOrders(_order_of(self._proofs_for(name)), _order_of(self._proofs(name, dotted=True)))

    @property
    def order_cell(self) -> str:
        """Return what a tryback of the file has to say of the orders of dates that its rows may not show, "" = nothing.

        That is an order other than day first, and day first where some cells show the other one.
        """
        found = [
            f"{name}{_DOT * is_dotted}={order}"
            for name, evidence in sorted(self._columns.items())
            for is_dotted in (False, True)
            if is_dotted in evidence.proofs
            and DateOrder.MONTH_FIRST in ((order := self.orders_of(name)[is_dotted]), *evidence.proofs[is_dotted])
        ]
        return " ".join(found)

    @property
    def needs_clock(self) -> bool:
        """Whether any date is read by the site's clock."""
        return any(evidence.is_local for evidence in self._columns.values())

    @property
    def notes(self) -> list[Note]:
        """Say in which order the dates were read where a cell leaves it open, and why.

        Nearly everybody writes the day first where there are dots, so that is not worth saying.
        """
        columns: dict[str, set[str]] = {}
        for name, evidence in self._columns.items():
            usual, dotted = (evidence.proofs.get(is_dotted, Counter()) for is_dotted in (False, True))
            if usual[None] or usual[DateOrder.MONTH_FIRST]:
                columns.setdefault(self._reason(name), set()).add(name)
            if dotted[DateOrder.MONTH_FIRST] or (dotted[None] and self._chosen is DateOrder.MONTH_FIRST):
                columns.setdefault(self._reason(name, dotted=True), set()).add(name)
        return [Note(code, {"columns": ", ".join(sorted(names))}) for code, names in sorted(columns.items())]

    def _reason(self, name: str, *, dotted: bool = False) -> str:
        is_month_first = self.orders_of(name)[dotted] is DateOrder.MONTH_FIRST
        if self._chosen is not None:
            return "dates_month_first_chosen" if is_month_first else "dates_day_first_chosen"
        proofs = self._proofs(name, dotted=True) if dotted else self._proofs_for(name)
        if len(proofs) > 1:
            return "dates_order_contradictory"
        if is_month_first:
            return "dates_month_first"
        return "dates_day_first" if proofs else "dates_order_open"

    def _proofs(self, name: str, *, dotted: bool) -> set[DateOrder]:
        evidence = self._columns.get(name)
        return {order for order in evidence.proofs[dotted] if order is not None} if evidence else set()

    def _proofs_for(self, name: str) -> set[DateOrder]:
        """Return what decides for a column: its own cells, else those of the other columns."""
        proofs = self._proofs(name, dotted=False) or self._proofs_of_others(is_time=True)
        return proofs or self._proofs_of_others(is_time=False)

    def _proofs_of_others(self, *, is_time: bool) -> set[DateOrder]:
        """Return what all columns show together, those that are dates for certain or the others."""
        names = [name for name, evidence in self._columns.items() if evidence.is_time == is_time]
        return {order for name in names for order in self._proofs(name, dotted=False)}


class Survey:
    """Everything that is looked for in the rows of a file before the first is used.

    Shape: of_type: what the file type wants to know
    """

    def __init__(self, columns: Columns, date_order: str = "", of_type: type[FileSurvey] | None = None) -> None:
        self.dates = DateSurvey(date_order)
        self.found: FileSurvey | None = None
        self._columns = columns
        self._of_type = of_type

    def start(self, header: Header) -> Observer | None:
        """Return what is to be told of every row; None when no row is of interest."""
        places: dict[str, int] = {}
        for place, name in enumerate(header.names):
            found = self._columns.find(name)
            if found is not None and not found[0].ignored:
                places.setdefault(found[1], place)
            elif name in TRYBACK_COLUMNS:
                places.setdefault(name, place)
        order_place = header.names.index(DATE_ORDER_COLUMN) if DATE_ORDER_COLUMN in header.names else None
        has_dates = self.dates.start(self._columns, places, order_place)
        if self._of_type is not None:
            self.found = self._of_type(places)
        if not has_dates and self.found is None:
            return None
        watchers = [watcher for watcher in (self.dates if has_dates else None, self.found) if watcher is not None]

        def observe(row: Row) -> None:
            for watcher in watchers:
                watcher.see(row)

        return observe


def _order_of(proofs: set[DateOrder]) -> DateOrder:
    """Return the order that cells prove; day first where none does, or they contradict each other."""
    return DateOrder.MONTH_FIRST if proofs == {DateOrder.MONTH_FIRST} else DateOrder.DAY_FIRST


def _is_local(text: str) -> bool:
    try:
        return isinstance(parse_moment(text), datetime)
    except NotAMoment:
        return False
