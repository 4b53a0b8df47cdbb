"""The rows of a OneRoster 1.2 server (REST), in the columns of OneRoster's own CSV files, which the shipped mappings know.

Source: 1EdTech, OneRoster 1.2 Rostering Service REST/JSON binding: collections, paging by limit and offset, X-Total-Count
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import unquote

from sync.errors import SourceError
from sync.sources.guard import Lines
from sync.sources.http_address import GuardedConnection
from sync.sources.location import Address
from sync.sources.oauth import Client, forget_token, token_of
from sync.sources.row_file import RowSource

_PAGE_ROWS = 1000
# One page of people with everything that is known of them.
_MOST_PAGE_BYTES = 64_000_000
_MOST_DIGITS = 18

# Parameters that this asks for by itself, as they must be for its pages to be whole.
_OF_PAGES = frozenset(("limit", "offset", "sort", "orderby"))

Record = Mapping[str, Any]
_ID = "sourcedId"


def _plain(name: str) -> Callable[[Record], object]:
    def value(record: Record) -> object:
        found = record.get(name)
        return str(found).lower() if isinstance(found, bool) else found

    return value


def _link(name: str) -> Callable[[Record], object]:
    """What a record refers to, by its sourcedId."""
    return lambda record: _id_of(record.get(name))


def _links(name: str) -> Callable[[Record], object]:
    return lambda record: [_id_of(link) for link in _listed(record.get(name))]


def _listed(value: object) -> list[Any]:
    """Return a list, an empty one for nothing. Raises: TypeError for anything else"""
    if value is not None and not isinstance(value, list):
        raise TypeError
    return value or []


def _id_of(link: object) -> object:
    return link.get("sourcedId", "") if isinstance(link, Mapping) else ""


def _ids(records: Sequence[Record]) -> list[object]:
    return [record.get(_ID) for record in records]


def _roles(record: Record) -> object:
    return [role.get("role", "") for role in _listed(record.get("roles")) if isinstance(role, Mapping)] or record.get(
        "role"
    )


def _plains(*names: str) -> dict[str, Callable[[Record], object]]:
    return {name: _plain(name) for name in names}


# Collection -> column of the CSV -> how it is read from a record.
COLUMNS: Mapping[str, Mapping[str, Callable[[Record], object]]] = {
    "users": {
        **_plains(
            "sourcedId",
            "status",
            "dateLastModified",
            "enabledUser",
            "username",
            "givenName",
            "familyName",
            "middleName",
        ),
        **_plains("email", "sms", "phone", "identifier"),
        "roles": _roles,
        "primaryOrgSourcedId": _link("primaryOrg"),
    },
    "classes": {
        **_plains("sourcedId", "status", "dateLastModified", "title", "classCode", "classType", "location"),
        "courseSourcedId": _link("course"),
        "schoolSourcedId": _link("school"),
        "termSourcedIds": _links("terms"),
    },
    "courses": {
        **_plains("sourcedId", "status", "dateLastModified", "title", "courseCode"),
        "orgSourcedId": _link("org"),
        "schoolYearSourcedId": _link("schoolYear"),
    },
    "enrollments": {
        **_plains("sourcedId", "status", "dateLastModified"),
        "classSourcedId": _link("class"),
        "schoolSourcedId": _link("school"),
        "userSourcedId": _link("user"),
        **_plains("role", "primary", "beginDate", "endDate"),
    },
    "orgs": {
        **_plains("sourcedId", "status", "dateLastModified", "name", "type", "identifier"),
        "parentSourcedId": _link("parent"),
    },
}


class OneRosterSource(RowSource):
    """One collection of a OneRoster server. Shape: address: of the service, ".../ims/oneroster/rostering/v1p2" """

    def __init__(self, address: Address, collection: str, client: Client, lines: Lines, name: str) -> None:
        super().__init__(name, address.host, lines.rules)
        self._address = address
        self._collection = collection
        self._client = client
        self._lines = lines

    def rows(self) -> Generator[Sequence[object], None, None]:
        """Each page but the first begins with the last record of the one before, so that none is passed over between them."""
        columns = COLUMNS[self._collection]
        yield list(columns)
        first, total = self._page(0)
        seen: set[object] = set()
        page = first
        while page:
            for record in page:
                self._note(record, seen)
                yield self._cells_of(record)
            last = page[-1].get(_ID)
            page, total = self._page(len(seen) - 1)
            if (
                _ids(page) == _ids(first)
                and len(seen) == len(first)
                and (len(first) != _PAGE_ROWS or total == len(first))
            ):
                # A server that knows no pages has given all of it again. One that only knows where to end gives as many as asked.
                break
            if not page or page[0].get(_ID) != last:
                raise SourceError("oneroster_changed", host=self._host, collection=self._collection)
            page = page[1:]
        if total is not None and len(seen) < total:
            raise SourceError("oneroster_cut_off", host=self._host, missing=total - len(seen))

    def _cells_of(self, record: Record) -> list[object]:
        try:
            return [read(record) for read in COLUMNS[self._collection].values()]
        except TypeError:
            raise self._unreadable() from None

    def _unreadable(self) -> SourceError:
        return SourceError("oneroster_unreadable", host=self._host, collection=self._collection)

    def _note(self, record: Record, seen: set[object]) -> None:
        if (known := record.get(_ID)) in seen:
            raise SourceError("oneroster_changed", host=self._host, collection=self._collection)
        seen.add(known)

    def _page(self, offset: int) -> tuple[list[Record], int | None]:
        """Return the records from a place on, and how many there are in all, None where the server doesn't say."""
        try:
            return self._asked_for(offset)
        except SourceError as error:
            if error.code != "remote_login_refused":
                raise
        # A token may be withdrawn before its end.
        forget_token(self._client)
        return self._asked_for(offset)

    def _asked_for(self, offset: int) -> tuple[list[Record], int | None]:
        token = token_of(self._client, self._lines)
        query = "&".join([*self._own_query, f"limit={_PAGE_ROWS}&offset={offset}&sort=sourcedId&orderBy=asc"])
        target = f"{self._address.path.rstrip('/')}/{self._collection}?{query}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "ToolSync"}
        with (
            self._lines.translated_errors(self._host),
            closing(GuardedConnection(self._address, self._lines)) as connection,
        ):
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as answer:
                status, said_total = answer.status, answer.headers.get("X-Total-Count", "")
                content = answer.read(_MOST_PAGE_BYTES)
        if status in (401, 403):
            raise SourceError("remote_login_refused", host=self._host)
        if status == 404:
            raise SourceError("remote_not_found", address=f"{self._address.shown.rstrip('/')}/{self._collection}")
        if status != 200:
            raise SourceError("remote_status", host=self._host, status=status)
        is_told = said_total.isdecimal() and len(said_total) <= _MOST_DIGITS
        return self._records_in(content), int(said_total) if is_told else None

    @property
    def _own_query(self) -> list[str]:
        """Return what stands behind the ? of the address, as a filter or a key, without what the pages are asked for with."""
        parts = self._address.query.split("&")
        return [part for part in parts if part and unquote(part.partition("=")[0]).lower() not in _OF_PAGES]

    def _records_in(self, content: bytes) -> list[Record]:
        try:
            records = json.loads(content)[self._collection]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._unreadable() from None
        if not isinstance(records, list) or not all(map(_is_record, records)):
            raise self._unreadable()
        return records


def _is_record(found: object) -> bool:
    known = found.get(_ID) if isinstance(found, dict) else None
    return bool(known) and isinstance(known, str | int)
