"""File types as templates see them: a template would call a processor's class instead of reading it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

from sync.processors.base.processor import Processor


class FileTypeCard(NamedTuple):
    """One file type.

    Shape: label: "Users: delete"; family, title: what stands before and after the colon, if there is one; headerless: its
    files are lists; of_pictures: its files are zips of pictures
    """

    key: str
    label: str
    family: str
    title: str
    summary: str
    default_filename: str
    one_of: tuple[str, ...]
    headerless: bool
    of_pictures: bool


class Family(NamedTuple):
    """File types about the same thing."""

    name: str
    file_types: list[FileTypeCard]


def file_type_card(processor: type[Processor]) -> FileTypeCard:
    """Return what a template may know of a file type, in the active language."""
    label = str(processor.label)
    family, colon, title = (part.strip() for part in label.partition(":"))
    if not colon:
        # Those who say all in one word are about who belongs where.
        family, title = _("Enrolments, groups and cohorts"), label
    return FileTypeCard(
        key=processor.key,
        label=label,
        family=family,
        title=title[:1].upper() + title[1:],
        summary=str(processor.summary),
        default_filename=processor.default_filename,
        one_of=processor.columns.one_of,
        headerless=processor.columns.headerless,
        of_pictures=processor.columns.of_pictures,
    )


def families(processors: Iterable[type[Processor]]) -> list[Family]:
    """Group file types by family, in the order of the registry; what makes things stands before what is done to them."""
    by_name: dict[str, Family] = {}
    for card in map(file_type_card, processors):
        by_name.setdefault(card.family, Family(card.family, [])).file_types.append(card)
    return [Family(family.name, _makers_first(family.file_types)) for family in by_name.values()]


def _makers_first(file_types: list[FileTypeCard]) -> list[FileTypeCard]:
    """Put `courses` before `courses_reset`, which goes before it in a sequence."""
    return sorted(file_types, key=lambda card: not any(other.key.startswith(f"{card.key}_") for other in file_types))
