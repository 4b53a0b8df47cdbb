"""JSON that is given to a command: what the API takes as a body, so that both doors take the same and check it alike."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj
from typing import IO, TYPE_CHECKING, Any

from django.core.management.base import CommandError

from sync.commandfiles.storage import scratch_file
from sync.management.command import EXIT_OTHER, EXIT_REFUSED
from sync.models import MoodleSite
from sync.runs.options import find_processor, resolve_options

if TYPE_CHECKING:
    from sync.api.base import StrictSerializer

STANDARD_INPUT = "-"


@contextmanager
def opened_file(name: str) -> Iterator[IO[bytes]]:
    """Open a file of this machine, or standard input ("-"). Raises: CommandError"""
    if name == STANDARD_INPUT:
        with scratch_file() as copied:
            copyfileobj(sys.stdin.buffer, copied)
            copied.seek(0)
            yield copied
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - an error while it is read is another one
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", returncode=EXIT_REFUSED) from None
    with file:
        yield file


def read_json(name: str) -> Any:
    """Return what a file says, read as the API reads bodies. Raises: CommandError"""
    from rest_framework.exceptions import ParseError

    from sync.api.parsers import StrictJSONParser

    with opened_file(name) as stream:
        try:
            return StrictJSONParser().parse(stream)
        except ParseError as error:
            raise CommandError(f"{name}: {error.detail}", returncode=EXIT_REFUSED) from None


def rows_file(site: MoodleSite, key: str, name: str, options: Mapping[str, Any]) -> tuple[IO[bytes], dict[str, Any]]:
    """Return rows as the API takes them as a command file, and the options with which it is read.

    Raises: CommandError; CodedError where they can't be rows of this file type
    """
    from sync.api.rows import OWN_OPTIONS, RowsSerializer, file_of_rows

    content = read_json(name)
    sent = checked(RowsSerializer, content if isinstance(content, Mapping) else {"rows": content})
    chosen = {**sent.get("options", {}), **options}
    values = resolve_options(site, key, chosen)
    rows = file_of_rows(find_processor(key), sent["rows"], lenient=values.invalidnamesnocheck)
    return BytesIO(rows), {**chosen, **OWN_OPTIONS}


def checked(kind: type[StrictSerializer], content: Any) -> dict[str, Any]:
    """Return the fields of what was sent. Raises: CommandError naming those that are wrong"""
    from sync.api.problems import field_errors

    form = kind(data=content)
    if not form.is_valid():
        said = "; ".join(f"{wrong['field'] or '(all)'}: {wrong['detail']}" for wrong in field_errors(form.errors))
        raise CommandError(said, returncode=EXIT_OTHER)
    fields: dict[str, Any] = form.validated_data
    return fields
