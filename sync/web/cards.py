"""Tools as templates see them: a template would call a processor's class instead of reading it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from sync.processors.base.processor import Processor


class ToolCard(NamedTuple):
    """One tool.

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
    """Tools about the same thing."""

    name: str
    tools: list[ToolCard]


def tool_card(processor: type[Processor[Any, Any]]) -> ToolCard:
    """Return what a template may know of a tool, in the active language."""
    label = str(processor.label)
    family, colon, title = (part.strip() for part in label.partition(":"))
    if not colon:
        # Those who say all in one word are about who belongs where.
        family, title = _("Enrolments, groups and cohorts"), label
    return ToolCard(
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


def families(processors: Iterable[type[Processor[Any, Any]]]) -> list[Family]:
    """Group tools by family, in the order of the registry; what makes things stands before what is done to them."""
    by_name: dict[str, Family] = {}
    for card in map(tool_card, processors):
        by_name.setdefault(card.family, Family(card.family, [])).tools.append(card)
    return [Family(family.name, _makers_first(family.tools)) for family in by_name.values()]


def _makers_first(tools: list[ToolCard]) -> list[ToolCard]:
    """Put `courses` before `courses_reset`, which goes before it in a sequence."""
    return sorted(tools, key=lambda card: not any(other.key.startswith(f"{card.key}_") for other in tools))
